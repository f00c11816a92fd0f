//! The management API of the built program, asked as other programs ask.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use plexus_api_model::{Method, Need, ROOT, Role, operations};
use serde_json::{Value, json};

use crate::{
    client::Client,
    program::{Node, Place},
};

/// How long an answer may take: a bound of failure.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A node with the API, and its administrator.
pub(crate) struct Managed {
    pub(crate) node: Node,
    pub(crate) address: String,
    /// The token of the administrator, and the password.
    pub(crate) admin: String,
    pub(crate) password: String,
}

/// What shows who asks.
#[derive(Clone, Copy)]
pub(crate) enum As<'a> {
    Nobody,
    Token(&'a str),
    Key(&'a str, &'a str),
}

impl Managed {
    pub(crate) fn start(place: &Place, args: &[&str]) -> Self {
        Self::start_with(place, "", args)
    }

    /// With more in its configuration.
    pub(crate) fn start_with(place: &Place, more: &str, args: &[&str]) -> Self {
        let (node, address, password) = Self::begin(place, more, args);
        Self::known(node, address, &password)
    }

    /// The same place once more.
    pub(crate) fn again(place: &Place, args: &[&str], password: &str) -> Self {
        let mut node = Node::start(place, args);
        let address = Self::address(&mut node);
        Self::known(node, address, password)
    }

    fn known(node: Node, address: String, password: &str) -> Self {
        let mut managed =
            Self { node, address, admin: String::new(), password: password.to_owned() };
        managed.admin = managed.log_in("admin", password);
        managed
    }

    /// A node, where its API is, and the password of the administrator that it has made.
    fn begin(place: &Place, more: &str, args: &[&str]) -> (Node, String, String) {
        let listens = "[api]\naddress = \"127.0.0.1:0\"\n[[listener]]\nurl = \"tcp://127.0.0.1:0\"\nname = \"plant\"\n";
        place.write("plexus.toml", &format!("{more}{listens}"));
        let mut node = Node::start(place, args);
        let told = node.record("new administrator");
        let password = told.split("password ").nth(1).and_then(|rest| rest.split(' ').next());
        let password = password.expect("a password").to_owned();
        let address = Self::address(&mut node);
        (node, address, password)
    }

    fn address(node: &mut Node) -> String {
        let told = node.record("management API");
        let record: Value = serde_json::from_str(&told).expect("a record");
        let url = record.pointer("/fields/url").and_then(Value::as_str).expect("a URL");
        url.trim_start_matches("http://").to_owned()
    }

    fn log_in(&self, user: &str, password: &str) -> String {
        let body = json!({ "username": user, "password": password });
        let (status, answer) = self.ask(As::Nobody, "POST", "/login", Some(&body));
        assert_eq!(status, 200, "{answer}");
        answer.get("token").and_then(Value::as_str).expect("a token").to_owned()
    }

    pub(crate) fn ask(
        &self,
        who: As<'_>,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, Value) {
        let (status, text) = self.ask_for(who, method, &format!("{ROOT}{path}"), body);
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    pub(crate) fn ask_for(
        &self,
        who: As<'_>,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> (u16, String) {
        let body = body.map(Value::to_string).unwrap_or_default();
        let shown = match who {
            As::Nobody => String::new(),
            As::Token(token) => format!("authorization: Bearer {token}\r\n"),
            As::Key(key, secret) => {
                format!("authorization: Basic {}\r\n", STANDARD.encode(format!("{key}:{secret}")))
            }
        };
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{shown}\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}",
            self.address
        );
        let mut stream = TcpStream::connect(&self.address).expect("the API listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, text) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.expect("a status"), text.to_owned())
    }

    /// Asks as the administrator, and it succeeds.
    pub(crate) fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask(As::Token(&self.admin), "GET", path, None);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask(As::Token(&self.admin), "POST", path, Some(body))
    }

    pub(crate) fn names(&self, path: &str, key: &str) -> Vec<String> {
        let answer = self.get(path);
        let data = answer.get("data").and_then(Value::as_array);
        let data = data.unwrap_or_else(|| panic!("{path}: {answer}"));
        let name = |one: &Value| one.get(key).and_then(Value::as_str).expect("a name").to_owned();
        data.iter().map(name).collect()
    }
}

