//! The owners of a log's entries, as small as they can be: keys with a digest of their changes and
//! the bodies that wait for them.

use std::collections::BTreeMap;

use super::*;

/// What a key is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Value {
    /// Of every change since its beginning, in order.
    digest: u64,
    /// Bodies, each with the life of the process that made it.
    pub(super) held: Vec<(u64, u64)>,
}

pub(super) type State = BTreeMap<(u16, u8), Value>;

/// All owners together.
#[derive(Debug, Clone, Default)]
pub(super) struct Owner {
    pub(super) state: State,
    /// The segment of each key's image.
    bases: BTreeMap<(u16, u8), SegmentNumber>,
    pub(super) next: u64,
    pub(super) epoch: u64,
    /// The body that was let go last.
    delivered: Option<(u64, u64)>,
    segment: SegmentNumber,
    last: BTreeMap<u16, u64>,
    newest: u64,
}

#[derive(Debug, Clone)]
pub(super) enum Change {
    /// The key begins anew.
    Begin { key: (u16, u8), serial: u64 },
    /// The keys get a body: a new one, or one that had been let go.
    Queue { keys: Vec<(u16, u8)>, serial: u64, late: Option<(u64, u64)> },
    /// The key's first body has been delivered.
    Deliver { key: (u16, u8), serial: u64 },
    /// The key ends.
    End { key: (u16, u8) },
}

const IMAGE: u8 = 1;
const QUEUE: u8 = 2;
const DELIVER: u8 = 3;
const END: u8 = 4;

pub(super) fn message(id: u64, epoch: u64) -> Arc<Message> {
    let mut message = Arc::unwrap_or_clone(super::message(id, (id * 37 % 300) as usize));
    message.payload = [epoch.to_le_bytes().as_slice(), &message.payload].concat().into();
    Arc::new(message)
}

fn mixed(digest: u64, serial: u64) -> u64 {
    Seed::new(digest ^ serial.rotate_left(17)).next_u64()
}

impl Change {
    pub(super) fn drawn(draw: &mut Seed, owner: &Owner) -> Self {
        let mut key = || (draw.below(GROUPS) as u16, draw.below(KEYS) as u8);
        let (key, other) = (key(), key());
        let serial = draw.next_u64();
        let queued = owner.state.get(&key).map_or(0, |value| value.held.len());
        let known = owner.state.contains_key(&key);
        match draw.below(12) {
            _ if !known => Self::Begin { key, serial },
            0 => Self::Begin { key, serial },
            1 => Self::End { key },
            2..7 if queued < 12 => {
                let mut keys = vec![key];
                if other != key && owner.state.contains_key(&other) {
                    keys.push(other);
                }
                let late = if draw.below(4) == 0 { owner.delivered } else { None };
                Self::Queue { keys, serial, late }
            }
            _ => Self::Deliver { key, serial },
        }
    }
}

impl Owner {
    /// Changes the state and says so to the log.
    pub(super) fn make(&mut self, change: &Change, batch: &mut Batch) {
        match change {
            Change::Begin { key, serial } => {
                self.let_go(*key, batch);
                self.state.insert(*key, Value { digest: *serial, held: Vec::new() });
                self.image(*key, batch);
                // Its image is in no older segment than any other's.
                self.bases.insert(*key, SegmentNumber::new(u64::MAX));
            }
            Change::Queue { keys, serial, late } => {
                let id = late.unwrap_or((self.next, self.epoch));
                self.next = self.next.max(id.0 + 1);
                for key in keys {
                    batch.hold(&message(id.0, id.1));
                    entry(batch, *key, QUEUE, &[*serial, id.0, id.1]);
                    self.queue(*key, *serial, id);
                }
            }
            Change::Deliver { key, serial } => {
                entry(batch, *key, DELIVER, &[*serial]);
                if let Some(id) = self.deliver(*key, *serial) {
                    self.delivered = Some(id);
                    batch.release(MessageId::new(id.0));
                }
            }
            Change::End { key } => {
                self.let_go(*key, batch);
                entry(batch, *key, END, &[]);
                self.state.remove(key);
                self.bases.remove(key);
            }
        }
    }

