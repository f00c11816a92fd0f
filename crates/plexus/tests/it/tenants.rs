//! Tenants of one node, seen from outside.

use jsonwebtoken::{EncodingKey, Header, encode};
use plexus_testkit::{HttpService, Manner};
use serde_json::Value;

use crate::{
    client::{Client, text},
    program::{Node, Place, run},
};

const GRANTED: u8 = 1;
const NOBODY_HEARS: u8 = 0x10;
const BAD_PASSWORD: u8 = 0x86;
const NOT_AUTHORIZED: u8 = 0x87;
const TAKEN_OVER: u8 = 0x8E;

/// A listener for each of two tenants, and one of none.
const NODE: &str = r#"
[[access.tenant]]
name = "acme"
[[access.tenant]]
name = "globex"

[[listener]]
url = "tcp://127.0.0.1:0"
name = "none"
[[listener]]
url = "tcp://127.0.0.1:0"
name = "acme"
tenant = "acme"
[[listener]]
url = "tcp://127.0.0.1:0"
name = "globex"
tenant = "globex"
"#;

const WORLDS: [&str; 3] = ["none", "acme", "globex"];

fn place(text: &str) -> Place {
    let place = Place::new();
    place.write("plexus.toml", text);
    place
}

/// CONNECT of a client whose session stays for a minute.
fn staying(id: &str) -> Vec<u8> {
    [b"\x00\x04MQTT\x05\x00\x00\x00\x05\x11\x00\x00\x00\x3C", &text(id)[..]].concat()
}

fn with_will(id: &str, topic: &str) -> Vec<u8> {
    let will = [&[0], &text(topic)[..], &text("gone")].concat();
    [b"\x00\x04MQTT\x05\x0E\x00\x00\x00", &text(id)[..], &will].concat()
}

/// CONNECT of whoever shows that name and password.
fn showing(user: &str, password: &str) -> Vec<u8> {
    let head = b"\x00\x04MQTT\x05\xC2\x00\x00\x00";
    [&head[..], &text(user), &text(user), &text(password)].concat()
}

/// A client whose session ends with its connection.
fn fleeting(url: &str, id: &str) -> Client {
    let head = b"\x00\x04MQTT\x05\x02\x00\x00\x00";
    let mut client = Client::knock_at(url, &[&head[..], &text(id)].concat());
    assert_eq!(client.connack(), (false, 0), "{url}");
    client
}

/// The reason code for such a CONNECT.
fn reason(url: &str, body: &[u8]) -> u8 {
    Client::knock_at(url, body).connack().1
}

/// A client of each world, all by the same name; whether they have sessions is as said.
fn in_each(node: &Node, id: &str, present: bool) -> Vec<Client> {
    let at = |url: &String| {
        let mut client = Client::knock_at(url, &staying(id));
        assert_eq!(client.connack(), (present, 0), "{url}");
        client
    };
    node.urls.iter().map(at).collect()
}

/// Each publishes the name of its world.
fn publish_own(clients: &mut [Client], topic: &str) {
    for (client, world) in clients.iter_mut().zip(WORLDS) {
        client.retain(topic, world.as_bytes());
    }
}

fn receive_own(clients: &mut [Client], topic: &str) {
    for (client, world) in clients.iter_mut().zip(WORLDS) {
        assert_eq!(client.receive(), (topic.to_owned(), world.as_bytes().to_vec()), "{world}");
    }
}

