//! The URL of a broker: `mqtt://user:password@host:port/topic`.

use plexus_net::Transport;

/// Where a broker is and what the URL says besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerUrl {
    /// What carries MQTT there.
    pub transport: Transport,
    /// Without brackets; the path of a Unix socket.
    pub host: String,
    /// The port, where it is named.
    pub port: Option<u16>,
    /// Who logs in.
    pub user_name: Option<String>,
    /// With what.
    pub password: Option<String>,
    /// The request path of WebSocket, with its slash; the topic for the others, without.
    pub path: Option<String>,
}

/// A URL as it was written. Its text is not kept and a mistake does not repeat it, because a
/// password may stand anywhere in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenUrl(
    /// What it came to.
    pub Result<ServerUrl, UrlError>,
);

impl std::str::FromStr for WrittenUrl {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.parse()))
    }
}

/// Why a text is no URL of a broker, with the mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlError {
    /// There is no such scheme.
    Scheme,
    /// The scheme is not followed by two slashes.
    Slashes,
    /// No host is named.
    NoHost,
    /// The port is no number of a port.
    Port,
    /// An IPv6 address lacks its brackets.
    Brackets,
    /// A percent sign escapes nothing.
    Escape,
}

impl std::fmt::Display for UrlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scheme => f.write_str(
                "the URL has an unknown scheme; use mqtt://, mqtts://, ws://, wss:// or unix://",
            ),
            Self::Slashes => f.write_str(
                "the URL has not two slashes behind its scheme; write for example \
                 mqtt://localhost",
            ),
            Self::NoHost => f.write_str("the URL has no host; write for example mqtt://localhost"),
            Self::Port => f.write_str(
                "the port of the URL is no number from 1 to 65535; a `/` in a password is written \
                 %2F",
            ),
            Self::Brackets => {
                f.write_str("an IPv6 address in a URL has brackets: mqtt://[::1]:1883")
            }
            Self::Escape => f.write_str(
                "`%` in the URL stands before two hexadecimal digits of UTF-8; itself it is \
                 written %25",
            ),
        }
    }
}

impl std::error::Error for UrlError {}

impl std::str::FromStr for ServerUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = match text.split_once("://") {
            Some(parts) => parts,
            None if text
                .split_once(":/")
                .is_some_and(|(scheme, _)| transport(scheme).is_some()) =>
            {
                return Err(UrlError::Slashes);
            }
            None => ("mqtt", text),
        };
        let transport = transport(scheme).ok_or(UrlError::Scheme)?;
        if transport == Transport::Unix {
            return Self::unix(rest);
        }
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        // A password may hold an @ that nobody escaped: the host comes after the last one.
        let (login, place) = match authority.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, authority),
        };
        let (host, port) = host_and_port(place)?;
        let (user_name, password) = match login.map(|login| login.split_once(':')) {
            None => (None, None),
            Some(None) => (login.map(decoded).transpose()?, None),
            Some(Some((name, password))) => (Some(decoded(name)?), Some(decoded(password)?)),
        };
        let path = if transport.is_websocket() { path } else { path.trim_start_matches('/') };
        let path = if path.is_empty() { None } else { Some(decoded(path)?) };
        Ok(Self { transport, host: host.to_owned(), port, user_name, password, path })
    }
}

impl ServerUrl {
    fn unix(path: &str) -> Result<Self, UrlError> {
        if !path.starts_with('/') {
            return Err(UrlError::NoHost);
        }
        Ok(Self {
            transport: Transport::Unix,
            host: path.to_owned(),
            port: None,
            user_name: None,
            password: None,
            path: None,
        })
    }
}

fn transport(scheme: &str) -> Option<Transport> {
    Some(match scheme {
        "mqtt" | "tcp" => Transport::Tcp,
        "mqtts" | "ssl" | "tls" => Transport::Tls,
        "ws" => Transport::Ws,
        "wss" => Transport::Wss,
        "unix" => Transport::Unix,
        _ => return None,
    })
}

