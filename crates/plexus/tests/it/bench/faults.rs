//! What goes wrong, with a broker that does what the test says.

use std::process::{Command, Stdio};

use plexus_types::{ReasonCode, Text};
use plexus_wire::{
    Packet, SubAck,
    property::{MessageProperty, message_properties},
};

use super::{assert_numbers, json, number};
use crate::{
    broker::{Peer, Script},
    program::{Place, run},
};

/// Accepts the first connection, which only asks whether the broker is there.
fn accept_first(script: &Script) {
    script.accept(false).expect_end();
}

fn accept_subscriber(script: &Script) -> Peer {
    let mut peer = script.accept(false);
    let Packet::Subscribe(subscribe) = peer.expect() else { panic!("no SUBSCRIBE") };
    peer.send(&Packet::SubAck(Box::new(SubAck {
        packet_id: subscribe.packet_id,
        reasons: vec![ReasonCode::Success],
        reason_string: None,
        user_properties: plexus_wire::UserProperties::default(),
    })));
    peer
}

#[test]
fn a_loss_a_duplicate_and_a_break_of_order_are_counted() {
    let (place, script) = (Place::new(), Script::new());
    let args = ["bench", "p2p", "-n", "1", "-m", "4", "--patience", "100ms", "--json", "--quiet"];
    let mut command = place.plexus(args);
    command.args(["-h", "127.0.0.1", "-p", &script.port()]);
    let broker = std::thread::spawn(move || {
        accept_first(&script);
        let mut subscriber = accept_subscriber(&script);
        let mut publisher = script.accept(false);
        let messages = [(); 4].map(|()| publisher.expect_publish());
        // The last one is lost.
        for place in [0, 2, 1, 1] {
            subscriber.send(&Packet::Publish(messages[place].clone()));
        }
        publisher.expect_end();
        subscriber.expect_end();
    });
    let ended = run(&mut command, b"");
    broker.join().expect("the script ends");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(
        ended.stderr,
        "error: the run is no success: 1 messages came again, 1 messages came out of order\n"
    );
    assert_numbers(
        &json(&ended),
        &[
            ("/messages/lost", 1),
            ("/messages/duplicates", 1),
            ("/messages/out_of_order", 1),
            ("/messages/delivered", 3),
        ],
    );
}

#[test]
fn what_a_broker_loses_and_turns_round_is_counted_although_a_publisher_has_many_topics() {
    let (place, script) = (Place::new(), Script::new());
    let mut command = place.plexus(["bench", "offline", "--publishers", "1", "--sessions", "2"]);
    command.args(["-m", "8", "--patience", "100ms", "--json", "--quiet", "--workers", "1"]);
    command.args(["--connecting", "1", "-h", "127.0.0.1", "-p", &script.port()]);
    let broker = std::thread::spawn(move || {
        accept_first(&script);
        for mut session in [accept_subscriber(&script), accept_subscriber(&script)] {
            session.expect_end();
        }
        let mut publisher = script.accept(false);
        let messages = [(); 8].map(|()| {
            let publish = publisher.expect_publish();
            publisher.acknowledge(publish.packet_id, ReasonCode::Success);
            publish
        });
        publisher.expect_end();
        let topics = messages.each_ref().map(|publish| publish.topic.as_str().to_owned());
        assert_eq!(topics[..3], ["bench/offline/0", "bench/offline/1", "bench/offline/0"]);
        // The first session misses the second of its four messages and gets the fourth before the third.
        let sessions = [&[0, 6, 4][..], &[1, 3, 5, 7, 7]].map(|places| {
            let mut session = script.accept(true);
            for place in places {
                session.send(&Packet::Publish(messages[*place].clone()));
            }
            session
        });
        for mut session in sessions {
            while session.next().is_some() {}
        }
    });
    let ended = run(&mut command, b"");
    broker.join().expect("the script ends");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let counts = [("lost", 1), ("out_of_order", 1), ("duplicates", 1), ("delivered", 7)];
    for (name, expected) in counts {
        assert_numbers(&json(&ended), &[(format!("/messages/{name}").as_str(), expected)]);
    }
}

