//! Which keys can be changed while a node runs, which of those it takes at once, and what no answer may show.

use plexus_config::is_secret;
use toml::Value;

use crate::Key;

/// What stands in the place of a secret.
const MASK: &str = "***";
/// Behind it stands a path, which may be shown.
const REFERENCE: &str = "file:";

/// What can be changed in the file only, and why.
const FILE_ONLY: &[(&[&str], &str)] = &[
    (&["node", "data_dir"], "the changes themselves are kept there"),
    (&["api"], "who reaches the API is decided by who has the file"),
    (&["audit", "enabled"], "whoever changes the configuration may not end the record of it"),
    (&["audit", "dir"], "whoever changes the configuration may not move the record of it"),
];

/// The keys that a running node takes at once; `*` is any. What is not here waits for the next start.
const AT_ONCE: &[&[&str]] = &[
    &["log", "level"],
    &["mqtt"],
    &["limits", "max_connections"],
    &["limits", "max_connection_rate"],
    &["limits", "max_message_rate"],
    &["limits", "max_byte_rate"],
    &["limits", "connect_timeout"],
    &["listener", "*", "mqtt"],
    &["listener", "*", "max_connections"],
    &["listener", "*", "max_connection_rate"],
    &["listener", "*", "max_message_rate"],
    &["listener", "*", "max_byte_rate"],
    &["listener", "*", "connect_timeout"],
    &["listener", "*", "chain"],
    &["listener", "*", "rules_from"],
    &["listener", "*", "allow_anonymous"],
    &["access", "tenant", "*", "users_file"],
    &["access"],
];

/// What of those tables it does not.
const LATER: &[&[&str]] = &[
    &["access", "lockout"],
    &["access", "flapping"],
    &["access", "ask"],
    &["access", "remember_answers"],
    &["access", "filter_deliveries"],
    &["access", "tenant"],
];

/// Whether a running node takes that key without a restart. Elements of lists are named by anything.
pub fn is_taken_at_once(path: &[&str]) -> bool {
    let length = |patterns: &[&[&str]]| {
        let matching = patterns.iter().filter(|pattern| begins(path, pattern));
        matching.map(|pattern| pattern.len()).max().unwrap_or(0)
    };
    // What is said more closely holds.
    length(AT_ONCE) > length(LATER)
}

fn begins(path: &[&str], pattern: &[&str]) -> bool {
    path.len() >= pattern.len()
        && pattern.iter().zip(path).all(|(wanted, part)| *wanted == "*" || wanted == part)
}

/// Why that key cannot be changed while a node runs, if so.
pub(crate) fn only_in_file(key: &Key) -> Option<&'static str> {
    let path = key.path();
    FILE_ONLY.iter().find(|(pattern, _)| begins(&path, pattern)).map(|(_, why)| *why)
}

/// Whether the value holds a secret that would have to be stored in clear, or what stands in the place of one.
pub(crate) fn clear_secret(key: &Key, value: &Value) -> Option<&'static str> {
    let mut found = None;
    each_secret(key, value, &mut |text| {
        if text == MASK {
            found = Some("`***` stands in the place of a secret and is none; leave it out");
        } else if !text.starts_with(REFERENCE) {
            found = found.or(Some(
                "a secret would be stored where it is shown; put it into a file, and give \
                 \"file:<path>\"",
            ));
        }
    });
    found
}

/// The value as it may be shown.
pub fn masked(key: &Key, value: &Value) -> Value {
    let mut shown = value.clone();
    mask(&mut key.parts().to_vec(), &mut shown);
    shown
}

fn mask(path: &mut Vec<String>, value: &mut Value) {
    match value {
        Value::String(text) if is_secret(path) && !text.starts_with(REFERENCE) => {
            MASK.clone_into(text);
        }
        Value::Table(table) => {
            for (name, value) in table.iter_mut() {
                path.push(name.to_owned());
                mask(path, value);
                path.pop();
            }
        }
        // The place in a list makes nothing secret.
        Value::Array(list) => list.iter_mut().for_each(|element| mask(path, element)),
        _ => {}
    }
}

fn each_secret(key: &Key, value: &Value, found: &mut dyn FnMut(&str)) {
    fn walk(path: &mut Vec<String>, value: &Value, found: &mut dyn FnMut(&str)) {
        match value {
            Value::String(text) if is_secret(path) => found(text),
            Value::Table(table) => {
                for (name, value) in table {
                    path.push(name.clone());
                    walk(path, value, found);
                    path.pop();
                }
            }
            Value::Array(list) => list.iter().for_each(|element| walk(path, element, found)),
            _ => {}
        }
    }
    walk(&mut key.parts().to_vec(), value, found);
}

#[cfg(test)]
mod tests {
    use toml::Value;

    use super::{clear_secret, is_taken_at_once, masked, only_in_file};
    use crate::Key;

    fn key(text: &str) -> Key {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_said_more_closely_holds() {
        for (path, taken) in [
            ("mqtt.maximum_qos", true),
            ("listener.0.mqtt.max_inflight", true),
            ("listener.0.url", false),
            ("access.rule", true),
            ("access.lockout.first", false),
            ("access.tenant", false),
            ("access.tenant.0.users_file", true),
            ("access.tenant.0.max_sessions", false),
            ("store.commit", false),
        ] {
            assert_eq!(is_taken_at_once(&key(path).path()), taken, "{path}");
        }
    }

    #[test]
    fn what_guards_the_node_is_for_the_file() {
        assert!(only_in_file(&key("api.address")).is_some());
        assert!(only_in_file(&key("node.data_dir")).is_some());
        assert!(only_in_file(&key("node.name")).is_none());
    }

    #[test]
    fn secrets_are_neither_stored_nor_shown() {
        let jwt: Value =
            toml::from_str::<toml::Table>("jwt = [{ name = \"a\", secret = \"hunter2\" }]")
                .unwrap()
                .remove("jwt")
                .unwrap();
        let at = key("access.jwt");
        assert!(clear_secret(&at, &jwt).unwrap().contains("file:<path>"));
        assert_eq!(masked(&at, &jwt)[0]["secret"].as_str(), Some("***"));
        assert_eq!(masked(&at, &jwt)[0]["name"].as_str(), Some("a"));
        let user = key("access.users.bob");
        assert!(clear_secret(&user, &"***".into()).unwrap().contains("stands in the place"));
        assert_eq!(clear_secret(&user, &"file:bob".into()), None);
        assert_eq!(clear_secret(&key("node.name"), &"x".into()), None);
    }
}