#[test]
fn every_operation_asks_who_it_is_and_what_he_may() {
    let place = Place::new();
    let managed = Managed::start(&place, &[]);
    let mut tokens = BTreeMap::from([(Role::Administrator.word(), managed.admin.clone())]);
    for role in [Role::Viewer, Role::Publisher] {
        let new = json!({ "username": role.word(), "password": "long enough", "role": role });
        assert_eq!(managed.post("/users", &new).0, 200);
        tokens.insert(role.word(), managed.log_in(role.word(), "long enough"));
    }
    for operation in operations::ALL {
        let outline = operation.outline();
        // Whoever logs out is nobody afterwards.
        if outline.id == "logout" {
            continue;
        }
        let mut path = outline.path.replace(['{', '}'], "");
        if outline.gives == "text/event-stream" {
            // Whoever may would be answered without end.
            path.push_str("?nonsense=true");
        }
        // Nobody can understand that: what is not refused before is refused for it, or answered.
        let body = json!({ "nonsense": true });
        let body = (outline.method != Method::Get).then_some(&body);
        let status = |who| managed.ask(who, outline.method.name(), &path, body).0;
        if outline.need != Need::Nobody {
            assert_eq!(status(As::Nobody), 401, "{}", outline.id);
            assert_eq!(status(As::Token("made up")), 401, "{}", outline.id);
            assert_eq!(status(As::Key("made", "up")), 401, "{}", outline.id);
        }
        for role in Role::ALL {
            let status = status(As::Token(&tokens[role.word()]));
            // What is one's own is nobody else's, whatever the role.
            let own = ["change_password", "begin_mfa", "confirm_mfa", "end_mfa"];
            let is_let_in = status != 401 && (status != 403 || own.contains(&outline.id));
            assert_eq!(
                is_let_in,
                role.may(outline.need),
                "{} as {}: {status}",
                outline.id,
                role.word()
            );
            assert!(status < 500, "{} as {}: {status}", outline.id, role.word());
        }
    }
}

