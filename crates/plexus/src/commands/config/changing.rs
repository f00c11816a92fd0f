//! A change of the configuration, from what is wanted to what is stored: the same from the command line and over
//! the API.

use std::fs::File;

use plexus_changes::{Folder, FolderError, Key, Layer, Patch, Stamp};
use plexus_config::{Config, Examined, Origin};
use plexus_runtime::{Handle, unix_now};
use plexus_stdx::calendar;
use plexus_terminal::{Failure, on_one_line};

use crate::commands::verify;

/// What is to be done with the changes that hold.
#[derive(Debug, Clone)]
pub(crate) enum Edit {
    /// Some keys are set, or taken back.
    Patch(Patch),
    /// An earlier version is to hold again.
    Rollback(u64),
}

/// A change that somebody wants.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) edit: Edit,
    /// The version that whoever wants it has seen.
    pub(crate) seen: Option<u64>,
    pub(crate) by: String,
    pub(crate) why: String,
}

/// Why nothing is changed.
#[derive(Debug)]
pub(crate) enum Refused {
    /// There is no data directory.
    NoPlace,
    /// Somebody else has changed something since; the version of now.
    Conflict(u64),
    /// That version is not kept.
    NoVersion(u64),
    /// Somebody changes it at this moment.
    Busy,
    /// It would be no configuration to start with.
    Wrong(Failure),
    /// It cannot be stored.
    Failed(Failure),
}

/// A change that has been checked and is not yet stored. Nobody else changes anything until it is dropped.
#[derive(Debug)]
pub(crate) struct Draft {
    folder: Folder,
    pub(crate) old: Layer,
    pub(crate) new: Layer,
    /// The whole configuration with it, and without it.
    pub(crate) config: Config,
    pub(crate) config_before: Config,
    _lock: File,
}

/// What there is to say of a folder that there is none.
pub(crate) const NO_PLACE: &str = "there is no place to keep changes in: set node.data_dir in the configuration file (or --data-dir)";

impl Draft {
    /// Checks the whole configuration with that change, as a start would. `bare` is the one without any.
    pub(crate) fn new(bare: &Examined, wanted: Wanted, runtime: &Handle) -> Result<Self, Refused> {
        let dir = bare.config.settings.node.data_dir.as_ref().ok_or(Refused::NoPlace)?;
        let folder = Folder::of(dir);
        let lock = folder.lock()?;
        let stored = folder.read().map_err(|error| Refused::Wrong(error.into()))?;
        let old = stored.layer;
        if wanted.seen.is_some_and(|seen| seen != old.version) {
            return Err(Refused::Conflict(old.version));
        }
        let stamp = Stamp { at: moment(), by: sober(&wanted.by), why: sober(&wanted.why) };
        let new = match wanted.edit {
            Edit::Patch(patch) => {
                patch.check().map_err(|error| Refused::Wrong(error.into()))?;
                old.changed(&patch, &bare.config, stamp)
            }
            Edit::Rollback(to) => {
                let kept =
                    if to == old.version { Ok(Some(old.clone())) } else { folder.version(to) };
                let kept = kept.map_err(|error| Refused::Wrong(error.into()))?;
                old.rolled_back(&kept.ok_or(Refused::NoVersion(to))?, stamp)
            }
        };
        let merged = |layer: &Layer| {
            let origin = |key: &Key| Origin::Whole(format!("the change of {key}"));
            bare.config.with_layer(layer.overrides(origin), Vec::new())
        };
        let config_before = merged(&old).config;
        let (config, _) = verify::checked(merged(&new), runtime).map_err(Refused::Wrong)?;
        Ok(Self { folder, old, new, config, config_before, _lock: lock })
    }

    /// The keys that change.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.old.differing(&self.new).into_iter().map(ToString::to_string).collect()
    }

    /// Has it hold from the next start on, and for whoever reads it anew.
    pub(crate) fn store(&self) -> Result<(), Refused> {
        Ok(self.folder.replace(&self.old, &self.new)?)
    }

    /// Has hold again what held before.
    pub(crate) fn take_back(&self) -> Result<(), Refused> {
        Ok(self.folder.take_back(&self.old)?)
    }
}

impl From<FolderError> for Refused {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::Busy => Self::Busy,
            error @ (FolderError::Io { .. } | FolderError::Large(_) | FolderError::Text(_)) => {
                Self::Failed(Failure::Failed(error.to_string()))
            }
        }
    }
}

/// Characters of a name or a reason that are kept.
const WORDS_MAX: usize = 200;

/// What somebody says of himself, as it can be shown and read back.
fn sober(text: &str) -> String {
    on_one_line(text).chars().take(WORDS_MAX).collect()
}

/// Now, in RFC 3339.
fn moment() -> String {
    let now = unix_now().as_millis() / 1_000;
    format!("{}T{}Z", calendar::day(now), calendar::time(now))
}
