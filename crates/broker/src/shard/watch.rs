//! What goes on, shown to those who watch: nobody nearly always.

use std::{fmt, sync::Arc};

use plexus_access::Principal;
use plexus_porch::{Sight, Watcher};
use plexus_session::{DropReason, LogPosition, SubscribeRequest};
use plexus_types::{Instant, Message, MessageId, Qos, TopicFilter};

use super::Shard;

/// Those who watch a shard.
#[derive(Default)]
pub(super) struct Watchers(Vec<Arc<dyn Watcher>>);

/// A shard has so many watchers at most, which is more than anybody is allowed who has some.
const WATCHERS_MAX: usize = 256;

impl fmt::Debug for Watchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watchers").field(&self.0.len()).finish()
    }
}

impl Watchers {
    #[inline]
    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn add(&mut self, watcher: Arc<dyn Watcher>) {
        // Those of whom nothing was shown since they left.
        self.0.retain(|watcher| !watcher.is_over());
        if self.0.len() < WATCHERS_MAX {
            self.0.push(watcher);
        }
    }
}

impl Shard {
    pub(super) fn add_watcher(&mut self, watcher: Arc<dyn Watcher>) {
        self.watchers.add(watcher);
    }

    /// Whether anybody has to be shown anything.
    #[inline]
    pub(super) const fn is_watched(&self) -> bool {
        !self.watchers.is_empty()
    }

    #[cold]
    fn show(&mut self, now: Instant, sight: Sight<'_>) {
        self.watchers.0.retain(|watcher| watcher.see(now, sight));
    }

    #[cold]
    pub(super) fn show_published(
        &mut self,
        now: Instant,
        publisher: Option<u32>,
        message: &Message,
    ) {
        if super::retained::is_own(&message.topic) {
            return;
        }
        let principal = publisher.and_then(|slot| self.principal_of(slot));
        self.show(now, Sight::Published(principal.as_deref(), message));
    }

    /// Shows that the message which was taken `now` is kept, as soon as the log is kept up to there.
    #[cold]
    pub(super) fn show_when_kept(&mut self, now: Instant, id: MessageId, at: LogPosition) {
        let watchers = self.watchers.0.clone();
        self.log.tell_when_kept(at, move || {
            for watcher in &watchers {
                // Whoever wants no more is left out from the next sight on.
                let _: bool = watcher.see(now, Sight::Kept(id));
            }
        });
    }

    #[cold]
    pub(super) fn show_delivered(&mut self, now: Instant, slot: u32, message: &Message, qos: Qos) {
        if let Some(principal) = self.principal_of(slot) {
            self.show(now, Sight::Delivered(&principal, message, qos));
        }
    }

    #[cold]
    pub(super) fn show_dropped(&mut self, now: Instant, slot: u32, reason: DropReason, count: u32) {
        if let Some(principal) = self.principal_of(slot) {
            self.show(now, Sight::Dropped(&principal, reason, count));
        }
    }

    #[cold]
    pub(super) fn show_subscribed(&mut self, now: Instant, slot: u32, request: &SubscribeRequest) {
        let Some(principal) = self.principal_of(slot) else { return };
        for item in &request.items {
            if let Ok(filter) = &item.filter {
                self.show(now, Sight::Subscribed(&principal, filter, item.options.qos));
            }
        }
    }

    #[cold]
    pub(super) fn show_unsubscribed(&mut self, now: Instant, slot: u32, filters: &[TopicFilter]) {
        let Some(principal) = self.principal_of(slot) else { return };
        for filter in filters {
            self.show(now, Sight::Unsubscribed(&principal, filter));
        }
    }

    fn principal_of(&self, slot: u32) -> Option<Arc<Principal>> {
        Some(Arc::clone(&self.clients.get(slot)?.principal))
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
