//! Relative paths in the file are meant from where the file stands: a service is started in another
//! directory than the shell in which its file was tried.

use std::path::Path;

use toml::{Table, Value};

/// The keys that hold a path; `*` is any name and any element of a list.
const PATHS: &[&[&str]] = &[
    &["node", "data_dir"],
    &["audit", "dir"],
    &["api", "cert_file"],
    &["api", "key_file"],
    &["telemetry", "ca_file"],
    &["telemetry", "cert_file"],
    &["telemetry", "key_file"],
    &["access", "users_file"],
    &["access", "tenant", "*", "users_file"],
    &["access", "jwt", "*", "public_key_file"],
    &["access", "jwt", "*", "key_set_file"],
    &["access", "jwt", "*", "key_set_ca_file"],
    &["access", "*", "*", "ca_file"],
    &["access", "*", "*", "cert_file"],
    &["access", "*", "*", "key_file"],
    &["listener", "*", "tls", "cert_file"],
    &["listener", "*", "tls", "key_file"],
    &["listener", "*", "tls", "ocsp_file"],
    &["listener", "*", "tls", "client_ca_file"],
    &["listener", "*", "tls", "crl_files", "*"],
    &["listener", "*", "tls", "certificate", "*", "cert_file"],
    &["listener", "*", "tls", "certificate", "*", "key_file"],
    &["listener", "*", "tls", "certificate", "*", "ocsp_file"],
];

/// The keys that hold a path behind `file:`, or a secret itself.
const SECRETS: &[&[&str]] = &[
    &["access", "users", "*"],
    &["access", "jwt", "*", "secret"],
    &["access", "ask", "*", "headers", "*"],
    &["access", "http", "*", "headers", "*"],
    &["access", "*", "*", "password"],
    &["telemetry", "headers", "*"],
];

const REFERENCE: &str = "file:";

/// Sets the folder of `file` before each relative path.
pub(super) fn resolve(tree: &mut Table, file: &Path) {
    let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return;
    };
    let joined = |path: &str| folder.join(path).display().to_string();
    for path in PATHS {
        each(tree, path, &|text| Some(joined(text)));
    }
    for path in SECRETS {
        each(tree, path, &|text| {
            let path = text.strip_prefix(REFERENCE)?;
            Some(format!("{REFERENCE}{}", joined(path)))
        });
    }
}

/// Replaces the texts at that path.
fn each(table: &mut Table, path: &[&str], change: &dyn Fn(&str) -> Option<String>) {
    let Some((first, rest)) = path.split_first() else { return };
    for (key, value) in table.iter_mut() {
        if *first == "*" || key == first {
            each_in(value, rest, change);
        }
    }
}

fn each_in(value: &mut Value, path: &[&str], change: &dyn Fn(&str) -> Option<String>) {
    match (value, path) {
        (Value::String(text), []) => {
            if let Some(changed) = change(text) {
                *text = changed;
            }
        }
        (Value::Table(table), path) => each(table, path, change),
        (Value::Array(list), ["*", rest @ ..]) => {
            for element in list.iter_mut() {
                each_in(element, rest, change);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{PATHS, resolve};
    use crate::schema::keys;

    fn resolved(text: &str, file: &str) -> toml::Table {
        let mut tree = toml::from_str(text).unwrap();
        resolve(&mut tree, Path::new(file));
        tree
    }

    #[test]
    fn a_relative_path_begins_where_the_file_stands() {
        let text = "[node]\ndata_dir = \"data\"\n[access]\nusers_file = \"/abs/users\"\n\
                    [access.users]\nbob = \"file:bob\"\neve = \"$argon2id$x\"\n\
                    [[listener]]\nurl = \"tls://127.0.0.1\"\n\
                    tls = { cert_file = \"c.pem\", key_file = \"../k.pem\", client_ca_file = \"a\", \
                    crl_files = [\"r\", \"/s\"], certificate = [{ cert_file = \"d\" }] }\n";
        let tree = resolved(text, "/etc/plexus/plexus.toml");
        assert_eq!(tree["node"]["data_dir"].as_str(), Some("/etc/plexus/data"));
        assert_eq!(tree["access"]["users_file"].as_str(), Some("/abs/users"));
        assert_eq!(tree["access"]["users"]["bob"].as_str(), Some("file:/etc/plexus/bob"));
        assert_eq!(tree["access"]["users"]["eve"].as_str(), Some("$argon2id$x"));
        let tls = &tree["listener"][0]["tls"];
        assert_eq!(tls["cert_file"].as_str(), Some("/etc/plexus/c.pem"));
        assert_eq!(tls["key_file"].as_str(), Some("/etc/plexus/../k.pem"));
        assert_eq!(tls["client_ca_file"].as_str(), Some("/etc/plexus/a"));
        assert_eq!(tls["crl_files"][0].as_str(), Some("/etc/plexus/r"));
        assert_eq!(tls["crl_files"][1].as_str(), Some("/s"));
        assert_eq!(tls["certificate"][0]["cert_file"].as_str(), Some("/etc/plexus/d"));
        assert_eq!(tree["listener"][0]["url"].as_str(), Some("tls://127.0.0.1"));
    }

    #[test]
    fn beside_the_file_nothing_changes() {
        let tree = resolved("[node]\ndata_dir = \"data\"\n", "plexus.toml");
        assert_eq!(tree["node"]["data_dir"].as_str(), Some("data"));
    }

    #[test]
    fn every_key_that_names_a_file_is_resolved() {
        let listed = PATHS.iter().map(|path| path.join(".").replace(".*", "")).collect::<Vec<_>>();
        let is_listed = |path: &String| {
            let kind = path.split('.').nth(1).unwrap_or_default();
            listed.contains(path) || listed.contains(&path.replacen(&format!(".{kind}."), ".", 1))
        };
        let texts = keys().into_iter().filter(|key| !key.kind.starts_with("number"));
        let paths = texts.map(|key| key.path);
        let is_file =
            |path: &String| ["_file", "_files", "_dir"].iter().any(|end| path.ends_with(end));
        for path in paths.filter(is_file) {
            assert!(is_listed(&path), "{path} is not resolved");
        }
    }
}
