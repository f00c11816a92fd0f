//! Take-over, expiry, Will, keep alive, end.

use plexus_session::{Options, Session};
use plexus_types::{ProtocolVersion, ReasonCode};
use plexus_wire::{Connect, Disconnect, DisconnectProperties, Packet, Will};

use crate::shell::{Shell, ack, connect, durable, message, publish, text, will};

const V5: ProtocolVersion = ProtocolVersion::V5;
const V311: ProtocolVersion = ProtocolVersion::V311;
const WILL: [&str; 2] = ["ASK publish will will gone", "ROUTE will gone"];

type Leave = fn(&mut Shell) -> Vec<String>;

fn mortal(expiry: u32, delay: u32) -> Connect {
    Connect { will: Some(will(delay)), ..durable(expiry) }
}

fn shell(connect: Connect) -> Shell {
    let mut shell = Shell::connected(connect);
    shell.tells_log = true;
    shell
}

/// The parts of a story that are about Will and end.
fn fate(story: &[String]) -> Vec<&str> {
    let about = |told: &&str| ["ASK", "ROUTE", "ENDED"].iter().any(|word| told.starts_with(word));
    story.iter().map(String::as_str).filter(about).collect()
}

fn disconnect(reason: ReasonCode, session_expiry_interval: Option<u32>) -> Packet {
    let properties = DisconnectProperties { session_expiry_interval, ..Default::default() };
    Packet::Disconnect(Box::new(Disconnect { reason, properties }))
}

/// An idle session must stay small: there may be millions of them.
#[test]
fn a_session_is_at_most_256_bytes() {
    assert!(size_of::<Session>() <= 256, "{} bytes", size_of::<Session>());
}

/// [MQTT-3.1.4-3], [MQTT3-3.1.4-2], [MQTT-3.2.2-3], [MQTT3-3.2.2-2]
#[test]
fn a_new_connection_takes_the_session_over() {
    let mut shell = Shell::connected(durable(60));
    let story = shell.connect(durable(60));
    let expected = [
        "DISCONNECT SessionTakenOver",
        "CLOSE ByServer(SessionTakenOver)",
        "CONNACK Success present",
    ];
    assert_eq!(story, expected);
    let old = Connect { clean_start: false, ..connect(V311) };
    let mut shell = Shell::connected(old.clone());
    let story = shell.connect(old);
    assert_eq!(story, ["CLOSE ByServer(SessionTakenOver)", "CONNACK Success present"]);
}

/// [MQTT-3.1.2-4], [MQTT-3.2.2-2], [MQTT3-3.1.2-6], [MQTT3-3.2.2-1]
#[test]
fn a_clean_start_ends_the_old_session() {
    let mut shell = Shell::connected(durable(60));
    shell.deliver(&message("a"), 1);
    let story = shell.connect(Connect { clean_start: true, ..durable(60) });
    let expected = [
        "DISCONNECT SessionTakenOver",
        "CLOSE ByServer(SessionTakenOver)",
        "DROPPED SessionEnded 1",
        "ENDED",
        "CONNACK Success",
    ];
    assert_eq!(story, expected);
}

/// A session whose expiry is zero is over with its connection, hence not there to be resumed.
#[test]
fn a_session_without_expiry_is_not_taken_over_but_replaced() {
    let mut shell = Shell::connected(durable(0));
    let story = shell.connect(durable(60));
    assert_eq!(story.last().unwrap(), "CONNACK Success");
}

/// 3.1 has no Session Present.
#[test]
fn a_3_1_client_resumes_without_being_told() {
    let old = Connect { clean_start: false, ..connect(ProtocolVersion::V31) };
    let mut shell = Shell::connected(old.clone());
    shell.deliver(&message("a"), 1);
    shell.lose_connection();
    assert_eq!(shell.connect(old), ["CONNACK Success", "PUBLISH a q1 id=1 dup"]);
}

