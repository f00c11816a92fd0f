//! Messages that the client may not have.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use plexus_session::{Options, Sieve, Taken};
use plexus_types::{Qos, TopicName};
use plexus_wire::Packet;

use crate::shell::{Shell, ack, durable, message};

const GROUP: Option<&str> = Some("$share/g/#");

/// Lets everything pass, or nothing.
#[derive(Debug, Clone)]
struct Gate(Arc<AtomicBool>);

impl Sieve for Gate {
    fn passes(&mut self, _: &TopicName, _: Qos) -> bool {
        self.0.load(SeqCst)
    }
}

/// A session with a gate that is open.
fn gated(options: Options) -> (Shell, Arc<AtomicBool>) {
    let mut shell = Shell::new(options);
    shell.connect(durable(60));
    let open = Arc::new(AtomicBool::new(true));
    let gate = Gate(Arc::clone(&open));
    shell.act(|session, _| session.set_sieve(Some(Box::new(gate))));
    (shell, open)
}

fn congest(shell: &mut Shell, congested: bool) -> Vec<String> {
    let now = shell.now;
    shell.act(|session, out| session.handle_congestion(now, congested, out))
}

#[test]
fn what_may_not_be_had_is_not_taken_and_nobody_is_told() {
    let (mut shell, open) = gated(Options::default());
    open.store(false, SeqCst);
    for qos in 0..3 {
        assert_eq!(shell.deliver(&message("a"), qos), (Taken::Withheld, vec![]));
        let shared = shell.deliver_with(&message("s"), qos, &[], GROUP);
        assert_eq!(shared, (Taken::Withheld, vec![]), "another member may have it");
    }
    assert!(Taken::Withheld.is_refused());
    assert_eq!(shell.session.as_ref().unwrap().queued(), (0, 0));
    open.store(true, SeqCst);
    assert_eq!(shell.deliver(&message("b"), 1).1, ["PUBLISH b q1 id=1"]);
}

#[test]
fn what_waited_is_not_sent_when_the_right_is_lost() {
    let (mut shell, open) = gated(Options::default());
    congest(&mut shell, true);
    for (payload, qos) in [("a", 0), ("b", 1), ("c", 2)] {
        assert_eq!(shell.deliver(&message(payload), qos).0, Taken::Queued);
    }
    assert_eq!(shell.deliver_with(&message("s"), 1, &[], GROUP).0, Taken::Queued);
    open.store(false, SeqCst);
    let story = congest(&mut shell, false);
    let withheld = "DROPPED Withheld 1";
    let given_back = "REDISPATCH $share/g/# plant/line/1 s";
    assert_eq!(story, [withheld, withheld, withheld, given_back]);
    assert!(!shell.session.as_ref().unwrap().has_backlog());
    open.store(true, SeqCst);
    assert_eq!(shell.deliver(&message("d"), 1).1, ["PUBLISH d q1 id=4"], "the window has room");
}

#[test]
fn what_was_under_way_is_not_sent_again_when_the_right_is_lost() {
    let (mut shell, open) = gated(Options { inflight_max: 3, ..Options::default() });
    shell.deliver(&message("a"), 1);
    shell.deliver(&message("b"), 2);
    shell.deliver_with(&message("s"), 1, &[], GROUP);
    assert_eq!(shell.deliver(&message("waits"), 1).0, Taken::Queued);
    shell.lose_connection();
    open.store(false, SeqCst);
    let story = shell.connect(durable(60));
    let told: Vec<_> = story.iter().filter(|told| told.contains("PUBLISH")).collect();
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(story.iter().filter(|told| *told == "DROPPED Withheld 1").count(), 3, "{story:?}");
    assert!(story.contains(&"REDISPATCH $share/g/# plant/line/1 s".to_owned()), "{story:?}");
    assert_eq!(shell.session.as_ref().unwrap().inflight(), 0);
}

/// A QoS 2 delivery that the client has confirmed comes to its end: nothing is sent of it any more.
#[test]
fn what_is_received_is_released_all_the_same() {
    let (mut shell, open) = gated(Options::default());
    shell.deliver(&message("a"), 2);
    shell.packet(Packet::PubRec(ack(1)));
    shell.lose_connection();
    open.store(false, SeqCst);
    let story = shell.connect(durable(60));
    assert!(story.iter().any(|told| told.starts_with("PUBREL")), "{story:?}");
}

const MANY: u16 = 1_000;

#[test]
fn many_that_are_given_up_on_are_no_deep_affair() {
    let (mut shell, open) = gated(Options { inflight_max: MANY, ..Options::default() });
    let mut client = durable(60);
    client.properties.receive_maximum = MANY;
    shell.connect(client.clone());
    for _ in 0..MANY {
        shell.deliver(&message("m"), 1);
    }
    shell.lose_connection();
    open.store(false, SeqCst);
    client.properties.receive_maximum = 1;
    let story = shell.connect(client);
    let withheld = story.iter().filter(|told| told.starts_with("DROPPED Withheld")).count();
    assert_eq!(withheld, usize::from(MANY));
}
