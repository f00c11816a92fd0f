//! Groups of clients from a file.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use bytes::BytesMut;
use plexus_types::{ProtocolVersion, Text};
use plexus_wire::{Connect, ConnectProperties, Packet, encode};

use super::{LISTEN, assert_numbers, bench, number};
use crate::program::{Node, Place};

#[test]
fn a_mixed_workload_comes_from_its_file() {
    let place = Place::new();
    let node = Node::start(&place, &LISTEN);
    place.write(
        "mixed.toml",
        "[[group]]\nname = \"sensors\"\nrole = \"publish\"\ncount = 4\ntopic = \"s/%i/t\"\nqos = 1\n\
         rate = 400\n[[group]]\nname = \"store\"\nrole = \"subscribe\"\ncount = 2\n\
         filter = \"s/+/t\"\nqos = 1\n[[group]]\nrole = \"connect\"\ncount = 3\n",
    );
    let args = ["mixed", "mixed.toml", "-d", "300ms", "--warm-up", "0s"];
    let summary = bench(&place, &args, node.port());
    let published = number(&summary, "/messages/published");
    assert!(published > 0, "{summary}");
    assert_eq!(number(&summary, "/messages/delivered"), 2 * published);
    assert_numbers(&summary, &[("/groups/connect-3/accepted", 3), ("/messages/lost", 0)]);
    place.write("mixed.toml", "[[group]]\nrole = \"publish\"\ncount = 1\ntopic = \"a\"\nqos = 7\n");
    let error = place.run(["bench", "mixed", "mixed.toml"]).failed(2);
    assert_eq!(error, "error: mixed.toml: group 1 (`publish-1`): qos is 0, 1 or 2\n");
    let keys = "clean_start = true\nsession_expiry = \"1h\"\n";
    place.write("mixed.toml", format!("[[group]]\nrole = \"connect\"\ncount = 1\n{keys}").as_str());
    let error = place.run(["bench", "mixed", "mixed.toml", "-V", "311"]).failed(2);
    assert!(error.contains("leave out clean_start, or session_expiry, or -V"), "{error}");
}

/// Groups of sensors that publish for three watchers with these keys.
fn churning(sensors: &str, watchers: &str) -> String {
    format!(
        "[[group]]\nname = \"sensors\"\nrole = \"publish\"\ncount = 4\ntopic = \"s/%i\"\n{sensors}\n\
         [[group]]\nname = \"watchers\"\nrole = \"subscribe\"\ncount = 3\nfilter = \"s/+\"\n\
         client_id = \"bench-watcher-%i\"\n{watchers}\n"
    )
}

#[test]
fn a_kept_session_loses_nothing_while_its_client_is_away() {
    let place = Place::new();
    // A window publishes as fast as it goes, and the queue of who is away has to hold it.
    let args = [&LISTEN[..], &["--set", "mqtt.max_queue_messages=100000"]].concat();
    let node = Node::start(&place, &args);
    for (qos, leave, version, sensors) in [
        (1, "clean", "5", "rate = 400"),
        (2, "drop", "5", "rate = 400"),
        (1, "drop", "311", "window = 2"),
        (2, "clean", "31", "rate = 400\nsession_expiry = \"1h\"\nchurn = { stay = \"90ms\" }"),
        (
            2,
            "drop",
            "311",
            "rate = 400\nclean_start = false\nchurn = { stay = \"50ms\", away = \"9ms\", leave = \"drop\" }",
        ),
    ] {
        let watchers = format!(
            "qos = {qos}\nclean_start = false\nsession_expiry = \"1h\"\n\
             churn = {{ stay = \"70ms\", away = \"30ms\", leave = \"{leave}\" }}"
        );
        place.write("mixed.toml", churning(&format!("qos = {qos}\n{sensors}"), &watchers).as_str());
        let args = ["mixed", "mixed.toml", "-d", "400ms", "--warm-up", "0s", "-V", version];
        let summary = bench(&place, &args, node.port());
        let published = number(&summary, "/messages/published");
        assert!(published > 0 && number(&summary, "/groups/watchers/accepted") > 6, "{summary}");
        assert_numbers(
            &summary,
            &[
                ("/messages/expected", 3 * published),
                ("/messages/delivered", 3 * published),
                ("/messages/lost", 0),
                ("/messages/out_of_order", 0),
                ("/messages/unacknowledged", 0),
                ("/groups/watchers/lost", 0),
            ],
        );
        assert_eq!(summary["troubles"], serde_json::json!({}), "no session was forgotten");
        for id in 4..7 {
            assert!(!has_session(node.port(), &format!("bench-watcher-{id}")), "{id}: {leave}");
        }
    }
}

