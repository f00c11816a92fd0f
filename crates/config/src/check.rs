//! What the types cannot say: ranges, and keys that contradict each other.

use std::net::IpAddr;

use plexus_net::{ClientAuth, ListenUrl};

use crate::{
    chains::idle,
    load::{Config, Touched},
    ranges::{Range, range_of},
    report::{Diagnostic, Origin},
    rules::for_no_listener,
    settings::{ApiSettings, CommitMode, ListenerSettings, MqttSettings},
    suggest::nearest,
    value::{ByteSize, Span, SpanOrNever, Watermark},
};

const SHARDS_MAX: u16 = 64;
/// What is wrong with keeping something without a data directory, and its mend.
const NO_PLACE: (&str, &str) = (
    "there is no place to keep anything in",
    "set node.data_dir (--data-dir), or commit = \"memory\"",
);
/// Each message is compared with each of them.
const TOPICS_MAX: usize = 64;
/// Each may be a connection of its own.
const QUERIES_MAX: u64 = 1_000;

/// Values that are out of their range, each by itself.
pub(crate) fn values(config: &Config) -> Vec<Diagnostic> {
    let mut checks = Checks { config, found: Vec::new() };
    checks.node();
    checks.limits();
    checks.mqtt(&["mqtt"], &config.settings.mqtt);
    for (index, listener) in config.settings.listener.iter().enumerate() {
        checks.listener_values(&config.number(index).to_string(), listener);
    }
    checks.topics();
    checks.authenticators();
    checks.found
}

/// Keys that contradict each other. Where a key is missing because it was wrong, this would find
/// what is not there.
pub(crate) fn together(config: &Config, touched: &[Touched]) -> Vec<Diagnostic> {
    let mut checks = Checks { config, found: Vec::new() };
    let whole = |table: &str| {
        touched.iter().all(|one| match one {
            Touched::Table(other) => other != table,
            Touched::All => false,
        })
    };
    if whole("memory") {
        checks.memory();
    }
    if whole("store") {
        checks.log_size();
    }
    if whole("access") {
        checks.found.extend(config.mistakes_in_rules());
        checks.found.extend(config.mistakes_in_chains());
        checks.found.extend(config.mistakes_in_asking());
        checks.found.extend(config.mistakes_in_fences());
        checks.found.extend(config.mistakes_in_tenants());
    }
    if whole("telemetry") {
        checks.found.extend(config.mistakes_in_telemetry());
    }
    if !whole("listener") {
        return checks.found;
    }
    if whole("access") {
        checks.found.extend(config.certificates_not_asked_for());
        checks.found.extend(config.strangers_beside_unproved());
    }
    if whole("node") && whole("store") {
        checks.places();
    }
    for (index, listener) in config.settings.listener.iter().enumerate() {
        let index = config.number(index).to_string();
        checks.certificate(&index, listener);
        if whole("access") {
            checks.door(&index, listener);
        }
    }
    checks.names();
    checks.found
}

/// Modules that write to the log.
const MODULES: &[&str] = &[
    "plexus",
    "plexus_access",
    "plexus_admission",
    "plexus_api",
    "plexus_audit",
    "plexus_broker",
    "plexus_config",
    "plexus_net",
    "plexus_otlp",
    "plexus_porch",
    "plexus_records",
    "plexus_session",
    "plexus_store",
    "rustls",
];

/// What is no mistake but can hardly be meant.
pub(crate) fn odd(config: &Config) -> Vec<Diagnostic> {
    let unknown = |module: &&str| !MODULES.contains(&module.split("::").next().unwrap_or_default());
    let modules = config.settings.log.level.modules().filter(unknown);
    let told = modules.map(|module| {
        let message = format!("no module `{module}` writes to the log");
        let help = match nearest(module, MODULES.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the modules are {}", MODULES.join(", ")),
        };
        config.mistake(&["log", "level"], message).with_help(help)
    });
    let told = told.chain(kept_nowhere(config)).chain(for_no_listener(config));
    told.chain(idle(config)).chain(config.idle_collector()).collect()
}

