use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process,
};

use super::Disk;
use crate::{SegmentNumber, segment::spare_number};

const LOCK: &str = "LOCK";
/// What clients send each other is for the user that the node runs as.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
// A page: some file systems keep what one call wrote as one piece, and give the whole piece to the
// disk again for every small write into it.
static ZEROS: [u8; 4 * 1024] = [0; 4 * 1024];

/// A folder of the operating system.
#[derive(Debug)]
pub struct FileDisk {
    folder: PathBuf,
    /// Files that may not be written are opened all the same.
    reads: bool,
    // Held, not read: the lock ends with the file.
    _lock: Option<File>,
}

impl FileDisk {
    /// Takes the folder for this process alone, and makes it when it is not there. A folder that
    /// another process has is refused with that process's number.
    pub fn open(folder: &Path) -> io::Result<Self> {
        Self::create_folder(folder)?;
        let lock = Some(Self::lock(folder)?);
        Ok(Self { folder: folder.to_owned(), reads: false, _lock: lock })
    }

    /// The folder for this process alone, to be read. Where nobody can write, nobody has to be kept out.
    pub fn open_to_read(folder: &Path) -> io::Result<Self> {
        fs::metadata(folder)?;
        let lock = match Self::lock(folder) {
            Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => None,
            lock => Some(lock?),
        };
        Ok(Self { folder: folder.to_owned(), reads: true, _lock: lock })
    }

    fn lock(folder: &Path) -> io::Result<File> {
        let path = folder.join(LOCK);
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(FILE_MODE)
            .open(&path)
            .map_err(named)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => {
                let owner = named_in(&mut lock)?;
                let message = format!("{} is in use by process {owner}", folder.display());
                return Err(io::Error::new(io::ErrorKind::ResourceBusy, message));
            }
        }
        lock.set_len(0)?;
        lock.write_all(format!("{}\n", process::id()).as_bytes())?;
        Ok(lock)
    }

    /// Makes the folder and those around it that are not there, durably: what is kept in a folder whose
    /// own name is lost is lost with it.
    pub fn create_folder(folder: &Path) -> io::Result<()> {
        create_missing(folder, &mut |around| File::open(around)?.sync_all())
    }

    /// The folder without its lock, for tools that only read.
    pub fn open_shared(folder: &Path) -> io::Result<Self> {
        fs::metadata(folder)?;
        Ok(Self { folder: folder.to_owned(), reads: true, _lock: None })
    }

    /// The number of the process that has the folder, if one has.
    pub fn owner(folder: &Path) -> io::Result<Option<String>> {
        let mut lock = match File::open(folder.join(LOCK)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            lock => lock?,
        };
        match lock.try_lock_shared() {
            Ok(()) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
            Err(TryLockError::WouldBlock) => named_in(&mut lock).map(Some),
        }
    }

    /// Deletes the folder with all files of a store. Fails when there is anything else in it.
    pub fn remove_folder(self) -> io::Result<()> {
        for (name, _) in self.list()? {
            if SegmentNumber::of_file(&name).is_some() || spare_number(&name).is_some() {
                fs::remove_file(self.path(&name))?;
            }
        }
        fs::remove_file(self.path(LOCK))?;
        fs::remove_dir(&self.folder)
    }

    /// Gives a folder that nobody uses another name in the folder around it, durably.
    pub fn rename_folder(from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        File::open(around(to))?.sync_all()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

/// The process that a lock names.
fn named_in(lock: &mut File) -> io::Result<String> {
    let mut owner = String::new();
    lock.read_to_string(&mut owner)?;
    Ok(owner.trim().to_owned())
}

/// The folder that holds the name.
fn around(path: &Path) -> &Path {
    let around = path.parent().filter(|around| !around.as_os_str().is_empty());
    around.unwrap_or_else(|| Path::new("."))
}

/// From the outermost one on; `sync` is given the folder that holds each new name.
fn create_missing(folder: &Path, sync: &mut dyn FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
    let missing = folder.ancestors().filter(|one| !one.as_os_str().is_empty());
    let missing: Vec<_> = missing.take_while(|one| !one.exists()).collect();
    for folder in missing.into_iter().rev() {
        match DirBuilder::new().mode(FOLDER_MODE).create(folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
            made => made?,
        }
        sync(around(folder))?;
    }
    if folder.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

impl Disk for FileDisk {
    type File = File;

    fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let mut files = Vec::new();
        for item in fs::read_dir(&self.folder)? {
            let item = item?;
            let metadata = item.metadata()?;
            if let (true, Ok(name)) = (metadata.is_file(), item.file_name().into_string()) {
                files.push((name, metadata.len()));
            }
        }
        files.sort();
        Ok(files)
    }

    /// Zeros are written rather than blocks reserved: the first write to a reserved block changes
    /// the file's map of blocks, and each sync would wait for the journal of the file system too.
    fn create(&self, name: &str, length: u64) -> io::Result<File> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .mode(FILE_MODE)
            .open(self.path(name))?;
        let mut at = 0;
        while at < length {
            let count = (length - at).min(ZEROS.len() as u64);
            let zeros = ZEROS.get(..count as usize).unwrap_or(&ZEROS);
            file.write_all_at(zeros, at)?;
            at += count;
        }
        file.sync_all()?;
        self.sync_folder()?;
        Ok(file)
    }

    fn has(&self, name: &str, file: &File) -> io::Result<bool> {
        let ours = file.metadata()?;
        match fs::metadata(self.path(name)) {
            Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What the file system has for those who are not root.
    fn free_bytes(&self) -> io::Result<Option<u64>> {
        let system = rustix::fs::statvfs(&self.folder)?;
        // Some that live on the network or in memory say nothing.
        let tells = system.f_blocks > 0;
        Ok(tells.then(|| system.f_bavail.saturating_mul(system.f_frsize)))
    }

    /// Whoever only reads needs no leave to write.
    fn open(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().read(true).write(!self.reads).open(self.path(name))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name))?;
        self.sync_folder()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from), self.path(to))?;
        self.sync_folder()
    }

    fn read_at(&self, file: &File, at: u64, into: &mut [u8]) -> io::Result<usize> {
        file.read_at(into, at)
    }

    fn write_at(&self, file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
        file.write_all_at(bytes, at)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }
}

#[cfg(test)]
mod tests;
