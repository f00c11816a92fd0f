//! Every key with the value that holds and where it comes from, as a file that reads back.

use std::fmt::Write;

use plexus_net::{ListenUrl, Transport};
use toml::{Table, Value};

use crate::{
    load::{Config, Origins},
    report::{Origin, on_one_line},
    schema::{Key, keys},
    settings::Settings,
};

/// What holds for a listener where it says nothing itself.
const FALLBACKS: &[(&str, &str)] = &[
    ("listener.allow_anonymous", "access.allow_anonymous"),
    ("listener.chain", "access.chain"),
    ("listener.commit", "store.commit"),
    ("listener.connect_timeout", "limits.connect_timeout"),
    ("listener.max_byte_rate", "limits.max_byte_rate"),
    ("listener.max_connections", "limits.max_connections"),
    ("listener.max_message_rate", "limits.max_message_rate"),
    ("listener.name", "its url"),
    ("listener.rules_from", "access.rules_from"),
];

/// What stands in the place of a secret.
const MASK: &str = "***";

impl Config {
    /// The settings with the listeners that a node really has.
    pub fn effective(&self) -> Settings {
        Settings { listener: self.listeners(), ..self.settings.clone() }
    }

    /// All of it as TOML, secrets left out, behind each value a comment that says who set it.
    pub fn show(&self) -> String {
        let tree = Table::try_from(self.effective()).expect("invariant: settings are TOML");
        let keys = keys();
        let mut page =
            Page { text: String::new(), tree: &tree, keys: &keys, origins: Origins::of(self) };
        for table in keys.iter().filter(|key| key.is_table && key.table().is_empty()) {
            if table.path == "listener" {
                continue;
            }
            page.table(&format!("[{}]", table.path), &[&table.path], &table.path);
            page.lists(table, &[&table.path]);
            page.tables(table);
        }
        let listeners = tree.get("listener").and_then(Value::as_array).map_or(0, Vec::len);
        for index in 0..listeners {
            page.listener(&index.to_string());
        }
        page.text
    }
}

impl Config {
    /// Who set each key that is no default; elements of lists are named by their number.
    pub fn origins(&self) -> Vec<(String, Origin)> {
        let tree = Table::try_from(self.effective()).expect("invariant: settings are TOML");
        let mut found = Vec::new();
        let origins = Origins::of(self);
        origins_in(&mut Vec::new(), &Value::Table(tree), &origins, &mut found);
        found
    }
}

/// Of what stands at that path. What the settings hold is not deeper than the code of it.
fn origins_in(
    path: &mut Vec<String>,
    value: &Value,
    origins: &Origins<'_>,
    found: &mut Vec<(String, Origin)>,
) {
    let mut inside = |name: String, value: &Value| {
        path.push(name);
        origins_in(path, value, origins, found);
        path.pop();
    };
    match value {
        Value::Table(table) => {
            table.iter().for_each(|(name, value)| inside(name.clone(), value));
        }
        Value::Array(list) if list.iter().any(Value::is_table) => {
            list.iter().enumerate().for_each(|(at, value)| inside(at.to_string(), value));
        }
        _ => {
            let parts: Vec<_> = path.iter().map(String::as_str).collect();
            found.extend(origins.of_key(&parts).map(|origin| (parts.join("."), origin)));
        }
    }
}

struct Page<'a> {
    text: String,
    tree: &'a Table,
    keys: &'a [Key],
    origins: Origins<'a>,
}

