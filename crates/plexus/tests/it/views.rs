//! What the management API shows beyond lists, and what it changes about clients, on the built program.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use plexus_api_model::ROOT;
use serde_json::{Value, json};

use crate::{
    api::{As, Managed, PATIENCE},
    client::Client,
    program::Place,
};

/// How often something is asked for that takes half a second: a bound of failure.
const LOOKS: usize = 50_000;

/// A live view that is open.
struct View {
    lines: BufReader<TcpStream>,
}

impl View {
    fn open(managed: &Managed, path: &str) -> Self {
        let mut stream = TcpStream::connect(&managed.address).expect("the API listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        let request = format!(
            "GET {ROOT}{path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\r\n",
            managed.address, managed.admin
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut view = Self { lines: BufReader::new(stream) };
        let head = view.until("\r\n");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(head.contains("content-type: text/event-stream"), "{head}");
        view
    }

    fn until(&mut self, end: &str) -> String {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).expect("a line") > 0, "it ended: {all}");
            all.push_str(&line);
            if line == end {
                return all;
            }
        }
    }

    /// The next event of that name that is wanted.
    fn event(&mut self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut of = String::new();
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).expect("a line") > 0, "it ended");
            if let Some(event) = line.strip_prefix("event: ") {
                event.trim().clone_into(&mut of);
            } else if let Some(data) = line.strip_prefix("data: ").filter(|_| of == name) {
                let data: Value = serde_json::from_str(data).expect("JSON");
                if wanted(&data) {
                    return data;
                }
            }
        }
    }

    /// Waits until it has begun: the first beat is sent when it watches.
    fn begun(mut self) -> Self {
        self.until(":\n");
        self
    }
}

#[test]
fn what_waits_for_a_client_is_seen() {
    let place = Place::new();
    let managed = Managed::start(&place, &["--set", "node.shards=2"]);
    let (mut robot, _) = Client::resume(&managed.node, "robot");
    assert_eq!(robot.subscribe("jobs/+"), 1);
    robot.leave();
    for job in ["a", "b", "c"] {
        let publication = json!({ "topic": format!("jobs/{job}"), "payload": job, "qos": 1 });
        assert_eq!(managed.post("/publish", &publication).0, 200);
    }
    let page = managed.get("/clients/robot/mqueue_messages?limit=2&payload_max=10");
    let topic = |page: &Value, at: usize| page["data"][at]["topic"].clone();
    assert_eq!((topic(&page, 0), topic(&page, 1)), (json!("jobs/a"), json!("jobs/b")));
    assert_eq!(page["data"][0]["payload"], "a");
    assert_eq!(page["data"][0]["from_clientid"], "api:admin");
    let cursor = page["meta"]["cursor"].as_str().expect("more").to_owned();
    let rest = managed.get(&format!("/clients/robot/mqueue_messages?cursor={cursor}"));
    assert_eq!(
        (rest["data"].as_array().map(Vec::len), topic(&rest, 0)),
        (Some(1), json!("jobs/c"))
    );
    assert_eq!(rest["data"][0].get("payload"), None, "only where it is asked for");
    // It comes back, and acknowledges nothing.
    let (mut robot, present) = Client::resume(&managed.node, "robot");
    assert!(present);
    for job in ["jobs/a", "jobs/b", "jobs/c"] {
        assert_eq!(robot.receive().0, job);
    }
    let page = managed.get("/clients/robot/inflight_messages");
    let ids: Vec<_> =
        page["data"].as_array().expect("a list").iter().map(|it| &it["packet_id"]).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| id.as_u64().is_some_and(|id| id > 0)), "{ids:?}");
    assert_eq!(managed.get("/clients/robot/mqueue_messages")["meta"]["count"], 0);
    let missing =
        managed.ask(As::Token(&managed.admin), "GET", "/clients/nobody/mqueue_messages", None);
    assert_eq!((missing.0, &missing.1["code"]), (404, &json!("CLIENTID_NOT_FOUND")));
    for wrong in ["limit=0", "limit=1001", "cursor=x", "payload_max=65537", "page=1"] {
        let path = format!("/clients/robot/mqueue_messages?{wrong}");
        assert_eq!(managed.ask(As::Token(&managed.admin), "GET", &path, None).0, 400, "{wrong}");
    }
}

