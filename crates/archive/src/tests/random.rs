//! Stores with random histories.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use plexus_records::{Audience, Record};
use plexus_session::{Change, Entry, Extras, Held, Image, Sequence, WillImage};
use plexus_stdx::Seed;
use plexus_store::{
    Batch, ClockMap, Commit, Group, Identity, Log, LogOptions, testing::MemoryDisk,
};
use plexus_types::{
    ClientId, Durability, Instant, Message, MessageId, MessageProperties, PacketId,
    ProtocolVersion, Qos, Text, TopicFilter, TopicName,
};
use plexus_wire::{RetainHandling, SubscriptionOptions, property::MessagePropertiesBuilder};

use super::{exported, imported, kept, lasting};

/// Strange names on purpose: what JSON escapes, what is long in UTF-8, what is empty.
const NAMES: [&str; 6] =
    ["a", "sensor/1", "\"quoted\\\"", "snow \u{2603}\u{10FFFF}", "\u{1}\t", " "];

/// Writes histories as shards do.
struct Life {
    draw: Seed,
    log: Log<MemoryDisk>,
    batch: Batch,
    next_message: u64,
    /// The key and the queue of each client's session.
    sessions: BTreeMap<usize, (u64, Vec<Entry>, Sequence)>,
    next_key: u64,
    retained: BTreeMap<usize, MessageId>,
    open: Vec<(MessageId, Audience)>,
}

impl Life {
    fn new(seed: u64) -> (Self, MemoryDisk) {
        let disk = MemoryDisk::new(seed);
        let identity = Identity { store: 1 << 99, hash_seed: seed, created_millis: 1_000 };
        let mut options = LogOptions::new(identity, ClockMap::default());
        options.segment_bytes = 16 * 1024;
        let mut recovery = plexus_recovery::Recovery::new(Seed::new(seed));
        let mut log = Log::open(disk.clone(), options, &mut recovery).expect("an empty folder");
        log.set_references(std::iter::empty()).expect("nothing is referred to");
        let life = Self {
            draw: Seed::new(seed),
            log,
            batch: Batch::new(),
            next_message: 1,
            sessions: BTreeMap::new(),
            next_key: 1,
            retained: BTreeMap::new(),
            open: Vec::new(),
        };
        (life, disk)
    }

    fn live(&mut self, steps: usize) {
        for step in 0..steps {
            match self.draw.below(10) {
                0 => self.begin(),
                1..=4 => self.queue(),
                5 | 6 => self.go_on(),
                7 => self.change(),
                8 => self.retain(),
                _ => self.open_or_close(),
            }
            if self.draw.below(3) == 0 {
                self.batch.mode(Commit::Synced);
                let now = 2_000 + step as u64;
                self.log.commit(now, &[&self.batch]).expect("a whole disk");
                self.batch.clear();
            }
        }
        self.log.commit(7_000, &[&self.batch]).expect("a whole disk");
    }

    fn chance(&mut self) -> bool {
        self.draw.below(2) == 0
    }

    fn entry(&mut self, record: &Record) {
        // A session or an open message keeps to its slot, whichever it is.
        let group = match record {
            Record::Session(key, _) | Record::Listener(key, _) => *key % 64,
            Record::Open(id, _) | Record::Done(id, _) => id.get() % 64,
            _ => self.draw.below(64) as u64,
        };
        self.batch.entry(Group(group as u16), |into| record.encode(into));
    }

    fn message(&mut self) -> Arc<Message> {
        let id = MessageId::new(self.next_message);
        self.next_message += 1 + self.draw.below(3) as u64;
        let topic = self.draw.below(NAMES.len());
        Arc::new(Message {
            id,
            topic: TopicName::try_from(NAMES[topic]).expect("a topic"),
            payload: self.payload(),
            qos: Qos::new(self.draw.below(3) as u8).expect("a quality of service"),
            retain: self.chance(),
            properties: self.properties(),
            expires: self.chance().then(|| Instant::from_millis(5_000)),
            publisher: ClientId::try_from(NAMES[self.draw.below(6)]).expect("a client"),
            durability: Durability::Synced,
        })
    }

    fn payload(&mut self) -> Bytes {
        match self.draw.below(4) {
            0 => Bytes::from_static(b"21.5\n\"\\"),
            1 => Bytes::from_static(b"\xFF\0\x80"),
            2 => Bytes::from_static(b"\x1B[31m"),
            _ => Bytes::from(vec![b'x'; 1 + self.draw.below(600)]),
        }
    }

