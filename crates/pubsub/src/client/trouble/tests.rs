use std::io;

use plexus_net::{
    StreamError, Transport,
    websocket::{ResponseFault, WebSocketError},
};

use super::{Stage, Trouble, plain};
use crate::client::endpoint::{Endpoint, Given};

pub(super) fn endpoint(transport: Transport) -> Endpoint {
    let server = plexus_net::Endpoint {
        transport,
        host: "broker.example".to_owned(),
        port: 1883,
        path: "/mqtt".to_owned(),
        tls: None,
    };
    Endpoint { server, ca_file: None, given: Given { url: false, tls: vec!["--tls"] } }
}

#[track_caller]
fn assert_told(trouble: &Trouble, what: &str, mend: &str) {
    assert_eq!(trouble.what, what);
    let found = trouble.mend.as_deref().unwrap_or_default();
    assert!(found.contains(mend) && found.is_empty() == mend.is_empty(), "{found:?}: {mend:?}");
}

#[test]
fn what_the_system_says_has_a_mend() {
    use io::ErrorKind as Kind;
    let cannot = "cannot connect to mqtt://broker.example:1883";
    for (kind, why, mend) in [
        (Kind::ConnectionRefused, "connection refused", "by default at 127.0.0.1:1883"),
        (Kind::TimedOut, "no answer in time", "firewall"),
        (Kind::HostUnreachable, "no way leads there", "network of this machine"),
        (Kind::NetworkUnreachable, "no way leads there", "network of this machine"),
    ] {
        let trouble = Trouble::of_io(&endpoint(Transport::Tcp), &kind.into(), Stage::Asked);
        assert_told(&trouble, &format!("{cannot}: {why}"), mend);
    }
    let missing = Trouble::of_io(&endpoint(Transport::Unix), &Kind::NotFound.into(), Stage::Asked);
    assert_told(
        &missing,
        "cannot connect to unix://broker.example: no such socket",
        "is the broker running",
    );
    assert_eq!(plain(&io::Error::from_raw_os_error(111)), "Connection refused");
}

#[test]
fn a_connection_that_ends_early_says_how_far_it_came() {
    for (transport, stage, before, mend) in [
        (Transport::Tls, Stage::Tls, "the first message of TLS", "leave out --tls"),
        (Transport::Ws, Stage::WebSocket, "the request for a WebSocket", "leave out --ws"),
        (Transport::Tcp, Stage::Asked, "CONNECT", "For one with TLS write --cafile FILE"),
        (Transport::Tls, Stage::Asked, "CONNECT", "with WebSocket add --ws"),
    ] {
        let endpoint = endpoint(transport);
        let reset = io::ErrorKind::ConnectionReset.into();
        for trouble in [Trouble::closed(&endpoint, stage), Trouble::of_io(&endpoint, &reset, stage)]
        {
            let what = format!("{endpoint} closed the connection without an answer to {before}");
            assert_told(&trouble, &what, mend);
        }
        let silent = Trouble::silence(&endpoint, stage);
        assert_told(&silent, &format!("{endpoint} does not answer to {before}"), mend);
    }
    let up = Trouble::closed(&endpoint(Transport::Tcp), Stage::Up);
    assert_told(&up, "mqtt://broker.example:1883 closed the connection", "");
}

#[test]
fn another_protocol_is_called_by_its_name() {
    let told = |first| Trouble::of_stranger(&endpoint(Transport::Tcp), first);
    let at = "mqtt://broker.example:1883";
    for (first, what, mend) in [
        (0x15, format!("{at} answers in TLS"), "--cafile FILE"),
        (b'H', format!("{at} answers in HTTP, not in MQTT"), "add --ws"),
        (b'<', format!("{at} answers in HTTP, not in MQTT"), "--ws"),
        (b'S', format!("what answers at {at} does not speak MQTT"), "check host and port"),
    ] {
        assert_told(&told(first).unwrap(), &what, mend);
    }
    for first in [0x20, 0xE0, 0xF0] {
        assert_eq!(told(first), None, "{first:#x} is MQTT");
    }
}

