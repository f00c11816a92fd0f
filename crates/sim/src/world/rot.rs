//! Bits that turn over on the disk: a start must say where, or not be concerned.
//!
//! The log is closed before, or nobody could know whether its last commit is damaged or was being
//! written when the node stopped.

use plexus_stdx::Seed;
use plexus_store::{Disk, Group, Log, LogOptions, OpenError, Replay, testing::MemoryDisk};

use super::{World, logger::Logger};
use crate::dice::Dice;

/// The hash of everything that a start is told.
#[derive(Debug)]
struct Digest(u64);

impl Digest {
    fn of(disk: MemoryDisk, options: &LogOptions) -> Result<u64, OpenError> {
        let mut digest = Self(0);
        Log::open(disk, options.clone(), &mut digest)?;
        Ok(digest.0)
    }
}

impl Replay for Digest {
    fn entry(&mut self, group: Group, index: u64, at: u64, payload: &[u8]) -> Result<(), String> {
        self.0 = Seed::new(self.0).hash(&(group.0, index, at, payload));
        Ok(())
    }

    fn restart(&mut self) {
        self.0 = 0;
    }
}

impl Logger {
    /// A copy of the disk as a node leaves it that is stopped.
    fn closed(&self) -> Result<MemoryDisk, Box<dyn std::error::Error>> {
        let disk = self.disk.copied();
        let mut log = Log::open(disk.clone(), self.options.clone(), &mut Digest(0))?;
        // Whatever is referred to: nothing is cleaned.
        log.set_references(std::iter::empty())?;
        log.close(log.newest_millis())?;
        Ok(disk)
    }

    /// Starts from a copy of the disk with a bit turned over.
    fn try_rot(&self, dice: &mut Dice) -> Result<(), String> {
        let closed = self.closed().map_err(|error| error.to_string())?;
        let mut files = closed.list().map_err(|error| error.to_string())?;
        files.retain(|(name, _)| name.rsplit_once('.').is_some_and(|(_, kind)| kind == "seg"));
        files.sort();
        let (name, length) = dice.pick(&files);
        let offset = dice.below(usize::try_from(length).unwrap_or(usize::MAX)) as u64;
        let sound = Digest::of(closed.copied(), &self.options);
        let sound = sound.map_err(|error| error.to_string())?;
        let rotten = closed.copied();
        rotten.rot(&name, offset);
        match Digest::of(rotten, &self.options) {
            Ok(digest) if digest == sound => Ok(()),
            Ok(_) => {
                Err(format!("byte {offset} of {name} is damaged, and the log says another thing"))
            }
            Err(OpenError::Damaged { file, .. } | OpenError::Newer { file, .. })
                if file == name =>
            {
                Ok(())
            }
            Err(error) => Err(format!("byte {offset} of {name} is damaged, not this: {error}")),
        }
    }
}

impl World {
    pub(super) fn try_rot(&mut self) {
        let percent = self.plan.storage.as_ref().map_or(0, |storage| storage.rot);
        let Some(logger) = self.logger.as_ref().filter(|_| self.dice.chance(percent)) else {
            return;
        };
        if let Err(what) = logger.try_rot(&mut self.dice) {
            self.violated("damage_found", what);
        }
    }
}
