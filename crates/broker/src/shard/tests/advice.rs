//! Acts about which somebody else is asked.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use plexus_access::{Advice, Credentials, Edition, Outcome, Policy, Principal, Reply, Verdict};
use plexus_types::{MessageProperties, Qos, ReasonCode, Text, TopicFilter, TopicName};
use plexus_wire::{Connect, ConnectProperties, Packet, Will};

use super::Lone;
use crate::ports::{Arrival, ConnId, Query};

/// Knows nothing of topics and filters that begin with `ask`, until it denies them itself.
#[derive(Default)]
struct Unsure(AtomicBool);

impl Unsure {
    fn says(&self, text: &str) -> Verdict {
        match (text.starts_with("ask"), self.0.load(SeqCst)) {
            (false, _) => Verdict::Allow,
            (true, false) => Verdict::Later,
            (true, true) => Verdict::Deny(ReasonCode::NotAuthorized),
        }
    }
}

impl Policy for Unsure {
    fn authenticate(&self, _: &Credentials) -> Verdict {
        Verdict::Allow
    }

    fn verify(&self, _: Credentials, reply: Reply) {
        reply.send(Outcome::allow());
    }

    fn publish(&self, _: &Principal, topic: &TopicName, _: Qos, _: bool) -> Verdict {
        self.says(topic)
    }

    fn advice(&self) -> Option<Advice> {
        let edition = Edition::new(u64::from(self.0.load(SeqCst)));
        Some(Advice { edition, holds: Duration::from_mins(1) })
    }

    fn subscribe(&self, _: &Principal, filter: &TopicFilter, _: Qos) -> Verdict {
        self.says(filter.as_str())
    }
}

/// Somebody who hears everything of `ask/#`, and a writer on connection 1.
fn node() -> (Lone, Arc<Unsure>) {
    let mut node = Lone::new();
    node.connect(0, "hears", 60);
    node.subscribe(0, "#");
    let unsure = Arc::new(Unsure::default());
    node.door.policy = Arc::clone(&unsure) as _;
    node.connect(1, "writer", 60);
    node.desk.sent.clear();
    (node, unsure)
}

impl Lone {
    fn advise(&mut self, outcome: Outcome) {
        let (query, _) = self.desk.queries.remove(0);
        self.act(|shard, turn| shard.handle_advised(turn, query, outcome));
    }

    fn allow(&mut self) {
        self.advise(Outcome::allow());
    }

    fn deny(&mut self) {
        self.advise(Outcome::Deny(ReasonCode::NotAuthorized));
    }

    fn reads(&self, conn: u32) -> bool {
        self.shard.wants_packets(ConnId(conn), Some(0xC0))
    }

    fn came(&mut self) -> usize {
        std::mem::take(&mut self.desk.delivered).len()
    }

    fn acknowledged(&mut self) -> Vec<ReasonCode> {
        let sent = std::mem::take(&mut self.desk.sent);
        let reasons = sent.iter().filter_map(|packet| match packet {
            Packet::PubAck(ack) => Some(ack.reason),
            _ => None,
        });
        reasons.collect()
    }

    /// Connects and leaves a Will.
    fn connect_with_will(&mut self, conn: u32, client_id: &'static str, topic: &'static str) {
        let will = Will {
            qos: Qos::AtLeastOnce,
            retain: false,
            topic: TopicName::try_from(topic).unwrap(),
            payload: "gone".into(),
            delay_interval: 0,
            message_expiry_interval: None,
            properties: MessageProperties::default(),
        };
        let connect = Connect {
            version: plexus_types::ProtocolVersion::V5,
            bridge: false,
            clean_start: true,
            keep_alive: 0,
            client_id: Text::from_static(client_id),
            will: Some(will),
            user_name: None,
            password: None,
            properties: ConnectProperties::default(),
        };
        let arrival = Arrival {
            connect: Box::new(connect),
            assigned: None,
            door: Arc::new(self.door.clone()),
            peer: None,
            named: None,
            certificate: None,
        };
        self.act(|shard, turn| shard.handle_arrival(turn, ConnId(conn), arrival));
    }
}

