//! In which keys two configurations differ, and which of them a running node takes.

use plexus_changes::is_taken_at_once;
use plexus_config::Settings;
use toml::{Table, Value};

/// The keys whose change is read at the start only.
pub(super) fn later(old: &Settings, new: &Settings) -> Vec<String> {
    let mut keys: Vec<_> = between(old, new)
        .into_iter()
        .filter(|path| !is_taken_at_once(&borrowed(path)))
        // Elements of lists have no name that everybody knows.
        .map(|path| path.into_iter().take_while(|part| !is_number(part)).collect::<Vec<_>>())
        .map(|path| path.join("."))
        .collect();
    keys.dedup();
    keys
}

/// The limits in which they differ and that a running node takes.
pub(super) fn limits_between(old: &Settings, new: &Settings) -> Vec<String> {
    let is_limit = |path: &[&str]| match path {
        ["mqtt" | "limits", ..] => true,
        ["listener", _, key, ..] => {
            *key == "mqtt" || *key == "connect_timeout" || key.starts_with("max_")
        }
        _ => false,
    };
    let keys = between(old, new).into_iter();
    let keys = keys.filter(|path| {
        let path = borrowed(path);
        is_limit(&path) && is_taken_at_once(&path)
    });
    keys.map(|path| path.join(".")).collect()
}

fn borrowed(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}

fn is_number(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_digit())
}

/// The paths of all keys in which they differ.
fn between(old: &Settings, new: &Settings) -> Vec<Vec<String>> {
    let tree = |settings: &Settings| Table::try_from(settings).unwrap_or_default();
    let mut keys = Vec::new();
    differences(&mut Vec::new(), &tree(old), &tree(new), &mut keys);
    keys
}

fn differences(path: &mut Vec<String>, old: &Table, new: &Table, keys: &mut Vec<Vec<String>>) {
    let added = new.keys().filter(|key| !old.contains_key(*key));
    for key in old.keys().chain(added) {
        path.push(key.clone());
        match (old.get(key), new.get(key)) {
            (Some(Value::Table(old)), Some(Value::Table(new))) => {
                differences(path, old, new, keys);
            }
            // Where a listener has its first own limits, each of them is new.
            (None, Some(Value::Table(new))) => differences(path, &Table::new(), new, keys),
            (Some(Value::Table(old)), None) => differences(path, old, &Table::new(), keys),
            (Some(Value::Array(old)), Some(Value::Array(new))) if are_the_same(path, old, new) => {
                for (index, pair) in old.iter().zip(new).enumerate() {
                    let (Value::Table(old), Value::Table(new)) = pair else { continue };
                    path.push(index.to_string());
                    differences(path, old, new, keys);
                    path.pop();
                }
            }
            (old, new) if old != new => keys.push(path.clone()),
            _ => {}
        }
        path.pop();
    }
}

/// Whether both lists name the same listeners or tenants, in the same order.
fn are_the_same(path: &[String], old: &[Value], new: &[Value]) -> bool {
    let is_named = matches!(borrowed(path).as_slice(), ["listener"] | ["access", "tenant"]);
    let same = |key: &str, old: &Value, new: &Value| old.get(key) == new.get(key);
    let mut pairs = old.iter().zip(new);
    is_named
        && old.len() == new.len()
        && pairs.all(|(old, new)| same("url", old, new) && same("name", old, new))
}

#[cfg(test)]
mod tests {
    use plexus_config::Settings;

    use super::{later, limits_between};

    fn settings(text: &str) -> Settings {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn the_changes_that_need_a_start_are_named() {
        let old = Settings::default();
        let mut new = old.clone();
        new.log.level = "debug".parse().unwrap();
        new.access.users_file = Some("users".into());
        new.mqtt.maximum_qos = 1;
        assert_eq!(later(&old, &new), [""; 0]);
        new.store.segment_size = plexus_config::value::ByteSize::mib(1);
        new.node.data_dir = Some("data".into());
        new.access.remember_answers = plexus_config::value::Span::secs(1);
        assert_eq!(
            later(&old, &new),
            ["access.remember_answers", "node.data_dir", "store.segment_size"]
        );
        assert_eq!(limits_between(&old, &new), ["mqtt.maximum_qos"]);
    }

    #[test]
    fn a_listener_is_compared_with_itself() {
        let old = settings("[[listener]]\nurl = \"tcp://127.0.0.1:1\"\nchain = []\n");
        let limits = "max_connections = 3\nmqtt = { max_inflight = 3 }\n";
        let new = settings(&format!("[[listener]]\nurl = \"tcp://127.0.0.1:1\"\n{limits}"));
        assert_eq!(later(&old, &new), [""; 0]);
        let keys = ["listener.0.max_connections", "listener.0.mqtt.max_inflight"];
        assert_eq!(limits_between(&old, &new), keys);
        let other = settings(&format!("[[listener]]\nurl = \"tcp://127.0.0.1:2\"\n{limits}"));
        assert_eq!(later(&old, &other), ["listener"]);
        let tenant = "max_total_message_rate = \"3/s\"\n";
        let new = settings(&format!("[[listener]]\nurl = \"tcp://127.0.0.1:1\"\n{tenant}"));
        assert_eq!(later(&old, &new), ["listener"]);
    }
}
