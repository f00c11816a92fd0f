//! What a run consists of: groups of clients and the steps they go through.

use std::{net::IpAddr, time::Duration};

use plexus_net::{ClientLayers, Target};
use plexus_session::ClientOptions;
use plexus_stdx::Seed;
use plexus_types::Qos;

use crate::{
    pattern::{Filling, Pattern, Place},
    record::Asked,
};

mod audience;
mod check;
mod property;
mod senders;
mod shapes;
mod shares;
mod stays;

pub(crate) use self::{audience::Audience, property::properties, senders::Senders};
pub use self::{
    check::WorkloadError,
    property::{PropertyError, UserProperty},
    stays::{Churn, Sessions, Will},
};

/// Everything that a run has to know.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Who does what.
    pub workload: Workload,
    /// Where the broker is.
    pub place: Target,
    /// TLS and WebSocket.
    pub layers: ClientLayers,
    /// Version, login, keep alive and properties of every client; the identifier is the group's.
    pub options: ClientOptions,
    /// Addresses that connections begin at, one after the other; empty for the system's choice.
    pub sources: Vec<IpAddr>,
    /// Threads that drive the clients.
    pub workers: usize,
    /// Connections that are begun in a second, all threads together; without it as many as
    /// `connecting_max` lets.
    pub connect_rate: Option<u64>,
    /// Connections of one thread that may be on the way to CONNACK at a time.
    pub connecting_max: u32,
    /// Whether a client whose connection failed or was lost connects again after a moment.
    pub reconnect: bool,
    /// How long nothing may move at the end of a step before what is missing is given up.
    pub patience: Duration,
    /// For `%r`.
    pub seed: Seed,
    /// What the caller knows of the run, for its record.
    pub asked: Asked,
    /// The broker's process, if its processor time and memory are to be read.
    pub broker: Option<u32>,
}

/// Groups and steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// Names the run in reports.
    pub name: String,
    /// Who takes part.
    pub groups: Vec<Group>,
    /// What they do, one after the other.
    pub steps: Vec<Step>,
}

/// Clients that do the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Names it in reports.
    pub name: String,
    /// How many clients.
    pub count: u32,
    /// What `%i` is for the first of them in topics and payloads.
    pub first: u64,
    /// What `%i` is for the first of them in its identifier.
    pub id_first: u64,
    /// Client identifiers.
    pub client_id: Pattern,
    /// Whether its sessions outlive their connections.
    pub sessions: Sessions,
    /// How its clients come and go while messages are published, if they do.
    pub churn: Option<Churn>,
    /// What the broker publishes when one of them is gone without a word.
    pub will: Option<Will>,
    /// What they do once they are connected.
    pub role: Role,
}

/// What the clients of a group do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Nothing but to be there.
    Connect,
    /// Receive messages.
    Subscribe(Subscribing),
    /// Send messages.
    Publish(Publishing),
}

/// How a group subscribes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribing {
    /// The filter; `%n` is the number of the filter.
    pub filter: Pattern,
    /// Filters of each client.
    pub each: u32,
    /// The highest quality of service that is wanted.
    pub qos: Qos,
    /// The group name of a shared subscription.
    pub shared: Option<String>,
    /// Filters in one SUBSCRIBE.
    pub per_packet: u32,
    /// SUBSCRIBEs that wait for their answer at a time.
    pub window: u32,
    /// Whether they subscribe as soon as they are connected, rather than in a step of their own.
    pub at_once: bool,
}

