//! From the records of the log to what each shard starts with.

mod crew;
mod drafts;
mod progress;

use std::{collections::BTreeMap, sync::Arc};

use plexus_session::Change;
use plexus_stdx::{HashMap, Seed};
use plexus_store::{Group, Replay, SegmentNumber};
use plexus_types::{Instant, Message, MessageId};
use smallvec::SmallVec;

pub(crate) use self::crew::Crew;
use self::drafts::Drafts;
pub use self::progress::Progress;
use crate::{
    ports::Door,
    record::Record,
    shard::{Context, OpenMessage, Opened, Restored, RestoredRetained},
};

/// A message that is open.
#[derive(Debug, Default)]
struct Open {
    /// For whom, perhaps for the same audience twice, and how many entries had been read then.
    opened: SmallVec<[(Opened, u64); 1]>,
    /// The sessions that have been given it since.
    receivers: SmallVec<[(Group, u64); 1]>,
}

#[derive(Debug)]
struct Retained {
    message: MessageId,
    segment: SegmentNumber,
}

/// Everything that the log says, as it is being read.
#[derive(Debug)]
pub struct Recovery {
    drafts: Drafts,
    retained: BTreeMap<Box<str>, Retained>,
    open: HashMap<MessageId, Open>,
    /// Retained topics that were written while a message was open, and how many entries had been
    /// read at the last time.
    written: BTreeMap<Box<str>, u64>,
    segment: SegmentNumber,
    entries: u64,
    newest_millis: u64,
    progress: Option<Progress>,
    /// The bug that is planted.
    #[cfg(feature = "canary")]
    pub canary: crate::shard::Canary,
}

impl Replay for Recovery {
    fn segment(&mut self, segment: SegmentNumber) {
        self.segment = segment;
    }

    fn entry(
        &mut self,
        group: Group,
        _index: u64,
        at_millis: u64,
        payload: &[u8],
    ) -> Result<(), String> {
        self.newest_millis = self.newest_millis.max(at_millis);
        self.entries += 1;
        match Record::decode(payload).map_err(|error| error.to_string())? {
            Record::Session(key, change) => self.change(group, key, change, at_millis),
            Record::Listener(key, listener) => {
                self.drafts.came_through(group, key, &listener, self.segment);
            }
            Record::Retained(message, topic) => {
                self.note_written(&topic);
                self.retained.insert(topic, Retained { message, segment: self.segment });
            }
            Record::Deleted(topic) => {
                self.note_written(&topic);
                self.retained.remove(&topic);
            }
            Record::Open(id, audience) => {
                let opened = (Opened { group, audience }, self.entries);
                self.open.entry(id).or_default().opened.push(opened);
            }
            Record::Done(id, audience) => self.done(id, &Opened { group, audience }),
        }
        Ok(())
    }

    fn restart(&mut self) {
        let progress = self.progress.take();
        #[cfg(feature = "canary")]
        let canary = self.canary;
        *self = Self::new(self.drafts.seed());
        self.progress = progress;
        #[cfg(feature = "canary")]
        {
            self.canary = canary;
        }
    }

    fn progress(&mut self, done: u64, total: u64) {
        if let Some(progress) = &mut self.progress {
            progress.note(done, total);
        }
    }
}

impl Recovery {
    /// Nothing has been read yet.
    pub fn new(seed: Seed) -> Self {
        Self {
            drafts: Drafts::new(seed),
            retained: BTreeMap::new(),
            open: seed.map(),
            written: BTreeMap::new(),
            segment: SegmentNumber::ZERO,
            entries: 0,
            newest_millis: 0,
            progress: None,
            #[cfg(feature = "canary")]
            canary: crate::shard::Canary::Silent,
        }
    }

    /// Has it tell how far it has come.
    #[must_use]
    pub fn with_progress(self, progress: Progress) -> Self {
        Self { progress: Some(progress), ..self }
    }

    fn change(&mut self, group: Group, key: u64, change: Change, at_millis: u64) {
        #[cfg(feature = "canary")]
        if self.canary.skips(&change) {
            return;
        }
        if let Change::Queued(entry, _) = &change {
            self.note_given(group, key, entry.message);
        }
        self.drafts.change(group, key, change, (Instant::from_millis(at_millis), self.segment));
    }

