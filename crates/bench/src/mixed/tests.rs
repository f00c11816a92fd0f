use super::*;
use crate::plan::{Body, Churn, Sessions};

fn read(text: &str) -> Result<Workload, MixedError> {
    let (warm_up, time) = (Duration::ZERO, Duration::from_secs(1));
    let version = ProtocolVersion::V5;
    mixed(text, &Frame { warm_up, time, run: "x".to_owned(), first: 0, session_expiry: 0, version })
}

#[test]
fn groups_are_read_and_who_subscribes_comes_first() {
    let workload = read(
        "[[group]]\nname = \"sensors\"\nrole = \"publish\"\ncount = 10\ntopic = \"s/%i\"\n\
         qos = 1\nrate = \"1k\"\nsize = \"1KiB\"\n\
         [[group]]\nrole = \"subscribe\"\ncount = 2\nfilter = \"s/+\"\nqos = 1\n",
    )
    .unwrap();
    assert_eq!(workload.audience().all(), [Some(2); 10]);
    let names = workload.groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["sensors", "subscribe-2"]);
    assert!(matches!(workload.steps.first(), Some(Step::Connect { group: 1, .. })));
    let Role::Publish(publishing) = &workload.groups[0].role else { panic!() };
    assert_eq!((publishing.pace, &publishing.body), (Pace::Rate(1_000), &Body::Stamped(1_024)));
    assert_eq!(workload.groups[1].id(0, 0), "bench-x-10");
}

#[test]
fn who_keeps_sessions_comes_and_goes_and_has_a_will_is_read() {
    let workload = read(
        "[[group]]\nname = \"s\"\nrole = \"subscribe\"\ncount = 2\nfilter = \"s/+\"\nqos = 1\n\
         clean_start = false\nsession_expiry = \"1h\"\nchurn = { stay = \"2s\", leave = \"drop\" }\n\
         will = { topic = \"gone/%c\", payload = \"%i\", qos = 2, retain = true }\n\
         [[group]]\nname = \"p\"\nrole = \"publish\"\ncount = 1\ntopic = \"s/%i\"\nqos = 1\n\
         [[group]]\nname = \"c\"\nrole = \"connect\"\ncount = 1\nclean_start = true\n\
         churn = { stay = \"100ms\", away = \"0s\" }\n",
    )
    .unwrap();
    let [subscribers, publishers, clients] = &workload.groups[..] else { panic!() };
    let kept = Sessions::Kept { clean_start: false, expiry: Some(3_600) };
    assert_eq!((subscribers.sessions, publishers.sessions), (kept, Sessions::Asked));
    let (stay, away) = (Duration::from_secs(2), Duration::from_millis(500));
    assert_eq!(subscribers.churn, Some(Churn { stay, away, drops: true }));
    let will = subscribers.will.as_ref().unwrap();
    assert_eq!((will.topic.to_string(), will.payload.to_string()), ("gone/%c".into(), "%i".into()));
    assert_eq!((will.qos, will.retain), (Qos::ExactlyOnce, true));
    let (stay, away) = (Duration::from_millis(100), Duration::ZERO);
    assert_eq!(clients.churn, Some(Churn { stay, away, drops: false }));
    assert_eq!(clients.sessions, Sessions::Clean);
    assert_eq!(workload.churning(), [0, 2]);
    let forgets = |group| workload.steps.contains(&Step::Leave { group, forget: true });
    assert_eq!([0, 1, 2].map(forgets), [true, false, false], "kept sessions are ended");
}

/// What is expected of one publisher by a group of three subscribers with these keys, and whether a
/// window may wait for them.
fn expected(keys: &str, qos: u8) -> (Option<u32>, bool) {
    let workload = read(&format!(
        "[[group]]\nrole = \"subscribe\"\ncount = 3\nfilter = \"a/+\"\n{keys}\n\
         [[group]]\nrole = \"publish\"\ncount = 1\ntopic = \"a/b\"\nqos = {qos}\nrate = 9\n"
    ));
    let workload = workload.unwrap();
    let heard = workload.audience().publishers[0];
    (heard.receivers, !heard.passing)
}

#[test]
fn who_is_away_is_owed_what_its_session_keeps() {
    let churn = "churn = { stay = \"1s\" }";
    let kept = format!("{churn}\nsession_expiry = \"1h\"\nqos = 2");
    assert_eq!(expected("qos = 1", 1), (Some(3), true));
    assert_eq!(expected(&kept, 1), (Some(3), false));
    assert_eq!(expected(&kept, 0), (Some(0), false), "QoS 0 is not stored");
    assert_eq!(expected(&format!("{churn}\nsession_expiry = \"1h\""), 1), (Some(0), false));
    assert_eq!(expected(&format!("{churn}\nqos = 1"), 1), (Some(0), false));
    assert_eq!(expected(&format!("{kept}\nshared = \"g\""), 1), (Some(1), false));
}

