//! Who somebody is, when the answer comes later.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use plexus_access::{Credentials, Exchange, Outcome, Policy, Principal, Reply, Rights, Verdict};
use plexus_types::{ProtocolVersion, Qos, ReasonCode, Text, TopicFilter, TopicName};
use plexus_wire::{Auth, Connect, ConnectProperties, Packet, UserProperties};

use super::Lone;
use crate::ports::{Arrival, ConnId, Ticket};

/// Asks elsewhere about everybody, and lets everything be done.
#[derive(Debug)]
struct Inquirer;

impl Policy for Inquirer {
    fn authenticate(&self, _: &Credentials) -> Verdict {
        Verdict::Later
    }

    fn verify(&self, _: Credentials, _: Reply) {
        unreachable!("the desk takes the question");
    }

    fn publish(&self, _: &Principal, _: &TopicName, _: Qos, _: bool) -> Verdict {
        Verdict::Allow
    }

    fn subscribe(&self, who: &Principal, filter: &TopicFilter, _: Qos) -> Verdict {
        let trusted = who.rights.as_ref().is_some_and(|rights| rights.is_superuser);
        let secret = filter.as_str().starts_with("secret");
        if secret && !trusted { Verdict::Deny(ReasonCode::NotAuthorized) } else { Verdict::Allow }
    }
}

fn node() -> Lone {
    let mut node = Lone::new();
    node.door.policy = Arc::new(Inquirer);
    node
}

impl Lone {
    fn arrive(&mut self, conn: u32, method: Option<&'static str>) {
        let connect = Connect {
            version: ProtocolVersion::V5,
            bridge: false,
            clean_start: false,
            keep_alive: 0,
            client_id: Text::from_static("c"),
            will: None,
            user_name: Some(Text::from_static("given")),
            password: None,
            properties: ConnectProperties {
                session_expiry_interval: 60,
                authentication_method: method.map(Text::from_static),
                authentication_data: method.map(|_| Bytes::from_static(b"first")),
                ..ConnectProperties::default()
            },
        };
        let arrival = Arrival {
            connect: Box::new(connect),
            assigned: None,
            door: Arc::new(self.door.clone()),
            peer: None,
            certificate: None,
            named: None,
        };
        self.act(|shard, turn| shard.handle_arrival(turn, ConnId(conn), arrival));
    }

    /// What was asked last.
    fn question(&mut self) -> (Ticket, Credentials) {
        self.desk.asked.pop().expect("a question")
    }

    fn outcome(&mut self, ticket: Ticket, outcome: Outcome) {
        self.act(|shard, turn| shard.handle_verified(turn, ticket, outcome));
    }

    fn auth(&mut self, conn: u32, reason: ReasonCode, data: &'static str) {
        let auth = Auth {
            reason,
            authentication_method: Some(Text::from_static("M")),
            authentication_data: Some(Bytes::from_static(data.as_bytes())),
            reason_string: None,
            user_properties: UserProperties::default(),
        };
        self.hear(conn, Packet::Auth(Box::new(auth)));
    }

    /// A client that has proved to be "given".
    fn admitted(rights: Rights) -> Self {
        let mut node = node();
        node.arrive(0, Some("M"));
        let (ticket, _) = node.question();
        node.outcome(ticket, Outcome::Allow(Box::new(rights), None));
        node.desk.sent.clear();
        node
    }
}

fn reasons(node: &Lone) -> Vec<(&'static str, ReasonCode)> {
    let told = node.desk.sent.iter().map(|packet| match packet {
        Packet::ConnAck(connack) => ("CONNACK", connack.reason),
        Packet::Auth(auth) => ("AUTH", auth.reason),
        Packet::Disconnect(disconnect) => ("DISCONNECT", disconnect.reason),
        other => panic!("{other:?}"),
    });
    told.collect()
}

fn goes_on(number: u8) -> Outcome {
    Outcome::Continue(Bytes::from_static(b"challenge"), Exchange::new(number))
}

#[test]
fn an_exchange_goes_back_and_forth_until_somebody_is_known() {
    let mut node = node();
    node.arrive(0, Some("M"));
    assert!(!node.shard.wants_packets(ConnId(0), None), "it has said all that is needed");
    let (ticket, mut asked) = node.question();
    let step = asked.enhanced.take().unwrap();
    assert_eq!((&*step.method, &step.data[..]), ("M", &b"first"[..]));
    node.outcome(ticket, goes_on(7));
    assert!(node.shard.wants_packets(ConnId(0), None));
    node.auth(0, ReasonCode::ContinueAuthentication, "second");
    let (ticket, mut asked) = node.question();
    let step = asked.enhanced.take().unwrap();
    assert_eq!(&step.data[..], b"second");
    assert_eq!(step.exchange.unwrap().take::<u8>(), Some(7), "where it stood");
    let rights = Rights { user_name: Some(Text::from_static("proved")), ..Rights::default() };
    let last = Some(Bytes::from_static(b"last"));
    node.outcome(ticket, Outcome::Allow(Box::new(rights), last));
    let [Packet::Auth(auth), Packet::ConnAck(connack)] = &node.desk.sent[..] else {
        panic!("{:?}", node.desk.sent)
    };
    assert_eq!(auth.reason, ReasonCode::ContinueAuthentication);
    assert_eq!(auth.authentication_data.as_deref(), Some(&b"challenge"[..]));
    assert_eq!(connack.reason, ReasonCode::Success);
    assert_eq!(connack.properties.authentication_data.as_deref(), Some(&b"last"[..]));
    node.auth(0, ReasonCode::ReAuthenticate, "again");
    assert_eq!(node.question().1.user_name.as_deref(), Some("proved"), "that is who it is now");
}

