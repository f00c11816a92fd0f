//! Checked deliveries beside a Mosquitto with the same rules: the table in docs/access.md.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
};

use plexus_testkit::{Foreign, free_port, program};

use super::broker::{Broker, Folder, run};

const ACL: &str = "\
user ann
topic read a/b
topic read news/#
user bob
topic readwrite #
";

/// What Mosquitto knows by the user name stands in the client identifier: nobody has to prove it here.
const RULES: &str = r##"
[node]
shards = 1

[access]
filter_deliveries = true

[[listener]]
url = "tcp://127.0.0.1:0"

[[access.rule]]
allow = ["subscribe"]
clients = ["ann*"]
topics = ["a/b", "news/#"]

[[access.rule]]
allow = ["publish", "subscribe"]
clients = ["bob*"]
topics = ["#"]
"##;

fn mosquitto(folder: &Folder) -> (Foreign, u16) {
    let port = free_port();
    let acl = folder.write("acl", ACL);
    let text = format!("listener {port} 127.0.0.1\nallow_anonymous true\nacl_file {acl}\n");
    let file = folder.write("mosquitto.conf", &text);
    let arguments = ["-c".to_owned(), file, "-v".to_owned()];
    (Foreign::start(&program("mosquitto", &[]), &arguments, "running"), port)
}

/// A mosquitto_sub, which ends with it.
struct Subscriber {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    granted: bool,
}

impl Subscriber {
    fn new(port: u16, user: &str, id: &str, filters: &[&str]) -> Self {
        // Line by line, or the pipe would hold its words back until it ends.
        let mut child = Command::new("stdbuf")
            .args(["-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", &port.to_string()])
            .args(["-V", "mqttv5", "-u", user, "-i", id, "-q", "1", "-d"])
            .args(filters.iter().flat_map(|filter| ["-t", *filter]))
            .args(["-F", "got %t %p"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto_sub runs; cargo xtask test installs it");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut told = lines.by_ref().map(|line| line.expect("text"));
        // A refusal has a number above 128.
        let granted = told
            .find_map(|line| line.strip_prefix("Subscribed (mid: 1): ").map(str::to_owned))
            .is_some_and(|told| told.split(", ").all(|reason| reason == "1"));
        Self { child, lines, granted }
    }

    /// Everything until both of these have come.
    fn until(&mut self, last: &[&str]) -> BTreeSet<String> {
        let mut got = BTreeSet::new();
        while !last.iter().all(|wanted| got.contains(*wanted)) {
            let line = self.lines.next().expect("it goes on").expect("text");
            got.extend(line.strip_prefix("got ").map(str::to_owned));
        }
        got
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        // Already ended is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn publish(port: u16, topic: &str, payload: &str, more: &[&str]) {
    let port = port.to_string();
    let usual = ["-h", "127.0.0.1", "-p", &port, "-u", "bob", "-i", "bob-writes", "-q", "1"];
    let words = [&usual[..], &["-t", topic, "-m", payload], more].concat();
    run("mosquitto_pub", &words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
}

/// What came of the same steps.
#[derive(Debug)]
struct Outcome {
    /// Whether a filter was granted of which nothing may be had.
    grants_nothing: bool,
    /// What `#` brought.
    wide: BTreeSet<String>,
    /// How many of four messages a member of a group got, in which another may not have them.
    shared: usize,
}

fn outcome(port: u16) -> Outcome {
    publish(port, "a/b", "kept", &["-r"]);
    publish(port, "secret/x", "kept", &["-r"]);
    let grants_nothing = Subscriber::new(port, "ann", "ann-1", &["secret/x"]).granted;
    let mut wide = Subscriber::new(port, "ann", "ann-2", &["#"]);
    let other = Subscriber::new(port, "ann", "ann-3", &["$share/g/#"]);
    let mut member = Subscriber::new(port, "bob", "bob-1", &["$share/g/#", "end"]);
    assert!(wide.granted && other.granted && member.granted);
    for payload in ["1", "2", "3", "4"] {
        publish(port, "secret/y", payload, &[]);
    }
    publish(port, "end", "x", &[]);
    let got = member.until(&["end x"]);
    let shared = got.iter().filter(|got| got.starts_with("secret/y ")).count();
    publish(port, "a/b", "new", &[]);
    publish(port, "news/1", "x", &[]);
    let wide = wide.until(&["a/b kept", "a/b new", "news/1 x"]);
    Outcome { grants_nothing, wide, shared }
}

#[test]
fn a_wide_subscription_brings_what_it_brings_from_mosquitto() {
    let folder = Folder::new();
    let (other, port) = mosquitto(&folder);
    let theirs = outcome(port);
    drop(other);
    let broker = Broker::configured(RULES);
    let ours = outcome(broker.port("tcp"));
    assert_eq!(ours.wide, theirs.wide);
    assert_eq!(ours.wide.len(), 3, "nothing else: {ours:?}");
    assert!(theirs.grants_nothing && !ours.grants_nothing, "{theirs:?} {ours:?}");
    assert!(theirs.shared < 4, "what fell to the other is lost there: {theirs:?}");
    assert_eq!(ours.shared, 4, "{ours:?}");
}