#[test]
fn who_lost_its_connection_comes_again_and_goes_on() {
    let (place, script) = (Place::new(), Script::new());
    let mut command = place.plexus(["bench", "pub", "-n", "1", "-m", "2", "-q", "1", "--json"]);
    command.args(["--reconnect", "--patience", "1m", "--quiet", "-h", "127.0.0.1"]);
    command.args(["-p", &script.port()]);
    let broker = std::thread::spawn(move || {
        accept_first(&script);
        let mut publisher = script.accept(false);
        let [first, second] = [(); 2].map(|()| publisher.expect_publish());
        publisher.acknowledge(first.packet_id, ReasonCode::Success);
        drop(publisher);
        let mut publisher = script.accept(false);
        let again = publisher.expect_publish();
        assert_eq!(again.payload, second.payload);
        publisher.acknowledge(again.packet_id, ReasonCode::Success);
        publisher.expect_end();
    });
    let ended = run(&mut command, b"");
    broker.join().expect("the script ends");
    assert_eq!(ended.stderr, "error: the run is no success: 1 connections were lost\n");
    let summary = json(&ended);
    assert_numbers(&summary, &[("/messages/acknowledged", 2), ("/messages/unacknowledged", 0)]);
    assert_numbers(&summary, &[("/groups/publishers/accepted", 2), ("/groups/publishers/lost", 1)]);
}

#[test]
fn what_was_due_without_a_connection_is_not_held_against_the_rate() {
    let (place, script) = (Place::new(), Script::new());
    let mut command = place.plexus(["bench", "pub", "-n", "1", "-m", "40", "-q", "1", "--quiet"]);
    command.args(["--rate", "100", "--json", "-h", "127.0.0.1", "-p", &script.port()]);
    command.args(["--patience", "1s"]);
    let broker = std::thread::spawn(move || {
        accept_first(&script);
        let mut publisher = script.accept(false);
        let first = publisher.expect_publish();
        publisher.acknowledge(first.packet_id, ReasonCode::Success);
        // The broker is gone in the middle of the run.
    });
    let ended = run(&mut command, b"");
    broker.join().expect("the script ends");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let summary = json(&ended);
    let [published, unconnected] = ["/messages/published", "/messages/unconnected"];
    let due = number(&summary, published) + number(&summary, unconnected);
    assert!(due == 40 && number(&summary, unconnected) > 0, "{summary}");
    assert_numbers(&summary, &[("/messages/overrun", 0)]);
    let notes = summary["notes"].to_string();
    assert!(notes.contains("due while their publisher was not connected"), "{notes}");
}

#[test]
fn what_still_waits_when_a_rate_ends_is_counted() {
    let (place, script) = (Place::new(), Script::new());
    let mut command = place.plexus(["bench", "pub", "-n", "1", "-q", "1", "--rate", "100"]);
    command.args(["-d", "300ms", "--warm-up", "100ms", "--patience", "100ms", "--json"]);
    command.args(["--quiet", "-h", "127.0.0.1", "-p", &script.port()]);
    let broker = std::thread::spawn(move || {
        accept_first(&script);
        let mut publisher = script.accept_so_many(2);
        let first = publisher.expect_publish();
        publisher.acknowledge(first.packet_id, ReasonCode::Success);
        let [_, _] = [(); 2].map(|()| publisher.expect_publish());
        publisher.expect_end();
    });
    let ended = run(&mut command, b"");
    broker.join().expect("the script ends");
    let error = "error: the run is no success: 2 messages were not acknowledged\n";
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), error), "{ended:?}");
    let summary = json(&ended);
    // Forty are due in 400 ms.
    assert_numbers(&summary, &[("/messages/published", 3), ("/messages/waiting", 37)]);
    assert_numbers(&summary, &[("/messages/overrun", 0), ("/messages/unconnected", 0)]);
    let notes = summary["notes"].to_string();
    assert!(notes.contains("37 messages were due and still waited"), "{notes}");
}

