//! The end of a segment that has been cleaned.

use std::io;

use super::{Log, Spare};
use crate::{Disk, LogError};

impl<D: Disk> Log<D> {
    /// Takes the oldest segment's file out of the log, for another time if it can be used again. After an
    /// error the file may have its new name all the same, which the next call finds out: what has no
    /// place in the log takes room that nobody counts.
    pub(super) fn retire(&mut self) -> Result<(), LogError> {
        let Some(oldest) = self.segments.front() else { return Ok(()) };
        let name = oldest.number.file_name();
        let keep =
            oldest.length == self.options.segment_bytes && self.spares.len() < Self::SPARES_MAX;
        let tried = self.retiring.take();
        let spare = tried.clone().unwrap_or_else(|| self.spare_name());
        let failed = |log: &mut Self, error| {
            log.retiring = Some(spare.clone());
            Err(log.io_of(&name, "remove", error))
        };
        let done = if keep { self.disk.rename(&name, &spare) } else { self.disk.remove(&name) };
        let is_kept = match done {
            Ok(()) => keep,
            Err(error) if error.kind() != io::ErrorKind::NotFound => return failed(self, error),
            // An earlier call failed after it had done its work.
            Err(_) => match tried.as_deref().map(|spare| self.settle_renamed(spare, keep)) {
                Some(Err(error)) => return failed(self, error),
                Some(Ok(is_kept)) => is_kept,
                None => false,
            },
        };
        let oldest = self.segments.pop_front().expect("invariant: just seen");
        if is_kept {
            self.spares.push(Spare { name: spare, file: oldest.file, length: oldest.length });
        }
        Ok(())
    }

    /// The segment's file may have that name already. Whether it is a spare from now on.
    fn settle_renamed(&self, spare: &str, keep: bool) -> io::Result<bool> {
        let found = if keep { self.disk.open(spare).map(drop) } else { self.disk.remove(spare) };
        match found {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            found => found.map(|()| keep),
        }
    }
}
