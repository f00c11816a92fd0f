//! An import into the data directory of a node: beside the place of the log, and there at once when
//! it is whole.

use std::{
    io::{self, BufRead},
    path::{Path, PathBuf},
};

use plexus_store::{FileDisk, tools};

use crate::{
    error::FolderError,
    import::{Imported, NewStore, import},
};

/// The folder of the log in a data directory.
const LOG: &str = "log";
/// Where it is made.
const MAKING: &str = "log.import";

/// Makes the store of a data directory. A store that is there is left alone; one without segments
/// counts as none. When the import fails, or is interrupted, there is no store.
pub fn import_into(
    data_dir: &Path,
    new: NewStore,
    input: &mut dyn BufRead,
) -> Result<Imported, FolderError> {
    let (log, making) = (data_dir.join(LOG), data_dir.join(MAKING));
    make_room(&log)?;
    if making.exists() {
        // Of an import that was interrupted.
        clear(&making)?;
    }
    let disk = FileDisk::open(&making).map_err(at(&making))?;
    let imported = import(disk, new, input).inspect_err(|_| {
        // The error of the import is the one that counts; the next import clears the folder.
        drop(clear(&making));
    })?;
    FileDisk::rename_folder(&making, &log).map_err(at(&log))?;
    Ok(imported)
}

/// Takes away a folder in which no node has stored anything.
fn make_room(log: &Path) -> Result<(), FolderError> {
    if !log.exists() {
        return Ok(());
    }
    let shared = FileDisk::open_shared(log).map_err(at(log))?;
    let stat = tools::stat(&shared)
        .map_err(|source| FolderError::Open { folder: log.to_owned(), source })?;
    if stat.segments.is_empty() { clear(log) } else { Err(FolderError::Exists(log.to_owned())) }
}

fn clear(folder: &Path) -> Result<(), FolderError> {
    let disk = FileDisk::open(folder).map_err(at(folder))?;
    disk.remove_folder().map_err(at(folder))
}

fn at(folder: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let folder: PathBuf = folder.to_owned();
    move |source| FolderError::Io { folder, source }
}
