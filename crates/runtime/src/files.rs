//! Files that a node keeps beside its log: for the user alone whom it runs as, and replaced as a whole.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

/// Has a file that is made be for its owner alone.
pub fn for_its_owner(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Puts it in the place of the file; after a crash one of the two is there, whole. An error leaves the old one.
pub fn replace(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = file.with_extension("new");
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    let mut new = for_its_owner(&mut options).open(&beside)?;
    new.write_all(bytes)?;
    new.sync_all()?;
    fs::rename(&beside, file)?;
    // It is in its place: what fails from here on is told, and is no failure of the change.
    if let Some(Err(error)) = file.parent().map(sync_folder) {
        tracing::warn!(%error, file = %file.display(), "the folder of the file cannot be synced");
    }
    Ok(())
}

/// What was made, renamed or deleted in the folder stays so when the power goes.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    // The folder of a bare name is the one of now.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}
