//! What goes on, as it is shown to those who watch: nobody nearly always. A watcher is called on the shard's thread,
//! between two messages: it takes what it needs and leaves.

use plexus_access::Principal;
use plexus_session::DropReason;
use plexus_types::{Instant, Message, MessageId, Qos, TopicFilter};

/// What a watcher is shown. Topics are those that the node knows: of a tenant, with its name before them. Filters are
/// the client's own.
#[derive(Debug, Clone, Copy)]
pub enum Sight<'a> {
    /// A message was taken, of a client or of the node. Its own under `$SYS` are not shown.
    Published(Option<&'a Principal>, &'a Message),
    /// A message of a client that was taken at the time which is told is kept as its durability promises. Those
    /// without an acknowledgement, and those that nothing had to be recorded of, are not shown.
    Kept(MessageId),
    /// It was written to a client, with that quality of service.
    Delivered(&'a Principal, &'a Message, Qos),
    /// So many messages for a client were dropped.
    Dropped(&'a Principal, DropReason, u32),
    /// A client has subscribed, or was subscribed, to that.
    Subscribed(&'a Principal, &'a TopicFilter, Qos),
    /// A client has no subscription to that any more.
    Unsubscribed(&'a Principal, &'a TopicFilter),
}

/// Whoever watches. It must not wait, and takes as little time as it can: the shard does nothing else meanwhile.
pub trait Watcher: Send + Sync {
    /// Something has happened. False when nothing more is wanted.
    fn see(&self, now: Instant, sight: Sight<'_>) -> bool;

    /// Whether nothing more is wanted.
    fn is_over(&self) -> bool;
}
