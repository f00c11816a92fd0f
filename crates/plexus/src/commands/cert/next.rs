//! What to do with the files next: a listener for the configuration, and commands to try it with.

use std::path::Path;

use toml::Value;

use super::{files::Folder, stem};

/// The port that MQTT over TLS usually has.
const PORT: u16 = 8_883;

/// For a broker that asks its clients for certificates if there are any.
pub(super) fn steps(folder: &Folder, clients: &[String]) -> String {
    let file = |name: &str| folder.absolute(name);
    let mut listener = format!(
        "[[listener]]\nurl = \"tls://127.0.0.1:{PORT}\"\n\n[listener.tls]\ncert_file = {}\n\
         key_file = {}\n",
        quoted(&file("server.pem")),
        quoted(&file("server.key")),
    );
    let mut own = String::new();
    if let Some(client) = clients.first() {
        let authority = quoted(&file("ca.pem"));
        let asks = ["client_ca_file = ", &authority, "\nclient_auth = \"required\"\n"];
        listener += &asks.concat();
        let pem = |end: &str| word(&file(&format!("{}.{end}", stem(client))));
        own = format!(" --cert {} --key {}", pem("pem"), pem("key"));
    }
    let to = format!("-h localhost -p {PORT} --cafile {}{own} -t '#' -v", word(&file("ca.pem")));
    format!(
        "\nIn plexus.toml:\n\n{listener}\nThen plexus serve and, in another terminal, one of:\n\n\
         plexus sub {to}\nmosquitto_sub {to}\n"
    )
}

/// As a text of TOML.
fn quoted(path: &Path) -> String {
    Value::from(path.display().to_string()).to_string()
}

/// As a word of a shell.
fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '@' | '+');
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{quoted, word};

    #[test]
    fn a_path_is_one_word_and_one_text() {
        for (path, text, of_shell) in [
            ("/a/b-c.pem", "\"/a/b-c.pem\"", "/a/b-c.pem"),
            ("/a b/c", "\"/a b/c\"", "'/a b/c'"),
            ("/it's", "\"/it's\"", "'/it'\\''s'"),
        ] {
            assert_eq!(quoted(Path::new(path)), text);
            assert_eq!(word(Path::new(path)), of_shell);
        }
    }
}
