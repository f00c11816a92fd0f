//! A store as a start would find it, of which nothing is changed.

use std::{fmt, io};

use plexus_types::MessageId;

use crate::{
    ClockMap, Disk, Identity, Log, LogError, LogOptions, MissingBodies, OpenError, Recovered,
    Replay, StoredMessage, tools,
};

/// A store that is only read.
pub struct Reader<D: Disk> {
    log: Log<Still<D>>,
}

impl<D: Disk> fmt::Debug for Reader<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("identity", &self.identity()).finish_non_exhaustive()
    }
}

impl<D: Disk> Reader<D> {
    /// Reads everything as [`Log::open`] does and gives it to `replay`.
    pub fn open(disk: D, replay: &mut dyn Replay) -> Result<Self, OpenError> {
        let stat = tools::stat(&disk)?;
        if stat.segments.is_empty() {
            return Err(OpenError::Empty);
        }
        // Each segment says whose it is: this name is for a store that has to be made.
        let nobody = Identity { store: 0, hash_seed: 0, created_millis: 0 };
        let options = LogOptions::new(nobody, ClockMap::default());
        Ok(Self { log: Log::open(Still(disk), options, replay)? })
    }

    /// Says which bodies are referred to; an error names those that are not there.
    pub fn set_references(
        &mut self,
        bodies: impl Iterator<Item = MessageId>,
    ) -> Result<(), MissingBodies> {
        self.log.set_references(bodies)
    }

    /// What was stored of a message.
    pub fn read(&self, body: MessageId) -> Result<StoredMessage, LogError> {
        self.log.read(body)
    }

    /// What tells this store from others.
    pub const fn identity(&self) -> Identity {
        self.log.identity()
    }

    /// The newest time in the log, in milliseconds since 1970.
    pub const fn newest_millis(&self) -> u64 {
        self.log.newest_millis()
    }

    /// How many messages are referred to, and what they take.
    pub fn bodies(&self) -> (u64, u64) {
        let stat = self.log.stat();
        (stat.bodies, stat.body_bytes)
    }

    /// What was found.
    pub const fn recovered(&self) -> &Recovered {
        self.log.recovered()
    }
}

/// A disk that stays as it is. A start writes the log's last frames again, as they are, so that they
/// are durable; whoever only reads can leave that to the start. Whatever would change a store is
/// refused.
#[derive(Debug)]
struct Still<D>(D);

fn refused() -> io::Error {
    io::Error::new(io::ErrorKind::ReadOnlyFilesystem, "the store is only read")
}

impl<D: Disk> Disk for Still<D> {
    type File = D::File;

    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        self.0.list()
    }

    fn create(&self, _name: &str, _length: u64) -> io::Result<D::File> {
        Err(refused())
    }

    fn has(&self, name: &str, file: &D::File) -> io::Result<bool> {
        self.0.has(name, file)
    }

    fn free_bytes(&self) -> io::Result<Option<u64>> {
        self.0.free_bytes()
    }

    fn open(&self, name: &str) -> io::Result<D::File> {
        self.0.open(name)
    }

    fn remove(&self, _name: &str) -> io::Result<()> {
        Err(refused())
    }

    fn rename(&self, _from: &str, _to: &str) -> io::Result<()> {
        Err(refused())
    }

    fn read_at(&self, file: &D::File, at: u64, into: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(file, at, into)
    }

    fn write_at(&self, file: &D::File, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut there = vec![0; bytes.len()];
        let read = crate::disk::read_whole(&self.0, file, at, &mut there)?;
        if read == bytes.len() && there == bytes { Ok(()) } else { Err(refused()) }
    }

    fn sync(&self, _file: &D::File) -> io::Result<()> {
        Ok(())
    }
}
