//! What the clients do when a connection ends.

use std::process::Stdio;

use bytes::Bytes;
use plexus_types::{Qos, ReasonCode};
use plexus_wire::{Disconnect, Packet, Publish, PublishProperties, SubAck, UserProperties};

use crate::{
    broker::{Peer, Script},
    program::{Place, run},
};

#[test]
fn pub_sends_again_what_was_not_acknowledged() {
    let (place, script) = (Place::new(), Script::new());
    let mut command = place.plexus(["pub", "-p", &script.port(), "-t", "a", "-m", "x", "-q", "1"]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = child.spawn().unwrap();
    let mut first = script.accept(false);
    assert_eq!(&first.expect_publish().payload[..], b"x");
    drop(first);
    let mut second = script.accept(false);
    let again = second.expect_publish();
    assert_eq!(&again.payload[..], b"x");
    second.acknowledge(again.packet_id, ReasonCode::Success);
    second.expect_end();
    drop(second);
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let lines = stderr.lines().collect::<Vec<_>>();
    let [lost, again] = lines[..] else { panic!("{stderr}") };
    assert!(lost.contains("closed the connection; trying again in 0."), "{stderr}");
    assert_eq!(again, format!("connected again to mqtt://localhost:{}", script.port()));
}

#[test]
fn a_connection_that_is_lost_may_end_the_command() {
    let (place, script) = (Place::new(), Script::new());
    let args = ["sub", "-p", &script.port(), "-t", "a", "--reconnect", "never"];
    let mut command = place.plexus(args);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = child.spawn().unwrap();
    let mut peer = script.accept(false);
    assert!(matches!(peer.expect(), Packet::Subscribe(_)));
    drop(peer);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let port = script.port();
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        format!("error: mqtt://localhost:{port} closed the connection\n")
    );
}

#[test]
fn a_broker_that_says_no_is_not_asked_again() {
    let (place, script) = (Place::new(), Script::new());
    let args = ["pub", "-p", &script.port(), "-t", "a", "-m", "x", "--reconnect", "always"];
    let mut command = place.plexus(args);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = child.spawn().unwrap();
    let mut peer = script.accept_with(ReasonCode::NotAuthorized, false);
    assert_eq!(peer.next(), None);
    drop(peer);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "error: the broker refused the connection: Not authorized (0x87); the broker wants a user: \
         write -u NAME and -P PASSWORD\n"
    );
}

#[test]
fn a_broker_that_shuts_down_is_waited_for() {
    let (place, script) = (Place::new(), Script::new());
    let mut command = place.plexus(["sub", "-p", &script.port(), "-t", "a", "-E"]);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = child.spawn().unwrap();
    let mut first = script.accept(false);
    assert!(matches!(first.expect(), Packet::Subscribe(_)));
    let reason = ReasonCode::ServerShuttingDown;
    first.send(&Packet::Disconnect(Box::new(Disconnect::new(reason))));
    drop(first);
    let mut second = script.accept(false);
    subscribed(&mut second);
    second.expect_end();
    drop(second);
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("Server shutting down (0x8B); trying again"), "{stderr}");
}

#[test]
fn nobody_there_is_told_with_a_mend() {
    let place = Place::new();
    // A port that was free a moment ago and that nobody listens at.
    let port = Script::new().port();
    let ended =
        run(&mut place.plexus(["pub", "-h", "127.0.0.1", "-p", &port, "-t", "a", "-n"]), b"");
    assert_eq!(
        ended.failed(1),
        format!(
            "error: cannot connect to mqtt://127.0.0.1:{port}: connection refused; is the broker \
             running? `plexus serve` starts one, by default at 127.0.0.1:1883\n"
        )
    );
}

#[test]
fn a_refused_message_is_told_by_number_and_ends_with_4() {
    let (place, script) = (Place::new(), Script::new());
    let args = ["pub", "-p", &script.port(), "-t", "a", "-l", "-q", "1", "--json"];
    let mut command = place.plexus(args);
    let script_side = std::thread::spawn(move || {
        let mut peer = script.accept(false);
        for reason in [ReasonCode::Success, ReasonCode::NotAuthorized] {
            let publish = peer.expect_publish();
            peer.acknowledge(publish.packet_id, reason);
        }
        peer.expect_end();
    });
    let ended = run(&mut command, b"one\ntwo\n");
    script_side.join().unwrap();
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert_eq!(
        ended.stdout,
        "{\"message\":1,\"qos\":1,\"reason\":\"Success\",\"reason_code\":0}\n\
         {\"message\":2,\"qos\":1,\"reason\":\"Not authorized\",\"reason_code\":135}\n"
    );
    assert_eq!(
        ended.stderr,
        "message 2: Not authorized (0x87)\n\
         error: the broker refused 1 of 2 messages: Not authorized (0x87); this user may not \
         publish there: check -u and -P\n"
    );
}

