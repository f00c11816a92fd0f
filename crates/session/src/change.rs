use std::sync::Arc;

use plexus_types::{Message, PacketId, TopicFilter};
use plexus_wire::SubscriptionOptions;

/// A record of a durable session: replayed in order over a snapshot it gives the session again.
/// Only sessions that outlive their connection emit them.
#[derive(Debug, Clone)]
pub enum Change {
    /// A session begins, or its expiry changes, in seconds.
    Expiry(u32),
    /// A subscription is made or replaced.
    Subscribed(TopicFilter, SubscriptionOptions, Option<u32>),
    /// A subscription ends.
    Unsubscribed(TopicFilter),
    /// A message waits for the client.
    Queued(Arc<Message>),
    /// The oldest waiting message left the queue undelivered.
    Dropped,
    /// A message is under way with that identifier.
    Inflight(PacketId, Arc<Message>),
    /// PUBREC came: PUBREL is under way.
    Received(PacketId),
    /// The delivery is complete.
    Completed(PacketId),
    /// A QoS 2 message of the client was taken: its identifier is not taken again before release.
    Accepted(PacketId),
    /// PUBREL came: the identifier is free.
    Released(PacketId),
    /// The Will that is due when the connection is gone, or none.
    Will(Option<Arc<Message>>, u32),
    /// The session is over.
    Ended,
}