#[test]
fn clients_are_subscribed_as_their_rules_allow() {
    let place = Place::new();
    let rules = "[access]\nno_match = \"allow\"\n[[access.rule]]\nname = \"secret\"\ndeny = [\"subscribe\"]\ntopics = [\"secret/#\"]\n";
    let managed = Managed::start_with(&place, rules, &["--set", "node.shards=2"]);
    let mut robot = Client::connect(&managed.node, "robot");
    let (mut away, _) = Client::resume(&managed.node, "away");
    assert_eq!(away.subscribe("x"), 1);
    away.leave();
    robot.retain("news/today", b"sun");
    let news = json!({ "topic": "news/+", "qos": 1 });
    let (status, granted) = managed.post("/clients/robot/subscribe", &news);
    assert_eq!((status, &granted["topic"], &granted["qos"]), (200, &json!("news/+"), &json!(1)));
    assert_eq!(robot.receive(), ("news/today".to_owned(), b"sun".to_vec()), "what is retained");
    assert_eq!(managed.post("/publish", &json!({ "topic": "news/now", "payload": "rain" })).0, 200);
    assert_eq!(robot.receive(), ("news/now".to_owned(), b"rain".to_vec()));
    let (status, refused) =
        managed.post("/clients/robot/subscribe", &json!({ "topic": "secret/x" }));
    assert_eq!((status, &refused["code"]), (403, &json!("SUBSCRIPTION_NOT_GRANTED")));
    let several = json!([{ "topic": "a" }, { "topic": "secret/y" }, { "topic": "b", "rh": 2 }]);
    let (status, granted) = managed.post("/clients/away/subscribe/bulk", &several);
    let topics: Vec<_> =
        granted.as_array().expect("a list").iter().filter_map(|it| it["topic"].as_str()).collect();
    assert_eq!((status, topics), (200, vec!["a", "b"]));
    let mut held: Vec<_> = managed
        .get("/clients/away/subscriptions")
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| it["topic"].as_str().expect("a filter").to_owned())
        .collect();
    held.sort_unstable();
    assert_eq!(held, ["a", "b", "x"]);
    assert_eq!(
        managed
            .post("/clients/away/unsubscribe/bulk", &json!([{ "topic": "a" }, { "topic": "x" }]))
            .0,
        204
    );
    assert_eq!(managed.post("/clients/robot/unsubscribe", &json!({ "topic": "news/+" })).0, 204);
    assert_eq!(managed.post("/clients/nobody/unsubscribe", &json!({ "topic": "x" })).0, 404);
    for wrong in [
        json!({ "topic": "a/#/b" }),
        json!({ "topic": "a", "qos": 3 }),
        json!({ "topic": "a", "nl": 2 }),
        json!({ "topic": "a", "rh": 3 }),
        json!({ "topic": "a", "more": 1 }),
    ] {
        assert_eq!(managed.post("/clients/robot/subscribe", &wrong).0, 400, "{wrong}");
    }
    // A robot that asks itself is answered all the same: nothing is left of what was asked for it.
    assert_eq!(robot.subscribe("own"), 1);
}