#[test]
fn only_the_user_that_made_a_session_may_resume_it() {
    let named = |name: Option<&str>| Connect { user_name: name.map(text), ..durable(60) };
    let session = Shell::connected(named(Some("ann"))).session.unwrap();
    assert!(session.may_resume(&named(Some("ann"))));
    assert!(!session.may_resume(&named(Some("eve"))));
    assert!(!session.may_resume(&named(None)));
    let anonymous = Shell::connected(named(None)).session.unwrap();
    assert!(anonymous.may_resume(&named(None)));
    assert!(!anonymous.may_resume(&named(Some("eve"))));
}

/// [MQTT-3.1.2-23], [MQTT-4.1.0-2], [MQTT3-3.1.2-4], [MQTT3-3.1.2-6]
#[test]
fn a_session_lasts_as_long_as_its_expiry_says() {
    let table = [
        (durable(0), Some(0)),
        (durable(60), Some(60)),
        (durable(u32::MAX), None),
        (connect(V311), Some(0)),
        (Connect { clean_start: false, ..connect(V311) }, Some(7_200)),
    ];
    for (connect, lasts) in table {
        let mut shell = Shell::connected(connect);
        let mut story = shell.lose_connection();
        match lasts {
            Some(0) => assert_eq!(story, ["ENDED"]),
            Some(seconds) => {
                story.extend(shell.advance(seconds - 1));
                assert!(story.is_empty(), "{story:?}");
                assert_eq!(shell.advance(1), ["ENDED"]);
            }
            None => assert!(shell.advance(1 << 33).is_empty()),
        }
    }
}

#[test]
fn disconnect_may_change_the_expiry_but_not_raise_it_from_zero() {
    let mut shell = Shell::connected(durable(60));
    shell.packet(disconnect(ReasonCode::Success, Some(5)));
    assert!(shell.advance(4).is_empty());
    assert_eq!(shell.advance(1), ["ENDED"]);

    let mut shell = Shell::connected(durable(60));
    let story = shell.packet(disconnect(ReasonCode::Success, Some(0)));
    assert_eq!(story, ["CLOSE ByClient", "ENDED"]);

    let mut shell = Shell::connected(durable(0));
    let story = shell.packet(disconnect(ReasonCode::Success, Some(60)));
    assert_eq!(story[0], "DISCONNECT ProtocolError");
    assert!(shell.session.is_none());

    let mut capped = Shell::new(Options { session_expiry_max: 30, ..Options::default() });
    capped.connect(durable(20));
    capped.packet(disconnect(ReasonCode::Success, Some(600)));
    assert_eq!(capped.session.as_ref().unwrap().expiry(), 30);
}

/// [MQTT-3.14.4-3], [MQTT3-3.14.4-3], [MQTT-3.1.2-8], [MQTT3-3.1.2-8], [MQTT-3.1.2-10]
#[test]
fn the_will_depends_on_how_the_client_leaves() {
    let leaves: [(&str, Leave, bool); 5] = [
        ("good-bye", |shell| shell.packet(disconnect(ReasonCode::Success, None)), false),
        ("with will", |shell| shell.packet(disconnect(ReasonCode::DisconnectWithWill, None)), true),
        ("fault", |shell| shell.packet(disconnect(ReasonCode::UnspecifiedError, None)), true),
        ("lost", Shell::lose_connection, true),
        ("wrong packet", |shell| shell.packet(Packet::PingResp), true),
    ];
    for expiry in [0, 60] {
        for (how, leave, published) in leaves {
            let mut shell = shell(mortal(expiry, 0));
            let story = leave(&mut shell);
            let mut expected = if published { WILL.to_vec() } else { Vec::new() };
            expected.extend((expiry == 0).then_some("ENDED"));
            assert_eq!(fate(&story), expected, "{how} {expiry}");
        }
    }
}

#[test]
fn a_refused_will_is_dropped() {
    let mut shell = shell(mortal(0, 0));
    shell.verdict = Err(ReasonCode::NotAuthorized);
    let story = shell.lose_connection();
    assert_eq!(fate(&story), ["ASK publish will will gone", "ENDED"]);
}

