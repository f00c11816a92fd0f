use std::{num::NonZeroU64, path::PathBuf, sync::Arc, time::Duration};

use plexus_audit::{AuditPort, BookOptions};
use plexus_broker::{
    Limits, ListenerLimits, ListenerOptions, LogPlace, MemoryOptions, MeterOptions, NodeOptions,
    Pace, Pool, Quota, RetainedOptions,
};
use plexus_net::ListenUrl;
use plexus_stdx::Seed;
use plexus_types::Durability;

use crate::{
    admission::Office,
    check::name_of,
    door::Door,
    live::{LiveAuthenticators, LiveRules},
    load::Config,
    report::ConfigError,
    session,
    settings::CommitMode,
    settings::{ListenerSettings, Strategy},
    telemetry::TelemetryPlan,
    value::RateText,
};

/// What the machine offers, as far as defaults depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// Processor cores that the node may use.
    pub cores: usize,
    /// Bytes of memory that the node may use; zero when that is not known.
    pub memory: u64,
}

/// Everything that a node is started with.
#[derive(Debug, Clone)]
pub struct NodePlan {
    /// The node.
    pub node: NodeOptions,
    /// Where it listens.
    pub listeners: Vec<ListenerOptions>,
    /// The directory for what outlives the process, if there is one.
    pub data_dir: Option<PathBuf>,
    /// How long a node that is told to stop waits for its connections.
    pub shutdown_grace: Duration,
    /// Who is asked about clients.
    pub authenticators: LiveAuthenticators,
    /// Who may publish and subscribe what.
    pub rules: LiveRules,
    /// Whether somebody comes in without showing who he is.
    pub anonymous: bool,
    /// Where the listeners report what they refuse.
    pub audit: AuditPort,
    /// The folder of the audit log and how much of it is kept, if there is to be one.
    pub audit_place: Option<(PathBuf, BookOptions)>,
    /// What is told to a collector, if anything is.
    pub telemetry: Option<TelemetryPlan>,
}

const SHARDS_MAX: u16 = 64;

impl Config {
    /// The configuration as a node takes it. Reads the user file, keys and secrets.
    pub fn plan(
        &self,
        machine: Machine,
        seed: Seed,
        office: &Office<'_>,
    ) -> Result<NodePlan, ConfigError> {
        let listeners = self.listeners();
        let anonymous = listeners.iter().any(|listener| self.lets_strangers_in(listener));
        let authenticators = self.authenticators(office, seed)?;
        let advisers = self.advisers(office, seed)?;
        let telemetry = self.telemetry(office)?;
        let rules = LiveRules::new(self.rules());
        let audit = AuditPort::default();
        let limits = &self.settings.limits;
        let pool = Pool::new(Quota {
            pace: Pace {
                messages: limits.max_total_message_rate.get(),
                bytes: limits.max_total_byte_rate.get(),
            },
            subscriptions_max: NonZeroU64::new(limits.max_total_subscriptions),
        });
        let listeners = listeners
            .iter()
            .zip(authenticators.chains().cloned())
            .enumerate()
            .map(|(index, (listener, chain))| {
                let filters_deliveries = self.settings.access.filter_deliveries;
                let (rules, audit, advisers) = (rules.clone(), audit.clone(), advisers.clone());
                let door = Door { chain, rules, filters_deliveries, advisers, audit };
                self.listener(index, listener, door, pool.as_ref())
            })
            .collect();
        let data_dir = self.settings.node.data_dir.clone();
        let shutdown_grace = self.settings.node.shutdown_grace.get();
        let node = self.node(machine, seed);
        let audit_place = self.audit_place();
        Ok(NodePlan {
            node,
            listeners,
            data_dir,
            shutdown_grace,
            authenticators,
            rules,
            anonymous,
            audit,
            audit_place,
            telemetry,
        })
    }

    /// Where the audit log is, and how much of it is kept.
    pub fn audit_place(&self) -> Option<(PathBuf, BookOptions)> {
        let audit = &self.settings.audit;
        let beside = || self.settings.node.data_dir.as_ref().map(|dir| dir.join("audit"));
        let folder = audit.dir.clone().or_else(beside).filter(|_| audit.enabled)?;
        let options = BookOptions {
            file_bytes_max: audit.max_file_size.get(),
            files_max: audit.max_files as usize,
        };
        Some((folder, options))
    }