#[test]
fn the_time_that_is_over_ends_with_5() {
    let (place, script) = (Place::new(), Script::new());
    let args = ["pub", "-p", &script.port(), "-t", "a", "-m", "x", "-q", "1", "-W", "0.3"];
    let mut command = place.plexus(args);
    let script_side = std::thread::spawn(move || {
        let mut peer = script.accept(false);
        peer.expect_publish();
        peer.expect_end();
    });
    let error = run(&mut command, b"").failed(5);
    script_side.join().unwrap();
    assert_eq!(error, "error: the time is over: the message is not acknowledged\n");
}

/// The waits that the notes of lost connections name.
fn waits(stderr: &str) -> Vec<f64> {
    let wait = |line: &str| line.split_once("trying again in ")?.1.strip_suffix(" s")?.parse().ok();
    stderr.lines().filter_map(wait).collect()
}

#[test]
fn a_message_that_ends_each_connection_is_given_up() {
    let (place, script) = (Place::new(), Script::new());
    let args = ["pub", "-p", &script.port(), "-t", "a", "-l", "-q", "1", "-V", "311"];
    let mut command = place.plexus(args);
    let script_side = std::thread::spawn(move || {
        let mut first = script.accept(false);
        let small = first.expect_publish();
        first.acknowledge(small.packet_id, ReasonCode::Success);
        first.expect_publish();
        drop(first);
        for _ in 0..3 {
            script.accept(false).expect_publish();
        }
    });
    let input = format!("small\n{}", "x".repeat(5_000));
    let ended = run(&mut command, input.as_bytes());
    script_side.join().unwrap();
    assert_eq!(ended.code, Some(4), "{ended:?}");
    let last = ended.stderr.lines().last().unwrap();
    assert!(last.starts_with("error: mqtt://localhost:"), "{last}");
    let told = "closed the connection, 3 times in a row while message 2 with 5000 bytes was on \
                its way; the broker may take no message as large";
    assert!(last.contains(told), "{last}");
    assert_eq!(waits(&ended.stderr).len(), 3, "{}", ended.stderr);
}

#[test]
fn the_wait_grows_until_something_is_acknowledged() {
    let (place, script) = (Place::new(), Script::new());
    let mut command = place.plexus(["sub", "-p", &script.port(), "-t", "a", "-W", "60", "-C", "1"]);
    let script_side = std::thread::spawn(move || {
        let mut peer = script.accept(false);
        for _ in 0..2 {
            assert!(matches!(peer.expect(), Packet::Subscribe(_)));
            drop(peer);
            peer = script.accept(false);
        }
        subscribed(&mut peer);
        drop(peer);
        let mut peer = script.accept(false);
        subscribed(&mut peer);
        let publish = script_message("a", b"x");
        peer.send(&publish);
        peer.expect_end();
    });
    let ended = run(&mut command, b"");
    script_side.join().unwrap();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), "x\n"), "{ended:?}");
    let waits = waits(&ended.stderr);
    let [first, second, anew] = waits[..] else { panic!("{ended:?}") };
    assert!((0.2..=0.5).contains(&first) && (0.5..=1.0).contains(&second), "{waits:?}");
    assert!((0.2..=0.5).contains(&anew), "SUBACK came: {waits:?}");
}

fn subscribed(peer: &mut Peer) {
    let Packet::Subscribe(subscribe) = peer.expect() else { panic!("SUBSCRIBE") };
    peer.send(&Packet::SubAck(Box::new(SubAck {
        packet_id: subscribe.packet_id,
        reasons: vec![ReasonCode::Success],
        reason_string: None,
        user_properties: UserProperties::default(),
    })));
}

fn script_message(topic: &str, payload: &'static [u8]) -> Packet {
    Packet::Publish(Publish {
        dup: false,
        qos: Qos::AtMostOnce,
        retain: false,
        topic: topic.try_into().expect("a topic"),
        packet_id: None,
        properties: PublishProperties::default(),
        payload: Bytes::from_static(payload),
    })
}

