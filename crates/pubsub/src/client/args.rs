//! The options that `plexus pub` and `plexus sub` share.

use std::time::Duration;

use bytes::Bytes;
use clap::{Args, ValueEnum};
use plexus_config::value::Span;
use plexus_session::ClientOptions;
use plexus_terminal::Failure;
use plexus_types::{Qos, Text};
use plexus_wire::{ConnectProperties, Will};

use super::{
    endpoint::Endpoint,
    property::{self, PacketKind, Property},
    server::ServerArgs,
    topics,
    url::{ServerUrl, WrittenUrl},
};
/// The longest session expiry, which means "never" to the protocol.
const NEVER: u32 = u32::MAX;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectArgs {
    /// The broker as URL: mqtt, mqtts, ws or wss://user:password@host:port, or unix:///path. Behind
    /// mqtt:// and mqtts:// a path is a topic
    #[arg(short = 'L', long, value_name = "URL", conflicts_with_all = ["host", "port", "ws", "tls"])]
    url: Option<WrittenUrl>,

    #[command(flatten)]
    server: ServerArgs,

    /// The client identifier [default: one that nobody else has]
    #[arg(short = 'i', long, value_name = "ID")]
    id: Option<String>,

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
        self.server.version().is_v5()
    }

    /// Where the broker is.
    pub(crate) fn endpoint(&self) -> Result<Endpoint, Failure> {
        self.server.endpoint(self.url())
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
        let base = self.server.login(self.url())?;
        Ok(ClientOptions {
            client_id: text(&id, "the client identifier")?,
            clean_start: !self.no_clean,
            will: self.will(own)?,
            properties,
            acknowledge: false,
            ..base
        })
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
pub fn qos(text: &str) -> Result<Qos, String> {
    let number = text.parse().ok().and_then(Qos::new);
    number.ok_or_else(|| "use 0, 1 or 2".to_owned())
}

pub(super) fn text(text: &str, what: &str) -> Result<Text, Failure> {
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

    use super::{NEVER, seconds, session_expiry};

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
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert!(seconds("0").unwrap_err().contains("no time is left"));
        assert!(seconds("nan").unwrap_err().contains("such as 10 or 0.5"));
    }
}