#[test]
fn clients_are_found_seen_and_sent_away() {
    let place = Place::new();
    let managed = Managed::start(&place, &["--set", "node.shards=2"]);
    let mut clients: Vec<_> =
        (0..25).map(|number| Client::connect(&managed.node, &format!("robot-{number}"))).collect();
    let (mut waiting, _) = Client::resume(&managed.node, "Machine");
    assert_eq!(waiting.subscribe("machine/+"), 1);
    assert_eq!(waiting.subscribe("$share/crew/jobs"), 1);
    waiting.leave();
    for client in &mut clients {
        assert_eq!(client.subscribe("all/#"), 1);
    }
    // All of them, by pages and by cursor.
    let mut by_pages = Vec::new();
    for page in 1..=3 {
        by_pages.extend(managed.names(&format!("/clients?limit=10&page={page}"), "clientid"));
    }
    let (mut by_cursor, mut cursor) = (Vec::new(), "none".to_owned());
    loop {
        let page = managed.get(&format!("/clients?limit=4&cursor={cursor}"));
        let data = page["data"].as_array().expect("a list");
        by_cursor.extend(data.iter().map(|it| it["clientid"].as_str().expect("a name").to_owned()));
        match page["meta"]["cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(by_pages, by_cursor);
    by_pages.sort_unstable();
    by_pages.dedup();
    assert_eq!(by_pages.len(), 26);
    let meta = &managed.get("/clients?limit=10")["meta"];
    assert_eq!(
        *meta,
        json!({ "page": 1, "limit": 10, "count": 26, "hasnext": true, "cursor": meta["cursor"] })
    );
    // By what they are.
    for (query, wanted) in [
        ("clientid=robot-3&clientid=robot-4&clientid=nobody", 2),
        ("like_clientid=bot-1", 11),
        ("conn_state=disconnected", 1),
        ("search=mACH", 1),
        ("search=plant", 26),
        ("ip_address=127.0.0.1&conn_state=connected", 25),
        ("ip_address=192.0.2.1", 0),
        ("proto_ver=5&clean_start=true", 25),
        ("username=ann", 0),
    ] {
        let found = managed.names(&format!("/clients?{query}"), "clientid").len();
        assert_eq!(found, wanted, "{query}");
    }
    let machine = managed.get("/clients/Machine");
    assert_eq!(
        (
            &machine["connected"],
            &machine["subscriptions_cnt"],
            &machine["proto_ver"],
            &machine["listener"]
        ),
        (&json!(false), &json!(2), &json!(5), &json!("plant"))
    );
    assert!(machine["disconnected_at"].as_str().expect("a moment").ends_with('Z'));
    // What they are subscribed to.
    let own = managed.get("/clients/Machine/subscriptions");
    assert_eq!(own.as_array().map(Vec::len), Some(2));
    assert_eq!(managed.names("/subscriptions?limit=1000", "topic").len(), 27);
    assert_eq!(managed.names("/subscriptions?match_topic=machine/7", "clientid"), ["Machine"]);
    assert_eq!(managed.names("/subscriptions?share_group=crew", "topic"), ["$share/crew/jobs"]);
    some_are_sent_away(&managed, clients);
}

fn some_are_sent_away(managed: &Managed, mut clients: Vec<Client>) {
    let kicked = |id: &str| {
        managed.ask(As::Token(&managed.admin), "DELETE", &format!("/clients/{id}"), None)
    };
    assert_eq!(kicked("robot-0").0, 204);
    let (kind, body) = clients.remove(0).hear();
    assert_eq!((kind, body.first()), (0xE0, Some(&0x98)), "Administrative action");
    assert_eq!(kicked("robot-0").1.get("code"), Some(&json!("CLIENTID_NOT_FOUND")));
    assert_eq!(kicked("Machine").0, 204);
    assert_eq!(managed.ask(As::Token(&managed.admin), "GET", "/clients/Machine", None).0, 404);
    assert_eq!(managed.post("/clients/kickout/bulk", &json!(["robot-1", "nobody"])).0, 204);
    assert_eq!(managed.names("/clients?limit=100", "clientid").len(), 23);
}

#[test]
fn what_is_published_reaches_who_wants_it() {
    let place = Place::new();
    let managed = Managed::start(&place, &["--data-dir", "data"]);
    let mut hears = Client::connect(&managed.node, "hears");
    assert_eq!(hears.subscribe("plant/#"), 1);
    let plain = json!({ "topic": "plant/a", "payload": "21.5", "qos": 1 });
    assert_eq!(managed.post("/publish", &plain), (200, json!({})));
    assert_eq!(hears.receive(), ("plant/a".to_owned(), b"21.5".to_vec()));
    let bytes = json!({ "topic": "plant/b", "payload": "AP8=", "payload_encoding": "base64" });
    assert_eq!(managed.post("/publish", &bytes).0, 200);
    assert_eq!(hears.receive(), ("plant/b".to_owned(), vec![0, 255]));
    let nobody = json!({ "topic": "nowhere", "payload": "" });
    let (status, answer) = managed.post("/publish", &nobody);
    assert_eq!((status, &answer["reason_code"]), (202, &json!(16)));
    // It is kept before it is answered, for whoever is away.
    let (mut away, _) = Client::resume(&managed.node, "away");
    assert_eq!(away.subscribe("jobs"), 1);
    away.leave();
    let kept = json!([{ "topic": "jobs", "payload": "1", "qos": 1 }, { "topic": "plant/c", "payload": "2" }]);
    assert_eq!(managed.post("/publish/bulk", &kept).0, 200);
    assert_eq!(hears.receive().0, "plant/c");
    let (mut back, present) = Client::resume(&managed.node, "away");
    assert!(present);
    assert_eq!(back.receive(), ("jobs".to_owned(), b"1".to_vec()));
    let deep = vec!["a"; 200].join("/");
    let large = "x".repeat(1_100_000);
    for (wrong, told) in [
        (json!({ "topic": deep, "payload": "" }), "levels"),
        (json!({ "topic": "a", "payload": large }), "max_packet_size"),
        (json!({ "topic": "a/#", "payload": "" }), "topic"),
        (json!({ "topic": "$SYS/x", "payload": "" }), "$SYS"),
        (json!({ "topic": "a", "payload": "", "qos": 3 }), "qos"),
        (json!({ "topic": "a", "payload": "?", "payload_encoding": "base64" }), "base64"),
        (json!({ "topic": "a" }), "payload"),
        (json!({ "topic": "a", "payload": "", "quality": 1 }), "quality"),
    ] {
        let (status, answer) = managed.post("/publish", &wrong);
        assert_eq!((status, &answer["code"]), (400, &json!("BAD_REQUEST")), "{wrong}");
        assert!(answer["message"].as_str().expect("words").contains(told), "{wrong}: {answer}");
    }
    let elsewhere = json!({ "topic": "a", "payload": "", "tenant": "none" });
    assert_eq!(managed.post("/publish", &elsewhere).0, 404);
}

#[test]
fn the_node_says_how_it_does() {
    let place = Place::new();
    let managed = Managed::start(&place, &[]);
    let _client = Client::connect(&managed.node, "one");
    assert_eq!(managed.ask(As::Nobody, "GET", "/status", None).1["app_status"], "running");
    for path in ["/livez", "/readyz"] {
        assert_eq!(managed.ask_for(As::Nobody, "GET", path, None), (200, "ok\n".to_owned()));
    }
    assert_eq!(managed.get("/stats")["live_connections.count"], 1);
    assert_eq!(managed.get("/metrics")["client.connected"], 1);
    assert_eq!(managed.get("/nodes")[0]["live_connections"], 1);
    assert_eq!(managed.get("/monitor_current")["live_connections"], 1);
    assert_eq!(managed.get("/listeners")[0]["id"], "plant");
    assert_eq!(managed.get("/alarms")["data"], json!([]));
    assert_eq!(managed.ask_for(As::Nobody, "GET", "/metrics", None).0, 401);
    // A board shows a key.
    let new = json!({ "name": "board", "role": "viewer" });
    let (_, made) = managed.post("/api_key", &new);
    let text = |name: &str| made[name].as_str().expect("text").to_owned();
    let (key, secret) = (text("api_key"), text("api_secret"));
    let board = As::Key(&key, &secret);
    let (status, own) = managed.ask_for(board, "GET", "/metrics", None);
    assert_eq!(status, 200);
    assert!(
        own.contains("\nplexus_connections 1\n") && own.contains("plexus_packets_received_total "),
        "{own}"
    );
    let (_, as_emqx) = managed.ask_for(board, "GET", &format!("{ROOT}/prometheus/stats"), None);
    assert!(as_emqx.contains("\nemqx_live_connections_count 1\n"), "{as_emqx}");
    let (_, described) = managed.ask_for(As::Nobody, "GET", &format!("{ROOT}/openapi.json"), None);
    let described: Value = serde_json::from_str(&described).expect("JSON");
    assert_eq!(described["openapi"], "3.1.0");
    assert_eq!(managed.ask(As::Nobody, "GET", "/nothing", None).1["code"], "NOT_FOUND");
    assert_eq!(managed.ask(As::Nobody, "PUT", "/login", None).1["code"], "METHOD_NOT_ALLOWED");
}

#[test]
fn what_administrators_do_is_recorded_and_users_stay() {
    let place = Place::new();
    let managed = Managed::start(&place, &["--data-dir", "data"]);
    let password = &managed.password;
    assert_eq!(managed.ask(As::Token(&managed.admin), "DELETE", "/clients/gone", None).0, 404);
    // A stranger says little, and waits for no hash with what can be no password.
    let long = |length| json!({ "username": "eve", "password": "x".repeat(length) });
    let code = |body| managed.ask(As::Nobody, "POST", "/login", Some(&body)).1;
    assert_eq!(code(long(5_000)).get("code"), Some(&json!("PAYLOAD_TOO_LARGE")));
    assert_eq!(code(long(300)).get("code"), Some(&json!("BAD_USERNAME_OR_PWD")));
    let guess = json!({ "username": "eve", "password": "guessed" });
    assert_eq!(managed.ask(As::Nobody, "POST", "/login", Some(&guess)).0, 401);
    let change = json!({ "old_pwd": password, "new_pwd": "a better one" });
    assert_eq!(managed.post("/users/admin/change_pwd", &change).0, 204);
    assert_eq!(managed.ask(As::Token(&managed.admin), "POST", "/logout", None).0, 204);
    assert_eq!(managed.ask(As::Token(&managed.admin), "GET", "/stats", None).0, 401);
    let ended = managed.node.stop();
    assert!(!ended.stderr.contains("a better one"), "{ended:?}");
    let shown = place.run(["audit", "show", "data/audit", "--kind", "admin"]).ok();
    for told in [
        "login done  /api/v5/login  user admin  from 127.0.0.1",
        "login refused  /api/v5/login  user eve",
        "kick_client refused  /api/v5/clients/gone  user admin  from 127.0.0.1",
        "change_password done",
        "logout done",
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    // No other administrator is made.
    let again = Managed::again(&place, &["--data-dir", "data"], "a better one");
    assert!(!again.node.stop().stderr.contains("new administrator"));
}

#[test]
fn an_api_that_others_could_overhear_is_a_mistake() {
    let place = Place::new();
    let check = |api: &str| {
        place.write("plexus.toml", &format!("[api]\n{api}\n"));
        place.run(["config", "check", "plexus.toml"])
    };
    let error = check("address = \"0.0.0.0:18083\"").failed(3);
    assert!(error.contains("plexus.toml:2") && error.contains("clear text"), "{error}");
    check("address = \"0.0.0.0:18083\"\ncleartext = true").ok();
    check("address = \"127.0.0.1:18083\"").ok();
    let error = check("cert_file = \"c.pem\"").failed(3);
    assert!(error.contains("api.key_file"), "{error}");
    assert!(check("address = \"here\"").failed(3).contains("plexus.toml:2"));
}
