//! Bits that turn over on the disk: a start must say where, or not be concerned.
//!
//! The newest file is left alone: whether the last commit of a log is damaged or was being written
//! when the node stopped nobody can know.

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
    /// Starts from a copy of the disk with a bit turned over.
    fn try_rot(&self, dice: &mut Dice) -> Result<(), String> {
        let mut files = self.disk.list().map_err(|error| error.to_string())?;
        files.retain(|(name, _)| name.rsplit_once('.').is_some_and(|(_, kind)| kind == "seg"));
        files.sort();
        let Some((_, older)) = files.split_last().filter(|(_, older)| !older.is_empty()) else {
            return Ok(());
        };
        let (name, length) = dice.pick(older);
        let offset = dice.below(usize::try_from(length).unwrap_or(usize::MAX)) as u64;
        let sound = Digest::of(self.disk.copied(), &self.options);
        let sound = sound.map_err(|error| error.to_string())?;
        let rotten = self.disk.copied();
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
