//! Answers that do not end, and answers that only some get.

use serde_json::{Value, json};

use super::{
    run,
    server::{Server, json as answer, refusal, text},
};

fn message(payload: &str) -> String {
    json!({
        "at": "2026-11-30T12:00:00.000Z", "event": "published", "clientid": "robot-7", "topic": "a/b", "qos": 1,
        "size": 2, "payload": payload, "payload_encoding": "plain"
    })
    .to_string()
}

fn stream(events: &str) -> Server {
    let events = events.to_owned();
    Server::start(move |_| {
        let head =
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/event-stream\r\n\r\n";
        [head, &events].concat().into_bytes()
    })
}

#[test]
fn events_are_printed_as_they_come() {
    let (on, evil) = (message("on"), message("\u{1b}[2J\n\u{202e}"));
    let server = stream(&format!(
        ":\n\n: hello\nevent: message\ndata: {on}\n\nevent: lost\r\ndata: {{\"count\": 7}}\r\n\r\nid: 3\ndata:{evil}\n\n"
    ));
    let ran = run(&server.url(), &["live", "messages", "--count", "2"]);
    assert_eq!(ran.notes, "7 events were left out: this reads too slowly\n");
    assert_eq!(
        ran.fine(),
        "2026-11-30T12:00:00.000Z  published     robot-7  a/b  qos 1  2 B  on\n\
         2026-11-30T12:00:00.000Z  published     robot-7  a/b  qos 1  2 B  \\u{1b}[2J\\n\\u{202e}\n"
    );
    let printed = run(&server.url(), &["live", "messages", "--count", "2", "--json"]).fine();
    let lines: Vec<Value> =
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["payload"], "\u{1b}[2J\n\u{202e}");
    assert!(printed.is_ascii(), "{printed:?}");
}

#[test]
fn data_may_stand_on_several_lines() {
    let on = message("on");
    let (first, second) = on.split_once(',').unwrap();
    let server = stream(&format!("data: {first},\ndata: {second}\n\n"));
    assert!(
        run(&server.url(), &["live", "messages", "--count", "1"]).fine().ends_with("2 B  on\n")
    );
}

#[test]
fn a_stream_that_ends_or_is_none_is_a_failure() {
    let on = message("on");
    let server = stream(&format!("data: {on}\n\n"));
    let ran = run(&server.url(), &["live", "messages"]);
    assert!(ran.text.ends_with("on\n"), "what had come is printed");
    assert!(ran.failure().contains("has ended the stream"));
    let server = stream(&format!("data: {on}\n"));
    let failure = run(&server.url(), &["live", "messages"]).failure();
    assert!(failure.contains("has ended the stream"), "half an event is none: {failure}");
    let server = stream("data: {\n\n");
    let failure = run(&server.url(), &["live", "messages"]).failure();
    assert!(failure.contains("gives an answer to `live_messages` that is none"), "{failure}");
    let server = Server::start(|_| refusal(503, "SERVICE_UNAVAILABLE", "too many streams"));
    let failure = run(&server.url(), &["live", "events"]).failure();
    assert!(failure.contains("too many streams (503"), "{failure}");
}

#[test]
fn what_is_refused_is_no() {
    let ruling = |ruling: &'static str| {
        Server::start(move |_| answer(200, &json!({ "ruling": ruling, "because": "rule 3" })))
    };
    let ask = ["explain", "access", "publish", "a/b", "--user", "eve"];
    assert_eq!(run(&ruling("allowed").url(), &ask).fine(), "allowed: rule 3\n");
    let ran = run(&ruling("refused").url(), &ask);
    assert_eq!(ran.text, "refused: rule 3\n");
    assert_eq!(ran.failure(), "no");
}

#[test]
fn filters_that_are_not_granted_are_a_failure() {
    let granted = json!([{
        "clientid": "r", "node": "n", "topic": "a/#", "qos": 1, "nl": 0, "rap": 0, "rh": 0, "durable": false
    }]);
    let server = Server::start(move |_| answer(200, &granted));
    let ran = run(&server.url(), &["clients", "subscribe", "r", "a/#", "b/#"]);
    assert!(ran.text.contains("r       a/#"), "{ran:?}");
    assert!(ran.failure().contains("1 of 2 filters were not granted"));
}

#[test]
fn a_retained_payload_is_written_as_it_is() {
    let message = json!({
        "msgid": "1", "topic": "a", "qos": 0, "from_clientid": "r", "size": 2, "payload": "/wA=",
        "payload_encoding": "base64"
    });
    let server = Server::start(move |_| text(200, &message.to_string()));
    let text = run(&server.url(), &["retained", "show", "a"]).fine();
    assert!(text.contains("payload           /wA=\n"), "{text}");
    assert_eq!(super::bytes(&server.url(), &["retained", "show", "a", "--raw"]), b"\xFF\x00");
}

#[test]
fn a_trace_is_printed_part_by_part() {
    let server = Server::start(|seen| {
        let part = |items: &str, position: u64| {
            answer(
                200,
                &json!({ "items": items, "meta": { "position": position, "bytes": items.len() } }),
            )
        };
        match seen.target.split_once("position=").and_then(|(_, rest)| rest.split('&').next()) {
            Some("0") => part("{\"a\":\"\u{202e}\"}\n", 12),
            Some("12") => part("{\"b\":2}\n", 20),
            _ => part("", 20),
        }
    });
    let text = run(&server.url(), &["trace", "show", "slow"]).fine();
    assert_eq!(text, "{\"a\":\"\\u202e\"}\n{\"b\":2}\n");
    assert_eq!(server.seen().len(), 3);
}