/// [MQTT-3.1.2-8], [MQTT-3.1.3-9]: whichever comes first, once (CVE-2019-11778).
#[test]
fn a_delayed_will_comes_with_its_delay_or_the_end_of_the_session() {
    for (expiry, delay, comes) in [(60, 10, 10), (60, 60, 60), (60, 100, 60), (0, 10, 0)] {
        let mut shell = shell(mortal(expiry, delay));
        let mut story = shell.lose_connection();
        if comes > 0 {
            story.extend(shell.advance(comes - 1));
            assert!(fate(&story).is_empty(), "{story:?}");
            story.extend(shell.advance(1));
        }
        assert_eq!(fate(&story)[..2], WILL, "{expiry} {delay}");
        story.extend(shell.advance(1_000));
        assert_eq!(fate(&story), [WILL[0], WILL[1], "ENDED"]);
    }
}

/// [MQTT-3.1.3-9]
#[test]
fn a_delayed_will_is_not_sent_when_the_client_is_back() {
    let mut shell = shell(mortal(60, 10));
    let mut story = shell.lose_connection();
    story.extend(shell.advance(9));
    story.extend(shell.connect(durable(60)));
    story.extend(shell.advance(100));
    assert!(fate(&story).is_empty(), "{story:?}");
    assert!(!shell.session.unwrap().has_will());
}

/// The examples of section 3.1.4 for a take-over.
#[test]
fn the_will_at_a_take_over_depends_on_delay_and_clean_start() {
    for (delay, clean, published) in [(0, false, true), (10, false, false), (10, true, true)] {
        let mut shell = shell(mortal(60, delay));
        let story = shell.connect(Connect { clean_start: clean, ..durable(60) });
        let mut expected = if published { WILL.to_vec() } else { Vec::new() };
        expected.extend(clean.then_some("ENDED"));
        assert_eq!(fate(&story), expected, "{delay} {clean}");
        let later = shell.advance(100);
        assert!(fate(&later).is_empty(), "once is enough: {later:?}");
    }
}

#[test]
fn the_will_is_a_message_like_any_other() {
    let will = Will { message_expiry_interval: Some(30), retain: true, ..will(10) };
    let mut shell = Shell::connected(Connect { will: Some(will), ..durable(60) });
    shell.lose_connection();
    shell.advance(10);
    let message = shell.entered.pop().unwrap();
    assert!(message.retain, "[MQTT-3.1.2-15]");
    assert_eq!(&*message.publisher, "c");
    let expires = shell.now + std::time::Duration::from_secs(30);
    assert_eq!(message.expires, Some(expires), "counted from its publication");
}

/// [MQTT-3.1.2-22], [MQTT3-3.1.2-24]
#[test]
fn a_silent_client_is_given_up_after_one_and_a_half_keep_alive() {
    let mut shell = Shell::connected(Connect { keep_alive: 10, ..durable(60) });
    assert!(shell.advance(14).is_empty());
    shell.packet(Packet::PingReq);
    assert!(shell.advance(14).is_empty());
    let story = shell.advance(1);
    assert_eq!(story, ["DISCONNECT KeepAliveTimeout", "CLOSE ByServer(KeepAliveTimeout)"]);
}

#[test]
fn silence_while_packets_are_held_back_is_not_the_clients() {
    let mut shell = Shell::connected(Connect { keep_alive: 10, ..durable(60) });
    let now = shell.now + std::time::Duration::from_secs(10);
    shell.session.as_mut().unwrap().handle_activity(now);
    assert!(shell.advance(24).is_empty());
    assert_eq!(shell.advance(1)[0], "DISCONNECT KeepAliveTimeout");
}

