//! `plexus bench` against a node, and against a broker that does what the test says.

mod faults;
mod groups;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    broker::Deaf,
    program::{Ended, Node, Place},
};

const LISTEN: [&str; 2] = ["--listen", "tcp://127.0.0.1:0"];

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

/// Runs a scenario and gives its summary.
fn bench(place: &Place, args: &[&str], port: &str) -> Value {
    let more = ["--json", "--quiet", "-h", "127.0.0.1", "-p", port];
    let ended = place.run(["bench"].iter().chain(args).chain(&more));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{args:?}: {ended:?}");
    json(&ended)
}

fn number(summary: &Value, path: &str) -> u64 {
    let found = summary.pointer(path).and_then(Value::as_u64);
    found.unwrap_or_else(|| panic!("no number at {path} in {summary}"))
}

#[track_caller]
fn assert_numbers(summary: &Value, expected: &[(&str, u64)]) {
    for (path, expected) in expected {
        assert_eq!(number(summary, path), *expected, "{path} in {summary}");
    }
}

#[test]
fn messages_are_counted_to_the_last_in_every_shape() {
    let place = Place::new();
    let node = Node::start(&place, &LISTEN);
    for (args, delivered) in [
        (&["p2p", "-n", "3", "-m", "300", "-q", "0"][..], 300),
        (&["p2p", "-n", "3", "-m", "300", "-q", "1", "-V", "311"], 300),
        (&["p2p", "-n", "3", "-m", "300", "-q", "2", "-w", "2"], 300),
        (&["p2p", "-n", "3", "-m", "300", "-q", "1", "--rate", "10k"], 300),
        (&["p2p", "-n", "1", "-m", "20", "-s", "100KiB", "-q", "1", "--workers", "1"], 20),
        (&["p2p", "-n", "2", "-m", "20", "--payload", "{\"i\":%i,\"s\":\"%s\"}"], 20),
        (&["p2p", "-n", "2", "-m", "20", "-t", "x/%i/%n"], 20),
        (&["fan-in", "--publishers", "4", "-m", "200", "-q", "1"], 200),
        (&["fan-in", "--publishers", "4", "--subscribers", "3", "-m", "200", "-q", "2"], 600),
        (&["fan-in", "--publishers", "4", "--subscribers", "3", "--shared", "-m", "200"], 200),
        (&["fan-out", "--subscribers", "20", "-m", "50", "-q", "1"], 1_000),
    ] {
        let summary = bench(&place, args, node.port());
        assert_numbers(
            &summary,
            &[
                ("/messages/delivered", delivered),
                ("/messages/expected", delivered),
                ("/messages/lost", 0),
                ("/messages/duplicates", 0),
                ("/messages/out_of_order", 0),
                ("/parts/0/times/deliver/count", delivered),
            ],
        );
    }
}

#[test]
fn without_a_stamp_a_window_goes_on_with_what_comes() {
    let place = Place::new();
    let node = Node::start(&place, &LISTEN);
    for (args, received) in [
        (&["p2p", "-n", "3", "-m", "300", "-s", "8"][..], 300),
        (&["p2p", "-n", "3", "-m", "300", "--payload", "x%n", "-q", "2", "-V", "311"], 300),
        (&["fan-in", "--publishers", "4", "--subscribers", "2", "-m", "200", "-s", "0"], 400),
        (&["fan-in", "--publishers", "4", "--shared", "-m", "200", "-s", "8"], 200),
        (&["fan-in", "--publishers", "4", "-t", "one", "-q", "1", "-m", "200", "-s", "8"], 200),
        (&["fan-out", "--subscribers", "20", "-m", "50", "--payload", "x%n"], 1_000),
    ] {
        let summary = bench(&place, args, node.port());
        assert_numbers(
            &summary,
            &[
                ("/parts/0/received", received),
                ("/messages/received", received),
                ("/messages/unstamped", received),
                ("/messages/written_off", 0),
            ],
        );
    }
}

