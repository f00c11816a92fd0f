//! What happens, told as messages; what is measured where somebody asks for it.

use serde_json::{Value, json};

use crate::{
    api::{As, Managed},
    client::{Client, text},
    program::{Node, Place},
};

const REFUSED: u8 = 0x87;

/// A client that is subscribed to all events, its own among them.
fn watcher(node: &Node) -> Client {
    let mut watcher = Client::connect(node, "watcher");
    watcher.send(0x82, &[&[0, 2, 0], &text("$events/#")[..], &[0]].concat());
    while watcher.hear().0 != 0x90 {}
    watcher
}

/// The next event, by its topic and its payload.
fn event(watcher: &mut Client) -> (String, Value) {
    let (kind, body) = watcher.hear();
    assert_eq!(kind, 0x30, "PUBLISH of QoS 0, and no {body:?}");
    let (head, payload) = body.split_at(body.iter().position(|byte| *byte == b'{').expect("JSON"));
    let topic =
        head.get(2..head.len() - 1).map(|topic| String::from_utf8_lossy(topic).into_owned());
    (topic.expect("a topic"), serde_json::from_slice(payload).expect("JSON"))
}

/// Waits for the event of that name which has that text in a field.
fn told(watcher: &mut Client, name: &str, field: &str, text: &str) -> Value {
    loop {
        let (topic, told) = event(watcher);
        if topic == format!("$events/{name}") && told.get(field) == Some(&json!(text)) {
            return told;
        }
    }
}