    fn properties(&mut self) -> MessageProperties {
        let text = Text::from_static("text/plain");
        let mut built = MessagePropertiesBuilder::new();
        if self.chance() {
            built = built.payload_format(self.chance()).content_type(text.clone());
        }
        if self.chance() {
            let topic = TopicName::try_from("reply").expect("a topic");
            let data = Bytes::from_static(b"\0\xFE");
            built = built.response_topic(topic).correlation_data(data).expect("short");
        }
        for _ in 0..self.draw.below(3) {
            built = built.user_property(&text, &text);
        }
        built.build()
    }

    fn will(&mut self) -> Option<Box<WillImage>> {
        let mut message = Message::clone(&self.message());
        (message.id, message.expires) = (MessageId::NONE, None);
        let lifetime = self.chance().then_some(60);
        self.chance().then(|| Box::new(WillImage { message, delay: 9, lifetime }))
    }

    fn held(&mut self, number: usize) -> Held {
        let share = if self.chance() { "$share/g/" } else { "" };
        let options = SubscriptionOptions {
            qos: Qos::new(self.draw.below(3) as u8).expect("a quality of service"),
            no_local: share.is_empty() && self.chance(),
            retain_as_published: self.chance(),
            retain_handling: if self.chance() {
                RetainHandling::IfNew
            } else {
                RetainHandling::Never
            },
        };
        let filter = format!("{share}f{number}/+/#");
        let filter = TopicFilter::try_from(filter.as_str()).expect("a filter");
        Held { filter, options, id: self.chance().then_some(268_435_455) }
    }

    fn begin(&mut self) {
        let client = self.draw.below(NAMES.len());
        if let Some((key, entries, _)) = self.sessions.remove(&client) {
            self.entry(&Record::Session(key, Change::Ended(Vec::new())));
            for entry in entries {
                self.release(entry.message);
            }
        }
        let key = self.next_key;
        self.next_key += 1;
        // Close to where numbers come round.
        let next = Sequence::new(if self.chance() { 65_535 * 65_536 - 3 } else { 0 });
        let client_id = ClientId::try_from(NAMES[client]).expect("a client");
        let mut will = self.will();
        if let Some(will) = &mut will {
            will.message.publisher = client_id.clone();
        }
        let image = Image {
            client_id,
            user_name: self.chance().then(|| "user \u{2603}".into()),
            version: if self.chance() { ProtocolVersion::V5 } else { ProtocolVersion::V311 },
            expiry: u32::MAX,
            away_since: self.chance().then(|| Instant::from_millis(1_500)),
            unsent: self.chance().then_some(next),
            next,
            will,
            subscriptions: (0..self.draw.below(4)).map(|number| self.held(number)).collect(),
            accepted: Vec::new(),
            entries: std::collections::VecDeque::new(),
        };
        self.entry(&Record::Listener(key, "tcp".into()));
        self.entry(&Record::Session(key, Change::Image(Box::new(image))));
        self.sessions.insert(client, (key, Vec::new(), next));
    }

    fn release(&mut self, id: MessageId) {
        if id != MessageId::NONE {
            self.batch.release(id);
        }
    }

    fn queue(&mut self) {
        let message = self.message();
        let clients: Vec<_> = self.sessions.keys().copied().collect();
        let is_open = self.draw.below(4) == 0;
        if is_open {
            self.batch.hold(&message);
            let audience = if self.chance() {
                Audience::Subscribers
            } else {
                Audience::Group("$share/g/a".into())
            };
            self.open.push((message.id, audience.clone()));
            self.entry(&Record::Open(message.id, audience));
        }
        for client in clients {
            if self.chance() {
                continue;
            }
            let qos = if self.chance() { Qos::AtLeastOnce } else { Qos::ExactlyOnce };
            let ids = (0..self.draw.below(3)).map(|id| id as u32 + 1);
            let group = self.chance().then(|| Arc::from("$share/g/a"));
            let extras = Extras::new(&ids.collect::<Vec<_>>(), group);
            let retain = self.chance();
            let Some((key, entries, next)) = self.sessions.get_mut(&client) else { continue };
            let entry = Entry {
                sequence: *next,
                message: message.id,
                size: message.size() as u32,
                qos,
                retain,
                released: false,
                since: 0,
                extras,
            };
            *next = next.next();
            entries.push(entry.clone());
            let record = Record::Session(*key, Change::Queued(entry, None));
            self.batch.hold(&message);
            self.entry(&record);
        }
    }

