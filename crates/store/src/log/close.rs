//! The end of a log that is put down on purpose.

use super::Log;
use crate::{
    Disk, LogError,
    frame::{self, HEAD_BYTES},
    header,
};

impl<D: Disk> Log<D> {
    /// Makes everything durable and says so behind it, with a frame that holds no records: what is
    /// damaged before that cannot pass for what was being written when the process stopped. Where
    /// that is said already nothing is written, so that a log that is only opened does not grow.
    pub fn close(&mut self, now_millis: u64) -> Result<(), LogError> {
        assert!(self.counted, "references are set before the end");
        self.be_there()?;
        if self.is_closed() {
            return Ok(());
        }
        let millis = self.newest_millis.max(now_millis);
        if self.rest_of_segment() < HEAD_BYTES as u64 {
            // The header of the next segment says where this one ends.
            self.begin_segment(HEAD_BYTES as u64, millis)?;
        } else {
            self.sync()?;
        }
        if self.is_closed() {
            return Ok(());
        }
        frame::begin(&mut self.frame);
        self.append_frame(millis, true)?;
        self.closed = self.current().end;
        Ok(())
    }

    /// Whether there is nothing behind the last segment's header, or behind its last closing frame.
    fn is_closed(&self) -> bool {
        let end = self.current().end;
        end == header::BYTES || end == self.closed
    }
}
