//! What an operator sees when the store is full: alarms under `$SYS`, and what is served all the same.

use std::{
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, sync_channel},
    thread,
    time::Duration,
};

use rumqttc::{Client, Event, Incoming, MqttOptions, QoS};

use super::broker::{Broker, Folder, PATIENCE, run};

/// Alarms that wait to be looked at.
const ALARMS_MAX: usize = 100;
const SETTINGS: &str = r#"
node.name = "n"
mqtt.max_queue_messages = 1000000
mqtt.max_queue_bytes = "1GiB"
store.segment_size = "1MiB"
"#;

fn start(folder: Folder, more: &str) -> Broker {
    let file = folder.write("plexus.toml", &format!("{SETTINGS}{more}"));
    Broker::start(folder, &["--config", &file, "--listen", "tcp://127.0.0.1:0"])
}

/// The alarms of the node as they come: topic and text.
fn alarms(port: u16) -> Receiver<(String, String)> {
    let (told, heard) = sync_channel(ALARMS_MAX);
    let mut options = MqttOptions::new("operator", "127.0.0.1", port);
    options.set_keep_alive(Duration::from_secs(30));
    let (client, mut connection) = Client::new(options, 10);
    client.subscribe("$SYS/brokers/n/alarms/#", QoS::AtMostOnce).expect("queued");
    thread::spawn(move || {
        let _client = client;
        while let Ok(event) = connection.recv() {
            let publish = match event {
                Ok(Event::Incoming(Incoming::Publish(publish))) => publish,
                Ok(_) => continue,
                Err(_) => break, // The broker has ended with its test.
            };
            let text = String::from_utf8_lossy(&publish.payload).into_owned();
            let topic = publish.topic.trim_start_matches("$SYS/brokers/n/alarms/").to_owned();
            if told.send((topic, text)).is_err() {
                break;
            }
        }
    });
    heard
}

fn words(port: u16, more: &[&str]) -> Vec<String> {
    let port = port.to_string();
    let start = ["-h", "127.0.0.1", "-p", &port, "-V", "5"];
    start.iter().chain(more).map(|word| (*word).to_owned()).collect()
}

/// The reason of PUBACK, if there is one in time.
fn publish(port: u16, topic: &str, payload: &str) -> Option<u8> {
    let arguments = words(port, &["-q", "1", "-t", topic, "-m", payload, "-d"]);
    let output = Command::new("timeout").args(["20", "mosquitto_pub"]).args(arguments).output();
    let said = String::from_utf8_lossy(&output.expect("it runs").stdout).into_owned();
    let (_, rest) = said.split_once("RC:")?;
    rest.split(')').next()?.parse().ok()
}

fn make_queue(port: u16) {
    let stays = ["-i", "away", "-c", "-x", "300", "-q", "1", "-t", "full/#", "-E"];
    run("mosquitto_sub", &words(port, &stays));
}

fn take_queue(port: u16, count: usize) {
    let count = count.to_string();
    let takes = ["-i", "away", "-c", "-x", "300", "-q", "1", "-t", "full/#", "-C", &count];
    let taken = run("mosquitto_sub", &words(port, &[&takes[..], &["-W", "20"]].concat()));
    assert_eq!(taken.lines().count().to_string(), count);
}

/// Publishes until the store refuses; yields how many it has taken.
fn fill(port: u16) -> usize {
    let payload = "x".repeat(100_000);
    let refused = (0..400).find(|_| publish(port, "full/a", &payload) != Some(0));
    refused.expect("it is smaller than 40 MB")
}

#[track_caller]
fn serves_what_needs_nothing_kept(port: u16) {
    assert_eq!(publish(port, "nobody/hears", "x"), Some(16), "no matching subscribers");
    let mut listener = listen(port, "clean/#");
    // It is subscribed when somebody hears it.
    let heard = (0..400).any(|_| publish(port, "clean/a", "x") == Some(0));
    assert!(heard, "a session that ends with its connection is served");
    assert!(listener.wait().expect("it ends with its message").success());
    let comes = words(port, &["-i", "new", "-c", "-x", "9", "-t", "t", "-W", "20"]);
    let refused = Command::new("mosquitto_sub").args(comes).stderr(Stdio::null()).status();
    let refused = refused.expect("it runs");
    assert_eq!(refused.code(), Some(0x88), "a new durable session: Server unavailable");
}

fn listen(port: u16, filter: &str) -> Child {
    Command::new("mosquitto_sub")
        .args(words(port, &["-t", filter, "-q", "1", "-C", "1", "-W", "20"]))
        .stdout(Stdio::null())
        .spawn()
        .expect("it runs")
}

#[test]
fn a_full_store_is_an_alarm_until_there_is_room() {
    let broker = start(Folder::new(), "node.shards = 2\nstore.max_size = \"8MiB\"\n");
    let port = broker.port("tcp");
    let heard = alarms(port);
    make_queue(port);
    let taken = fill(port);
    let (alarm, text) = heard.recv_timeout(PATIENCE).expect("an alarm");
    assert_eq!(alarm, "store/full");
    assert!(text.starts_with("since 20") && text.contains("Z: the log takes "), "{text}");
    assert!(text.contains("raise it"), "{text}");
    serves_what_needs_nothing_kept(port);
    take_queue(port, taken);
    let ended = heard.recv_timeout(PATIENCE).expect("its end");
    assert_eq!(ended, ("store/full".to_owned(), String::new()));
    assert_eq!(publish(port, "full/a", "x"), Some(0));
}

/// What waits in the node is limited before any disk is. On one shard, which knows all receivers.
#[test]
fn a_node_with_too_much_waiting_refuses_and_takes_again() {
    let limits = "limits.max_queued_messages = 10\nmqtt.queue_policy = \"drop_newest\"\n";
    let broker = start(Folder::new(), &format!("node.shards = 1\n{limits}"));
    let port = broker.port("tcp");
    make_queue(port);
    let taken = (0..100).find(|_| publish(port, "full/a", "x") == Some(151));
    assert_eq!(taken, Some(10), "the eleventh reaches nobody");
    take_queue(port, 10);
    assert!((0..400).any(|_| publish(port, "full/a", "x") == Some(0)), "there is room again");
}
