//! Where the layer is kept: `config/layer.toml` in the data directory, and each earlier version below
//! `config/history`.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use plexus_config::{ConfigError, Diagnostic, File as ConfigFile, Origin, Override};
use plexus_runtime::files;

use crate::{Layer, text};

/// Versions that are kept, beside the one of now.
pub const VERSIONS_MAX: usize = 100;

/// Bytes of the layer: less than a configuration file may have, so that it is read again.
const BYTES_MAX: usize = 512 * 1024;

/// The folder of the changes of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder(PathBuf);

/// What is stored now.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stored {
    /// The layer.
    pub layer: Layer,
    /// Its keys as sources of the configuration, each with its line.
    pub overrides: Vec<Override>,
}

/// Why nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Somebody else changes it at this moment.
    #[error("somebody else changes the configuration at this moment; try again")]
    Busy,
    /// The disk did not take it, or the folder cannot be written.
    #[error("cannot write {path}: {error}; let the user that runs plexus write there")]
    Io {
        /// Where.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// More than would be read again.
    #[error(
        "the changes take {0} bytes of at most {BYTES_MAX}; move some of them into the configuration file"
    )]
    Large(usize),
    /// A value that TOML cannot hold.
    #[error("the changes cannot be written as TOML: {0}")]
    Text(#[from] toml::ser::Error),
}

impl Folder {
    /// That of a node with that data directory.
    pub fn of(data_dir: &Path) -> Self {
        Self(data_dir.join("config"))
    }

    /// Where the layer is.
    pub fn file(&self) -> PathBuf {
        self.0.join("layer.toml")
    }

    /// What is stored; version 0 where nothing was ever changed.
    pub fn read(&self) -> Result<Stored, ConfigError> {
        let path = self.file();
        if !is_there(&path)? {
            return Ok(Stored::default());
        }
        let (layer, overrides) = text::read(&ConfigFile::read(&path)?)?;
        Ok(Stored { layer, overrides })
    }

    /// Nobody else changes it until the lock is dropped. Makes the folder.
    pub fn lock(&self) -> Result<File, FolderError> {
        let history = self.history_folder();
        make_folder(&self.0)
            .and_then(|()| make_folder(&history))
            .map_err(|error| failed(&history, error))?;
        let path = self.0.join("lock");
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        let file =
            files::for_its_owner(&mut options).open(&path).map_err(|error| failed(&path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(FolderError::Busy),
            Err(TryLockError::Error(error)) => Err(failed(&path, error)),
        }
    }

    /// Puts `new` in the place of `old`, which goes to the history before. After a crash one of the two holds, whole.
    pub fn replace(&self, old: &Layer, new: &Layer) -> Result<(), FolderError> {
        write(&self.version_file(old.version), old)?;
        write(&self.file(), new)?;
        // What is too many takes room and nothing else.
        if let Ok(mut versions) = self.versions() {
            versions.retain(|version| *version < new.version);
            let many = versions.len().saturating_sub(VERSIONS_MAX);
            for version in versions.into_iter().take(many) {
                drop(fs::remove_file(self.version_file(version)));
            }
        }
        Ok(())
    }

    /// Has the version hold again that was replaced by the last change, which came to nothing.
    pub fn take_back(&self, old: &Layer) -> Result<(), FolderError> {
        write(&self.file(), old)
    }

    /// The versions that are kept, the oldest first. One that cannot be read is left out.
    pub fn history(&self) -> Result<Vec<Layer>, ConfigError> {
        let failed = |error: io::Error| {
            let origin = Origin::Whole(self.history_folder().display().to_string());
            let message = format!("cannot list the history of the changes: {error}");
            ConfigError::one(Diagnostic::new(origin, message))
        };
        let versions = self.versions().map_err(failed)?;
        let layers = versions.into_iter().filter_map(|version| self.version(version).ok()?);
        Ok(layers.collect())
    }

    /// That version, if it is kept. Version 0 is always: nothing was changed.
    pub fn version(&self, version: u64) -> Result<Option<Layer>, ConfigError> {
        let path = self.version_file(version);
        if !is_there(&path)? {
            return Ok((version == 0).then(Layer::default));
        }
        let (layer, _) = text::read(&ConfigFile::read(&path)?)?;
        if layer.version != version {
            let origin = Origin::Whole(path.display().to_string());
            let message = format!("the file holds version {}", layer.version);
            let help = "give it the name of its version";
            return Err(ConfigError::one(Diagnostic::new(origin, message).with_help(help)));
        }
        Ok(Some(layer))
    }

    fn history_folder(&self) -> PathBuf {
        self.0.join("history")
    }

    fn version_file(&self, version: u64) -> PathBuf {
        self.history_folder().join(format!("{version}.toml"))
    }

    /// The numbers of the versions that are there, in order.
    fn versions(&self) -> io::Result<Vec<u64>> {
        let entries = match fs::read_dir(self.history_folder()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut versions = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            let number: Option<u64> =
                name.to_str().and_then(|name| name.strip_suffix(".toml")?.parse().ok());
            versions.extend(number);
        }
        versions.sort_unstable();
        Ok(versions)
    }
}

fn write(path: &Path, layer: &Layer) -> Result<(), FolderError> {
    let text = text::written(layer)?;
    if text.len() > BYTES_MAX {
        return Err(FolderError::Large(text.len()));
    }
    files::replace(path, text.as_bytes()).map_err(|error| failed(path, error))
}

/// Whether a file is there; one that cannot be seen is no file that is missing.
fn is_there(path: &Path) -> Result<bool, ConfigError> {
    let is_there = path.try_exists();
    // A data directory that is none is told by whoever wants one.
    if is_there.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotADirectory) {
        return Ok(false);
    }
    is_there.map_err(|error| {
        let origin = Origin::Whole(path.display().to_string());
        let help = "let the user that runs plexus read it";
        let message = format!("cannot read the file: {error}");
        ConfigError::one(Diagnostic::new(origin, message).with_help(help))
    })
}

