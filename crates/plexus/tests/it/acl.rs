//! Rules of who may publish and subscribe what, seen from outside.

use crate::{
    client::Client,
    program::{Node, Place, run},
};

const RULES: &str = r#"
[[listener]]
url = "tcp://127.0.0.1:0"

[[access.rule]]
name = "own topics"
allow = ["publish", "subscribe"]
topics = ["robot/${clientid}/#"]

[[access.rule]]
name = "everybody hears"
allow = ["subscribe"]
topics = ["news/+"]
"#;

const NO_SUBSCRIBERS: u8 = 0x10;
const GRANTED: u8 = 1;
const NOT_AUTHORIZED: u8 = 0x87;

#[test]
fn rules_hold_for_the_whole_of_a_filter() {
    let place = Place::new();
    place.write("plexus.toml", RULES);
    let node = Node::start(&place, &[]);
    let mut client = Client::connect(&node, "r1");
    assert_eq!(client.publish("robot/r1/state"), NO_SUBSCRIBERS);
    assert_eq!(client.publish("robot/r2/state"), NOT_AUTHORIZED);
    assert_eq!(client.publish("news/x"), NOT_AUTHORIZED);
    for (filter, reason) in [
        ("robot/r1/#", GRANTED),
        ("robot/+/state", NOT_AUTHORIZED),
        ("news/+", GRANTED),
        ("news/#", NOT_AUTHORIZED),
        ("#", NOT_AUTHORIZED),
    ] {
        assert_eq!(client.subscribe(filter), reason, "{filter}");
    }
    let ended = node.stop();
    let told = "\"rule\":\"access.no_match\"";
    assert!(ended.stderr.contains(told), "{ended:?}");
}

/// CVE-2017-7650: an identifier that is a wildcard.
#[test]
fn who_calls_itself_a_wildcard_gets_nothing_by_it() {
    let place = Place::new();
    place.write("plexus.toml", RULES);
    let node = Node::start(&place, &[]);
    for id in ["+", "#", "a/b", "$SYS"] {
        let mut client = Client::connect(&node, id);
        for filter in ["robot/+/state", "robot/#", "robot/a/b/x", "robot/r1/x"] {
            assert_eq!(client.subscribe(filter), NOT_AUTHORIZED, "{id} {filter}");
        }
    }
}

#[test]
fn changed_rules_hold_at_once_for_who_is_connected() {
    let place = Place::new();
    place.write("plexus.toml", RULES);
    let mut node = Node::start(&place, &[]);
    let (mut hearer, mut owner) = (Client::connect(&node, "r1"), Client::connect(&node, "r2"));
    assert_eq!(hearer.subscribe("news/+"), GRANTED);
    assert_eq!(owner.subscribe("robot/r2/x"), GRANTED);
    place
        .write("plexus.toml", RULES.split("\n[[access.rule]]\nname = \"everybody").next().unwrap());
    let told = node.reload();
    assert!(told.contains("read anew: 1 rule, log level info"), "{told}");
    let (kind, body) = hearer.hear();
    assert_eq!((kind, body[0]), (0xE0, NOT_AUTHORIZED), "DISCONNECT");
    assert_eq!(owner.publish("robot/r2/y"), NO_SUBSCRIBERS, "whom it does not concern stays");
    let ended = node.stop();
    assert!(ended.stderr.contains("this is not allowed any more"), "{ended:?}");
}

/// CVE-2018-12551: what cannot be read opens no door.
#[test]
fn a_file_that_is_wrong_empty_or_gone_leaves_the_old_rules() {
    let place = Place::new();
    place.write("plexus.toml", RULES);
    let mut node = Node::start(&place, &[]);
    let mut client = Client::connect(&node, "r1");
    let all = RULES.replace("robot/${clientid}/#", "#");
    for text in
        [&*all.replace("news/+", "news/#/x"), "", "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n"]
    {
        place.write("plexus.toml", text);
        let told = node.reload();
        assert!(!told.contains("rule"), "{told}");
        assert_eq!(client.publish("robot/r1/y"), NO_SUBSCRIBERS);
        assert_eq!(client.publish("robot/r2/y"), NOT_AUTHORIZED, "{text}");
    }
    std::fs::remove_file(place.path().join("plexus.toml")).unwrap();
    node.reload();
    assert_eq!(client.publish("robot/r2/y"), NOT_AUTHORIZED);
    place.write("plexus.toml", &format!("[access]\nno_match = \"allow\"\n{RULES}"));
    node.reload();
    assert_eq!(client.publish("robot/r2/y"), NO_SUBSCRIBERS, "what is written holds");
}

