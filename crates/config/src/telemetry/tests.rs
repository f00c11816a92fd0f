use std::time::Duration;

use plexus_otlp::{Follow, Ratio};

use crate::{
    admission::tests::problems,
    node::tests::{Scratch, plan},
};

const ENDPOINT: &str = "[telemetry]\nendpoint = \"http://localhost:4318\"\n";

#[test]
fn nothing_is_told_unless_that_is_asked_for() {
    for text in ["", ENDPOINT, "[telemetry.traces]\nratio = \"100%\"\n"] {
        assert!(plan(text).unwrap().telemetry.is_none(), "{text}");
    }
}

#[test]
fn what_is_asked_for_is_planned() {
    let key = Scratch::new("otlp-key", "Bearer abc\nrest\n");
    let traces = "[telemetry.traces]\nenabled = true\nratio = \"0.1%\"\nfollow_traceparent = \"never\"\n\
                  topics = [\"orders/#\"]\nclients = [\"sensor-*\"]\n";
    let headers = format!("[telemetry.headers]\nauthorization = \"file:{}\"\n", key.0.display());
    let text = format!("[node]\nname = \"n1\"\n{ENDPOINT}timeout = \"2s\"\n{headers}{traces}");
    let options = plan(&text).unwrap().telemetry.as_ref().unwrap().options.clone();
    assert_eq!((&*options.service, &*options.instance), ("plexus", "n1"));
    assert_eq!(
        (options.timeout, options.metrics, options.logs),
        (Duration::from_secs(2), None, false)
    );
    let traces = options.traces.unwrap();
    assert_eq!((traces.ratio, traces.follow), (Ratio::billionths(1_000_000), Follow::Never));
    assert_eq!((traces.topics.len(), traces.clients.len()), (1, 1));
    let both = format!(
        "{ENDPOINT}service_name = \"hall\"\n[telemetry.metrics]\nenabled = true\n[telemetry.logs]\nenabled = true\n"
    );
    let options = plan(&both).unwrap().telemetry.as_ref().unwrap().options.clone();
    assert_eq!(options.metrics, Some(Duration::from_mins(1)));
    assert!(options.logs && options.traces.is_none() && options.service == "hall");
}

#[test]
fn what_cannot_be_meant_is_told_with_its_place() {
    for (text, problem) in [
        ("[telemetry.logs]\nenabled = true\n", "there is no collector to send anything to"),
        ("[telemetry.traces]\nratio = 10\n", "has no percent sign"),
        ("[telemetry.traces]\nratio = \"101%\"\n", "more than \"100%\""),
        ("[telemetry.traces]\ntopics = [\"$share/a/b\"]\n", "shared subscription"),
        ("[telemetry.metrics]\ninterval = \"10ms\"\n", "out of its range"),
        ("[telemetry]\ntimeout = \"2m\"\n", "out of its range"),
        ("[telemetry]\nkey_file = \"k\"\n", "belong together"),
        ("[telemetry]\nservice_name = \"\"\n", "no name of a service"),
        ("[telemetry.metrics]\nenabeld = true\n", "enabeld"),
    ] {
        let found = problems(text);
        assert!(found.first().is_some_and(|found| found.contains(problem)), "{text}: {found:?}");
    }
    let many = "\"a\", ".repeat(65);
    let found = problems(&format!("[telemetry.traces]\ntopics = [{many}]\n"));
    assert!(found.first().is_some_and(|found| found.contains("65 topics")), "{found:?}");
    let far = "[telemetry]\nendpoint = \"http://far:1\"\nheaders = { a = \"hunter2\" }\n[telemetry.logs]\nenabled = true\n";
    let error = plan(far).map(drop).unwrap_err();
    assert!(error.contains("`endpoint` is out of reach with {\"a\"}"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
    let missing = far.replace("hunter2", "file:/nowhere/key");
    let error = plan(&missing).map(drop).unwrap_err();
    assert!(error.contains("secret file /nowhere/key"), "{error}");
}