#[test]
fn retained_messages_and_topics_are_walked() {
    let place = Place::new();
    let managed = Managed::start(&place, &["--set", "node.shards=3"]);
    let mut robot = Client::connect(&managed.node, "robot");
    for number in 0..30 {
        robot.retain(
            &format!("hall/{}/lamp/{number:02}", number % 3),
            format!("{number}").as_bytes(),
        );
    }
    robot.retain("hall", b"\xff\x00");
    assert_eq!(robot.subscribe("hall/+/lamp/#"), 1);
    let (mut seen, mut cursor) = (Vec::new(), "none".to_owned());
    loop {
        let page = managed.get(&format!(
            "/mqtt/retainer/messages?limit=7&topic=hall/%2B/%23&cursor={}",
            cursor.replace('/', "%2F")
        ));
        let data = page["data"].as_array().expect("a list");
        seen.extend(data.iter().map(|it| it["topic"].as_str().expect("a topic").to_owned()));
        match page["meta"]["cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen.len(), 30);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 30);
    assert_eq!(managed.names("/mqtt/retainer/messages?limit=20&page=2", "topic").len(), 11);
    let one = managed.get("/mqtt/retainer/message/hall%2F1%2Flamp%2F04");
    assert_eq!(
        (&one["payload"], &one["payload_encoding"], &one["from_clientid"]),
        (&json!("NA=="), &json!("base64"), &json!("robot"))
    );
    let level = |query: &str| {
        let page = managed.get(&format!("/topics/tree?{query}"));
        let told = |it: &Value| {
            let mark = if it.get("retained").is_some() { "=" } else { "" };
            let more = if it["has_children"] == json!(true) { "/" } else { "" };
            format!("{}{mark}{more}", it["name"].as_str().expect("a name"))
        };
        let names: Vec<_> = page["data"].as_array().expect("a list").iter().map(told).collect();
        (names.join(" "), page["meta"]["cursor"].as_str().map(str::to_owned))
    };
    assert_eq!(
        level("limit=1000").0.split(' ').find(|name| name.starts_with("hall")),
        Some("hall=/")
    );
    assert_eq!(level("parent=hall"), ("0/ 1/ 2/".to_owned(), None));
    assert_eq!(level("parent=hall&limit=2"), ("0/ 1/".to_owned(), Some("1".to_owned())));
    assert_eq!(level("parent=hall&limit=2&cursor=1"), ("2/".to_owned(), None));
    assert_eq!(level("parent=hall%2F1%2Flamp&limit=2").0, "01= 04=");
    assert_eq!(level("parent=nothing").0, "");
    assert_eq!(managed.names("/topics", "topic"), ["hall/+/lamp/#"]);
    assert_eq!(managed.get("/topics/hall%2F%2B%2Flamp%2F%23")[0]["topic"], "hall/+/lamp/#");
    assert_eq!(managed.ask(As::Token(&managed.admin), "GET", "/topics/nobody", None).0, 404);
    // What is deleted is gone, for those who are subscribed too.
    let path = "/mqtt/retainer/message/hall%2F1%2Flamp%2F04";
    for _ in 0..30 {
        assert!(robot.receive().0.starts_with("hall/"));
    }
    assert_eq!(managed.ask(As::Token(&managed.admin), "DELETE", path, None).0, 204);
    assert_eq!(robot.receive(), ("hall/1/lamp/04".to_owned(), Vec::new()));
    assert_eq!(managed.ask(As::Token(&managed.admin), "GET", path, None).0, 404);
    assert_eq!(managed.ask(As::Token(&managed.admin), "DELETE", path, None).0, 404);
    let own =
        managed.ask(As::Token(&managed.admin), "DELETE", "/mqtt/retainer/message/%24SYS%2Fx", None);
    assert_eq!(own.0, 400);
}

#[test]
fn what_was_answered_is_seen_at_once() {
    let place = Place::new();
    let managed = Managed::start(&place, &["--set", "node.shards=4"]);
    for number in 0..60 {
        let kept = json!({ "topic": format!("lamp/{number}"), "payload": "1", "retain": true });
        assert_eq!(managed.post("/publish", &kept).0, 202);
        let path = format!("/mqtt/retainer/message/lamp%2F{number}");
        let status = |method| managed.ask(As::Token(&managed.admin), method, &path, None).0;
        assert_eq!(status("GET"), 200, "{number}");
        assert_eq!(status("DELETE"), 204, "{number}");
        assert_eq!(status("GET"), 404, "{number}");
    }
}

#[test]
fn tenants_take_no_room_in_the_tree_of_others() {
    let place = Place::new();
    let tenants = ["t0", "t1", "t2", "t3", "t4"]
        .map(|name| format!("[[access.tenant]]\nname = \"{name}\"\n"))
        .concat();
    let managed = Managed::start_with(&place, &tenants, &["--set", "node.shards=1"]);
    let retain = |topic: &str, tenant: Value| {
        let kept = json!({ "topic": topic, "payload": "1", "retain": true, "tenant": tenant });
        assert_eq!(managed.post("/publish", &kept).0, 202);
    };
    for number in 0..5 {
        retain(&format!("own-{number}"), Value::Null);
        retain("theirs", json!(format!("t{number}")));
    }
    let mut names = managed.names("/topics/tree?limit=3&cursor=%24SYS", "name");
    names.extend(managed.names("/topics/tree?limit=3&cursor=own-2", "name"));
    assert_eq!(names, ["own-0", "own-1", "own-2", "own-3", "own-4"]);
    assert_eq!(managed.names("/topics/tree?tenant=t3", "name"), ["theirs"]);
    for wrong in ["/topics/tree?cursor=a%00b", "/mqtt/retainer/messages?cursor=0-a%00b"] {
        assert_eq!(managed.ask(As::Token(&managed.admin), "GET", wrong, None).0, 400, "{wrong}");
    }
}

#[test]
fn it_is_explained_who_gets_a_message_and_who_does_not() {
    let place = Place::new();
    let rules = "[access]\nno_match = \"allow\"\nfilter_deliveries = true\n\
        [[access.rule]]\nname = \"guests see no pay\"\ndeny = [\"subscribe\"]\nclients = [\"guest*\"]\ntopics = [\"plant/pay\"]\n\
        [[access.rule]]\nname = \"nobody orders\"\ndeny = [\"publish\"]\ntopics = [\"plant/order\"]\n";
    let managed = Managed::start_with(&place, rules, &["--set", "node.shards=2"]);
    let mut boss = Client::connect(&managed.node, "boss");
    assert_eq!(boss.subscribe("plant/#"), 1);
    // Whoever has two that match gets it once, and is named once.
    assert_eq!(boss.subscribe("plant/pay"), 1);
    let mut guest = Client::connect(&managed.node, "guest-1");
    assert_eq!(guest.subscribe("plant/+"), 1);
    let (mut away, _) = Client::resume(&managed.node, "away");
    assert_eq!(away.subscribe("plant/pay"), 1);
    assert_eq!(away.subscribe("$share/crew/plant/+"), 1);
    away.leave();
    let ask = |body: &Value| {
        let (status, answer) = managed.post("/explain/publish", body);
        assert_eq!(status, 200, "{answer}");
        answer
    };
    let answer = ask(&json!({ "topic": "plant/pay", "qos": 1, "retain": true }));
    let mut told: Vec<_> = answer["receivers"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| format!("{} {} {}", it["clientid"], it["fate"], it["because"]))
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            r#""away" "queued" null"#,
            r#""boss" "sent" null"#,
            r#""guest-1" "refused" "rule `guests see no pay`, access.rule 1""#,
        ]
    );
    assert_eq!(answer["groups"][0]["filter"], "$share/crew/plant/+");
    assert_eq!(answer["groups"][0]["members"][0]["clientid"], "away");
    assert!(answer["retained"].as_str().is_some_and(|told| told.contains("becomes")), "{answer}");
    let answer = ask(&json!({ "topic": "plant/order", "client": { "clientid": "boss" } }));
    assert_eq!(
        answer["publisher"],
        json!({ "ruling": "refused", "because": "rule `nobody orders`, access.rule 2" })
    );
    assert_eq!(answer["publisher_known"], true);
    assert_eq!(ask(&json!({ "topic": "plant/pay", "limit": 1 }))["has_more"], true);
    let access = json!({ "action": "subscribe", "topic": "x/#", "client": { "clientid": "new", "ip_address": "10.0.0.1" } });
    assert_eq!(managed.post("/explain/access", &access).1["ruling"], "allowed");
    for (wrong, status) in [
        (json!({ "topic": "a/#" }), 400),
        (json!({ "topic": "a", "limit": 0 }), 400),
        (json!({ "topic": "a", "client": { "clientid": "x", "listener": "nowhere" } }), 404),
        (json!({ "topic": "a", "client": { "tenant": "nobody" } }), 404),
    ] {
        assert_eq!(managed.post("/explain/publish", &wrong).0, status, "{wrong}");
    }
    // Nothing of it was done.
    assert_eq!(managed.get("/mqtt/retainer/messages?topic=plant/%23")["data"], json!([]));
}

