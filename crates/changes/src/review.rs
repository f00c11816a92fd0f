//! The layer beside the file: what differs, what is hidden, and what the file says differently since.

use plexus_config::{Config, Origin};
use toml::Value;

use crate::{Key, Layer, is_taken_at_once, masked};

/// One key of the layer, as people are told of it. Secrets are masked.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The key.
    pub key: Key,
    /// What it was changed to.
    pub value: Value,
    /// When, in RFC 3339.
    pub at: String,
    /// By whom.
    pub by: String,
    /// What file or default say now.
    pub of_file: Option<Value>,
    /// The line of the file that says so, where it is not a default.
    pub place: Option<String>,
    /// What they said when it was changed.
    pub before: Option<Value>,
    /// Who hides the change: an environment variable or an option.
    pub hidden_by: Option<String>,
    /// Whether a running node takes the key without a restart.
    pub at_once: bool,
}

impl Line {
    /// Whether the file says something else since it was changed.
    pub fn is_file_newer(&self) -> bool {
        self.before != self.of_file
    }
}

/// Each key of the layer, beside the configuration of now.
pub fn review(layer: &Layer, config: &Config) -> Vec<Line> {
    let of_file = config.of_file();
    let lines = layer.changes.iter().map(|(key, change)| {
        let path = key.path();
        let place = match of_file.origin(&path) {
            Origin::File(place) => Some(format!("{}:{}", place.path, place.line)),
            Origin::Variable(_) | Origin::Option(_) | Origin::Whole(_) => None,
        };
        Line {
            key: key.clone(),
            value: masked(key, &change.value),
            at: change.at.clone(),
            by: change.by.clone(),
            of_file: of_file.value(&path),
            place,
            before: change.before.clone(),
            hidden_by: config.hidden_by(&path).map(ToString::to_string),
            at_once: is_taken_at_once(&path),
        }
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::review;
    use crate::{
        Layer,
        layer::tests::{config, patched},
    };

    #[test]
    fn a_file_that_was_edited_later_is_told() {
        let then = config("[mqtt]\nmaximum_qos = 2\n");
        let patch = json!({ "mqtt": { "maximum_qos": 1 }, "node": { "name": "x" } });
        let layer = patched(&Layer::default(), &then, &patch);
        let lines = review(&layer, &then);
        assert!(lines.iter().all(|line| !line.is_file_newer()));
        assert_eq!(lines[0].place.as_deref(), Some("plexus.toml:2"));
        assert_eq!((lines[0].at_once, lines[1].at_once), (true, false));
        let now = config("[mqtt]\nmaximum_qos = 0\n");
        let lines = review(&layer, &now);
        assert!(lines[0].is_file_newer() && !lines[1].is_file_newer());
        assert_eq!((&lines[0].of_file, &lines[0].before), (&Some(0.into()), &Some(2.into())));
        assert_eq!(lines[1].place, None);
        let again = patched(&layer, &now, &json!({ "mqtt": { "maximum_qos": 1 } }));
        assert_eq!(
            again.differing(&layer).len(),
            1,
            "whoever changes it again knows the file of now"
        );
        assert!(review(&again, &now).iter().all(|line| !line.is_file_newer()));
        let without = review(&layer, &config(""));
        assert_eq!(without[0].of_file, Some(2.into()), "the default is what the file said");
        assert!(!without[0].is_file_newer());
    }
}
