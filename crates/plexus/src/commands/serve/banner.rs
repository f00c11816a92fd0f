//! What a person sees when the node is up, and what the log says of it elsewhere.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal, Write as _},
    path::Path,
};

use plexus_net::{ListenUrl, Transport};

pub(super) fn show(file: Option<&Path>, listeners: &[ListenUrl], anonymous: bool) {
    let mut stderr = io::stderr();
    if stderr.is_terminal() {
        // When the terminal is gone, nobody wants to read it.
        drop(stderr.write_all(text(file, listeners, anonymous).as_bytes()));
        return;
    }
    for url in listeners {
        tracing::info!(%url, "listening");
    }
    if anonymous {
        tracing::warn!("{}", strangers(listeners));
    }
}

/// The whole banner.
fn text(file: Option<&Path>, listeners: &[ListenUrl], anonymous: bool) -> String {
    let from = file.map_or_else(|| "defaults".to_owned(), |path| path.display().to_string());
    let mut text = format!("plexus {} ({from})\n", env!("CARGO_PKG_VERSION"));
    for url in listeners {
        let written = writeln!(text, "  listening at {url}");
        written.expect("invariant: writing to a string");
    }
    if anonymous {
        let written = writeln!(text, "  {}", strangers(listeners));
        written.expect("invariant: writing to a string");
    }
    let plain = listeners.iter().find(|url| url.transport() == Transport::Tcp);
    let port = match plain.map(ListenUrl::port) {
        None | Some(1883) => String::new(),
        Some(port) => format!(" -p {port}"),
    };
    let written = write!(
        text,
        "\nTry in another terminal:\n\
         \x20 {:width$}  see every message\n\
         \x20 {:width$}  publish one\n\
         \x20 {:width$}  see what holds\n\n",
        format!("plexus sub{port} -v -t '#'"),
        format!("plexus pub{port} -t hello -m world"),
        "plexus config show",
        width = "plexus pub -t hello -m world".len() + port.len(),
    );
    written.expect("invariant: writing to a string");
    text
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
    use std::path::Path;

    use super::text;

    fn banner(file: Option<&str>, urls: &[&str], anonymous: bool) -> String {
        let urls = urls.iter().map(|url| url.parse().unwrap()).collect::<Vec<_>>();
        text(file.map(Path::new), &urls, anonymous)
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
        let open = banner(Some("plexus.toml"), &["tcp://0.0.0.0:2000"], true);
        assert!(open.contains("(plexus.toml)\n"), "{open}");
        assert!(open.contains("whoever reaches these addresses may connect"), "{open}");
        assert!(open.contains("plexus pub -p 2000 -t hello"), "{open}");
        let closed = banner(Some("plexus.toml"), &["tcp://0.0.0.0:2000"], false);
        assert!(!closed.contains("may connect"), "{closed}");
    }
}
