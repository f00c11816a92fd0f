//! What a person sees when the node is up, and what the log says of it elsewhere.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal, Write as _},
    path::Path,
};

use plexus_config::Config;
use plexus_net::ListenUrl;

use super::way;

fn from(file: Option<&Path>) -> String {
    file.map_or_else(|| "defaults".to_owned(), |path| path.display().to_string())
}

pub(super) fn show(config: &Config, listeners: &[ListenUrl], anonymous: bool) {
    let mut stderr = io::stderr();
    if stderr.is_terminal() {
        // When the terminal is gone, nobody wants to read it.
        drop(stderr.write_all(text(config, listeners, anonymous).as_bytes()));
        return;
    }
    let (version, configuration) = (env!("CARGO_PKG_VERSION"), from(config.file()));
    tracing::info!(version, configuration, "started");
    for url in listeners {
        tracing::info!(%url, "listening");
    }
    tracing::info!("{}", keeping(config));
    if anonymous {
        tracing::warn!("{}", strangers(listeners));
    }
}

/// The whole banner.
fn text(config: &Config, listeners: &[ListenUrl], anonymous: bool) -> String {
    let from = from(config.file());
    let mut text = format!("plexus {} ({from})\n", env!("CARGO_PKG_VERSION"));
    for url in listeners {
        let written = writeln!(text, "  listening at {url}");
        written.expect("invariant: writing to a string");
    }
    if anonymous {
        let written = writeln!(text, "  {}", strangers(listeners));
        written.expect("invariant: writing to a string");
    }
    let written = writeln!(text, "  {}", keeping(config));
    written.expect("invariant: writing to a string");
    let show = ("plexus config show".to_owned(), "see what holds");
    let mut lines = match way::options(config, listeners) {
        Some(options) => vec![
            (format!("plexus sub{options} -v -t '#'"), "see every message"),
            (format!("plexus pub{options} -t hello -m world"), "publish one"),
        ],
        None => Vec::new(),
    };
    lines.push(show);
    let width = lines.iter().map(|(command, _)| command.chars().count()).max().unwrap_or_default();
    text.push_str("\nTry in another terminal:\n");
    for (command, what) in lines {
        let written = writeln!(text, "  {command:width$}  {what}");
        written.expect("invariant: writing to a string");
    }
    text.push('\n');
    text
}

/// What is there after the end of the process.
fn keeping(config: &Config) -> String {
    match &config.settings.node.data_dir {
        Some(dir) if config.is_kept() => {
            format!("Sessions and retained messages are kept in {}.", dir.display())
        }
        Some(_) => {
            "Sessions and retained messages end with this process: store.commit is `memory`."
                .to_owned()
        }
        None => "Sessions and retained messages end with this process: --data-dir DIR keeps them."
            .to_owned(),
    }
}

fn strangers(listeners: &[ListenUrl]) -> &'static str {
    if listeners.iter().all(plexus_config::is_local) {
        "No users are configured: only this machine can connect, and it needs no password."
    } else {
        "Clients without user name are let in: whoever reaches these addresses may connect."
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use plexus_config::{Config, File, Sources, load};

    use super::text;

    fn banner(file: Option<&str>, urls: &[&str], anonymous: bool) -> String {
        let urls = urls.iter().map(|url| url.parse().unwrap()).collect::<Vec<_>>();
        let config = file.map_or_else(Config::defaults, |text| {
            let file = Some(File { path: PathBuf::from("plexus.toml"), text: text.to_owned() });
            load(Sources { file, ..Sources::default() }).unwrap()
        });
        text(&config, &urls, anonymous)
    }

    #[test]
    fn only_what_is_kept_is_said_to_be() {
        let said = |store| {
            let file = format!("node.data_dir = \"kept\"\n{store}");
            banner(Some(&file), &["tcp://127.0.0.1:1883"], true)
        };
        assert!(said("").contains("are kept in kept."));
        assert!(said("store.commit = \"memory\"").contains("end with this process: store.commit"));
    }

    #[test]
    fn a_first_start_says_where_who_and_what_to_try() {
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            banner(None, &["tcp://127.0.0.1:1883", "ws://127.0.0.1:8083/mqtt"], true),
            format!(
                "\
plexus {version} (defaults)
  listening at tcp://127.0.0.1:1883
  listening at ws://127.0.0.1:8083/mqtt
  No users are configured: only this machine can connect, and it needs no password.
  Sessions and retained messages end with this process: --data-dir DIR keeps them.

Try in another terminal:
  plexus sub -v -t '#'          see every message
  plexus pub -t hello -m world  publish one
  plexus config show            see what holds

"
            )
        );
    }

    #[test]
    fn an_open_node_says_that_it_is_open() {
        let file = Some("[access]\nallow_anonymous = true\n");
        let open = banner(file, &["tcp://0.0.0.0:2000"], true);
        assert!(open.contains("(plexus.toml)\n"), "{open}");
        assert!(open.contains("whoever reaches these addresses may connect"), "{open}");
        let closed = banner(file, &["tcp://0.0.0.0:2000"], false);
        assert!(!closed.contains("may connect"), "{closed}");
    }

    #[test]
    fn what_to_try_fits_the_listeners() {
        let tls = "tls = { cert_file = \"c.pem\", key_file = \"k.pem\" }\n";
        let users = "[access]\nusers_file = \"users\"\n";
        for (file, url, options) in [
            (String::new(), "tcp://0.0.0.0:2000", " -p 2000"),
            (String::new(), "tcp://192.0.2.1:1883", " -h 192.0.2.1"),
            (users.to_owned(), "tcp://127.0.0.1:1883", " -u NAME -P PASSWORD"),
            (String::new(), "ws://127.0.0.1:8084/mqtt", " -L ws://localhost:8084/mqtt"),
            (tls.to_owned(), "tls://127.0.0.1:8883", " --cafile c.pem"),
            (
                tls.replace(" }", ", client_ca_file = \"a\", client_auth = \"required\" }"),
                "tls://127.0.0.1:1",
                " -p 1 --cafile c.pem --cert FILE --key FILE",
            ),
            (tls.to_owned(), "wss://[::1]:1/x", " -L wss://[::1]:1/x --cafile c.pem"),
            (String::new(), "unix:///run/a.sock", " -L unix:///run/a.sock"),
        ] {
            let listener = if file.starts_with("tls") { file.as_str() } else { "" };
            let before = file.strip_suffix(listener).unwrap();
            let config = format!(
                "{before}[[listener]]\nurl = \"{url}\"\nallow_anonymous = {}\n{listener}",
                before.is_empty()
            );
            let shown = banner(Some(&config), &[url], false);
            assert!(shown.contains(&format!("plexus sub{options} -v -t")), "{options}: {shown}");
        }
        let proxied = "[[listener]]\nurl = \"tcp://127.0.0.1\"\nproxy_protocol = \"required\"\n";
        let shown = banner(Some(proxied), &["tcp://127.0.0.1:1883"], false);
        assert!(!shown.contains("plexus sub") && shown.contains("plexus config show"), "{shown}");
    }
}
