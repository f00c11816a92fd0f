//! The process is killed at any moment: what it has acknowledged is there when it is back.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    sync::mpsc::{SyncSender, sync_channel},
    thread,
    time::Duration,
};

use rumqttc::{Client, Connection, Event, Incoming, MqttOptions, Outgoing, QoS};

use super::broker::{Broker, Folder, PATIENCE, python, run};

/// Lives of the broker, if `PLEXUS_LIVES` says nothing else.
const LIVES: u64 = 20;
/// Acknowledgements that a life lasts at most.
const ACKNOWLEDGED_MAX: u64 = 400;
/// Acknowledgements that wait to be heard of: more than come until the process has died.
const TOLD_MAX: usize = 1_000_000;
const SETTINGS: &str = r#"
node.shards = 2
mqtt.max_queue_messages = 1000000
mqtt.max_queue_bytes = "1GiB"
"#;

fn lives() -> u64 {
    std::env::var_os("PLEXUS_LIVES").map_or(LIVES, |lives| {
        lives.to_str().and_then(|lives| lives.parse().ok()).expect("a number of lives")
    })
}

fn start(folder: Folder, rules: &str) -> Broker {
    let file = folder.write("plexus.toml", &format!("{SETTINGS}{rules}"));
    Broker::start(folder, &["--config", &file, "--listen", "tcp://127.0.0.1:0"])
}

fn client(name: &str, port: u16) -> (Client, Connection) {
    let mut options = MqttOptions::new(name, "127.0.0.1", port);
    options.set_keep_alive(Duration::from_secs(30)).set_clean_session(false).set_inflight(50);
    Client::new(options, 10)
}

/// The next event, if the broker lives.
fn next(connection: &mut Connection) -> Option<Event> {
    connection.recv_timeout(PATIENCE).ok()?.ok()
}

