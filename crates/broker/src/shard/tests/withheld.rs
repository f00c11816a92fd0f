//! Deliveries that are asked about one by one.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst},
};

use plexus_access::{Credentials, Edition, Outcome, Policy, Principal, Reply, Verdict};
use plexus_types::{Qos, ReasonCode, TenantName, TopicFilter, TopicName};
use plexus_wire::Packet;

use super::{Lone, trio::Trio};
use crate::{TenantOptions, options::NodeOptions, ports::ConnId};

/// Clients whose name begins with `t` (trusted) have everything, others nothing with `secret` in its topic,
/// once it is said.
#[derive(Default)]
struct Ward {
    closed: AtomicBool,
    edition: AtomicU64,
    asked: AtomicUsize,
}

impl Ward {
    fn close(&self) {
        self.closed.store(true, SeqCst);
        self.edition.fetch_add(1, SeqCst);
    }

    fn asked(&self) -> usize {
        self.asked.swap(0, SeqCst)
    }

    fn allows(&self, who: &Principal, topic: &TopicName) -> bool {
        self.asked.fetch_add(1, SeqCst);
        assert_eq!(topic.tenant(), None, "rules have the names that clients know");
        let trusted = who.client_id.as_str().starts_with('t');
        trusted || !self.closed.load(SeqCst) || !topic.contains("secret")
    }
}

impl Policy for Ward {
    fn authenticate(&self, _: &Credentials) -> Verdict {
        Verdict::Allow
    }

    fn verify(&self, _: Credentials, reply: Reply) {
        reply.send(Outcome::allow());
    }

    fn publish(&self, who: &Principal, topic: &TopicName, _: Qos, _: bool) -> Verdict {
        self.allows(who, topic).then_some(()).ok_or(ReasonCode::NotAuthorized).into()
    }

    fn edition(&self, _: &Principal) -> Option<Edition> {
        Some(Edition::new(self.edition.load(SeqCst)))
    }

    fn subscribe(&self, _: &Principal, _: &TopicFilter, _: Qos) -> Verdict {
        Verdict::Allow
    }

    fn filters_deliveries(&self, _: &Principal) -> bool {
        true
    }

    fn receive(&self, who: &Principal, topic: &TopicName, _: Qos) -> bool {
        self.allows(who, topic)
    }
}

fn warded() -> (Lone, Arc<Ward>) {
    let mut node = Lone::new();
    let ward = Arc::new(Ward::default());
    node.door.policy = Arc::clone(&ward) as _;
    node.connect(0, "trusted writer", 0);
    (node, ward)
}

impl Lone {
    /// The topics that were delivered since the last call.
    fn topics(&mut self) -> Vec<String> {
        let delivered = std::mem::take(&mut self.desk.delivered);
        delivered.iter().map(|outgoing| outgoing.message.topic.to_string()).collect()
    }
}

