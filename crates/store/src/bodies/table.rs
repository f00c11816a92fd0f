//! A map from names of messages to 16 bytes each. Names are given in turn, so that those of a page of 64
//! mostly live and die together; a name without neighbours costs about what it would in a hash map.

use plexus_stdx::{HashMap, Seed};
use plexus_types::MessageId;

use super::Body;

/// The names of a page: as many as a word has bits.
const PAGE_BITS: u32 = u64::BITS.ilog2();
/// Up to here the memory of a page doubles, then it grows by steps of this.
const STEP: usize = 8;

#[derive(Debug, Default)]
struct Page {
    /// A bit for each name that is there.
    present: u64,
    /// Theirs, in order.
    bodies: Vec<Body>,
}

#[derive(Debug)]
pub(super) struct Table {
    pages: HashMap<u64, Page>,
    len: usize,
}

/// The page of a name, and its bit there.
const fn place_of(id: MessageId) -> (u64, u64) {
    (id.get() >> PAGE_BITS, 1 << (id.get() % (1 << PAGE_BITS)))
}

impl Page {
    /// How many are there before the one of this bit.
    const fn rank(&self, bit: u64) -> usize {
        (self.present & (bit - 1)).count_ones() as usize
    }

    const fn find(&self, bit: u64) -> Option<usize> {
        if self.present & bit == 0 { None } else { Some(self.rank(bit)) }
    }

    fn insert(&mut self, bit: u64, body: Body) {
        if self.bodies.len() == self.bodies.capacity() {
            self.bodies.reserve_exact(self.bodies.len().clamp(1, STEP));
        }
        self.bodies.insert(self.rank(bit), body);
        self.present |= bit;
    }

    fn retain(&mut self, lives: &impl Fn(&Body) -> bool) {
        let (mut left, mut kept) = (self.present, 0);
        self.bodies.retain(|body| {
            let bit = left & left.wrapping_neg();
            left ^= bit;
            let lives = lives(body);
            kept |= if lives { bit } else { 0 };
            lives
        });
        self.present = kept;
        self.bodies.shrink_to_fit();
    }
}

impl Table {
    pub(super) fn new(seed: Seed) -> Self {
        Self { pages: seed.map(), len: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, id: MessageId) -> Option<&Body> {
        let (number, bit) = place_of(id);
        let page = self.pages.get(&number)?;
        page.bodies.get(page.find(bit)?)
    }

    pub(super) fn get_mut(&mut self, id: MessageId) -> Option<&mut Body> {
        let (number, bit) = place_of(id);
        let page = self.pages.get_mut(&number)?;
        let at = page.find(bit)?;
        page.bodies.get_mut(at)
    }

    /// Adds a body, or puts it in the place of the one of that name.
    pub(super) fn insert(&mut self, id: MessageId, body: Body) {
        let (number, bit) = place_of(id);
        let page = self.pages.entry(number).or_default();
        if let Some(known) = page.find(bit).and_then(|at| page.bodies.get_mut(at)) {
            *known = body;
        } else {
            page.insert(bit, body);
            self.len += 1;
        }
    }

    pub(super) fn remove(&mut self, id: MessageId) {
        let (number, bit) = place_of(id);
        let Some(page) = self.pages.get_mut(&number) else { return };
        let Some(at) = page.find(bit) else { return };
        page.bodies.remove(at);
        page.present &= !bit;
        self.len -= 1;
        if page.bodies.is_empty() {
            self.pages.remove(&number);
            self.shrink();
        } else if page.bodies.len() * 4 < page.bodies.capacity() {
            page.bodies.shrink_to(page.bodies.len() * 2);
        }
    }

    /// Forgets all for which `lives` says no.
    pub(super) fn retain(&mut self, lives: impl Fn(&Body) -> bool) {
        self.pages.retain(|_, page| {
            page.retain(&lives);
            !page.bodies.is_empty()
        });
        self.pages.shrink_to_fit();
        self.len = self.pages.values().map(|page| page.bodies.len()).sum();
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Body> {
        self.pages.values().flat_map(|page| &page.bodies)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Body> {
        self.pages.values_mut().flat_map(|page| &mut page.bodies)
    }

    /// A table that was large once does not stay so.
    fn shrink(&mut self) {
        if self.pages.len() * 8 < self.pages.capacity() {
            self.pages.shrink_to(self.pages.len() * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::{SegmentNumber, bodies::Place};

    fn body(at: u32) -> Body {
        let place = Place { segment: SegmentNumber::new(u64::from(at % 7) + 1), at, bytes: 9 };
        Body::new(place, 1)
    }

    #[derive(Debug, Clone)]
    enum Step {
        Insert(u64, u32),
        Remove(u64),
        /// Forgets the bodies of a segment.
        Forget(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        // Names of a few pages that lie together and of one far away.
        let id = prop_oneof![1..200_u64, 1_u64 << 40..(1 << 40) + 70];
        let step = prop_oneof![
            6 => (id.clone(), any::<u32>()).prop_map(|(id, at)| Step::Insert(id, at)),
            3 => id.prop_map(Step::Remove),
            1 => (1..8_u64).prop_map(Step::Forget),
        ];
        proptest::collection::vec(step, 0..300)
    }

    proptest! {
        #[test]
        fn it_agrees_with_an_ordered_map(steps in steps()) {
            let mut table = Table::new(Seed::new(1));
            let mut model = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Insert(id, at) => {
                        table.insert(MessageId::new(id), body(at));
                        model.insert(id, body(at));
                    }
                    Step::Remove(id) => {
                        table.remove(MessageId::new(id));
                        model.remove(&id);
                    }
                    Step::Forget(segment) => {
                        let stays = |body: &Body| body.place().segment.get() != segment;
                        table.retain(stays);
                        model.retain(|_, body| stays(body));
                    }
                }
                prop_assert_eq!(table.len(), model.len());
            }
            for (id, body) in &mut model {
                prop_assert_eq!(table.get(MessageId::new(*id)), Some(&*body));
                prop_assert_eq!(table.get_mut(MessageId::new(*id)), Some(body));
            }
            prop_assert_eq!(table.values().count(), model.len());
            prop_assert_eq!(table.values_mut().count(), model.len());
            for id in (1..200).filter(|id| !model.contains_key(id)) {
                prop_assert_eq!(table.get(MessageId::new(id)), None);
            }
        }
    }

    /// Ten million bodies that follow each other are 170 MB.
    #[test]
    fn a_body_among_others_is_16_bytes() {
        assert_eq!(size_of::<Body>(), 16);
        let mut table = Table::new(Seed::new(1));
        for id in 0..64 * 100 {
            table.insert(MessageId::new(id), body(1));
        }
        assert!(table.pages.values().all(|page| page.bodies.capacity() == 64));
        for id in 0..64 * 100 {
            table.remove(MessageId::new(id));
        }
        assert!(table.pages.capacity() < 10, "{}", table.pages.capacity());
    }
}