#[test]
fn published_messages_carry_user_properties() {
    let (place, script) = (Place::new(), Script::new());
    let mut command = place.plexus(["bench", "pub", "-n", "1", "-m", "2", "-i", "dev-%i"]);
    command.args(["--user-property", "unit=celsius", "--user-property", "n=%n by %c", "--json"]);
    command.args(["--quiet", "-h", "127.0.0.1", "-p", &script.port()]);
    let broker = std::thread::spawn(move || {
        accept_first(&script);
        let mut publisher = script.accept(false);
        for number in 0..2 {
            let publish = publisher.expect_publish();
            let text = |text: &str| Text::try_from(text).expect("a text");
            let pairs = [("unit", "celsius".to_owned()), ("n", format!("{number} by dev-0"))];
            let pairs = pairs.map(|(name, value)| MessageProperty::User(text(name), text(&value)));
            let found = message_properties(&publish.properties.forwarded).collect::<Vec<_>>();
            assert_eq!(found, pairs);
        }
        publisher.expect_end();
    });
    let ended = run(&mut command, b"");
    broker.join().expect("the script ends");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
    let told = json(&ended)["run"]["groups"]["publishers"]["user_properties"].clone();
    assert_eq!(told, serde_json::json!([["unit", "celsius"], ["n", "%n by %c"]]));
}

#[test]
fn connections_that_fail_are_counted_by_their_reason() {
    let (place, script) = (Place::new(), Script::new());
    let mut command = place.plexus(["bench", "conn", "-n", "3", "-d", "0s", "--workers", "1"]);
    command.args(["--connecting", "1", "--quiet", "--json", "-h", "127.0.0.1"]);
    command.args(["-p", &script.port()]);
    let broker = std::thread::spawn(move || {
        accept_first(&script);
        let mut accepted = script.accept(false);
        drop(script.accept_with(ReasonCode::ServerBusy, false));
        // Not a packet of MQTT.
        script.answer(b"\x00\x00");
        drop(accepted.next());
    });
    let ended = run(&mut command, b"");
    broker.join().expect("the script ends");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let summary = json(&ended);
    assert_numbers(&summary, &[("/groups/clients/accepted", 1), ("/groups/clients/failed", 2)]);
    let troubles = summary["troubles"].as_object().expect("troubles");
    let told = |words: &str| troubles.keys().any(|why| why.contains(words));
    assert!(told("refused by the broker: Server busy") && told("broke the protocol"), "{summary}");
}

#[test]
fn waiting_ends_although_clients_try_to_connect_again() {
    let mixed = "[[group]]\nrole = \"connect\"\ncount = 1\nchurn = { stay = \"50ms\" }\n";
    for args in [&["pub", "-n", "1", "-m", "2", "-q", "1"][..], &["mixed", "m.toml", "-d", "200ms"]]
    {
        let (place, script) = (Place::new(), Script::new());
        place.write("m.toml", mixed);
        let mut command = place.plexus(["bench"].iter().chain(args));
        // They try again after half a second.
        command.args(["--reconnect", "--patience", "700ms", "--json", "--quiet"]);
        command.args(["-h", "127.0.0.1", "-p", &script.port()]);
        let broker = std::thread::spawn(move || {
            accept_first(&script);
            let mut client = script.accept(false);
            // PUBLISH or DISCONNECT, and then nobody is there any more.
            drop(script);
            client.expect();
        });
        let ended = run(&mut command, b"");
        broker.join().expect("the broker ends");
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert_eq!(json(&ended)["interrupted"], false);
    }
}

#[test]
fn a_signal_ends_a_wait_for_what_does_not_come() {
    let (place, script) = (Place::new(), Script::new());
    let mut command = place.plexus(["bench", "pub", "-n", "1", "-m", "2", "-q", "1", "--json"]);
    command.args(["--reconnect", "--patience", "1h", "--quiet", "-h", "127.0.0.1"]);
    command.args(["-p", &script.port()]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let child = command.spawn().expect("the program starts");
    accept_first(&script);
    let mut publisher = script.accept(false);
    publisher.expect_publish();
    drop((script, publisher));
    let pid = child.id().to_string();
    let kill = Command::new("kill").args(["-s", "INT", &pid]).status().expect("kill runs");
    assert!(kill.success());
    let ended = child.wait_with_output().expect("it ends");
    let summary = serde_json::from_slice::<serde_json::Value>(&ended.stdout).expect("the summary");
    assert_eq!(summary["interrupted"], true);
    assert_numbers(&summary, &[("/messages/unacknowledged", 2)]);
}