/// Whether the node keeps a session for a client.
fn has_session(port: &str, client_id: &str) -> bool {
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).expect("it listens");
    let connect = Connect {
        version: ProtocolVersion::V311,
        bridge: false,
        clean_start: false,
        keep_alive: 0,
        client_id: Text::try_from(client_id).expect("an identifier"),
        will: None,
        user_name: None,
        password: None,
        properties: ConnectProperties::default(),
    };
    let mut bytes = BytesMut::new();
    let version = connect.version;
    encode(&Packet::Connect(Box::new(connect)), version, &mut bytes).expect("a packet");
    stream.write_all(&bytes).expect("it reads");
    let mut connack = [0; 4];
    stream.read_exact(&mut connack).expect("CONNACK");
    assert_eq!((connack[0], connack[3]), (0x20, 0), "accepted");
    connack[2] == 1
}

#[test]
fn what_was_published_while_nobody_was_to_hear_it_is_not_lost() {
    let place = Place::new();
    let node = Node::start(&place, &LISTEN);
    for (sensors, watchers) in [
        ("qos = 0\nrate = 400", "qos = 0\nchurn = { stay = \"50ms\", away = \"20ms\" }"),
        (
            "qos = 1\nretain = true",
            "qos = 1\nchurn = { stay = \"50ms\", leave = \"drop\", away = \"0s\" }",
        ),
        ("qos = 2\nrate = 400", "qos = 0\nsession_expiry = \"1h\"\nchurn = { stay = \"50ms\" }"),
        ("qos = 1\nwindow = 3", "qos = 1\nshared = \"g\"\nchurn = { stay = \"50ms\" }"),
    ] {
        place.write("mixed.toml", churning(sensors, watchers).as_str());
        let args = ["mixed", "mixed.toml", "-d", "300ms", "--warm-up", "0s"];
        let summary = bench(&place, &args, node.port());
        let [published, delivered] =
            ["published", "delivered"].map(|name| number(&summary, &format!("/messages/{name}")));
        // The members of a share together get each message once.
        let receivers = if watchers.contains("shared") { 1 } else { 3 };
        let most = receivers * published;
        assert!(delivered > 0 && delivered <= most, "{summary}");
        assert_numbers(&summary, &[("/messages/lost", 0), ("/messages/expected", delivered)]);
    }
}

#[test]
fn a_will_is_published_for_who_drops_its_connection_alone() {
    let place = Place::new();
    let node = Node::start(&place, &LISTEN);
    for (leave, comes) in [("drop", true), ("clean", false)] {
        place.write(
            "mixed.toml",
            format!(
                "[[group]]\nname = \"clients\"\nrole = \"connect\"\ncount = 3\n\
                 churn = {{ stay = \"50ms\", away = \"10ms\", leave = \"{leave}\" }}\n\
                 will = {{ topic = \"gone/%i\", payload = \"%c\", qos = 1 }}\n\
                 [[group]]\nname = \"watcher\"\nrole = \"subscribe\"\ncount = 1\nqos = 1\n\
                 filter = \"gone/+\"\n"
            )
            .as_str(),
        );
        let summary = bench(&place, &["mixed", "mixed.toml", "-d", "300ms"], node.port());
        assert!(number(&summary, "/groups/clients/accepted") > 3, "{summary}");
        let wills = number(&summary, "/messages/unstamped");
        assert_eq!(wills > 0, comes, "{summary}");
        assert_numbers(&summary, &[("/messages/received", wills), ("/groups/clients/lost", 0)]);
    }
}

