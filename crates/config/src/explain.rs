//! What the deserializer says, in the words of the configuration.

use crate::{
    load::is_secret,
    schema::{self, Key},
    suggest::nearest,
};

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

/// Where the mistake stands, as far as that is known.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Spot {
    /// The tables and the key, without the numbers of list elements.
    pub(crate) path: Vec<String>,
    /// Whether a table stands there, or a list of tables.
    pub(crate) is_table: Option<bool>,
}

pub(crate) fn explain(message: &str, spot: &Spot) -> Explained {
    let message = message.trim_end();
    let words = || quoted(message);
    if message.starts_with("unknown field ") {
        return unknown_key(&words(), spot);
    }
    if message.starts_with("unknown variant ") {
        return unknown_word(&words());
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        return Explained::new(format!("the key {key} is missing"), None);
    }
    if message == "wanted string or table" {
        let message = match words_of(spot) {
            Some(words) => format!("expected one of {words}"),
            None => "expected a text in quotes".to_owned(),
        };
        return Explained::new(message, None);
    }
    let secret = is_secret(&spot.path);
    if let Some((_, wrong)) = message.strip_prefix('`').and_then(|rest| rest.split_once("` "))
        && secret
    {
        return Explained::new(format!("the value {wrong}"), None);
    }
    let listener = spot.path.first().is_some_and(|first| first == "listener");
    if listener && message == "invalid type: map, expected a sequence" {
        let help = "write [[listener]] with two brackets on each side, or listener = [{ url = \
                    \"tcp://127.0.0.1:1883\" }]";
        return Explained::new("there may be several listeners".into(), Some(help.into()));
    }
    let found = ["invalid type: ", "invalid value: "];
    let wrong = found.iter().find_map(|prefix| message.strip_prefix(prefix));
    match wrong.and_then(|rest| rest.rsplit_once(", expected ")) {
        Some((found, expected)) => {
            let expected = plain(expected);
            let found =
                if secret { String::new() } else { format!(", found {}", plain_found(found)) };
            Explained::new(format!("expected {expected}{found}"), None)
        }
        None => Explained::new(message.to_owned(), None),
    }
}

/// The words that may stand at the key of that spot.
fn words_of(spot: &Spot) -> Option<String> {
    let path = spot.path.join(".");
    let key = schema::keys().into_iter().find(|key| key.path == path)?;
    key.kind.starts_with("`\"").then_some(key.kind)
}

/// Words of other programs for what a URL says here.
const PLACES: &[&str] = &["listen", "listeners", "bind", "bind_address", "host", "address", "port"];

/// The key may be right in another table, or nearly right here, or nearly right elsewhere.
fn unknown_key(words: &[&str], spot: &Spot) -> Explained {
    let (key, candidates) = words.split_first().unwrap_or((&"", &[]));
    let message = format!("unknown key `{key}`");
    let keys = schema::keys();
    let alike = |known: &&Key| spot.is_table.is_none_or(|is_table| known.is_table == is_table);
    let plural = |candidate: &&&str| candidate.strip_suffix('s') == Some(*key);
    if let Some(near) = candidates.iter().find(plural) {
        let meant = Some(((*key).to_owned(), (*near).to_owned()));
        return Explained { message, help: Some(format!("did you mean `{near}`?")), meant };
    }
    if let Some(tables) = tables_of(key, keys.iter().filter(alike)) {
        return Explained::new(message, Some(format!("`{key}` belongs in {tables}")));
    }
    let here = candidates.iter().copied().filter(|candidate| {
        let known = keys.iter().find(|known| is_at(known, spot, candidate));
        known.is_none_or(|known| alike(&known))
    });
    if let Some(near) = nearest(key, here) {
        let meant = Some(((*key).to_owned(), near.to_owned()));
        let help = Some(format!("did you mean `{near}`?"));
        return Explained { message, help, meant };
    }
    if candidates.contains(&"listener") && PLACES.contains(key) {
        let help = "write [[listener]] with url = \"tcp://127.0.0.1:1883\"".to_owned();
        return Explained::new(message, Some(help));
    }
    // `log_level` for `level` in `[log]`.
    let flat = keys.iter().find(|known| known.path.replace('.', "_") == *key);
    let elsewhere = match flat {
        Some(known) => Some((known.name(), format!("[{}]", known.table()))),
        None => nearest(key, keys.iter().filter(alike).map(Key::name))
            .and_then(|near| Some((near, tables_of(near, keys.iter())?))),
    };
    let help = match elsewhere {
        Some((near, tables)) => Some(format!("did you mean `{near}` in {tables}?")),
        None if candidates.is_empty() => None,
        None => Some(format!("the keys here are {}", candidates.join(", "))),
    };
    Explained::new(message, help)
}

