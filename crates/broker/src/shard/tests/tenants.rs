//! What a tenant may, and what it is told.

use std::time::Duration;

use plexus_session::Outgoing;
use plexus_stdx::Seed;
use plexus_types::{ReasonCode, TenantName};
use plexus_wire::Packet;

use super::Lone;
use crate::{TenantOptions, options::NodeOptions, ports::ConnId, shard::Context};

fn tenant(name: &str) -> TenantName {
    TenantName::try_from(name).unwrap()
}

/// A node with one tenant.
fn node(limits: impl FnOnce(&mut TenantOptions)) -> Lone {
    let mut options = TenantOptions::new(tenant("acme"));
    limits(&mut options);
    let mut node = Lone::with(NodeOptions { tenants: vec![options], ..NodeOptions::default() });
    node.door.tenant = Some(tenant("acme"));
    node
}

fn refusals(node: &Lone) -> Vec<ReasonCode> {
    let reasons = node.desk.sent.iter().map(|packet| match packet {
        Packet::ConnAck(connack) => vec![connack.reason],
        Packet::SubAck(suback) => suback.reasons.clone(),
        _ => Vec::new(),
    });
    reasons.flatten().filter(|reason| reason.is_error()).collect()
}

#[test]
fn who_is_of_no_tenant_that_there_is_or_of_two_is_refused() {
    let mut node = node(|_| {});
    node.door.tenant = Some(tenant("gone"));
    node.connect(0, "r1", 60);
    assert_eq!(refusals(&node), [ReasonCode::NotAuthorized]);
    node.desk.sent.clear();
    node.door.tenant = None;
    node.connect(1, "r1", 60);
    assert_eq!((refusals(&node), node.shard.census().sessions), (vec![], 1));
}

#[test]
fn a_tenant_has_as_much_as_it_may() {
    let mut node = node(|limits| {
        limits.sessions_max = 3;
        limits.connections_max = 2;
        limits.subscriptions_max = 2;
        limits.retained_max = 2;
        limits.retained_bytes_max = 60;
    });
    node.connect(0, "r1", 60);
    node.connect(1, "r2", 60);
    node.connect(2, "r3", 60);
    assert_eq!(refusals(&node), [ReasonCode::QuotaExceeded], "two connections");
    node.desk.sent.clear();
    node.connect(3, "r2", 60);
    assert_eq!(refusals(&node), [], "who takes over is not one more");
    node.act(|shard, turn| shard.handle_lost(turn, ConnId(0)));
    node.connect(4, "r3", 60);
    node.act(|shard, turn| shard.handle_lost(turn, ConnId(3)));
    node.connect(5, "r4", 60);
    assert_eq!(refusals(&node), [ReasonCode::QuotaExceeded], "three sessions");
    node.desk.sent.clear();
    node.connect(6, "r1", 60);
    node.subscribe(4, "a");
    node.subscribe(4, "$share/g/a");
    node.subscribe(6, "b");
    assert_eq!(refusals(&node), [ReasonCode::QuotaExceeded], "two subscriptions");
    node.desk.sent.clear();
    node.subscribe(4, "a");
    node.unsubscribe(4, "$share/g/a");
    node.subscribe(6, "b");
    assert_eq!(refusals(&node), []);
    for topic in ["1", "2", "3", "1"] {
        node.retain(4, topic, None);
    }
    let counters = node.shard.context.tenants.get("acme").unwrap().counters(0);
    assert_eq!((counters.retained.read(), counters.dropped_retained_limit.read()), (2, 1));
    // Nobody else is kept from anything.
    node.door.tenant = None;
    node.connect(7, "r5", 60);
    node.subscribe(7, "c");
    node.retain(7, "3", None);
    assert_eq!(refusals(&node), []);
    assert_eq!(node.shard.census().retained, 3);
    // What has no room does not leave the one before as if it were the present one.
    node.retain_so(4, "1", None, &[b'x'; 100]);
    assert_eq!(node.shard.census().retained, 2);
}

#[test]
fn a_tenant_is_told_its_own_numbers_and_nobody_elses() {
    let options = NodeOptions {
        tenants: vec![TenantOptions::new(tenant("acme"))],
        sys_interval: Some(Duration::from_secs(1)),
        ..NodeOptions::default()
    };
    let mut node = Lone::at(0, Context::new(options, Seed::new(1)));
    node.connect(0, "node", 0);
    node.subscribe(0, "$SYS/#");
    node.door.tenant = Some(tenant("acme"));
    node.connect(1, "of-acme", 0);
    node.subscribe(1, "#");
    node.pass(Duration::from_secs(2));
    let all = node.desk.delivered.len();
    let told = |node: &Lone| {
        let of_acme = |it: &&Outgoing| it.message.topic.tenant() == Some("acme");
        node.desk.delivered.iter().filter(of_acme).count()
    };
    assert!(all > 20 && told(&node) == 0, "{all}");
    node.subscribe(1, "$SYS/#");
    for _ in 0..4 {
        node.pass(Duration::ZERO);
    }
    let levels: Vec<_> = node.desk.delivered.iter().map(|it| it.message.topic.clone()).collect();
    let own = levels.iter().filter(|topic| topic.tenant() == Some("acme"));
    let own: Vec<_> = own.map(|topic| topic.to_shown().to_string()).collect();
    assert!(own.contains(&"$SYS/brokers/plexus/stats/sessions/count".to_owned()), "{own:?}");
    assert!(!own.iter().any(|topic| topic.contains("uptime")), "{own:?}");
    let sessions = node.desk.delivered.iter().find(|it| {
        it.message.topic.tenant().is_some() && it.message.topic.ends_with("stats/sessions/count")
    });
    assert_eq!(&*sessions.unwrap().message.payload, b"1");
}
