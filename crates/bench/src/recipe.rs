//! Scenarios: from a name and a few numbers to groups and steps.

use std::time::Duration;

use plexus_types::Qos;

use crate::{
    pattern::{Pattern, Place},
    plan::{
        Body, Group, Pace, Publishing, Role, Sessions, Step, Subscribing, UserProperty, Workload,
    },
};

/// The name of the shared subscription of `fan-in --shared`.
const SHARED: &str = "bench";
/// The window where neither a window nor a rate is asked for, in messages a client.
pub const WINDOW_DEFAULT: u32 = 20;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Clients connect and stay.
    Conn,
    /// Clients publish to nobody in particular.
    Pub,
    /// Clients subscribe and take what somebody else publishes.
    Sub,
    /// Publisher *i* to subscriber *i*.
    P2p,
    /// Many publish, few receive everything.
    FanIn,
    /// Few publish, many receive everything.
    FanOut,
    /// Messages are stored for sessions that are away, which then come for them.
    Offline,
    /// Messages are kept, then one subscriber takes them all.
    Retained,
    /// Clients subscribe to many filters.
    Subscribe,
    /// Clients connect and leave, again and again.
    Churn,
}

/// The numbers of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    /// Which scenario.
    pub kind: Kind,
    /// Clients that publish, connect or churn.
    pub publishers: u32,
    /// Clients that subscribe.
    pub subscribers: u32,
    /// Quality of service of publications.
    pub qos: Qos,
    /// Quality of service of subscriptions; without it that of the publications.
    pub subscribe_qos: Option<Qos>,
    /// Whether the broker keeps each message.
    pub retain: bool,
    /// What is sent.
    pub body: Body,
    /// User properties of MQTT 5.0 that go with it.
    pub user_properties: Vec<UserProperty>,
    /// How fast.
    pub pace: Pace,
    /// How many messages all publishers send together.
    pub messages: Option<u64>,
    /// Filters of each client of `subscribe`.
    pub filters: u32,
    /// Filters in one SUBSCRIBE.
    pub per_packet: u32,
    /// Whether `fan-in` subscribes as one shared subscription.
    pub shared: bool,
    /// Whether `retained` leaves its messages with the broker.
    pub keep: bool,
    /// Time of traffic that is not measured.
    pub warm_up: Duration,
    /// Time that is measured.
    pub time: Duration,
    /// Topics, if they are not the usual ones.
    pub topic: Option<Pattern>,
    /// Filters, if they do not follow from the topics.
    pub filter: Option<Pattern>,
    /// Client identifiers, if they are not the usual ones.
    pub client_id: Option<Pattern>,
    /// The number of the first client.
    pub first: u64,
    /// Makes usual client identifiers those of this run.
    pub run: String,
}

/// Why a recipe makes no workload, with the mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipeError {
    /// All clients would have one identifier.
    #[error("all clients would have the same identifier; put %i into it, for example bench-%i")]
    ClientId,
    /// Pairs need a topic each.
    #[error("each pair needs a topic of its own; put %i into it, for example bench/%i")]
    PairTopic,
    /// Each session gets messages of its own.
    #[error("each session needs a topic of its own; put %i into it, for example bench/%i")]
    SessionTopic,
    /// A subscriber does not know the identifier of the publisher.
    #[error("the topic of a pair cannot hold %c, which the subscriber does not know; use %i")]
    PairId,
    /// Each kept message needs a topic.
    #[error(
        "each retained message needs a topic of its own; put %n into it, and %i for more than one publisher"
    )]
    RetainedTopic,
    /// A broker stores QoS 0 for nobody who is away.
    #[error("a message of QoS 0 is not stored for who is away; use --qos 1 or 2")]
    StoredQos,
    /// Fewer messages than clients that publish.
    #[error(
        "{publishers} publishers have only {messages} messages; use {option} of at most {messages}, \
         or more messages"
    )]
    Messages {
        /// Messages of all publishers.
        messages: u64,
        /// Clients that publish.
        publishers: u32,
        /// What says on the command line how many publish.
        option: &'static str,
    },
}

impl Recipe {
    /// The groups and their steps.
    pub fn workload(&self) -> Result<Workload, RecipeError> {
        self.check()?;
        let groups = self.groups();
        let steps = self.steps();
        Ok(Workload { name: self.kind.name().to_owned(), groups, steps })
    }

