//! *What it is.* MQTT packets ⇄ bytes, for 3.1, 3.1.1 and 5.0: one packet model, the version is an
//! argument. Decoding is incremental and copies no topic and no payload; encoding computes the size
//! first and writes once.
//!
//! *What it never does.* No I/O, no session rules: it knows what a packet may say, not when.
//!
//! *Entry points.* [`Decoder`], [`encode()`], [`encode_publish`], [`Packet`], [`ProtocolError`].
//!
//! *Reading order.* `packet`, `frame`, `decoder`, `reader`, `property`, `sink`, `encode`, then
//! `packet/*` in the order of the specification.
//!
//! *Tests.* `testkit` holds the packet table; table, round-trip and hostile-input tests in
//! `tests/it`; fuzz targets in `fuzz/`.

mod decoder;
mod encode;
mod error;
mod frame;
mod limits;
mod packet;
pub mod property;
mod publish_head;
mod reader;
mod sink;
mod varint;

pub use decoder::Decoder;
pub use encode::{EncodeError, encode, encoded_len};
pub use error::ProtocolError;
pub use frame::PacketType;
pub use limits::{FIRST_PACKET_SIZE_MAX, Limits, PACKET_SIZE_MAX};
pub use packet::{
    Ack, AckDetails, Auth, ConnAck, ConnAckProperties, Connect, ConnectProperties, Disconnect,
    DisconnectProperties, Packet, Publish, PublishProperties, RetainHandling, SubAck, Subscribe,
    SubscribeFilter, SubscriptionOptions, UnsubAck, Unsubscribe, UserProperties, Will,
    reason_of_return_code, return_code,
};
pub use publish_head::{PublishHead, encode_publish, encode_publish_head, publish_len};