#[test]
fn the_answer_to_a_websocket_request_says_what_is_wrong_with_it() {
    let told = |fault| {
        let error = StreamError::WebSocket(WebSocketError::Response(fault));
        Trouble::of_stream(&endpoint(Transport::Ws), &error, Stage::WebSocket)
    };
    let at = "ws://broker.example:1883/mqtt";
    for (fault, what, mend) in [
        (
            ResponseFault::Status(404),
            format!("nothing is served at the path `/mqtt` of {at} (HTTP status 404)"),
            "Plexus serves WebSocket at /mqtt",
        ),
        (
            ResponseFault::Status(403),
            format!("{at} refuses the WebSocket with HTTP status 403"),
            "login",
        ),
        (
            ResponseFault::Malformed,
            format!("what answers at {at} is no WebSocket"),
            "leave out --ws",
        ),
        (ResponseFault::Subprotocol, format!("{at} opens a WebSocket, but not for MQTT"), "/mqtt"),
    ] {
        assert_told(&told(fault), &what, mend);
    }
}

#[test]
fn a_host_that_is_not_known_is_named() {
    let error = io::Error::other("failed to lookup address information: Name or service not known");
    assert_told(
        &Trouble::unknown_host(&endpoint(Transport::Tcp), &error),
        "cannot find the host `broker.example` of mqtt://broker.example:1883: Name or service not \
         known",
        "check the name",
    );
}

#[test]
fn a_connection_that_stood_is_lost_and_not_refused() {
    use io::ErrorKind as Kind;
    let lost = "lost the connection to mqtt://broker.example:1883";
    for (kind, why, mend) in [
        (Kind::TimedOut, "no sign of life for too long", "network"),
        (Kind::HostUnreachable, "no way leads there any more", "network of this machine"),
        (Kind::NetworkUnreachable, "no way leads there any more", "network of this machine"),
        (Kind::ConnectionRefused, "connection refused", ""),
    ] {
        let trouble = Trouble::of_io(&endpoint(Transport::Tcp), &kind.into(), Stage::Up);
        assert_told(&trouble, &format!("{lost}: {why}"), mend);
        assert!(!trouble.is_cut);
    }
    let reset = Trouble::of_io(&endpoint(Transport::Tcp), &Kind::ConnectionReset.into(), Stage::Up);
    assert!(reset.is_cut);
}

#[test]
fn advice_names_only_what_the_command_line_has() {
    let mend = |transport, url, tls: &[&'static str], stage| {
        let given = Given { url, tls: tls.to_vec() };
        let endpoint = Endpoint { given, ..endpoint(transport) };
        Trouble::closed(&endpoint, stage).mend.unwrap()
    };
    let tls = |url, options: &[&'static str]| mend(Transport::Tls, url, options, Stage::Tls);
    let before = "does this port speak TLS? For one without ";
    assert_eq!(tls(false, &["--cafile"]), format!("{before}leave out --cafile"));
    let three = ["--cafile", "--cert", "--key"];
    assert_eq!(tls(false, &three), format!("{before}leave out --cafile, --cert and --key"));
    assert_eq!(tls(true, &[]), format!("{before}write mqtt:// in the URL"));
    let both = format!("{before}write mqtt:// in the URL and leave out --insecure");
    assert_eq!(tls(true, &["--insecure"]), both);
    let asked = mend(Transport::Tcp, true, &[], Stage::Asked);
    assert!(asked.contains("write mqtts:// in the URL") && !asked.contains("--ws"), "{asked}");
    let websocket = mend(Transport::Wss, true, &[], Stage::WebSocket);
    assert!(websocket.ends_with("For one without write mqtts:// in the URL"), "{websocket}");
}