impl Page<'_> {
    /// A listener with its tables. Keys of `[mqtt]` are shown where it has its own.
    fn listener(&mut self, index: &str) {
        self.table("[[listener]]", &["listener", index], "listener");
        for table in self.keys.iter().filter(|key| key.is_table && key.table() == "listener") {
            let path = ["listener", index, table.name()];
            let shows = |key: &&Key| {
                let path = [&path[..], &[key.name()]].concat();
                self.applies(&path, key) || self.origins.of_key(&path).is_some()
            };
            let mut keys = self.keys.iter().filter(|key| key.table() == table.path);
            if self.value(&path).is_some() && keys.any(|key| shows(&key)) {
                self.table(&format!("[{}]", table.path), &path, &table.path);
                self.lists(table, &path);
            }
        }
    }

    /// The keys of one table; `known` is its path in the list of keys.
    fn table(&mut self, head: &str, path: &[&str], known: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.line(format_args!("{head}"));
        let keys = self.keys.iter().filter(|key| !key.is_table && key.table() == known);
        let (named, plain): (Vec<_>, Vec<_>) =
            keys.partition(|key| key.kind.starts_with("table of names"));
        for key in plain {
            self.key(&[path, &[key.name()]].concat(), key);
        }
        for key in named {
            self.names(&[path, &[key.name()]].concat(), key);
        }
    }

    /// The lists of tables in a table, which stands at that path.
    fn lists(&mut self, table: &Key, at: &[&str]) {
        let lists = |key: &&Key| key.table() == table.path && key.kind.starts_with("list");
        for key in self.keys.iter().filter(|key| key.is_table).filter(lists) {
            let path = [at, &[key.name()]].concat();
            let length = self.value(&path).and_then(Value::as_array).map_or(0, Vec::len);
            if length == 0 {
                self.line(format_args!("# {} has no entry", key.name()));
            }
            for index in 0..length {
                let index = index.to_string();
                let path = [path.as_slice(), &[index.as_str()]].concat();
                self.table(&format!("[[{}]]", key.path), &path, &key.path);
            }
        }
    }

    /// The tables in a table of the file.
    fn tables(&mut self, table: &Key) {
        let is_inside = |key: &&Key| key.is_table && key.table() == table.path;
        let keys = self.keys.iter().filter(is_inside);
        for key in keys.filter(|key| !key.kind.starts_with("list")) {
            let path = [table.path.as_str(), key.name()];
            self.table(&format!("[{}]", key.path), &path, &key.path);
        }
    }

    fn key(&mut self, path: &[&str], key: &Key) {
        let name = key.name();
        let own = self.origins.of_key(path);
        if own.is_none() && !self.applies(path, key) {
            return;
        }
        if let Some(value) = self.value(path).cloned() {
            let origin = shown(own);
            self.line(format_args!("{name} = {value}  # {origin}"));
            return;
        }
        if key.table() == "listener.mqtt" {
            return;
        }
        let Some((_, fallback)) = FALLBACKS.iter().find(|(path, _)| *path == key.path) else {
            return self.line(format_args!("# {name} is not set"));
        };
        let parts = fallback.split('.').collect::<Vec<_>>();
        match self.value(&parts).cloned() {
            Some(value) => self.line(format_args!("# {name} = {value}  # as {fallback}")),
            None => self.line(format_args!("# {name} is {fallback}")),
        }
    }

    /// A table whose keys are names.
    fn names(&mut self, path: &[&str], key: &Key) {
        let names = self.value(path).and_then(Value::as_table).cloned().unwrap_or_default();
        if names.is_empty() {
            return self.line(format_args!("# {} has no entry", key.name()));
        }
        self.text.push('\n');
        self.line(format_args!("[{}]", key.path));
        for (name, value) in names {
            let origin = shown(self.origins.of_key(&[path, &[&name]].concat()));
            // What is masked is not what holds: a file that says so would not start.
            let comment = if value.as_str() == Some(MASK) { "# " } else { "" };
            self.line(format_args!("{comment}{} = {value}  # {origin}", quoted(&name)));
        }
    }

    fn value(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.tree.get(*first)?, |value, part| match value {
            Value::Array(list) => list.get(part.parse::<usize>().ok()?),
            other => other.get(part),
        })
    }

    /// Whether the key means something to a listener of that kind.
    fn applies(&self, path: &[&str], key: &Key) -> bool {
        let ["listener", index, ..] = path else { return true };
        let url = self.value(&["listener", index, "url"]).and_then(Value::as_str);
        let Some(url) = url.and_then(|url| url.parse::<ListenUrl>().ok()) else { return true };
        let unix = url.transport() == Transport::Unix;
        match (key.table(), key.name()) {
            ("listener.websocket", _) => url.transport().is_websocket(),
            ("listener.bind", "unix_mode") => unix,
            ("listener.bind", "backlog") => true,
            ("listener.bind", _) => !unix,
            _ => true,
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.text, "{line}").expect("invariant: writing to a string");
    }
}