    /// The message waits for that session.
    fn note_given(&mut self, group: Group, key: u64, message: MessageId) {
        if self.open.is_empty() {
            return;
        }
        if let Some(open) = self.open.get_mut(&message) {
            open.receivers.push((group, key));
        }
    }

    fn done(&mut self, id: MessageId, done: &Opened) {
        let Some(open) = self.open.get_mut(&id) else { return };
        if let Some(at) = open.opened.iter().position(|(opened, _)| opened == done) {
            open.opened.remove(at);
        }
        if open.opened.is_empty() {
            self.open.remove(&id);
        }
        if self.open.is_empty() {
            self.written.clear();
        }
    }

    /// A topic has been written: an older message that is still open is not to be retained again.
    fn note_written(&mut self, topic: &str) {
        if self.open.is_empty() {
            return;
        }
        if let Some(at) = self.written.get_mut(topic) {
            *at = self.entries;
        } else {
            self.written.insert(topic.into(), self.entries);
        }
    }

    /// Adds what another has been told of sessions of other groups.
    fn merge(&mut self, other: Self) {
        assert!(other.open.is_empty() && other.retained.is_empty(), "invariant: of sessions alone");
        self.drafts.merge(other.drafts);
        self.newest_millis = self.newest_millis.max(other.newest_millis);
    }

    /// All bodies that are referred to, as often as they are.
    pub fn references(&self) -> impl Iterator<Item = MessageId> {
        let waiting = self.drafts.messages().filter(|id| *id != MessageId::NONE);
        waiting
            .chain(self.retained.values().map(|retained| retained.message))
            .chain(self.open.iter().flat_map(|(id, open)| open.opened.iter().map(|_| *id)))
    }

    /// How many sessions and retained messages there are.
    pub fn counts(&self) -> (usize, usize) {
        (self.drafts.len(), self.retained.len())
    }

    /// The newest time that a record tells.
    pub fn newest_millis(&self) -> u64 {
        self.newest_millis
    }

    /// Deals everything out to the shards. `read` brings a message, `door` the listener of a name.
    pub fn deal<E>(
        mut self,
        context: &Context,
        next_message: MessageId,
        door: impl Fn(&str) -> Arc<Door>,
        read: impl Fn(MessageId) -> Result<Arc<Message>, E>,
    ) -> Result<Vec<Restored>, E> {
        let mut open: Vec<_> = self.open.into_iter().collect();
        open.sort_unstable_by_key(|(id, _)| *id);
        for (id, open) in &open {
            self.drafts.note_seen(*id, &open.receivers);
        }
        let (next_key, next_message) = (self.drafts.next_key(), next_message.get());
        let doors = self.drafts.doors(door);
        let empty = || Restored {
            next_key,
            next_message,
            doors: Arc::clone(&doors),
            ..Restored::default()
        };
        let mut dealt: Vec<_> = (0..context.options.shards).map(|_| empty()).collect();
        let mut hand = |group: u16, give: &mut dyn FnMut(&mut Restored)| {
            if let Some(restored) = dealt.get_mut(usize::from(context.shard_of_slot(group))) {
                give(restored);
            }
        };
        for (group, mut drafts) in self.drafts.into_groups() {
            hand(group, &mut |restored| restored.sessions.push(std::mem::take(&mut drafts)));
        }
        for (topic, Retained { message, segment: anchor }) in self.retained {
            let message = read(message)?;
            hand(context.slot_of(&topic), &mut |restored| {
                let message = Arc::clone(&message);
                restored.retained.push(RestoredRetained { message, anchor });
            });
        }
        for (id, open) in open {
            let message = read(id)?;
            let written = self.written.get(message.topic.as_str());
            for (opened, at) in open.opened {
                let superseded = written.is_some_and(|written| *written > at);
                let group = opened.group.0;
                let open = OpenMessage { message: Arc::clone(&message), opened, superseded };
                hand(group, &mut |restored| restored.open.push(open.clone()));
            }
        }
        Ok(dealt)
    }
}

#[cfg(test)]
mod tests;
