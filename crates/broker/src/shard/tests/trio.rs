//! Three shards of a node, what they say to each other, and rows that are slow: publisher, subscriber and
//! retained message each live on their own.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use plexus_stdx::Seed;
use plexus_types::Qos;

use super::{Context, Lone};
use crate::{envelope::Envelope, options::NodeOptions};

const PUBLISHER: u16 = 0;
const SUBSCRIBER: u16 = 1;
const TOPIC: u16 = 2;

/// From where, to where, and whether it is the row of requests.
type Row = (u16, u16, bool);

pub(super) struct Trio {
    shards: Vec<Lone>,
    rows: BTreeMap<Row, VecDeque<Envelope>>,
    /// From it nothing comes.
    slow: Option<Row>,
}

impl Trio {
    fn new() -> Self {
        let options = NodeOptions { shards: 3, sys_interval: None, ..NodeOptions::default() };
        let context = Context::new(options, Seed::new(1));
        let shards = (0..3).map(|id| Lone::at(id, Arc::clone(&context))).collect();
        Self { shards, rows: BTreeMap::new(), slow: None }
    }

    pub(super) fn at(&mut self, shard: u16) -> &mut Lone {
        &mut self.shards[usize::from(shard)]
    }

    /// A name that lives on that shard.
    pub(super) fn name(&self, shard: u16, prefix: &str) -> String {
        let context = &self.shards[0].shard.context;
        let mut names = (0..).map(|number| format!("{prefix}{number}"));
        names.find(|name| context.shard_of(name) == shard).unwrap()
    }

    /// Everything that is said comes, but for the slow row, and what is due happens.
    fn run(&mut self) {
        for round in 0.. {
            for from in 0..3 {
                self.at(from).pass(Duration::ZERO);
                for (to, envelope) in std::mem::take(&mut self.at(from).desk.posted) {
                    let row = (from, to, envelope.is_request());
                    self.rows.entry(row).or_default().push_back(envelope);
                }
            }
            let slow = self.slow;
            let ready = self.rows.iter_mut().filter(|(row, _)| Some(**row) != slow);
            let taken: Vec<_> = ready.map(|(row, queue)| (*row, std::mem::take(queue))).collect();
            let mut any = false;
            for ((from, to, _), queue) in taken {
                for envelope in queue {
                    any = true;
                    self.at(to).act(|shard, turn| shard.handle_envelope(turn, from, envelope));
                }
            }
            let due = |lone: &Lone| lone.shard.poll_timeout().is_some_and(|due| due <= lone.now);
            let is_due = self.shards.iter().any(due);
            if !any && !is_due && self.shards.iter().all(|lone| lone.desk.posted.is_empty()) {
                return;
            }
            assert!(round < 1_000, "it never comes to rest");
        }
    }

    fn retain(&mut self, topic: &str, payload: &'static str) {
        self.at(PUBLISHER).publish(0, topic, Qos::AtLeastOnce, payload);
        self.run();
    }

    pub(super) fn subscribe(&mut self, conn: u32, topic: &str) {
        self.at(SUBSCRIBER).subscribe(conn, topic);
        self.run();
    }

    /// What the subscribers got, now that everything comes.
    pub(super) fn got(&mut self) -> Vec<String> {
        self.slow = None;
        self.run();
        let got = std::mem::take(&mut self.at(SUBSCRIBER).desk.delivered);
        let walks: usize = self.shards.iter().map(|lone| lone.shard.census().walks).sum();
        assert_eq!(walks, 0);
        got.iter().map(|it| String::from_utf8(it.message.payload.to_vec()).unwrap()).collect()
    }

    /// A publisher, two subscribers, and a topic, with a retained message on it.
    pub(super) fn with_retained() -> (Self, String) {
        let mut node = Self::new();
        let (publisher, topic) = (node.name(PUBLISHER, "p"), node.name(TOPIC, "r/"));
        node.at(PUBLISHER).connect(0, &publisher, 0);
        for (conn, prefix) in [(0, "s"), (1, "t")] {
            let subscriber = node.name(SUBSCRIBER, prefix);
            node.at(SUBSCRIBER).connect(conn, &subscriber, 0);
        }
        node.retain(&topic, "old");
        (node, topic)
    }
}

/// Published and acknowledged before; the shard knows of the topic by another of its clients, or not.
#[test]
fn a_new_subscriber_gets_what_was_retained_before() {
    for known in [false, true] {
        let (mut node, topic) = Trio::with_retained();
        if known {
            node.subscribe(1, &topic);
            assert_eq!(node.got(), ["old"]);
        }
        node.slow = Some((PUBLISHER, TOPIC, true));
        node.retain(&topic, "new");
        node.at(SUBSCRIBER).desk.delivered.clear();
        node.subscribe(0, &topic);
        assert_eq!(node.got(), ["new"], "{known}");
    }
}

#[test]
fn who_subscribes_again_is_not_led_back() {
    let (mut node, topic) = Trio::with_retained();
    node.subscribe(0, &topic);
    node.slow = Some((PUBLISHER, TOPIC, true));
    node.retain(&topic, "new");
    node.subscribe(0, &topic);
    assert_eq!(node.got(), ["old", "new", "new"]);
}