/// How a group publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publishing {
    /// The topic; `%n` is the number of the message.
    pub topic: Pattern,
    /// How many topics there are, if not one for each client: `%i` is the number of the topic then, and
    /// the messages of all clients together go round them.
    pub topics: Option<u32>,
    /// Quality of service.
    pub qos: Qos,
    /// Whether the broker keeps the message.
    pub retain: bool,
    /// What is sent.
    pub body: Body,
    /// User properties of MQTT 5.0.
    pub user_properties: Vec<UserProperty>,
    /// How fast.
    pub pace: Pace,
    /// How many messages all of them send together; without it as many as the time allows.
    pub messages: Option<u64>,
    /// Whether subscribers are there while it publishes, so that a window is of messages that have
    /// not arrived rather than not been acknowledged.
    pub awaits_delivery: bool,
    /// Whether its messages are part of what is counted; clearing up is not.
    pub counted: bool,
}

/// A payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// So many bytes with a stamp at their head.
    Stamped(usize),
    /// So many bytes, too few for a stamp.
    Blank(usize),
    /// A text of its own.
    Template(Pattern),
}

/// How fast a group publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As fast as possible with so many unsettled messages for each client.
    Window(u32),
    /// So many messages a second, all clients together, whatever the broker does (open loop).
    Rate(u64),
}

/// One thing after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A group connects and, where it does so at once, subscribes.
    Connect {
        /// Which group.
        group: usize,
        /// Its sessions begin anew, and end with this connection.
        anew: bool,
        /// Whether this is measured, and as what.
        measured: Option<&'static str>,
    },
    /// Groups publish.
    Publish {
        /// Which groups.
        groups: Vec<usize>,
        /// Time before anything is measured.
        warm_up: Duration,
        /// How long it is measured; without it until every message has been sent and acknowledged.
        time: Option<Duration>,
        /// Whether this is measured, and as what.
        measured: Option<&'static str>,
    },
    /// Everybody waits until what was published has arrived.
    Settle,
    /// A group subscribes to all its filters.
    Subscribe {
        /// Which group.
        group: usize,
    },
    /// A group connects and leaves, again and again.
    Churn {
        /// Which group.
        group: usize,
        /// How long.
        time: Duration,
    },
    /// Everybody stays as they are.
    Hold {
        /// How long.
        time: Duration,
        /// Whether what arrives meanwhile is measured, and as what.
        measured: Option<&'static str>,
    },
    /// A group connects and takes what was published for it.
    Collect {
        /// Which group.
        group: usize,
        /// What this is called.
        measured: &'static str,
    },
    /// A group says good-bye.
    Leave {
        /// Which group.
        group: usize,
        /// Whether the broker may forget its sessions.
        forget: bool,
    },
}

impl Plan {
    /// Whether the sessions of groups that say nothing of them outlive their connections.
    pub(crate) fn keeps_sessions(&self) -> bool {
        let ClientOptions { clean_start, version, properties, .. } = &self.options;
        let expires = version.is_v5() && properties.session_expiry_interval == 0;
        !clean_start && !expires
    }
}

impl Workload {
    /// Clients of all groups.
    pub fn clients(&self) -> u64 {
        self.groups.iter().map(|group| u64::from(group.count)).sum()
    }

    /// Clients that publish.
    pub fn publishers(&self) -> u64 {
        let publish = self.groups.iter().filter(|group| matches!(group.role, Role::Publish(_)));
        publish.map(|group| u64::from(group.count)).sum()
    }

    /// What the first client of a group is called among all that publish.
    pub fn publisher_base(&self, group: usize) -> u32 {
        let before = self.groups.iter().take(group);
        let publish = before.filter(|group| matches!(group.role, Role::Publish(_)));
        publish.map(|group| group.count).sum()
    }

    /// The most connections that stand at a time.
    pub fn connections_max(&self) -> u64 {
        let mut standing = vec![0; self.groups.len()];
        let mut most = 0;
        for step in &self.steps {
            let (group, there) = match step {
                Step::Connect { group, .. }
                | Step::Collect { group, .. }
                | Step::Churn { group, .. } => (*group, true),
                Step::Leave { group, .. } => (*group, false),
                Step::Publish { .. }
                | Step::Settle
                | Step::Subscribe { .. }
                | Step::Hold { .. } => continue,
            };
            let count = self.groups.get(group).map_or(0, |group| u64::from(group.count));
            if let Some(place) = standing.get_mut(group) {
                *place = if there { count } else { 0 };
            }
            most = most.max(standing.iter().sum());
        }
        most
    }