#[test]
fn nothing_crosses_between_clients_that_are_called_alike() {
    let place = place(NODE);
    let node = Node::start(&place, &["--set", "sys.interval=never"]);
    let mut hearers = in_each(&node, "hearer", false);
    for hearer in &mut hearers {
        assert_eq!(hearer.subscribe("#"), GRANTED);
        assert_eq!(hearer.subscribe("$x/#"), GRANTED);
    }
    let mut speakers = in_each(&node, "speaker", false);
    for topic in ["a/b", "/", "$x/y", "acme/a"] {
        publish_own(&mut speakers, topic);
        receive_own(&mut hearers, topic);
    }
    // What is retained comes back, each its own; `+/#` does not meet `$x`.
    let mut late = in_each(&node, "late", false);
    for filter in ["a/+", "$x/+"] {
        for client in &mut late {
            assert_eq!(client.subscribe(filter), GRANTED);
        }
        receive_own(&mut late, if filter == "a/+" { "a/b" } else { "$x/y" });
    }
    // A will of one is heard by its own, and nobody else hears anything before the next.
    let mut dying = Client::knock_at(&node.urls[1], &with_will("dying", "will"));
    assert_eq!(dying.connack(), (false, 0));
    drop(dying);
    assert_eq!(hearers[1].receive(), ("will".to_owned(), b"gone".to_vec()));
    publish_own(&mut speakers, "next");
    receive_own(&mut hearers, "next");
    // A take-over takes the connection of that tenant over, and no other.
    let mut again = Client::knock_at(&node.urls[1], &staying("speaker"));
    assert_eq!(again.connack(), (true, 0));
    let (kind, body) = speakers[1].hear();
    assert_eq!((kind, body.first()), (0xE0, Some(&TAKEN_OVER)));
    speakers[1] = again;
    publish_own(&mut speakers, "after");
    receive_own(&mut hearers, "after");
}

#[test]
fn groups_of_one_name_and_filter_are_as_many_as_tenants() {
    let place = place(NODE);
    let node = Node::start(&place, &["--set", "sys.interval=never"]);
    let mut members = in_each(&node, "member", false);
    for member in &mut members {
        assert_eq!(member.subscribe("$share/g/#"), GRANTED);
    }
    let mut speakers = in_each(&node, "speaker", false);
    for number in 0..6 {
        let topic = format!("job/{number}");
        publish_own(&mut speakers, &topic);
        receive_own(&mut members, &topic);
    }
    let mut lonely = Client::knock_at(&node.urls[1], &staying("lonely"));
    assert_eq!(lonely.connack(), (false, 0));
    for at in [0, 2] {
        let member = &mut members[at];
        member.send(0xA2, &[&[0, 3, 0], &text("$share/g/#")[..]].concat());
        assert_eq!(member.hear().0, 0xB0, "UNSUBACK");
    }
    assert_eq!(speakers[0].publish("job/7"), NOBODY_HEARS, "acme's member is none of them");
    assert_eq!(lonely.publish("job/7"), 0);
}

/// Client and topic of each line of that kind, with its tenant.
fn lines(export: &str, kind: &str, key: &str) -> Vec<(Option<String>, String)> {
    let all = export.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let all = all.filter(|line| line.get("type").is_some_and(|it| it == kind));
    let mut told: Vec<_> = all
        .map(|line| {
            let told = |key: &str| Some(line.get(key)?.as_str()?.to_owned());
            (told("tenant"), told(key).expect("text"))
        })
        .collect();
    told.sort();
    told
}

#[test]
fn sessions_and_retained_messages_survive_each_in_its_tenant() {
    let durable = ["--set", "store.commit=fsync", "--set", "sys.interval=never"];
    let start = |place: &Place, dir: &str| {
        let args = [&durable[..], &["--data-dir", dir]].concat();
        Node::start(place, &args)
    };
    let place = place(NODE);
    let node = start(&place, "data");
    let mut away = in_each(&node, "away", false);
    for client in &mut away {
        assert_eq!(client.subscribe("kept/#"), GRANTED);
        assert_eq!(client.subscribe("$share/g/job/+"), GRANTED);
    }
    away.into_iter().for_each(Client::leave);
    let mut speakers = in_each(&node, "speaker", false);
    publish_own(&mut speakers, "kept/1");
    publish_own(&mut speakers, "job/1");
    assert_eq!(node.stop().code, Some(0));

    let expected: Vec<_> = [None, Some("acme"), Some("globex")]
        .map(|tenant| (tenant.map(str::to_owned), "kept/1".to_owned()))
        .into();
    let export = place.run(["store", "export", "--data-dir", "data"]).ok();
    let retained = lines(&export, "retained", "topic");
    assert!(expected.iter().all(|line| retained.contains(line)), "{export}");
    assert!(!export.contains("$+") && !export.contains("\\u0000"), "{export}");
    let sessions = lines(&export, "session", "client");
    let named = |id: &str| sessions.iter().filter(|(_, client)| client == id).count();
    assert_eq!((named("away"), named("speaker")), (3, 3), "{export}");
    place.write("backup.jsonl", &export);
    place.run(["store", "import", "--data-dir", "copy", "backup.jsonl"]).ok();

    for dir in ["data", "copy"] {
        let node = start(&place, dir);
        let mut back = in_each(&node, "away", true);
        receive_own(&mut back, "kept/1");
        receive_own(&mut back, "job/1");
        let all = |id| node.urls.iter().map(|url| fleeting(url, id)).collect::<Vec<_>>();
        let (mut late, mut speakers) = (all("late"), all("speaker-2"));
        for client in &mut late {
            assert_eq!(client.subscribe("kept/#"), GRANTED);
        }
        receive_own(&mut late, "kept/1");
        publish_own(&mut speakers, "kept/2");
        receive_own(&mut back, "kept/2");
        receive_own(&mut late, "kept/2");
        assert_eq!(node.stop().code, Some(0));
    }
}

