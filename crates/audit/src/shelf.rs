//! The files of an audit log that somebody reads: their names, whether they are whole, what they hold.

use std::{io, path::Path};

use plexus_store::{Disk, FileDisk};

use crate::{Break, Summary, check::Check};

/// Bytes of a file that is read: more than a node ever writes into one.
const FILE_BYTES_MAX: u64 = 2 << 30;
const NAME_START: &str = "audit-";
const NAME_END: &str = ".jsonl";

/// Why an audit log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Its folder or a file of it cannot be read.
    #[error(transparent)]
    Disk(#[from] io::Error),
    /// There is no file of an audit log.
    #[error("there is no audit log in it")]
    Nothing,
    /// It is not what was written.
    #[error(transparent)]
    Broken(#[from] Break),
}

/// `audit-00000001.jsonl`
pub(crate) fn file_name(number: u64) -> String {
    format!("{NAME_START}{number:08}{NAME_END}")
}

/// The number of a file of that name, if it is one of an audit log.
fn number_of(name: &str) -> Option<u64> {
    let number = name.strip_prefix(NAME_START)?.strip_suffix(NAME_END)?.parse().ok()?;
    (file_name(number) == name).then_some(number)
}

/// The numbers of the files, the oldest first.
pub(crate) fn numbers<D: Disk>(disk: &D) -> io::Result<Vec<u64>> {
    let mut numbers: Vec<u64> =
        disk.list()?.iter().filter_map(|(name, _)| number_of(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// All bytes of a file.
pub(crate) fn read_file<D: Disk>(disk: &D, number: u64) -> io::Result<Vec<u8>> {
    let name = file_name(number);
    let listed = disk.list()?.into_iter().find(|(listed, _)| *listed == name);
    let (_, length) = listed.ok_or(io::ErrorKind::NotFound)?;
    if length > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("{name} is larger than any that a node writes")));
    }
    let file = disk.open(&name)?;
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    let mut done = 0;
    while let Some(rest) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match disk.read_at(&file, done as u64, rest) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(done);
    Ok(bytes)
}

/// Looks at every record of the files in a folder. A node may be writing them.
pub fn verify(folder: &Path) -> Result<Summary, ReadError> {
    verify_disk(&FileDisk::open_shared(folder)?)
}

pub(crate) fn verify_disk<D: Disk>(disk: &D) -> Result<Summary, ReadError> {
    let numbers = numbers(disk)?;
    if numbers.is_empty() {
        return Err(ReadError::Nothing);
    }
    let mut check = Check::default();
    for number in numbers {
        check.file(number, file_name, &read_file(disk, number)?)?;
    }
    Ok(check.end())
}

/// Gives each line of the files in a folder, the oldest first, whole or not, until `take` wants no more.
pub fn read(folder: &Path, mut take: impl FnMut(&str) -> bool) -> Result<(), ReadError> {
    let disk = FileDisk::open_shared(folder)?;
    let numbers = numbers(&disk)?;
    if numbers.is_empty() {
        return Err(ReadError::Nothing);
    }
    for number in numbers {
        let bytes = read_file(&disk, number)?;
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            if !take(&String::from_utf8_lossy(line)) {
                return Ok(());
            }
        }
    }
    Ok(())
}