#[test]
fn what_is_stored_and_retained_is_drained_and_replayed() {
    let place = Place::new();
    let node = Node::start(&place, &LISTEN);
    for version in ["5", "311"] {
        let args = ["offline", "--sessions", "5", "-m", "500", "-V", version];
        let summary = bench(&place, &args, node.port());
        let parts = [("/parts/0/acknowledged", 500), ("/parts/1/received", 500)];
        assert_numbers(&summary, &parts);
        assert_numbers(&summary, &[("/messages/lost", 0), ("/groups/subscribers/lost", 0)]);
    }
    let summary = bench(&place, &["retained", "--count", "300"], node.port());
    assert_numbers(&summary, &[("/parts/0/acknowledged", 300), ("/parts/1/received", 300)]);
    assert_numbers(&summary, &[("/messages/lost", 0), ("/messages/published", 300)]);
    for (args, publishers) in [
        (&["retained", "--count", "3"][..], 3),
        (&["offline", "-m", "2"], 2),
        (&["pub", "-m", "4"], 4),
    ] {
        let summary = bench(&place, args, node.port());
        assert_numbers(&summary, &[("/groups/publishers/count", publishers)]);
    }
    let left = ["sub", "-t", "bench/#", "-W", "0.3", "--quiet", "-p", node.port()];
    assert_eq!(place.run(left).ok(), "", "the retained messages were cleared");
}

#[test]
fn connections_and_subscriptions_are_counted() {
    let place = Place::new();
    let node = Node::start(&place, &LISTEN);
    let port = node.port();
    let args = ["conn", "-n", "30", "-d", "0s", "--source", "127.0.0.2-127.0.0.4", "--csv", "c"];
    let summary = bench(&place, &args, port);
    assert_numbers(&summary, &[("/parts/0/connected", 30), ("/parts/0/times/connect/count", 30)]);
    assert_numbers(&summary, &[("/groups/clients/failed", 0), ("/groups/clients/lost", 0)]);
    let csv = place.read("c");
    let [head, line] = csv.lines().collect::<Vec<_>>()[..] else { panic!("{csv}") };
    assert!(head.starts_with("scenario,part,") && line.starts_with("conn,connect,"), "{csv}");
    let args = ["conn", "-n", "10", "-d", "0s", "--connect-rate", "1k", "-i", "dev-%i"];
    assert_numbers(&bench(&place, &args, port), &[("/parts/0/connected", 10)]);
    let args = ["subscribe", "-n", "4", "--filters", "50", "--per-packet", "7", "--window", "3"];
    let summary = bench(&place, &args, port);
    assert_numbers(
        &summary,
        &[("/parts/0/subscribed", 200), ("/parts/0/times/subscribe/count", 32)],
    );
    let summary = bench(&place, &["churn", "-n", "4", "-d", "200ms"], port);
    let (begun, accepted) = ("/groups/clients/begun", "/groups/clients/accepted");
    assert!(number(&summary, accepted) > 4, "{summary}");
    assert_eq!(number(&summary, begun), number(&summary, accepted));
    let summary = bench(&place, &["pub", "-n", "3", "-m", "300", "-q", "1"], port);
    assert_numbers(&summary, &[("/parts/0/acknowledged", 300), ("/messages/unacknowledged", 0)]);
    let summary = bench(&place, &["sub", "-n", "3", "-d", "10ms"], port);
    assert_numbers(&summary, &[("/groups/subscribers/accepted", 3)]);
}

#[test]
fn any_number_of_publishers_stores_for_any_number_of_sessions() {
    let place = Place::new();
    let node = Node::start(&place, &LISTEN);
    for (publishers, sessions, more) in [
        ("1", "6", &[][..]),
        ("4", "6", &["-q", "2"]),
        ("6", "4", &["--workers", "2"]),
        ("6", "3", &["-V", "311"]),
        ("5", "1", &["-t", "one"]),
        ("4", "6", &["-t", "x/%i/%n", "--first", "1000"]),
        ("4", "6", &["--rate", "5k"]),
    ] {
        let mut args = vec!["offline", "--publishers", publishers, "--sessions", sessions];
        args.extend(["-m", "601"]);
        args.extend(more);
        let summary = bench(&place, &args, node.port());
        let parts = [("/parts/0/acknowledged", 601), ("/parts/1/received", 601)];
        assert_numbers(&summary, &parts);
        let counts = ["lost", "duplicates", "out_of_order", "stray"]
            .map(|name| number(&summary, &format!("/messages/{name}")));
        assert_eq!(counts, [0; 4], "{args:?}: {summary}");
        assert_numbers(&summary, &[("/messages/expected", 601), ("/messages/delivered", 601)]);
        let count = |group| number(&summary, &format!("/groups/{group}/count")).to_string();
        assert_eq!([count("publishers"), count("subscribers")], [publishers, sessions]);
    }
}

