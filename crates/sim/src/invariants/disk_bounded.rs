//! A log whose cleaning has come to rest takes no more than twice what lives, its allowance and two
//! segments (RFD 3). What lives is what the log was told: it knows of every session.

use super::Invariant;
use crate::{history::History, seen::Seen};

/// Less than the image of any session takes.
const SESSION_BYTES_MIN: u64 = 16;

#[derive(Debug)]
pub(super) struct DiskBounded;

impl Invariant for DiskBounded {
    fn name(&self) -> &'static str {
        "disk_bounded"
    }

    fn check(&mut self, _: &History, seen: &Seen<'_>) -> Result<(), String> {
        let Seen::Rested(rest) = seen else { return Ok(()) };
        let stat = rest.stat;
        if stat.state_bytes < rest.sessions * SESSION_BYTES_MIN {
            let (bytes, sessions) = (stat.state_bytes, rest.sessions);
            return Err(format!("the log knows of {bytes} bytes of {sessions} sessions"));
        }
        let living = stat.body_bytes + stat.state_bytes;
        // A segment of its own size counts as what it is.
        let larger = rest.largest_bytes.saturating_sub(rest.segment_bytes);
        let most = 2 * living + rest.allowance_bytes + 2 * rest.segment_bytes;
        // What came while it was cleaned may have brought it to rest above that.
        let most = most.max(stat.rest_bytes + stat.rest_bytes / 2) + 2 * larger;
        if stat.segment_bytes > most {
            return Err(format!("at rest the log takes {} bytes of {most}", stat.segment_bytes));
        }
        Ok(())
    }
}
