use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Write},
    path::Path,
};

use plexus_store::FileDisk;
use plexus_terminal::Failure;

/// Makes the directory and locks it for this process. The lock goes with the file that is returned.
pub(crate) fn lock(dir: &Path) -> Result<File, Failure> {
    let mend = "let the user that runs plexus write there, or choose another with --data-dir or \
                node.data_dir";
    if dir.exists() && !dir.is_dir() {
        let message = format!(
            "the data directory {} is a file; choose another with --data-dir or node.data_dir",
            dir.display()
        );
        return Err(Failure::Failed(message));
    }
    FileDisk::create_folder(dir).map_err(|error| {
        let dir = dir.display();
        Failure::Failed(format!("cannot make the data directory {dir}: {error}; {mend}"))
    })?;
    let path = dir.join("lock");
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    let mut file = for_its_owner(&mut options).open(&path).map_err(|error| {
        let path = path.display();
        Failure::Failed(format!("cannot write in the data directory: {path}: {error}; {mend}"))
    })?;
    match file.try_lock() {
        Ok(()) => {
            // For whoever is refused: no more than a help.
            drop(file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())));
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut owner = String::new();
            drop(file.read_to_string(&mut owner));
            let dir = dir.display();
            Err(Failure::Failed(format!(
                "another node (process {}) uses the data directory {dir}; stop it or choose another \
                 directory",
                owner.trim()
            )))
        }
        Err(TryLockError::Error(error)) => {
            Err(Failure::because(format_args!("cannot lock {}", path.display()), &error))
        }
    }
}

/// A file that is made is for the user alone whom the program runs as, as all of a store are.
pub(crate) fn for_its_owner(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}