    /// Who hears the messages of each publisher.
    pub(crate) fn audience(&self) -> Audience {
        Audience::of(self)
    }

    /// Whether messages are counted one by one: every counted payload carries a stamp.
    pub fn is_stamped(&self) -> bool {
        let mut bodies = self.groups.iter().filter_map(|group| match &group.role {
            Role::Publish(publishing) if publishing.counted => Some(&publishing.body),
            Role::Publish(_) | Role::Connect | Role::Subscribe(_) => None,
        });
        bodies.all(Body::is_stamped)
    }
}

impl Group {
    /// The identifier of a client.
    pub fn id(&self, number: u32, random: u64) -> String {
        let client = self.id_first + u64::from(number);
        self.client_id.text(&Filling { client, random, ..Filling::default() })
    }

    /// The quality of service with which a message that is published so comes to a client that subscribes.
    pub(crate) fn qos_of(&self, published: Qos) -> Qos {
        match &self.role {
            Role::Subscribe(subscribing) => subscribing.qos.min(published),
            Role::Connect | Role::Publish(_) => Qos::AtMostOnce,
        }
    }

    /// The topic of a message of a client that publishes, from the number of the message and a random
    /// number.
    fn topic(&self, publishing: &Publishing, number: u32, (message, random): (u64, u64)) -> String {
        let client = self.first + publishing.topic_number(number, self.count, message);
        let id = self.id(number, 0);
        publishing.topic.text(&Filling { client, id: &id, message, random, ..Filling::default() })
    }
}

impl Subscribing {
    /// A filter of a client, with the group name of a shared subscription.
    pub fn filter(&self, filling: &Filling<'_>) -> String {
        let mut filter = match &self.shared {
            Some(name) => format!("$share/{name}/"),
            None => String::new(),
        };
        self.filter.render(filling, &mut filter);
        filter
    }
}

impl Publishing {
    /// What `%i` stands for in the topic of a message of a client, one of `count`, without the number of
    /// the first.
    pub(crate) fn topic_number(&self, number: u32, count: u32, message: u64) -> u64 {
        let number = u64::from(number);
        let Some(topics) = self.topics else { return number };
        let all = u128::from(message) * u128::from(count) + u128::from(number);
        u64::try_from(all % u128::from(topics.max(1))).unwrap_or_default()
    }

    /// How many messages one of `count` clients sends from one to the next on the same topic.
    pub(crate) fn stride(&self, count: u32) -> u32 {
        let Some(topics) = self.topics else { return 1 };
        let (mut rest, mut divisor) = (count, topics.max(1));
        while rest > 0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        topics.max(1) / divisor
    }

    /// Whether two messages of one of `count` clients may go to different topics.
    pub(crate) fn has_topics(&self, count: u32) -> bool {
        self.topic.varies() || (self.stride(count) > 1 && self.topic.has(Place::Client))
    }

    /// How many messages one client sends.
    pub fn quota(&self, number: u32, count: u32) -> u64 {
        let Some(messages) = self.messages else { return u64::MAX };
        let count = u64::from(count.max(1));
        messages / count + u64::from(u64::from(number) < messages % count)
    }
}

impl Body {
    /// The usual payload of that size, in bytes.
    pub const fn of_size(size: usize) -> Self {
        if size < crate::stamp::STAMP_LENGTH { Self::Blank(size) } else { Self::Stamped(size) }
    }

    /// Whether it tells which message it is.
    pub fn is_stamped(&self) -> bool {
        match self {
            Self::Stamped(_) => true,
            Self::Blank(_) => false,
            Self::Template(pattern) => pattern.has(Place::Stamp),
        }
    }
}

#[cfg(test)]
mod tests;
