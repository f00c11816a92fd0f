//! What no repair can mend: folders whose segments cannot be of one log, or do not say of which.

use super::files;
use crate::{
    Disk, Identity, OpenError, SegmentNumber,
    header::{Header, HeaderError},
    scan::SegmentFile,
};

/// Segments that are gone between two that are there, up to which others are made to stand for them.
const GAP_MAX: u64 = 1_024;

/// Why a repair would leave the folder alone, if it would. From names and headers alone: whoever was
/// refused a start has read enough.
pub fn beyond_repair<D: Disk>(disk: &D) -> Result<Option<OpenError>, OpenError> {
    let files = files(disk)?;
    let identity = identity_of(&files);
    let headers = files.iter().map(|file| (file.number, file.header));
    Ok(obstacle(headers, identity, floor_of(&files, identity)))
}

/// Whose the segments are, as the first says that can be read.
pub(super) fn identity_of<F>(files: &[SegmentFile<F>]) -> Option<Identity> {
    files.iter().find_map(|file| file.header.ok()).map(|header| header.identity)
}

/// The log begins there or before, as its headers say; zero if none does.
pub(super) fn floor_of<F>(files: &[SegmentFile<F>], identity: Option<Identity>) -> SegmentNumber {
    let headers = files.iter().filter_map(|file| file.header.ok());
    let own = headers.filter(|header| Some(header.identity) == identity);
    own.map(|header| header.first).max().unwrap_or_default()
}

pub(super) fn obstacle(
    segments: impl Iterator<Item = (SegmentNumber, Result<Header, HeaderError>)>,
    identity: Option<Identity>,
    floor: SegmentNumber,
) -> Option<OpenError> {
    let refused = |file: String, what: &str| Some(OpenError::BeyondRepair(file + what));
    let Some(identity) = identity else {
        let what = "no segment has a header that can be read; restore a backup, or move the \
                    folder `log` away to start empty";
        return refused(String::new(), what);
    };
    let mut last = Some(floor).filter(|floor| *floor > SegmentNumber::ZERO);
    for (number, header) in segments {
        let name = number.file_name();
        if number > SegmentNumber::LAST {
            return refused(name + ": ", SegmentNumber::TOO_LARGE);
        }
        // What the log begins with may have been cleaned already, or not yet.
        let gap = last.map_or(0, |last| number.get().saturating_sub(last.get()).saturating_sub(1));
        last = Some(number);
        if gap > GAP_MAX {
            let before = SegmentNumber::new(number.get() - gap - 1).file_name();
            let what = format!(
                ": {gap} segments between {before} and it are gone, more than the {GAP_MAX} that a \
                 repair stands in for; move away whichever of the two is not of this log"
            );
            return refused(name, &what);
        }
        if header.is_ok_and(|header| header.identity != identity) {
            return refused(name, ": it is of another store; move it away");
        }
    }
    None
}
