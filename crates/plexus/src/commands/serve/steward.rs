//! Who looks after the configuration of a running node, and changes it for the API.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use plexus_api::Configuration;
use plexus_api_model::{
    ApiError, ConfigChange, ConfigChanges, ConfigOutcome, ConfigPatch, ConfigRollback,
    ConfigVersion, EffectiveConfig, ErrorCode,
};
use plexus_broker::NodeHandle;
use plexus_changes::{Folder, Layer, Line, Patch};
use plexus_config::{Config, ConfigError, Diagnostic};
use plexus_runtime::Handle;
use plexus_terminal::{Failure, on_one_line};
use serde_json::Value;

use super::reload::Reload;
use crate::commands::config::{
    changing::{Draft, Edit, NO_PLACE, Refused, Wanted},
    told,
};

/// Holds what a running node keeps of its start; whoever holds it is the only one who changes anything.
pub(super) struct Steward {
    reload: Arc<Mutex<Reload>>,
    node: NodeHandle,
    runtime: Handle,
}

/// The lock is for one who reads anew or changes at a time; a panic leaves nothing half done that matters here.
pub(super) fn held(reload: &Mutex<Reload>) -> MutexGuard<'_, Reload> {
    reload.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Steward {
    pub(super) const fn new(reload: Arc<Mutex<Reload>>, node: NodeHandle, runtime: Handle) -> Self {
        Self { reload, node, runtime }
    }

    /// Checks the change, stores it, and has the node take what it can; where it does not, nothing is changed.
    fn carry_out(&self, wanted: Wanted, dry: bool) -> Result<ConfigOutcome, ApiError> {
        let mut reload = held(&self.reload);
        let draft = Draft::new(&reload.bare(), wanted, &self.runtime).map_err(refused)?;
        let keys = draft.keys();
        let waits = reload.waits(&draft.config);
        if dry || keys.is_empty() {
            let version = draft.old.version;
            return Ok(ConfigOutcome { version, keys, done: Vec::new(), waits });
        }
        draft.store().map_err(refused)?;
        let taken = reload.take(draft.config.clone(), Vec::new(), &self.node);
        if taken.faults.is_empty() {
            let version = draft.new.version;
            return Ok(ConfigOutcome { version, keys, done: taken.done, waits: taken.waits });
        }
        draft.take_back().map_err(refused)?;
        drop(reload.take(draft.config_before, Vec::new(), &self.node));
        let faults = taken.faults.join("; ");
        Err(ApiError::bad(format!("the node does not take it, and nothing is changed: {faults}")))
    }

    fn configuration(&self) -> Result<Config, ApiError> {
        held(&self.reload).configuration().map_err(|failure| wrong(&failure))
    }

    /// Where the changes are, with the version that holds.
    fn folder(&self) -> Result<Option<(Folder, Layer)>, ApiError> {
        let config = self.configuration()?;
        let Some(dir) = &config.settings.node.data_dir else { return Ok(None) };
        let folder = Folder::of(dir);
        let layer = folder.read().map_err(unread)?.layer;
        Ok(Some((folder, layer)))
    }
}

impl Configuration for Steward {
    fn effective(&self) -> Result<EffectiveConfig, ApiError> {
        let config = self.configuration()?;
        let version = told::lines(&config).map_err(unread)?.0.version;
        let origins = config.origins().into_iter();
        let origins = origins.map(|(key, origin)| (key, on_one_line(&origin.to_string())));
        let config = serde_json::to_value(config.effective())
            .map_err(|error| ApiError::new(ErrorCode::InternalError, error.to_string()))?;
        Ok(EffectiveConfig { version, config, origins: origins.collect() })
    }

    fn changes(&self) -> Result<ConfigChanges, ApiError> {
        let config = self.configuration()?;
        let (layer, lines) = told::lines(&config).map_err(unread)?;
        let version = layer.version;
        let waits = held(&self.reload).waits(&config);
        Ok(ConfigChanges { version, changes: lines.iter().map(change).collect(), waits })
    }

