//! Retained messages: each lives in the shard that its topic hashes to, so that the last write is
//! one shard's decision.

use std::{collections::BTreeSet, sync::Arc};

use plexus_porch::Tenant;
use plexus_stdx::Seed;
use plexus_topics::{Retained, RetainedCursor};
use plexus_types::{Instant, Message, MessageId, TopicName};

use super::{
    Context, Shard,
    questions::{RetainedFrom, RetainedPart, TopicLevel},
};
use crate::ports::Turn;

/// How the first levels of tenants begin; none has a character behind it that is not of a tenant's name.
const TENANTS: &str = "$+";

/// Topics that are looked at for one question.
const LOOKED_AT_MAX: usize = 256;

#[derive(Debug)]
pub(super) struct RetainedStore {
    context: Arc<Context>,
    shard: u16,
    messages: Retained<Arc<Message>>,
    /// Exactly those messages that expire.
    expiring: BTreeSet<(Instant, TopicName)>,
    bytes: usize,
    /// Those that the node wrote itself: they are nobody's to limit, and not told of.
    own: usize,
}

/// What the node says of itself, to the tenants too, is said anew at each start.
pub(super) fn is_own(topic: &TopicName) -> bool {
    topic.shown().starts_with(b"$SYS/")
}

impl RetainedStore {
    pub(super) fn new(seed: Seed, shard: u16, context: &Arc<Context>) -> Self {
        let (context, messages) = (Arc::clone(context), Retained::new(seed));
        Self { context, shard, messages, expiring: BTreeSet::new(), bytes: 0, own: 0 }
    }

