//! What was run, so that whoever reads the figures can run it again.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use serde::Serialize;

use crate::plan::{
    Body, Group, Pace, Plan, Publishing, Role, Sessions, Step, Subscribing, Workload,
};

/// What the caller knows of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Asked {
    /// The version of the program.
    pub version: String,
    /// Where the broker is, without a login.
    pub url: String,
    /// The command line, word by word, without a password.
    pub command_line: Vec<String>,
}

/// What was run.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Run {
    /// The scenario.
    pub scenario: String,
    /// What the caller knows of it.
    #[serde(flatten)]
    pub asked: Asked,
    /// What holds for all groups.
    pub options: Options,
    /// The clients of each group and what they do.
    pub groups: BTreeMap<String, Settings>,
}

/// What holds for all groups of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Options {
    /// Traffic that is not measured; nothing where messages are counted instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_up_seconds: Option<f64>,
    /// How long is measured; nothing where messages are counted instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<f64>,
    /// How long nothing may come before what is missing is given up.
    pub patience_seconds: f64,
    /// Threads that drive clients.
    pub workers: usize,
    /// Connections a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_rate: Option<u64>,
    /// Connections of a thread that wait for CONNACK at a time.
    pub connecting: u32,
    /// Whether who lost its connection comes again.
    pub reconnect: bool,
    /// Addresses that connections begin at.
    pub sources: Vec<IpAddr>,
    /// Clean Start, or Clean Session before MQTT 5.0.
    pub clean_start: bool,
    /// Keep Alive.
    pub keep_alive_seconds: u16,
    /// Session Expiry Interval.
    pub session_expiry_seconds: u32,
    /// Receive Maximum.
    pub receive_maximum: u16,
}

/// The clients of a group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settings {
    /// How many.
    pub count: u32,
    /// Their identifiers.
    pub client_id: String,
    /// How their sessions outlive their connections, where the group says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Session>,
    /// How they come and go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub churn: Option<Churn>,
    /// What the broker publishes when one is gone without a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub will: Option<Will>,
    /// What they do.
    #[serde(flatten)]
    pub work: Work,
}

/// What becomes of the sessions of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Session {
    /// Clean Start, or Clean Session before MQTT 5.0.
    pub clean_start: bool,
    /// Session Expiry Interval; before MQTT 5.0 the broker decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiry_seconds: Option<u32>,
}

/// How the clients of a group come and go.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Churn {
    /// How long one stays.
    pub stay_seconds: f64,
    /// How long it is away.
    pub away_seconds: f64,
    /// Whether it leaves with DISCONNECT.
    pub leave: &'static str,
}

/// The will of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Will {
    /// The topic.
    pub topic: String,
    /// The payload.
    pub payload: String,
    /// Quality of service.
    pub qos: u8,
    /// Whether the broker retains it.
    pub retain: bool,
}

/// What the clients of a group do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "role", rename_all = "lowercase")]
pub enum Work {
    /// Nothing but to be there.
    Connect,
    /// They receive messages.
    Subscribe {
        /// The filter.
        filter: String,
        /// How many of them each client has.
        filters: u32,
        /// The highest quality of service that is wanted.
        qos: u8,
        /// The group name of a shared subscription.
        #[serde(skip_serializing_if = "Option::is_none")]
        shared: Option<String>,
        /// Filters in one SUBSCRIBE.
        per_packet: u32,
        /// SUBSCRIBEs that wait for their answer at a time.
        window: u32,
    },
    /// They send messages.
    Publish {
        /// The topic.
        topic: String,
        /// How many topics the messages of all clients together go round, if not one for each client.
        #[serde(skip_serializing_if = "Option::is_none")]
        topics: Option<u32>,
        /// Quality of service.
        qos: u8,
        /// Whether the broker retains each message.
        retain: bool,
        /// The size of a payload.
        #[serde(skip_serializing_if = "Option::is_none")]
        size_bytes: Option<usize>,
        /// The payload, if it is a text.
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<String>,
        /// User properties, name and value.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        user_properties: Vec<[String; 2]>,
        /// Messages a second, all clients together.
        #[serde(skip_serializing_if = "Option::is_none")]
        rate: Option<u64>,
        /// Messages of each client that are under way at a time.
        #[serde(skip_serializing_if = "Option::is_none")]
        window: Option<u32>,
        /// Messages of all clients together.
        #[serde(skip_serializing_if = "Option::is_none")]
        messages: Option<u64>,
    },
}

