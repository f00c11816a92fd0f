//! What the types cannot say: ranges, and keys that contradict each other.

use std::net::IpAddr;

use plexus_net::{ClientAuth, ListenUrl};

use crate::{
    load::Config,
    report::Diagnostic,
    settings::{ListenerSettings, MqttSettings},
    value::{SpanOrNever, Watermark},
};

/// The largest packet that the protocol can carry: a fixed header and 268,435,455 bytes.
const PACKET_SIZE_MAX: u64 = 268_435_460;
/// Smaller than this, a CONNACK with all its properties would not fit.
const PACKET_SIZE_MIN: u64 = 128;
const SHARDS_MAX: u16 = 64;

/// Everything that is wrong with a merged configuration.
pub(crate) fn check(config: &Config) -> Vec<Diagnostic> {
    let mut checks = Checks { config, found: Vec::new() };
    checks.node();
    checks.limits();
    checks.memory();
    checks.mqtt(&["mqtt"], &config.settings.mqtt);
    for (index, listener) in config.settings.listener.iter().enumerate() {
        checks.listener(&index.to_string(), listener);
    }
    checks.names();
    checks.found
}

/// Whether only this machine reaches that address.
pub fn is_local(url: &ListenUrl) -> bool {
    if url.unix_path().is_some() || url.host() == "localhost" {
        return true;
    }
    // A name may be any address: only a literal one is known to be loopback.
    url.host().parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The name of a listener in log and messages.
pub(crate) fn name_of(listener: &ListenerSettings) -> String {
    listener.name.clone().unwrap_or_else(|| listener.url.to_string())
}

struct Checks<'a> {
    config: &'a Config,
    found: Vec<Diagnostic>,
}