/// [MQTT-4.8.2-4], [MQTT-4.8.2-5]
#[test]
fn shared_messages_of_an_ended_session_go_to_others_unless_qos2_had_begun() {
    let group = Some("$share/g/#");
    let mut shell = Shell::new(Options { inflight_max: 2, ..Options::default() });
    shell.connect(mortal(60, 5));
    for (payload, qos, shared) in
        [("a", 1, group), ("b", 2, group), ("c", 2, group), ("d", 1, None), ("e", 0, group)]
    {
        shell.deliver_with(&message(payload), qos, &[], shared);
    }
    shell.lose_connection();
    let now = shell.now;
    let story = shell.act(|session, out| session.end(now, out));
    let expected = [
        "ROUTE will gone",
        "REDISPATCH $share/g/# plant/line/1 a",
        "REDISPATCH $share/g/# plant/line/1 c",
        "REDISPATCH $share/g/# plant/line/1 e",
        "DROPPED SessionEnded 2",
        "ENDED",
    ];
    assert_eq!(story, expected);
}

#[test]
fn an_operator_ends_session_and_connection() {
    let mut shell = shell(durable(60));
    let now = shell.now;
    let story = shell.act(|session, out| session.end(now, out));
    let expected = [
        "DISCONNECT AdministrativeAction",
        "CLOSE ByServer(AdministrativeAction)",
        "LOG Away",
        "LOG Ended",
        "ENDED",
    ];
    assert_eq!(story, expected);
}

#[test]
fn the_log_knows_expiry_and_will() {
    let mut shell = Shell::new(Options::default());
    shell.tells_log = true;
    let story = shell.connect(mortal(60, 5));
    assert_eq!(story, ["LOG Image", "CONNACK Success"]);
    shell.lose_connection();
    let story = shell.connect(mortal(70, 6));
    let expected = ["LOG Will gone 6", "LOG Attached 70", "CONNACK Success present"];
    assert_eq!(story, expected);
    let story = shell.packet(disconnect(ReasonCode::Success, Some(30)));
    assert_eq!(story, ["LOG Expiry(30)", "LOG Will none", "CLOSE ByClient", "LOG Away"]);
}

#[test]
fn a_decision_after_the_connection_is_gone_still_lets_the_message_in() {
    let mut shell = Shell::connected(durable(60));
    let now = shell.now;
    let session = shell.session.as_mut().unwrap();
    let packet = Packet::Publish(publish("t", "a", 1, 1));
    session.handle_packet(now, Ok(packet.clone()), &mut shell.out);
    let Some(plexus_session::Output::Authorize(action)) = shell.out.poll() else {
        unreachable!("asked")
    };
    assert!(session.is_blocked());
    session.handle_connection_lost(now, &mut shell.out);
    shell.connect(durable(60));
    assert!(!shell.session.as_ref().unwrap().is_blocked());
    let decision = plexus_session::Decision { action, verdict: Ok(()) };
    let story = shell.act(|session, out| session.handle_decision(now, decision, out));
    assert_eq!(story, ["ROUTE t a"], "and is not acknowledged on the new connection");
    assert_eq!(shell.packet(packet), ["ROUTE t a", "PUBACK 1 Success"]);
}

/// [MQTT-4.13.2-1]
#[test]
fn the_server_may_say_why_and_where_else() {
    let mut shell = Shell::connected(durable(60));
    let (now, elsewhere) = (shell.now, Some(text("b.example")));
    shell.frames.clear();
    shell.act(|session, out| {
        session.disconnect(now, ReasonCode::UseAnotherServer, elsewhere, out);
    });
    let mut frame = shell.frames.pop_front().unwrap().into();
    let limits = plexus_wire::Limits::default();
    match plexus_wire::Decoder::client(V5, limits).decode(&mut frame).unwrap() {
        Some(Packet::Disconnect(disconnect)) => {
            assert_eq!(disconnect.properties.server_reference, Some(text("b.example")));
        }
        other => unreachable!("{other:?}"),
    }
    assert!(shell.packet(Packet::PubAck(ack(1))).is_empty(), "nothing is heard any more");
}