    fn check(&self) -> Result<(), RecipeError> {
        let topic = self.topic();
        let unnumbered = |id: &Pattern| !id.has(Place::Client);
        if self.client_id.as_ref().is_some_and(unnumbered) {
            return Err(RecipeError::ClientId);
        }
        let in_pairs = matches!(self.kind, Kind::P2p | Kind::Offline);
        if in_pairs && self.subscribers > 1 && !topic.has(Place::Client) {
            return Err(match self.kind {
                Kind::Offline => RecipeError::SessionTopic,
                _ => RecipeError::PairTopic,
            });
        }
        if in_pairs && topic.has(Place::Id) {
            return Err(RecipeError::PairId);
        }
        let numbered =
            topic.has(Place::Message) && (self.publishers == 1 || topic.has(Place::Client));
        if self.kind == Kind::Retained && !numbered {
            return Err(RecipeError::RetainedTopic);
        }
        let stored = matches!(self.kind, Kind::Offline);
        if stored && (self.qos == Qos::AtMostOnce || self.subscribe_qos == Some(Qos::AtMostOnce)) {
            return Err(RecipeError::StoredQos);
        }
        match self.messages {
            Some(messages) if messages < u64::from(self.publishers) => {
                let (publishers, option) = (self.publishers, self.publishers_option());
                Err(RecipeError::Messages { messages, publishers, option })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn topic(&self) -> Pattern {
        let usual = || {
            let usual = match self.kind {
                Kind::Retained => "bench/retained/%i/%n",
                Kind::Subscribe => "bench/subscribe/%i/%n",
                Kind::FanOut if self.publishers == 1 => "bench/fan-out",
                Kind::FanOut => "bench/fan-out/%i",
                Kind::FanIn => "bench/fan-in/%i",
                Kind::Offline => "bench/offline/%i",
                Kind::P2p => "bench/p2p/%i",
                Kind::Conn | Kind::Pub | Kind::Sub | Kind::Churn => "bench/%i",
            };
            Pattern::parse(usual, Place::OF_TOPIC)
                .expect("invariant: the usual topics are patterns")
        };
        self.topic.clone().unwrap_or_else(usual)
    }

    fn filter(&self) -> Pattern {
        let topic = self.topic();
        self.filter.clone().unwrap_or_else(|| match self.kind {
            Kind::P2p | Kind::Offline => topic.filter(true),
            Kind::FanIn | Kind::FanOut | Kind::Retained => topic.filter(false),
            Kind::Sub | Kind::Subscribe | Kind::Conn | Kind::Pub | Kind::Churn => topic,
        })
    }

    fn group(&self, name: &str, count: u32, id_first: u64, role: Role) -> Group {
        let client_id = self.client_id.clone().unwrap_or_else(|| {
            let letter = name.get(..1).unwrap_or_default();
            let usual = format!("bench-{}-{letter}%i", self.run);
            Pattern::parse(&usual, Place::OF_ID).expect("invariant: a run is letters and digits")
        });
        let sessions = match (self.kind, &role) {
            (Kind::Offline, Role::Subscribe(_)) => {
                Sessions::Kept { clean_start: false, expiry: None }
            }
            _ => Sessions::Asked,
        };
        let id_first = self.first + id_first;
        Group {
            name: name.to_owned(),
            count,
            first: self.first,
            id_first,
            client_id,
            sessions,
            churn: None,
            will: None,
            role,
        }
    }

    fn subscribing(&self) -> Role {
        let apart = self.kind == Kind::Subscribe;
        let window = match self.pace {
            Pace::Window(window) if apart => window,
            Pace::Window(_) | Pace::Rate(_) => 1,
        };
        Role::Subscribe(Subscribing {
            filter: self.filter(),
            each: if apart { self.filters } else { 1 },
            qos: self.subscribe_qos.unwrap_or(self.qos),
            shared: self.shared.then(|| SHARED.to_owned()),
            per_packet: self.per_packet,
            window,
            at_once: !apart,
        })
    }

    fn publishing(&self) -> Publishing {
        let awaits_delivery = match self.kind {
            Kind::P2p | Kind::FanIn | Kind::FanOut => true,
            Kind::Conn
            | Kind::Pub
            | Kind::Sub
            | Kind::Offline
            | Kind::Retained
            | Kind::Subscribe
            | Kind::Churn => false,
        };
        // A pair for each session is the same, and simpler.
        let goes_round = self.kind == Kind::Offline && self.publishers != self.subscribers;
        Publishing {
            topic: self.topic(),
            topics: goes_round.then_some(self.subscribers),
            qos: self.qos,
            retain: self.retain || self.kind == Kind::Retained,
            body: self.body.clone(),
            user_properties: self.user_properties.clone(),
            pace: self.pace,
            messages: self.messages,
            awaits_delivery,
            counted: true,
        }
    }

    /// Subscribers come first, so that nobody publishes before they are there.
    fn groups(&self) -> Vec<Group> {
        let publishers = u64::from(self.publishers);
        let subscribers =
            |first| self.group("subscribers", self.subscribers, first, self.subscribing());
        let publish =
            |publishing| self.group("publishers", self.publishers, 0, Role::Publish(publishing));
        match self.kind {
            Kind::Conn | Kind::Churn => {
                vec![self.group("clients", self.publishers, 0, Role::Connect)]
            }
            Kind::Pub => vec![publish(self.publishing())],
            Kind::Sub | Kind::Subscribe => vec![subscribers(0)],
            Kind::P2p | Kind::FanIn | Kind::FanOut | Kind::Offline => {
                vec![subscribers(publishers), publish(self.publishing())]
            }
            Kind::Retained => {
                let clearing = Publishing {
                    body: Body::Blank(0),
                    user_properties: Vec::new(),
                    pace: Pace::Window(WINDOW_DEFAULT),
                    qos: Qos::AtLeastOnce,
                    counted: false,
                    ..self.publishing()
                };
                let clearing = Role::Publish(clearing);
                let clearing = self.group("clearing", self.publishers, 0, clearing);
                vec![subscribers(publishers), publish(self.publishing()), clearing]
            }
        }
    }

    fn steps(&self) -> Vec<Step> {
        const FIRST: usize = 0;
        const SECOND: usize = 1;
        const THIRD: usize = 2;
        let connect = |group| Step::Connect { group, anew: false, measured: None };
        let leave = |group| Step::Leave { group, forget: false };
        let (warm_up, time) = (self.warm_up, self.time);
        match self.kind {
            Kind::Conn => vec![
                Step::Connect { group: FIRST, anew: false, measured: Some("connect") },
                Step::Hold { time, measured: None },
                leave(FIRST),
            ],
            Kind::Churn => vec![Step::Churn { group: FIRST, time }],
            Kind::Sub => {
                vec![connect(FIRST), Step::Hold { time, measured: Some("receive") }, leave(FIRST)]
            }
            Kind::Subscribe => vec![connect(FIRST), Step::Subscribe { group: FIRST }, leave(FIRST)],
            Kind::Pub => {
                vec![
                    connect(FIRST),
                    self.publish(FIRST, warm_up, "publish"),
                    Step::Settle,
                    leave(FIRST),
                ]
            }
            Kind::P2p | Kind::FanIn | Kind::FanOut => vec![
                connect(FIRST),
                connect(SECOND),
                self.publish(SECOND, warm_up, "deliver"),
                Step::Settle,
                leave(SECOND),
                leave(FIRST),
            ],
            Kind::Offline => vec![
                connect(FIRST),
                leave(FIRST),
                connect(SECOND),
                self.publish(SECOND, Duration::ZERO, "store"),
                leave(SECOND),
                Step::Collect { group: FIRST, measured: "drain" },
                Step::Leave { group: FIRST, forget: true },
            ],
            Kind::Retained => {
                let mut steps = vec![
                    connect(SECOND),
                    self.publish(SECOND, Duration::ZERO, "keep"),
                    leave(SECOND),
                    Step::Collect { group: FIRST, measured: "replay" },
                    leave(FIRST),
                ];
                if !self.keep {
                    let clear = Step::Publish {
                        groups: vec![THIRD],
                        warm_up: Duration::ZERO,
                        time: None,
                        measured: None,
                    };
                    steps.extend([connect(THIRD), clear, leave(THIRD)]);
                }
                steps
            }
        }
    }

    /// The option of the command line that says how many clients publish.
    const fn publishers_option(&self) -> &'static str {
        match self.kind {
            Kind::FanIn | Kind::FanOut | Kind::Retained | Kind::Offline => "--publishers",
            Kind::Conn | Kind::Pub | Kind::Sub | Kind::P2p | Kind::Subscribe | Kind::Churn => "-n",
        }
    }

    fn publish(&self, group: usize, warm_up: Duration, name: &'static str) -> Step {
        let time = self.messages.is_none().then_some(self.time);
        // What is counted to its end is measured from its beginning.
        let warm_up = if time.is_some() { warm_up } else { Duration::ZERO };
        Step::Publish { groups: vec![group], warm_up, time, measured: Some(name) }
    }
}

impl Kind {
    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conn => "conn",
            Self::Pub => "pub",
            Self::Sub => "sub",
            Self::P2p => "p2p",
            Self::FanIn => "fan-in",
            Self::FanOut => "fan-out",
            Self::Offline => "offline",
            Self::Retained => "retained",
            Self::Subscribe => "subscribe",
            Self::Churn => "churn",
        }
    }
}

#[cfg(test)]
mod tests;
