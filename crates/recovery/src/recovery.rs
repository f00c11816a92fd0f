//! From the records of the log to what each shard starts with.

use std::{collections::BTreeMap, sync::Arc};

use plexus_records::{
    Audience, Lot, Places, Progress, Record, Seen,
    kept::{Kept, KeptOpen, KeptSession, Writer},
};
use plexus_session::{Change, Given};
use plexus_stdx::{HashMap, Seed};
use plexus_store::{Batch, Commit, Group, Replay, SegmentNumber};
use plexus_types::{Instant, Message, MessageId};
use smallvec::SmallVec;

use plexus_porch::Door;

use crate::{OpenMessage, Opened, Restored, RestoredRetained, RestoredSession, drafts::Drafts};

/// Records of what is lost that make a batch.
const FORGOTTEN_BYTES: usize = 16 << 20;

#[derive(Debug)]
struct Open {
    group: Group,
    audience: Audience,
    /// How many entries had been read.
    at: u64,
    /// As [`Recovery::start`] was then.
    start: Option<(u64, u64)>,
}

/// The last time that a retained topic was written.
#[derive(Debug, Clone, Copy)]
struct Written {
    /// How many entries had been read.
    at: u64,
    /// The message that did it, if the log says.
    by: Option<MessageId>,
}

impl Written {
    /// Whether an open message of the topic is not to be retained again. What one shard names comes to
    /// the topic's in its order: if that was an older one, the message has not come there.
    fn supersedes(self, id: MessageId, open: &Open) -> bool {
        let is_older = |by: MessageId, (first, shards): (u64, u64)| {
            (first..id.get()).contains(&by.get())
                && (id.get() - by.get()).is_multiple_of(shards.max(1))
        };
        let is_late = self.by.zip(open.start).is_some_and(|(by, start)| is_older(by, start));
        self.at > open.at && !is_late
    }
}

