//! What is measured: who publishes to whom, how large, how fast.

use plexus_types::Qos;

/// Who publishes to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Shape {
    /// Publisher *i* to subscriber *i*, each pair on its own topic.
    Pairs,
    /// Every publisher on its own topic, one subscriber with a wildcard.
    FanIn,
    /// One publisher, one topic, every subscriber on it.
    FanOut,
    /// Clients that connect and leave again.
    Connect,
    /// Clients that connect and stay silent.
    Idle,
    /// Sessions that are away: messages are stored for them, and then they come for them.
    Offline,
}

/// How fast publishers publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As fast as possible with so many unsettled messages for each publisher.
    Window(u32),
    /// So many messages a second over all publishers, whatever the broker does (open loop).
    Rate(u32),
}

/// One thing to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// Names the row in reports.
    pub name: String,
    /// Who publishes to whom.
    pub shape: Shape,
    /// How many clients publish, connect or idle.
    pub publishers: u32,
    /// How many clients subscribe.
    pub subscribers: u32,
    /// Quality of service of publications and subscriptions.
    pub qos: Qos,
    /// Payload in bytes.
    pub payload: usize,
    /// How fast.
    pub pace: Pace,
    /// How many messages are stored for sessions that are away.
    pub messages: u32,
}

impl Scenario {
    /// The scenarios of the standing comparison.
    pub fn standard() -> Vec<Self> {
        use Qos::{AtLeastOnce as Q1, AtMostOnce as Q0};
        use Shape::{Connect, FanIn, FanOut, Idle, Pairs};
        let rows = [
            ("p2p-q0", Pairs, (100, 100), Q0, 256, Pace::Window(20)),
            ("p2p-q1", Pairs, (100, 100), Q1, 256, Pace::Window(20)),
            ("p2p-q1-10k", Pairs, (100, 100), Q1, 256, Pace::Rate(10_000)),
            ("fan-in-q0", FanIn, (50, 1), Q0, 16, Pace::Window(50)),
            ("fan-in-q1", FanIn, (50, 1), Q1, 16, Pace::Window(20)),
            ("fan-out-q0", FanOut, (1, 1000), Q0, 256, Pace::Window(20)),
            ("fan-out-q0-single", FanOut, (1, 1000), Q0, 64, Pace::Window(1)),
            ("fan-out-q1", FanOut, (1, 1000), Q1, 256, Pace::Window(10)),
            ("connect", Connect, (100, 0), Q0, 0, Pace::Window(1)),
            ("idle", Idle, (10_000, 0), Q0, 0, Pace::Window(1)),
        ];
        rows.into_iter()
            .map(|(name, shape, (publishers, subscribers), qos, payload, pace)| Self {
                name: name.to_owned(),
                shape,
                publishers,
                subscribers,
                qos,
                payload,
                pace,
                messages: 0,
            })
            .collect()
    }

    /// The scenarios with sessions that are away, for brokers that keep what they acknowledge.
    pub fn durable() -> Vec<Self> {
        let rows = [("offline-100", 10, 100, 1_000_000), ("offline-1", 1, 1, 500_000)];
        rows.into_iter()
            .map(|(name, publishers, subscribers, messages)| Self {
                name: name.to_owned(),
                shape: Shape::Offline,
                publishers,
                subscribers,
                qos: Qos::AtLeastOnce,
                payload: 256,
                pace: Pace::Window(1_000),
                messages,
            })
            .collect()
    }

    /// The topic of that publisher.
    pub fn topic(&self, publisher: u32) -> String {
        format!("load/{publisher}")
    }

    /// The filter of that subscriber.
    pub fn filter(&self, subscriber: u32) -> String {
        match self.shape {
            Shape::FanIn => "load/+".to_owned(),
            Shape::FanOut => self.topic(0),
            Shape::Pairs | Shape::Connect | Shape::Idle | Shape::Offline => self.topic(subscriber),
        }
    }

    /// How many subscribers receive one message.
    pub const fn receivers(&self) -> u32 {
        match self.shape {
            Shape::FanOut => self.subscribers,
            Shape::Pairs | Shape::FanIn => 1,
            Shape::Connect | Shape::Idle | Shape::Offline => 0,
        }
    }

    /// What a message waits for until it is settled: its deliveries and its acknowledgement.
    pub fn events_to_settle(&self) -> u32 {
        self.receivers() + u32::from(self.qos != Qos::AtMostOnce)
    }

    /// Sockets that the scenario opens.
    pub const fn sockets(&self) -> u32 {
        self.publishers + self.subscribers
    }

    /// One line for a reader of the report.
    pub fn describe(&self) -> String {
        let pace = match self.pace {
            Pace::Window(1) => "one at a time".to_owned(),
            Pace::Window(window) => format!("window {window}"),
            Pace::Rate(rate) => format!("{rate} messages/s"),
        };
        let (publishers, subscribers, payload) = (self.publishers, self.subscribers, self.payload);
        let qos = self.qos.get();
        match self.shape {
            Shape::Pairs => format!("{publishers} pairs, QoS {qos}, {payload} B, {pace}"),
            Shape::FanIn | Shape::FanOut => {
                format!("{publishers} → {subscribers}, QoS {qos}, {payload} B, {pace}")
            }
            Shape::Connect => format!("connect and leave, {publishers} at a time"),
            Shape::Idle => format!("{publishers} silent connections"),
            Shape::Offline => {
                let messages = self.messages;
                format!(
                    "{messages} messages, {publishers} → {subscribers} away, QoS {qos}, {payload} B, {pace}"
                )
            }
        }
    }
}
