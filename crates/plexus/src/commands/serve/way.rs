//! The options by which a client of this machine reaches the node.

use plexus_config::{Config, settings::ListenerSettings};
use plexus_net::{ClientAuth, ListenUrl, ProxyProtocol, Transport};

/// The transports, the one with the fewest options first.
const TRANSPORTS: [Transport; 5] =
    [Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss, Transport::Unix];

/// Options for `plexus pub` and `plexus sub`, each behind a blank. `urls` are the real addresses.
pub(super) fn options(config: &Config, urls: &[ListenUrl]) -> Option<String> {
    let listeners = config.listeners();
    let ways = urls.iter().filter_map(|url| Some((url, settings(url, &listeners)?)));
    // A client of ours sends no PROXY header.
    let ways = ways.filter(|(_, listener)| listener.proxy_protocol == ProxyProtocol::Off);
    let rank = |url: &ListenUrl| TRANSPORTS.iter().position(|one| *one == url.transport());
    let (url, listener) = ways.min_by_key(|(url, _)| rank(url))?;
    Some(place(url) + &certificates(listener) + &user(config, listener))
}

/// The settings of the listener that has that address.
fn settings<'a>(url: &ListenUrl, all: &'a [ListenerSettings]) -> Option<&'a ListenerSettings> {
    let alike = |one: &&ListenerSettings| one.url.transport() == url.transport();
    let exact = all.iter().filter(alike).find(|one| one.url == *url);
    // A port that the system chose, or a name that became an address.
    let chosen = || all.iter().filter(alike).find(|one| one.url.port() == 0);
    exact.or_else(chosen).or_else(|| all.iter().find(alike))
}

fn place(url: &ListenUrl) -> String {
    let host = match url.host() {
        "127.0.0.1" | "0.0.0.0" => "localhost",
        "::" => "::1",
        other => other,
    };
    let usual = match url.transport() {
        Transport::Tcp => 1883,
        Transport::Tls => 8883,
        Transport::Unix => return format!(" -L {url}"),
        Transport::Ws | Transport::Wss => {
            let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
            let path = url.websocket_path().unwrap_or("/mqtt");
            return format!(" -L {}://{host}:{}{path}", url.transport().scheme(), url.port());
        }
    };
    let host = if host == "localhost" { String::new() } else { format!(" -h {host}") };
    let port = if url.port() == usual { String::new() } else { format!(" -p {}", url.port()) };
    host + &port
}

fn certificates(listener: &ListenerSettings) -> String {
    let Some(tls) = &listener.tls else { return String::new() };
    let own = if tls.client_auth == ClientAuth::Required { " --cert FILE --key FILE" } else { "" };
    format!(" --cafile {}{own}", tls.cert_file.display())
}

fn user(config: &Config, listener: &ListenerSettings) -> String {
    if config.lets_strangers_in(listener) {
        return String::new();
    }
    let name = config.settings.access.users.keys().next().map_or("NAME", String::as_str);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    let name = if name.chars().all(plain) { name } else { "NAME" };
    format!(" -u {name} -P PASSWORD")
}
