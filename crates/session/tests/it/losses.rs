//! Whatever is lost and when: QoS 1 arrives, QoS 2 arrives once, order is kept.

use std::sync::Arc;

use plexus_session::{ClientOptions, Options};
use plexus_types::{Message, ProtocolVersion, ReasonCode};
use proptest::prelude::*;

use crate::{
    pair::{Pair, lasting},
    shell::{fleeting, message},
};

#[derive(Debug, Clone, Copy)]
enum Step {
    Up,
    Down,
    Publish(u8),
    Deliver(u8),
    DeliverFleeting(u8),
    Lose,
    Crash,
    Reconnect,
    TakeOver,
    HoldLog,
    KeepLog,
    Congest(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Up),
        6 => Just(Step::Down),
        3 => (1_u8..=2).prop_map(Step::Publish),
        3 => (1_u8..=2).prop_map(Step::Deliver),
        1 => (1_u8..=2).prop_map(Step::DeliverFleeting),
        1 => Just(Step::Lose),
        1 => Just(Step::Crash),
        2 => Just(Step::Reconnect),
        1 => Just(Step::TakeOver),
        1 => Just(Step::HoldLog),
        1 => Just(Step::KeepLog),
        1 => any::<bool>().prop_map(Step::Congest),
    ]
}

struct Run {
    pair: Pair,
    /// Payloads given to either side: `qos-number`, and `1f-number` for those that a crash may take.
    up: Vec<String>,
    down: Vec<String>,
}

impl Run {
    fn new(version: ProtocolVersion, window: u16) -> Self {
        let options =
            Options { receive_maximum: window, inflight_max: window, ..Options::default() };
        let mut client = ClientOptions { version, clean_start: false, ..lasting() };
        client.properties.receive_maximum = window;
        client.inflight_max = window;
        let mut pair = Pair::new(options, client);
        pair.shell.forgets = true;
        pair.connect();
        pair.drive();
        Self { pair, up: Vec::new(), down: Vec::new() }
    }

    fn act(&mut self, step: Step) {
        match step {
            Step::Up => {
                self.pair.step_up();
            }
            Step::Down => {
                self.pair.step_down();
            }
            Step::Publish(qos) => {
                let payload = format!("{qos}-{}", self.up.len());
                self.pair.publish(&payload, qos);
                self.up.push(payload);
            }
            Step::Deliver(qos) => self.deliver(qos, "", message),
            Step::DeliverFleeting(1) => self.deliver(1, "f", fleeting),
            // What is recorded is as safe as any other.
            Step::DeliverFleeting(qos) => self.deliver(qos, "", fleeting),
            Step::Lose => self.pair.lose_connection(),
            Step::Crash => self.pair.crash(),
            Step::Reconnect => self.pair.connect(),
            Step::TakeOver => {
                // The client is back before the server has seen that it was gone.
                let now = self.pair.shell.now;
                self.pair.act(|client, _| client.handle_connection_lost(now));
                self.pair.shell.frames.clear();
                self.pair.connect();
            }
            Step::HoldLog => self.pair.shell.keeps = false,
            Step::KeepLog => {
                self.pair.shell.keeps = true;
                self.pair.shell.keep_all();
            }
            Step::Congest(congested) => self.congest(congested),
        }
        self.check_windows();
    }

    fn deliver(&mut self, qos: u8, mark: &str, make: impl FnOnce(&str) -> Arc<Message>) {
        let payload = format!("{qos}{mark}-{}", self.down.len());
        // A first CONNECT may have been lost together with its session.
        if self.pair.shell.session.is_some() {
            self.pair.shell.deliver(&make(&payload), qos);
            self.down.push(payload);
        }
    }

    fn congest(&mut self, congested: bool) {
        let now = self.pair.shell.now;
        self.pair.shell.act(|session, out| session.handle_congestion(now, congested, out));
    }

    fn settle(&mut self) {
        self.act(Step::KeepLog);
        self.act(Step::Lose);
        self.pair.connect();
        self.pair.drive();
        self.congest(false);
        self.pair.drive();
    }

    /// [MQTT-3.3.4-7], [MQTT-3.3.4-9]
    fn check_windows(&self) {
        let limit = usize::from(self.pair.client.options().inflight_max);
        assert!(self.pair.client.inflight() <= limit);
        let session = self.pair.shell.session.as_ref();
        assert!(session.is_none_or(|session| session.inflight() <= limit));
    }
}

/// [MQTT-4.3.3-10], [MQTT-4.5.0-1], [MQTT-4.6.0-5]: `arrived` holds everything of `sent` that no
/// crash may take, QoS 2 exactly once, and each message first arrives after those that were sent before it.
fn check(sent: &[String], arrived: &[&str]) -> Result<(), TestCaseError> {
    let mut firsts = Vec::new();
    for payload in sent {
        let times = arrived.iter().filter(|arrived| *arrived == payload).count();
        if times == 0 && payload.starts_with("1f") {
            continue;
        }
        prop_assert!(times >= 1, "{payload} is lost of {sent:?}: {arrived:?}");
        prop_assert!(times == 1 || payload.starts_with('1'), "{payload} came {times} times");
        firsts.push(arrived.iter().position(|arrived| *arrived == payload));
    }
    prop_assert!(firsts.is_sorted(), "order of {arrived:?}");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_loss_loses_or_doubles_a_message(
        version in prop_oneof![
            Just(ProtocolVersion::V31),
            Just(ProtocolVersion::V311),
            Just(ProtocolVersion::V5),
        ],
        window in 1_u16..5,
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let mut run = Run::new(version, window);
        for step in steps {
            run.act(step);
        }
        run.settle();
        check(&run.up, &run.pair.entered())?;
        check(&run.down, &run.pair.payloads())?;
        prop_assert_eq!(run.pair.client.inflight(), 0);
        prop_assert_eq!(run.pair.client.queued(), 0);
        let session = run.pair.shell.session.as_ref().expect("the session lasts");
        prop_assert_eq!((session.inflight(), session.queued()), (0, (0, 0)));
        prop_assert_eq!(run.pair.published(ReasonCode::Success), run.up.len());
        prop_assert!(run.pair.closes().is_empty(), "{:?}", run.pair.told);
    }
}
