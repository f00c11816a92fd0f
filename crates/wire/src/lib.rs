//! *What it is.* MQTT packets ⇄ bytes, for 3.1, 3.1.1 and 5.0: one packet model, the version is an
//! argument. Decoding is incremental and copies no topic and no payload; encoding computes the size
//! first and writes once.
//!
//! *What it never does.* No I/O, no session rules: it knows what a packet may say, not when.
//!
//! *Entry points.* [`Decoder`], [`encode`], [`encode_publish`], [`Packet`], [`ProtocolError`].
//!
//! *Reading order.* `packet`, `frame`, `property`, `packet/*` in the order of the specification.
//!
//! *Tests.* `testkit` holds the packet table; round-trip properties in `tests/`; fuzz targets in
//! `fuzz/`.

mod packet;

pub use packet::{
    Ack, AckDetails, Auth, ConnAck, ConnAckProperties, Connect, ConnectProperties, Disconnect,
    DisconnectProperties, Packet, Publish, PublishProperties, RetainHandling, SubAck, Subscribe,
    SubscribeFilter, SubscriptionOptions, UnsubAck, Unsubscribe, UserProperties, Will,
};
/// STUB
#[derive(Debug)]
pub struct ProtocolError;
/// STUB
#[derive(Debug)]
pub struct Decoder;
impl Decoder {
    /// s
    pub fn client(_: plexus_types::ProtocolVersion, _: u32) -> Self { Self }
    /// s
    pub fn decode(&mut self, _: &mut bytes::BytesMut) -> Result<Option<Packet>, ProtocolError> { Ok(None) }
}
/// s
pub fn encode(_: &Packet, _: plexus_types::ProtocolVersion, _: &mut bytes::BytesMut) {}