#[test]
fn a_session_that_the_broker_lost_is_told_and_another_is_not() {
    for (present, told) in [(true, false), (false, true)] {
        let (place, script) = (Place::new(), Script::new());
        let args = ["sub", "-p", &script.port(), "-t", "a", "-c", "-i", "me", "-C", "1"];
        let mut command = place.plexus(args);
        let script_side = std::thread::spawn(move || {
            subscribed(&mut script.accept(false));
            let mut peer = script.accept(present);
            subscribed(&mut peer);
            peer.send(&script_message("a", b"x"));
            peer.expect_end();
        });
        let ended = run(&mut command, b"");
        script_side.join().unwrap();
        let again = ended.stderr.lines().last().unwrap();
        assert!(again.starts_with("connected again to mqtt://localhost:"), "{ended:?}");
        assert_eq!(again.contains("the broker has lost the session"), told, "{again}");
        assert_eq!(ended.ok(), "x\n");
    }
}

#[test]
fn nothing_but_errors_is_said_to_who_wants_quiet() {
    let (place, script) = (Place::new(), Script::new());
    let args = ["sub", "-p", &script.port(), "-t", "a/*", "-C", "1", "--quiet"];
    let mut command = place.plexus(args);
    let script_side = std::thread::spawn(move || {
        subscribed(&mut script.accept(false));
        let mut peer = script.accept(false);
        subscribed(&mut peer);
        peer.send(&script_message("a/*", b"x"));
        peer.expect_end();
    });
    let ended = run(&mut command, b"");
    script_side.join().unwrap();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:?}");
}

#[test]
fn a_packet_that_is_too_large_is_said_in_words() {
    let (place, script) = (Place::new(), Script::new());
    let args = ["pub", "-p", &script.port(), "-t", "a", "-m", "x", "-q", "1"];
    let mut command = place.plexus(args);
    let script_side = std::thread::spawn(move || {
        let mut peer = script.accept(false);
        peer.expect_publish();
        let reason = ReasonCode::PacketTooLarge;
        peer.send(&Packet::Disconnect(Box::new(Disconnect::new(reason))));
    });
    let error = run(&mut command, b"").failed(4);
    script_side.join().unwrap();
    assert!(
        error.starts_with(
            "error: the broker ended the connection: Packet too large (0x95); a packet was larger"
        ),
        "{error}"
    );
}

#[test]
fn a_time_without_connection_is_no_count_of_messages() {
    let place = Place::new();
    let port = Script::new().port();
    let args = ["-p", &port, "-t", "a", "-W", "0.2", "--reconnect", "always"];
    let last = |command: &[&str]| {
        let ended = place.run(command.iter().chain(&args));
        assert_eq!(ended.code, Some(5), "{ended:?}");
        let hints = ended.stderr.lines().filter(|line| line.starts_with("hint: ")).count();
        assert_eq!(hints, 1, "once and not at every attempt: {ended:?}");
        ended.stderr.lines().last().unwrap().to_owned()
    };
    let why = "error: the time is over: there was no connection";
    assert_eq!(last(&["pub", "-m", "x"]), format!("{why}, and nothing was sent"));
    assert_eq!(last(&["sub", "-C", "1"]), why);
}

#[test]
fn a_web_server_is_not_taken_for_a_broker() {
    let (place, script) = (Place::new(), Script::new());
    let mut command = place.plexus(["pub", "-p", &script.port(), "-t", "a", "-m", "x"]);
    let script_side =
        std::thread::spawn(move || script.answer(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    let error = run(&mut command, b"").failed(1);
    script_side.join().unwrap();
    assert!(error.contains("answers in HTTP, not in MQTT; for MQTT over WebSocket"), "{error}");
}

#[test]
fn a_port_that_nobody_answers_at_is_told() {
    let (place, script) = (Place::new(), Script::new());
    let mut command = place.plexus(["pub", "-p", &script.port(), "-t", "a", "-m", "x"]);
    let script_side = std::thread::spawn(move || script.answer(b""));
    let error = run(&mut command, b"").failed(1);
    script_side.join().unwrap();
    assert!(error.contains("closed the connection without an answer to CONNECT; is"), "{error}");
    assert!(error.contains("One with TLS needs --tls or --cafile FILE"), "{error}");
}
