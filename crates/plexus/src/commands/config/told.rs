//! What is said of changes that were made while a node ran.

use plexus_changes::{Folder, Layer, Line, review};
use plexus_config::{Config, ConfigError};
use toml::Value;

/// The layer of that configuration and what there is to say of it; an empty one without a data directory.
pub(crate) fn lines(config: &Config) -> Result<(Layer, Vec<Line>), ConfigError> {
    let Some(dir) = &config.settings.node.data_dir else {
        return Ok((Layer::default(), Vec::new()));
    };
    let layer = Folder::of(dir).read()?.layer;
    let lines = review(&layer, config);
    Ok((layer, lines))
}

/// What somebody should know of a change: that it is hidden, or that the file says something else since.
pub(crate) fn concerns(line: &Line) -> Vec<String> {
    let Line { key, at, by, .. } = line;
    let mut said = Vec::new();
    if let Some(hidden) = &line.hidden_by {
        said.push(format!(
            "{key}: {hidden} hides the change of {at} by {by}; unset it for the change to hold"
        ));
    } else if line.is_file_newer() {
        let place = line.place.clone().unwrap_or_else(|| "the default".to_owned());
        said.push(format!(
            "{key}: {place} says {} since, and said {}; the change of {at} by {by} holds: {}; \
             `plexus config apply --unset {key}` has the file hold again, to apply it once more keeps it",
            shown(line.of_file.as_ref()),
            shown(line.before.as_ref()),
            line.value,
        ));
    }
    said
}

/// A value, where there is one.
pub(crate) fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), ToString::to_string)
}