#[test]
fn the_json_tells_what_was_run_and_in_which_unit() {
    let place = Place::new();
    let node = Node::start(&place, &LISTEN);
    let url = format!("mqtt://127.0.0.1:{}", node.port());
    let with_login = url.replace("//", "//me:sesame@");
    let args =
        ["bench", "p2p", &with_login, "-n2", "-q", "1", "--rate", "1k", "-m", "20", "--json"];
    let text = place.run(args.iter().chain(&["--quiet", "-s", "1KiB"])).ok();
    assert!(!text.contains("sesame"), "{text}");
    let summary = serde_json::from_str::<Value>(&text).expect("the summary");
    let told = |path: &str| summary.pointer(path).unwrap_or(&Value::Null).clone();
    assert_eq!(told("/run/version"), env!("CARGO_PKG_VERSION"));
    assert_eq!((told("/run/scenario"), told("/run/url")), ("p2p".into(), url.clone().into()));
    let words = format!("plexus bench p2p {url} --pairs 2 --qos 1 --rate 1k --messages 20 --json");
    let words = format!("{words} --quiet --size 1KiB");
    let words = words.split(' ').collect::<Vec<_>>();
    assert_eq!(told("/run/command_line"), serde_json::json!(words));
    assert_numbers(
        &summary,
        &[
            ("/run/groups/publishers/rate", 1_000),
            ("/run/groups/publishers/qos", 1),
            ("/run/groups/publishers/size_bytes", 1_024),
            ("/run/groups/publishers/messages", 20),
            ("/run/groups/subscribers/count", 2),
            ("/run/options/keep_alive_seconds", 60),
        ],
    );
    assert_eq!(told("/run/groups/publishers/topic"), "bench/p2p/%i");
    assert_eq!(told("/run/groups/publishers/window"), Value::Null, "it has a rate");
    assert_eq!(told("/run/options/duration_seconds"), Value::Null, "messages are counted");
    let times = told("/parts/0/times/lag");
    let mut names = times.as_object().expect("times").keys().cloned().collect::<Vec<_>>();
    names.retain(|name| name != "count");
    assert!(names.len() == 8 && names.iter().all(|name| name.ends_with("_us")), "{names:?}");
}

#[test]
fn websocket_and_unix_sockets_carry_the_load() {
    let place = Place::new();
    let unix = format!("unix://{}/mqtt.sock", place.path().display());
    let node = Node::start(&place, &["--listen", "ws://127.0.0.1:0/mqtt", "--listen", &unix]);
    for url in &node.urls {
        let args = ["bench", "p2p", url, "-n", "2", "-m", "40", "-q", "1", "--json", "--quiet"];
        let summary = json(&place.run(args));
        assert_numbers(&summary, &[("/messages/delivered", 40), ("/messages/lost", 0)]);
    }
}

#[test]
fn at_a_rate_every_message_that_was_due_is_in_one_count() {
    let place = Place::new();
    let node = Node::start(&place, &LISTEN);
    let args = ["p2p", "-n", "3", "-q", "1", "--rate", "999", "-d", "300ms", "--warm-up", "0s"];
    let summary = bench(&place, &args, node.port());
    let counts = ["published", "overrun", "unconnected", "waiting"];
    let due = counts.map(|name| number(&summary, &format!("/messages/{name}")));
    assert_eq!(due.iter().sum::<u64>(), 300, "{summary}");
}

#[test]
fn a_broker_that_is_not_there_is_told_in_plain_words() {
    let place = Place::new();
    let deaf = Deaf::new();
    let args = ["bench", "p2p", "-h", "127.0.0.1", "-p", &deaf.port()];
    let error = place.run(args).failed(1);
    assert!(error.contains("connection refused; is the broker running?"), "{error}");
}

