//! Where each group stands: its last index, what of it is void or forgotten, what its owner has
//! written anew.

use crate::{Group, SegmentNumber};

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct GroupState {
    /// The index of the last entry.
    pub(crate) last: u64,
    /// Entries up to here are forgotten.
    pub(crate) purged: u64,
    /// Whatever began in segments up to here has been written anew.
    pub(crate) refreshed: SegmentNumber,
    // The newest segments that prove `last` and `purged`.
    last_in: SegmentNumber,
    purged_in: SegmentNumber,
    // What `last` becomes when the commit at hand is kept.
    staged: Option<u64>,
}

impl GroupState {
    /// Whether nothing of the group is needed from the segment, whose entries of the group end
    /// at the index `top`.
    fn is_done_with(&self, segment: SegmentNumber, top: u64) -> bool {
        self.refreshed >= segment || top <= self.purged
    }
}

/// The highest index that each group has in one segment, by group.
pub(crate) type Tops = Vec<(u16, u64)>;

#[derive(Debug, Default)]
pub(crate) struct Groups {
    states: Vec<GroupState>,
    // Highest indexes in the segment at the end, 0 for none.
    tops: Vec<u64>,
    touched: Vec<u16>,
    voids: Vec<(Group, u64)>,
    refreshed: Vec<(Group, SegmentNumber)>,
}

impl Groups {
    fn state(&mut self, group: Group) -> &mut GroupState {
        let at = usize::from(group.0);
        if at >= self.states.len() {
            self.states.resize(at + 1, GroupState::default());
            self.tops.resize(at + 1, 0);
        }
        self.states.get_mut(at).expect("invariant: just made long enough")
    }

    pub(crate) fn get(&self, group: Group) -> GroupState {
        self.states.get(usize::from(group.0)).copied().unwrap_or_default()
    }

    /// The index of the group's next entry, and from where on its entries are void when the
    /// caller wants an index that it has passed.
    pub(crate) fn stage_entry(&mut self, group: Group, wanted: Option<u64>) -> (u64, Option<u64>) {
        let state = self.state(group);
        let last = state.staged.unwrap_or(state.last);
        let index = wanted.unwrap_or(last + 1);
        if state.staged.replace(index).is_none() {
            self.touched.push(group.0);
        }
        let void = (index <= last).then_some(index);
        if let Some(from) = void {
            self.voids.push((group, from));
        }
        (index, void)
    }

    pub(crate) fn stage_refreshed(&mut self, group: Group, upto: SegmentNumber) {
        self.refreshed.push((group, upto));
    }

    /// What was staged is kept in this segment. Returns the voids, which hold for the segments
    /// before too.
    pub(crate) fn settle(&mut self, segment: SegmentNumber) -> Vec<(Group, u64)> {
        let voids = std::mem::take(&mut self.voids);
        for (group, from) in &voids {
            let state = self.state(*group);
            state.purged = state.purged.min(from.saturating_sub(1));
        }
        for number in std::mem::take(&mut self.touched) {
            let state = self.state(Group(number));
            if let Some(last) = state.staged.take() {
                state.last = last;
                state.last_in = segment;
                self.set_top(number, last);
            }
        }
        for (group, upto) in std::mem::take(&mut self.refreshed) {
            let state = self.state(group);
            state.refreshed = state.refreshed.max(upto);
        }
        voids
    }

    /// What was staged is not kept.
    pub(crate) fn unstage(&mut self) {
        for number in std::mem::take(&mut self.touched) {
            self.state(Group(number)).staged = None;
        }
        self.voids.clear();
        self.refreshed.clear();
    }

    fn set_top(&mut self, group: u16, top: u64) {
        if let Some(place) = self.tops.get_mut(usize::from(group)) {
            *place = top;
        }
    }

    /// An entry has been read in the segment at the end.
    pub(crate) fn entry(&mut self, group: Group, index: u64, segment: SegmentNumber) {
        let state = self.state(group);
        state.last = index;
        state.last_in = segment;
        self.set_top(group.0, index);
    }

    /// A void has been read.
    pub(crate) fn void(&mut self, group: Group, from: u64) {
        let state = self.state(group);
        state.purged = state.purged.min(from.saturating_sub(1));
        state.last = state.last.min(from.saturating_sub(1));
    }

    /// A mark has been read or is kept in that segment.
    pub(crate) fn mark(&mut self, group: Group, last: u64, purged: u64, segment: SegmentNumber) {
        let state = self.state(group);
        (state.last, state.purged) = (last, purged);
        (state.last_in, state.purged_in) = (segment, segment);
    }

    /// The highest indexes of the segment at the end, which is full; the next begins.
    pub(crate) fn take_tops(&mut self) -> Tops {
        let tops = (0..=u16::MAX).zip(&self.tops).filter(|(_, top)| **top > 0);
        let tops = tops.map(|(group, top)| (group, *top)).collect();
        self.tops.fill(0);
        tops
    }

    /// Whether the segment's entries are needed by no group any more.
    pub(crate) fn are_done_with(&self, segment: SegmentNumber, tops: &Tops) -> bool {
        tops.iter().all(|(group, top)| self.get(Group(*group)).is_done_with(segment, *top))
    }

    /// The groups that only this segment tells where they stand.
    pub(crate) fn proved_by(&self, segment: SegmentNumber) -> Vec<(Group, GroupState)> {
        let proved = |state: &GroupState| {
            state.last_in == segment || (state.purged > 0 && state.purged_in == segment)
        };
        let states = (0..=u16::MAX).zip(&self.states).filter(|(_, state)| proved(state));
        states.map(|(group, state)| (Group(group), *state)).collect()
    }
}
