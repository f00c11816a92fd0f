//! The options that `plexus pub` and `plexus sub` share.

use std::{fs, path::PathBuf, time::Duration};

use bytes::Bytes;
use clap::{Args, ValueEnum};
use plexus_config::value::Span;
use plexus_net::{TlsClient, TlsClientOptions, Transport};
use plexus_session::ClientOptions;
use plexus_types::{ProtocolVersion, Qos, Text};
use plexus_wire::{ConnectProperties, Will};

use super::{
    endpoint::{Endpoint, Given, listed},
    property::{self, PacketKind, Property},
    topics, trouble,
    url::{ServerUrl, WrittenUrl},
};
use crate::failure::Failure;

/// The longest session expiry, which means "never" to the protocol.
const NEVER: u32 = u32::MAX;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectArgs {
    /// The broker as URL: mqtt, mqtts, ws or wss://user:password@host:port, or unix:///path. Behind
    /// mqtt:// and mqtts:// a path is a topic
    #[arg(short = 'L', long, value_name = "URL", conflicts_with_all = ["host", "port", "ws", "tls"])]
    url: Option<WrittenUrl>,

    /// The host of the broker [default: localhost]
    #[arg(short = 'h', long, value_name = "HOST")]
    host: Option<String>,

    /// The port of the broker [default: 1883; 8883 with TLS, 8083 and 8084 with WebSocket]
    #[arg(short = 'p', long, value_name = "PORT", value_parser = port)]
    port: Option<u16>,

    /// Over WebSocket, at the path /mqtt
    #[arg(long)]
    ws: bool,

    /// Over TLS, trusting the authorities of the public web
    #[arg(long)]
    tls: bool,

    /// Over TLS, trusting the authorities of this PEM file
    #[arg(long, value_name = "FILE")]
    cafile: Option<PathBuf>,

    /// PEM file with the certificate of this client
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,

    /// PEM file with the key of that certificate
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,

    /// Over TLS, and believe whoever answers
    #[arg(long)]
    insecure: bool,

    /// The user name
    #[arg(short = 'u', long, value_name = "NAME")]
    username: Option<String>,

    /// The password, or file:PATH of a file whose first line it is
    #[arg(
        short = 'P',
        long,
        value_name = "PASSWORD",
        env = "PLEXUS_PASSWORD",
        hide_env_values = true
    )]
    password: Option<String>,

    /// The client identifier [default: one that nobody else has]
    #[arg(short = 'i', long, value_name = "ID")]
    id: Option<String>,

    /// The version of the protocol
    #[arg(short = 'V', long, value_name = "VERSION", default_value = "5")]
    protocol: Version,

    /// Seconds between two signs of life; 0 for none
    #[arg(short = 'k', long, value_name = "SECONDS", default_value_t = 60, value_parser = keep_alive)]
    keepalive: u16,

    /// Keep the session: what is missed while away comes later. Needs --id
    #[arg(short = 'c', long, requires = "id")]
    no_clean: bool,

    /// How long the broker keeps the session: whole seconds, such as 1h or 90, or never [default:
    /// never with --no-clean]
    #[arg(short = 'x', long, value_name = "DURATION", value_parser = session_expiry)]
    session_expiry: Option<u32>,

    /// The topic of the will: a message that the broker publishes when this client vanishes
    #[arg(long, value_name = "TOPIC")]
    will_topic: Option<String>,

    /// The payload of the will
    #[arg(long, value_name = "TEXT", requires = "will_topic")]
    will_payload: Option<String>,

    /// The quality of service of the will
    #[arg(long, value_name = "QOS", default_value = "0", value_parser = qos)]
    will_qos: Qos,

    /// The broker keeps the will for later subscribers
    #[arg(long, requires = "will_topic")]
    will_retain: bool,

    /// A property of MQTT 5.0, such as content-type=text/plain or connect.receive-maximum=10
    #[arg(short = 'D', long = "property", value_name = "[PACKET.]NAME=VALUE")]
    properties: Vec<Property>,

    /// End after so many seconds. Exit code 5 if something is missing then: an acknowledgement of
    /// pub, a message of sub --count; sub without --count ends with 0
    #[arg(short = 'W', long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,

    /// What to do when there is no connection. Whatever is said here, pub gives up when the broker
    /// ends the connection three times in a row, without a reason that passes, while the same
    /// messages are on their way
    #[arg(long, value_name = "WHEN", default_value = "lost")]
    reconnect: Reconnect,

    /// Say nothing but errors
    #[arg(long)]
    pub(crate) quiet: bool,

    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    help: Option<bool>,
}

/// A version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Version {
    /// MQTT 3.1
    #[value(name = "31", alias = "3.1", alias = "mqttv31")]
    V31,
    /// MQTT 3.1.1
    #[value(name = "311", alias = "3.1.1", alias = "mqttv311")]
    V311,
    /// MQTT 5.0
    #[value(name = "5", alias = "5.0", alias = "mqttv5")]
    V5,
}

/// When to connect again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reconnect {
    /// Give up
    Never,
    /// Connect again when the connection is lost, give up when there was none
    Lost,
    /// Try until it goes well
    Always,
}

