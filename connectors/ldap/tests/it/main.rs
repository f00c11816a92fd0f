//! A real OpenLDAP that is right, slow, dead and back again, and one that lies.

use std::time::Duration;

use plexus_access::{PasswordScheme, Template};
use plexus_connector_ldap::{
    Attributes, LdapAuthenticator, LdapOptions, LdapServer, Login, Place, Proof,
};
use plexus_net::{TlsClient, TlsClientOptions};
use plexus_runtime::{Handle, Line};
use plexus_testkit::{Conduct, Door, NODE_PASSWORD, PATIENCE, Relay, SHORT, Slapd, bears_trouble};
use plexus_types::ReasonCode;

const REFUSED: ReasonCode = ReasonCode::BadUserNameOrPassword;
const NO_ANSWER: ReasonCode = ReasonCode::ServerUnavailable;

/// Bob, whose password is `right` in the form that OpenLDAP makes itself, and others.
const PEOPLE: &str = "\
dn: ou=people,dc=plant
objectClass: organizationalUnit
ou: people

dn: uid=bob,ou=people,dc=plant
objectClass: inetOrgPerson
objectClass: mqttUser
uid: bob
cn: bob
sn: bob
userPassword: {SSHA}Q0dAUNYieUEh8DjAxxd1rE959TVzYWx0
isSuperuser: FALSE
mqttPublishTopic: own/${username}
mqttPublishTopic: more/#
mqttSubscriptionTopic: news/#

dn: uid=root,ou=people,dc=plant
objectClass: inetOrgPerson
objectClass: mqttUser
uid: root
cn: root
sn: root
userPassword: right
isSuperuser: TRUE

dn: uid=x\\,ou\\=people,ou=people,dc=plant
objectClass: inetOrgPerson
uid: x,ou=people
cn: x
sn: x
userPassword: right

dn: uid=none,ou=people,dc=plant
objectClass: inetOrgPerson
uid: none
cn: bob
sn: none
";

fn attributes() -> Attributes {
    let name = |text: &str| Some(text.to_owned());
    Attributes {
        password: None,
        superuser: name("isSuperuser"),
        publish: name("mqttPublishTopic"),
        subscribe: name("mqttSubscriptionTopic"),
        all: name("mqttPubSubTopic"),
    }
}

fn named() -> Place {
    let template = Template::parse("uid=${username},ou=people,dc=plant").expect("a template");
    Place::named(&template).expect("a place")
}

fn found(filter: &str) -> Place {
    let template = Template::parse(filter).expect("a template");
    Place::found("ou=people,dc=plant", &template).expect("a place")
}

fn options(line: Line, place: Place) -> LdapOptions {
    let (name, password) = ("cn=node,dc=plant".to_owned(), NODE_PASSWORD.to_owned());
    LdapOptions {
        server: LdapServer { line, start_tls: false },
        login: Some(Login { name, password }),
        place,
        attributes: attributes(),
        proof: Proof::Bind,
    }
}

fn clear(port: u16, runtime: &Handle) -> Line {
    Line::new("127.0.0.1", port, None, runtime.clone()).expect("a server")
}

fn door(port: u16, timeout: Duration, change: impl FnOnce(LdapOptions) -> LdapOptions) -> Door {
    Door::new(timeout, |runtime| {
        let options = options(clear(port, runtime), found("(uid=${username})"));
        LdapAuthenticator::new(change(options), runtime)
    })
}

fn stored(options: LdapOptions) -> LdapOptions {
    let attributes = Attributes { password: Some("userPassword".to_owned()), ..attributes() };
    LdapOptions { attributes, proof: Proof::Stored(PasswordScheme::Directory), ..options }
}

#[test]
fn users_get_in_where_the_directory_lets_them_in_or_their_stored_password_is_right() {
    let slapd = Slapd::start(PEOPLE);
    let by_filter = door(slapd.port(), PATIENCE, |options| options);
    let by_name = door(slapd.port(), PATIENCE, |options| LdapOptions { place: named(), ..options });
    let by_hash = door(slapd.port(), PATIENCE, stored);
    for (way, door) in [("filter", &by_filter), ("name", &by_name), ("hash", &by_hash)] {
        let rights = door.asks("bob", "right").expect(way);
        assert!(!rights.is_superuser, "{way}");
        // A directory looks at neither case nor blanks around a name; rules, bans and limits do.
        for spelled in ["bob", "BOB", " bob", "bob  "] {
            if let Ok(rights) = door.asks(spelled, "right") {
                assert_eq!(rights.user_name.as_deref(), Some("bob"), "{way}: {spelled:?}");
            } else {
                assert_ne!(spelled.trim().to_lowercase(), spelled.to_lowercase(), "{way}");
            }
        }
        let text = format!("{:?}", rights.rules.expect("it has rules"));
        for topic in ["own/${username}", "more/#", "news/#"] {
            assert!(text.contains(topic), "{way}: {text}");
        }
        for (user, password) in [
            ("bob", "wrong"),
            ("bob", ""),
            ("eve", "right"),
            ("*", "right"),
            ("bob)(uid=*", "right"),
            ("bob,ou=people", "right"),
            ("", "right"),
            ("none", "right"),
        ] {
            // Who has no password at all is no user where passwords are compared.
            let wanted = if (way, user) == ("hash", "none") { NO_ANSWER } else { REFUSED };
            assert_eq!(door.asks(user, password), Err(wanted), "{way}: {user:?} {password:?}");
        }
    }
    for door in [&by_filter, &by_name] {
        assert!(door.asks("root", "right").expect("let in").is_superuser);
        assert!(door.asks("x,ou=people", "right").is_ok(), "a name is one value");
    }
    let plain = door(slapd.port(), PATIENCE, |options| LdapOptions {
        proof: Proof::Stored(PasswordScheme::Plain),
        ..stored(options)
    });
    assert!(plain.asks("root", "right").expect("let in").is_superuser);
    assert_eq!(plain.asks("root", "Right"), Err(REFUSED));
}

