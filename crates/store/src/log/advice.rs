//! What an operator is told, and what to do about it.

use super::{Log, Shortage, Stat};
use crate::{Disk, LogError};

impl LogError {
    /// What an operator does about it.
    pub const fn mend(&self) -> &'static str {
        match self {
            Self::Full { .. } => {
                "make room on the disk of node.data_dir; the node goes on by itself"
            }
            Self::Gone { .. } => {
                "nothing that is stored now would be found again: if another disk was mounted there take \
                 it away, or stop the node and start it on what is left"
            }
            Self::Io { .. } => {
                "look after the disk of node.data_dir; the node tries again by itself"
            }
            Self::TooLarge { .. } => "this is a fault of the node: please report it",
            Self::Missing { .. } | Self::Damaged { .. } => {
                "stop the node and run `plexus store check` on its node.data_dir"
            }
        }
    }
}

impl<D: Disk> Log<D> {
    /// Why nothing more is let in, and what helps.
    pub fn tell(&self, shortage: Shortage) -> String {
        told(shortage, &self.stat(), self.options.segment_bytes, self.options.bytes_max)
    }
}

/// The limit of the options is the last number.
fn told(shortage: Shortage, stat: &Stat, segment: u64, most: u64) -> String {
    let (files, living) = (stat.file_bytes(), stat.living_bytes());
    let taking = "have clients take what waits for them";
    // Of less no file of the log would come free.
    let or_taking = if living >= segment { format!(", or {taking}") } else { String::new() };
    let order = format!(
        "{living} of them are in use: no more is let in, because six segments of {segment} bytes and \
         a ninth of the rest are for order"
    );
    match shortage {
        Shortage::Refused { free } => format!(
            "the file system of node.data_dir refuses a file of {segment} bytes although it says \
             that {free} are free: a quota or its number of files is at its end; raise it{or_taking}"
        ),
        Shortage::Disk { free, wanted } => format!(
            "the disk of node.data_dir has no room for the next files of the log: {free} bytes are \
             free and {wanted} have to be, and of the {files} that the log takes {living} are in use; \
             make room there{or_taking}"
        ),
        Shortage::Files => format!(
            "the log takes {files} bytes of the {most} of store.max_size, {living} of them are in \
             use, and it is being cleaned; if it does not end by itself raise that{or_taking}"
        ),
        Shortage::Living { free: Some(free) } => format!(
            "the log takes {files} bytes beside {free} that are free on the disk of node.data_dir, \
             and {order}; make room there, choose a smaller store.segment_size, or {taking}"
        ),
        Shortage::Living { free: None } => format!(
            "the log takes {files} bytes of the {most} of store.max_size, and {order}; raise it, \
             choose a smaller store.segment_size, or {taking}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_nothing_to_do_with_clients_is_not_mended_by_them() {
        let stat = |living| Stat {
            segment_bytes: 8 << 20,
            spare_bytes: 2 << 20,
            body_bytes: living,
            ..Stat::default()
        };
        let shortage = Shortage::Disk { free: 0, wanted: 1 << 20 };
        let said = told(shortage, &stat(927), 1 << 20, 0);
        assert_eq!(
            said,
            "the disk of node.data_dir has no room for the next files of the log: 0 bytes are free \
             and 1048576 have to be, and of the 10485760 that the log takes 927 are in use; make room \
             there"
        );
        let said = told(shortage, &stat(5 << 20), 1 << 20, 0);
        assert!(said.ends_with("make room there, or have clients take what waits for them"));
        let said = told(Shortage::Living { free: None }, &stat(5 << 20), 1 << 20, 16 << 20);
        assert!(said.starts_with("the log takes 10485760 bytes of the 16777216 of store.max_size"));
    }
}