#[test]
fn a_session_a_churn_or_a_will_that_cannot_be_is_told() {
    let base =
        "[[group]]\nname = \"g\"\nrole = \"publish\"\ncount = 2\ntopic = \"a/%i\"\nqos = 2\n";
    for (keys, told) in [
        ("session_expiry = \"0s\"", "session_expiry is whole seconds, from 1s on, and not `0s`"),
        ("session_expiry = \"1500ms\"", "session_expiry is whole seconds"),
        ("session_expiry = \"2000000h\"", "session_expiry is whole seconds"),
        ("churn = {}", "churn needs a stay"),
        ("churn = { stay = \"0s\" }", "stay is more than 0s"),
        ("churn = { stay = \"1s\", leave = \"run\" }", "leave is \"clean\" or \"drop\""),
        ("churn = { stay = \"1s\", leave = \"drop\" }", "write session_expiry = \"1h\", leave"),
        (
            "session_expiry = \"5s\"\nchurn = { stay = \"1s\", away = \"5s\" }",
            "after 5 s of session_expiry the broker forgets a session",
        ),
        (
            "clean_start = false\nchurn = { stay = \"1s\", away = \"1h\" }",
            "after 3600 s of session_expiry the broker forgets a session",
        ),
        ("will = {}", "will needs a topic"),
        ("will = { topic = \"a/#\" }", "will: the topic `a/#` cannot be"),
        ("will = { topic = \"a/%n\" }", "%n means nothing in its topic"),
        ("will = { topic = \"a\", payload = \"%s\" }", "will: payload: `%s` at character 1"),
        ("will = { topic = \"a\", qos = 3 }", "will: qos is 0, 1 or 2"),
    ] {
        let error = read(&format!("{base}{keys}\n")).unwrap_err().to_string();
        assert!(error.starts_with("group 1 (`g`): ") && error.contains(told), "{keys}: {error}");
    }
    for keys in ["churn = 1", "churn = { stay = 2 }", "will = { topc = \"a\" }", "clean_start = 1"]
    {
        let error = read(&format!("{base}{keys}\n")).unwrap_err().to_string();
        assert!(error.contains("line 7"), "{keys}: {error}");
    }
    let long = format!("will = {{ topic = \"a\", payload = \"{}\" }}\n", "x".repeat(65_536));
    let error = read(&format!("{base}{long}")).unwrap_err().to_string();
    assert!(error.contains("will: payload is at most 65535 bytes"), "{error}");
    let (version, time) = (ProtocolVersion::V311, Duration::from_secs(1));
    let frame =
        Frame { warm_up: time, time, run: "x".to_owned(), first: 0, session_expiry: 0, version };
    let keys = "clean_start = true\nsession_expiry = \"1h\"\n";
    let error = mixed(&format!("{base}{keys}"), &frame).unwrap_err().to_string();
    assert!(error.contains("before MQTT 5.0 a session with clean_start = true ends"), "{error}");
    let window = "[[group]]\nname = \"g\"\nrole = \"publish\"\ncount = 2\ntopic = \"a/%i\"\n\
                  [[group]]\nrole = \"subscribe\"\ncount = 1\nfilter = \"a/1\"\n\
                  churn = { stay = \"1s\" }\n";
    let error = read(window).unwrap_err().to_string();
    assert!(error.starts_with("group 1 (`g`): without a rate, a message of QoS 0"), "{error}");
}

#[test]
fn user_properties_are_read_and_what_is_none_is_told() {
    let base = "[[group]]\nname = \"g\"\nrole = \"publish\"\ncount = 1\ntopic = \"a\"\n";
    let workload = read(&format!(
        "{base}user_properties = {{ unit = \"celsius\", trace = [\"%n\", \"%c\"] }}\n"
    ));
    let workload = workload.unwrap();
    let Role::Publish(publishing) = &workload.groups[0].role else { panic!() };
    let pairs = publishing.user_properties.iter();
    let pairs = pairs.map(|one| format!("{}={}", one.name(), one.value())).collect::<Vec<_>>();
    assert_eq!(pairs, ["trace=%n", "trace=%c", "unit=celsius"]);
    for (written, told) in [
        ("{}", "user_properties has none; write { name = \"value\" }"),
        ("{ a = [] }", "user_properties: a has no value"),
        ("{ \"\" = \"x\" }", "user_properties: a name is empty"),
        ("{ a = \"%s\" }", "user_properties: a: `%s` at character 1 stands for nothing"),
    ] {
        let error = read(&format!("{base}user_properties = {written}\n")).unwrap_err().to_string();
        assert!(error.starts_with("group 1 (`g`): ") && error.contains(told), "{error}");
    }
    let error =
        read(&base.replace("publish\"\ncount = 1\ntopic", "subscribe\"\ncount = 1\nfilter"));
    assert!(error.is_ok());
    let (version, time) = (ProtocolVersion::V311, Duration::from_secs(1));
    let frame =
        Frame { warm_up: time, time, run: "x".to_owned(), first: 0, session_expiry: 0, version };
    let error = mixed(&format!("{base}user_properties = {{ a = \"b\" }}\n"), &frame).unwrap_err();
    let told = "group 1 (`g`): user_properties need MQTT 5.0; leave them out, or -V";
    assert_eq!(error.to_string(), told);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let error = |text: &str| read(text).unwrap_err().to_string();
    assert!(error("[[group]]\nrole = \"fly\"\ncount = 1\n").contains("line 2"));
    assert_eq!(error(""), MixedError::Empty.to_string());
    let publish = "[[group]]\nrole = \"publish\"\ncount = 2\n";
    for (more, told) in [
        ("", "group 1 (`publish-1`): who publishes needs a topic"),
        ("topic = \"a/+\"\n", "the topic `a/+` cannot be"),
        ("topic = \"a\"\nfilter = \"b\"\n", "`filter` means nothing for who publishes"),
        ("topic = \"a\"\nrate = \"fast\"\n", "rate = `fast`: expected a whole number"),
        ("topic = \"a\"\nrate = 1\nwindow = 1\n", "write one of them"),
        ("topic = \"a\"\nqos = 3\n", "qos is 0, 1 or 2"),
        ("topic = \"a\"\nsize = \"1TiB\"\n", "size is at most"),
        ("topic = \"a\"\nclient_id = \"me\"\n", "put %i into it"),
        (
            "topic = \"a\"\n[[group]]\nname = \"publish-1\"\nrole = \"connect\"\ncount = 1\n",
            "group 2 (`publish-1`): another group has that name",
        ),
    ] {
        let error = error(&format!("{publish}{more}"));
        assert!(error.contains(told), "{error}");
    }
}
