use crate::program::{Node, Place, run};

/// A session is made first and read later, so nothing depends on who is faster.
fn session(place: &Place, node: &Node, filters: &[&str]) {
    let args = ["sub", "-p", node.port(), "-c", "-i", "reader", "-q", "2", "-E"];
    place.run(args.iter().chain(filters)).ok();
}

fn publish(place: &Place, node: &Node, args: &[&str]) {
    assert_eq!(place.run(["pub", "-p", node.port(), "-q", "1"].iter().chain(args)).ok(), "");
}

fn read(place: &Place, node: &Node, args: &[&str]) -> String {
    let own = ["sub", "-p", node.port(), "-c", "-i", "reader", "-q", "2", "-W", "20"];
    place.run(own.iter().chain(args)).ok()
}

fn node(place: &Place) -> Node {
    Node::start(place, &["--listen", "tcp://127.0.0.1:0"])
}

#[test]
fn messages_are_lines_with_or_without_topic() {
    let place = Place::new();
    let node = node(&place);
    session(&place, &node, &["-t", "a/#"]);
    publish(&place, &node, &["-t", "a/b", "-m", "one"]);
    publish(&place, &node, &["-t", "a/c", "-m", "two"]);
    publish(&place, &node, &["-t", "a/d", "-m", "three"]);
    publish(&place, &node, &["-t", "a/e", "-m", "four"]);
    // What is not printed is not acknowledged, and comes to the next reader.
    assert_eq!(read(&place, &node, &["-t", "a/#", "-C", "1"]), "one\n");
    assert_eq!(read(&place, &node, &["-t", "a/#", "-C", "2", "-v"]), "a/c two\na/d three\n");
    assert_eq!(read(&place, &node, &["-t", "a/#", "-C", "1", "-N"]), "four");
}

#[test]
fn a_line_of_json_has_all_that_came() {
    let place = Place::new();
    let node = node(&place);
    session(&place, &node, &["-t", "a"]);
    publish(
        &place,
        &node,
        &["-t", "a", "-m", "hé", "-D", "user-property=k=v", "-D", "response-topic=r"],
    );
    let line = read(&place, &node, &["-t", "a", "-C", "1", "--json"]);
    let line = serde_json::from_str::<serde_json::Value>(&line).unwrap();
    assert_eq!((&line["topic"], &line["payload"]), (&"a".into(), &"hé".into()));
    assert_eq!((&line["qos"], &line["retain"]), (&1.into(), &false.into()));
    assert_eq!(line["properties"]["response_topic"], "r");
    assert_eq!(line["properties"]["user_properties"][0][1], "v");
}

#[test]
fn kept_messages_and_topics_can_be_left_out() {
    let place = Place::new();
    let node = node(&place);
    publish(&place, &node, &["-t", "kept/a", "-m", "old", "-r"]);
    publish(&place, &node, &["-t", "kept/b", "-m", "older", "-r"]);
    let sub = |args: &[&str]| {
        let own = ["sub", "-p", node.port(), "-t", "kept/+", "-v", "-W", "20"];
        place.run(own.iter().chain(args)).ok()
    };
    assert_eq!(sub(&["-C", "1", "-T", "kept/b"]), "kept/a old\n");
    let own = ["sub", "-p", node.port(), "-t", "kept/+", "-R", "-C", "1", "-W", "0.2"];
    let ended = place.run(own);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(5), ""));
    assert_eq!(ended.stderr, "error: the time is over: 0 of 1 messages came\n");
    let listening = ["sub", "-p", node.port(), "-t", "none", "-W", "0.2"];
    assert_eq!(place.run(listening).ok(), "", "listening for a time is no failure");
}

#[test]
fn an_unsubscription_ends_what_the_session_gets() {
    let place = Place::new();
    let node = node(&place);
    session(&place, &node, &["-t", "a", "-t", "b"]);
    let args = ["sub", "-p", node.port(), "-c", "-i", "reader", "-U", "a"];
    assert_eq!(place.run(args).ok(), "");
    publish(&place, &node, &["-t", "a", "-m", "gone"]);
    publish(&place, &node, &["-t", "b", "-m", "here"]);
    assert_eq!(read(&place, &node, &["-t", "b", "-C", "1"]), "here\n");
}

#[test]
fn users_of_the_file_may_connect_and_others_may_not() {
    let place = Place::new();
    run(&mut place.plexus(["passwd", "users", "alice"]), b"secret\n").ok();
    place.write("plexus.toml", "[access]\nusers_file = \"users\"\n");
    let node = node(&place);
    let publish = |args: &[&str]| {
        place.run(["pub", "-p", node.port(), "-t", "a", "-n", "-q", "1"].iter().chain(args))
    };
    assert_eq!(publish(&["-u", "alice", "-P", "secret"]).ok(), "");
    let refused = |why: &str| format!("error: the broker refused the connection: {why}\n");
    let bad = refused("Bad User Name or Password (0x86); check -u and -P");
    let missing = "the password is missing: write -P PASSWORD";
    let nobody = "the broker wants a user: write -u NAME and -P PASSWORD";
    for version in ["5", "311"] {
        let publish = |args: &[&str]| publish(&[&["-V", version], args].concat());
        assert_eq!(publish(&["-u", "alice", "-P", "other"]).failed(4), bad);
        assert_eq!(publish(&["-u", "bob", "-P", "secret"]).failed(4), bad);
        let without = publish(&["-u", "alice"]).failed(4);
        assert_eq!(without, refused(&format!("Bad User Name or Password (0x86); {missing}")));
        let unnamed = publish(&[]).failed(4);
        assert_eq!(unnamed, refused(&format!("Not authorized (0x87); {nobody}")));
    }
}

#[test]
fn what_cannot_be_subscribed_is_refused_before_anybody_is_asked() {
    let place = Place::new();
    let usage = |args: &[&str]| place.run(["sub"].iter().chain(args)).failed(2);
    assert_eq!(usage(&[]), "error: no topic filter; write --topic, for example -t '#'\n");
    assert_eq!(
        usage(&["-t", "a#"]),
        "error: the topic filter `a#` cannot be: `#` at character 2 must be the whole last level; \
         write `a/#`\n"
    );
    assert_eq!(
        usage(&["-t", "a", "-V", "311", "--no-local"]),
        "error: --no-local, --retain-as-published and --retain-handling need MQTT 5.0\n"
    );
}

#[test]
fn a_filter_that_looks_like_a_shell_pattern_is_warned_about() {
    let place = Place::new();
    let node = node(&place);
    let ended = place.run(["sub", "-p", node.port(), "-t", "a/*", "-E"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = "warning: the topic filter `a/*`: `*` is an ordinary character here; ";
    assert!(ended.stderr.starts_with(told), "{ended:?}");
}
