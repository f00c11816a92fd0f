//! The `$SYS` tree: what the node says of itself, as retained messages. Shard 0 publishes it.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use plexus_types::{
    ClientId, Durability, Instant, Message, MessageId, MessageProperties, Qos, TopicName,
};

use crate::{ports::Turn, shard::Shard};

/// When `$SYS` is due.
#[derive(Debug)]
pub(crate) struct Sys {
    every: Duration,
    due: Instant,
    started: Instant,
    /// The alarms that are shown, and of which version they are.
    shown: Vec<&'static str>,
    version: u64,
}

impl Sys {
    pub(crate) fn new(now: Instant, every: Duration) -> Self {
        Self { every, due: now, started: now, shown: Vec::new(), version: 0 }
    }

    /// When there is something to publish, given the version of the alarms.
    pub(crate) fn due(&self, alarms: u64) -> Instant {
        if alarms == self.version { self.due } else { Instant::ZERO }
    }
}

impl Shard {
    /// Publishes the tree when it is due, and alarms at once.
    pub(crate) fn publish_sys(&mut self, turn: &mut Turn<'_>) {
        self.publish_alarms(turn);
        let Some(sys) = self.sys.as_mut().filter(|sys| sys.due <= turn.now) else { return };
        sys.due = turn.now + sys.every;
        let uptime = turn.now.saturating_since(sys.started).as_secs();
        for (levels, value) in self.sys_values(uptime) {
            self.publish_value(turn, &levels, value);
        }
        self.publish_tenants(turn);
    }

    /// Tells each tenant what is counted of it, where its own clients find it.
    fn publish_tenants(&mut self, turn: &mut Turn<'_>) {
        let context = Arc::clone(&self.context);
        for tenant in context.tenants.iter() {
            for (levels, total) in tenant.totals() {
                let Some(topic) = self.sys_topic(levels) else { continue };
                self.publish_at(turn, tenant.name().topic(&topic), total.to_string());
            }
        }
    }

    fn sys_topic(&self, levels: &str) -> Option<TopicName> {
        let topic = format!("$SYS/brokers/{}/{levels}", self.context.options.name);
        TopicName::try_from(topic.as_str()).ok()
    }

    /// Shows the alarms that stand. One that has ended is taken back by an empty message.
    fn publish_alarms(&mut self, turn: &mut Turn<'_>) {
        let version = self.context.alarms.version();
        let Some(sys) = self.sys.as_mut().filter(|sys| sys.version != version) else { return };
        let standing = self.context.alarms.all();
        let before = std::mem::replace(&mut sys.shown, standing.keys().copied().collect());
        sys.version = version;
        for name in before.into_iter().filter(|name| !standing.contains_key(name)) {
            self.publish_value(turn, &format!("alarms/{name}"), String::new());
        }
        for (name, alarm) in standing {
            self.publish_value(turn, &format!("alarms/{name}"), alarm.line());
        }
    }

    fn publish_value(&mut self, turn: &mut Turn<'_>, levels: &str, value: String) {
        if let Some(topic) = self.sys_topic(levels) {
            self.publish_at(turn, topic, value);
        }
    }

    fn publish_at(&mut self, turn: &mut Turn<'_>, topic: TopicName, value: String) {
        let publisher = ClientId::try_from("").expect("invariant: the empty text is valid");
        let message = Message {
            id: MessageId::NONE,
            topic,
            payload: Bytes::from(value),
            qos: Qos::AtMostOnce,
            retain: true,
            properties: MessageProperties::default(),
            expires: None,
            durability: Durability::default(),
            publisher,
        };
        self.publish_own(turn, message);
    }

    fn sys_values(&self, uptime: u64) -> BTreeMap<String, String> {
        let mut values = self.context.told.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut add = |name: &str, value: &dyn ToString| {
            values.insert(name.to_owned(), value.to_string());
        };
        add("version", &env!("CARGO_PKG_VERSION"));
        add("sysdescr", &"Plexus");
        add("uptime", &uptime);
        add("memory/resident", &self.context.memory.resident.read());
        add("memory/heap", &self.context.memory.heap.read());
        if self.context.options.log.is_some() {
            let (bytes, living) = self.context.log.bytes();
            add("store/bytes", &bytes);
            add("store/living_bytes", &living);
            add("store/full", &u8::from(self.context.log.is_full()));
            add("store/failing", &u8::from(self.context.log.is_failing()));
        }
        for (fence, count) in self.context.fences.counts() {
            add(&format!("metrics/connections/refused/{fence}"), &count);
        }
        let mut totals = BTreeMap::<&str, u64>::new();
        for (shard, counters) in self.context.counters.iter().enumerate() {
            for (levels, value) in counters.read() {
                *totals.entry(levels).or_default() += value;
            }
            add(&format!("shards/{shard}/connections"), &counters.clients_connected.read());
            add(&format!("shards/{shard}/busy_micros"), &counters.busy_micros.read());
        }
        for (name, total) in totals {
            add(name, &total);
        }
        values
    }
}