#[test]
fn a_publisher_that_comes_and_goes_misses_its_turns_and_nothing_else() {
    let place = Place::new();
    let node = Node::start(&place, &LISTEN);
    for keys in ["qos = 1", "qos = 1\nleave", "qos = 2", "qos = 0"] {
        let (qos, leave) = match keys.split_once('\n') {
            Some((qos, _)) => (qos, "drop"),
            None => (keys, "clean"),
        };
        let sensors = format!(
            "{qos}\nrate = 1000\nchurn = {{ stay = \"60ms\", away = \"40ms\", leave = \"{leave}\" }}"
        );
        place.write("mixed.toml", churning(&sensors, "qos = 2").as_str());
        let args = ["mixed", "mixed.toml", "-d", "300ms", "--warm-up", "0s"];
        let summary = bench(&place, &args, node.port());
        let names = ["published", "overrun", "unconnected", "waiting"];
        let due = names.map(|name| number(&summary, &format!("/messages/{name}")));
        assert_eq!(due.iter().sum::<u64>(), 300, "{summary}");
        assert!(due[2] > 0, "{summary}");
        assert_numbers(&summary, &[("/messages/delivered", 3 * due[0]), ("/messages/lost", 0)]);
    }
}

#[test]
fn a_shared_subscription_of_two_groups_is_one_receiver() {
    let place = Place::new();
    let node = Node::start(&place, &LISTEN);
    let kept = "clean_start = false\nsession_expiry = \"1h\"";
    for (qos, one, other) in [(1, "", kept), (2, kept, ""), (0, "", "")] {
        let member = |name: &str, keys: &str, churn: &str| {
            format!(
                "[[group]]\nname = \"{name}\"\nrole = \"subscribe\"\ncount = 3\nfilter = \"s/+\"\n\
                 shared = \"g\"\nqos = {qos}\n{keys}\n{churn}\n"
            )
        };
        // Away for a moment only, and with DISCONNECT: what is under way to them is not the question.
        let churn = if qos == 0 { "" } else { "churn = { stay = \"70ms\", away = \"10ms\" }" };
        let churn_of = |keys: &str| if keys.is_empty() { "" } else { churn };
        let sensors = format!(
            "[[group]]\nname = \"sensors\"\nrole = \"publish\"\ncount = 4\ntopic = \"s/%i\"\n\
             qos = {qos}\nrate = 400\n"
        );
        let [one, other] =
            [("one", one), ("other", other)].map(|(name, keys)| member(name, keys, churn_of(keys)));
        place.write("mixed.toml", format!("{sensors}{one}{other}").as_str());
        let args = ["mixed", "mixed.toml", "-d", "300ms", "--warm-up", "0s", "--workers", "2"];
        let summary = bench(&place, &args, node.port());
        let published = number(&summary, "/messages/published");
        assert!(published > 0, "{summary}");
        assert_numbers(&summary, &[("/messages/expected", published), ("/messages/lost", 0)]);
    }
}

#[test]
fn two_shared_subscriptions_have_each_message_once() {
    let place = Place::new();
    let node = Node::start(&place, &LISTEN);
    let members = ["g", "h"].map(|name| {
        format!(
            "[[group]]\nrole = \"subscribe\"\ncount = 2\nfilter = \"s/+\"\nqos = 1\n\
             shared = \"{name}\"\n"
        )
    });
    let text = format!(
        "[[group]]\nrole = \"publish\"\ncount = 2\ntopic = \"s/%i\"\nqos = 1\nrate = 400\n{}",
        members.concat()
    );
    place.write("mixed.toml", text.as_str());
    let args = ["mixed", "mixed.toml", "-d", "200ms", "--warm-up", "0s"];
    let summary = bench(&place, &args, node.port());
    let published = number(&summary, "/messages/published");
    let counts = [("/messages/delivered", 2 * published), ("/messages/duplicates", 0)];
    assert_numbers(&summary, &counts);
    let other = text.replacen("s/+", "s/#", 1).replace("\"h\"", "\"g\"");
    place.write("mixed.toml", other.as_str());
    let error = place.run(["bench", "mixed", "mixed.toml"]).failed(2);
    assert!(error.contains("the members of the shared subscription `g` have different"), "{error}");
}
