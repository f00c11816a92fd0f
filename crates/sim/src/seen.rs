//! What the world lets the invariants see. Everything is seen at the server's border unless it says
//! otherwise: the moment counts in which the node took or gave something, not when it travelled.

use std::collections::BTreeMap;

use bytes::Bytes;
use plexus_broker::shard::Census;
use plexus_session::{Incoming, Outgoing};
use plexus_store::Stat;
use plexus_types::{ProtocolVersion, Qos, TopicFilter};
use plexus_wire::{ConnAck, Connect, Packet};

use crate::{
    agenda::{ActorNo, LinkNo},
    history::{Entry, MessageNo},
};

/// What a client asks for in CONNECT, and what holds of it.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) version: ProtocolVersion,
    pub(crate) clean: bool,
    /// Session Expiry Interval that holds, in seconds.
    pub(crate) expiry: u32,
    pub(crate) receive_maximum: u16,
    pub(crate) packet_size_max: usize,
    pub(crate) alias_maximum: u16,
    /// The Will and its delay in seconds.
    pub(crate) will: Option<(MessageNo, u32)>,
}

impl Terms {
    pub(crate) fn new(connect: &Connect, options: &plexus_session::Options) -> Self {
        let asked = &connect.properties;
        let expiry = match (connect.version.is_v5(), connect.clean_start) {
            (true, _) => asked.session_expiry_interval,
            (false, true) => 0,
            (false, false) => options.session_expiry_3x,
        };
        let numbered = |payload: &Bytes| MessageNo::of(payload);
        Self {
            version: connect.version,
            clean: connect.clean_start,
            expiry: expiry.min(options.session_expiry_max),
            receive_maximum: asked.receive_maximum,
            packet_size_max: asked.maximum_packet_size.map_or(usize::MAX, |size| size as usize),
            alias_maximum: asked.topic_alias_maximum.min(options.outbound_alias_maximum),
            will: connect
                .will
                .as_ref()
                .and_then(|will| Some((numbered(&will.payload)?, will.delay_interval))),
        }
    }
}

/// What a log at rest takes, and what it may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rest {
    pub(crate) stat: Stat,
    /// The size of a segment, and of the largest: one that a single commit was too large for.
    pub(crate) segment_bytes: u64,
    pub(crate) largest_bytes: u64,
    pub(crate) allowance_bytes: u64,
    /// Sessions that the log keeps.
    pub(crate) sessions: u64,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) enum Seen<'a> {
    /// CONNECT has come to the home of the client.
    Asked { actor: ActorNo, link: LinkNo, terms: Terms },
    /// CONNECT is accepted; says whether the node had a session of the client.
    Accepted { actor: ActorNo, link: LinkNo, resumed: bool, connack: &'a ConnAck },
    /// The connection of the client is over, for the node.
    Detached { actor: ActorNo, link: LinkNo },
    /// Something was written to a connection after its end.
    WroteAfterClose { actor: ActorNo },
    /// The node hears a packet of a client that has a session.
    Heard { actor: ActorNo, packet: &'a Packet },
    /// The node takes a PUBLISH that it has not taken before.
    Entered(&'a Entry),
    /// The node says something that is not a PUBLISH, in so many bytes.
    Said { actor: ActorNo, packet: &'a Packet, size: usize },
    /// The node sends a PUBLISH of so many bytes.
    Delivered { actor: ActorNo, outgoing: &'a Outgoing, size: usize },
    /// A message reached the client's application.
    Received { actor: ActorNo, number: Option<MessageNo>, incoming: &'a Incoming },
    /// The publisher was told that its message is acknowledged to its end.
    Acknowledged(MessageNo),
    /// The session of a client is no more; a clean start asked for it, or not.
    Ended { actor: ActorNo, cleaned: bool },
    /// What the session of a client holds.
    Gauged { actor: ActorNo, queued: usize, bytes: usize, inflight: usize },
    /// Nothing is under way any more.
    Settled,
    /// What a new subscriber got as retained messages of the topics that the clients retain to.
    Retained(&'a BTreeMap<String, Bytes>),
    /// The node takes it upon itself to deliver what entered under that number: it has said PUBACK
    /// or PUBREC.
    Promised(u64),
    /// The node refuses what entered under that number.
    Refused(u64),
    /// The node is gone; its connections were lost before.
    Crashed,
    /// The node that has started again has no session of a client that had one; says whether
    /// nobody was promised that it stays.
    Vanished { actor: ActorNo, allowed: bool },
    /// The node that has started again has the session of a client, with these subscriptions.
    Survived { actor: ActorNo, filters: &'a [(TopicFilter, Qos)] },
    /// Cleaning has come to rest.
    Rested(Rest),
    /// All have left, nothing is retained, and cleaning has come to rest.
    Emptied(Stat),
    /// All have left and every deadline has passed.
    Left(&'a [Census]),
}