fn host_and_port(place: &str) -> Result<(&str, Option<u16>), UrlError> {
    let (host, port) = if let Some(rest) = place.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or(UrlError::Brackets)?;
        match rest.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if rest.is_empty() => (host, None),
            None => return Err(UrlError::Brackets),
        }
    } else {
        match place.split_once(':') {
            Some((_, port)) if port.contains(':') => return Err(UrlError::Brackets),
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        }
    };
    if host.is_empty() {
        return Err(UrlError::NoHost);
    }
    let number = |port: &str| match port.parse::<u16>() {
        Ok(number @ 1..) => Ok(number),
        Ok(_) | Err(_) => Err(UrlError::Port),
    };
    Ok((host, port.map(number).transpose()?))
}

/// Replaces `%41` by `A`.
fn decoded(text: &str) -> Result<String, UrlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(UrlError::Escape) };
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| UrlError::Escape)?);
    }
    String::from_utf8(bytes).map_err(|_| UrlError::Escape)
}

#[cfg(test)]
mod tests {
    use plexus_net::Transport;

    use super::{ServerUrl, UrlError};

    fn url(text: &str) -> Result<ServerUrl, UrlError> {
        text.parse()
    }

    #[test]
    fn a_url_says_where_and_as_whom() {
        let full = url("mqtts://al%40ice:s:e@c@[::1]:8884/a/b").unwrap();
        assert_eq!((full.transport, full.host.as_str()), (Transport::Tls, "::1"));
        assert_eq!(full.port, Some(8884));
        assert_eq!(full.user_name.as_deref(), Some("al@ice"));
        assert_eq!(full.password.as_deref(), Some("s:e@c"));
        assert_eq!(full.path.as_deref(), Some("a/b"));
    }

    #[test]
    fn what_is_left_out_is_left_open() {
        let bare = url("broker.example").unwrap();
        assert_eq!((bare.transport, bare.host.as_str()), (Transport::Tcp, "broker.example"));
        assert_eq!((bare.port, bare.path, bare.user_name, bare.password), (None, None, None, None));
        let user = url("mqtt://alice@localhost:1883").unwrap();
        assert_eq!((user.user_name.as_deref(), user.password), (Some("alice"), None));
    }

    #[test]
    fn the_path_of_a_websocket_keeps_its_slash_and_a_unix_socket_is_a_path() {
        assert_eq!(url("ws://h/mqtt").unwrap().path.as_deref(), Some("/mqtt"));
        assert_eq!(url("ws://h").unwrap().path, None);
        let unix = url("unix:///run/plexus.sock").unwrap();
        assert_eq!((unix.transport, unix.host.as_str()), (Transport::Unix, "/run/plexus.sock"));
    }

    #[test]
    fn what_is_no_url_says_why() {
        assert_eq!(url("http://h"), Err(UrlError::Scheme));
        assert_eq!(url("mqtt://"), Err(UrlError::NoHost));
        assert_eq!(url("mqtt://:1883"), Err(UrlError::NoHost));
        assert_eq!(url("unix://relative"), Err(UrlError::NoHost));
        assert_eq!(url("mqtt://h:x"), Err(UrlError::Port));
        assert_eq!(url("mqtt://h:0"), Err(UrlError::Port));
        assert_eq!(url("mqtt://::1:1883"), Err(UrlError::Brackets));
        assert_eq!(url("mqtt://[::1"), Err(UrlError::Brackets));
        assert_eq!(url("mqtt://a%4@h"), Err(UrlError::Escape));
        assert_eq!(url("mqtt://a%ff@h"), Err(UrlError::Escape));
        assert_eq!(url("mqtt:/foo"), Err(UrlError::Slashes));
        assert_eq!(url("tls:/foo:1"), Err(UrlError::Slashes));
    }

    #[test]
    fn a_mistake_does_not_repeat_the_password() {
        for text in [
            "mqtt://u:SECRET",
            "mqtt://u:SEC/RET@h",
            "mqtt:/u:SECRET@h",
            "u:SECRET://h",
            "SECRET://u@h",
            "mqtt://u:SECRET@h:x",
            "mqtt://u:SECRET@",
            "mqtt://u:SECRET%@h",
            "mqtt://u:SECRET@::1:1",
        ] {
            let error = url(text).expect_err(text).to_string();
            assert!(!error.contains("SEC"), "{text}: {error}");
        }
    }
}
