use std::{
    fs::{self, File, TryLockError},
    path::Path,
};

use crate::failure::Failure;

/// Makes the directory and locks it for this process. The lock goes with the file that is returned.
pub(super) fn lock(dir: &Path) -> Result<File, Failure> {
    fs::create_dir_all(dir).map_err(|error| {
        Failure::because(format_args!("cannot make the data directory {}", dir.display()), &error)
    })?;
    let path = dir.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| {
        Failure::because(format_args!("cannot write {}", path.display()), &error)
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::Failed(format!(
            "another node uses the data directory {}; stop it or choose another directory",
            dir.display()
        ))),
        Err(TryLockError::Error(error)) => {
            Err(Failure::because(format_args!("cannot lock {}", path.display()), &error))
        }
    }
}
