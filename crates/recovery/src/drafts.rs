//! Sessions while the log is read. What is large in them (identifiers, filters, entries) stays where it is
//! when they become sessions of a shard; so there is never twice as much as there will be.

use std::{collections::BTreeSet, sync::Arc};

use plexus_session::Change;
use plexus_stdx::{HashMap, Seed};
use plexus_store::{Batch, Group, SegmentNumber};
use plexus_types::{Instant, MessageId};
use slab::Slab;

use plexus_porch::Door;
use plexus_records::{Record, Seen};

use crate::{Doors, RestoredSession, recovery::last_of};

/// The sessions of a group, by their keys in the log.
#[derive(Debug)]
struct Drawer {
    by_key: HashMap<u64, u32>,
    drafts: Slab<RestoredSession>,
    /// When starts of the node have found that nobody is connected.
    starts: Vec<Instant>,
    /// By the place of a draft, how many of them had been read when its client was last connected. The
    /// drafts themselves are touched at the end: a log may tell of many starts and of many sessions.
    connected: Vec<u32>,
}

impl Drawer {
    fn new(seed: Seed) -> Self {
        let (starts, connected) = (Vec::new(), Vec::new());
        Self { by_key: seed.map(), drafts: Slab::new(), starts, connected }
    }

    fn note_connected(&mut self, at: u32) {
        let (at, starts) = (at as usize, self.starts.len() as u32);
        if at >= self.connected.len() {
            self.connected.resize(at + 1, 0);
        }
        if let Some(connected) = self.connected.get_mut(at) {
            *connected = starts;
        }
    }
}

#[derive(Debug)]
pub(crate) struct Drafts {
    seed: Seed,
    groups: Vec<Drawer>,
    /// The names of all listeners.
    listeners: BTreeSet<Arc<str>>,
}

impl Drafts {
    pub(crate) fn new(seed: Seed) -> Self {
        Self { seed, groups: Vec::new(), listeners: BTreeSet::new() }
    }

    pub(crate) const fn seed(&self) -> Seed {
        self.seed
    }

    /// Adds those of other groups.
    pub(crate) fn merge(&mut self, other: Self) {
        if self.groups.len() < other.groups.len() {
            let seed = self.seed;
            self.groups.resize_with(other.groups.len(), || Drawer::new(seed));
        }
        for (mine, theirs) in self.groups.iter_mut().zip(other.groups) {
            if mine.drafts.is_empty() {
                *mine = theirs;
            } else {
                assert!(theirs.drafts.is_empty(), "invariant: a group is read by one");
            }
        }
        self.listeners.extend(other.listeners);
    }

    fn get_mut(&mut self, group: Group, key: u64) -> Option<&mut RestoredSession> {
        let drawer = self.groups.get_mut(usize::from(group.0))?;
        drawer.drafts.get_mut(*drawer.by_key.get(&key)? as usize)
    }

    /// The session came in through that listener; it begins there if it is new.
    pub(crate) fn came_through(
        &mut self,
        group: Group,
        key: u64,
        listener: &str,
        anchor: SegmentNumber,
    ) {
        let listener = self.name(listener);
        if let Some(draft) = self.get_mut(group, key) {
            draft.listener = listener;
            return;
        }
        let draft = RestoredSession { key, listener, image: None, seen: None, anchor };
        let (at, seed) = (usize::from(group.0), self.seed);
        if at >= self.groups.len() {
            self.groups.resize_with(at + 1, || Drawer::new(seed));
        }
        if let Some(drawer) = self.groups.get_mut(at) {
            drawer.by_key.insert(key, drawer.drafts.insert(draft) as u32);
        }
    }

    /// The one copy of a listener's name.
    fn name(&mut self, listener: &str) -> Arc<str> {
        if let Some(known) = self.listeners.get(listener) {
            return Arc::clone(known);
        }
        let name: Arc<str> = listener.into();
        self.listeners.insert(Arc::clone(&name));
        name
    }