/// The sessions of a tenant that is gone are nobody's, whoever is called alike.
#[test]
fn what_a_tenant_left_behind_is_not_seen_by_others() {
    let durable = ["--data-dir", "data", "--set", "store.commit=fsync"];
    let place = place(NODE);
    let node = Node::start(&place, &durable);
    let mut clients = in_each(&node, "r1", false);
    assert_eq!(clients[1].subscribe("secret"), GRANTED);
    assert_eq!(fleeting(&node.urls[1], "writer").retain("secret", b"acme"), 0);
    assert_eq!(node.stop().code, Some(0));
    place.write("plexus.toml", "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\nname = \"none\"\n");
    let node = Node::start(&place, &durable);
    let mut back = Client::knock_at(&node.urls[0], &staying("r1"));
    assert_eq!(back.connack(), (true, 0), "its own");
    let (mut hearer, mut speaker) = (fleeting(&node.urls[0], "h"), fleeting(&node.urls[0], "s"));
    assert_eq!(speaker.publish("secret"), NOBODY_HEARS);
    assert_eq!(hearer.subscribe("#"), GRANTED);
    assert_eq!(speaker.publish("own"), 0);
    assert_eq!(hearer.receive().0, "own", "and nothing before it");
}

#[test]
fn a_tenant_finds_its_own_numbers_under_sys() {
    let place = place(NODE);
    let node = Node::start(&place, &["--set", "sys.interval=1s"]);
    let mut clients = in_each(&node, "r1", false);
    let mut client = clients.remove(1);
    assert_eq!(client.subscribe("$SYS/brokers/+/uptime"), GRANTED);
    assert_eq!(client.subscribe("$SYS/brokers/+/stats/sessions/count"), GRANTED);
    loop {
        let (topic, count) = client.receive();
        assert_eq!(topic, "$SYS/brokers/plexus/stats/sessions/count");
        if count == b"1" {
            break; // There are three in the node.
        }
        assert_eq!(count, b"0");
    }
    assert_eq!(client.publish("$SYS/brokers/plexus/uptime"), NOT_AUTHORIZED);
}

const SECRET: &str = "a secret that both sides share and nobody else knows";

fn token(user: &str, tenant: Option<&str>) -> String {
    let claims = serde_json::json!({ "sub": user, "exp": 4_000_000_000_u64, "tenant": tenant });
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    encode(&Header::default(), &claims, &key).expect("a token")
}