    /// The limit that keeps the message out: unless another of its topic has a place, in which it comes, it needs
    /// room in the node and in its tenant.
    fn limit(&self, message: &Message) -> Option<&'static str> {
        if is_own(&message.topic) {
            return None;
        }
        let before = self.get(&message.topic).map(|old| old.shown_size());
        let counted = self.context.counters.iter().map(|shard| shard.retained.read());
        let messages_max = self.context.options.retained.messages_max as u64;
        if before.is_none() && counted.sum::<u64>() >= messages_max {
            return Some("retained.max_messages");
        }
        let tenant = self.tenant_of(&message.topic)?;
        let options = &tenant.options;
        if before.is_none() && tenant.total(|it| it.retained.read()) >= options.retained_max as u64
        {
            return Some("tenant.max_retained_messages");
        }
        let bytes = tenant.total(|it| it.retained_bytes.read());
        let growth = message.shown_size().saturating_sub(before.unwrap_or(0));
        let over = growth > 0 && bytes + growth as u64 > options.retained_bytes_max as u64;
        over.then_some("tenant.max_retained_bytes")
    }

    /// The tenant whose topic it is, if the node has it.
    fn tenant_of(&self, topic: &TopicName) -> Option<&Arc<Tenant>> {
        self.context.tenants.get(topic.tenant()?)
    }

    /// The name under which the log has the topic's message, if it has it.
    fn recorded(&self, topic: &TopicName) -> Option<MessageId> {
        self.messages.get(topic).filter(|message| message.durability.is_kept()).map(|it| it.id)
    }

    /// Keeps a message as the newest of its topic, whatever the limit says.
    pub(super) fn keep(&mut self, message: &Arc<Message>) {
        if let Some(expires) = message.expires {
            // A copy of its own: the deadline must not keep a message alive that was replaced.
            self.expiring.insert((expires, message.topic.detached()));
        }
        self.reckon(message, true);
        if let Some(old) = self.messages.insert(&message.topic, Arc::clone(message)) {
            self.part_from(&old, message.expires);
        }
    }

    fn delete(&mut self, topic: &TopicName) {
        if let Some(old) = self.messages.remove(topic) {
            self.part_from(&old, None);
        }
    }

    /// Forgets what was reckoned for a message that another or nothing replaces.
    fn part_from(&mut self, old: &Message, expires: Option<Instant>) {
        self.reckon(old, false);
        if let Some(at) = old.expires
            && expires != Some(at)
        {
            self.expiring.remove(&(at, old.topic.clone()));
        }
    }

    fn reckon(&mut self, message: &Message, comes: bool) {
        let own = is_own(&message.topic);
        let (bytes, own) = if own { (0, 1) } else { (message.size(), 0) };
        if own == 0
            && let Some(tenant) = self.tenant_of(&message.topic)
        {
            let counters = tenant.counters(self.shard);
            let bytes = message.shown_size() as u64;
            if comes {
                counters.retained.add(1);
                counters.retained_bytes.add(bytes);
            } else {
                counters.retained.sub(1);
                counters.retained_bytes.sub(bytes);
            }
        }
        if comes {
            self.bytes += bytes;
            self.own += own;
        } else {
            self.bytes -= bytes;
            self.own -= own;
        }
    }

    pub(super) fn get(&self, topic: &TopicName) -> Option<&Arc<Message>> {
        self.messages.get(topic)
    }

    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.expiring.first().map(|(at, _)| *at)
    }

    /// A topic whose message is gone, with the name under which the log has it, if it has it.
    fn expire(&mut self, now: Instant) -> Option<(TopicName, Option<MessageId>)> {
        while self.next_expiry().is_some_and(|at| at <= now) {
            let (_, topic) = self.expiring.pop_first()?;
            if self.messages.get(&topic).is_some_and(|message| message.is_expired(now)) {
                let recorded = self.recorded(&topic);
                self.delete(&topic);
                return Some((topic, recorded));
            }
        }
        None
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

    /// Some of the messages, of a bounded number that is looked at.
    pub(super) fn part(&mut self, from: RetainedFrom) -> RetainedPart {
        let mut cursor = match from {
            RetainedFrom::Behind(filter, Some(last)) => self.messages.cursor_behind(&filter, &last),
            RetainedFrom::Behind(filter, None) => self.messages.cursor(&filter),
            RetainedFrom::Cursor(cursor) => cursor,
        };
        let (mut budget, mut messages) = (LOOKED_AT_MAX, Vec::new());
        let has_more = self.messages.next(&mut cursor, &mut budget, &mut messages);
        RetainedPart { messages, next: has_more.then_some(cursor) }
    }

    /// So many levels below that topic, at most, from behind that one on.
    pub(super) fn levels(
        &self,
        parent: Option<&str>,
        last: Option<&str>,
        count: usize,
    ) -> Vec<TopicLevel> {
        let mut levels: Vec<TopicLevel> = Vec::new();
        let mut behind: Option<Box<str>> = last.map(Box::from);
        while levels.len() < count {
            let Some(level) = self.messages.level_behind(parent, behind.as_deref()) else { break };
            let (name, message): (Box<str>, _) = (level.name.into(), level.value.cloned());
            if parent.is_none() && name.starts_with(TENANTS) {
                // Those of tenants are seen by whoever names the tenant.
                behind = Some([TENANTS, "\u{7f}"].concat().into());
                continue;
            }
            behind = Some(name.clone());
            levels.push(TopicLevel { name, message, has_more: level.has_more });
        }
        levels
    }

    pub(super) fn next(
        &mut self,
        cursor: &mut RetainedCursor,
        budget: &mut usize,
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
        let old = self.retained.recorded(&message.topic);
        if message.payload.is_empty() {
            self.retained.delete(&message.topic);
            if old.is_some() {
                self.record_retained(message, old);
            }
        } else if message.is_expired(turn.now) {
            self.retained.delete(&message.topic);
            if let Some(old) = old {
                self.record_gone(&message.topic, old, message.id);
            }
        } else {
            match self.retained.limit(message) {
                None => {
                    self.retained.keep(message);
                    self.record_retained(message, old);
                }
                Some(limit) => {
                    self.drop_retained(message, limit);
                    // The one before would pass for the present state.
                    self.retained.delete(&message.topic);
                    if let Some(old) = old {
                        self.record_gone(&message.topic, old, message.id);
                    }
                }
            }
        }
        self.count_retained();
    }

    fn drop_retained(&self, message: &Message, limit: &str) {
        let (topic, tenant) = (message.topic.to_shown(), message.topic.tenant());
        tracing::warn!(%topic, tenant, "message not retained: there are {limit} already");
        self.counters().dropped_retained_limit.add(1);
        if let Some(tenant) = self.retained.tenant_of(&message.topic) {
            tenant.counters(self.id).dropped_retained_limit.add(1);
        }
    }

    pub(super) fn expire_retained(&mut self, turn: &Turn<'_>) {
        while let Some((topic, recorded)) = self.retained.expire(turn.now) {
            if let Some(recorded) = recorded {
                self.record_gone(&topic, recorded, recorded);
            }
            self.count_retained();
        }
    }

    pub(super) fn count_retained(&self) {
        let counters = self.counters();
        counters.retained.set((self.retained.messages.len() - self.retained.own) as u64);
        counters.retained_bytes.set(self.retained.bytes as u64);
    }
}
