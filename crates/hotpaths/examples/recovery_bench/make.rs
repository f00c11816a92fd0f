//! Writes a store as a node would have left it: the same records through the same log.

use std::{
    path::Path,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use plexus_broker::{NodeOptions, shard::Context};
use plexus_records::{Audience, Record, SLOTS};
use plexus_session::{Change, Entry, Extras, Held, Image, Sequence};
use plexus_stdx::Seed;
use plexus_store::{Batch, ClockMap, Commit, FileDisk, Group, Identity, Log, LogOptions, Replay};
use plexus_types::{Message, MessageId, ProtocolVersion};
use plexus_wire::SubscriptionOptions;

use crate::{
    Outcome,
    shape::{PUBLISHER, Shape},
};

/// Records of one commit.
const BATCH: u64 = 4_096;
const EXPIRY_SECS: u32 = 30 * 24 * 60 * 60;
const HASH_SEED: u64 = 11;
/// The name of the listener that `plexus serve --listen tcp://…` opens.
const LISTENER: &str = "tcp";

struct Nothing;

impl Replay for Nothing {
    fn restart(&mut self) {}

    fn entry(&mut self, _: Group, _: u64, _: u64, _: &[u8]) -> Result<(), String> {
        Ok(())
    }
}

/// Fills the folder of a log; returns the bytes that it takes.
pub(crate) fn make(folder: &Path, shape: Shape, segment_bytes: u64) -> Outcome<u64> {
    let now = now_millis();
    let identity = Identity { store: 7, hash_seed: HASH_SEED, created_millis: now };
    let options = LogOptions { segment_bytes, ..LogOptions::new(identity, ClockMap::default()) };
    let log = Log::open(FileDisk::open(folder)?, options, &mut Nothing)?;
    let context = Context::new(NodeOptions::default(), Seed::new(HASH_SEED));
    let mut writer = Writer { log, context, batch: Batch::new(), now, open: Vec::new() };
    writer.log.set_references(std::iter::empty())?;
    for session in 0..shape.sessions {
        writer.session(session);
        writer.commit_after(session)?;
    }
    for message in 0..shape.messages.div_ceil(shape.fan_out) {
        writer.publish(shape, message);
        writer.commit_after(message)?;
    }
    writer.commit()?;
    writer.batch.mode(Commit::Synced);
    writer.commit()?;
    Ok(writer.log.stat().segment_bytes)
}

struct Writer {
    log: Log<FileDisk>,
    context: Arc<Context>,
    batch: Batch,
    now: u64,
    /// Messages that had to go to another shard: done with when the next batch is kept.
    open: Vec<MessageId>,
}

impl Writer {
    /// A client has connected, subscribed and left.
    fn session(&mut self, session: u64) {
        let client_id = Shape::client(session);
        let group = self.group(&client_id);
        let image = Image {
            client_id,
            user_name: None,
            version: ProtocolVersion::V5,
            expiry: EXPIRY_SECS,
            away_since: None,
            unsent: None,
            next: Sequence::default(),
            will: None,
            subscriptions: Vec::new(),
            accepted: Vec::new(),
            entries: [].into(),
        };
        let listener = Record::Listener(session + 1, LISTENER.into());
        self.batch.entry(group, |into| listener.encode(into));
        self.change(group, session, &Change::Image(Box::new(image)));
        for filter in Shape::filters(session) {
            let options = SubscriptionOptions { qos: Shape::qos(7), ..Default::default() };
            self.change(group, session, &Change::Subscribed(Held { filter, options, id: None }));
        }
        self.change(group, session, &Change::Away);
    }

    /// A message comes and waits. Half of those for one session, and all for more, go to another
    /// shard than the one that they came to.
    fn publish(&mut self, shape: Shape, number: u64) {
        let message = Arc::new(shape.message(number));
        let first = number * shape.fan_out;
        let receivers = first..(first + shape.fan_out).min(shape.messages);
        if number.is_multiple_of(2) || shape.fan_out > 1 {
            let group = self.group(&message.publisher);
            self.batch.hold(&message);
            let open = Record::Open(message.id, Audience::Subscribers);
            self.batch.entry(group, |into| open.encode(into));
            self.open.push(message.id);
        }
        for reference in receivers {
            self.queue(shape.owner(reference), &message);
        }
    }

    fn queue(&mut self, (session, place): (u64, u64), message: &Arc<Message>) {
        let entry = Entry {
            sequence: Sequence::new(place as u32),
            message: message.id,
            size: message.size() as u32,
            since: 0,
            qos: message.qos,
            retain: false,
            released: false,
            extras: Extras::default(),
        };
        self.batch.hold(message);
        let group = self.group(&Shape::client(session));
        self.change(group, session, &Change::Queued(entry, None));
    }

    fn change(&mut self, group: Group, session: u64, change: &Change) {
        self.batch.entry(group, |into| Record::session(session + 1, change, into));
    }

    fn group(&self, client: &str) -> Group {
        let slot = self.context.slot_of(client);
        assert!(slot < SLOTS, "a client has a slot");
        Group(slot)
    }

    fn commit_after(&mut self, record: u64) -> Outcome<()> {
        if (record + 1).is_multiple_of(BATCH) { self.commit() } else { Ok(()) }
    }

    fn commit(&mut self) -> Outcome<()> {
        self.log.commit(self.now, &[&self.batch])?;
        self.batch.clear();
        let group = self.group(PUBLISHER);
        for id in self.open.drain(..) {
            self.batch.release(id);
            self.batch.entry(group, |into| Record::Done(id, Audience::Subscribers).encode(into));
        }
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
fn now_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as u64
}
