//! What the log asks of a disk: the files of one folder, by plain names.

mod file;

use std::io;

pub use file::FileDisk;

/// Files of one folder, by plain names. Whatever changes names is durable when it returns.
pub trait Disk {
    /// An open file. It stays the same file when its name changes.
    type File;

    /// Name and length of every file.
    fn list(&self) -> io::Result<Vec<(String, u64)>>;

    /// A file of exactly that length that reads as zeros, its blocks allocated. Replaces a file
    /// of the same name.
    fn create(&self, name: &str, length: u64) -> io::Result<Self::File>;

    /// Whether the name is that open file's.
    fn has(&self, name: &str, file: &Self::File) -> io::Result<bool>;

    /// Bytes that it has room for yet; `None` if it cannot tell.
    fn free_bytes(&self) -> io::Result<Option<u64>>;

    /// Opens a file that exists, for reading and writing.
    fn open(&self, name: &str) -> io::Result<Self::File>;

    /// Deletes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Gives a file another name; a file that has it is replaced.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Reads bytes from an offset on and says how many; fewer than asked for are no error.
    fn read_at(&self, file: &Self::File, at: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Writes all bytes from an offset on. After an error any part of them may be there.
    fn write_at(&self, file: &Self::File, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Returns when everything written to the file is durable. After an error nothing that was
    /// written since the last success may be taken for durable, whatever a later call says.
    fn sync(&self, file: &Self::File) -> io::Result<()>;
}

/// Reads as much of `into` as the file has.
pub(crate) fn read_whole<D: Disk>(
    disk: &D,
    file: &D::File,
    at: u64,
    into: &mut [u8],
) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match disk.read_at(file, at + done as u64, rest) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}
