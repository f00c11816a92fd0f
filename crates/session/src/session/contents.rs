//! What a session has for its client, for whoever looks into it.

use std::sync::Arc;

use plexus_types::{Instant, Message, MessageId, PacketId, Qos};

use super::Session;
use crate::parcel::Parcel;

/// A message that waits for the client or is under way to it.
#[derive(Debug, Clone, Copy)]
pub struct QueuedMessage<'a> {
    parcel: &'a Parcel,
    /// Its identifier, once it is under way.
    pub packet_id: Option<PacketId>,
    /// Whether PUBREC has come for it: only PUBCOMP is still to come.
    pub is_received: bool,
}

impl<'a> QueuedMessage<'a> {
    /// The message; none where its bytes are only in the log, or are done with.
    pub const fn message(&self) -> Option<&'a Arc<Message>> {
        self.parcel.message()
    }

    /// Its name within the node.
    pub fn id(&self) -> MessageId {
        self.parcel.id()
    }

    /// Quality of service of this delivery.
    pub const fn qos(&self) -> Qos {
        self.parcel.qos()
    }

    /// RETAIN of this delivery.
    pub const fn retain(&self) -> bool {
        self.parcel.retain()
    }

    /// The bytes of topic, payload and properties.
    pub const fn size(&self) -> usize {
        self.parcel.size()
    }

    /// Since when the session has it, in whole seconds.
    pub const fn since(&self) -> Instant {
        self.parcel.since()
    }
}

impl Session {
    /// What waits, in order.
    pub fn queued_messages(&self) -> impl Iterator<Item = QueuedMessage<'_>> {
        let waiting = self.queue.iter();
        waiting.map(|parcel| QueuedMessage { parcel, packet_id: None, is_received: false })
    }

    /// What is under way to the client and not acknowledged, in order.
    pub fn inflight_messages(&self) -> impl Iterator<Item = QueuedMessage<'_>> {
        self.outbound.iter().map(under_way)
    }

    /// The one of that identifier.
    pub fn inflight_message(&self, id: PacketId) -> Option<QueuedMessage<'_>> {
        self.outbound.get(id).map(under_way)
    }
}

fn under_way((id, _, is_received, parcel): (PacketId, Qos, bool, &Parcel)) -> QueuedMessage<'_> {
    QueuedMessage { parcel, packet_id: Some(id), is_received }
}
