//! What a store keeps, apart from the bodies of messages, as plain data: taken from one log and
//! written into another, without a node.

use std::{collections::BTreeSet, sync::Arc};

use plexus_session::{Change, Entry, Extras, Image};
use plexus_stdx::Seed;
use plexus_store::{Batch, Group};
use plexus_types::{MessageId, Qos};

use crate::{Audience, Record, slot_of};

/// Everything.
#[derive(Debug, Default)]
pub struct Kept {
    /// The sessions, by client identifier.
    pub sessions: Vec<KeptSession>,
    /// The retained messages, by topic.
    pub retained: Vec<(Box<str>, MessageId)>,
    /// Publications that may not be with all who get them, by message.
    pub open: Vec<KeptOpen>,
}

/// A session.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptSession {
    /// The name of the listener that its client came in through.
    pub listener: Arc<str>,
    /// What it is.
    pub image: Box<Image>,
    /// Open publications that it has, or has had already.
    pub seen: BTreeSet<MessageId>,
}

/// A publication that a start routes anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptOpen {
    /// The message.
    pub message: MessageId,
    /// Who is to get it.
    pub audience: Audience,
    /// Retained topics that were written after it.
    pub written: BTreeSet<Box<str>>,
    /// Groups that have got it since, by their whole filters.
    pub served: BTreeSet<Arc<str>>,
}

/// Makes the records of a new store. What is open comes before the sessions that have it, and a
/// retained topic that was written after a publication behind that.
#[derive(Debug)]
pub struct Writer {
    seed: Seed,
    next_key: u64,
}

impl Writer {
    /// For a store whose names hash by this seed.
    pub const fn new(seed: Seed) -> Self {
        Self { seed, next_key: 1 }
    }

    /// The message is the retained one of its topic.
    pub fn retained(&self, batch: &mut Batch, topic: &str, message: MessageId) {
        self.put(batch, topic, &Record::Retained(message, topic.into()));
    }

    /// The topic has been written, and has no retained message now.
    pub fn deleted(&self, batch: &mut Batch, topic: &str) {
        self.put(batch, topic, &Record::Deleted(None, topic.into()));
    }

    /// The message is to be routed anew; any name that it goes by tells the slot.
    pub fn open(&self, batch: &mut Batch, name: &str, message: MessageId, audience: Audience) {
        self.put(batch, name, &Record::Open(message, audience));
    }

    /// A member of that group has the message, which was opened under that name.
    pub fn taken(&self, batch: &mut Batch, name: &str, message: MessageId, filter: Arc<str>) {
        self.put(batch, name, &Record::Taken(message, filter));
    }

    /// A session.
    pub fn session(&mut self, batch: &mut Batch, session: KeptSession) {
        let KeptSession { listener, image, seen } = session;
        let key = self.next_key;
        self.next_key += 1;
        let (client, place) = (image.client_id.clone(), image.next);
        self.put(batch, &client, &Record::Listener(key, listener.as_ref().into()));
        let image = Record::Session(key, Change::Image(image));
        self.put(batch, &client, &image);
        if seen.is_empty() {
            return;
        }
        // Whoever reads the log knows what a session has had by its queue. The image behind says
        // what is left of it.
        for message in seen {
            let entry = Entry {
                sequence: place,
                message,
                size: 0,
                since: 0,
                qos: Qos::AtLeastOnce,
                retain: true,
                released: false,
                extras: Extras::default(),
            };
            self.put(batch, &client, &Record::Session(key, Change::Queued(entry, None)));
        }
        self.put(batch, &client, &image);
    }

    fn put(&self, batch: &mut Batch, name: &str, record: &Record) {
        batch.entry(Group(slot_of(self.seed, name)), |into| record.encode(into));
    }
}