impl ConnectArgs {
    /// The topic that stands in the URL; there must not be another one.
    pub(crate) fn topic_of_url(&self, has_topic: bool) -> Result<Option<&str>, Failure> {
        if let Some(WrittenUrl(Err(error))) = &self.url {
            return Err(Failure::Usage(error.to_string()));
        }
        let url = self.url().filter(|url| !url.transport.is_websocket());
        match url.and_then(|url| url.path.as_deref()) {
            Some(_) if has_topic => Err(Failure::Usage(
                "the URL names a topic, and so does --topic; write only one of them".into(),
            )),
            topic => Ok(topic),
        }
    }

    fn url(&self) -> Option<&ServerUrl> {
        self.url.as_ref()?.0.as_ref().ok()
    }

    /// Whether somebody chose the client identifier.
    pub(crate) fn has_id(&self) -> bool {
        self.id.is_some()
    }

    /// Whether somebody said how long the broker keeps the session.
    pub(crate) fn has_session(&self) -> bool {
        self.no_clean || self.session_expiry.is_some()
    }

    pub(crate) fn properties(&self) -> &[Property] {
        &self.properties
    }

    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    pub(crate) fn reconnect(&self) -> Reconnect {
        self.reconnect
    }

    pub(crate) fn is_v5(&self) -> bool {
        self.protocol == Version::V5
    }

    /// Where the broker is.
    pub(crate) fn endpoint(&self) -> Result<Endpoint, Failure> {
        let transport = self.transport()?;
        let url = self.url();
        let port = url.and_then(|url| url.port).or(self.port);
        let host = url.map(|url| url.host.clone()).or_else(|| self.host.clone());
        let path = url.filter(|url| url.transport.is_websocket()).and_then(|url| url.path.clone());
        Ok(Endpoint {
            transport,
            host: host.unwrap_or_else(|| "localhost".to_owned()),
            port: port.or_else(|| transport.default_port()).unwrap_or_default(),
            path: path.unwrap_or_else(|| "/mqtt".to_owned()),
            tls: if transport.is_tls() { Some(self.tls_client()?) } else { None },
            ca_file: self.cafile.clone(),
            given: Given { url: url.is_some(), tls: self.tls_options() },
        })
    }

    /// The options that ask for TLS, as far as they were given.
    fn tls_options(&self) -> Vec<&'static str> {
        let all = [
            (self.tls, "--tls"),
            (self.cafile.is_some(), "--cafile"),
            (self.insecure, "--insecure"),
            (self.cert.is_some(), "--cert"),
            (self.key.is_some(), "--key"),
        ];
        all.into_iter().filter_map(|(given, name)| given.then_some(name)).collect()
    }

    fn transport(&self) -> Result<Transport, Failure> {
        let options = self.tls_options();
        let tls = !options.is_empty();
        if let Some(url) = self.url() {
            return match url.transport {
                plain @ (Transport::Tcp | Transport::Ws | Transport::Unix) if tls => {
                    let mend = match plain {
                        Transport::Tcp => "write mqtts:// in the URL, or ",
                        Transport::Ws => "write wss:// in the URL, or ",
                        Transport::Unix | Transport::Tls | Transport::Wss => "",
                    };
                    let options = listed(&options);
                    let message = format!("{plain} has no TLS; {mend}leave out {options}");
                    Err(Failure::Usage(message))
                }
                transport => Ok(transport),
            };
        }
        Ok(match (self.ws, tls) {
            (false, false) => Transport::Tcp,
            (false, true) => Transport::Tls,
            (true, false) => Transport::Ws,
            (true, true) => Transport::Wss,
        })
    }

    fn tls_client(&self) -> Result<TlsClient, Failure> {
        let options = TlsClientOptions {
            ca_file: self.cafile.clone(),
            insecure: self.insecure,
            cert_file: self.cert.clone(),
            key_file: self.key.clone(),
            ..TlsClientOptions::default()
        };
        TlsClient::new(&options).map_err(|error| Failure::Failed(trouble::of_files(&error)))
    }

    /// How the client introduces itself. `random` makes its name its own.
    pub(crate) fn options(
        &self,
        own: PacketKind,
        name: &str,
        random: u64,
    ) -> Result<ClientOptions, Failure> {
        if !self.is_v5() && (!self.properties.is_empty() || self.session_expiry.is_some()) {
            let (what, option) = match (self.properties.is_empty(), self.session_expiry) {
                (true, _) => ("a session expiry needs", "-x"),
                (false, None) => ("properties need", "-D"),
                (false, Some(_)) => ("properties and a session expiry need", "-D and -x"),
            };
            let message = format!("{what} MQTT 5.0; leave out {option}, or -V");
            return Err(Failure::Usage(message));
        }
        // 3.1 allows 23 bytes.
        let id = self.id.clone().unwrap_or_else(|| format!("plexus-{name}-{:010x}", random >> 24));
        let expiry = self.session_expiry.unwrap_or(if self.no_clean { NEVER } else { 0 });
        let base = ConnectProperties { session_expiry_interval: expiry, ..Default::default() };
        let properties =
            property::connect(property::of(&self.properties, PacketKind::Connect, own), base)?;
        let url = self.url();
        let user_name = self.username.as_ref().or_else(|| url?.user_name.as_ref());
        let password = self.secret()?;
        if !self.is_v5() && user_name.is_none() && password.is_some() {
            // [MQTT3-3.1.2-22]
            let message = "before MQTT 5.0 a password (-P, or PLEXUS_PASSWORD in the environment) \
                           needs a user: add -u NAME";
            return Err(Failure::Usage(message.into()));
        }
        Ok(ClientOptions {
            version: match self.protocol {
                Version::V31 => ProtocolVersion::V31,
                Version::V311 => ProtocolVersion::V311,
                Version::V5 => ProtocolVersion::V5,
            },
            client_id: text(&id, "the client identifier")?,
            clean_start: !self.no_clean,
            keep_alive: self.keepalive,
            will: self.will(own)?,
            user_name: user_name.map(|name| text(name, "the user name")).transpose()?,
            password,
            properties,
            acknowledge: false,
            ..ClientOptions::default()
        })
    }

    fn secret(&self) -> Result<Option<Bytes>, Failure> {
        let of_url = || self.url()?.password.clone();
        let Some(password) = self.password.clone().or_else(of_url) else { return Ok(None) };
        let Some(path) = password.strip_prefix("file:") else {
            return Ok(Some(Bytes::from(password)));
        };
        let text = fs::read_to_string(path).map_err(|error| {
            Failure::Failed(format!("cannot read {path}: {}", trouble::plain(&error)))
        })?;
        Ok(Some(Bytes::from(text.lines().next().unwrap_or_default().to_owned())))
    }

    fn will(&self, own: PacketKind) -> Result<Option<Will>, Failure> {
        let mut properties = property::of(&self.properties, PacketKind::Will, own).peekable();
        let Some(topic) = &self.will_topic else {
            return match properties.peek() {
                Some(_) => Err(Failure::Usage("a property of a will needs --will-topic".into())),
                None => Ok(None),
            };
        };
        let parts = property::message(properties, true)?;
        Ok(Some(Will {
            topic: topics::name(topic)?,
            payload: Bytes::from(self.will_payload.clone().unwrap_or_default()),
            qos: self.will_qos,
            retain: self.will_retain,
            delay_interval: parts.delay_interval,
            message_expiry_interval: parts.expiry_interval,
            properties: parts.properties,
        }))
    }
}

