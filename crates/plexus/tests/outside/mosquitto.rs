//! mosquitto_pub and mosquitto_sub.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
};

use super::broker::{Broker, run};

/// A mosquitto_sub that has its subscription.
struct Subscriber {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    /// Messages of a resumed session, which come before the subscription is confirmed.
    early: Vec<String>,
}

/// Whether mosquitto_sub talks of itself.
fn is_talk(line: &str) -> bool {
    ["Client ", "Subscribed", "All subscription"].iter().any(|start| line.starts_with(start))
}

impl Subscriber {
    /// Prints `<topic> <qos> <retain> <payload>` for each of `count` messages.
    fn new(broker: &Broker, count: usize, more: &[&str]) -> Self {
        // Line by line, or the pipe would hold its words back until it ends.
        let mut child = Command::new("stdbuf")
            .args(["-oL", "mosquitto_sub"])
            .args(["-h", "127.0.0.1", "-p", &broker.port("tcp").to_string(), "-d"])
            .args(["-F", "%t %q %r %p", "-W", "20", "-C", &count.to_string()])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto_sub runs; cargo xtask test installs it");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut early = Vec::new();
        for line in lines.by_ref() {
            let line = line.expect("text");
            if line.starts_with("Subscribed") {
                return Self { child, lines, early };
            }
            if !is_talk(&line) {
                early.push(line);
            }
        }
        // What waited for it may have been all that it came for.
        let status = child.wait();
        assert!(early.len() >= count, "mosquitto_sub ended without a subscription: {status:?}");
        Self { child, lines, early }
    }

    fn messages(mut self) -> Vec<String> {
        let mut messages = self.early;
        let later = self.lines.map(|line| line.expect("text"));
        messages.extend(later.filter(|line| !is_talk(line)));
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "mosquitto_sub: {status} after {messages:?}");
        messages
    }
}

fn publish(broker: &Broker, more: &[&str]) {
    let port = broker.port("tcp").to_string();
    let mut words = vec!["-h".to_owned(), "127.0.0.1".to_owned(), "-p".to_owned(), port];
    words.extend(more.iter().map(|word| (*word).to_owned()));
    run("mosquitto_pub", &words);
}

#[test]
fn every_qos_in_every_version() {
    let broker = Broker::plain();
    for version in ["mqttv31", "mqttv311", "mqttv5"] {
        let subscriber = Subscriber::new(&broker, 3, &["-V", version, "-q", "2", "-t", "v/+"]);
        for qos in ["0", "1", "2"] {
            let topic = format!("v/{qos}");
            publish(&broker, &["-V", version, "-q", qos, "-t", &topic, "-m", version]);
        }
        let expected: Vec<_> = (0..3).map(|qos| format!("v/{qos} {qos} 0 {version}")).collect();
        assert_eq!(subscriber.messages(), expected);
    }
}

#[test]
fn retained_messages_reach_later_subscribers_until_they_are_deleted() {
    let broker = Broker::plain();
    publish(&broker, &["-q", "1", "-r", "-t", "r/a", "-m", "one"]);
    publish(&broker, &["-q", "1", "-r", "-t", "r/a", "-m", "two"]);
    publish(&broker, &["-q", "1", "-r", "-t", "r/b", "-m", "gone"]);
    publish(&broker, &["-q", "1", "-r", "-n", "-t", "r/b"]);
    let subscriber = Subscriber::new(&broker, 1, &["-q", "1", "-t", "r/#"]);
    assert_eq!(subscriber.messages(), ["r/a 1 1 two"]);
}

#[test]
fn a_will_is_published_when_the_client_is_killed() {
    let broker = Broker::plain();
    let watcher = Subscriber::new(&broker, 1, &["-q", "1", "-t", "will/+"]);
    let will = ["--will-topic", "will/a", "--will-payload", "died", "--will-qos", "1"];
    let mut doomed = Subscriber::new(&broker, 1, &[&["-t", "never"], &will[..]].concat());
    doomed.child.kill().expect("killed");
    doomed.child.wait().expect("ended");
    assert_eq!(watcher.messages(), ["will/a 1 0 died"]);
}

#[test]
fn a_session_keeps_messages_while_its_client_is_away() {
    let broker = Broker::plain();
    let away = ["-c", "-i", "away", "-q", "1", "-t", "s/#"];
    let mut first = Subscriber::new(&broker, 1, &away);
    first.child.kill().expect("killed");
    first.child.wait().expect("ended");
    for number in 0..50 {
        publish(&broker, &["-q", "1", "-t", "s/a", "-m", &number.to_string()]);
    }
    let again = Subscriber::new(&broker, 50, &away);
    let expected: Vec<_> = (0..50).map(|number| format!("s/a 1 0 {number}")).collect();
    assert_eq!(again.messages(), expected);
}

#[test]
fn a_shared_subscription_gives_each_message_to_one_member() {
    let broker = Broker::plain();
    let members: Vec<_> =
        (0..4).map(|_| Subscriber::new(&broker, 25, &["-q", "1", "-t", "$share/g/jobs"])).collect();
    let folder = &broker.folder;
    let lines: Vec<_> = (0..100).map(|number: u32| number.to_string()).collect();
    let lines = lines.join("\n") + "\n";
    let file = folder.write("jobs", &lines);
    let port = broker.port("tcp");
    let script = format!("mosquitto_pub -h 127.0.0.1 -p {port} -q 1 -t jobs -l < '{file}'");
    run("sh", &["-c".to_owned(), script]);
    let mut all: Vec<u32> = members
        .into_iter()
        .flat_map(Subscriber::messages)
        .map(|line| line.rsplit(' ').next().and_then(|text| text.parse().ok()).expect("a number"))
        .collect();
    all.sort_unstable();
    assert_eq!(all, (0..100).collect::<Vec<_>>());
}

#[test]
fn tls_with_a_certificate_authority_and_without() {
    let broker = Broker::all();
    let port = broker.port("tls").to_string();
    let cafile = broker.folder.0.join("cert.pem").display().to_string();
    let words =
        ["-h", "localhost", "-p", &port, "--cafile", &cafile, "-q", "1", "-t", "t", "-m", "x"];
    run("mosquitto_pub", &words.map(str::to_owned));
    let status = Command::new("mosquitto_pub")
        .args(["-h", "localhost", "-p", &port, "-q", "1", "-t", "t", "-m", "x"])
        .stderr(Stdio::null())
        .status()
        .expect("runs");
    assert!(!status.success(), "a plain client gets nowhere on a TLS port");
}

#[test]
fn a_large_payload_arrives_whole() {
    let broker = Broker::plain();
    let text = "0123456789".repeat(60_000);
    let file = broker.folder.write("large", &text);
    let subscriber = Subscriber::new(&broker, 1, &["-q", "1", "-t", "large"]);
    publish(&broker, &["-q", "1", "-t", "large", "-f", &file]);
    assert_eq!(subscriber.messages(), [format!("large 1 0 {text}")]);
}
