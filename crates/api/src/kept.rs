//! Files of the API: for their owner alone, replaced as a whole.

use std::{fs, io, path::Path};

use plexus_runtime::files;
use serde::{Serialize, de::DeserializeOwned};

/// Why a file is not read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// It cannot be read.
    Io(io::Error),
    /// It holds something else.
    Form(serde_json::Error),
}

/// What the file holds; nothing where there is none.
pub(crate) fn read<T: DeserializeOwned>(file: &Path) -> Result<Option<T>, ReadError> {
    match fs::read(file) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(ReadError::Form),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ReadError::Io(error)),
    }
}

/// Puts it in the place of the file; after a crash one of the two is there, whole.
pub(crate) fn write(file: &Path, what: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(what).map_err(io::Error::other)?;
    files::replace(file, &text)
}

#[cfg(test)]
pub(crate) mod testing {
    use std::{fs, path::PathBuf};

    /// A folder that is gone afterwards.
    pub(crate) struct Folder(PathBuf);

    impl Folder {
        pub(crate) fn new(name: &str) -> Self {
            let name = format!("plexus-api-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }

        pub(crate) fn file(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }
}
