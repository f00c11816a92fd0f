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
    endpoint::Endpoint,
    property::{self, PacketKind, Property},
    topics, trouble,
    url::ServerUrl,
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
    url: Option<ServerUrl>,

    /// The host of the broker [default: localhost]
    #[arg(short = 'h', long, value_name = "HOST")]
    host: Option<String>,

    /// The port of the broker [default: 1883; 8883 with TLS, 8083 and 8084 with WebSocket]
    #[arg(short = 'p', long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
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
    #[arg(short = 'k', long, value_name = "SECONDS", default_value_t = 60)]
    keepalive: u16,

    /// Keep the session: what is missed while away comes later. Needs --id
    #[arg(short = 'c', long, requires = "id")]
    no_clean: bool,

    /// How long the broker keeps the session, such as 1h, or never [default: never with --no-clean]
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

    /// What to do when there is no connection
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
    /// The topic that stands in the URL.
    pub(crate) fn topic_of_url(&self) -> Option<&str> {
        let url = self.url.as_ref().filter(|url| !url.transport.is_websocket())?;
        url.path.as_deref()
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
        let url = self.url.as_ref();
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
        })
    }

    fn transport(&self) -> Result<Transport, Failure> {
        let tls = self.tls || self.cafile.is_some() || self.insecure || self.cert.is_some();
        if let Some(url) = &self.url {
            return match url.transport {
                plain @ (Transport::Tcp | Transport::Ws | Transport::Unix) if tls => {
                    let message =
                        format!("{plain} has no TLS; write mqtts:// or wss:// in the URL");
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
            let message = "properties and a session expiry need MQTT 5.0; remove -D, -x or -V";
            return Err(Failure::Usage(message.into()));
        }
        // 3.1 allows 23 bytes.
        let id = self.id.clone().unwrap_or_else(|| format!("plexus-{name}-{:010x}", random >> 24));
        let expiry = self.session_expiry.unwrap_or(if self.no_clean { NEVER } else { 0 });
        let base = ConnectProperties { session_expiry_interval: expiry, ..Default::default() };
        let properties =
            property::connect(property::of(&self.properties, PacketKind::Connect, own), base)?;
        let url = self.url.as_ref();
        let user_name = self.username.as_ref().or_else(|| url?.user_name.as_ref());
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
            password: self.secret()?,
            properties,
            acknowledge: false,
            ..ClientOptions::default()
        })
    }

    fn secret(&self) -> Result<Option<Bytes>, Failure> {
        let of_url = || self.url.as_ref()?.password.clone();
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

fn text(text: &str, what: &str) -> Result<Text, Failure> {
    Text::try_from(text).map_err(|error| Failure::Usage(format!("{what} {error}")))
}

/// Seconds, a duration with its unit, or never.
fn session_expiry(text: &str) -> Result<u32, String> {
    if text == "never" {
        return Ok(NEVER);
    }
    let seconds = match text.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => text.parse::<Span>().map_err(|error| error.to_string())?.secs_ceil(),
    };
    u32::try_from(seconds).map_err(|_| "longer than 136 years; use never".to_owned())
}

/// A time that a person gave in seconds.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok();
    let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.ok_or_else(|| "expected a number of seconds, such as 10 or 0.5".to_owned())
}
