//! How much may wait in the queues of the whole node. Each shard counts what waits with it, and takes
//! of what is left in steps, so that no message makes one shard look at what another counts.

use plexus_session::Waiting;
use plexus_types::Instant;

use super::Shard;

/// A step is such a part of each shard's share. By so much the node may exceed its limit when all
/// shards fill at the same time.
const STEPS: u64 = 16;

impl Shard {
    /// Sees to it that one more message of that size may wait, if the node has room for it.
    pub(super) fn make_room(&mut self, now: Instant, size: usize) {
        if self.outbox.has_room(size) || self.no_room_at == now {
            return;
        }
        let most = self.context.options.waiting_max;
        let left = most.less(self.waiting_elsewhere()).less(self.outbox.waiting());
        if !left.holds(size) {
            // All shards are not asked again for the next message of this turn.
            self.no_room_at = now;
            tracing::warn!(
                messages = most.messages,
                bytes = most.bytes,
                "limits.max_queued_messages or max_queued_bytes is reached: nothing more waits"
            );
        }
        let shards = u64::from(self.context.options.shards);
        let steps = if shards == 1 { 1 } else { STEPS * shards };
        let step = Waiting {
            messages: left.messages.min((most.messages / steps).max(1)),
            bytes: left.bytes.min((most.bytes / steps).max(size as u64)),
        };
        self.outbox.limit_waiting(self.outbox.waiting().and(step));
    }

    fn waiting_elsewhere(&self) -> Waiting {
        let others = self.context.counters.iter().enumerate();
        let others = others.filter(|(shard, _)| *shard != usize::from(self.id));
        others.fold(Waiting::default(), |sum, (_, counters)| {
            let (messages, bytes) = (counters.queued.read(), counters.queued_bytes.read());
            sum.and(Waiting { messages, bytes })
        })
    }

    /// Tells the other shards what waits with this one.
    pub(super) fn count_waiting(&self) {
        let Waiting { messages, bytes } = self.outbox.waiting();
        self.counters().queued.set(messages);
        self.counters().queued_bytes.set(bytes);
    }
}
