//! Databases and directories that hold a node's users, seen from outside.

use plexus_testkit::{HASH, HttpService, Manner, MariaDb, NODE_PASSWORD, Postgres, Redis, Slapd};

use crate::{
    back_ends::{
        BAD_PASSWORD, NOBODY_HEARS, NOT_AUTHORIZED, SUCCESS, UNAVAILABLE, connects, publishes,
    },
    program::{Node, Place, run},
};

/// A node whose first listener asks a back end `store`, and whose second knows Ann itself.
fn node(place: &Place, table: &str) -> Node {
    place.write("node.key", &format!("{NODE_PASSWORD}\n"));
    run(&mut place.plexus(["passwd", "users.txt", "ann"]), b"p\n").ok();
    let file = format!(
        "[access]\nusers_file = \"users.txt\"\n{table}\nname = \"store\"\n\
         [[listener]]\nurl = \"tcp://127.0.0.1:0\"\nname = \"store\"\nchain = [\"store\"]\n\
         [[listener]]\nurl = \"tcp://127.0.0.1:0\"\nname = \"own\"\nchain = [\"users\"]\n"
    );
    place.write("plexus.toml", &file);
    Node::start(place, &["--config", "plexus.toml"])
}

/// Bob comes in with his rules, and nobody else; while the back end is dead, only who needs it notices.
fn is_asked(node: &Node, be_dead: impl FnOnce(), be_back: impl FnOnce()) {
    let [store, own] = &node.urls[..] else { panic!("two listeners") };
    let (reason, mut stream) = connects(store, "bob", "right");
    assert_eq!(reason, SUCCESS);
    assert_eq!(publishes(&mut stream, "own/bob"), NOBODY_HEARS);
    assert_eq!(publishes(&mut stream, "own/eve"), NOT_AUTHORIZED);
    assert_eq!(connects(store, "bob", "wrong").0, BAD_PASSWORD);
    assert_eq!(connects(store, "bob", "").0, BAD_PASSWORD);
    assert_eq!(connects(store, "eve", "right").0, BAD_PASSWORD);
    be_dead();
    assert_eq!(connects(store, "bob", "right").0, UNAVAILABLE);
    assert_eq!(connects(own, "ann", "p").0, SUCCESS, "who does not need it does not notice");
    be_back();
    assert_eq!(connects(store, "bob", "right").0, SUCCESS, "it is back");
}

const TABLES: &str = "CREATE TABLE mqtt_user (username varchar(100), password_hash varchar(100), \
                      salt varchar(8), is_superuser boolean); \
                      CREATE TABLE mqtt_acl (username varchar(100), permission varchar(5), \
                      action varchar(9), topic varchar(100));";

fn bob() -> String {
    format!(
        "{TABLES} INSERT INTO mqtt_user VALUES ('bob', '{HASH}', 'salt', false); \
         INSERT INTO mqtt_acl VALUES ('bob', 'allow', 'publish', 'own/${{username}}');"
    )
}

const RULES_QUERY: &str = "rules_query = \"SELECT permission, action, topic FROM mqtt_acl \
                           WHERE username = ${username}\"";

#[test]
fn a_redis_says_who_comes_in_by_tls() {
    let mut redis = Redis::start_secure();
    redis.does(&[
        &format!("HSET mqtt_user:bob password_hash {HASH} salt salt"),
        "HSET mqtt_acl:bob own/${username} publish",
    ]);
    let place = Place::new();
    let (port, authority) = (redis.secure_port(), redis.authority().file().display().to_string());
    let table = format!(
        "[[access.redis]]\nserver = \"localhost:{port}\"\nca_file = \"{authority}\"\n\
         password = \"file:node.key\"\nrules_command = \"HGETALL mqtt_acl:${{username}}\"\n\
         passwords = \"sha256\""
    );
    let node = node(&place, &table);
    let redis = std::cell::RefCell::new(&mut redis);
    is_asked(&node, || redis.borrow_mut().kill(), || redis.borrow_mut().again());
}

#[test]
fn a_postgres_says_who_comes_in_by_tls() {
    let mut postgres = Postgres::start();
    postgres.does(&bob());
    let place = Place::new();
    let (port, authority) = (postgres.port(), postgres.authority().file().display().to_string());
    let table = format!(
        "[[access.postgres]]\nserver = \"localhost:{port}\"\nca_file = \"{authority}\"\n\
         database = \"postgres\"\nuser_name = \"plexus\"\npassword = \"file:node.key\"\n\
         {RULES_QUERY}\npasswords = \"sha256\""
    );
    let node = node(&place, &table);
    let postgres = std::cell::RefCell::new(&mut postgres);
    is_asked(&node, || postgres.borrow_mut().kill(), || postgres.borrow_mut().again());
}

#[test]
fn a_mariadb_says_who_comes_in_by_tls() {
    let mut maria = MariaDb::start();
    maria.does(&format!("USE mqtt; {}", bob()));
    let place = Place::new();
    let (port, authority) = (maria.port(), maria.authority().file().display().to_string());
    let table = format!(
        "[[access.mysql]]\nserver = \"localhost:{port}\"\nca_file = \"{authority}\"\n\
         database = \"mqtt\"\nuser_name = \"plexus\"\npassword = \"file:node.key\"\n\
         {RULES_QUERY}\npasswords = \"sha256\""
    );
    let node = node(&place, &table);
    let maria = std::cell::RefCell::new(&mut maria);
    is_asked(&node, || maria.borrow_mut().kill(), || maria.borrow_mut().again());
}

