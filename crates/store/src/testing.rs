//! A disk in memory that loses, tears and refuses on demand, and bugs to plant.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard},
};

use plexus_stdx::Seed;

use crate::Disk;

const SECTOR_BYTES: usize = 512;
const NO_SPACE: i32 = 28;
const IO_ERROR: i32 = 5;

/// A bug that tests have to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// A synced commit returns without a sync.
    AcknowledgeBeforeSync,
    /// A segment goes although it holds bodies that somebody refers to.
    DeleteLiving,
}

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    /// [`Disk::create`].
    Create,
    /// [`Disk::remove`] and [`Disk::rename`].
    Name,
    /// [`Disk::read_at`].
    Read,
    /// [`Disk::write_at`].
    Write,
    /// [`Disk::sync`].
    Sync,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No space is left (ENOSPC).
    NoSpace,
    /// The device fails (EIO).
    Device,
    /// A read gives one byte; a write leaves half and fails; another call does its work and fails.
    Half,
}

#[derive(Debug, Clone)]
struct Write {
    at: usize,
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Default)]
struct Inode {
    durable: Vec<u8>,
    current: Vec<u8>,
    pending: Vec<Write>,
}

#[derive(Debug, Default)]
struct State {
    names: BTreeMap<String, u64>,
    inodes: BTreeMap<u64, Inode>,
    given: u64,
    faults: Vec<(Call, u64, Fault)>,
    calls: u64,
    bytes_max: u64,
    quota: u64,
    draws: u64,
}

/// A folder in memory. Clones are the same folder, so that it outlives the log that uses it.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk(Arc<Mutex<State>>);

/// A file of a [`MemoryDisk`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryFile(u64);

impl MemoryDisk {
    /// An empty folder; the seed decides how failing calls fail.
    pub fn new(seed: u64) -> Self {
        let disk = Self::default();
        disk.state().draws = seed;
        disk
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("invariant: nobody panics while the folder is locked")
    }

    /// What all files may take together; 0 for no limit.
    pub fn limit(&self, bytes_max: u64) {
        self.state().bytes_max = bytes_max;
    }

    /// The same, but the disk does not say so before it refuses.
    pub fn limit_secretly(&self, bytes_max: u64) {
        self.state().quota = bytes_max;
    }

    /// The `nth` call of that kind from now on fails, 1 being the next.
    pub fn fail(&self, call: Call, nth: u64, fault: Fault) {
        self.state().faults.push((call, nth.max(1), fault));
    }

    /// No call fails any more.
    pub fn heal(&self) {
        self.state().faults.clear();
    }

    /// How many calls there have been.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// The power goes: what was not synced is kept, lost or torn, as the seed says.
    pub fn crash(&self, seed: u64) {
        let mut state = self.state();
        let mut draw = Seed::new(seed).derive(3);
        state.faults.clear();
        for inode in state.inodes.values_mut() {
            let pending = std::mem::take(&mut inode.pending);
            lose(&mut inode.durable, &pending, &mut draw);
            inode.current.clone_from(&inode.durable);
        }
        // Files without a name end with the process.
        let State { names, inodes, .. } = &mut *state;
        inodes.retain(|inode, _| names.values().any(|named| named == inode));
    }

    /// Flips one bit.
    pub fn rot(&self, name: &str, offset: u64) {
        let mut state = self.state();
        let Some(number) = state.names.get(name).copied() else { return };
        let Some(inode) = state.inodes.get_mut(&number) else { return };
        for bytes in [&mut inode.durable, &mut inode.current] {
            if let Some(byte) = bytes.get_mut(offset as usize) {
                *byte ^= 0x10;
            }
        }
    }

    /// Flips a bit of a segment's header, and the same of its copy.
    #[cfg(test)]
    pub(crate) fn rot_header(&self, name: &str, offset: u64) {
        self.rot(name, offset);
        self.rot(name, offset + crate::header::COPY as u64);
    }

    /// A folder of its own with the same files, everything durable.
    #[must_use]
    pub fn copied(&self) -> Self {
        let state = self.state();
        let inodes = state.inodes.iter().map(|(number, inode)| {
            let current = inode.current.clone();
            (*number, Inode { durable: current.clone(), current, pending: Vec::new() })
        });
        let copy = State {
            names: state.names.clone(),
            inodes: inodes.collect(),
            given: state.given,
            draws: state.draws,
            ..State::default()
        };
        Self(Arc::new(Mutex::new(copy)))
    }
}

impl State {
    /// How the call that is being made fails, if it does.
    fn fault(&mut self, call: Call) -> Option<Fault> {
        self.calls += 1;
        let mut due = None;
        self.faults.retain_mut(|(of, left, fault)| {
            if *of != call {
                return true;
            }
            *left -= 1;
            if *left == 0 {
                due = Some(*fault);
            }
            *left > 0
        });
        due
    }

    fn draw(&mut self) -> u64 {
        let mut seed = Seed::new(self.draws);
        let drawn = seed.next_u64();
        self.draws = seed.value();
        drawn
    }

    /// What all files take.
    fn taken(&self) -> u64 {
        let named = self.names.values().filter_map(|number| self.inodes.get(number));
        named.map(|inode| inode.current.len() as u64).sum()
    }

    fn inode(&mut self, file: MemoryFile) -> io::Result<&mut Inode> {
        self.inodes.get_mut(&file.0).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }
}