    fn history(&self) -> Result<Vec<ConfigVersion>, ApiError> {
        let Some((folder, now)) = self.folder()? else { return Ok(Vec::new()) };
        let mut layers = folder.history().map_err(unread)?;
        layers.retain(|layer| layer.version < now.version);
        layers.push(now);
        let empty = Layer::default();
        let before = std::iter::once(&empty).chain(&layers);
        let versions = layers.iter().zip(before).map(|(layer, before)| {
            let keys = layer.differing(before).into_iter().map(ToString::to_string).collect();
            let plexus_changes::Stamp { at, by, why } = layer.stamp.clone();
            ConfigVersion { version: layer.version, at, by, why, keys }
        });
        let mut versions: Vec<_> = versions.collect();
        versions.reverse();
        Ok(versions)
    }

    fn change(&self, patch: ConfigPatch, by: &str, dry: bool) -> Result<ConfigOutcome, ApiError> {
        let ConfigPatch { version, patch, keys, why } = patch;
        let bad = |error: &dyn fmt::Display| ApiError::bad(error.to_string());
        let patch = patch.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        let mut edit = Patch::of_json(&patch).map_err(|error| bad(&error))?;
        for one in keys {
            let key = one.key.parse().map_err(|error| bad(&format!("`{}`: {error}", one.key)))?;
            edit.insert_json(key, &one.value).map_err(|error| bad(&error))?;
        }
        let edit = Edit::Patch(edit);
        self.carry_out(Wanted { edit, seen: Some(version), by: by.to_owned(), why }, dry)
    }

    fn roll_back(
        &self,
        wanted: &ConfigRollback,
        by: &str,
        dry: bool,
    ) -> Result<ConfigOutcome, ApiError> {
        let (edit, why) = (Edit::Rollback(wanted.to), wanted.why.clone());
        let seen = Some(wanted.version);
        self.carry_out(Wanted { edit, seen, by: by.to_owned(), why }, dry)
    }
}

impl fmt::Debug for Steward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steward").finish_non_exhaustive()
    }
}

fn change(line: &Line) -> ConfigChange {
    let json = |value: &toml::Value| serde_json::to_value(value).unwrap_or_default();
    ConfigChange {
        key: line.key.to_string(),
        value: json(&line.value),
        at: line.at.clone(),
        by: line.by.clone(),
        of_file: line.of_file.as_ref().map(json),
        place: line.place.clone(),
        before: line.before.as_ref().map(json),
        hidden_by: line.hidden_by.clone(),
        notes: told::concerns(line),
    }
}

fn refused(refused: Refused) -> ApiError {
    match refused {
        Refused::NoPlace => ApiError::new(ErrorCode::NotAllowed, NO_PLACE),
        Refused::Conflict(now) => {
            let message = format!(
                "the configuration was changed meanwhile: version {now} holds; read it, and ask again with it"
            );
            ApiError::new(ErrorCode::VersionConflict, message)
        }
        Refused::NoVersion(to) => {
            ApiError::new(ErrorCode::NotFound, format!("version {to} is not kept"))
        }
        Refused::Busy => {
            let message = "somebody else changes the configuration at this moment; ask again";
            ApiError::new(ErrorCode::ServiceUnavailable, message)
        }
        Refused::Wrong(failure) => wrong(&failure),
        Refused::Failed(failure) => {
            ApiError::new(ErrorCode::InternalError, on_one_line(&failure.to_string()))
        }
    }
}

/// A configuration that is none, with each mistake as a start would tell it.
fn wrong(failure: &Failure) -> ApiError {
    match failure {
        Failure::Config(ConfigError { diagnostics }) => {
            let lines: Vec<_> = diagnostics.iter().map(Diagnostic::line).collect();
            ApiError::bad(lines.join("; "))
        }
        other => ApiError::bad(on_one_line(&other.to_string())),
    }
}

fn unread(error: ConfigError) -> ApiError {
    wrong(&error.into())
}