impl Run {
    pub(crate) fn of(plan: &Plan) -> Self {
        let workload = &plan.workload;
        let groups = workload.groups.iter();
        Self {
            scenario: workload.name.clone(),
            asked: plan.asked.clone(),
            options: Options::of(plan),
            groups: groups.map(|group| (group.name.clone(), Settings::of(group, plan))).collect(),
        }
    }
}

impl Options {
    fn of(plan: &Plan) -> Self {
        let (warm_up, duration) = times(&plan.workload);
        let properties = &plan.options.properties;
        Self {
            warm_up_seconds: warm_up.map(|time| time.as_secs_f64()),
            duration_seconds: duration.map(|time| time.as_secs_f64()),
            patience_seconds: plan.patience.as_secs_f64(),
            workers: plan.workers,
            connect_rate: plan.connect_rate,
            connecting: plan.connecting_max,
            reconnect: plan.reconnect,
            sources: plan.sources.clone(),
            clean_start: plan.options.clean_start,
            keep_alive_seconds: plan.options.keep_alive,
            session_expiry_seconds: properties.session_expiry_interval,
            receive_maximum: properties.receive_maximum,
        }
    }
}

/// The warm-up and the time that a workload is measured, as far as it goes by time.
fn times(workload: &Workload) -> (Option<Duration>, Option<Duration>) {
    let mut times = workload.steps.iter().filter_map(|step| match step {
        Step::Publish { warm_up, time: Some(time), .. } => Some((Some(*warm_up), Some(*time))),
        Step::Hold { time, .. } | Step::Churn { time, .. } => Some((None, Some(*time))),
        Step::Publish { time: None, .. }
        | Step::Connect { .. }
        | Step::Settle
        | Step::Subscribe { .. }
        | Step::Collect { .. }
        | Step::Leave { .. } => None,
    });
    times.next().unwrap_or_default()
}

impl Settings {
    fn of(group: &Group, plan: &Plan) -> Self {
        let work = match &group.role {
            Role::Connect => Work::Connect,
            Role::Subscribe(subscribing) => Work::subscribe(subscribing),
            Role::Publish(publishing) => Work::publish(publishing),
        };
        let session = match group.sessions {
            Sessions::Asked => None,
            Sessions::Clean => Some(Session { clean_start: true, expiry_seconds: None }),
            Sessions::Kept { clean_start, .. } => {
                let asked = plan.options.properties.session_expiry_interval;
                let expiry = plan.options.version.is_v5().then(|| group.sessions.expiry(asked));
                Some(Session { clean_start, expiry_seconds: expiry.flatten() })
            }
        };
        let churn = group.churn.map(|churn| Churn {
            stay_seconds: churn.stay.as_secs_f64(),
            away_seconds: churn.away.as_secs_f64(),
            leave: if churn.drops { "drop" } else { "clean" },
        });
        let will = group.will.as_ref().map(|will| Will {
            topic: will.topic.to_string(),
            payload: will.payload.to_string(),
            qos: will.qos.get(),
            retain: will.retain,
        });
        let client_id = group.client_id.to_string();
        Self { count: group.count, client_id, session, churn, will, work }
    }
}

impl Work {
    fn subscribe(subscribing: &Subscribing) -> Self {
        Self::Subscribe {
            filter: subscribing.filter.to_string(),
            filters: subscribing.each,
            qos: subscribing.qos.get(),
            shared: subscribing.shared.clone(),
            per_packet: subscribing.per_packet,
            window: subscribing.window,
        }
    }

    fn publish(publishing: &Publishing) -> Self {
        let (size_bytes, payload) = match &publishing.body {
            Body::Stamped(size) | Body::Blank(size) => (Some(*size), None),
            Body::Template(text) => (None, Some(text.to_string())),
        };
        let (rate, window) = match publishing.pace {
            Pace::Rate(rate) => (Some(rate), None),
            Pace::Window(window) => (None, Some(window)),
        };
        let properties = publishing.user_properties.iter();
        let properties = properties.map(|one| [one.name().to_owned(), one.value().to_string()]);
        Self::Publish {
            topic: publishing.topic.to_string(),
            topics: publishing.topics,
            qos: publishing.qos.get(),
            retain: publishing.retain,
            size_bytes,
            payload,
            user_properties: properties.collect(),
            rate,
            window,
            messages: publishing.messages,
        }
    }
}