#[derive(Debug)]
struct Taken {
    /// The whole filter of the group.
    by: Arc<str>,
    /// How many entries had been read at the last time.
    at: u64,
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
    /// A message may be open for several audiences at once, even for the same one twice.
    open: HashMap<MessageId, SmallVec<[Open; 1]>>,
    /// What sessions have been given while anything was open.
    given: HashMap<(Group, u64), Seen>,
    /// Groups of which a member has been given an open message.
    taken: HashMap<MessageId, SmallVec<[Taken; 1]>>,
    /// The first name that the newest start of the node gave, and its number of shards.
    start: Option<(u64, u64)>,
    /// Retained topics that were written while a message was open.
    written: BTreeMap<Box<str>, Written>,
    segment: SegmentNumber,
    entries: u64,
    newest_millis: u64,
    progress: Option<Progress>,
    /// The bug that is planted.
    #[cfg(feature = "canary")]
    pub canary: crate::Canary,
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
                self.note_written(&topic, Some(message));
                self.retained.insert(topic, Retained { message, segment: self.segment });
            }
            Record::StillRetained(message, topic) => {
                self.retained.insert(topic, Retained { message, segment: self.segment });
            }
            Record::Deleted(by, topic) => {
                self.note_written(&topic, by);
                self.retained.remove(&topic);
            }
            Record::Open(id, audience) => {
                let open = Open { group, audience, at: self.entries, start: self.start };
                self.open.entry(id).or_default().push(open);
            }
            Record::Done(id, audience) => self.done(group, id, &audience),
            Record::Taken(id, filter) => self.note_taken(id, &filter),
            Record::Started(first, shards) => {
                self.start = Some((first.get(), u64::from(shards)));
            }
            Record::AllAway => self.drafts.all_away(group, Instant::from_millis(at_millis)),
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
            given: seed.map(),
            taken: seed.map(),
            start: None,
            written: BTreeMap::new(),
            segment: SegmentNumber::ZERO,
            entries: 0,
            newest_millis: 0,
            progress: None,
            #[cfg(feature = "canary")]
            canary: crate::Canary::Silent,
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
            let by = entry.extras.shared().map(AsRef::as_ref);
            let given = Given { message: entry.message, retain: entry.retain, group: by };
            self.note_given(group, key, given);
        }
        self.drafts.change(group, key, change, (Instant::from_millis(at_millis), self.segment));
    }

    /// The message waits for that session.
    pub(crate) fn note_given(&mut self, group: Group, key: u64, given: Given<'_>) {
        let Given { message: id, retain, group: by } = given;
        if self.open.is_empty() {
            return;
        }
        if let Some(filter) = by {
            self.note_taken(id, filter);
            return;
        }
        // What was open at a start is routed by other shards than named it, in an order of theirs.
        let start = self.start.filter(|(first, _)| *first <= id.get());
        if let Some((first, shards)) = start.filter(|_| !retain) {
            let lots = &mut self.given.entry((group, key)).or_default().lots;
            let newest = id.get();
            let same =
                |lot: &&mut Lot| lot.first == first && lot.newest % shards == newest % shards;
            match lots.iter_mut().find(same) {
                Some(lot) => lot.newest = newest.max(lot.newest),
                None => lots.push(Lot { first, shards, newest }),
            }
        } else if self.open.contains_key(&id) {
            self.given.entry((group, key)).or_default().given.push(id);
        }
    }

    /// A member of the group has the message.
    fn note_taken(&mut self, id: MessageId, filter: &str) {
        if !self.open.contains_key(&id) {
            return;
        }
        let taken = self.taken.entry(id).or_default();
        match taken.iter_mut().find(|taken| *taken.by == *filter) {
            Some(taken) => taken.at = self.entries,
            None => taken.push(Taken { by: filter.into(), at: self.entries }),
        }
    }

    /// The groups that have the message since it was opened so: a member that gave it back has opened
    /// it anew.
    fn served(&self, id: MessageId, open: &Open) -> impl Iterator<Item = &Arc<str>> {
        let taken = self.taken.get(&id).into_iter().flatten();
        let since = taken.filter(|taken| taken.at >= open.at).map(|taken| &taken.by);
        since.filter(|filter| match &open.audience {
            Audience::Subscribers => true,
            Audience::Group(wanted) => wanted == *filter,
        })
    }

    fn done(&mut self, group: Group, id: MessageId, audience: &Audience) {
        let Some(opens) = self.open.get_mut(&id) else { return };
        let is_meant = |open: &Open| open.group == group && open.audience == *audience;
        if let Some(at) = opens.iter().position(is_meant) {
            opens.remove(at);
        }
        if opens.is_empty() {
            self.open.remove(&id);
        }
        if self.open.is_empty() {
            self.written.clear();
            self.given.clear();
            self.taken.clear();
        }
    }

    /// A topic has been written: an older message that is still open is not to be retained again. What
    /// expires is what the topic has already: that is none.
    fn note_written(&mut self, topic: &str, by: Option<MessageId>) {
        if self.open.is_empty() {
            return;
        }
        let has = self.retained.get(topic).map(|retained| retained.message);
        if by.is_some() && by == has {
            return;
        }
        let written = Written { at: self.entries, by };
        if let Some(last) = self.written.get_mut(topic) {
            *last = written;
        } else {
            self.written.insert(topic.into(), written);
        }
    }

    /// Adds what another has been told of sessions of other groups.
    pub(crate) fn merge(&mut self, other: Self) {
        assert!(other.open.is_empty() && other.retained.is_empty(), "invariant: of sessions alone");
        self.drafts.merge(other.drafts);
        self.newest_millis = self.newest_millis.max(other.newest_millis);
    }

    /// All bodies that are referred to, as often as they are.
    pub fn references(&self) -> impl Iterator<Item = MessageId> {
        let waiting = self.drafts.messages().filter(|id| *id != MessageId::NONE);
        waiting
            .chain(self.retained.values().map(|retained| retained.message))
            .chain(self.open.iter().flat_map(|(id, opens)| opens.iter().map(|_| *id)))
    }

    /// Forgets messages that are lost, ascending as they are; yields in how many places they were.
    /// The records say so to whoever reads them behind the rest.
    pub fn forget(
        &mut self,
        messages: &[MessageId],
        writer: &Writer,
        records: &mut Vec<Batch>,
    ) -> usize {
        let is_lost = |id: &MessageId| messages.binary_search(id).is_ok();
        let before = self.retained.len() + self.open.len();
        for (topic, _) in self.retained.extract_if(.., |_, retained| is_lost(&retained.message)) {
            writer.deleted(last_of(records), &topic);
        }
        for (id, opens) in self.open.extract_if(|id, _| is_lost(id)) {
            for Open { group, audience, .. } in opens {
                let record = Record::Done(id, audience);
                last_of(records).entry(group, |into| record.encode(into));
            }
        }
        let places = before - self.retained.len() - self.open.len();
        places + self.drafts.forget(messages, records)
    }

    /// How many sessions and retained messages there are.
    pub fn counts(&self) -> (usize, usize) {
        (self.drafts.len(), self.retained.len())
    }

    /// The newest time that a record tells.
    pub fn newest_millis(&self) -> u64 {
        self.newest_millis
    }

    /// Everything as plain data, sorted, so that equal stores give equal answers.
    pub fn into_kept(mut self) -> Kept {
        let mut open: Vec<_> = self.open.drain().collect();
        open.sort_unstable_by_key(|(id, _)| *id);
        self.deal_seen(&open);
        self.drafts.note_away();
        let opens = open.iter().flat_map(|(id, opens)| opens.iter().map(|it| (*id, it)));
        let kept = opens.map(|(message, open)| {
            let later = self.written.iter().filter(|(_, it)| it.supersedes(message, open));
            KeptOpen {
                message,
                audience: open.audience.clone(),
                written: later.map(|(topic, _)| topic.clone()).collect(),
                served: self.served(message, open).map(Arc::clone).collect(),
            }
        });
        let kept = kept.collect();
        let mut sessions: Vec<_> = self
            .drafts
            .into_groups()
            .flat_map(|(_, drafts)| drafts)
            .filter_map(|(_, RestoredSession { listener, image, seen, .. })| {
                let has = |id: &MessageId| seen.as_ref().is_some_and(|seen| seen.has(*id));
                let seen = open.iter().map(|(id, _)| *id).filter(has).collect();
                Some(KeptSession { listener, image: Box::new(image?), seen })
            })
            .collect();
        sessions.sort_unstable_by(|one, other| one.image.client_id.cmp(&other.image.client_id));
        let retained = self.retained.into_iter().map(|(topic, it)| (topic, it.message));
        Kept { sessions, open: kept, retained: retained.collect() }
    }

    /// Tells the drafts what they were given of what is open.
    fn deal_seen(&mut self, open: &[(MessageId, SmallVec<[Open; 1]>)]) {
        let oldest = open.first().map_or(MessageId::NONE, |(id, _)| *id);
        for ((group, key), mut seen) in self.given.drain() {
            seen.lots.retain(|lot| lot.newest >= oldest.get());
            seen.given.retain(|id| open.binary_search_by_key(id, |(open, _)| *open).is_ok());
            seen.given.sort_unstable();
            self.drafts.note_seen(group, key, seen);
        }
    }

    /// Deals everything out to the shards. `read` brings a message, `door` the listener of a name.
    pub fn deal<E>(
        mut self,
        places: Places,
        next_message: MessageId,
        door: impl Fn(&str) -> Arc<Door>,
        read: impl Fn(MessageId) -> Result<Arc<Message>, E>,
    ) -> Result<Vec<Restored>, E> {
        let mut open: Vec<_> = self.open.drain().collect();
        open.sort_unstable_by_key(|(id, _)| *id);
        self.deal_seen(&open);
        self.drafts.note_away();
        let (next_key, next_message) = (self.drafts.next_key(), next_message.get());
        let doors = self.drafts.doors(door);
        let served: Vec<Vec<Arc<str>>> = open
            .iter()
            .flat_map(|(id, opens)| opens.iter().map(|open| self.served(*id, open)))
            .map(|served| served.map(Arc::clone).collect())
            .collect();
        let mut served = served.into_iter();
        let empty = || Restored {
            next_key,
            next_message,
            doors: Arc::clone(&doors),
            ..Restored::default()
        };
        let mut dealt: Vec<_> = (0..places.shards).map(|_| empty()).collect();
        let mut hand = |group: u16, give: &mut dyn FnMut(&mut Restored)| {
            if let Some(restored) = dealt.get_mut(usize::from(places.shard_of_slot(group))) {
                give(restored);
            }
        };
        for (group, mut drafts) in self.drafts.into_groups() {
            hand(group, &mut |restored| restored.sessions.push(std::mem::take(&mut drafts)));
        }
        for (topic, Retained { message, segment: anchor }) in self.retained {
            let message = read(message)?;
            hand(places.slot_of(&topic), &mut |restored| {
                let message = Arc::clone(&message);
                restored.retained.push(RestoredRetained { message, anchor });
            });
        }
        for (id, opens) in open {
            let message = read(id)?;
            let written = self.written.get(message.topic.as_str()).copied();
            for (open, by) in opens.into_iter().zip(&mut served) {
                let superseded = written.is_some_and(|written| written.supersedes(id, &open));
                let Open { group, audience, .. } = open;
                let open = OpenMessage {
                    served: matches!(audience, Audience::Group(_)) && !by.is_empty(),
                    opened: Opened { group, audience },
                    message: Arc::clone(&message),
                    superseded,
                };
                hand(group.0, &mut |restored| restored.open.push(open.clone()));
                for filter in by {
                    hand(places.slot_of(&filter), &mut |restored| {
                        restored.served.push((id, Arc::clone(&filter)));
                    });
                }
            }
        }
        Ok(dealt)
    }
}

/// Where the next record goes: no batch is larger than the log takes at once.
pub(crate) fn last_of(batches: &mut Vec<Batch>) -> &mut Batch {
    if batches.last().is_none_or(|last| last.bytes() >= FORGOTTEN_BYTES) {
        let mut batch = Batch::new();
        batch.mode(Commit::Synced);
        batches.push(batch);
    }
    batches.last_mut().expect("invariant: just pushed")
}

#[cfg(test)]
mod tests;