/// Where a value comes from, as it can stand in a comment.
fn shown(origin: Option<Origin>) -> String {
    origin.map_or_else(|| "default".to_owned(), |origin| on_one_line(&origin.to_string()))
}

/// A name as a key of TOML.
fn quoted(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if !name.is_empty() && name.chars().all(bare) {
        return name.to_owned();
    }
    let mut key = String::from('"');
    for c in name.chars() {
        match c {
            '"' | '\\' => key.extend(['\\', c]),
            c if c.is_control() => {
                key.push_str(&format_args!("\\u{:04X}", u32::from(c)).to_string());
            }
            c => key.push(c),
        }
    }
    key.push('"');
    key
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use crate::{Config, File, Override, Sources, load, schema::keys};

    fn config(text: &str, overrides: Vec<Override>) -> Config {
        let file = Some(File { path: PathBuf::from("plexus.toml"), text: text.to_owned() });
        load(Sources { file, overrides, ..Sources::default() }).unwrap()
    }

    fn in_a_list(key: &crate::schema::Key) -> bool {
        let lists = |table: &crate::schema::Key| {
            table.kind.starts_with("list") && key.path.starts_with(&format!("{}.", table.path))
        };
        keys().iter().filter(|table| table.is_table).any(lists)
    }

    #[test]
    fn every_key_is_shown_with_its_value_and_its_source() {
        let text = "[mqtt]\nmaximum_qos = 1\n[shared.groups]\n\"a b\" = \"sticky\"\n\
                    [[listener]]\nurl = \"tcp://127.0.0.1:1\"\n[listener.mqtt]\nmax_inflight = 7\n";
        let variables = [("PLEXUS__NODE__NAME".to_owned(), "here".to_owned())];
        let mut overrides = Override::environment(variables);
        overrides.push(Override::option("--data-dir", &["node", "data_dir"], "data"));
        let shown = config(text, overrides).show();
        for line in [
            "maximum_qos = 1  # plexus.toml:2",
            "\"a b\" = \"sticky\"  # plexus.toml:4",
            "url = \"tcp://127.0.0.1:1\"  # plexus.toml:6",
            "[listener.mqtt]\nmax_inflight = 7  # plexus.toml:8",
            "name = \"here\"  # environment variable PLEXUS__NODE__NAME",
            "data_dir = \"data\"  # option --data-dir",
            "max_inflight = 32  # default",
            "# users_file is not set",
            "# users has no entry",
            "# connect_timeout = \"10s\"  # as limits.connect_timeout",
            "# name is its url",
            "nodelay = true  # default",
        ] {
            assert!(shown.contains(&format!("{line}\n")), "{line}:\n{shown}");
        }
        for name in ["unix_mode", "[listener.websocket]", "frame_size_max"] {
            assert!(!shown.contains(name), "{name} means nothing to tcp://:\n{shown}");
        }
        for key in keys().iter().filter(|key| !key.is_table && !in_a_list(key)) {
            assert!(shown.contains(key.name()), "{} is missing:\n{shown}", key.path);
        }
    }

    #[test]
    fn what_is_shown_reads_back_as_the_same() {
        let first = config("[node]\nname = \"x\"\n", Vec::new());
        let second = config(&first.show(), Vec::new());
        assert_eq!(first.effective(), second.effective());
        assert!(second.show().contains("url = \"tcp://127.0.0.1:1883\"  # plexus.toml:"));
    }

    #[test]
    fn lists_of_tables_read_back() {
        let text = "[[store.topic]]\nfilter = \"a/#\"\ncommit = \"memory\"\n\
                    [[store.topic]]\nfilter = \"b\"\ncommit = \"memory\"\n";
        let first = config(text, Vec::new());
        let shown = first.show();
        let rule = "[[store.topic]]\ncommit = \"memory\"  # plexus.toml:6";
        assert!(shown.contains(rule), "{shown}");
        assert_eq!(config(&shown, Vec::new()).settings.store, first.settings.store);
        assert!(config("", Vec::new()).show().contains("# topic has no entry\n"));
    }

    #[test]
    fn certificates_of_a_listener_read_back() {
        let certificates = ["a", "b"].map(|name| {
            format!(
                "[[listener.tls.certificate]]\ncert_file = \"/{name}.pem\"\nkey_file = \"/k\"\n"
            )
        });
        let text = "[[listener]]\nurl = \"tls://127.0.0.1\"\n[listener.tls]\n\
                    cert_file = \"/c.pem\"\nkey_file = \"/k\"\n";
        let first = config(&[text, &certificates.concat()].concat(), Vec::new());
        let shown = first.show();
        let second = "[[listener.tls.certificate]]\ncert_file = \"/b.pem\"  # plexus.toml:10\n";
        assert!(shown.contains(second), "{shown}");
        assert_eq!(config(&shown, Vec::new()).settings, first.settings);
        assert!(config(text, Vec::new()).show().contains("# certificate has no entry\n"));
    }

    #[test]
    fn names_and_secrets_read_back() {
        let name = "a\\u0009\\u000A\\\"\\\\'é";
        let text = format!(
            "[shared.groups]\n\"{name}\" = \"sticky\"\n[access.users]\n\"{name}\" = \"secret\"\n\
             bob = \"file:x\"\n"
        );
        let first = config(&text, Vec::new());
        let shown = first.show();
        assert!(shown.contains(&format!("\n\"{name}\" = \"sticky\"")), "{shown}");
        assert!(shown.contains(&format!("\n# \"{name}\" = \"***\"")), "{shown}");
        let second = config(&shown, Vec::new());
        assert_eq!(second.settings.shared, first.settings.shared);
        let users = second.settings.access.users.into_iter().collect::<Vec<_>>();
        assert_eq!(users, [("bob".to_owned(), "file:x".parse().unwrap())]);
    }

    #[test]
    fn a_listener_shows_what_applies_to_it() {
        let text = "[[listener]]\nurl = \"unix:///run/a.sock\"\nbind = { nodelay = false }\n\
                    [[listener]]\nurl = \"ws://127.0.0.1:1\"\n";
        let first = config(text, Vec::new());
        let shown = first.show();
        let parts = shown.split("[[listener]]").collect::<Vec<_>>();
        let [_, unix, websocket] = parts[..] else { panic!("two listeners: {shown}") };
        assert!(unix.contains("unix_mode") && unix.contains("nodelay = false  # plexus.toml:3"));
        assert!(!unix.contains("frame_size_max") && !unix.contains("ipv6_only"), "{unix}");
        assert!(websocket.contains("frame_size_max") && !websocket.contains("unix_mode"));
        assert_eq!(config(&shown, Vec::new()).effective(), first.effective());
    }

    #[test]
    fn a_list_that_is_replaced_hides_the_keys_of_the_file() {
        let text = "[[listener]]\nurl = \"tcp://127.0.0.1:1\"\nname = \"file\"\n";
        let listeners = "[{url=\"tcp://127.0.0.1:2\"}]".to_owned();
        let variables = [("PLEXUS__LISTENER".to_owned(), listeners)];
        let shown = config(text, Override::environment(variables)).show();
        let variable = "environment variable PLEXUS__LISTENER";
        assert!(shown.contains(&format!("url = \"tcp://127.0.0.1:2\"  # {variable}\n")), "{shown}");
        assert!(shown.contains("proxy_protocol = \"off\"  # default\n"), "{shown}");
        assert!(!shown.contains("\"file\""), "{shown}");
    }
}