/// Applies of the writes what a loss of power leaves.
fn lose(durable: &mut [u8], pending: &[Write], draw: &mut Seed) {
    let way = draw.below(4);
    let whole = draw.below(pending.len() + 1);
    for (at, write) in pending.iter().enumerate() {
        match way {
            // In order, and the last of them up to some byte.
            1 if at < whole => put(durable, write.at, &write.bytes),
            1 if at == whole => {
                let torn = draw.below(write.bytes.len() + 1);
                put(durable, write.at, write.bytes.get(..torn).unwrap_or_default());
            }
            // Nothing came through, or nothing more.
            0 | 1 => return,
            // Whole writes in any order.
            2 if draw.below(2) == 0 => put(durable, write.at, &write.bytes),
            2 => {}
            // Some sectors of each.
            _ => lose_sectors(durable, write, draw),
        }
    }
}

fn lose_sectors(durable: &mut [u8], write: &Write, draw: &mut Seed) {
    let mut done = 0;
    while let Some(rest) = write.bytes.get(done..).filter(|rest| !rest.is_empty()) {
        let at = write.at + done;
        let count = (SECTOR_BYTES - at % SECTOR_BYTES).min(rest.len());
        if draw.below(2) == 0 {
            put(durable, at, rest.get(..count).unwrap_or_default());
        }
        done += count;
    }
}

fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = file.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

fn error(fault: Fault) -> io::Error {
    io::Error::from_raw_os_error(if fault == Fault::NoSpace { NO_SPACE } else { IO_ERROR })
}

fn not_found() -> io::Error {
    io::Error::from(io::ErrorKind::NotFound)
}

impl Disk for MemoryDisk {
    type File = MemoryFile;

    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let state = self.state();
        let length = |number| state.inodes.get(number).map_or(0, |inode| inode.current.len());
        Ok(state.names.iter().map(|(name, inode)| (name.clone(), length(inode) as u64)).collect())
    }

    fn create(&self, name: &str, length: u64) -> io::Result<MemoryFile> {
        let mut state = self.state();
        let fault = state.fault(Call::Create);
        let taken = state.taken() + length;
        if [state.bytes_max, state.quota].into_iter().any(|max| max > 0 && taken > max) {
            return Err(error(Fault::NoSpace));
        }
        if let Some(fault) = fault.filter(|fault| *fault != Fault::Half) {
            return Err(error(fault));
        }
        state.given += 1;
        let number = state.given;
        let bytes = vec![0; length as usize];
        let inode = Inode { durable: bytes.clone(), current: bytes, pending: Vec::new() };
        state.inodes.insert(number, inode);
        state.names.insert(name.to_owned(), number);
        fault.map_or(Ok(MemoryFile(number)), |fault| Err(error(fault)))
    }

    fn has(&self, name: &str, file: &MemoryFile) -> io::Result<bool> {
        Ok(self.state().names.get(name) == Some(&file.0))
    }

    fn free_bytes(&self) -> io::Result<Option<u64>> {
        let state = self.state();
        let free = state.bytes_max.saturating_sub(state.taken());
        Ok(Some(free).filter(|_| state.bytes_max > 0))
    }

    fn open(&self, name: &str) -> io::Result<MemoryFile> {
        self.state().names.get(name).copied().map(MemoryFile).ok_or_else(not_found)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        let fault = state.fault(Call::Name);
        if let Some(fault) = fault.filter(|fault| *fault != Fault::Half) {
            return Err(error(fault));
        }
        state.names.remove(name).ok_or_else(not_found)?;
        fault.map_or(Ok(()), |fault| Err(error(fault)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        let fault = state.fault(Call::Name);
        if let Some(fault) = fault.filter(|fault| *fault != Fault::Half) {
            return Err(error(fault));
        }
        let number = state.names.remove(from).ok_or_else(not_found)?;
        state.names.insert(to.to_owned(), number);
        fault.map_or(Ok(()), |fault| Err(error(fault)))
    }

    fn read_at(&self, file: &MemoryFile, at: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state();
        let wanted = match state.fault(Call::Read) {
            None => into.len(),
            Some(Fault::Half) => into.len().min(1),
            Some(fault) => return Err(error(fault)),
        };
        let bytes = &state.inode(*file)?.current;
        let rest = bytes.get(at as usize..).unwrap_or_default();
        let count = wanted.min(rest.len());
        if let (Some(into), Some(from)) = (into.get_mut(..count), rest.get(..count)) {
            into.copy_from_slice(from);
        }
        Ok(count)
    }

    fn write_at(&self, file: &MemoryFile, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.state();
        let fault = state.fault(Call::Write);
        let done = match fault {
            None => bytes.len(),
            Some(Fault::Half) => bytes.len() / 2,
            Some(fault) => return Err(error(fault)),
        };
        let bytes = bytes.get(..done).unwrap_or_default().to_vec();
        let inode = state.inode(*file)?;
        let at = at as usize;
        assert!(at + bytes.len() <= inode.current.len(), "a segment does not grow");
        put(&mut inode.current, at, &bytes);
        inode.pending.push(Write { at, bytes });
        fault.map_or(Ok(()), |fault| Err(error(fault)))
    }

    /// A sync that fails may have made anything durable; what it has not, no later sync will.
    fn sync(&self, file: &MemoryFile) -> io::Result<()> {
        let mut state = self.state();
        let fault = state.fault(Call::Sync);
        let mut draw = Seed::new(state.draw());
        let inode = state.inode(*file)?;
        let pending = std::mem::take(&mut inode.pending);
        if let Some(fault) = fault {
            lose(&mut inode.durable, &pending, &mut draw);
            return Err(error(fault));
        }
        for write in &pending {
            put(&mut inode.durable, write.at, &write.bytes);
        }
        Ok(())
    }
}
