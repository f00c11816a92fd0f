//! Where a session stands, and what only a connection needs.

use std::{sync::Arc, time::Duration};

use plexus_types::{Instant, Message, ProtocolVersion, Text};
use plexus_wire::{Connect, PACKET_SIZE_MAX, Packet, PublishHead, encoded_len, publish_len};
use smallvec::SmallVec;

use crate::{
    Options, Outgoing,
    aliases::{AliasesIn, AliasesOut, Naming},
    keepalive::KeepAlive,
    parcel::Shape,
};

/// ```text
///   new, attach           DISCONNECT, lost, disconnect, take_over
///  ────────────▶ Connected ──────────────────────────────────────▶ Away ───attach──▶ Connected
///                    │ … with Session Expiry Interval 0, end         │ expiry, end
///                    ▼                                               ▼
///                  Ending (access control is asked about the Will) ─────▶ Over
/// ```
#[derive(Debug)]
pub(crate) enum Phase {
    /// A client is there.
    Connected(Connection),
    /// The session outlives its connection, which it lost then.
    Away(Instant),
    /// The end is decided, the Will goes before it.
    Ending,
    /// `Ended` is out.
    Over,
}

/// The part of a session that lives and dies with one network connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) keep_alive: KeepAlive,
    pub(crate) aliases_in: AliasesIn,
    pub(crate) aliases_out: AliasesOut,
    /// Authentication Method of CONNECT: decides whether AUTH may come.
    pub(crate) authentication_method: Option<Box<Text>>,
    /// Maximum Packet Size of the client.
    pub(crate) packet_size_max: u32,
    /// Receive Maximum of the client.
    pub(crate) receive_maximum: u16,
    /// Whether Reason Strings may come with every packet.
    pub(crate) problem_information: bool,
    /// The connection does not take what is written.
    pub(crate) congested: bool,
    /// The queue has moved since this connection began: what an earlier one left in it is not the
    /// fault of this one.
    pub(crate) moved: bool,
    /// An `Authorize` is outstanding.
    pub(crate) blocked: bool,
    /// A [`Output::Fetch`](crate::Output::Fetch) is outstanding.
    pub(crate) fetching: bool,
    /// The client authenticates itself anew.
    pub(crate) in_exchange: bool,
    /// The client is a bridge of 3.x: no message comes back to it and RETAIN is kept.
    pub(crate) bridge: bool,
}

/// The Maximum Packet Size of a client that names none: what the protocol can express.
const NO_MAXIMUM: u32 = PACKET_SIZE_MAX as u32;
/// What the head of a PUBLISH adds to the bytes of its message at most, identifiers apart.
const HEAD_MAX: usize = 32;
/// A Subscription Identifier with the byte that announces it.
const SUBSCRIPTION_ID_MAX: usize = 5;

impl Connection {
    pub(crate) fn new(keep_alive: KeepAlive, connect: &Connect, options: &Options) -> Self {
        let asked = &connect.properties;
        let aliases = asked.topic_alias_maximum.min(options.outbound_alias_maximum);
        Self {
            keep_alive,
            aliases_in: AliasesIn::default(),
            aliases_out: AliasesOut::new(aliases),
            authentication_method: asked
                .authentication_method
                .as_ref()
                .map(|method| Box::new(method.detached())),
            packet_size_max: asked
                .maximum_packet_size
                .map_or(NO_MAXIMUM, |size| size.min(NO_MAXIMUM)),
            receive_maximum: asked.receive_maximum,
            problem_information: asked.request_problem_information,
            congested: false,
            moved: false,
            blocked: false,
            fetching: false,
            in_exchange: false,
            bridge: connect.bridge,
        }
    }

    /// How the message's topic is named in the PUBLISH that is sent right now; `None` if the packet
    /// is larger than the client takes ([MQTT-3.1.2-24]).
    #[inline]
    pub(crate) fn naming(
        &mut self,
        shape: Shape<'_>,
        message: &Message,
        version: ProtocolVersion,
    ) -> Option<Naming> {
        if self.is_clearly_within(shape) {
            return Some(self.aliases_out.name(&message.topic));
        }
        self.is_exactly_within(shape, message, version).then_some(Naming::PLAIN)
    }

    /// Whether the client takes the message ([MQTT-3.1.2-24]).
    pub(crate) fn takes_message(
        &self,
        shape: Shape<'_>,
        message: &Message,
        version: ProtocolVersion,
    ) -> bool {
        self.is_clearly_within(shape) || self.is_exactly_within(shape, message, version)
    }

    const fn is_clearly_within(&self, shape: Shape<'_>) -> bool {
        let ids = shape.subscription_ids.len() * SUBSCRIPTION_ID_MAX;
        shape.size + HEAD_MAX + ids <= self.packet_size_max as usize
    }

    fn is_exactly_within(
        &self,
        shape: Shape<'_>,
        message: &Message,
        version: ProtocolVersion,
    ) -> bool {
        // Close to the limit: the exact size, and no alias, whose first use is the larger packet.
        let head = PublishHead {
            dup: false,
            qos: shape.qos,
            retain: shape.retain,
            packet_id: (shape.qos.get() > 0).then_some(plexus_types::PacketId::MIN),
            topic: Some(&message.topic),
            topic_alias: None,
            message_expiry_interval: message.expires.map(|_| 0),
            subscription_ids: shape.subscription_ids,
        };
        publish_len(&head, message, version) <= self.packet_size_max as usize
    }

    /// Whether the client takes a packet of that size ([MQTT-3.1.2-24]).
    pub(crate) fn takes(&self, packet: &Packet, version: ProtocolVersion) -> bool {
        self.packet_size_max == NO_MAXIMUM
            || encoded_len(packet, version) <= self.packet_size_max as usize
    }
}

impl Outgoing {
    /// The message as PUBLISH, identifier apart.
    #[inline]
    pub(crate) fn new(
        shape: Shape<'_>,
        message: &Arc<Message>,
        naming: Naming,
        now: Instant,
    ) -> Self {
        Self {
            // What the publisher's copy said does not matter: [MQTT-3.3.1-3], [MQTT-4.3.1-1],
            // [MQTT-4.3.2-2], [MQTT-4.3.3-2], [MQTT3-3.3.1-3], [MQTT3-4.3.1-1].
            dup: false,
            qos: shape.qos,
            retain: shape.retain,
            packet_id: None,
            topic_alias: naming.alias,
            with_topic: naming.with_topic,
            message_expiry_interval: seconds_left(message, now),
            subscription_ids: match shape.subscription_ids {
                [] => SmallVec::new(),
                ids => SmallVec::from_slice(ids),
            },
            message: Arc::clone(message),
        }
    }
}

/// The Message Expiry Interval that is left, in seconds ([MQTT-3.3.2-6]). Rounded, so that the
/// little by which the clocks of two shards differ is not seen; zero only when it is over.
#[inline]
pub(crate) fn seconds_left(message: &Message, now: Instant) -> Option<u32> {
    let left = message.expires?.saturating_since(now);
    let seconds = (left + Duration::from_millis(500)).as_secs();
    let at_least = u64::from(!left.is_zero());
    Some(u32::try_from(seconds.max(at_least)).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests;