/// Whether it is the key of that name in the table of the spot. A path that stands nowhere ends with
/// the unknown key.
fn is_at(known: &Key, spot: &Spot, name: &str) -> bool {
    let table = spot.path.split_last().map(|(_, table)| table.join(".")).unwrap_or_default();
    known.table() == table && known.name() == name
}

/// The tables that have a key of that name, apart by "or". The exceptions of a listener are not told
/// beside `[mqtt]`.
fn tables_of<'a>(name: &str, keys: impl Iterator<Item = &'a Key>) -> Option<String> {
    let tables = keys.filter(|key| key.name() == name).map(Key::table);
    let mut tables = tables.filter(|table| !matches!(*table, "" | "listener.mqtt"));
    let shown = |table: &str| match table {
        "listener" | "access.ban" | "access.tenant" => format!("[[{table}]]"),
        other => format!("[{other}]"),
    };
    let first = shown(tables.next()?);
    Some(tables.map(shown).fold(first, |all, table| format!("{all} or {table}")))
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
    // How wide the number is in the program says nothing.
    let found = found.trim_end_matches(" as i128").trim_end_matches(" as u128");
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
    use super::{Spot, explain};

    fn at(path: &[&str], is_table: bool) -> Spot {
        let path = path.iter().map(|part| (*part).to_owned()).collect();
        Spot { path, is_table: Some(is_table) }
    }

    #[test]
    fn what_a_type_is_called_in_the_language_is_not_shown() {
        let message = |text| explain(text, &Spot::default()).message;
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
    fn an_unknown_key_is_looked_for_elsewhere_and_near() {
        let near = explain(
            "unknown field `shard`, expected one of `name`, `shards`",
            &at(&["node", "shard"], false),
        );
        assert_eq!(near.help.as_deref(), Some("did you mean `shards`?"));
        assert_eq!(near.meant, Some(("shard".into(), "shards".into())));
        let top = "`, expected one of `node`, `log`, `access`, `limits`, `mqtt`, `listener`";
        for (key, is_table, help) in [
            ("max_inflight", false, "`max_inflight` belongs in [mqtt]"),
            (
                "max_connections",
                false,
                "`max_connections` belongs in [[access.tenant]] or [limits] or [[listener]]",
            ),
            ("tls", true, "`tls` belongs in [[listener]]"),
            (
                "max_conections",
                false,
                "did you mean `max_connections` in [[access.tenant]] or [limits] or [[listener]]?",
            ),
            ("log_level", false, "did you mean `level` in [log]?"),
            // A text is no misspelled table.
            ("listene", false, "the keys here are node, log, access, limits, mqtt, listener"),
            ("listene", true, "did you mean `listener`?"),
            ("listen", false, "write [[listener]] with url = \"tcp://127.0.0.1:1883\""),
            ("port", false, "write [[listener]] with url = \"tcp://127.0.0.1:1883\""),
            ("zzz", false, "the keys here are node, log, access, limits, mqtt, listener"),
        ] {
            let told = explain(&format!("unknown field `{key}{top}"), &at(&[key], is_table));
            assert_eq!(told.help.as_deref(), Some(help), "{key}");
        }
    }

    #[test]
    fn an_unknown_word_names_the_known_ones() {
        let explain = |text| explain(text, &Spot::default());
        let far = explain("unknown variant `xml`, expected one of `auto`, `pretty`, `json`");
        assert_eq!(far.help.as_deref(), Some("use `auto`, `pretty` or `json`"));
        let near = explain("unknown variant `jsn`, expected one of `auto`, `pretty`, `json`");
        assert_eq!(near.help.as_deref(), Some("did you mean `json`?"));
    }
}