    /// What a running node takes of it for whoever comes from then on.
    pub fn renewed_limits(&self) -> Limits {
        let limits = &self.settings.limits;
        let listeners = self.listeners();
        let listeners = listeners.iter().enumerate().map(|(index, listener)| ListenerLimits {
            name: self.unique_name(index, listener),
            connections_max: self.connections_max(listener),
            connection_rate: listener.max_connection_rate.and_then(RateText::get),
            pace: self.pace(listener),
            connect_timeout: listener.connect_timeout.unwrap_or(limits.connect_timeout).get(),
            session: session::options(&listener.mqtt.over(&self.settings.mqtt)),
        });
        Limits {
            connections_max: limits.max_connections as usize,
            connection_rate: limits.max_connection_rate.get(),
            listeners: listeners.collect(),
        }
    }

    /// The listeners of the file and the options, or those that a node has without any.
    pub fn listeners(&self) -> Vec<ListenerSettings> {
        if !self.settings.listener.is_empty() {
            return self.settings.listener.clone();
        }
        let access = &self.settings.access;
        let open = access.has_authenticators() || access.allow_anonymous;
        let host = if open { "0.0.0.0" } else { "127.0.0.1" };
        let listener = |text: String| {
            let url = text.parse::<ListenUrl>().expect("invariant: a well-formed constant");
            ListenerSettings::new(url)
        };
        let (tcp, websocket) = (format!("tcp://{host}:1883"), format!("ws://{host}:8083/mqtt"));
        vec![listener(tcp), listener(websocket)]
    }

    /// Whether the listener lets clients in without user name.
    pub fn lets_strangers_in(&self, listener: &ListenerSettings) -> bool {
        let access = &self.settings.access;
        let allowed = listener.allow_anonymous.unwrap_or(access.allow_anonymous);
        allowed || !access.has_authenticators()
    }

    fn node(&self, machine: Machine, seed: Seed) -> NodeOptions {
        let settings = &self.settings;
        let of_cores = u16::try_from(machine.cores).unwrap_or(SHARDS_MAX).clamp(1, SHARDS_MAX);
        let groups = settings.shared.groups.iter();
        NodeOptions {
            name: settings.node.name.clone(),
            shards: if settings.node.shards == 0 { of_cores } else { settings.node.shards },
            restless: false,
            connections_max: settings.limits.max_connections as usize,
            sessions_max: settings.limits.max_sessions as usize,
            waiting_max: plexus_session::Waiting {
                messages: settings.limits.max_queued_messages,
                bytes: settings.limits.max_queued_bytes.get(),
            },
            handshakes_max: settings.limits.max_handshakes as usize,
            fences: self.fences(seed),
            memory: MemoryOptions {
                high: settings.memory.high_watermark.bytes_of(machine.memory),
                critical: settings.memory.critical_watermark.bytes_of(machine.memory),
            },
            retained: RetainedOptions {
                messages_max: settings.retained.max_messages as usize,
                message_size_max: settings.retained.max_message_size.as_usize(),
            },
            log: self.log_place(),
            durability: self.durability(settings.store.commit),
            topics: settings
                .store
                .topic
                .iter()
                .map(|rule| (rule.filter.get().clone(), durability(rule.commit)))
                .collect(),
            shared_strategy: strategy(settings.shared.strategy),
            shared_strategies: groups.map(|(name, own)| (name.clone(), strategy(*own))).collect(),
            sys_interval: settings.sys.interval.get().map(crate::value::Span::get),
            tenants: self.tenants(),
            write_buffer_max: settings.limits.max_write_buffer.as_usize(),
        }
    }

    /// What that mode promises: without a place to keep anything in, nothing.
    fn durability(&self, mode: CommitMode) -> Durability {
        match self.settings.node.data_dir {
            Some(_) => durability(mode),
            None => Durability::Memory,
        }
    }

    /// Whether anything is there after the end of the process.
    pub fn is_kept(&self) -> bool {
        self.log_place().is_some()
    }