    fn let_go(&mut self, key: (u16, u8), batch: &mut Batch) {
        for (id, _) in self.state.get(&key).map(|value| value.held.clone()).unwrap_or_default() {
            batch.release(MessageId::new(id));
        }
    }

    fn queue(&mut self, key: (u16, u8), serial: u64, id: (u64, u64)) {
        if let Some(value) = self.state.get_mut(&key) {
            value.digest = mixed(value.digest, serial);
            value.held.push(id);
        }
    }

    fn deliver(&mut self, key: (u16, u8), serial: u64) -> Option<(u64, u64)> {
        let value = self.state.get_mut(&key)?;
        value.digest = mixed(value.digest, serial);
        (!value.held.is_empty()).then(|| value.held.remove(0))
    }

    fn image(&self, key: (u16, u8), batch: &mut Batch) {
        let value = &self.state[&key];
        let mut numbers = vec![value.digest];
        numbers.extend(value.held.iter().flat_map(|(id, epoch)| [*id, *epoch]));
        entry(batch, key, IMAGE, &numbers);
    }

    /// Writes anew what began in segments up to there.
    pub(super) fn refresh(&mut self, upto: SegmentNumber, batch: &mut Batch) -> Vec<(u16, u8)> {
        let old = |(_, base): &(&(u16, u8), &SegmentNumber)| **base <= upto;
        let keys: Vec<_> = self.bases.iter().filter(old).map(|(key, _)| *key).collect();
        for key in &keys {
            self.image(*key, batch);
        }
        keys
    }

    /// The images that were written are in that segment.
    pub(super) fn based(&mut self, segment: SegmentNumber, images: &[(u16, u8)]) {
        for key in images {
            self.bases.insert(*key, segment);
        }
        for base in self.bases.values_mut() {
            *base = (*base).min(segment);
        }
    }

    /// What the living state would take in the log.
    pub(super) fn bytes(&self) -> i64 {
        self.state.values().map(|value| 40 + 16 * i64::try_from(value.held.len()).unwrap()).sum()
    }

    pub(super) fn held(&self) -> impl Iterator<Item = MessageId> {
        self.state.values().flat_map(|value| &value.held).map(|(id, _)| MessageId::new(*id))
    }

    fn told(&mut self, group: Group, payload: &[u8]) -> Option<()> {
        let (&[kind, key], numbers) = payload.split_first_chunk::<2>()?;
        let (key, numbers) = ((group.0, key), numbers.chunks_exact(8));
        let numbers: Vec<_> =
            numbers.map(|number| u64::from_le_bytes(number.try_into().unwrap())).collect();
        match (kind, numbers.as_slice()) {
            (IMAGE, [digest, held @ ..]) => {
                let held = held.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
                self.state.insert(key, Value { digest: *digest, held });
                self.bases.insert(key, self.segment);
            }
            (QUEUE, [serial, id, epoch]) => self.queue(key, *serial, (*id, *epoch)),
            (DELIVER, [serial]) => drop(self.deliver(key, *serial)),
            (END, []) => {
                self.state.remove(&key);
                self.bases.remove(&key);
            }
            _ => return None,
        }
        Some(())
    }
}

fn entry(batch: &mut Batch, key: (u16, u8), kind: u8, numbers: &[u64]) {
    batch.entry(Group(key.0), |out| {
        out.extend_from_slice(&[kind, key.1]);
        out.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    });
}

impl Replay for Owner {
    fn restart(&mut self) {
        *self = Self::default();
    }

    fn segment(&mut self, segment: SegmentNumber) {
        assert!(segment > self.segment);
        self.segment = segment;
    }

    fn entry(&mut self, group: Group, index: u64, at: u64, payload: &[u8]) -> Result<(), String> {
        if let Some(last) = self.last.insert(group.0, index).filter(|last| last + 1 != index) {
            return Err(format!("{index} follows {last}"));
        }
        if at < self.newest {
            return Err("time goes back".to_owned());
        }
        self.newest = at;
        self.told(group, payload).ok_or_else(|| "not what was written".to_owned())
    }
}