#[test]
fn whoever_does_not_go_on_is_sent_away() {
    let mut node = node();
    node.arrive(0, Some("M"));
    let (ticket, _) = node.question();
    node.outcome(ticket, goes_on(1));
    let due = node.shard.poll_timeout().unwrap();
    assert_eq!(due, node.now + Duration::from_secs(10));
    node.pass(Duration::from_secs(10));
    assert_eq!(reasons(&node)[1..], [("CONNACK", ReasonCode::NotAuthorized)]);
    assert_eq!(node.desk.closed, [ConnId(0)]);
    assert_eq!(node.shard.poll_timeout(), None);
}

#[test]
fn an_answer_for_a_connection_that_is_gone_is_for_nobody() {
    let mut node = node();
    node.arrive(0, None);
    let (late, _) = node.question();
    node.act(|shard, turn| shard.handle_lost(turn, ConnId(0)));
    node.arrive(0, None);
    node.outcome(late, Outcome::allow());
    assert!(node.desk.sent.is_empty(), "another one has the number now");
    let (ticket, _) = node.question();
    node.outcome(ticket, Outcome::Deny(ReasonCode::BadUserNameOrPassword));
    assert_eq!(reasons(&node), [("CONNACK", ReasonCode::BadUserNameOrPassword)]);
}

#[test]
fn a_connection_ends_when_what_was_shown_expires() {
    let expires = Some(Lone::new().now + Duration::from_mins(1));
    let mut node = Lone::admitted(Rights { expires, ..Rights::default() });
    node.pass(Duration::from_secs(59));
    assert_eq!(reasons(&node), []);
    node.pass(Duration::from_secs(1));
    assert_eq!(reasons(&node), [("DISCONNECT", ReasonCode::MaximumConnectTime)]);
    assert_eq!(node.shard.census().sessions, 1, "its session stays for whoever comes back in time");
}

#[test]
fn who_authenticates_anew_stays_for_longer() {
    let (start, minute) = (Lone::new().now, Duration::from_mins(1));
    let until = |at| Rights { expires: Some(at), ..Rights::default() };
    let mut node = Lone::admitted(until(start + minute));
    node.auth(0, ReasonCode::ReAuthenticate, "again");
    assert!(!node.shard.wants_packets(ConnId(0), None));
    let (ticket, _) = node.question();
    node.outcome(ticket, Outcome::Allow(Box::new(until(start + 2 * minute)), None));
    assert_eq!(reasons(&node), [("AUTH", ReasonCode::Success)]);
    assert!(node.shard.wants_packets(ConnId(0), None) && node.desk.resumed.contains(&ConnId(0)));
    node.pass(minute);
    assert_eq!(reasons(&node).len(), 1);
    node.pass(minute);
    assert_eq!(reasons(&node)[1..], [("DISCONNECT", ReasonCode::MaximumConnectTime)]);
}

#[test]
fn nobody_becomes_another_by_authenticating_anew() {
    let mut node = Lone::admitted(Rights::default());
    node.auth(0, ReasonCode::ReAuthenticate, "again");
    let (ticket, _) = node.question();
    let other = Rights { user_name: Some(Text::from_static("other")), ..Rights::default() };
    node.outcome(ticket, Outcome::Allow(Box::new(other), None));
    assert_eq!(reasons(&node), [("DISCONNECT", ReasonCode::NotAuthorized)]);
}

#[test]
fn what_somebody_has_no_right_to_any_more_ends_when_he_authenticates_anew() {
    let mut node = Lone::admitted(Rights { is_superuser: true, ..Rights::default() });
    node.subscribe(0, "secret/+");
    node.desk.sent.clear();
    node.auth(0, ReasonCode::ReAuthenticate, "again");
    let (ticket, _) = node.question();
    node.outcome(ticket, Outcome::allow());
    node.pass(Duration::ZERO);
    assert_eq!(
        reasons(&node),
        [("AUTH", ReasonCode::Success), ("DISCONNECT", ReasonCode::NotAuthorized)]
    );
    assert_eq!(node.shard.census().sessions, 0);
}

/// Lost, or taken over by another of the same client: the session is no worse for it.
#[test]
fn a_renewal_that_is_not_answered_in_time_harms_no_later_connection() {
    for is_lost in [true, false] {
        let mut node = Lone::admitted(Rights::default());
        node.auth(0, ReasonCode::ReAuthenticate, "again");
        let (late, _) = node.question();
        if is_lost {
            node.act(|shard, turn| shard.handle_lost(turn, ConnId(0)));
        }
        node.arrive(1, None);
        let (ticket, _) = node.question();
        node.outcome(ticket, Outcome::allow());
        node.outcome(late, Outcome::allow());
        node.desk.sent.clear();
        node.subscribe(1, "t");
        assert!(matches!(node.desk.sent[..], [Packet::SubAck(_)]), "{:?}", node.desk.sent);
        assert!(node.shard.wants_packets(ConnId(1), None));
    }
}