#[test]
fn of_a_wide_subscription_comes_what_may_come() {
    let (mut node, ward) = warded();
    node.connect(1, "reader", 0);
    node.subscribe(1, "#");
    ward.close();
    for topic in ["secret/a", "public/a"] {
        node.publish(0, topic, Qos::AtLeastOnce, "x");
    }
    assert_eq!(node.topics(), ["public/a"]);
    assert_eq!(node.shard.counters().withheld.read(), 1);
    let told = node.desk.sent.iter().filter_map(|packet| match packet {
        Packet::PubAck(ack) => Some(ack.reason),
        _ => None,
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [ReasonCode::Success; 2],
        "the publisher hears nothing of it"
    );
}

#[test]
fn of_a_tenant_it_is_asked_by_the_names_that_its_clients_know() {
    let acme = TenantName::try_from("acme").unwrap();
    let tenants = vec![TenantOptions::new(acme.clone())];
    let mut node = Lone::with(NodeOptions { tenants, ..NodeOptions::default() });
    let ward = Arc::new(Ward::default());
    node.door.policy = Arc::clone(&ward) as _;
    node.door.tenant = Some(acme);
    node.connect(0, "trusted writer", 0);
    node.retain(0, "secret/kept", None);
    node.connect(1, "reader", 0);
    ward.close();
    node.subscribe(1, "#");
    for topic in ["secret/a", "public/a"] {
        node.publish(0, topic, Qos::AtLeastOnce, "x");
    }
    for _ in 0..4 {
        node.pass(std::time::Duration::ZERO);
    }
    let delivered = std::mem::take(&mut node.desk.delivered);
    let topics: Vec<_> = delivered.iter().map(|it| it.message.topic.to_shown()).collect();
    assert_eq!(topics.iter().map(TopicName::as_str).collect::<Vec<_>>(), ["public/a"]);
    let withheld = node.shard.context.tenants.get("acme").unwrap().counters(0).withheld.read();
    assert_eq!(withheld, 2, "the one that is kept, and the one that comes");
}

#[test]
fn what_is_retained_is_asked_about_when_it_is_sent() {
    let (mut node, ward) = warded();
    for topic in ["a/secret", "b/public"] {
        node.retain(0, topic, None);
    }
    ward.close();
    node.connect(1, "reader", 0);
    node.subscribe(1, "#");
    for _ in 0..4 {
        node.pass(std::time::Duration::ZERO);
    }
    assert_eq!(node.topics(), ["b/public"]);
    assert_eq!(node.shard.census().walks, 0);
}

#[test]
fn a_right_that_is_lost_is_lost_for_what_waits_and_no_session_ends() {
    let (mut node, ward) = warded();
    node.connect(1, "reader", 60);
    node.subscribe_at(1, "#", Qos::AtLeastOnce);
    node.act(|shard, turn| shard.handle_lost(turn, ConnId(1)));
    for topic in ["secret/a", "public/a"] {
        node.publish(0, topic, Qos::AtLeastOnce, "x");
    }
    ward.close();
    node.act(|shard, _| shard.handle_review());
    node.pass(std::time::Duration::ZERO);
    assert_eq!(node.shard.census().sessions, 2);
    node.connect(2, "reader", 60);
    assert_eq!(node.topics(), ["public/a"]);
    assert_eq!(node.shard.counters().withheld.read(), 1);
}

#[test]
fn a_member_of_a_group_who_may_not_have_it_is_passed_over() {
    let (mut node, ward) = warded();
    for (conn, client) in [(1, "reader"), (2, "trusted")] {
        node.connect(conn, client, 0);
        node.subscribe(conn, "$share/g/#");
    }
    ward.close();
    for _ in 0..4 {
        node.publish(0, "secret/a", Qos::AtLeastOnce, "x");
    }
    assert_eq!(node.topics().len(), 4);
    assert_eq!(node.shard.counters().withheld.read(), 0, "another had them");
    node.act(|shard, turn| shard.handle_lost(turn, ConnId(2)));
    node.publish(0, "secret/a", Qos::AtLeastOnce, "x");
    assert!(node.topics().is_empty());
    assert_eq!(node.shard.counters().dropped_no_member.read(), 1);
}

#[test]
fn what_comes_from_another_shard_is_asked_about_too() {
    let (mut node, topic) = Trio::with_retained();
    let ward = Arc::new(Ward::default());
    ward.close();
    let secret = format!("{topic}/secret");
    for shard in 0..3 {
        node.at(shard).door.policy = Arc::clone(&ward) as _;
    }
    for (conn, prefix) in [(2, "a"), (3, "trusted")] {
        let client = node.name(1, prefix);
        node.at(1).connect(conn, &client, 0);
        node.subscribe(conn, "#");
    }
    assert_eq!(node.got(), ["old", "old"]);
    node.at(0).publish(0, &secret, Qos::AtLeastOnce, "new");
    assert_eq!(node.got(), ["new"], "the trusted one alone");
    assert_eq!(node.at(1).shard.counters().withheld.read(), 1);
}

#[test]
fn what_was_decided_is_remembered_until_the_rules_or_the_client_change() {
    let (mut node, ward) = warded();
    node.connect(1, "reader", 60);
    node.subscribe(1, "#");
    ward.asked();
    node.connect(2, "writer", 60);
    for topic in ["a/secret", "b", "a/secret", "b", "b"] {
        node.publish(2, topic, Qos::AtMostOnce, "x");
    }
    assert_eq!((node.topics().len(), ward.asked()), (5, 4), "two topics, published and received");
    ward.close();
    for topic in ["a/secret", "b", "a/secret", "b"] {
        node.publish(2, topic, Qos::AtMostOnce, "x");
    }
    assert_eq!(node.topics(), ["b", "b"], "at once");
    assert_eq!(ward.asked(), 4, "what is refused is told with its rule, each time");
    node.connect(3, "writer", 60);
    node.publish(3, "b", Qos::AtMostOnce, "x");
    assert_eq!(ward.asked(), 1, "it may have come from another place, with other rights");
}