    /// Where the log is, if anything is to be stored.
    fn log_place(&self) -> Option<LogPlace> {
        let store = &self.settings.store;
        let listeners = self.settings.listener.iter().filter_map(|listener| listener.commit);
        let topics = store.topic.iter().map(|rule| rule.commit);
        let mut modes = listeners.chain(topics).chain([store.commit]);
        if modes.all(|mode| mode == CommitMode::Memory) {
            return None;
        }
        Some(LogPlace {
            folder: self.settings.node.data_dir.as_ref()?.join("log"),
            segment_bytes: store.segment_size.get(),
            bytes_max: store.max_size.get(),
        })
    }

    fn listener(
        &self,
        index: usize,
        listener: &ListenerSettings,
        door: Door,
        pool: Option<&Arc<Pool>>,
    ) -> ListenerOptions {
        let limits = &self.settings.limits;
        let mqtt = listener.mqtt.over(&self.settings.mqtt);
        let durability = self.durability(listener.commit.unwrap_or(self.settings.store.commit));
        ListenerOptions {
            name: self.unique_name(index, listener),
            net: plexus_net::ListenerOptions {
                url: listener.url.clone(),
                bind: listener.bind.clone(),
                tls: listener.tls.clone(),
                websocket: listener.websocket.clone(),
                proxy_protocol: listener.proxy_protocol,
            },
            connections_max: self.connections_max(listener),
            connection_rate: listener.max_connection_rate.and_then(RateText::get),
            meter: self.meter(listener, pool),
            connect_timeout: listener.connect_timeout.unwrap_or(limits.connect_timeout).get(),
            session: Arc::new(plexus_session::Options {
                durable: durability.is_kept() && self.is_kept(),
                ..session::options(&mqtt)
            }),
            policy: Arc::new(door),
            durability,
            tenant: listener.tenant.as_ref().map(|tenant| tenant.get().clone()),
            server_names: self.server_names(),
        }
    }

    fn connections_max(&self, listener: &ListenerSettings) -> usize {
        listener.max_connections.unwrap_or(self.settings.limits.max_connections) as usize
    }

    /// What each client of a listener may publish.
    fn pace(&self, listener: &ListenerSettings) -> Pace {
        let limits = &self.settings.limits;
        Pace {
            messages: listener.max_message_rate.unwrap_or(limits.max_message_rate).get(),
            bytes: listener.max_byte_rate.unwrap_or(limits.max_byte_rate).get(),
        }
    }

    /// How much the clients of a listener may publish, if that is limited.
    fn meter(
        &self,
        listener: &ListenerSettings,
        of_node: Option<&Arc<Pool>>,
    ) -> Option<Arc<MeterOptions>> {
        let client = self.pace(listener);
        let of_listener = Pool::new(Quota {
            pace: Pace {
                messages: listener.max_total_message_rate.and_then(RateText::get),
                bytes: listener.max_total_byte_rate.and_then(RateText::get),
            },
            subscriptions_max: listener.max_total_subscriptions.and_then(NonZeroU64::new),
        });
        let pools: Vec<_> = of_listener.into_iter().chain(of_node.cloned()).collect();
        let is_limited = !client.is_free() || !pools.is_empty();
        is_limited.then(|| Arc::new(MeterOptions { client, pools }))
    }

    /// Two listeners at ports that the system chooses have the same URL until they are bound.
    fn unique_name(&self, index: usize, listener: &ListenerSettings) -> String {
        let name = name_of(listener);
        let mut earlier = self.settings.listener.iter().take(index);
        if earlier.any(|other| name_of(other) == name) { format!("{name}#{index}") } else { name }
    }
}

const fn durability(mode: CommitMode) -> Durability {
    match mode {
        CommitMode::Fsync => Durability::Synced,
        CommitMode::Os => Durability::Written,
        CommitMode::Memory => Durability::Memory,
    }
}

fn strategy(strategy: Strategy) -> plexus_topics::Strategy {
    match strategy {
        Strategy::RoundRobin => plexus_topics::Strategy::RoundRobin,
        Strategy::Random => plexus_topics::Strategy::Random,
        Strategy::Sticky => plexus_topics::Strategy::Sticky,
        Strategy::HashClient => plexus_topics::Strategy::HashClient,
        Strategy::HashTopic => plexus_topics::Strategy::HashTopic,
        Strategy::Local => plexus_topics::Strategy::Local,
        Strategy::LeastInflight => plexus_topics::Strategy::LeastInflight,
    }
}

#[cfg(test)]
pub(crate) mod tests;