#[test]
fn what_happens_is_told_as_messages_that_nobody_forges() {
    let place = Place::new();
    let all = "[events]\npublish = [\"client/connected\", \"client/disconnected\", \"access/refused\", \
               \"session/subscribed\", \"session/unsubscribed\", \"message/delivered\", \"message/acked\"]\n\
               topics = [\"plant/#\"]\n";
    let managed = Managed::start_with(&place, all, &["--set", "node.shards=2"]);
    let mut watcher = watcher(&managed.node);
    let mut robot = Client::connect(&managed.node, "robot");
    let connected = told(&mut watcher, "client/connected", "clientid", "robot");
    assert_eq!(
        (&connected["event"], &connected["listener"]),
        (&json!("client.connected"), &json!("plant"))
    );
    assert_eq!(robot.subscribe("plant/lamp"), 1);
    let subscribed = told(&mut watcher, "session/subscribed", "clientid", "robot");
    assert_eq!((&subscribed["topic"], &subscribed["qos"]), (&json!("plant/lamp"), &json!(1)));
    let message = json!({ "topic": "plant/lamp", "payload": "on", "qos": 1 });
    assert_eq!(managed.post("/publish", &message).0, 200);
    let (kind, body) = robot.hear();
    assert_eq!(kind & 0xF0, 0x30);
    let delivered = told(&mut watcher, "message/delivered", "topic", "plant/lamp");
    assert_eq!((&delivered["clientid"], &delivered["size"]), (&json!("robot"), &json!(2)));
    // The identifier stands behind the topic.
    robot.send(0x40, &body[12..14]);
    let acked = told(&mut watcher, "message/acked", "topic", "plant/lamp");
    assert_eq!((&acked["clientid"], &acked["id"]), (&json!("robot"), &delivered["id"]));
    assert_eq!(robot.publish("$events/client/connected"), REFUSED);
    let refused = told(&mut watcher, "access/refused", "clientid", "robot");
    assert_eq!(
        (&refused["action"], &refused["topic"]),
        (&json!("publish"), &json!("$events/client/connected"))
    );
    let forged = json!({ "topic": "$events/client/connected", "payload": "{}" });
    assert_eq!(managed.post("/publish", &forged).0, 400);
    robot.leave();
    let gone = told(&mut watcher, "client/disconnected", "clientid", "robot");
    assert!(gone["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{gone}");
}

#[test]
fn nothing_is_told_that_nobody_asked_for() {
    let place = Place::new();
    let managed =
        Managed::start_with(&place, "[events]\npublish = [\"client/disconnected\"]\n", &[]);
    let mut watcher = watcher(&managed.node);
    let mut robot = Client::connect(&managed.node, "robot");
    assert_eq!(robot.subscribe("a"), 1);
    robot.leave();
    let (topic, told) = event(&mut watcher);
    assert_eq!(
        (topic.as_str(), &told["clientid"]),
        ("$events/client/disconnected", &json!("robot"))
    );
    place.write("plexus.toml", "[events]\npublish = [\"client/gone\"]\n");
    let wrong = place.run(["config", "check"]).failed(3);
    assert!(wrong.contains("client/gone") && wrong.contains("client/connected"), "{wrong}");
}

#[test]
fn drops_of_events_do_not_make_events_for_ever() {
    let place = Place::new();
    let told = "[events]\npublish = [\"message/dropped\"]\n[mqtt]\nqueue_qos0_offline = false\n";
    let managed = Managed::start_with(&place, told, &[]);
    // It is away, and gets nothing of QoS 0: what is dropped is told, and that is dropped, too.
    let (mut away, _) = Client::resume(&managed.node, "away");
    for filter in ["flood", "$events/message/dropped"] {
        assert_eq!(away.subscribe(filter), 1);
    }
    away.leave();
    let mut watcher = watcher(&managed.node);
    for _ in 0..200 {
        let message = json!({ "topic": "flood", "payload": "x" });
        assert_eq!(managed.post("/publish", &message).0, 200);
    }
    let (mut dropped, mut events) = (0, 0);
    while dropped < 200 {
        let (topic, told) = event(&mut watcher);
        assert_eq!(topic, "$events/message/dropped");
        dropped += told["count"].as_u64().expect("a count");
        events += 1;
    }
    assert!(events < 100, "{events} events for 200 messages");
}

#[test]
fn messages_of_a_topic_are_counted_where_somebody_asks() {
    let place = Place::new();
    let managed = Managed::start(&place, &["--set", "node.shards=2"]);
    let path = "/mqtt/topic_metrics";
    let topic = json!({ "topic": "plant/lamp" });
    assert_eq!(managed.post(path, &topic).0, 200);
    assert_eq!(managed.post(path, &topic).0, 400, "it is counted");
    assert_eq!(managed.post(path, &json!({ "topic": "plant/#" })).0, 400);
    let mut robot = Client::connect(&managed.node, "robot");
    assert_eq!(robot.subscribe("plant/#"), 1);
    for _ in 0..3 {
        let message = json!({ "topic": "plant/lamp", "payload": "on", "qos": 1 });
        assert_eq!(managed.post("/publish", &message).0, 200);
        assert_eq!(robot.receive().0, "plant/lamp");
    }
    let one = managed.get(&format!("{path}/plant%2Flamp"));
    let count = |one: &Value, name: &str| one["metrics"][name].as_f64();
    assert_eq!(count(&one, "messages.in.count"), Some(3.0));
    assert_eq!(count(&one, "messages.qos1.out.count"), Some(3.0));
    let reset = json!({ "action": "reset", "topic": "plant/lamp" });
    assert_eq!(managed.ask(As::Token(&managed.admin), "PUT", path, Some(&reset)).0, 204);
    assert_eq!(count(&managed.get(path)[0], "messages.in.count"), Some(0.0));
    let gone = |status| {
        let path = format!("{path}/plant%2Flamp");
        assert_eq!(managed.ask(As::Token(&managed.admin), "DELETE", &path, None).0, status);
    };
    gone(204);
    gone(404);
    assert_eq!(managed.get(path), json!([]));
    // And anew, now that nobody watched any more.
    assert_eq!(managed.post(path, &topic).0, 200);
    assert_eq!(managed.post("/publish", &json!({ "topic": "plant/lamp", "payload": "x" })).0, 200);
    assert_eq!(count(&managed.get(path)[0], "messages.in.count"), Some(1.0));
}

#[test]
fn who_takes_long_is_found_where_somebody_looks() {
    let place = Place::new();
    let managed = Managed::start(&place, &["--set", "node.shards=2"]);
    let path = "/slow_subscriptions/settings";
    let on =
        json!({ "enable": true, "threshold": "1ms", "top_k_num": 5, "stats_type": "response" });
    let put = |body: &Value| managed.ask(As::Token(&managed.admin), "PUT", path, Some(body));
    assert_eq!(managed.get(path)["enable"], json!(false));
    assert_eq!(put(&on).0, 200);
    assert_eq!(put(&json!({ "enable": true, "threshold": "soon" })).0, 400);
    assert_eq!(managed.get(path)["threshold"], json!("1ms"));
    let mut robot = Client::connect(&managed.node, "robot");
    assert_eq!(robot.subscribe("plant/lamp"), 1);
    let message = json!({ "topic": "plant/lamp", "payload": "on", "qos": 1 });
    // It acknowledges when several other things have been asked: longer than a millisecond.
    assert_eq!(managed.post("/publish", &message).0, 200);
    let (_, body) = robot.hear();
    for _ in 0..20 {
        assert_eq!(managed.get("/slow_subscriptions")["data"], json!([]));
    }
    robot.send(0x40, &body[12..14]);
    let ask = || managed.ask(As::Token(&managed.admin), "GET", "/slow_subscriptions", None).1;
    let is_there = |page: &Value| page["data"][0].is_object();
    let found = (0..20_000).map(|_| ask()).find(is_there);
    let slow = found.expect("it is found")["data"][0].clone();
    assert_eq!((&slow["clientid"], &slow["topic"]), (&json!("robot"), &json!("plant/lamp")));
    assert!(slow["timespan"].as_u64().is_some_and(|millis| millis >= 1), "{slow}");
    let cleared = managed.ask(As::Token(&managed.admin), "DELETE", "/slow_subscriptions", None).0;
    assert_eq!(cleared, 204);
    assert_eq!(managed.get("/slow_subscriptions")["data"], json!([]));
    assert_eq!(put(&json!({ "enable": false })).0, 200);
}
