//! The changes themselves.

use std::collections::BTreeMap;

use plexus_config::{Config, Origin, Override, OverrideValue};
use toml::Value;

use crate::{Key, Patch};

/// When something was changed, by whom and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stamp {
    /// The moment, in RFC 3339.
    pub at: String,
    /// Who: a user or key of the API, or who was logged in to the machine.
    pub by: String,
    /// Why, if that was said.
    pub why: String,
}

/// One key that was changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What it was changed to.
    pub value: Value,
    /// When, in RFC 3339.
    pub at: String,
    /// By whom.
    pub by: String,
    /// What the file or a default said then; secrets are masked.
    pub before: Option<Value>,
}

/// All that was changed and holds, as one version.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Layer {
    /// Counted up with each change; 0 where nothing was ever changed.
    pub version: u64,
    /// Who made this version.
    pub stamp: Stamp,
    /// The keys.
    pub changes: BTreeMap<Key, Change>,
}

impl Layer {
    /// The next version, with this change. `config` is the one of now: what its file says is kept with each key.
    #[must_use]
    pub fn changed(&self, patch: &Patch, config: &Config, stamp: Stamp) -> Self {
        let of_file = config.of_file();
        let mut changes = self.changes.clone();
        for (key, value) in patch.iter() {
            match value {
                None => changes.retain(|other, _| !key.holds(other)),
                Some(value) => {
                    let before = of_file.value(&key.path());
                    let is_same = |one: &Change| one.value == *value && one.before == before;
                    if changes.get(key).is_some_and(is_same) {
                        continue;
                    }
                    changes.retain(|other, _| !key.overlaps(other));
                    let (at, by) = (stamp.at.clone(), stamp.by.clone());
                    changes.insert(key.clone(), Change { value: value.clone(), at, by, before });
                }
            }
        }
        Self { version: self.version + 1, stamp, changes }
    }

    /// The next version, with the keys of an earlier one.
    #[must_use]
    pub fn rolled_back(&self, to: &Self, stamp: Stamp) -> Self {
        Self { version: self.version + 1, stamp, changes: to.changes.clone() }
    }

    /// The keys that this version has changed, of those that hold.
    pub fn newest(&self) -> impl Iterator<Item = &Key> {
        let Stamp { at, by, .. } = &self.stamp;
        let mine = move |change: &Change| change.at == *at && change.by == *by;
        self.changes.iter().filter(move |(_, change)| mine(change)).map(|(key, _)| key)
    }

    /// The keys as sources of a configuration. `origin` says where each stands.
    pub fn overrides(&self, origin: impl Fn(&Key) -> Origin) -> Vec<Override> {
        let changes = self.changes.iter();
        let overrides = changes.map(|(key, change)| Override {
            origin: origin(key),
            path: key.parts().to_vec(),
            value: OverrideValue::Typed(change.value.clone()),
        });
        overrides.collect()
    }

    /// The keys in which both differ, in the value or in what the file had said.
    pub fn differing<'a>(&'a self, other: &'a Self) -> Vec<&'a Key> {
        let value = |layer: &'a Self, key| {
            layer.changes.get(key).map(|change| (&change.value, &change.before))
        };
        let keys = self.changes.keys().chain(other.changes.keys());
        let mut keys: Vec<_> = keys.filter(|key| value(self, key) != value(other, key)).collect();
        keys.sort();
        keys.dedup();
        keys
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::PathBuf;

    use plexus_config::{Config, File, Origin, Override, Sources, load};
    use proptest::prelude::*;
    use serde_json::json;

    use super::{Layer, Stamp};
    use crate::Patch;

    pub(crate) fn config(text: &str) -> Config {
        let file = Some(File { path: PathBuf::from("plexus.toml"), text: text.to_owned() });
        load(Sources { file, ..Sources::default() }).unwrap()
    }

    pub(crate) fn stamp() -> Stamp {
        Stamp { at: "2026-12-01T14:00:00Z".into(), by: "ada".into(), why: "too many".into() }
    }