/// A quality of service by its number.
pub(crate) fn qos(text: &str) -> Result<Qos, String> {
    let number = text.parse().ok().and_then(Qos::new);
    number.ok_or_else(|| "use 0, 1 or 2".to_owned())
}

fn port(text: &str) -> Result<u16, String> {
    let port = text.parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| "a port is a number from 1 to 65535".to_owned())
}

fn keep_alive(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "expected whole seconds, from 0 to 65535".to_owned())
}

fn text(text: &str, what: &str) -> Result<Text, Failure> {
    Text::try_from(text).map_err(|error| Failure::Usage(format!("{what} {error}")))
}

/// Seconds, a duration with its unit, or never.
fn session_expiry(text: &str) -> Result<u32, String> {
    if text == "never" {
        return Ok(NEVER);
    }
    let span = || text.parse::<Span>().ok().and_then(Span::whole_secs);
    let seconds = text.parse::<u64>().ok().or_else(span);
    let seconds =
        seconds.ok_or("expected whole seconds, such as 90, 15s, 2h or 1d12h, or never")?;
    u32::try_from(seconds).map_err(|_| "longer than 136 years; use never".to_owned())
}

/// A time that a person gave in seconds.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok();
    let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    match time {
        Some(Duration::ZERO) => {
            Err("no time is left; without this option there is no end".to_owned())
        }
        Some(time) => Ok(time),
        None => Err("expected a number of seconds, such as 10 or 0.5".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{NEVER, keep_alive, port, seconds, session_expiry};

    #[test]
    fn a_session_expiry_is_whole_seconds_and_never_rounded() {
        for (text, expected) in [("90", 90), ("1500ms500ms", 2), ("1m1s", 61), ("never", NEVER)] {
            assert_eq!(session_expiry(text), Ok(expected), "{text}");
        }
        for text in ["250ms", "1s1ms", "0.5", "-1", "soon", ""] {
            let error = session_expiry(text).unwrap_err();
            assert!(error.starts_with("expected whole seconds"), "{text}: {error}");
        }
        assert!(session_expiry("5000000000").unwrap_err().contains("use never"));
    }

    #[test]
    fn numbers_that_are_none_are_told_in_words() {
        assert_eq!(port("65535"), Ok(65_535));
        for text in ["abc", "0", "65536", "-1", ""] {
            assert_eq!(port(text).unwrap_err(), "a port is a number from 1 to 65535", "{text}");
        }
        assert_eq!(keep_alive("0"), Ok(0));
        assert!(keep_alive("1m").unwrap_err().contains("whole seconds"));
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert!(seconds("0").unwrap_err().contains("no time is left"));
        assert!(seconds("nan").unwrap_err().contains("such as 10 or 0.5"));
    }
}
