//! A commit in two steps: what it would change is staged while its frame is made, and settled when
//! the frame is kept or taken back when it is not.

use super::{Log, Staged};
use crate::{
    Batch, Commit, Disk, LogError,
    batch::Op,
    frame::{self, HEAD_BYTES},
    message, record,
};

impl<D: Disk> Log<D> {
    /// Makes the frame of the batches.
    pub(super) fn stage(&mut self, batches: &[&Batch]) -> Staged {
        let mut staged = Staged { next_message: self.next_message, ..Staged::default() };
        frame::begin(&mut self.frame);
        for batch in batches {
            staged.sync |= batch.commit_mode() == Commit::Synced;
            for op in batch.ops() {
                self.stage_op(batch, op, &mut staged);
            }
        }
        staged
    }

    fn stage_op(&mut self, batch: &Batch, op: &Op, staged: &mut Staged) {
        let frame = &mut self.frame;
        match op {
            Op::Entry { group, index, payload } => {
                let (index, void) = self.groups.stage_entry(*group, *index);
                if let Some(from) = void {
                    record::put_void(frame, *group, from);
                }
                record::put_entry(frame, *group, index, batch.payload(payload));
            }
            Op::Hold(message) => {
                staged.next_message = staged.next_message.max(message.id.get() + 1);
                if self.bodies.hold(message.id) {
                    let bytes = message::content_bytes(message, self.options.clock);
                    record::put_body(frame, message.id, bytes);
                    self.bodies.stage(message.id, frame.len(), bytes);
                    message::put(frame, message, self.options.clock);
                }
            }
            Op::HoldStored(id) => {
                if self.bodies.hold(*id) {
                    self.bodies.unhold(*id);
                    staged.strange_releases += 1;
                }
            }
            Op::Release(id) => {
                staged.strange_releases += u64::from(!self.bodies.release(*id));
            }
            Op::StateBytes(delta) => staged.state_bytes += delta,
            Op::Refreshed { group, upto } => self.groups.stage_refreshed(*group, *upto),
        }
    }

    /// The frame is kept at that offset of the last segment.
    pub(super) fn settle(&mut self, frame_at: u64, staged: &Staged) {
        let segment = self.segments.back_mut().expect("invariant: a log has a segment");
        let number = segment.number;
        self.bodies.settle(number, frame_at, &mut segment.bodies);
        for (group, from) in self.groups.settle(number) {
            for segment in &mut self.segments {
                for (_, top) in segment.tops.iter_mut().filter(|(of, _)| *of == group.0) {
                    *top = (*top).min(from.saturating_sub(1));
                }
            }
        }
        self.state_bytes += staged.state_bytes;
        self.next_message = staged.next_message;
        self.stat.strange_releases += staged.strange_releases;
    }

    /// Takes back what [`Log::stage`] did.
    pub(super) fn unstage(&mut self, batches: &[&Batch]) {
        for op in batches.iter().rev().flat_map(|batch| batch.ops().iter().rev()) {
            match op {
                Op::Hold(message) => self.bodies.unhold(message.id),
                Op::HoldStored(id) => self.bodies.unhold(*id),
                Op::Release(id) => self.bodies.unrelease(*id),
                Op::Entry { .. } | Op::StateBytes(_) | Op::Refreshed { .. } => {}
            }
        }
        self.bodies.unstage();
        self.groups.unstage();
    }

    /// Writes the frame that has been made behind the last one; begins a segment when it does not
    /// fit. Returns its offset. A frame without records is not written.
    pub(super) fn put_frame(&mut self, now_millis: u64, sync: bool) -> Result<u64, LogError> {
        self.be_there()?;
        let bytes = self.frame.len();
        if bytes > frame::BYTES_MAX {
            self.frame = Vec::new();
            return Err(LogError::TooLarge { bytes });
        }
        let millis = self.newest_millis.max(now_millis);
        if frame::is_empty(&self.frame) {
            if sync {
                self.sync()?;
            }
            self.newest_millis = millis;
            return Ok(self.current().end);
        }
        let room = self.current().length - self.current().end;
        if self.given_up || bytes as u64 > room {
            self.begin_segment(bytes as u64, millis)?;
        }
        self.append_frame(millis, sync)
    }

    /// Writes the frame that has been made where the last one ends; the segment has room for it.
    pub(super) fn append_frame(&mut self, millis: u64, sync: bool) -> Result<u64, LogError> {
        let at = self.current().end;
        let seal = self.current().seal;
        frame::close(&mut self.frame, seal, self.synced as u32, millis);
        self.write_frame(at, sync)?;
        self.newest_millis = millis;
        self.stat.commits += 1;
        self.stat.written_bytes += self.frame.len() as u64;
        self.frame.clear();
        self.frame.shrink_to(Self::FRAME_BYTES_KEPT);
        Ok(at)
    }

    fn write_frame(&mut self, at: u64, sync: bool) -> Result<(), LogError> {
        let segment = self.segments.back().expect("invariant: a log has a segment");
        let number = segment.number;
        if let Err(error) = self.disk.write_at(&segment.file, at, &self.frame) {
            self.given_up = true;
            return Err(self.io(number, "write", error));
        }
        let end = at + self.frame.len() as u64;
        if sync && !self.planted_no_sync() {
            self.stat.syncs += 1;
            if let Err(error) = self.disk.sync(&segment.file) {
                self.given_up = true;
                return Err(self.io(number, "sync", error));
            }
            self.synced = end;
        }
        self.current_mut().end = end;
        Ok(())
    }

    /// Makes everything durable that the log has said to be written.
    pub(super) fn sync(&mut self) -> Result<(), LogError> {
        let (end, number) = (self.current().end, self.current().number);
        if self.synced >= end {
            return Ok(());
        }
        if self.given_up {
            return self.begin_segment(HEAD_BYTES as u64, self.newest_millis);
        }
        self.stat.syncs += 1;
        if let Err(error) = self.disk.sync(&self.current().file) {
            self.given_up = true;
            return Err(self.io(number, "sync", error));
        }
        self.synced = end;
        Ok(())
    }

    #[cfg(any(test, feature = "testing"))]
    fn planted_no_sync(&self) -> bool {
        self.options.plant == Some(crate::testing::Plant::AcknowledgeBeforeSync)
    }

    #[cfg(not(any(test, feature = "testing")))]
    #[expect(clippy::unused_self, reason = "the planted bug of the tests asks the options")]
    const fn planted_no_sync(&self) -> bool {
        false
    }
}
