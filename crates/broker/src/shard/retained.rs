//! Retained messages: each lives in the shard that its topic hashes to, so that the last write is
//! one shard's decision.

use std::{collections::BTreeSet, sync::Arc};

use plexus_stdx::Seed;
use plexus_topics::{Retained, RetainedCursor};
use plexus_types::{Instant, Message, TopicName};

use super::Shard;
use crate::ports::Turn;

#[derive(Debug)]
pub(super) struct RetainedStore {
    messages: Retained<Arc<Message>>,
    /// Exactly those messages that expire.
    expiring: BTreeSet<(Instant, TopicName)>,
    bytes: usize,
    messages_max: usize,
}

impl RetainedStore {
    pub(super) fn new(seed: Seed, messages_max: usize) -> Self {
        let messages = Retained::new(seed);
        Self { messages, expiring: BTreeSet::new(), bytes: 0, messages_max }
    }

    /// Keeps a message as the newest of its topic; false when the limit forbids it.
    fn keep(&mut self, message: &Arc<Message>) -> bool {
        let known = self.messages.get(&message.topic).is_some();
        if !known && self.messages.len() >= self.messages_max {
            return false;
        }
        if let Some(expires) = message.expires {
            // A copy of its own: the deadline must not keep a message alive that was replaced.
            self.expiring.insert((expires, message.topic.detached()));
        }
        self.bytes += message.size();
        if let Some(old) = self.messages.insert(&message.topic, Arc::clone(message)) {
            self.part_from(&old, message.expires);
        }
        true
    }

    fn delete(&mut self, topic: &TopicName) {
        if let Some(old) = self.messages.remove(topic) {
            self.part_from(&old, None);
        }
    }

    /// Forgets what was reckoned for a message that another or nothing replaces.
    fn part_from(&mut self, old: &Message, expires: Option<Instant>) {
        self.bytes -= old.size();
        if let Some(at) = old.expires
            && expires != Some(at)
        {
            self.expiring.remove(&(at, old.topic.clone()));
        }
    }

    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.expiring.first().map(|(at, _)| *at)
    }

    fn expire(&mut self, now: Instant) -> u64 {
        let mut gone = 0;
        while self.next_expiry().is_some_and(|at| at <= now) {
            let Some((_, topic)) = self.expiring.pop_first() else { break };
            if self.messages.get(&topic).is_some_and(|message| message.is_expired(now)) {
                self.delete(&topic);
                gone += 1;
            }
        }
        gone
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    pub(super) fn deadlines(&self) -> usize {
        self.expiring.len()
    }

    pub(super) fn cursor(&mut self, filter: &str) -> RetainedCursor {
        self.messages.cursor(filter)
    }

    pub(super) fn next(
        &mut self,
        cursor: &mut RetainedCursor,
        budget: usize,
        found: &mut Vec<Arc<Message>>,
    ) -> bool {
        self.messages.next(cursor, budget, found)
    }

    pub(super) fn close(&mut self, cursor: RetainedCursor) {
        self.messages.close(cursor);
    }
}

impl Shard {
    /// The last write of a topic ([MQTT-3.3.1-5]); an empty payload deletes ([MQTT-3.3.1-6],
    /// [MQTT-3.3.1-7]). Only messages with RETAIN come here ([MQTT-3.3.1-8], [MQTT3-3.3.1-12]).
    pub(super) fn keep_retained(&mut self, turn: &Turn<'_>, message: &Arc<Message>) {
        #[cfg(feature = "canary")]
        {
            let known = self.retained.messages.get(&message.topic).is_some();
            if !self.context.canary.retains(known, message) {
                return;
            }
        }
        if message.payload.is_empty() || message.is_expired(turn.now) {
            self.retained.delete(&message.topic);
        } else if !self.retained.keep(message) {
            self.counters().dropped_retained_limit.add(1);
        }
        self.count_retained();
    }

    pub(super) fn expire_retained(&mut self, turn: &Turn<'_>) {
        if self.retained.expire(turn.now) > 0 {
            self.count_retained();
        }
    }

    fn count_retained(&self) {
        let counters = self.counters();
        counters.retained.set(self.retained.messages.len() as u64);
        counters.retained_bytes.set(self.retained.bytes as u64);
    }
}
