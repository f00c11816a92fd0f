//! The packet model. A packet holds what the newest version can say; for older versions the fields
//! that they do not know stay at their defaults and are not written.

mod ack;
mod auth;
mod connack;
mod connect;
mod disconnect;
mod publish;
mod suback;
mod subscribe;
mod unsubscribe;
mod user_properties;

pub use self::{
    ack::{Ack, AckDetails},
    auth::Auth,
    connack::{ConnAck, ConnAckProperties, reason_of_return_code, return_code},
    connect::{Connect, ConnectProperties, Will},
    disconnect::{Disconnect, DisconnectProperties},
    publish::{Publish, PublishProperties},
    suback::{SubAck, UnsubAck},
    subscribe::{RetainHandling, Subscribe, SubscribeFilter, SubscriptionOptions},
    unsubscribe::Unsubscribe,
    user_properties::UserProperties,
};

use plexus_types::ReasonCode;

use crate::ProtocolError;

/// An MQTT Control Packet of any version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// Client to server: the first packet.
    Connect(Box<Connect>),
    /// Server to client: the answer to CONNECT.
    ConnAck(Box<ConnAck>),
    /// Either way: an Application Message.
    Publish(Publish),
    /// Either way: QoS 1 taken.
    PubAck(Ack),
    /// Either way: QoS 2 taken, first half.
    PubRec(Ack),
    /// Either way: QoS 2 release, second half.
    PubRel(Ack),
    /// Either way: QoS 2 complete.
    PubComp(Ack),
    /// Client to server: new subscriptions.
    Subscribe(Box<Subscribe>),
    /// Server to client: their fate.
    SubAck(Box<SubAck>),
    /// Client to server: subscriptions that end.
    Unsubscribe(Box<Unsubscribe>),
    /// Server to client: their fate.
    UnsubAck(Box<UnsubAck>),
    /// Client to server: I am here.
    PingReq,
    /// Server to client: so am I.
    PingResp,
    /// Either way: the last packet.
    Disconnect(Box<Disconnect>),
    /// Either way: enhanced authentication (5.0 only).
    Auth(Box<Auth>),
}

/// The reason code of that number if the packet has it, else `error`.
fn reason(
    code: u8,
    allowed: &[ReasonCode],
    error: ProtocolError,
) -> Result<ReasonCode, ProtocolError> {
    ReasonCode::new(code).filter(|reason| allowed.contains(reason)).ok_or(error)
}