/// The password `right`, in the form that OpenLDAP makes itself.
const ENTRY: &str = "\
dn: uid=bob,dc=plant
objectClass: inetOrgPerson
objectClass: mqttUser
uid: bob
cn: bob
sn: bob
userPassword: {SSHA}Q0dAUNYieUEh8DjAxxd1rE959TVzYWx0
mqttPublishTopic: own/${username}
";

#[test]
fn a_directory_says_who_comes_in_by_tls() {
    let mut slapd = Slapd::start(ENTRY);
    let (port, secure_port) = (slapd.port(), slapd.secure_port());
    let authority = slapd.authority().file().display().to_string();
    for more in [
        format!("server = \"localhost:{secure_port}\"\nbase = \"dc=plant\"\nproof = \"stored\""),
        format!(
            "server = \"localhost:{port}\"\nstart_tls = true\nentry = \"uid=${{username}},dc=plant\""
        ),
    ] {
        let place = Place::new();
        let table = format!(
            "[[access.ldap]]\n{more}\nca_file = \"{authority}\"\nuser_name = \"cn=node,dc=plant\"\n\
             password = \"file:node.key\"\npublish_attribute = \"mqttPublishTopic\""
        );
        let node = node(&place, &table);
        let slapd = std::cell::RefCell::new(&mut slapd);
        is_asked(&node, || slapd.borrow_mut().kill(), || slapd.borrow_mut().again());
    }
}

/// Ann and Bob are let in by their own passwords, and what they may do stands elsewhere.
#[test]
fn rules_are_drawn_from_sources_of_their_own() {
    let mut redis = Redis::start();
    redis.does(&["HSET mqtt_acl:ann own/${username} publish"]);
    let acl = r#"{"result":"allow","is_superuser":true,"acl":[
        {"permission":"deny","topic":"own/bob"},{"permission":"allow","topic":"web/${clientid}"}]}"#;
    let service = HttpService::start(Manner::answer("200 OK", acl));
    let place = Place::new();
    place.write("node.key", &format!("{NODE_PASSWORD}\n"));
    for user in ["ann", "bob"] {
        run(&mut place.plexus(["passwd", "users.txt", user]), b"p\n").ok();
    }
    let file = format!(
        "[access]\nusers_file = \"users.txt\"\nchain = [\"users\"]\nrules_from = [\"robots\", \"web\"]\n\
         [[access.redis]]\nname = \"robots\"\nserver = \"127.0.0.1:{}\"\ncleartext = true\n\
         password = \"file:node.key\"\nrules_command = \"HGETALL mqtt_acl:${{username}}\"\n\
         [[access.http]]\nname = \"web\"\nurl = \"{}/rules\"\n\
         [[access.rule]]\nallow = [\"publish\"]\ntopics = [\"own/#\"]\n\
         [[listener]]\nurl = \"tcp://127.0.0.1:0\"\nname = \"outside\"\n\
         [[listener]]\nurl = \"tcp://127.0.0.1:0\"\nname = \"inside\"\nrules_from = []\n",
        redis.port(),
        service.url()
    );
    place.write("plexus.toml", &file);
    let node = Node::start(&place, &["--config", "plexus.toml"]);
    let [outside, inside] = &node.urls[..] else { panic!("two listeners") };
    let (reason, mut ann) = connects(outside, "ann", "p");
    assert_eq!(reason, SUCCESS);
    for (topic, wanted) in [
        ("own/ann", NOBODY_HEARS),
        ("web/ann", NOBODY_HEARS),
        ("own/eve", NOBODY_HEARS),
        ("own/bob", NOT_AUTHORIZED),
        ("web/bob", NOT_AUTHORIZED),
    ] {
        assert_eq!(publishes(&mut ann, topic), wanted, "{topic}");
    }
    let heard = service.heard(1);
    assert_eq!(heard[0].body, r#"{"clientid":"ann","username":"ann"}"#, "no password");
    let (_, mut bob) = connects(inside, "bob", "p");
    assert_eq!(publishes(&mut bob, "own/bob"), NOBODY_HEARS, "here only the file speaks");
    assert_eq!(connects(outside, "bob", "wrong").0, BAD_PASSWORD);
    service.set(Manner::answer("200 OK", r#"{"result":"deny"}"#));
    assert_eq!(connects(outside, "bob", "p").0, NOT_AUTHORIZED);
    redis.kill();
    assert_eq!(connects(outside, "ann", "p").0, UNAVAILABLE, "its rules may have been bans");
    assert_eq!(connects(inside, "ann", "p").0, SUCCESS);
    assert_eq!(service.count(), 2, "nobody is asked who need not be");
    redis.again();
    service.set(Manner::answer("204 No Content", ""));
    assert_eq!(connects(outside, "ann", "p").0, SUCCESS);
}
