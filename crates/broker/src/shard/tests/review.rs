//! Rights that change, and sessions of somebody else.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use plexus_access::{Credentials, Outcome, Policy, Principal, Reply, Verdict};
use plexus_fences::{Ban, Subject};
use plexus_porch::BansFrom;
use plexus_types::{Qos, ReasonCode, TopicFilter, TopicName};
use plexus_wire::Packet;

use super::Lone;
use crate::ports::ConnId;

/// Filters that begin with `secret` are allowed for a while.
#[derive(Default)]
struct Fickle(AtomicBool);

impl Policy for Fickle {
    fn authenticate(&self, _: &Credentials) -> Verdict {
        Verdict::Allow
    }

    fn verify(&self, _: Credentials, reply: Reply) {
        reply.send(Outcome::allow());
    }

    fn publish(&self, _: &Principal, _: &TopicName, _: Qos, _: bool) -> Verdict {
        Verdict::Allow
    }

    fn subscribe(&self, _: &Principal, filter: &TopicFilter, _: Qos) -> Verdict {
        let denied = self.0.load(SeqCst) && filter.as_str().starts_with("secret");
        if denied { Verdict::Deny(ReasonCode::NotAuthorized) } else { Verdict::Allow }
    }
}

#[test]
fn what_is_not_allowed_any_more_ends_also_for_who_is_away() {
    let mut node = Lone::new();
    let fickle = Arc::new(Fickle::default());
    node.door.policy = Arc::clone(&fickle) as _;
    for (conn, client) in (0..).zip(["online", "away", "other"]) {
        node.connect(conn, client, 60);
        node.subscribe(conn, if client == "other" { "public" } else { "secret/+" });
    }
    node.act(|shard, turn| shard.handle_lost(turn, ConnId(1)));
    node.act(|shard, _| shard.handle_review());
    node.pass(std::time::Duration::ZERO);
    assert_eq!(node.shard.census().subscriptions, 3, "nothing has changed");
    fickle.0.store(true, SeqCst);
    node.act(|shard, _| shard.handle_review());
    assert_eq!(node.shard.poll_timeout(), Some(plexus_types::Instant::ZERO));
    node.pass(std::time::Duration::ZERO);
    assert_eq!(node.shard.census().subscriptions, 1);
    assert_eq!(node.shard.census().sessions, 1, "what waited for them is gone");
    let reasons = node.desk.sent.iter().filter_map(|packet| match packet {
        Packet::Disconnect(disconnect) => Some(disconnect.reason),
        _ => None,
    });
    assert_eq!(
        reasons.collect::<Vec<_>>(),
        [ReasonCode::NotAuthorized],
        "who is connected learns of it"
    );
    assert_eq!(node.desk.closed, [ConnId(0)]);
}

#[test]
fn who_comes_back_with_fewer_rights_begins_anew() {
    let mut node = Lone::new();
    let fickle = Arc::new(Fickle::default());
    node.door.policy = Arc::clone(&fickle) as _;
    node.connect(0, "roamer", 60);
    node.subscribe_at(0, "secret/+", Qos::AtLeastOnce);
    node.act(|shard, turn| shard.handle_lost(turn, ConnId(0)));
    node.connect(1, "publisher", 0);
    node.retain(1, "secret/a", None);
    fickle.0.store(true, SeqCst);
    node.connect(2, "roamer", 60);
    assert!(node.desk.delivered.is_empty(), "what waited was for whoever had the right");
    assert_eq!(node.shard.census().subscriptions, 0);
    let present = node.desk.sent.iter().rev().find_map(|packet| match packet {
        Packet::ConnAck(connack) => Some(connack.session_present),
        _ => None,
    });
    assert_eq!(present, Some(false));
}

#[test]
fn a_ban_ends_the_connection_and_leaves_the_session() {
    let mut node = Lone::new();
    for (conn, client) in (0..).zip(["stolen", "other"]) {
        node.connect(conn, client, 60);
    }
    let subject = Subject::Client("stolen".into());
    let ban = Ban { subject, reason: "lost".into(), until: None };
    node.shard.context.fences.replace_bans(BansFrom::File, vec![ban]);
    node.act(|shard, _| shard.handle_review());
    node.pass(std::time::Duration::ZERO);
    assert_eq!(node.desk.closed, [ConnId(0)]);
    assert_eq!(node.shard.census().sessions, 2, "a ban may end");
    // It had come past the porch before the ban was there.
    node.connect(2, "stolen", 60);
    let said = node.desk.sent.last();
    let Some(Packet::ConnAck(connack)) = said else { panic!("no CONNACK but {said:?}") };
    assert_eq!(connack.reason, ReasonCode::Banned);
}