    pub(crate) fn patched(layer: &Layer, config: &Config, patch: &serde_json::Value) -> Layer {
        layer.changed(&Patch::of_json(patch).unwrap(), config, stamp())
    }

    #[test]
    fn a_change_knows_what_the_file_said() {
        let config = config("[mqtt]\nmaximum_qos = 1\n");
        let patch = json!({ "mqtt": { "maximum_qos": 0, "max_inflight": 9 } });
        let layer = patched(&Layer::default(), &config, &patch);
        let before = |key: &str| layer.changes[&key.parse().unwrap()].before.clone();
        assert_eq!(layer.version, 1);
        assert_eq!(before("mqtt.maximum_qos"), Some(1.into()));
        assert_eq!(before("mqtt.max_inflight"), Some(32.into()));
        let without = patched(&layer, &config, &json!({ "mqtt": null }));
        assert_eq!((without.version, without.changes.len()), (2, 0));
    }

    #[test]
    fn a_key_takes_the_place_of_what_stands_in_it() {
        let config = config("");
        let patch = json!({ "shared": { "groups": { "a": "sticky", "b c": "random" } } });
        let layer = patched(&Layer::default(), &config, &patch);
        assert_eq!(layer.changes.len(), 2);
        let layer = patched(&layer, &config, &json!({ "shared": { "groups": { "a": null } } }));
        let keys = layer.changes.keys().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(keys, ["shared.groups.\"b c\""]);
    }

    #[test]
    fn the_layer_is_above_the_file_and_below_the_rest() {
        let below = config("[mqtt]\nmaximum_qos = 2\nmax_inflight = 2\nmax_queue_messages = 2\n");
        let patch = json!({ "mqtt": { "maximum_qos": 1, "max_inflight": 1 } });
        let layer = patched(&Layer::default(), &below, &patch);
        let place = |_: &_| Origin::Whole("layer".to_owned());
        let variables = [("PLEXUS__MQTT__MAX_INFLIGHT".to_owned(), "7".to_owned())];
        let text = "[mqtt]\nmaximum_qos = 2\nmax_inflight = 2\nmax_queue_messages = 2\n";
        let merged = load(Sources {
            file: Some(File { path: "plexus.toml".into(), text: text.to_owned() }),
            layer: layer.overrides(place),
            overrides: Override::environment(variables),
            ..Sources::default()
        });
        let merged = merged.unwrap();
        let mqtt = &merged.settings.mqtt;
        assert_eq!((mqtt.maximum_qos, mqtt.max_inflight.get()), (1, 7));
        assert_eq!(merged.value(&["mqtt", "max_queue_messages"]), Some(2.into()));
        let hidden = merged.hidden_by(&["mqtt", "max_inflight"]).unwrap().to_string();
        assert_eq!(hidden, "environment variable PLEXUS__MQTT__MAX_INFLIGHT");
        assert_eq!(merged.hidden_by(&["mqtt", "maximum_qos"]), None);
        assert_eq!(merged.of_file().settings.mqtt.maximum_qos, 2);
    }

    proptest! {
        #[test]
        fn to_change_and_to_roll_back_is_to_do_nothing(
            first in 0_u8..3, second in 0_u8..3, inflight in 1_u16..100, drop_it: bool,
        ) {
            let config = config("");
            let one = patched(&Layer::default(), &config, &json!({ "mqtt": { "maximum_qos": first } }));
            let other = if drop_it {
                json!({ "mqtt": null })
            } else {
                json!({ "mqtt": { "maximum_qos": second, "max_inflight": inflight } })
            };
            let two = patched(&one, &config, &other);
            let back = two.rolled_back(&one, stamp());
            prop_assert_eq!(&back.changes, &one.changes);
            prop_assert_eq!(back.version, 3);
            prop_assert!(back.differing(&one).is_empty());
        }
    }
}