#[test]
fn a_token_says_whose_client_it_is_and_no_listener_is_talked_over() {
    let listeners = NODE.replace("[[listener]]", "[[listener]]\nchain = [\"tokens\"]");
    let place = place(&format!(
        "{listeners}\n[[access.jwt]]\nname = \"tokens\"\nsecret = {SECRET:?}\n\
         user_name_claim = \"sub\"\ntenant_claim = \"tenant\"\n"
    ));
    let node = Node::start(&place, &["--set", "sys.interval=never"]);
    let [none, acme, globex] = &node.urls[..] else { panic!("three listeners") };
    let shows = |tenant, user| showing(user, &token(user, tenant));
    for (url, tenant, wanted) in [
        (none, Some("acme"), 0),
        (none, Some("globex"), 0),
        (none, Some("initech"), NOT_AUTHORIZED),
        (none, Some("a/b"), NOT_AUTHORIZED),
        (none, None, NOT_AUTHORIZED),
        (acme, Some("acme"), 0),
        (acme, Some("globex"), NOT_AUTHORIZED),
        (globex, Some("acme"), NOT_AUTHORIZED),
    ] {
        let (mut client, reason) = knock_long(url, &shows(tenant, "ann"));
        assert_eq!(reason, wanted, "{url} {tenant:?}");
        if wanted == 0 {
            client.send(0xE0, &[]);
        }
    }
    // By different ways into one world.
    let (mut hearer, _) = knock_long(acme, &shows(Some("acme"), "ann"));
    assert_eq!(hearer.subscribe("#"), GRANTED);
    let (mut stranger, _) = knock_long(globex, &shows(Some("globex"), "ann"));
    assert_eq!(stranger.publish("a"), NOBODY_HEARS);
    let (mut friend, _) = knock_long(none, &shows(Some("acme"), "bob"));
    assert_eq!(friend.publish("b"), 0);
    assert_eq!(hearer.receive().0, "b");
}

/// A CONNECT of more than 127 bytes.
fn knock_long(url: &str, body: &[u8]) -> (Client, u8) {
    let mut client = Client::knock_long_at(url, body);
    let (_, reason) = client.connack();
    (client, reason)
}

