//! A small plan for the tests of the engine.

use std::{net::SocketAddr, time::Duration};

use plexus_net::{ClientLayers, Target};
use plexus_session::ClientOptions;
use plexus_stdx::Seed;
use plexus_types::Qos;

use crate::{
    pattern::Pattern,
    plan::{Body, Group, Pace, Plan, Publishing, Role, Sessions, Subscribing, Workload},
    record::Asked,
};

/// One publisher, on worker 0, and two subscribers to it, on workers 0 and 1.
pub(crate) fn plan() -> Plan {
    let group = |name: &str, count, role| Group {
        name: name.to_owned(),
        count,
        first: 0,
        id_first: 0,
        client_id: Pattern::plain(name),
        sessions: Sessions::Asked,
        churn: None,
        will: None,
        role,
    };
    let subscribing = Subscribing {
        filter: Pattern::plain("a"),
        each: 1,
        qos: Qos::AtMostOnce,
        shared: None,
        per_packet: 1,
        window: 1,
        at_once: true,
    };
    let publishing = Publishing {
        topic: Pattern::plain("a"),
        topics: None,
        qos: Qos::AtMostOnce,
        retain: false,
        body: Body::of_size(16),
        user_properties: Vec::new(),
        pace: Pace::Window(1),
        messages: None,
        awaits_delivery: true,
        counted: true,
    };
    let groups = vec![
        group("subscribers", 2, Role::Subscribe(subscribing)),
        group("publishers", 1, Role::Publish(publishing)),
    ];
    Plan {
        workload: Workload { name: "test".to_owned(), groups, steps: Vec::new() },
        place: Target::Address(SocketAddr::from(([127, 0, 0, 1], 0))),
        layers: ClientLayers::default(),
        options: ClientOptions::default(),
        sources: Vec::new(),
        workers: 2,
        connect_rate: None,
        connecting_max: 1,
        reconnect: false,
        patience: Duration::ZERO,
        seed: Seed::new(0),
        asked: Asked::default(),
        broker: None,
    }
}