    pub(crate) fn change(
        &mut self,
        group: Group,
        key: u64,
        change: Change,
        (at, segment): (Instant, SegmentNumber),
    ) {
        let drawer = self.groups.get_mut(usize::from(group.0));
        let place = drawer.and_then(|drawer| Some((*drawer.by_key.get(&key)?, drawer)));
        let Some((place, drawer)) = place else {
            // Its image went with a segment that was cleaned because the session had ended.
            return;
        };
        if is_connected(&change) {
            drawer.note_connected(place);
        }
        let Some(draft) = drawer.drafts.get_mut(place as usize) else { return };
        match (&mut draft.image, change) {
            (place, Change::Image(image)) => {
                *place = Some(*image);
                draft.anchor = segment;
            }
            (Some(image), change) => {
                if !image.apply(change, at) {
                    self.remove(group, key);
                }
            }
            (None, _) => {}
        }
    }

    fn remove(&mut self, group: Group, key: u64) {
        let Some(drawer) = self.groups.get_mut(usize::from(group.0)) else { return };
        if let Some(at) = drawer.by_key.remove(&key) {
            drawer.drafts.remove(at as usize);
        }
    }

    /// A start found that none of the group's clients is connected.
    pub(crate) fn all_away(&mut self, group: Group, at: Instant) {
        if let Some(drawer) = self.groups.get_mut(usize::from(group.0)) {
            drawer.starts.push(at);
        }
    }

    /// Whoever has not come back since is away since the first start that found it.
    pub(crate) fn note_away(&mut self) {
        for Drawer { drafts, starts, connected, .. } in &mut self.groups {
            if starts.is_empty() {
                continue;
            }
            for (place, RestoredSession { image, .. }) in drafts {
                let Some(image) = image.as_mut().filter(|image| image.away_since.is_none()) else {
                    continue;
                };
                let first = connected.get(place).and_then(|read| starts.get(*read as usize));
                image.away_since = first.copied();
            }
        }
    }

    /// What the session has been given while something was open.
    pub(crate) fn note_seen(&mut self, group: Group, key: u64, seen: Seen) {
        if let Some(draft) = self.get_mut(group, key)
            && seen != Seen::default()
        {
            draft.seen = Some(Box::new(seen));
        }
    }

    /// What waits, as often as it does.
    pub(crate) fn messages(&self) -> impl Iterator<Item = MessageId> {
        let drafts = self.groups.iter().flat_map(|drawer| &drawer.drafts);
        let images = drafts.filter_map(|(_, draft)| draft.image.as_ref());
        images.flat_map(|image| image.entries.iter().map(|entry| entry.message))
    }

    /// Forgets that those messages wait, ascending as they are, and records what is left; yields how
    /// often they did.
    pub(crate) fn forget(&mut self, messages: &[MessageId], records: &mut Vec<Batch>) -> usize {
        self.note_away();
        let mut forgotten = 0;
        for (group, drawer) in (0..).zip(&mut self.groups) {
            for (_, RestoredSession { key, image, .. }) in &mut drawer.drafts {
                let Some(image) = image else { continue };
                let before = image.entries.len();
                image.entries.retain(|entry| messages.binary_search(&entry.message).is_err());
                if image.entries.len() == before {
                    continue;
                }
                forgotten += before - image.entries.len();
                let change = Change::Image(Box::new(image.clone()));
                let batch = last_of(records);
                batch.entry(Group(group), |into| Record::session(*key, &change, into));
            }
        }
        forgotten
    }

    pub(crate) fn len(&self) -> usize {
        self.groups.iter().map(|drawer| drawer.drafts.len()).sum()
    }

    /// Above all keys.
    pub(crate) fn next_key(&self) -> u64 {
        let keys = self.groups.iter().flat_map(|drawer| drawer.by_key.keys());
        keys.max().map_or(1, |key| key + 1)
    }

    /// The listeners of all drafts.
    pub(crate) fn doors(&self, door: impl Fn(&str) -> Arc<Door>) -> Arc<Doors> {
        let doors = self.listeners.iter().map(|name| (Arc::clone(name), door(name)));
        Arc::new(doors.collect())
    }

    pub(crate) fn into_groups(self) -> impl Iterator<Item = (u16, Slab<RestoredSession>)> {
        (0..=u16::MAX).zip(self.groups.into_iter().map(|drawer| drawer.drafts))
    }
}

/// Whether its client is connected from then on.
fn is_connected(change: &Change) -> bool {
    match change {
        Change::Attached(..) => true,
        Change::Image(image) => image.away_since.is_none(),
        _ => false,
    }
}