#[test]
fn an_http_service_may_say_it_too() {
    let answer = |tenant: &str| {
        let body = format!(r#"{{"result":"allow","client_attrs":{{"tns":"{tenant}"}}}}"#);
        Manner::answer("200 OK", &body)
    };
    let service = HttpService::start(answer("acme"));
    let listeners = NODE.replace("[[listener]]", "[[listener]]\nchain = [\"web\"]");
    let http = format!("[[access.http]]\nname = \"web\"\nurl = \"{}/who\"\n", service.url());
    let place = place(&format!("{listeners}{http}"));
    let node = Node::start(&place, &[]);
    let [none, acme, globex] = &node.urls[..] else { panic!("three listeners") };
    let shows = showing("ann", "p");
    assert_eq!((reason(none, &shows), reason(acme, &shows)), (0, 0));
    assert_eq!(reason(globex, &shows), NOT_AUTHORIZED);
}

/// Passwords of weak hashes, which take no time: `of-acme` and `of-node`.
const OF_ACME: &str =
    "ann:$sha256$salt=before$cGVwcGVy$RDvJvehxjI5KXJzA3kcUcWsX+qSzPZQ0Cfux7SOJj9A\n";
const OF_NODE: &str =
    "ann:$sha256$salt=before$cGVwcGVy$6mVajC90v7WHv5cHYBci8XpXncCohLSt92FLlJfRpKE\n";

#[test]
fn users_rules_and_bans_of_one_tenant_are_no_other_ones() {
    let rules = "[[access.rule]]\ntenant = \"acme\"\nname = \"of acme\"\n\
                 allow = [\"publish\", \"subscribe\"]\ntopics = [\"acme/#\"]\n\
                 [[access.rule]]\nallow = [\"publish\"]\ntopics = [\"node/#\"]\n\
                 [[access.ban]]\nclient = \"bob\"\n";
    let users = "[access]\nusers_file = \"node.txt\"\n";
    let tenants =
        NODE.replace("name = \"acme\"\n[[a", "name = \"acme\"\nusers_file = \"acme.txt\"\n[[a");
    let place = place(&[users, rules, &tenants].concat());
    let bob = |line: &str| line.replace("ann", "bob");
    place.write("acme.txt", &[OF_ACME, &bob(OF_ACME)].concat());
    place.write("node.txt", &[OF_NODE, &bob(OF_NODE)].concat());
    let mut node = Node::start(&place, &["--set", "sys.interval=never"]);
    let [none, acme, globex] = &node.urls.clone()[..] else { panic!("three listeners") };
    for (url, password, wanted) in [
        (none, "of-node", 0),
        (none, "of-acme", BAD_PASSWORD),
        (acme, "of-acme", 0),
        (acme, "of-node", BAD_PASSWORD),
        (globex, "of-node", BAD_PASSWORD),
        (globex, "of-acme", BAD_PASSWORD),
    ] {
        assert_eq!(reason(url, &showing("ann", password)), wanted, "{url} {password}");
    }
    assert_eq!(reason(none, &showing("bob", "of-node")), 0x8A, "banned");
    assert_eq!(reason(acme, &showing("bob", "of-acme")), 0, "another bob");
    let at = |url: &str, password: &str| {
        let mut client = Client::knock_at(url, &showing("ann", password));
        assert_eq!(client.connack().1, 0);
        client
    };
    let (mut of_none, mut of_acme) = (at(none, "of-node"), at(acme, "of-acme"));
    assert_eq!(of_none.publish("node/a"), NOBODY_HEARS);
    assert_eq!(of_none.publish("acme/a"), NOT_AUTHORIZED);
    assert_eq!(of_acme.publish("acme/a"), NOBODY_HEARS);
    assert_eq!(of_acme.publish("node/a"), NOT_AUTHORIZED);
    assert_eq!(of_acme.subscribe("#"), NOT_AUTHORIZED);
    let ask = |tenant: &[&str]| {
        let words = ["acl", "test", "publish", "acme/a", "--config", "plexus.toml"];
        run(&mut place.plexus([&words[..], tenant].concat()), b"")
    };
    assert!(ask(&["--tenant", "acme"]).ok().starts_with("allowed: `of acme`"));
    assert_eq!(ask(&[]).code, Some(1));
    // Its users are read anew.
    place.write("acme.txt", &bob(OF_ACME));
    let told = node.reload();
    assert!(told.contains("read anew: 3 users"), "{told}");
    assert_eq!(reason(acme, &showing("ann", "of-acme")), BAD_PASSWORD);
    // What is wrong with one file holds up no other.
    place.write("acme.txt", "no colon\n");
    place.write("node.txt", &bob(OF_NODE));
    node.reload();
    assert_eq!(reason(acme, &showing("bob", "of-acme")), 0);
    assert_eq!(reason(none, &showing("ann", "of-node")), BAD_PASSWORD);
    // Nor does one of which the last user is gone.
    place.write("acme.txt", &bob(OF_ACME));
    place.run(["passwd", "acme.txt", "bob", "--delete"]).ok();
    let told = node.reload();
    assert!(told.contains("read anew: 1 user"), "{told}");
    assert_eq!(reason(acme, &showing("bob", "of-acme")), BAD_PASSWORD);
    let log = node.stop().stderr;
    assert!(log.contains("\"tenant\":\"acme\""), "{log}");
}

#[test]
fn a_server_name_asks_for_a_tenant() {
    let text = "[[access.tenant]]\nname = \"acme\"\nserver_names = [\"LocalHost\"]\n\
                [[listener]]\nurl = \"tls://127.0.0.1:0\"\n\
                tls = { cert_file = \"certs/server.pem\", key_file = \"certs/server.key\" }\n\
                [[listener]]\nurl = \"tcp://127.0.0.1:0\"\ntenant = \"acme\"\n\
                [[listener]]\nurl = \"tcp://127.0.0.1:0\"\nname = \"none\"\n";
    let place = place(text);
    place.run(["cert", "dev", "--dir", "certs"]).ok();
    let node = Node::start(&place, &["--set", "sys.interval=never"]);
    let [_, acme, none] = &node.urls[..] else { panic!("three listeners") };
    let hearer = |url: &str| {
        let mut client = Client::knock_at(url, &staying("hearer"));
        assert_eq!(client.connack(), (false, 0));
        assert_eq!(client.subscribe("#"), GRANTED);
        client
    };
    let (mut of_acme, mut of_none) = (hearer(acme), hearer(none));
    for (host, topic) in [("localhost", "named"), ("127.0.0.1", "unnamed")] {
        let args = ["pub", "-t", topic, "-m", "x", "-q", "1", "--cafile", "certs/ca.pem"];
        let at = ["-h", host, "-p", node.port()];
        place.run([&args[..], &at].concat()).ok();
    }
    assert_eq!(of_acme.receive().0, "named");
    assert_eq!(of_none.receive().0, "unnamed");
}