/// What has to be kept and has no place: a data directory that was forgotten, most likely.
fn kept_nowhere(config: &Config) -> Option<Diagnostic> {
    let path = ["store", "commit"];
    let kept = config.settings.store.commit != CommitMode::Memory;
    let said = !matches!(config.origin(&path), Origin::Whole(_));
    let nowhere = config.settings.node.data_dir.is_none();
    (kept && said && nowhere).then(|| config.mistake(&path, NO_PLACE.0).with_help(NO_PLACE.1))
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

fn range_at(path: &[&str]) -> Range {
    let numbered = |part: &&&str| !part.bytes().all(|byte| byte.is_ascii_digit());
    let key = path.iter().filter(numbered).copied().collect::<Vec<_>>().join(".");
    range_of(&key).expect("invariant: every size and duration has a range")
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
        if node.data_dir.as_ref().is_some_and(|dir| dir.as_os_str().is_empty()) {
            let help = "name a directory, or leave node.data_dir out to keep nothing";
            self.add(&["node", "data_dir"], "an empty name", help);
        }
        self.api();
        let audit = &self.config.settings.audit;
        if audit.dir.as_ref().is_some_and(|dir| dir.as_os_str().is_empty()) {
            let help = "name a directory, leave audit.dir out, or set audit.enabled = false";
            self.add(&["audit", "dir"], "an empty name", help);
        }
    }

    fn api(&mut self) {
        let ApiSettings { address, cert_file, key_file, cleartext, allowed_origins, .. } =
            &self.config.settings.api;
        match (cert_file, key_file) {
            (Some(_), None) => {
                self.add(
                    &["api", "cert_file"],
                    "a certificate without its key",
                    "set api.key_file",
                );
            }
            (None, Some(_)) => {
                self.add(
                    &["api", "key_file"],
                    "a key without its certificate",
                    "set api.cert_file",
                );
            }
            _ => {}
        }
        let is_open = address.is_some_and(|address| !address.ip().is_loopback());
        if is_open && cert_file.is_none() && !cleartext {
            let message =
                "others would reach the API in clear text: passwords could be read on the way";
            let help = "set api.cert_file and api.key_file, stay at 127.0.0.1, or set api.cleartext = true";
            self.add(&["api", "address"], message, help);
        }
        for (index, origin) in allowed_origins.iter().enumerate() {
            if !is_origin(origin) {
                let path = ["api", "allowed_origins", &index.to_string()];
                let help = "write scheme, host and perhaps port: \"https://tools.example\"";
                self.add(&path, "it is no origin of pages", help);
            }
        }
    }

    fn limits(&mut self) {
        let settings = &self.config.settings;
        let limits = &settings.limits;
        let most = u64::from(u32::MAX);
        self.range(&["limits", "max_connections"], limits.max_connections.into(), 1..=most);
        self.range(&["limits", "max_sessions"], limits.max_sessions.into(), 1..=most);
        self.range(&["limits", "max_handshakes"], limits.max_handshakes.into(), 1..=most);
        self.time(&["limits", "connect_timeout"], limits.connect_timeout);
        self.size(&["limits", "max_handshake_bytes"], limits.max_handshake_bytes);
        self.size(&["limits", "max_queued_bytes"], limits.max_queued_bytes);
        self.size(&["limits", "max_write_buffer"], limits.max_write_buffer);
        self.size(&["retained", "max_message_size"], settings.retained.max_message_size);
        self.size(&["store", "max_size"], settings.store.max_size);
        self.size(&["store", "segment_size"], settings.store.segment_size);
        self.size(&["audit", "max_file_size"], settings.audit.max_file_size);
        self.range(&["audit", "max_files"], settings.audit.max_files.into(), 2..=most);
        self.time(&["node", "shutdown_grace"], settings.node.shutdown_grace);
        self.time_or_never(&["sys", "interval"], settings.sys.interval);
        let (lockout, flapping) = (&settings.access.lockout, &settings.access.flapping);
        self.time(&["access", "lockout", "first"], lockout.first);
        self.time(&["access", "lockout", "longest"], lockout.longest);
        self.time(&["access", "flapping", "ban"], flapping.ban);
        self.time_or_never(&["tls", "reload_interval"], settings.tls.reload_interval);
        self.time(&["tls", "crl_refresh"], settings.tls.crl_refresh);
        self.time(&["telemetry", "timeout"], settings.telemetry.timeout);
        self.time(&["telemetry", "metrics", "interval"], settings.telemetry.metrics.interval);
    }

    fn log_size(&mut self) {
        let store = &self.config.settings.store;
        let (most, segment) = (store.max_size.get(), store.segment_size.get());
        if most > 0 && most / 8 < segment {
            let help = "set store.max_size to eight times store.segment_size or more, or to 0: no \
                        limit; or set store.segment_size lower";
            self.add(&["store", "max_size"], "less than eight segments", help);
        }
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
        self.size(&path("max_packet_size"), mqtt.max_packet_size);
        self.size(&path("max_queue_bytes"), mqtt.max_queue_bytes);
        let words = u64::from(u16::MAX);
        self.range(&path("max_topic_levels"), mqtt.max_topic_levels.into(), 1..=words);
        self.range(&path("max_topic_length"), mqtt.max_topic_length.into(), 1..=words);
        // A server takes identifiers of 1 to 23 bytes in any case ([MQTT-3.1.3-5]).
        self.range(&path("max_client_id_length"), mqtt.max_client_id_length.into(), 23..=words);
        self.range(&path("maximum_qos"), mqtt.maximum_qos.into(), 0..=2);
        self.time_or_never(&path("server_keep_alive"), mqtt.server_keep_alive);
        self.time_or_never(&path("max_keep_alive"), mqtt.max_keep_alive);
        self.time_or_never(&path("max_queue_age"), mqtt.max_queue_age);
        self.time_or_never(&path("max_session_expiry"), mqtt.max_session_expiry);
        self.time(&path("session_expiry_3x"), mqtt.session_expiry_3x);
        let length = mqtt.response_information.len() as u64;
        if length > 1_024 || mqtt.response_information.contains('\0') {
            let help = "use at most 1,024 bytes without the null character";
            self.add(&path("response_information"), "no text that fits in CONNACK", help);
        }
    }

    fn authenticators(&mut self) {
        let access = &self.config.settings.access;
        for (index, jwt) in access.jwt.iter().enumerate() {
            let index = index.to_string();
            self.time(&["access", "jwt", &index, "key_set_refresh"], jwt.key_set_refresh);
            self.time(&["access", "jwt", &index, "leeway"], jwt.leeway);
        }
        self.time(&["access", "remember_answers"], access.remember_answers);
        for (index, ask) in access.ask.iter().enumerate() {
            let index = index.to_string();
            let at = |key| ["access", "ask", index.as_str(), key];
            self.time(&at("timeout"), ask.timeout);
            self.range(&at("max_queries"), ask.max_queries.into(), 1..=QUERIES_MAX);
        }
        for (index, back_end) in access.back_ends() {
            let index = index.to_string();
            let at = |key| ["access", back_end.kind(), index.as_str(), key];
            let terms = back_end.terms();
            self.time(&at("timeout"), terms.timeout);
            self.range(&at("max_queries"), terms.max_queries.into(), 1..=QUERIES_MAX);
            self.time_or_never(&at("remember"), terms.remember);
        }
    }

    fn size(&mut self, path: &[&str], size: ByteSize) {
        let range = range_at(path);
        if let Some(fault) = range.size(size) {
            let message = format!("`{}` is {size}, {fault}", path.join("."));
            self.add(path, message, &format!("use a size {range}"));
        }
    }

    fn time(&mut self, path: &[&str], span: Span) {
        let range = range_at(path);
        if let Some(fault) = range.time(span) {
            let message = format!("`{}` is {span}, {fault}", path.join("."));
            self.add(path, message, &format!("use a duration {range}"));
        }
    }

    fn time_or_never(&mut self, path: &[&str], span: SpanOrNever) {
        if let Some(span) = span.get() {
            self.time(path, span);
        }
    }

    fn listener_values(&mut self, index: &str, listener: &ListenerSettings) {
        let at = |key: &'static str| ["listener", index, key];
        if let Some(most) = listener.max_connections {
            self.range(&at("max_connections"), most.into(), 1..=u32::MAX.into());
        }
        if let Some(timeout) = listener.connect_timeout {
            self.time(&at("connect_timeout"), timeout);
        }
        // What `[mqtt]` has is told there; beside it stand the defaults, which are good.
        let own = listener.mqtt.over(&MqttSettings::default());
        self.mqtt(&["listener", index, "mqtt"], &own);
    }

    fn certificate(&mut self, index: &str, listener: &ListenerSettings) {
        let at = |key: &'static str| ["listener", index, key];
        let tls = listener.url.transport().is_tls();
        match &listener.tls {
            None if tls => self.add(
                &at("url"),
                format!("{} has no certificate", listener.url),
                self.certificate_mend(index),
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
    }

    fn topics(&mut self) {
        let count = self.config.settings.store.topic.len();
        if count > TOPICS_MAX {
            let help = format!("use at most {TOPICS_MAX}, with wildcards");
            self.add(&["store", "topic"], format!("{count} rules for topics"), &help);
        }
    }

    /// What a listener or a topic is promised to be kept has a place to be kept in.
    fn places(&mut self) {
        let settings = &self.config.settings;
        if settings.node.data_dir.is_some() {
            return;
        }
        let kept = |mode: CommitMode| mode != CommitMode::Memory;
        let listeners = settings.listener.iter().enumerate();
        let listeners = listeners
            .filter(|(_, listener)| listener.commit.is_some_and(kept))
            .map(|(index, _)| ("listener", self.config.number(index)));
        let topics = settings.store.topic.iter().enumerate();
        let topics =
            topics.filter(|(_, rule)| kept(rule.commit)).map(|(index, _)| ("topic", index));
        for (list, index) in listeners.chain(topics).collect::<Vec<_>>() {
            let index = index.to_string();
            let inside: &[&str] = if list == "topic" { &["store"] } else { &[] };
            self.add(&[inside, &[list, &index, "commit"]].concat(), NO_PLACE.0, NO_PLACE.1);
        }
    }

    /// What gives a listener its certificate, where it is written.
    fn certificate_mend(&self, index: &str) -> &'static str {
        match self.config.origin(&["listener", index, "url"]) {
            Origin::Option(option) if option.starts_with("--listen") => {
                "add --tls-cert <file> and --tls-key <file>"
            }
            _ => "add tls = { cert_file = \"…\", key_file = \"…\" }",
        }
    }

    /// Nobody comes in from outside without showing who they are, unless that is said.
    fn door(&mut self, index: &str, listener: &ListenerSettings) {
        let access = &self.config.settings.access;
        let anonymous = listener.allow_anonymous.unwrap_or(access.allow_anonymous);
        if access.has_authenticators() || anonymous {
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
                    &["listener", &self.config.number(index).to_string(), "url"],
                    format!("a second listener `{name}`"),
                    "give each listener its own url and name",
                );
            }
        }
    }
}

/// Whether it is an origin as browsers write it (RFC 6454, section 6.2), none of which ends with a slash.
fn is_origin(text: &str) -> bool {
    let host = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let known =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:[]".contains(&byte);
    host.is_some_and(|host| !host.is_empty() && host.bytes().all(known))
}