#[test]
fn what_cannot_be_asked_for_is_refused_with_its_mend() {
    let place = Place::new();
    for (args, told) in [
        (&["conn", "-n", "0"][..], "use a number from 1 to 5000000"),
        (&["conn", "-n", "1G"], "use a number from 1 to 5000000"),
        (&["p2p", "--rate", "1", "-w", "1"], "cannot be used with"),
        (&["p2p", "-t", "a/b"], "each pair needs a topic of its own; put %i into it"),
        (&["p2p", "-t", "a/%x"], "`%x` at character 3 stands for nothing here"),
        (&["p2p", "-t", "a/#/%i"], "the topic `a/#/%i` cannot be"),
        (&["p2p", "-s", "1GiB"], "a payload has at most 256 MiB"),
        (&["conn", "-i", "me"], "all clients would have the same identifier; put %i into it"),
        (&["retained", "--count", "3", "--publishers", "10"], "use --publishers of at most 3"),
        (&["pub", "-n", "9", "-m", "3"], "use -n of at most 3"),
        (&["offline", "--sessions", "9", "-m", "3"], "use --publishers of at most 3"),
        (&["offline", "--publishers", "9", "-m", "3"], "use --publishers of at most 3"),
        (&["offline", "--publishers", "0"], "use a number from 1 to 5000000"),
        (&["offline", "--publishers", "1", "-t", "a"], "each session needs a topic of its own"),
        (&["p2p", "-d", "0s"], "use --duration of more than 0s"),
        (&["sub", "-d", "0ms"], "use --duration of more than 0s"),
        (&["fan-in", "-t", "one", "-s", "8"], "use --rate, --qos 1, a payload of 16 bytes or more"),
        (&["conn", "--source", "localhost"], "`localhost` is no address"),
        (&["offline", "-q", "0"], "a message of QoS 0 is not stored"),
        (&["conn", "--receive-maximum", "1", "-V", "311"], "needs MQTT 5.0"),
        (&["pub", "--user-property", "a=b", "-V", "311"], "need MQTT 5.0; leave out --user-prop"),
        (&["pub", "--user-property", "a"], "expected NAME=VALUE, for example unit=celsius"),
        (&["pub", "--user-property", "a=%s"], "`%s` at character 1 stands for nothing here"),
        (&["conn", "mqtt://h:x"], "the port of the URL is no number"),
        (&["conn", "mqtt://h/a"], "the URL names a topic"),
        (&["conn", "--pid", "4294967295"], "--pid 4294967295: there is no such process"),
        (&["conn", "-d", "soon"], "duration"),
        (&["pub", "-t", "t/%c", "-i", "a+%i"], "the topic `t/a+0` of group `publishers` cannot be"),
    ] {
        let error = place.run(["bench"].iter().chain(args)).failed(2);
        assert!(error.contains(told), "{args:?}: {error}");
    }
    let files = Command::new("sh")
        .args(["-c", "ulimit -n 100; exec \"$0\" bench conn -n 1000"])
        .arg(env!("CARGO_BIN_EXE_plexus"))
        .output()
        .expect("a shell");
    let error = String::from_utf8(files.stderr).expect("UTF-8");
    assert!(error.contains("raise the limit with `ulimit -n 1064`"), "{error}");
}

#[test]
fn a_run_is_watched_by_prometheus_and_ended_by_a_signal() {
    let place = Place::new();
    let node = Node::start(&place, &LISTEN);
    let mut command = place.plexus(["bench", "conn", "-n", "5", "-d", "1h", "--json"]);
    command.args(["--prometheus", "127.0.0.1:0", "-h", "127.0.0.1", "-p", node.port()]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
    let mut line = String::new();
    stderr.read_line(&mut line).expect("UTF-8");
    let address = line.trim().strip_prefix("metrics at http://").expect("the address");
    let address = address.trim_end_matches("/metrics");
    // The numbers come once a second.
    loop {
        let mut stream = TcpStream::connect(address).expect("it listens");
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("UTF-8");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        if answer.contains("plexus_bench_connections{group=\"clients\"} 5\n") {
            break;
        }
    }
    let pid = child.id().to_string();
    let kill = Command::new("kill").args(["-s", "INT", &pid]).status().expect("kill runs");
    assert!(kill.success());
    let mut stdout = String::new();
    let mut pipe = child.stdout.take().expect("piped");
    pipe.read_to_string(&mut stdout).expect("UTF-8");
    assert_eq!(child.wait().expect("it ends").code(), Some(0), "{stdout}");
    let summary = serde_json::from_str::<Value>(&stdout).expect("the summary");
    assert_eq!(summary["interrupted"], true);
    assert_numbers(&summary, &[("/groups/clients/accepted", 5), ("/groups/clients/lost", 0)]);
}
