//! Writing anew what began in segments that are to go: a few clients and topics at a time.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
};

use plexus_session::{Change, LogPosition};
use plexus_store::{Group, SegmentNumber};
use plexus_types::{Message, MessageId, TopicName};

use super::{Shard, reads::GroupReads};
use plexus_records::{Record, SLOTS};

/// Clients or topics that are looked at in a turn.
const STEP: usize = 256;

/// What the shards know of the log, without asking it.
#[derive(Debug, Default)]
pub struct LogState {
    failing: AtomicBool,
    full: AtomicBool,
    pressed: AtomicBool,
    segment: AtomicU64,
    bytes: AtomicU64,
    living_bytes: AtomicU64,
}

impl LogState {
    /// Whether the log cannot be written now.
    pub fn is_failing(&self) -> bool {
        self.failing.load(SeqCst)
    }

    /// Whether it has no room for more.
    pub fn is_full(&self) -> bool {
        self.full.load(SeqCst)
    }

    /// Whether nothing more may be kept: it is full, or cannot be written at all.
    pub fn takes_nothing_new(&self) -> bool {
        self.is_full() || self.is_failing()
    }

    /// Says whether it was full before.
    pub fn set_full(&self, full: bool) -> bool {
        self.full.swap(full, SeqCst)
    }

    /// Says whether it was failing before.
    pub fn set_failing(&self, failing: bool) -> bool {
        self.failing.swap(failing, SeqCst)
    }

    /// Whether nothing may be written anew, because what room is left is for acknowledgements.
    pub fn is_pressed(&self) -> bool {
        self.pressed.load(SeqCst)
    }

    /// Says whether it was so before.
    pub fn set_pressed(&self, pressed: bool) -> bool {
        self.pressed.swap(pressed, SeqCst)
    }

    /// The segment that is being written, or one before.
    pub fn segment(&self) -> SegmentNumber {
        SegmentNumber::new(self.segment.load(SeqCst))
    }

    /// What its files take, and what of that still means something, both in bytes.
    pub fn bytes(&self) -> (u64, u64) {
        (self.bytes.load(SeqCst), self.living_bytes.load(SeqCst))
    }

    /// What its files take, and what of that still means something.
    pub fn note_bytes(&self, bytes: u64, living: u64) {
        self.bytes.store(bytes, SeqCst);
        self.living_bytes.store(living, SeqCst);
    }

    /// A commit went to that segment.
    pub fn note_segment(&self, segment: SegmentNumber) {
        self.segment.store(segment.get(), SeqCst);
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Clients(usize),
    Topics,
    /// What was open when the rest was done has to be closed first.
    /// And what is read for groups has to be given to them.
    Open(LogPosition, u64),
}

/// How far a shard has come.
#[derive(Debug, Default)]
pub(in crate::shard) struct Refresh {
    running: Option<(SegmentNumber, Step)>,
    /// The records of retained topics, by segment.
    topics: BTreeMap<SegmentNumber, Vec<(TopicName, MessageId)>>,
    /// Those of them that are to be written anew now. Apart, because what has been written anew may stand
    /// among the others again: as long as a log fails nobody hears where it is by now.
    begun: Vec<Vec<(TopicName, MessageId)>>,
}

impl Refresh {
    pub(super) fn note_topic(&mut self, segment: SegmentNumber, message: &Message) {
        let topics = self.topics.entry(segment).or_default();
        topics.push((message.topic.detached(), message.id));
    }

    /// Whether there is something to do now, with the log kept up to there.
    pub(super) fn is_busy(&self, kept: LogPosition, reads: &GroupReads) -> bool {
        match self.running {
            Some((_, Step::Clients(_) | Step::Topics)) => true,
            Some((_, Step::Open(position, read))) => position <= kept && reads.have_ended(read),
            None => false,
        }
    }

    fn begin_topics(&mut self, upto: SegmentNumber) {
        while let Some(oldest) = self.topics.first_entry().filter(|entry| *entry.key() <= upto) {
            self.begun.push(oldest.remove());
        }
    }

    fn take_topics(&mut self) -> Vec<(TopicName, MessageId)> {
        let Some(last) = self.begun.last_mut() else { return Vec::new() };
        let rest = last.len().saturating_sub(STEP);
        let taken = last.split_off(rest);
        if last.is_empty() {
            self.begun.pop();
        }
        taken
    }
}

impl Shard {
    /// The log wants to let segments go: everything of this shard that begins in them is written
    /// anew, and then the log is told.
    pub fn handle_refresh(&mut self, upto: SegmentNumber) {
        let upto = self.log.refresh.running.map_or(upto, |(running, _)| running.max(upto));
        self.log.refresh.running = Some((upto, Step::Clients(0)));
    }

    pub(in crate::shard) fn refresh_some(&mut self) {
        let Some((upto, step)) = self.log.refresh.running else { return };
        if self.context.log.is_pressed() {
            return;
        }
        let next = match step {
            Step::Clients(at) => Some(self.refresh_clients(upto, at)),
            Step::Topics => Some(self.refresh_topics()),
            Step::Open(..) if self.log.is_refreshing() => None,
            Step::Open(..) => Some(step),
        };
        self.log.refresh.running = next.map(|next| (upto, next));
        if next.is_none() {
            for slot in (0..SLOTS).filter(|slot| self.context.shard_of_slot(*slot) == self.id) {
                self.log.batch.refreshed(Group(slot), upto);
            }
        }
    }

    fn refresh_clients(&mut self, upto: SegmentNumber, from: usize) -> Step {
        let bound = self.clients.bound() as usize;
        let to = (from + STEP).min(bound);
        for at in from..to {
            if self.is_turn_long() {
                return Step::Clients(at);
            }
            let slot = at as u32;
            let Some(client) = self.clients.get(slot) else { continue };
            if client.key != 0 && client.anchor <= upto && !client.session.is_over() {
                let image = Change::Image(Box::new(client.session.image()));
                self.outbox.append();
                self.record(slot, &image);
            }
        }
        if to < bound {
            return Step::Clients(to);
        }
        self.log.refresh.begin_topics(upto);
        Step::Topics
    }

    fn refresh_topics(&mut self) -> Step {
        let topics = self.log.refresh.take_topics();
        if topics.is_empty() {
            return Step::Open(self.outbox.append(), self.log.reads.begun());
        }
        let segment = self.context.log.segment();
        for (topic, id) in topics {
            let Some(message) = self.retained.get(&topic).filter(|message| message.id == id) else {
                continue;
            };
            let message = Arc::clone(message);
            let group = Group(self.context.slot_of(&topic));
            self.log.refresh.note_topic(segment, &message);
            self.log.batch.entry(group, |into| {
                Record::StillRetained(id, topic.as_str().into()).encode(into);
            });
        }
        Step::Topics
    }
}
