//! Every store comes back from its export, and hostile lines are refused.

mod hostile;
mod random;

use plexus_records::kept::Kept;
use plexus_recovery::Recovery;
use plexus_stdx::Seed;
use plexus_store::{Identity, testing::MemoryDisk, tools::Reader};

use crate::{Counts, ImportError, Imported, NewStore, export, import};

/// The text of an export, and what it counts.
fn exported(disk: &MemoryDisk) -> (String, Counts) {
    let mut out = Vec::new();
    let counts = export(disk.clone(), 9_000, &mut out).expect("a whole store");
    (String::from_utf8(out).expect("JSON is UTF-8"), counts)
}

fn imported(text: &str) -> Result<(MemoryDisk, Imported), ImportError> {
    let disk = MemoryDisk::new(1);
    let identity = Identity { store: 5, hash_seed: 77, created_millis: 8_000 };
    let new = NewStore { segment_bytes: 16 * 1024, ..NewStore::new(identity, 8_500) };
    import(disk.clone(), new, &mut text.as_bytes()).map(|imported| (disk, imported))
}

/// What a start would find.
fn kept(disk: &MemoryDisk) -> Kept {
    let mut recovery = Recovery::new(Seed::new(3));
    let mut reader = Reader::open(disk.clone(), &mut recovery).expect("a whole store");
    reader.set_references(recovery.references()).expect("all messages");
    recovery.into_kept()
}

/// The lines without the times of writing.
fn lasting(text: &str) -> String {
    let (header, rest) = text.split_once('\n').expect("a header");
    let (header, _) = header.split_once(",\"newest_millis\"").expect("the newest time");
    format!("{header}\n{rest}")
}