#[test]
fn it_is_explained_why_a_client_is_not_there() {
    let place = Place::new();
    let managed = Managed::start(&place, &[]);
    let story = |client: &str| managed.get(&format!("/explain/client/{client}"));
    assert!(story("nobody")["told"].as_str().expect("told").contains("nothing is remembered"));
    let mut robot = Client::connect(&managed.node, "robot");
    assert_eq!(robot.subscribe("x"), 1);
    assert_eq!(story("robot")["told"], "connected");
    let path = "/clients/robot";
    assert_eq!(managed.ask(As::Token(&managed.admin), "DELETE", path, None).0, 204);
    let told = story("robot");
    let words = told["told"].as_str().expect("told");
    assert!(
        words.contains("its session ended") || words.contains("Administrative action"),
        "{told}"
    );
    assert_eq!(told["client"], Value::Null);
    let events: Vec<_> =
        told["events"].as_array().expect("a list").iter().map(|it| it["event"].clone()).collect();
    assert!(
        events.contains(&json!("connect")) && events.contains(&json!("disconnect")),
        "{events:?}"
    );
}

#[test]
fn live_views_show_what_goes_on() {
    let place = Place::new();
    let managed = Managed::start(&place, &["--set", "node.shards=2"]);
    let mut messages =
        View::open(&managed, "/live/messages?topic=plant/%23&deliveries=true").begun();
    let mut topics = View::open(&managed, "/live/topics").begun();
    let mut events = View::open(&managed, "/live/events?kind=login").begun();
    let mut robot = Client::connect(&managed.node, "robot");
    let came = events.event("event", |event| event["clientid"] == "robot");
    assert_eq!((&came["event"], &came["outcome"]), (&json!("connect"), &json!("done")));
    assert_eq!(robot.subscribe("plant/#"), 1);
    let subscribed = messages.event("message", |_| true);
    assert_eq!(
        (&subscribed["event"], &subscribed["clientid"]),
        (&json!("subscribed"), &json!("robot"))
    );
    assert_eq!(managed.post("/publish", &json!({ "topic": "other", "payload": "no" })).0, 202);
    assert_eq!(
        managed.post("/publish", &json!({ "topic": "plant/a", "payload": "on", "qos": 1 })).0,
        200
    );
    assert_eq!(robot.receive().0, "plant/a");
    let published = messages.event("message", |_| true);
    assert_eq!(
        (&published["event"], &published["topic"], &published["payload"]),
        (&json!("published"), &json!("plant/a"), &json!("on"))
    );
    let delivered = messages.event("message", |_| true);
    assert_eq!(
        (&delivered["event"], &delivered["clientid"], &delivered["from_clientid"]),
        (&json!("delivered"), &json!("robot"), &json!("api:admin"))
    );
    let told = topics.event("topics", |event| {
        event["topics"]
            .as_array()
            .is_some_and(|list| list.iter().any(|it| it["topic"] == "plant/a"))
    });
    let last = told["topics"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|it| it["topic"] == "plant/a")
        .expect("it");
    assert_eq!((&last["count"], &last["payload"]), (&json!(1), &json!("on")));
    // Whoever logs out sees no more: the view of another token goes on.
    let others = View::open(&managed, "/live/messages?clientid=robot");
    drop(others);
    for wrong in ["topic=a/%23/b", "payload_max=70000", "ip_address=x", "tenant=none"] {
        let path = format!("/live/messages?{wrong}");
        let status = managed.ask(As::Token(&managed.admin), "GET", &path, None).0;
        assert!(status == 400 || status == 404, "{wrong}: {status}");
    }
}