    /// An acknowledgement comes.
    fn go_on(&mut self) {
        let client = self.draw.below(NAMES.len());
        let drawn = self.draw.next_u64() as usize;
        let Some((key, entries, _)) = self.sessions.get_mut(&client) else { return };
        if entries.is_empty() {
            return;
        }
        let (key, at) = (*key, drawn % entries.len());
        let entry = entries[at].clone();
        if entry.qos == Qos::ExactlyOnce && entry.message != MessageId::NONE {
            entries[at].message = MessageId::NONE;
            self.entry(&Record::Session(key, Change::Received(entry.sequence, MessageId::NONE)));
        } else {
            entries.remove(at);
            self.entry(&Record::Session(key, Change::Completed(entry.sequence, MessageId::NONE)));
        }
        self.release(entry.message);
    }

    fn change(&mut self) {
        let client = self.draw.below(NAMES.len());
        let Some((key, ..)) = self.sessions.get(&client) else { return };
        let key = *key;
        let id = PacketId::new(1 + self.draw.below(9) as u16).expect("above zero");
        let change = match self.draw.below(7) {
            0 => Change::Away,
            1 => Change::Attached(700, ProtocolVersion::V5),
            2 => Change::Subscribed(self.held(7)),
            3 => Change::Unsubscribed(TopicFilter::try_from("f0/+/#").expect("a filter")),
            4 | 5 => Change::Accepted(id),
            _ => Change::Released(id),
        };
        self.entry(&Record::Session(key, change));
    }

    fn retain(&mut self) {
        let topic = self.draw.below(NAMES.len());
        let old = self.retained.remove(&topic);
        if self.chance() {
            let mut message = Message::clone(&self.message());
            message.topic = TopicName::try_from(NAMES[topic]).expect("a topic");
            let message = Arc::new(message);
            self.batch.hold(&message);
            self.retained.insert(topic, message.id);
            self.entry(&Record::Retained(message.id, NAMES[topic].into()));
        } else if old.is_some() || !self.open.is_empty() {
            self.entry(&Record::Deleted(None, NAMES[topic].into()));
        }
        if let Some(old) = old {
            self.release(old);
        }
    }

    fn open_or_close(&mut self) {
        if self.open.is_empty() || self.chance() {
            return;
        }
        let at = self.draw.below(self.open.len());
        let (id, audience) = self.open.remove(at);
        self.release(id);
        self.entry(&Record::Done(id, audience));
    }
}

#[test]
fn every_store_comes_back_from_its_export() {
    let mut seen = crate::Counts::default();
    let (mut superseded, mut had, mut served) = (0, 0, 0);
    for seed in 0..200 {
        let (mut life, disk) = Life::new(seed);
        life.live(60);
        let (text, counts) = exported(&disk);
        let (copy, imported) = imported(&text).unwrap_or_else(|error| panic!("{seed}: {error}"));
        assert_eq!((imported.counts, imported.unused), (counts, 0), "{seed}");
        let (again, _) = exported(&copy);
        assert_eq!(lasting(&text), lasting(&again), "{seed}");
        let (before, after) = (kept(&disk), kept(&copy));
        for (one, other) in before.sessions.iter().zip(&after.sessions) {
            let mut one = one.clone();
            // Of what is only released, the size means nothing.
            let released = one.image.entries.iter_mut().filter(|entry| entry.released);
            released.for_each(|entry| entry.size = 0);
            assert_eq!(&one, other, "{seed}");
        }
        assert_eq!(before.retained, after.retained, "{seed}");
        superseded += text.matches("\"superseded\":true").count();
        had += text.matches("\"seen\":").count();
        served += text.matches("\"served\":").count();
        seen.open += counts.open;
        seen.queued += counts.queued;
        seen.retained += counts.retained;
        seen.sessions += counts.sessions;
        seen.messages += counts.messages;
    }
    assert!(superseded > 20 && had > 20, "{superseded} superseded, {had} seen");
    assert!(served > 20, "{served} served");
    assert!(seen.open > 100 && seen.queued > 1_000 && seen.retained > 100, "{seen:?}");
    assert!(seen.sessions > 500 && seen.messages > 1_000, "{seen:?}");
}
