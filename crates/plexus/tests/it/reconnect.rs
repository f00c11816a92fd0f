//! What the clients do when a connection ends.

use std::process::Stdio;

use plexus_types::ReasonCode;
use plexus_wire::{Disconnect, Packet};

use crate::{
    broker::Script,
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
    assert!(stderr.contains("closed the connection; trying again in 0."), "{stderr}");
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
        "error: the broker refused the connection: Not authorized (0x87)\n"
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
    let Packet::Subscribe(subscribe) = second.expect() else { panic!("SUBSCRIBE") };
    second.send(&Packet::SubAck(Box::new(plexus_wire::SubAck {
        packet_id: subscribe.packet_id,
        reasons: vec![ReasonCode::Success],
        reason_string: None,
        user_properties: plexus_wire::UserProperties::default(),
    })));
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
            "error: cannot connect to mqtt://127.0.0.1:{port}: Connection refused (os error 111); \
             start a broker with `plexus serve`\n"
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
         error: the broker refused 1 of 2 messages: Not authorized (0x87)\n"
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
    assert_eq!(error, "error: the time is over: 1 of 1 messages are not acknowledged\n");
}
