//! What the deserializer says, in the words of the configuration.

use crate::{schema, suggest::nearest};

/// A message for a person and, where one is known, what to write instead.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Explained {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// The unknown key and the one that was meant, to be put into the path that was given.
    pub(crate) meant: Option<(String, String)>,
}

impl Explained {
    fn new(message: String, help: Option<String>) -> Self {
        Self { message, help, meant: None }
    }
}

pub(crate) fn explain(message: &str) -> Explained {
    let message = message.trim_end();
    let words = || quoted(message);
    if message.starts_with("unknown field ") {
        return unknown_key(&words());
    }
    if message.starts_with("unknown variant ") {
        return unknown_word(&words());
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        return Explained::new(format!("the key {key} is missing"), None);
    }
    let found = ["invalid type: ", "invalid value: "];
    let wrong = found.iter().find_map(|prefix| message.strip_prefix(prefix));
    match wrong.and_then(|rest| rest.rsplit_once(", expected ")) {
        Some((found, expected)) => {
            let expected = plain(expected);
            Explained::new(format!("expected {expected}, found {}", plain_found(found)), None)
        }
        None => Explained::new(message.to_owned(), None),
    }
}

fn unknown_key(words: &[&str]) -> Explained {
    let (key, candidates) = words.split_first().unwrap_or((&"", &[]));
    let message = format!("unknown key `{key}`");
    if let Some(near) = nearest(key, candidates.iter().copied()) {
        let meant = Some(((*key).to_owned(), near.to_owned()));
        let help = Some(format!("did you mean `{near}`?"));
        return Explained { message, help, meant };
    }
    let keys = schema::keys();
    let tables = keys.iter().filter_map(|known| {
        let (table, last) = known.path.rsplit_once('.')?;
        (last == *key).then_some(table)
    });
    // `[mqtt]` rather than the exception `[listener.mqtt]`.
    let elsewhere =
        tables.min_by_key(|table| table.len()).map(|table| format!("`{key}` belongs in [{table}]"));
    let list = || match candidates {
        [] => None,
        _ => Some(format!("the keys here are {}", candidates.join(", "))),
    };
    Explained::new(message, elsewhere.or_else(list))
}

fn unknown_word(words: &[&str]) -> Explained {
    let (word, candidates) = words.split_first().unwrap_or((&"", &[]));
    let message = format!("`{word}` is not known here");
    let help = match nearest(word, candidates.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("use {}", listed(candidates)),
    };
    Explained::new(message, Some(help))
}

/// The words between backticks.
fn quoted(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => format!("`{only}`"),
        [head @ .., last] => {
            let head = head.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>();
            format!("{} or `{last}`", head.join(", "))
        }
    }
}

/// Rust's names of types in words.
fn plain(expected: &str) -> String {
    let number = |low: u64, high: u64| format!("a whole number from {low} to {high}");
    match expected {
        "u8" => number(0, u64::from(u8::MAX)),
        "u16" => number(0, u64::from(u16::MAX)),
        "u32" => number(0, u64::from(u32::MAX)),
        "a nonzero u16" => number(1, u64::from(u16::MAX)),
        "a boolean" => "true or false".to_owned(),
        "a string" | "path string" => "a text in quotes".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
        _ if expected.starts_with("struct ") => "a table".to_owned(),
        other => other.to_owned(),
    }
}

fn plain_found(found: &str) -> String {
    let found = found.replace("floating point ", "the number ");
    let found = found.replace("boolean ", "").replace("integer ", "").replace("string ", "");
    match found.as_str() {
        "sequence" => "a list".to_owned(),
        "map" => "a table".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::explain;

    #[test]
    fn what_a_type_is_called_in_the_language_is_not_shown() {
        let message = |text| explain(text).message;
        assert_eq!(
            message("invalid type: string \"many\", expected u16"),
            "expected a whole number from 0 to 65535, found \"many\""
        );
        assert_eq!(
            message("invalid value: integer `0`, expected a nonzero u16"),
            "expected a whole number from 1 to 65535, found `0`"
        );
        assert_eq!(
            message("invalid type: integer `1`, expected struct NodeSettings"),
            "expected a table, found `1`"
        );
        assert_eq!(message("missing field `url`"), "the key `url` is missing");
    }

    #[test]
    fn an_unknown_key_is_looked_for_here_and_then_elsewhere() {
        let near = explain("unknown field `shard`, expected one of `name`, `shards`");
        assert_eq!(near.help.as_deref(), Some("did you mean `shards`?"));
        assert_eq!(near.meant, Some(("shard".into(), "shards".into())));
        let elsewhere = explain("unknown field `max_inflight`, expected `node` or `log`");
        assert_eq!(elsewhere.help.as_deref(), Some("`max_inflight` belongs in [mqtt]"));
        let nowhere = explain("unknown field `zzz`, expected `node` or `log`");
        assert_eq!(nowhere.help.as_deref(), Some("the keys here are node, log"));
    }

    #[test]
    fn an_unknown_word_names_the_known_ones() {
        let far = explain("unknown variant `xml`, expected one of `auto`, `pretty`, `json`");
        assert_eq!(far.help.as_deref(), Some("use `auto`, `pretty` or `json`"));
        let near = explain("unknown variant `jsn`, expected one of `auto`, `pretty`, `json`");
        assert_eq!(near.help.as_deref(), Some("did you mean `json`?"));
    }
}