#[test]
fn the_rules_can_be_asked_without_a_node() {
    let place = Place::new();
    place.write("plexus.toml", RULES);
    let ask = |args: &str| {
        let args = ["acl", "test"].into_iter().chain(args.split(' '));
        run(&mut place.plexus(args), b"")
    };
    let told = ask("publish robot/r1/x --client r1");
    assert_eq!(
        (told.code, &*told.stdout),
        (Some(0), "allowed: `own topics` (plexus.toml:5) allows it\n")
    );
    let told = ask("subscribe robot/# --client r1");
    assert_eq!((told.code, &*told.stdout), (Some(1), "refused: no rule says anything\n"));
    assert_eq!(told.stderr, "");
    let told = ask("publish robot/+/x --client r1");
    assert_eq!(told.code, Some(2));
    assert!(told.stderr.contains("the topic `robot/+/x`"), "{told:?}");
    let told = ask("publish $SYS/x --client r1");
    assert_eq!((told.code, told.stdout.starts_with("refused: ")), (Some(1), true));
    place.write("plexus.toml", "");
    let told = ask("publish a");
    assert_eq!((told.code, told.stdout.starts_with("allowed: there is no rule")), (Some(0), true));
}

#[test]
fn where_deliveries_are_checked_a_wide_subscription_is_admitted_and_said_to_be_so() {
    let place = Place::new();
    place.write("plexus.toml", &format!("[access]\nfilter_deliveries = true\n{RULES}"));
    let ask = |args: &str| {
        let args = ["acl", "test"].into_iter().chain(args.split(' '));
        run(&mut place.plexus(args), b"")
    };
    let told = ask("subscribe # --client r1");
    assert_eq!(told.code, Some(0));
    let checked = "allows it; each delivery is checked (access.filter_deliveries)\n";
    assert!(told.stdout.ends_with(checked), "{told:?}");
    assert_eq!(ask("subscribe robot/r2/# --client r1").code, Some(1), "nothing of it may come");
    assert_eq!(ask("receive robot/r1/x --client r1").code, Some(0));
    assert_eq!(ask("receive robot/r2/x --client r1").code, Some(1));
    let node = Node::start(&place, &[]);
    let mut client = Client::connect(&node, "r1");
    for (filter, reason) in
        [("#", GRANTED), ("robot/+/state", GRANTED), ("robot/r2/#", NOT_AUTHORIZED)]
    {
        assert_eq!(client.subscribe(filter), reason, "{filter}");
    }
    place.write("plexus.toml", RULES);
    let told = ask("receive robot/r1/x --client r1");
    assert_eq!(told.code, Some(2));
    assert!(told.stderr.contains("access.filter_deliveries is not set"), "{told:?}");
}

#[test]
fn superusers_and_attributes_can_be_asked_for() {
    let place = Place::new();
    run(&mut place.plexus(["passwd", "users", "root", "--superuser"]), b"p\n").ok();
    run(&mut place.plexus(["passwd", "users", "ann"]), b"p\n").ok();
    place.write(
        "plexus.toml",
        "[access]\nusers_file = \"users\"\n[[access.rule]]\nname = \"own site\"\n\
         allow = [\"publish\"]\nattributes = { kind = \"robot*\" }\n\
         topics = [\"site/${client_attrs.site}/#\"]\n",
    );
    let ask = |args: &str| {
        let args = ["acl", "test", "publish"].into_iter().chain(args.split(' '));
        run(&mut place.plexus(args), b"")
    };
    let by_rule = "allowed: `own site` (plexus.toml:3) allows it\n";
    let told = ask("site/a/x --user ann --attribute site=a --attribute kind=robot-7");
    assert_eq!((told.code, &*told.stdout), (Some(0), by_rule), "{told:?}");
    for args in ["site/a/x --user ann", "site/b/x --attribute site=a --attribute kind=robot"] {
        assert_eq!(ask(args).code, Some(1), "{args}");
    }
    let superuser = "allowed: no rule holds for a superuser\n";
    for args in ["x --user root", "x --user ann --superuser"] {
        assert_eq!(ask(args).stdout, superuser, "{args}");
    }
    assert!(ask("$SYS/x --user root").stdout.starts_with("refused: "));
    assert!(ask("x --attribute site").failed(2).contains("write NAME=VALUE"));
    let twice = ask("x --attribute site=a --attribute site=b").failed(2);
    assert!(twice.contains("it is given twice"), "{twice}");
}
