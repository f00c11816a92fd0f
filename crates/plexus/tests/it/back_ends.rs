//! Back ends that a node asks about its clients, seen from outside.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use plexus_runtime::unix_now;
use plexus_testkit::{HttpService, Manner};
use plexus_types::Instant;
use rcgen::{KeyPair, PublicKeyData};

use crate::program::{Node, Place, run};

/// How long a step may take before the test gives up on it: a bound of failure, not a measurement.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const SUCCESS: u8 = 0;
/// No matching subscribers: it was allowed.
pub(crate) const NOBODY_HEARS: u8 = 0x10;
pub(crate) const UNAVAILABLE: u8 = 0x88;
pub(crate) const NOT_AUTHORIZED: u8 = 0x87;
pub(crate) const BAD_PASSWORD: u8 = 0x86;

/// The reason code that a client of MQTT 5.0 with that name and password gets.
pub(crate) fn connects(url: &str, user: &str, password: &str) -> (u8, TcpStream) {
    let text = |text: &str| {
        let length = u16::try_from(text.len()).expect("short");
        [&length.to_be_bytes(), text.as_bytes()].concat()
    };
    let head = b"\x00\x04MQTT\x05\xC2\x00\x00\x00";
    let body = [&head[..], &text(user), &text(user), &text(password)].concat();
    let length = u16::try_from(body.len()).expect("short");
    let [low, high] = [length % 128, length / 128].map(|part| u8::try_from(part).expect("7 bits"));
    // A length is written as short as it can be.
    let length = if high == 0 { vec![low] } else { vec![low | 0x80, high] };
    let packet = [&[0x10], &length[..], &body].concat();
    let mut stream =
        TcpStream::connect(url.trim_start_matches("tcp://")).expect("somebody listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("set");
    stream.write_all(&packet).expect("sent");
    let answer = hear(&mut stream);
    assert_eq!(answer.first(), Some(&0x20), "CONNACK");
    (*answer.get(2).expect("a reason"), stream)
}

/// The type of the next packet, and its body.
fn hear(stream: &mut TcpStream) -> Vec<u8> {
    let [mut kind, mut length] = [[0], [0]];
    stream.read_exact(&mut kind).expect("a packet");
    stream.read_exact(&mut length).expect("a packet");
    let mut body = vec![0; usize::from(length[0])];
    stream.read_exact(&mut body).expect("all of it");
    [kind.to_vec(), body].concat()
}

/// The reason code of PUBACK.
pub(crate) fn publishes(stream: &mut TcpStream, topic: &str) -> u8 {
    let length = u8::try_from(topic.len()).expect("short");
    let body = [&[0, length], topic.as_bytes(), &[0, 1, 0]].concat();
    let length = u8::try_from(body.len()).expect("short");
    stream.write_all(&[&[0x32, length], &body[..]].concat()).expect("sent");
    let answer = hear(stream);
    assert_eq!(answer.first(), Some(&0x40), "PUBACK");
    answer.get(3).copied().unwrap_or(SUCCESS)
}

/// Bob comes in by HTTP at the first listener, Ann by her own password at the second.
fn file(service: &HttpService) -> String {
    format!(
        "[access]\nusers_file = \"users.txt\"\n\
         [[access.http]]\nname = \"web\"\nurl = \"{}/who\"\nheaders = {{ X-Key = \"file:key\" }}\n\
         timeout = \"300ms\"\n\
         [[listener]]\nurl = \"tcp://127.0.0.1:0\"\nname = \"web\"\nchain = [\"web\"]\n\
         [[listener]]\nurl = \"tcp://127.0.0.1:0\"\nname = \"own\"\nchain = [\"users\"]\n",
        service.url()
    )
}

#[test]
fn an_http_service_says_who_comes_in_and_harms_nobody_else_when_it_is_silent_or_dead() {
    let allows =
        Manner::answer("200 OK", r#"{"result":"allow","acl":{"pub":["own/${username}"]}}"#);
    let service = HttpService::start(allows.clone());
    let place = Place::new();
    place.write("key", "secret\n");
    run(&mut place.plexus(["passwd", "users.txt", "ann"]), b"p\n").ok();
    place.write("plexus.toml", &file(&service));
    let node = Node::start(&place, &["--config", "plexus.toml"]);
    let [web, own] = &node.urls[..] else { panic!("two listeners") };
    let (reason, mut stream) = connects(web, "bob", "p");
    assert_eq!(reason, SUCCESS);
    assert_eq!(publishes(&mut stream, "own/bob"), NOBODY_HEARS);
    assert_eq!(publishes(&mut stream, "own/eve"), NOT_AUTHORIZED);
    let heard = service.heard(1);
    assert!(heard[0].head.to_lowercase().contains("x-key: secret\r\n"), "{heard:?}");
    service.set(Manner::answer("200 OK", r#"{"result":"deny"}"#));
    assert_eq!(connects(web, "bob", "q").0, NOT_AUTHORIZED);

    service.set(Manner::Silent);
    let (said, other) = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| connects(web, "bob", "p").0);
        service.heard(3);
        let other = connects(own, "ann", "p").0;
        (waiting.join().expect("an answer"), other)
    });
    assert_eq!((said, other), (UNAVAILABLE, SUCCESS), "who does not need it does not notice");
    let dead = service.kill();
    assert_eq!(connects(web, "bob", "p").0, UNAVAILABLE);
    assert_eq!(connects(own, "ann", "p").0, SUCCESS);
    let _service = dead.again(allows);
    assert_eq!(connects(web, "bob", "p").0, SUCCESS, "it is back");
}

#[test]
fn a_service_that_cannot_be_meant_stops_the_start_and_shows_no_secret() {
    let place = Place::new();
    let text = "[[access.http]]\nname = \"web\"\nurl = \"http://10.0.0.1/${username}\"\n\
                headers = { X-Key = \"hunter2\" }\n";
    place.write("plexus.toml", text);
    let said = place.run(["config", "check", "plexus.toml"]).failed(3);
    assert!(said.contains("`url` would be asked in clear text; use `https://`"), "{said}");
    assert!(said.contains("plexus.toml:3"), "{said}");
    place.write("plexus.toml", &format!("{text}cleartext = true\ntimeout = \"1m\"\n"));
    let said = place.run(["config", "check", "plexus.toml"]).failed(3);
    assert!(said.contains("`access.http.0.timeout` is 1m, out of its range"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    place.write("plexus.toml", &format!("{text}cleartext = true\n"));
    let shown = place.run(["config", "show", "--config", "plexus.toml"]).ok();
    assert!(shown.contains("# X-Key = \"***\""), "{shown}");
}

/// A token of that key, good for a minute.
fn token(pair: &KeyPair, id: &str) -> String {
    let now = unix_now().saturating_since(Instant::ZERO);
    let header = Header { kid: Some(id.into()), ..Header::new(Algorithm::EdDSA) };
    let key = EncodingKey::from_ed_pem(pair.serialize_pem().as_bytes()).expect("a key");
    encode(&header, &serde_json::json!({ "exp": now.as_secs() + 60 }), &key).expect("a token")
}

/// A token of that secret, good for a minute, with these claims.
fn shared(secret: &str, mut claims: serde_json::Value) -> String {
    let now = unix_now().saturating_since(Instant::ZERO);
    let claims_of = claims.as_object_mut().expect("an object");
    claims_of.insert("exp".to_owned(), (now.as_secs() + 60).into());
    let key = EncodingKey::from_secret(secret.as_bytes());
    encode(&Header::default(), &claims, &key).expect("a token")
}

const TOKENS: &str = "\
[node]
data_dir = \"data\"

[access]
users_file = \"users.txt\"
chain = [\"tokens\"]

[[access.jwt]]
name = \"tokens\"
secret = \"file:secret\"
user_name_claim = \"sub\"

[[listener]]
url = \"tcp://127.0.0.1:0\"
";

#[test]
fn authenticators_with_their_keys_and_chains_are_read_anew() {
    let place = Place::new();
    run(&mut place.plexus(["passwd", "users.txt", "ann"]), b"p\n").ok();
    place.write("secret", "the first of them\n");
    place.write("plexus.toml", TOKENS);
    let mut node = Node::start(&place, &["--config", "plexus.toml"]);
    let url = node.urls[0].clone();
    let [first, second] = ["the first of them", "the second of them"]
        .map(|secret| shared(secret, serde_json::json!({ "sub": "fleet" })));
    assert_eq!(connects(&url, "bob", &first).0, SUCCESS);
    assert_eq!(connects(&url, "ann", "p").0, BAD_PASSWORD, "nobody asks for users");

    place.write("secret", "the second of them\n");
    let wider = TOKENS.replace("[\"tokens\"]", "[\"tokens\", \"users\"]");
    place.write("plexus.toml", &wider);
    let told = node.reload();
    assert!(told.contains("read anew: 1 user, log level info"), "{told}");
    assert_eq!(connects(&url, "bob", &first).0, BAD_PASSWORD, "a key that is gone");
    assert_eq!(connects(&url, "bob", &second).0, SUCCESS);
    assert_eq!(connects(&url, "ann", "p").0, SUCCESS);

    // What cannot be made leaves the others, and rules that may rely on it.
    place.write("secret", "\n");
    place.write(
        "plexus.toml",
        &(wider + "[[access.rule]]\ndeny = [\"publish\"]\ntopics = [\"#\"]\n"),
    );
    node.reload();
    let (reason, mut stream) = connects(&url, "bob", &second);
    assert_eq!((reason, publishes(&mut stream, "a")), (SUCCESS, NOBODY_HEARS));
    // A file that was cut off opens no door.
    place.write("plexus.toml", "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n");
    node.reload();
    assert_eq!(connects(&url, "eve", "x").0, BAD_PASSWORD);
    let log = node.stop().stderr;
    assert!(log.contains("the old authenticators and the old rules stay"), "{log}");
    assert!(log.contains("there is no authenticator any more"), "{log}");
    assert!(!log.contains("\"keys\":\"access"), "a change of it waits for nothing: {log}");

    // The record of a log-in has the name that was proved.
    place.write("plexus.toml", TOKENS);
    let shown = place.run(["audit", "show", "--kind", "login"]).ok();
    assert!(shown.contains("connect done  client bob  user fleet  from 127.0.0.1"), "{shown}");
    assert!(!shown.contains("done  client bob  user bob"), "{shown}");
    let changed = place.run(["audit", "show", "--kind", "change"]).ok();
    assert!(changed.contains("authenticators done  because: 2 authenticators"), "{changed}");
    assert!(changed.contains("authenticators failed"), "{changed}");
}

/// Whoever has a token of his own calls himself as he likes.
#[test]
fn a_name_that_nobody_has_proved_is_unknown_to_rules_and_sessions() {
    let place = Place::new();
    place.write("secret", "the only one\n");
    let text = TOKENS
        .replace("users_file = \"users.txt\"\nchain = [\"tokens\"]\n", "")
        .replace("user_name_claim = \"sub\"\n", "");
    place.write("plexus.toml", &text);
    let node = Node::start(&place, &["--config", "plexus.toml"]);
    let acl = serde_json::json!({ "pub": ["own/${username}", "id/${clientid}"] });
    let token = shared("the only one", serde_json::json!({ "acl": acl }));
    let (reason, mut stream) = connects(&node.urls[0], "ann", &token);
    assert_eq!(reason, SUCCESS);
    assert_eq!(publishes(&mut stream, "own/ann"), NOT_AUTHORIZED);
    assert_eq!(publishes(&mut stream, "id/ann"), NOBODY_HEARS);
    assert_eq!(node.stop().code, Some(0));
    let shown = place.run(["audit", "show", "--kind", "access"]).ok();
    assert!(shown.contains("publish refused  own/ann  client ann  from 127.0.0.1"), "{shown}");
    let said = place.run(["config", "check", "plexus.toml"]).ok();
    assert!(said.contains("tokens of `tokens` say nothing of who shows them"), "{said}");
}

#[test]
fn expressions_say_who_is_asked_and_what_is_known_of_a_client() {
    let place = Place::new();
    run(&mut place.plexus(["passwd", "users.txt", "north-1"]), b"p\n").ok();
    place.write(
        "plexus.toml",
        "[access]\nusers_file = \"users.txt\"\n\
         when = { users = \"listener == 'plant' && client_id.startsWith('north')\" }\n\
         attributes = { site = \"client_id.split('-')[0]\" }\n\
         [[access.rule]]\nallow = [\"publish\"]\ntopics = [\"site/${client_attrs.site}/#\"]\n\
         [[listener]]\nurl = \"tcp://127.0.0.1:0\"\nname = \"plant\"\n\
         [[listener]]\nurl = \"tcp://127.0.0.1:0\"\nname = \"office\"\n",
    );
    let node = Node::start(&place, &["--config", "plexus.toml"]);
    let [plant, office] = &node.urls[..] else { panic!("two listeners") };
    let (reason, mut stream) = connects(plant, "north-1", "p");
    assert_eq!(reason, SUCCESS);
    assert_eq!(publishes(&mut stream, "site/north/a"), NOBODY_HEARS);
    assert_eq!(publishes(&mut stream, "site/south/a"), NOT_AUTHORIZED);
    assert_eq!(connects(office, "north-1", "p").0, BAD_PASSWORD, "nobody is asked there");
}

/// A set of one key, as it is published.
fn published(pair: &KeyPair, id: &str) -> Manner {
    let x = URL_SAFE_NO_PAD.encode(pair.der_bytes());
    let key = serde_json::json!({ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": x });
    Manner::answer("200 OK", &serde_json::json!({ "keys": [key] }).to_string())
}

#[test]
fn keys_that_are_published_are_fetched_and_change_without_a_restart() {
    let [one, two] = [(); 2].map(|()| KeyPair::generate_for(&rcgen::PKCS_ED25519).expect("a key"));
    let service = HttpService::start(published(&one, "1"));
    let place = Place::new();
    place.write(
        "plexus.toml",
        &format!(
            "[[access.jwt]]\nname = \"tokens\"\nkey_set_url = \"{}/keys\"\n\
             [[listener]]\nurl = \"tcp://127.0.0.1:0\"\n",
            service.url()
        ),
    );
    let node = Node::start(&place, &["--config", "plexus.toml"]);
    let url = &node.urls[0];
    assert_eq!(connects(url, "bob", &token(&one, "1")).0, SUCCESS);
    assert_eq!(connects(url, "bob", &token(&two, "1")).0, BAD_PASSWORD, "signed by another");
    service.set(published(&two, "2"));
    // A key that is not known is looked for each ten seconds at most.
    let deadline = unix_now() + PATIENCE;
    while connects(url, "bob", &token(&two, "2")).0 != SUCCESS {
        assert!(unix_now() < deadline, "it is never found");
        std::thread::yield_now();
    }
    assert_eq!(connects(url, "bob", &token(&one, "1")).0, BAD_PASSWORD, "it holds no longer");
    let asked = service.count();
    assert!(asked <= 4, "asked {asked} times");
    let _dead = service.kill();
    assert_eq!(connects(url, "bob", &token(&two, "2")).0, SUCCESS, "known keys hold");
}

#[test]
fn a_redis_that_cannot_be_meant_stops_the_start_and_shows_no_password() {
    let place = Place::new();
    let text =
        "[[access.redis]]\nname = \"r\"\nserver = \"127.0.0.1:6379\"\npassword = \"hunter2\"\n";
    for (line, said) in [
        ("server = \"redis://a\"", "`server` is no server; write `host`"),
        ("command = \"FLUSHALL\"", "`command` is neither `HMGET key field …` nor `HGETALL key`"),
        ("rules_command = \"HGETALL ${user}\"", "`rules_command` has `${user}`; known are"),
        ("passwords = \"md5\"", "`passwords` names no scheme; there are phc"),
        ("ca_file = \"nowhere.pem\"", "`ca_file` cannot be used: "),
        ("remember = \"2d\"", "`access.redis.0.remember` is 2d, out of its range"),
        ("max_queries = 0", "`access.redis.0.max_queries` is 0, out of its range"),
    ] {
        let key = line.split(' ').next().expect("a key");
        let rest = text.lines().filter(|other| !other.starts_with(key)).collect::<Vec<_>>();
        place.write("plexus.toml", &format!("{}\n{line}\n", rest.join("\n")));
        let shown = place.run(["config", "check", "plexus.toml"]).failed(3);
        assert!(shown.contains(said), "{line}: {shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn a_directory_that_cannot_be_meant_stops_the_start_and_shows_no_password() {
    let place = Place::new();
    let text = "[[access.ldap]]\nname = \"d\"\nserver = \"127.0.0.1\"\nuser_name = \"cn=node\"\n\
                password = \"hunter2\"\nbase = \"dc=plant\"\n";
    for (line, said) in [
        ("base = \"plant\"", "`base` is no distinguished name such as"),
        ("filter = \"(uid=bob)\"", "`filter` has no place such as `${username}`: all clients"),
        ("filter = \"(${username}=a)\"", "`filter` is no filter such as `(uid=${username})`, or"),
        ("entry = \"uid=${username}\"", "finds no client: either `entry` or `base` is needed"),
        ("user_name = \"\"", "`user_name` needs a `password`, and the other way round"),
        ("start_tls = true\ncleartext = true", "`start_tls` and `cleartext` exclude each other"),
        ("proof = \"stored\"\npasswords = \"md5\"", "`passwords` names no scheme; there are"),
        ("timeout = \"1m\"", "`access.ldap.0.timeout` is 1m, out of its range"),
    ] {
        let key = line.split(' ').next().expect("a key");
        let rest = text.lines().filter(|other| !other.starts_with(key)).collect::<Vec<_>>();
        place.write("plexus.toml", &format!("{}\n{line}\n", rest.join("\n")));
        let shown = place.run(["config", "check", "plexus.toml"]).failed(3);
        assert!(shown.contains(said), "{line}: {shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    place.write("plexus.toml", &text.replace("ldap", "mysql").replace("base", "database"));
    place.run(["config", "check", "plexus.toml"]).ok();
}