/// A folder that stays when the power goes.
fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    folder.parent().map_or(Ok(()), files::sync_folder)
}

fn failed(path: &Path, error: io::Error) -> FolderError {
    FolderError::Io { path: path.display().to_string(), error }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use serde_json::json;

    use super::{Folder, FolderError, VERSIONS_MAX};
    use crate::{
        Layer,
        layer::tests::{config, patched, stamp},
    };

    /// A data directory that is gone afterwards.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let name = format!("plexus-changes-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            fs::create_dir_all(&folder).unwrap();
            Self(folder)
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    fn changed(layer: &Layer, inflight: usize) -> Layer {
        patched(layer, &config(""), &json!({ "mqtt": { "max_inflight": inflight + 1 } }))
    }

    #[test]
    fn what_is_stored_is_there_again_and_so_is_what_was_before() {
        let data = Place::new("stored");
        let folder = Folder::of(&data.0);
        assert_eq!(folder.read().unwrap().layer, Layer::default());
        assert_eq!(folder.history().unwrap(), []);
        let lock = folder.lock().unwrap();
        assert!(matches!(folder.lock(), Err(FolderError::Busy)));
        let mut layers = vec![Layer::default()];
        for number in 0..VERSIONS_MAX + 3 {
            let next = changed(layers.last().unwrap(), number);
            folder.replace(layers.last().unwrap(), &next).unwrap();
            layers.push(next);
        }
        drop(lock);
        drop(folder.lock().unwrap());
        let last = layers.pop().unwrap();
        assert_eq!(folder.read().unwrap().layer, last);
        let kept = layers.split_off(layers.len() - VERSIONS_MAX);
        assert_eq!(folder.history().unwrap(), kept);
        assert_eq!(folder.version(0).unwrap(), Some(Layer::default()));
        assert_eq!(folder.version(1).unwrap(), None);
        folder.take_back(kept.last().unwrap()).unwrap();
        assert_eq!(&folder.read().unwrap().layer, kept.last().unwrap());
    }

    #[test]
    fn a_crash_between_history_and_layer_loses_nothing() {
        let data = Place::new("crash");
        let folder = Folder::of(&data.0);
        let _lock = folder.lock().unwrap();
        let one = changed(&Layer::default(), 1);
        folder.replace(&Layer::default(), &one).unwrap();
        // The history has the version already, and beside it stands half a file.
        let text = fs::read_to_string(folder.file()).unwrap();
        fs::write(data.0.join("config/history/1.toml"), &text).unwrap();
        fs::write(data.0.join("config/layer.new"), &text[..20]).unwrap();
        assert_eq!(folder.read().unwrap().layer, one);
        let two = one.rolled_back(&Layer::default(), stamp());
        folder.replace(&one, &two).unwrap();
        assert_eq!(folder.read().unwrap().layer, two);
        assert_eq!(folder.history().unwrap(), [Layer::default(), one]);
    }

    #[test]
    fn what_would_not_be_read_again_is_not_written() {
        let data = Place::new("large");
        let folder = Folder::of(&data.0);
        let _lock = folder.lock().unwrap();
        let name = "x".repeat(super::BYTES_MAX);
        let large = patched(&Layer::default(), &config(""), &json!({ "node": { "name": name } }));
        let refused = folder.replace(&Layer::default(), &large);
        assert!(matches!(refused, Err(FolderError::Large(_))), "{refused:?}");
        assert_eq!(folder.read().unwrap().layer, Layer::default());
    }

    #[test]
    fn what_cannot_be_read_is_told_and_left_alone() {
        let data = Place::new("broken");
        let folder = Folder::of(&data.0);
        drop(folder.lock().unwrap());
        fs::write(folder.file(), "[mqtt\n").unwrap();
        assert!(folder.read().unwrap_err().to_string().contains("layer.toml:1"));
        assert_eq!(fs::read_to_string(folder.file()).unwrap(), "[mqtt\n");
        fs::write(data.0.join("config/history/7.toml"), "oops").unwrap();
        assert_eq!(folder.history().unwrap(), []);
        assert!(folder.version(7).is_err());
        fs::write(folder.file(), [0xFF]).unwrap();
        assert!(folder.read().unwrap_err().to_string().contains("not UTF-8"));
    }
}