#[test]
fn the_node_itself_need_be_nobody_there() {
    let slapd = Slapd::start(PEOPLE);
    let by_name = |options| LdapOptions {
        place: named(),
        login: None,
        attributes: Attributes::default(),
        ..options
    };
    let right = door(slapd.port(), PATIENCE, by_name);
    let rights = right.asks("bob", "right").expect("let in");
    assert!(rights.is_empty(), "{rights:?}");
    for (user, password) in [("bob", "wrong"), ("bob", ""), ("eve", "right"), ("", "right")] {
        assert_eq!(right.asks(user, password), Err(REFUSED), "{user}");
    }
    let several = door(slapd.port(), PATIENCE, |options| LdapOptions {
        place: found("(cn=${username})"),
        ..options
    });
    for _ in 0..6 {
        assert_eq!(several.asks("bob", "right"), Err(NO_ANSWER), "which of them?");
    }
    assert!(several.asks("root", "right").is_ok(), "that is no failure of the server");
    let stranger = door(slapd.port(), PATIENCE, |options| {
        let login = options.login.map(|login| Login { password: "wrong".to_owned(), ..login });
        LdapOptions { login, ..options }
    });
    assert_eq!(stranger.asks("bob", "right"), Err(NO_ANSWER), "the node does not get in");
}

#[test]
fn a_server_that_is_dead_or_deaf_costs_a_refusal_and_is_asked_again() {
    let mut slapd = Slapd::start(PEOPLE);
    let mut relay = Relay::to(slapd.port());
    let patient = door(relay.port(), PATIENCE, |options| options);
    let hasty = door(relay.port(), SHORT, |options| options);
    bears_trouble(&mut relay, &patient, &hasty, || {
        slapd.kill();
        slapd.again();
    });
}

#[test]
fn one_connection_reads_entries_and_one_is_shown_passwords() {
    let slapd = Slapd::start(PEOPLE);
    let relay = Relay::to(slapd.port());
    let right = door(relay.port(), PATIENCE, |options| options);
    assert!(right.asks("bob", "right").is_ok() && right.asks("bob", "right").is_ok());
    assert_eq!(relay.count(), 2);
}

#[test]
fn it_is_spoken_to_by_tls_from_the_start_or_from_then_on() {
    let slapd = Slapd::start(PEOPLE);
    let door = |host: &'static str, start_tls, ca_file| {
        let port = if start_tls { slapd.port() } else { slapd.secure_port() };
        Door::new(PATIENCE, |runtime| {
            let tls = TlsClientOptions { ca_file, ..TlsClientOptions::default() };
            let tls = TlsClient::new(&tls).expect("files").config();
            let line = Line::new(host, port, Some(tls), runtime.clone()).expect("a server");
            let server = LdapServer { line: line.clone(), start_tls };
            LdapAuthenticator::new(LdapOptions { server, ..options(line, named()) }, runtime)
        })
    };
    let authority = || Some(slapd.authority().file().to_owned());
    for start_tls in [false, true] {
        assert!(door("localhost", start_tls, authority()).asks("bob", "right").is_ok());
        let said = door("localhost", start_tls, None).asks("bob", "right");
        assert_eq!(said, Err(NO_ANSWER), "nobody vouches for it");
        let said = door("127.0.0.1", start_tls, authority()).asks("bob", "right");
        assert_eq!(said, Err(NO_ANSWER), "it is somebody else's certificate");
    }
}

#[test]
fn a_server_that_lies_lets_nobody_in() {
    let slapd = Slapd::start(PEOPLE);
    let relay = Relay::to(slapd.port());
    let result = |number: u8, tag: u8, code: u8| {
        vec![0x30, 12, 2, 1, number, tag, 7, 10, 1, code, 4, 0, 4, 0]
    };
    let deep = [vec![0x30, 0x82, 0x0F, 0xA3, 2, 1, 1], [0x30, 0x80].repeat(2_000)].concat();
    let lies = [
        Vec::new(),
        b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
        vec![0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF],
        vec![0x30, 0x88, 0xFF, 0xFF],
        vec![0x30, 0x05, 2, 1, 1],
        deep,
        // Success, to a question that was not put.
        result(9, 0x61, 0),
        // The notice that it breaks off.
        result(0, 0x78, 52),
        // It is done before it has begun, or busy.
        result(1, 0x65, 0),
        result(1, 0x61, 51),
        // It refers to another server.
        result(2, 0x65, 10),
    ];
    for lie in lies {
        for cue in [&b""[..], b"cn=node", b"isSuperuser", b"right"] {
            relay.set(Conduct::Lies { cue, says: lie.clone() });
            // A door of its own each time: after five failures it would not be asked any more.
            let said = door(relay.port(), PATIENCE, |options| options).asks("bob", "right");
            assert_eq!(said, Err(NO_ANSWER), "{cue:?}: {lie:?}");
        }
    }
    relay.set(Conduct::Passes);
    assert!(door(relay.port(), PATIENCE, |options| options).asks("bob", "right").is_ok());
}
