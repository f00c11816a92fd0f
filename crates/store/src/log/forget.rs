//! What owners have forgotten because a repair has lost it.

use super::Log;
use crate::{Batch, Disk, LogError, SegmentNumber};

impl<D: Disk> Log<D> {
    /// After [`Log::set_references`], before anything else: what the owners have forgotten then. On error
    /// it is written before the next commit, whatever that is; and until then the last place of a loss
    /// stays in the log, because a start that found none would take what is missing for a fault of
    /// ours.
    pub fn forget(&mut self, now_millis: u64, records: Vec<Batch>) -> Result<(), LogError> {
        self.forgotten.extend(records);
        self.record_forgotten(now_millis)
    }

    pub(super) fn record_forgotten(&mut self, now_millis: u64) -> Result<(), LogError> {
        while let Some(records) = self.forgotten.pop_front() {
            if let Err(error) = self.commit_now(now_millis, &[&records]) {
                self.forgotten.push_front(records);
                return Err(error);
            }
        }
        Ok(())
    }

    /// That segment is about to go.
    pub(super) fn let_hole_go(
        &mut self,
        now_millis: u64,
        oldest: SegmentNumber,
    ) -> Result<(), LogError> {
        if oldest == self.last_hole { self.record_forgotten(now_millis) } else { Ok(()) }
    }
}