#[test]
fn bans_are_made_kept_and_taken_back() {
    let place = Place::new();
    let file = "[[access.ban]]\nclient = \"old\"\nreason = \"sold\"\n";
    let managed = Managed::start_with(&place, file, &["--data-dir", "data"]);
    let mut robot = Client::connect(&managed.node, "robot-1");
    let ban = json!({ "as": "clientid", "who": "robot-*", "reason": "stolen", "until": "2999-01-01T00:00:00Z" });
    let (status, banned) = managed.post("/banned", &ban);
    assert_eq!((status, &banned["by"], &banned["source"]), (200, &json!("admin"), &json!("api")));
    let (kind, body) = robot.hear();
    // MQTT knows Banned as an answer to CONNECT only.
    assert_eq!((kind, body.first()), (0xe0, Some(&0x87)), "DISCONNECT, Not authorized");
    assert_eq!(managed.post("/banned", &ban).0, 400, "it is there already");
    let mut refused = Client::knock(&managed.node, "robot-2", 2, &[]);
    assert_eq!(refused.connack().1, 0x8a);
    assert_eq!(managed.names("/banned", "who"), ["old", "robot-*"]);
    assert_eq!(managed.names("/banned?like_clientid=bot", "who"), ["robot-*"]);
    let delete = |path: &str| managed.ask(As::Token(&managed.admin), "DELETE", path, None).0;
    assert_eq!((delete("/banned/clientid/old"), delete("/banned/username/nobody")), (409, 404));
    for wrong in [
        json!({ "as": "clientid", "who": "" }),
        json!({ "as": "shoe", "who": "x" }),
        json!({ "as": "peerhost", "who": "nowhere" }),
        json!({ "as": "clientid", "who": "x", "until": "2001-01-01T00:00:00Z" }),
        json!({ "as": "clientid", "who": "x", "until": "sometime" }),
    ] {
        assert_eq!(managed.post("/banned", &wrong).0, 400, "{wrong}");
    }
    // Bans of the file are read anew, and those of the API hold on; after a restart, too.
    let mut managed = managed;
    managed.node.reload();
    let mut refused = Client::knock(&managed.node, "robot-2", 2, &[]);
    assert_eq!(refused.connack().1, 0x8a);
    let admin = managed.password.clone();
    managed.node.stop();
    let managed = Managed::again(&place, &["--data-dir", "data"], &admin);
    let mut refused = Client::knock(&managed.node, "robot-2", 2, &[]);
    assert_eq!(refused.connack().1, 0x8a);
    let delete = |path: &str| managed.ask(As::Token(&managed.admin), "DELETE", path, None).0;
    assert_eq!(delete("/banned/clientid/robot-%2A"), 204);
    let _back = Client::connect(&managed.node, "robot-2");
    assert_eq!(
        managed.post("/banned", &json!({ "as": "peerhost_net", "who": "192.0.2.0/24" })).0,
        200
    );
    assert_eq!((delete("/banned"), managed.names("/banned", "who").len()), (204, 1));
    // All of it stands in the audit log.
    let records = managed.get("/audit?kind=admin&search=banned");
    let acts: Vec<_> =
        records["data"].as_array().expect("a list").iter().map(|it| it["act"].clone()).collect();
    assert!(acts.contains(&json!("ban")) && acts.contains(&json!("unban_all")), "{acts:?}");
    // A question is no act.
    let question = json!({ "action": "publish", "topic": "banned" });
    assert_eq!(managed.post("/explain/access", &question).0, 200);
    assert_eq!(managed.get("/audit?search=explain")["data"], json!([]));
    assert!(
        managed
            .names("/audit?kind=ban&clientid=robot-2", "outcome")
            .contains(&"refused".to_owned())
    );
}

