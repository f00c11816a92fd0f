//! What of a store still means something.

use plexus_records::kept::{Kept, Writer};
use plexus_stdx::Seed;
use plexus_store::{Batch, Disk};

use crate::{error::ExportError, export::opened};

/// What lives in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Living {
    /// Messages that something refers to.
    pub messages: u64,
    /// What they take, and about what the rest takes if it is written anew.
    pub bytes: u64,
}

/// Reads the store as a start does. Whoever calls sees to it that no node writes meanwhile, or takes
/// an error and a wrong figure for what they are.
pub fn living<D: Disk>(disk: D) -> Result<Living, ExportError> {
    let (reader, recovery) = opened(disk, Seed::new(0))?;
    let (messages, bytes) = reader.bodies();
    let mut writer = Writer::new(Seed::new(reader.identity().hash_seed));
    let mut batch = Batch::new();
    let mut written = 0;
    let mut weigh = |batch: &mut Batch| {
        written += batch.bytes() as u64;
        batch.clear();
    };
    let Kept { sessions, retained, open: _ } = recovery.into_kept();
    for (topic, message) in retained {
        writer.retained(&mut batch, &topic, message);
        weigh(&mut batch);
    }
    for session in sessions {
        writer.session(&mut batch, session);
        weigh(&mut batch);
    }
    Ok(Living { messages, bytes: bytes + written })
}
