//! What goes wrong with a connection, in words, with what mends it.

mod tls;

use std::{fmt, io};

use plexus_net::{
    StreamError, Transport,
    websocket::{ResponseFault, WebSocketError},
};

pub use self::tls::of_files;
use super::endpoint::Endpoint;

/// What a server begins to say in TLS without being asked in it: an alert or a handshake.
const TLS_RECORDS: [u8; 2] = [0x15, 0x16];
/// First bytes that a server of MQTT may send: CONNACK, DISCONNECT and AUTH, whatever their flags.
const MQTT_ANSWERS: [u8; 3] = [0x20, 0xE0, 0xF0];

/// What went wrong, and what a person can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub(crate) what: String,
    pub(crate) mend: Option<String>,
    /// The other side ended a connection that it had accepted, or fell silent on it: what was sent
    /// to it may be why.
    pub(crate) is_cut: bool,
}

/// How far a connection came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// TLS is not yet agreed on.
    Tls,
    /// The WebSocket is not yet open.
    WebSocket,
    /// CONNECT is out.
    Asked,
    /// The broker has accepted it.
    Up,
}

impl Trouble {
    fn new(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { what: what.into(), mend: Some(mend.into()), is_cut: false }
    }

    fn bare(what: impl Into<String>) -> Self {
        Self { what: what.into(), mend: None, is_cut: false }
    }

    /// The name of the host leads nowhere.
    pub(crate) fn unknown_host(endpoint: &Endpoint, error: &io::Error) -> Self {
        let text = plain(error);
        let why = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
        let host = &endpoint.host;
        let what = format!("cannot find the host `{host}` of {endpoint}: {why}");
        Self::new(what, "check the name, or give the address; this machine is `localhost`")
    }

    /// A name without any address.
    pub(crate) fn no_address(endpoint: &Endpoint) -> Self {
        let what = format!("the host `{}` has no address", endpoint.host);
        Self::new(what, "check the name, or give the address")
    }

    /// Nothing came back while the socket connected.
    pub(crate) fn no_way(endpoint: &Endpoint) -> Self {
        let what = format!("cannot connect to {endpoint}: no answer in time");
        Self::new(what, "check host and port, and whether a firewall stands between")
    }

    /// The connection stands and nobody answers on it.
    pub(crate) fn silence(endpoint: &Endpoint, stage: Stage) -> Self {
        let (before, mend) = behind(endpoint, stage);
        let what = format!("{endpoint} does not answer{before}");
        Self { what, mend, is_cut: stage == Stage::Up }
    }

    /// The other side ended it without a word.
    pub(crate) fn closed(endpoint: &Endpoint, stage: Stage) -> Self {
        let (before, mend) = behind(endpoint, stage);
        let without = if before.is_empty() { "" } else { " without an answer" };
        let what = format!("{endpoint} closed the connection{without}{before}");
        Self { what, mend, is_cut: stage == Stage::Up }
    }

    /// What the stream says.
    pub(crate) fn of_stream(endpoint: &Endpoint, error: &StreamError, stage: Stage) -> Self {
        match error {
            StreamError::Io(error) => Self::of_io(endpoint, error, stage),
            StreamError::Tls(error) => tls::of(endpoint, error),
            StreamError::WebSocket(WebSocketError::Response(fault)) => of_answer(endpoint, *fault),
            StreamError::WebSocket(error) => {
                Self::bare(format!("{endpoint} breaks the rules of WebSocket: {error}"))
            }
            StreamError::ServerName(name) => Self::new(
                format!("`{name}` is no host name that a certificate could prove"),
                "write a host name or an address",
            ),
            StreamError::Proxy(error) => Self::bare(format!("{endpoint}: {error}")),
        }
    }

    /// What the system says.
    pub(crate) fn of_io(endpoint: &Endpoint, error: &io::Error, stage: Stage) -> Self {
        use io::ErrorKind as Kind;
        let cannot = |why: &str| format!("cannot connect to {endpoint}: {why}");
        let running = "is the broker running? `plexus serve` starts one, by default at \
                       127.0.0.1:1883";
        match error.kind() {
            Kind::ConnectionReset | Kind::BrokenPipe | Kind::ConnectionAborted => {
                Self::closed(endpoint, stage)
            }
            _ if stage == Stage::Up => Self::of_standing(endpoint, error),
            Kind::ConnectionRefused => Self::new(cannot("connection refused"), running),
            Kind::NotFound if endpoint.transport == Transport::Unix => Self::new(
                cannot("no such socket"),
                "is the broker running, with a listener at this path?",
            ),
            Kind::PermissionDenied if endpoint.transport == Transport::Unix => {
                Self::new(cannot("not permitted"), "ask for the right to write to the socket")
            }
            Kind::TimedOut => Self::no_way(endpoint),
            Kind::HostUnreachable | Kind::NetworkUnreachable => Self::new(
                cannot("no way leads there"),
                "check the address and the network of this machine",
            ),
            _ => Self::bare(cannot(&plain(error))),
        }
    }