#[test]
fn a_trace_writes_down_what_a_client_does() {
    let place = Place::new();
    let managed = Managed::start(
        &place,
        &["--data-dir", "data", "--set", "api.max_request_rate_per_address=off"],
    );
    let trace = json!({ "name": "robot", "type": "clientid", "clientid": "robot" });
    let (status, begun) = managed.post("/trace", &trace);
    assert_eq!((status, &begun["status"]), (200, &json!("running")), "{begun}");
    assert_eq!(managed.post("/trace", &trace).0, 400, "there is one of that name");
    let mut robot = Client::connect(&managed.node, "robot");
    let mut other = Client::connect(&managed.node, "other");
    assert_eq!(robot.subscribe("plant/#"), 1);
    other.publish("plant/lamp");
    assert_eq!(robot.receive().0, "plant/lamp");
    robot.leave();
    let log = || {
        managed.get("/trace/robot/log?bytes=1048576")["items"].as_str().expect("text").to_owned()
    };
    // It is written twice a second.
    let written = (0..LOOKS).any(|_| log().contains("\"disconnect\""));
    assert!(written, "{}", log());
    let text = log();
    for told in ["\"connect\"", "\"subscribed\"", "\"delivered\"", "\"from_clientid\":\"other\""] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert!(!text.contains("\"published\""), "it has published nothing: {text}");
    let path = "/trace/robot/stop";
    assert_eq!(managed.ask(As::Token(&managed.admin), "PUT", path, None).1["status"], "stopped");
    let download = format!("{ROOT}/trace/robot/download");
    let (status, whole) = managed.ask_for(As::Token(&managed.admin), "GET", &download, None);
    assert_eq!(status, 200);
    assert!(whole.contains("\"delivered\""), "{whole}");
    // What was seen until it was stopped is written.
    let quick = json!({ "name": "quick", "type": "topic", "topic": "hall/#" });
    assert_eq!(managed.post("/trace", &quick).0, 200);
    other.publish("hall/lamp");
    assert_eq!(managed.ask(As::Token(&managed.admin), "PUT", "/trace/quick/stop", None).0, 200);
    let has =
        |_| managed.get("/trace/quick/log")["items"].as_str().expect("text").contains("hall/lamp");
    assert!((0..LOOKS).any(has));
    let delete = |path: &str| managed.ask(As::Token(&managed.admin), "DELETE", path, None).0;
    assert_eq!((delete("/trace/robot"), delete("/trace/robot")), (204, 404));
    for wrong in [
        json!({ "name": "../x", "type": "clientid", "clientid": "r" }),
        json!({ "name": "x", "type": "clientid", "topic": "r" }),
        json!({ "name": "x", "type": "topic", "topic": "a/#/b" }),
        json!({ "name": "x", "type": "ip_address", "ip_address": "here" }),
        json!({ "name": "x", "type": "clientid", "clientid": "r", "end_at": "2001-01-01T00:00:00Z" }),
    ] {
        assert_eq!(managed.post("/trace", &wrong).0, 400, "{wrong}");
    }
}

