//! What goes on, shown to those who watch: nobody nearly always. A watcher is called on the shard's thread, between
//! two messages: it takes what it needs and leaves.

use std::{fmt, sync::Arc};

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
    /// The client has acknowledged it (PUBACK), or that it has received it (PUBREC), at that quality of service. Its body may
    /// not be in memory any more: then nothing is shown.
    Acknowledged(&'a Principal, &'a Message, Qos),
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

/// Those who watch a part of a node.
#[derive(Default)]
pub struct Watchers(Vec<Arc<dyn Watcher>>);

/// A shard has so many watchers at most, which is more than anybody is allowed who has some.
const WATCHERS_MAX: usize = 256;

impl fmt::Debug for Watchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watchers").field(&self.0.len()).finish()
    }
}

impl Watchers {
    /// Whether nobody watches.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One more, where there is room.
    pub fn add(&mut self, watcher: Arc<dyn Watcher>) {
        // Those of whom nothing was shown since they left.
        self.0.retain(|watcher| !watcher.is_over());
        if self.0.len() < WATCHERS_MAX {
            self.0.push(watcher);
        }
    }

    /// Shows it to those who have not had enough.
    #[cold]
    pub fn show(&mut self, now: Instant, sight: Sight<'_>) {
        self.0.retain(|watcher| watcher.see(now, sight));
    }

    /// Shows those who watch now that the message is kept which was taken then, when it is called.
    #[cold]
    pub fn kept(&self, taken: Instant, id: MessageId) -> impl FnOnce() + Send + use<> {
        let watchers = self.0.clone();
        move || {
            for watcher in watchers {
                // Whoever wants no more is left out from the next sight on.
                let _: bool = watcher.see(taken, Sight::Kept(id));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use plexus_types::Instant;

    use super::{Sight, WATCHERS_MAX, Watcher, Watchers};

    /// Whether it is over.
    struct Watch(bool);

    impl Watcher for Watch {
        fn see(&self, _: Instant, _: Sight<'_>) -> bool {
            !self.0
        }

        fn is_over(&self) -> bool {
            self.0
        }
    }

    #[test]
    fn who_has_left_drives_nobody_out() {
        let mut watchers = Watchers::default();
        watchers.add(Arc::new(Watch(false)));
        for _ in 0..2 * WATCHERS_MAX {
            watchers.add(Arc::new(Watch(true)));
        }
        watchers.add(Arc::new(Watch(false)));
        let staying = watchers.0.iter().filter(|watcher| !watcher.is_over()).count();
        assert_eq!((staying, watchers.0.len()), (2, 2));
        for _ in 0..WATCHERS_MAX {
            watchers.add(Arc::new(Watch(false)));
        }
        assert_eq!(watchers.0.len(), WATCHERS_MAX);
    }
}