    /// What the system says of a connection that stood.
    fn of_standing(endpoint: &Endpoint, error: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        let lost = |why: &str| format!("lost the connection to {endpoint}: {why}");
        match error.kind() {
            Kind::TimedOut => {
                Self::new(lost("no sign of life for too long"), "check the network in between")
            }
            Kind::HostUnreachable | Kind::NetworkUnreachable | Kind::NetworkDown => {
                Self::new(lost("no way leads there any more"), "check the network of this machine")
            }
            _ => Self::bare(lost(&plain(error))),
        }
    }

    /// Whether the first byte of an answer to CONNECT is another protocol's.
    pub(crate) fn of_stranger(endpoint: &Endpoint, first: u8) -> Option<Self> {
        if MQTT_ANSWERS.contains(&(first & 0xF0)) {
            return None;
        }
        Some(match first {
            _ if TLS_RECORDS.contains(&first) => {
                Self::new(format!("{endpoint} answers in TLS"), endpoint.with_tls())
            }
            b'H' | b'<' => Self::new(
                format!("{endpoint} answers in HTTP, not in MQTT"),
                format!(
                    "for MQTT over WebSocket {}; for MQTT alone take the port of its listener, by \
                     default 1883",
                    endpoint.with_websocket()
                ),
            ),
            _ => Self::new(
                format!("what answers at {endpoint} does not speak MQTT"),
                "check host and port",
            ),
        })
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

/// How far it came, as the end of a sentence, and the mend of a connection that stays there.
fn behind(endpoint: &Endpoint, stage: Stage) -> (&'static str, Option<String>) {
    let log = "the log of the broker may say why";
    let mend = match (stage, endpoint.transport) {
        (Stage::Up, _) | (Stage::Asked, Transport::Unix) => None,
        (Stage::Tls, _) => {
            Some(format!("does this port speak TLS? For one without {}", endpoint.without_tls()))
        }
        (Stage::WebSocket, Transport::Ws) => Some(format!(
            "does this port speak WebSocket? For one without {}; for one with TLS {}",
            endpoint.without_websocket(),
            endpoint.with_tls()
        )),
        (Stage::WebSocket, _) => Some(format!(
            "does this port speak WebSocket? For one without {}",
            endpoint.without_websocket()
        )),
        (Stage::Asked, Transport::Tcp) => Some(format!(
            "is this a port for plain MQTT? For one with TLS {}; for one with WebSocket {}; \
             otherwise {log}",
            endpoint.with_tls(),
            endpoint.with_websocket()
        )),
        (Stage::Asked, Transport::Tls) => Some(format!(
            "is this a port for MQTT? For one with WebSocket {}; otherwise {log}",
            endpoint.with_websocket()
        )),
        (Stage::Asked, Transport::Ws | Transport::Wss) => Some(log.to_owned()),
    };
    let before = match stage {
        Stage::Tls => " to the first message of TLS",
        Stage::WebSocket => " to the request for a WebSocket",
        Stage::Asked => " to CONNECT",
        Stage::Up => "",
    };
    (before, mend)
}

/// What an HTTP server said to the request for a WebSocket.
fn of_answer(endpoint: &Endpoint, fault: ResponseFault) -> Trouble {
    let path = &endpoint.path;
    match fault {
        ResponseFault::Status(status) => {
            let what = format!("{endpoint} refuses the WebSocket with HTTP status {status}");
            match status {
                404 => Trouble::new(
                    format!(
                        "nothing is served at the path `{path}` of {endpoint} (HTTP status 404)"
                    ),
                    "Plexus serves WebSocket at /mqtt unless its listener names another path: \
                     write -L ws://host:port/mqtt",
                ),
                301..=308 => Trouble::new(what, "the server is elsewhere: ask there"),
                401 | 403 => Trouble::new(what, "the server, or a proxy before it, wants a login"),
                502..=504 => {
                    Trouble::new(what, "a proxy answers, and the broker behind it does not")
                }
                _ => Trouble::new(what, "does this port speak MQTT over WebSocket?"),
            }
        }
        ResponseFault::Subprotocol => Trouble::new(
            format!("{endpoint} opens a WebSocket, but not for MQTT"),
            "take the path that its broker serves, for Plexus /mqtt",
        ),
        ResponseFault::TooLong | ResponseFault::Malformed | ResponseFault::NoUpgrade => {
            Trouble::new(format!("what answers at {endpoint} is no WebSocket"), {
                let mqtt = endpoint.without_websocket();
                let tls = match endpoint.transport {
                    Transport::Ws => format!(", for one with TLS {}", endpoint.with_tls()),
                    _ => String::new(),
                };
                format!("check host and port; for a port of MQTT alone {mqtt}{tls}")
            })
        }
    }
}

/// What the system says, without the number that only programmers know.
pub fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" (os error ") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests;