#[test]
fn the_client_waits_for_the_answer_and_nobody_else() {
    let (mut node, _) = node();
    node.connect(2, "other", 0);
    for (allowed, reason) in [(true, ReasonCode::Success), (false, ReasonCode::NotAuthorized)] {
        node.publish(1, if allowed { "ask/a" } else { "ask/b" }, Qos::AtLeastOnce, "x");
        let (_, credentials) = &node.desk.queries[0];
        let wanted = credentials.wanted.as_ref().unwrap();
        assert!(
            wanted.publish
                && wanted.qos == Qos::AtLeastOnce
                && credentials.client_id.as_str() == "writer"
        );
        assert!(!node.reads(1) && node.reads(2));
        assert_eq!((node.came(), node.acknowledged().len()), (0, 0));
        node.publish(2, "a", Qos::AtMostOnce, "x");
        assert_eq!(node.came(), 1);
        if allowed {
            node.allow();
        } else {
            node.deny();
        }
        assert_eq!((node.came(), node.acknowledged()), (usize::from(allowed), vec![reason]));
        assert!(node.reads(1));
        assert_eq!(node.desk.resumed.last(), Some(&ConnId(1)));
    }
    assert_eq!(node.shard.counters().refused.read(), 1);
}

#[test]
fn answers_are_remembered_for_a_while_and_silence_is_none() {
    let (mut node, _) = node();
    node.publish(1, "ask/a", Qos::AtMostOnce, "x");
    node.allow();
    node.publish(1, "ask/b", Qos::AtMostOnce, "x");
    node.deny();
    node.publish(1, "ask/c", Qos::AtMostOnce, "x");
    node.advise(Outcome::Deny(ReasonCode::ServerUnavailable));
    for topic in ["ask/a", "ask/b", "ask/a"] {
        node.publish(1, topic, Qos::AtMostOnce, "x");
    }
    assert!(node.desk.queries.is_empty());
    assert_eq!(node.came(), 3);
    node.publish(1, "ask/c", Qos::AtMostOnce, "x");
    assert_eq!(node.desk.queries.len(), 1);
    node.allow();
    node.hear(1, Packet::PingReq);
    node.pass(Duration::from_secs(61));
    node.connect(1, "writer", 60);
    node.publish(1, "ask/a", Qos::AtMostOnce, "x");
    assert_eq!(node.desk.queries.len(), 1, "it is long ago");
}

#[test]
fn rules_that_have_come_meanwhile_are_asked_first() {
    let (mut node, unsure) = node();
    node.publish(1, "ask/a", Qos::AtLeastOnce, "x");
    unsure.0.store(true, SeqCst);
    node.allow();
    assert_eq!(node.acknowledged(), [ReasonCode::NotAuthorized]);
    unsure.0.store(false, SeqCst);
    node.publish(1, "ask/b", Qos::AtLeastOnce, "x");
    node.allow();
    unsure.0.store(true, SeqCst);
    node.publish(1, "ask/b", Qos::AtLeastOnce, "x");
    assert_eq!(node.acknowledged(), [ReasonCode::Success, ReasonCode::NotAuthorized]);
    assert!(node.desk.queries.is_empty());
}

#[test]
fn each_filter_is_asked_about() {
    let (mut node, _) = node();
    node.subscribe_all(1, &["ask/1", "b", "ask/2"], Qos::AtLeastOnce);
    assert_eq!(node.desk.queries.len(), 1, "one after the other");
    node.deny();
    assert!(!node.reads(1));
    node.allow();
    let reasons = node.desk.sent.iter().find_map(|packet| match packet {
        Packet::SubAck(suback) => Some(suback.reasons.clone()),
        _ => None,
    });
    let granted = ReasonCode::GrantedQos1;
    assert_eq!(reasons.unwrap(), [ReasonCode::NotAuthorized, granted, granted]);
    assert!(node.desk.queries.is_empty() && node.reads(1));
}

#[test]
fn what_was_allowed_at_first_has_to_be_allowed_in_the_end() {
    let (mut node, unsure) = node();
    node.subscribe_all(1, &["ask/1", "ask/2", "b"], Qos::AtLeastOnce);
    node.allow();
    unsure.0.store(true, SeqCst);
    node.allow();
    let reasons = node.desk.sent.iter().find_map(|packet| match packet {
        Packet::SubAck(suback) => Some(suback.reasons.clone()),
        _ => None,
    });
    let refused = ReasonCode::NotAuthorized;
    assert_eq!(reasons.unwrap(), [refused, refused, ReasonCode::GrantedQos1]);
}