impl Checks<'_> {
    fn add(&mut self, path: &[&str], message: impl Into<String>, help: &str) {
        self.found.push(self.config.mistake(path, message).with_help(help));
    }

    fn range(&mut self, path: &[&str], value: u64, allowed: std::ops::RangeInclusive<u64>) {
        if !allowed.contains(&value) {
            let key = path.join(".");
            let message = format!("`{key}` is {value}, out of its range");
            let help = format!("use a value from {} to {}", allowed.start(), allowed.end());
            self.add(path, message, &help);
        }
    }

    fn node(&mut self) {
        let node = &self.config.settings.node;
        self.range(&["node", "shards"], node.shards.into(), 0..=SHARDS_MAX.into());
        let printable = |c: char| !c.is_control() && !matches!(c, '+' | '#' | '/');
        if node.name.is_empty() || node.name.len() > 256 || !node.name.chars().all(printable) {
            self.add(
                &["node", "name"],
                "the name of the node is a level of `$SYS` topics",
                "use 1 to 256 bytes without '/', '+', '#' and control characters",
            );
        }
    }

    fn limits(&mut self) {
        let limits = &self.config.settings.limits;
        let most = u64::from(u32::MAX);
        self.range(&["limits", "max_connections"], limits.max_connections.into(), 1..=most);
        self.range(&["limits", "max_sessions"], limits.max_sessions.into(), 1..=most);
        self.range(&["limits", "max_handshakes"], limits.max_handshakes.into(), 1..=most);
        if limits.connect_timeout.get().is_zero() {
            let help = "use some seconds; a connection without limit is held open by anybody";
            self.add(&["limits", "connect_timeout"], "no time to connect", help);
        }
        let buffer = limits.max_write_buffer.get();
        self.range(&["limits", "max_write_buffer"], buffer, 1_024..=1 << 40);
    }

    fn memory(&mut self) {
        let memory = &self.config.settings.memory;
        let crossed = match (memory.high_watermark, memory.critical_watermark) {
            (Watermark::Percent(high), Watermark::Percent(critical)) => high > critical,
            (Watermark::Bytes(high), Watermark::Bytes(critical)) => high > critical,
            _ => false,
        };
        if crossed {
            let help = "set memory.high_watermark at or below memory.critical_watermark";
            self.add(&["memory", "critical_watermark"], "critical comes before high", help);
        }
    }

    fn mqtt(&mut self, table: &[&str], mqtt: &MqttSettings) {
        let path = |key: &'static str| [table, &[key]].concat();
        let size = mqtt.max_packet_size.get();
        self.range(&path("max_packet_size"), size, PACKET_SIZE_MIN..=PACKET_SIZE_MAX);
        let words = u64::from(u16::MAX);
        self.range(&path("max_topic_levels"), mqtt.max_topic_levels.into(), 1..=words);
        self.range(&path("max_topic_length"), mqtt.max_topic_length.into(), 1..=words);
        // A server takes identifiers of 1 to 23 bytes in any case ([MQTT-3.1.3-5]).
        self.range(&path("max_client_id_length"), mqtt.max_client_id_length.into(), 23..=words);
        self.range(&path("maximum_qos"), mqtt.maximum_qos.into(), 0..=2);
        self.seconds(&path("server_keep_alive"), mqtt.server_keep_alive, 1..=words);
        self.seconds(&path("max_keep_alive"), mqtt.max_keep_alive, 1..=words);
        let longest = u64::from(u32::MAX) - 1;
        self.seconds(&path("max_session_expiry"), mqtt.max_session_expiry, 0..=longest);
        let expiry = SpanOrNever::After(mqtt.session_expiry_3x);
        self.seconds(&path("session_expiry_3x"), expiry, 0..=longest);
        let length = mqtt.response_information.len() as u64;
        if length > 1_024 || mqtt.response_information.contains('\0') {
            let help = "use at most 1,024 bytes without the null character";
            self.add(&path("response_information"), "no text that fits in CONNACK", help);
        }
    }

    fn seconds(
        &mut self,
        path: &[&str],
        span: SpanOrNever,
        allowed: std::ops::RangeInclusive<u64>,
    ) {
        let Some(span) = span.get() else { return };
        if !allowed.contains(&span.secs_ceil()) {
            let message = format!("`{}` is {span}, out of its range", path.join("."));
            let help = format!("use from {}s to {}s", allowed.start(), allowed.end());
            self.add(path, message, &help);
        }
    }

    fn listener(&mut self, index: &str, listener: &ListenerSettings) {
        let at = |key: &'static str| ["listener", index, key];
        let tls = listener.url.transport().is_tls();
        match &listener.tls {
            None if tls => self.add(
                &at("url"),
                format!("{} has no certificate", listener.url),
                "add tls = { cert_file = \"…\", key_file = \"…\" }",
            ),
            Some(_) if !tls => self.add(
                &at("tls"),
                format!("{} has no TLS that a certificate could serve", listener.url),
                "use tls:// or wss://, or remove the key tls",
            ),
            Some(options)
                if options.client_auth != ClientAuth::None && options.client_ca_file.is_none() =>
            {
                self.add(
                    &at("tls"),
                    "client certificates have nothing to be checked against",
                    "set client_ca_file, or client_auth = \"none\"",
                );
            }
            None | Some(_) => {}
        }
        if let Some(most) = listener.max_connections {
            self.range(&at("max_connections"), most.into(), 1..=u32::MAX.into());
        }
        self.door(index, listener);
        let mqtt = listener.mqtt.over(&self.config.settings.mqtt);
        // What only repeats a mistake of `[mqtt]` is not told again.
        let before = self.found.len();
        self.mqtt(&["listener", index, "mqtt"], &mqtt);
        let repeated = listener.mqtt.is_empty();
        if repeated {
            self.found.truncate(before);
        }
    }

    /// Nobody comes in from outside without showing who they are, unless that is said.
    fn door(&mut self, index: &str, listener: &ListenerSettings) {
        let access = &self.config.settings.access;
        let anonymous = listener.allow_anonymous.unwrap_or(access.allow_anonymous);
        if access.has_users() || anonymous {
            return;
        }
        if listener.allow_anonymous == Some(false) {
            self.add(
                &["listener", index, "allow_anonymous"],
                "nobody could connect: there are no users, and anonymous clients are refused",
                "set access.users_file (make one with `plexus passwd`), or allow_anonymous = true",
            );
        } else if !is_local(&listener.url) {
            self.add(
                &["listener", index, "url"],
                format!("{} would let every stranger in: no users are configured", listener.url),
                "set access.users_file (make one with `plexus passwd`), or access.allow_anonymous \
                 = true (--allow-anonymous), or listen at 127.0.0.1",
            );
        }
    }

    fn names(&mut self) {
        let names = self.config.settings.listener.iter().map(name_of).collect::<Vec<_>>();
        for (index, name) in names.iter().enumerate() {
            // Port 0 is a different port each time; such listeners are told apart by number later.
            let free_port = self.config.settings.listener.get(index).is_some_and(|listener| {
                listener.name.is_none()
                    && listener.url.unix_path().is_none()
                    && listener.url.port() == 0
            });
            if !free_port && names.iter().take(index).any(|earlier| earlier == name) {
                self.add(
                    &["listener", &index.to_string(), "url"],
                    format!("a second listener `{name}`"),
                    "give each listener its own url and name",
                );
            }
        }
    }
}
