//! What goes wrong with a connection, in words, with what mends it.

mod tls;

use std::{fmt, io};

use plexus_net::{
    StreamError, Transport,
    websocket::{ResponseFault, WebSocketError},
};

pub(crate) use self::tls::of_files;
use super::endpoint::Endpoint;

/// What a server begins to say in TLS without being asked in it: an alert or a handshake.
const TLS_RECORDS: [u8; 2] = [0x15, 0x16];
/// First bytes that a server of MQTT may send: CONNACK, DISCONNECT and AUTH, whatever their flags.
const MQTT_ANSWERS: [u8; 3] = [0x20, 0xE0, 0xF0];

/// What went wrong, and what a person can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) what: String,
    pub(crate) mend: Option<String>,
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
        Self { what: what.into(), mend: Some(mend.into()) }
    }

    fn bare(what: impl Into<String>) -> Self {
        Self { what: what.into(), mend: None }
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
        Self { what: format!("{endpoint} does not answer{before}"), mend }
    }

    /// The other side ended it without a word.
    pub(crate) fn closed(endpoint: &Endpoint, stage: Stage) -> Self {
        let (before, mend) = behind(endpoint, stage);
        let without = if before.is_empty() { "" } else { " without an answer" };
        Self { what: format!("{endpoint} closed the connection{without}{before}"), mend }
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
            _ if stage == Stage::Up => {
                Self::bare(format!("lost the connection to {endpoint}: {}", plain(error)))
            }
            _ => Self::bare(cannot(&plain(error))),
        }
    }

    /// Whether the first byte of an answer to CONNECT is another protocol's.
    pub(crate) fn of_stranger(endpoint: &Endpoint, first: u8) -> Option<Self> {
        if MQTT_ANSWERS.contains(&(first & 0xF0)) {
            return None;
        }
        Some(match first {
            _ if TLS_RECORDS.contains(&first) => Self::new(
                format!("{endpoint} answers in TLS"),
                "write --cafile FILE with the authority of its certificate, or --tls if that is \
                 one of the public web; in a URL mqtts:// and wss://",
            ),
            b'H' | b'<' => Self::new(
                format!("{endpoint} answers in HTTP, not in MQTT"),
                "for MQTT over WebSocket write --ws, in a URL ws:// or wss://; for MQTT alone \
                 take the port of its listener, by default 1883",
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
    let mend = match (stage, endpoint.transport) {
        (Stage::Up, _) | (Stage::Asked, Transport::Unix) => None,
        (Stage::Tls, _) => Some(
            "does this port speak TLS? For one without leave out --tls, --cafile and --insecure; \
             in a URL mqtt:// and ws://",
        ),
        (Stage::WebSocket, Transport::Ws) => Some(
            "does this port speak WebSocket? For one with TLS add --cafile FILE or --tls, for one \
             without WebSocket leave out --ws; in a URL wss:// and mqtt://",
        ),
        (Stage::WebSocket, _) => Some(
            "does this port speak WebSocket? For one without leave out --ws; in a URL mqtt:// \
             and mqtts://",
        ),
        (Stage::Asked, Transport::Tcp) => Some(
            "is this a port for plain MQTT? One with TLS needs --tls or --cafile FILE, one with \
             WebSocket needs --ws; otherwise the log of the broker may say why",
        ),
        (Stage::Asked, Transport::Tls) => Some(
            "is this a port for MQTT? One with WebSocket needs --ws; otherwise the log of the \
             broker may say why",
        ),
        (Stage::Asked, Transport::Ws | Transport::Wss) => Some("the log of the broker may say why"),
    };
    let before = match stage {
        Stage::Tls => " to the first message of TLS",
        Stage::WebSocket => " to the request for a WebSocket",
        Stage::Asked => " to CONNECT",
        Stage::Up => "",
    };
    (before, mend.map(str::to_owned))
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
            Trouble::new(
                format!("what answers at {endpoint} is no WebSocket"),
                "check host and port; for a port of plain MQTT leave out --ws, for one with TLS \
                 add --cafile FILE or --tls",
            )
        }
    }
}

/// What the system says, without the number that only programmers know.
pub(crate) fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" (os error ") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests;