/// A drawn number: the moments of death differ from run to run, and the test holds for all.
fn draw(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn subscribe(port: u16) {
    let (client, mut connection) = client("subscriber", port);
    client.subscribe("crash/#", QoS::ExactlyOnce).expect("queued");
    while !matches!(next(&mut connection).expect("it lives"), Event::Incoming(Incoming::SubAck(_)))
    {
    }
    client.disconnect().expect("queued");
    while next(&mut connection).is_some() {}
}

fn tell(number: Option<u32>, acknowledged: &SyncSender<u32>) {
    if let Some(number) = number {
        acknowledged.send(number).expect("the test listens to the end");
    }
}

/// Publishes numbers from `first` on until the broker dies, to each of the topics in turn, telling
/// each that is acknowledged; yields the number behind the last. Even ones go at QoS 1, odd ones at
/// QoS 2.
fn publish_until_death(
    port: u16,
    name: &str,
    topics: &[&str],
    first: u32,
    acknowledged: &SyncSender<u32>,
) -> u32 {
    let (client, mut connection) = client(name, port);
    let (mut given, mut sent, mut under_way) = (first, first, BTreeMap::new());
    loop {
        let qos = |number: u32| {
            if number.is_multiple_of(2) { QoS::AtLeastOnce } else { QoS::ExactlyOnce }
        };
        let topic = |number: u32| topics.get(number as usize % topics.len()).copied();
        while let Some(topic) = topic(given)
            && client.try_publish(topic, qos(given), false, given.to_string()).is_ok()
        {
            given += 1;
        }
        match next(&mut connection) {
            Some(Event::Outgoing(Outgoing::Publish(id))) => {
                under_way.insert(id, sent);
                sent += 1;
            }
            Some(Event::Incoming(Incoming::PubAck(ack))) => {
                tell(under_way.remove(&ack.pkid), acknowledged);
            }
            Some(Event::Incoming(Incoming::PubRec(ack))) => {
                tell(under_way.remove(&ack.pkid), acknowledged);
            }
            Some(_) => {}
            None => return given,
        }
    }
}

/// Everything that waits for the subscriber, in the order in which it comes.
fn collect(port: u16) -> Vec<u32> {
    let end =
        ["-h", "127.0.0.1", "-p", &port.to_string(), "-t", "crash/end", "-q", "1", "-m", "end"]
            .map(str::to_owned);
    run("mosquitto_pub", &end);
    let (_client, mut connection) = client("subscriber", port);
    let mut seen = Vec::new();
    loop {
        match next(&mut connection).expect("it lives") {
            Event::Incoming(Incoming::Publish(publish)) if publish.topic == "crash/end" => {
                return seen;
            }
            Event::Incoming(Incoming::Publish(publish)) => {
                seen.push(String::from_utf8_lossy(&publish.payload).parse().expect("a number"));
            }
            _ => {}
        }
    }
}

/// Kills the broker in each of its lives while somebody publishes; yields what was acknowledged and
/// what the subscriber was sent in the end, which nothing has doubled or brought out of order.
fn killed(
    rules: &str,
    lives: u64,
    publish: impl Fn(u16, &str, u32, &SyncSender<u32>) -> u32 + Copy + Send + 'static,
) -> (BTreeSet<u32>, BTreeSet<u32>) {
    let mut state = u64::from(std::process::id()) | 1;
    let mut broker = start(Folder::new(), rules);
    subscribe(broker.port("tcp"));
    let (mut acknowledged, mut first) = (BTreeSet::new(), 0);
    for life in 0..lives {
        let port = broker.port("tcp");
        let (told, telling) = sync_channel(TOLD_MAX);
        let name = format!("publisher-{life}");
        let publisher = thread::spawn(move || publish(port, &name, first, &told));
        // At least one, so that there is a connection to lose: a program takes a while to start.
        for _ in 0..=draw(&mut state) % ACKNOWLEDGED_MAX {
            acknowledged.insert(telling.recv_timeout(PATIENCE).expect("an acknowledgement"));
        }
        let folder = broker.kill();
        first = publisher.join().expect("it ends with its connection");
        acknowledged.extend(telling);
        broker = start(folder, rules);
    }
    let seen = collect(broker.port("tcp"));
    assert!(seen.is_sorted(), "the order of the publishers");
    let unique: BTreeSet<_> = seen.iter().copied().collect();
    assert_eq!(seen.len(), unique.len(), "published once, delivered once");
    (acknowledged, unique)
}

fn assert_whole(acknowledged: &BTreeSet<u32>, seen: &BTreeSet<u32>) {
    let missing: Vec<_> = acknowledged.difference(seen).collect();
    assert!(missing.is_empty(), "of {} acknowledged: {missing:?}", acknowledged.len());
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let (acknowledged, seen) = killed("", lives(), |port, name, first, told| {
        publish_until_death(port, name, &["crash/n"], first, told)
    });
    assert_whole(&acknowledged, &seen);
}

/// The numbers that paho was told are acknowledged, until the broker dies and the program ends.
fn paho_until_death(port: u16, name: &str, first: u32, acknowledged: &SyncSender<u32>) -> u32 {
    let mut child = python("paho_crash.py", &[&port.to_string(), name, &first.to_string()]);
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut next = None;
    for line in lines.map(|line| line.expect("text")) {
        match line.strip_prefix("next ") {
            Some(number) => next = number.parse().ok(),
            None => tell(line.parse().ok(), acknowledged),
        }
    }
    assert!(child.wait().expect("ended").success(), "the program says why on stderr");
    next.expect("the last line")
}

#[test]
fn nothing_that_paho_was_told_is_lost_when_the_process_is_killed() {
    let (acknowledged, seen) = killed("", lives() / 4, paho_until_death);
    assert_whole(&acknowledged, &seen);
}

/// A topic that is kept at once, one that the operating system keeps, and one that nobody keeps. The
/// odd numbers go at QoS 2, which is recorded for the subscriber in any case.
const MODES: [&str; 3] = ["crash/fsync", "crash/os", "crash/memory"];
const RULES: &str = r#"
store.topic = [
    { filter = "+/fsync", commit = "fsync" },
    { filter = "+/memory", commit = "memory" },
]
"#;

/// What each topic promises is kept, and one that promises nothing takes nothing from the others.
#[test]
fn a_process_that_is_killed_keeps_what_each_topic_promises() {
    let (mut acknowledged, seen) = killed(RULES, lives() / 4, |port, name, first, told| {
        publish_until_death(port, name, &MODES, first, told)
    });
    acknowledged.retain(|number| MODES[*number as usize % MODES.len()] != "crash/memory");
    assert_whole(&acknowledged, &seen);
    let is_fleeting = |number: &&u32| *number % 6 == 2; // In memory at QoS 1.
    assert_eq!(seen.iter().filter(is_fleeting).count(), 0, "of lives before");
}

/// What cannot be kept is refused, the rest is served, and when there is room again all is well.
#[test]
fn a_full_store_refuses_what_it_cannot_keep() {
    let sizes = "store.segment_size = \"1MiB\"\nstore.max_size = \"8MiB\"\n";
    let broker = start(Folder::new(), sizes);
    let port = broker.port("tcp").to_string();
    let words = |more: &[&str]| -> Vec<String> {
        let start = ["-h", "127.0.0.1", "-p", &port, "-V", "5"];
        start.iter().chain(more).map(|word| (*word).to_owned()).collect()
    };
    run(
        "mosquitto_sub",
        &words(&["-i", "away", "-c", "-x", "300", "-q", "1", "-t", "full/#", "-E"]),
    );
    let payload = "x".repeat(100_000);
    let refused = (0..200).find(|_| {
        let said =
            run_any("mosquitto_pub", &words(&["-q", "1", "-t", "full/a", "-m", &payload, "-d"]));
        said.contains("RC:151")
    });
    assert!(refused.is_some(), "8 MiB hold no 20 MB");
    // Who needs nothing kept is served.
    let heard = run_any("mosquitto_pub", &words(&["-q", "1", "-t", "free/a", "-m", "x", "-d"]));
    assert!(heard.contains("RC:16)"), "{heard}");
    // The queue is read: there is room again, and nothing of it is missing.
    let count = refused.expect("asserted above").to_string();
    let all = words(&[
        "-i", "away", "-c", "-x", "300", "-q", "1", "-t", "full/#", "-C", &count, "-W", "20",
    ]);
    assert_eq!(run("mosquitto_sub", &all).lines().count().to_string(), count);
    let served = (0..200).any(|_| {
        let said = run_any("mosquitto_pub", &words(&["-q", "1", "-t", "full/a", "-m", "x", "-d"]));
        said.contains("RC:0)")
    });
    assert!(served, "there is room again");
}

/// What a program prints, however it ends.
fn run_any(program: &str, arguments: &[String]) -> String {
    // Who is not answered waits for ever: that ends the test, and not the machine's patience.
    let limit = ["20".to_owned(), program.to_owned()];
    let output = std::process::Command::new("timeout").args(limit).args(arguments).output();
    let output = output.expect("it runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