#[test]
fn numbers_are_what_prometheus_reads() {
    let place = Place::new();
    let managed = Managed::start(&place, &["--data-dir", "data"]);
    let (mut robot, _) = Client::resume(&managed.node, "robot");
    assert_eq!(robot.subscribe("x"), 1);
    assert_eq!(managed.post("/publish", &json!({ "topic": "x", "payload": "1" })).0, 200);
    assert_eq!(robot.receive().0, "x");
    let metrics = || managed.ask_for(As::Token(&managed.admin), "GET", "/metrics", None).1;
    // What has reached the client is measured a moment later.
    let is_measured = |text: &String| {
        text.contains("plexus_delivery_seconds_count ")
            && !text.contains("plexus_delivery_seconds_count 0\n")
    };
    let own = (0..20_000).map(|_| metrics()).find(is_measured).unwrap_or_default();
    let path = format!("{ROOT}/prometheus/stats");
    let (_, as_emqx) = managed.ask_for(As::Token(&managed.admin), "GET", &path, None);
    for measured in ["delivery", "commit", "handshake"] {
        let count = own
            .lines()
            .find_map(|line| line.strip_prefix(&format!("plexus_{measured}_seconds_count ")));
        let count: u64 = count.and_then(|count| count.parse().ok()).expect("a count");
        assert!(count > 0, "{measured}: {own}");
    }
    for text in [own, as_emqx] {
        let mut check = std::process::Command::new("promtool");
        let checked = crate::program::run(check.args(["check", "metrics"]), text.as_bytes());
        // A hint about a name is none about the form: names of EMQX are what they are.
        assert!(
            !checked.stderr.contains("error while linting") && !checked.stderr.contains("parsing"),
            "{checked:?}"
        );
    }
    assert!(managed.get("/monitor?latest=10").is_array());
}
