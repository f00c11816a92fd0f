//! From the records of the log to what each shard starts with.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use plexus_session::{Change, Image};
use plexus_stdx::{HashMap, Seed};
use plexus_store::{Group, Replay, SegmentNumber};
use plexus_types::{Instant, Message, MessageId};

use crate::{
    kept::{Kept, KeptOpen, KeptSession},
    ports::Door,
    record::{Audience, Record},
    shard::{Context, OpenMessage, Restored, RestoredRetained, RestoredSession},
};

/// A session as far as the log has been read.
#[derive(Debug)]
struct Draft {
    listener: Box<str>,
    image: Option<Box<Image>>,
    anchor: SegmentNumber,
    /// Open publications that it was given.
    seen: BTreeSet<MessageId>,
}

#[derive(Debug)]
struct Open {
    group: Group,
    audience: Audience,
    /// Retained topics that were written after it.
    written: BTreeSet<Box<str>>,
}

/// Everything that the log says, as it is being read.
#[derive(Debug)]
pub struct Recovery {
    sessions: HashMap<(Group, u64), Draft>,
    retained: BTreeMap<Box<str>, (MessageId, SegmentNumber)>,
    open: BTreeMap<MessageId, Open>,
    segment: SegmentNumber,
    newest_millis: u64,
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
        match Record::decode(payload).map_err(|error| error.to_string())? {
            Record::Session(key, change) => self.change(group, key, change, at_millis),
            Record::Listener(key, listener) => {
                let draft = self.sessions.entry((group, key)).or_insert_with(|| Draft {
                    listener: Box::default(),
                    image: None,
                    anchor: self.segment,
                    seen: BTreeSet::new(),
                });
                draft.listener = listener;
            }
            Record::Retained(id, topic) => {
                self.note_written(&topic);
                self.retained.insert(topic, (id, self.segment));
            }
            Record::Deleted(topic) => {
                self.note_written(&topic);
                self.retained.remove(&topic);
            }
            Record::Open(id, audience) => {
                self.open.insert(id, Open { group, audience, written: BTreeSet::new() });
            }
            Record::Done(id) => {
                self.open.remove(&id);
            }
        }
        Ok(())
    }

    fn progress(&mut self, done: u64, total: u64) {
        let percent = done * 100 / total.max(1);
        tracing::debug!(percent, "reading the log");
    }
}

impl Recovery {
    /// Nothing has been read yet.
    pub fn new(seed: Seed) -> Self {
        Self {
            sessions: seed.map(),
            retained: BTreeMap::new(),
            open: BTreeMap::new(),
            segment: SegmentNumber::ZERO,
            newest_millis: 0,
            #[cfg(feature = "canary")]
            canary: crate::shard::Canary::Silent,
        }
    }

    fn change(&mut self, group: Group, key: u64, change: Change, at_millis: u64) {
        #[cfg(feature = "canary")]
        if self.canary.skips(&change) {
            return;
        }
        let Some(draft) = self.sessions.get_mut(&(group, key)) else {
            // Its image went with a segment that was cleaned because the session had ended.
            return;
        };
        if let Change::Queued(entry, _) = &change
            && self.open.contains_key(&entry.message)
        {
            draft.seen.insert(entry.message);
        }
        let at = Instant::from_millis(at_millis);
        match (draft.image.take(), change) {
            (_, Change::Image(image)) => {
                draft.image = Some(image);
                draft.anchor = self.segment;
            }
            (Some(image), change) => {
                draft.image = image.apply(change, at);
                if draft.image.is_none() {
                    self.sessions.remove(&(group, key));
                }
            }
            (None, _) => {}
        }
    }

    /// A topic has been written: an older message that is still open is not to be retained again.
    fn note_written(&mut self, topic: &str) {
        for open in self.open.values_mut() {
            open.written.insert(topic.into());
        }
    }

    /// All bodies that are referred to, as often as they are.
    pub fn references(&self) -> impl Iterator<Item = MessageId> {
        let sessions = self.sessions.values().filter_map(|draft| draft.image.as_ref());
        let waiting = sessions.flat_map(|image| image.entries.iter().map(|entry| entry.message));
        waiting
            .filter(|id| *id != MessageId::NONE)
            .chain(self.retained.values().map(|(id, _)| *id))
            .chain(self.open.keys().copied())
    }

    /// How many sessions and retained messages there are.
    pub fn counts(&self) -> (usize, usize) {
        (self.sessions.len(), self.retained.len())
    }

    /// The newest time that a record tells.
    pub fn newest_millis(&self) -> u64 {
        self.newest_millis
    }

    /// Everything as plain data, sorted, so that equal stores give equal answers.
    pub fn into_kept(self) -> Kept {
        let open = &self.open;
        let mut sessions: Vec<_> = self
            .sessions
            .into_values()
            .filter_map(|Draft { listener, image, mut seen, .. }| {
                seen.retain(|id| open.contains_key(id));
                Some(KeptSession { listener, image: image?, seen })
            })
            .collect();
        sessions.sort_unstable_by(|one, other| one.image.client_id.cmp(&other.image.client_id));
        let open = self.open.into_iter().map(|(message, open)| {
            let Open { audience, written, .. } = open;
            KeptOpen { message, audience, written }
        });
        Kept {
            sessions,
            open: open.collect(),
            retained: self.retained.into_iter().map(|(topic, (id, _))| (topic, id)).collect(),
        }
    }

    /// Deals everything out to the shards. `read` brings a message, `door` the listener of a name.
    pub fn deal<E>(
        self,
        context: &Context,
        next_message: MessageId,
        door: impl Fn(&str) -> Arc<Door>,
        read: impl Fn(MessageId) -> Result<Arc<Message>, E>,
    ) -> Result<Vec<Restored>, E> {
        let next_key = self.sessions.keys().map(|(_, key)| key + 1).max().unwrap_or(1);
        let next_message = next_message.get();
        let empty = || Restored { next_key, next_message, ..Restored::default() };
        let mut dealt: Vec<_> = (0..context.options.shards).map(|_| empty()).collect();
        let mut hand = |group: u16, give: &mut dyn FnMut(&mut Restored)| {
            if let Some(restored) = dealt.get_mut(usize::from(context.shard_of_slot(group))) {
                give(restored);
            }
        };
        for ((group, key), draft) in self.sessions {
            let Draft { listener, image, anchor, seen } = draft;
            let Some(image) = image else { continue };
            let seen = seen.into_iter().filter(|id| self.open.contains_key(id)).collect();
            let session =
                RestoredSession { key, door: door(&listener), image: *image, seen, anchor };
            let mut session = Some(session);
            hand(group.0, &mut |restored| restored.sessions.extend(session.take()));
        }
        for (topic, (id, anchor)) in self.retained {
            let message = read(id)?;
            hand(context.slot_of(&topic), &mut |restored| {
                let message = Arc::clone(&message);
                restored.retained.push(RestoredRetained { message, anchor });
            });
        }
        for (id, open) in self.open {
            let Open { group, audience, written } = open;
            let message = read(id)?;
            let superseded = written.contains(message.topic.as_str());
            let open = OpenMessage { group, message, audience, superseded };
            hand(group.0, &mut |restored| restored.open.push(open.clone()));
        }
        Ok(dealt)
    }
}