#[test]
fn what_a_connection_asked_for_that_is_gone_is_not_asked_to_its_end() {
    let (mut node, _) = node();
    node.subscribe_all(1, &["ask/1", "ask/2", "ask/3"], Qos::AtLeastOnce);
    node.act(|shard, turn| shard.handle_lost(turn, ConnId(1)));
    node.connect(2, "writer", 60);
    assert!(!node.reads(2));
    node.allow();
    assert!(node.desk.queries.is_empty() && node.reads(2));
    assert_eq!(node.shard.census().subscriptions, 1);
}

#[test]
fn who_is_not_listened_to_is_not_silent() {
    let (mut node, _) = node();
    node.publish(1, "ask/a", Qos::AtLeastOnce, "x");
    for _ in 0..5 {
        node.pass(Duration::from_secs(10));
    }
    assert!(!node.desk.closed.contains(&ConnId(1)));
    node.allow();
    assert_eq!(node.acknowledged(), [ReasonCode::Success]);
}

#[test]
fn an_answer_comes_to_the_session_over_another_connection() {
    let (mut node, _) = node();
    node.publish(1, "ask/a", Qos::AtLeastOnce, "x");
    node.connect(2, "writer", 60);
    assert!(!node.reads(2), "what it sends now comes behind");
    node.acknowledged();
    node.allow();
    assert_eq!(node.came(), 1);
    assert_eq!(
        node.acknowledged(),
        [ReasonCode::Success; 0],
        "it was not asked on this connection"
    );
    assert!(node.reads(2));
    assert_eq!(node.desk.resumed.last(), Some(&ConnId(2)));
    node.publish(2, "ask/a", Qos::AtLeastOnce, "x");
    assert_eq!(
        node.desk.queries.len(),
        1,
        "it may come from elsewhere: nothing is remembered of it"
    );
}

#[test]
fn an_answer_for_a_session_that_has_ended_is_for_nobody() {
    let (mut node, _) = node();
    node.connect(2, "fleeting", 0);
    node.publish(2, "ask/a", Qos::AtLeastOnce, "x");
    node.act(|shard, turn| shard.handle_lost(turn, ConnId(2)));
    assert_eq!(node.shard.census().sessions, 2);
    node.connect(3, "another", 0);
    node.allow();
    assert_eq!(node.came(), 0);
    assert!(node.reads(3));
}

#[test]
fn too_many_questions_are_refusals() {
    let (mut node, _) = node();
    node.desk.busy = true;
    node.publish(1, "ask/a", Qos::AtLeastOnce, "x");
    assert_eq!(node.acknowledged(), [ReasonCode::QuotaExceeded]);
    let filters: Vec<_> = (0..5_000).map(|number| format!("ask/{number}")).collect();
    let filters: Vec<_> = filters.iter().map(String::as_str).collect();
    node.subscribe_all(1, &filters, Qos::AtMostOnce);
    assert!(node.reads(1));
    assert_eq!(node.shard.counters().refused.read(), 5_001);
}

#[test]
fn a_will_is_asked_about_and_holds_up_no_session() {
    for allowed in [true, false] {
        let (mut node, _) = node();
        node.connect_with_will(2, "mortal", "ask/will");
        node.act(|shard, turn| shard.handle_lost(turn, ConnId(2)));
        assert_eq!(node.shard.census().sessions, 2, "it has ended");
        assert_eq!(node.came(), 0);
        assert!(matches!(node.desk.queries[0].0, Query::Will(_)));
        if allowed {
            node.allow();
        } else {
            node.deny();
        }
        assert_eq!(node.came(), usize::from(allowed));
        assert_eq!(node.shard.counters().refused.read(), u64::from(!allowed));
        node.act(|shard, turn| shard.handle_advised(turn, Query::Will(0), Outcome::allow()));
        assert_eq!(node.came(), 0, "once");
    }
}
