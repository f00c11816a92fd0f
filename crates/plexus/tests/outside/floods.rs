//! Much at once: shards that flood each other, crowds at the door, all said in one breath.

use std::{
    io::{Read, Write},
    process::{Command, Stdio},
    sync::{Condvar, Mutex},
    thread,
    time::Duration,
};

use rumqttc::{Client, Event, Incoming, MqttOptions, QoS};

use super::{
    broker::{Broker, Folder, PATIENCE},
    raw::{
        CONNACK, PINGRESP, SUBACK_QOS_0, connect, expect, open, packet, publish, subscribe, text,
    },
};

const TWO_SHARDS: &str = r#"
node.shards = 2
mqtt.max_queue_messages = 10000

[[listener]]
name = "tcp"
url = "tcp://127.0.0.1:0"

"#;

/// How many flood each other.
const CLIENTS: usize = 12;

/// Opens when so many wait at it. Who fails before it must not make the others wait for ever.
struct Gate {
    missing: Mutex<usize>,
    open: Condvar,
}

impl Gate {
    fn new(count: usize) -> Self {
        Self { missing: Mutex::new(count), open: Condvar::new() }
    }

    fn wait(&self) {
        let mut missing = self.missing.lock().expect("nobody fails in here");
        *missing -= 1;
        self.open.notify_all();
        let waited = self.open.wait_timeout_while(missing, PATIENCE, |missing| *missing > 0);
        let (missing, _) = waited.expect("nobody fails in here");
        let count = *missing;
        // A failure with the lock held would be everybody's.
        drop(missing);
        assert_eq!(count, 0, "so many did not come");
    }
}

/// Publishes to the next of the ring while reading what the one before sends; yields what came.
fn flood(port: u16, name: usize, all: &Gate, messages: usize) -> Vec<usize> {
    let mut options = MqttOptions::new(format!("flood-{name}"), "127.0.0.1", port);
    options.set_keep_alive(Duration::from_secs(30)).set_inflight(90);
    let (client, mut connection) = Client::new(options, messages + 1);
    client.subscribe(format!("flood/{name}"), QoS::AtLeastOnce).expect("queued");
    let (mut seen, mut acknowledged) = (Vec::new(), 0);
    loop {
        // Of who has failed nothing comes, and the pings are further apart than this.
        let event = connection.recv_timeout(PATIENCE).expect("the others go on");
        match event.expect("the connection holds") {
            Event::Incoming(Incoming::SubAck(_)) => {
                all.wait();
                for number in 0..messages {
                    let topic = format!("flood/{}", (name + 1) % CLIENTS);
                    let payload = number.to_string();
                    client.publish(topic, QoS::AtLeastOnce, false, payload).expect("queued");
                }
            }
            Event::Incoming(Incoming::PubAck(_)) => acknowledged += 1,
            Event::Incoming(Incoming::Publish(publish)) => {
                let number = String::from_utf8_lossy(&publish.payload).parse();
                seen.push(number.expect("a number"));
            }
            _ => {}
        }
        if acknowledged == messages && seen.len() >= messages {
            break;
        }
    }
    seen
}

/// Each floods the next, in a ring over both shards: neither waits for the other for ever, and the
/// order of each publisher holds.
#[test]
fn shards_that_flood_each_other_come_to_an_end() {
    const MESSAGES: usize = 2_000;
    let broker = Broker::configured(TWO_SHARDS);
    let port = broker.port("tcp");
    // All subscribe before the first publishes, else the head of a flood finds nobody.
    let all = Gate::new(CLIENTS);
    thread::scope(|scope| {
        let floods: Vec<_> = (0..CLIENTS)
            .map(|name| {
                let all = &all;
                (name, scope.spawn(move || flood(port, name, all, MESSAGES)))
            })
            .collect();
        for (name, flood) in floods {
            let seen = flood.join().expect("it ends");
            let wrong = seen.iter().enumerate().find(|(at, number)| at != *number);
            assert_eq!((seen.len(), wrong), (MESSAGES, None), "flood {name}");
        }
    });
}

/// The last words of a publisher count, also when its end arrives with them.
#[test]
fn what_comes_with_the_end_of_the_connection_is_heard() {
    const PUBLISHERS: usize = 200;
    let broker = Broker::configured(TWO_SHARDS);
    let port = broker.port("tcp");
    let mut listener = open(port);
    listener.write_all(&connect("listener")).expect("sent");
    expect(&mut listener, &CONNACK);
    listener.write_all(&subscribe("last/#", 0)).expect("sent");
    expect(&mut listener, &SUBACK_QOS_0);
    for number in 0..PUBLISHERS {
        let words = publish("last/words", &format!("{number:03}"));
        let mut stream = open(port);
        if number % 2 == 0 {
            stream.write_all(&connect(&format!("p{number}"))).expect("sent");
            expect(&mut stream, &CONNACK);
            stream.write_all(&words).expect("sent");
        } else {
            let all = [connect(&format!("p{number}")), words].concat();
            stream.write_all(&all).expect("sent");
        }
        stream.shutdown(std::net::Shutdown::Write).expect("shut");
        expect(&mut listener, &publish("last/words", &format!("{number:03}")));
    }
}

/// A crowd larger than a turn of the accepting loop gets in, without anybody having to knock again.
#[test]
fn a_crowd_at_the_door_gets_in() {
    const CROWD: usize = 700;
    let broker = Broker::configured(TWO_SHARDS);
    let port = broker.port("tcp");
    let mut crowd: Vec<_> = (0..CROWD).map(|_| open(port)).collect();
    for (number, stream) in crowd.iter_mut().enumerate() {
        stream.write_all(&connect(&format!("crowd-{number}"))).expect("sent");
    }
    for stream in &mut crowd {
        expect(stream, &CONNACK);
    }
}

/// What follows CONNECT waits while a password is checked on another thread.
#[test]
fn packets_behind_a_connect_wait_for_its_password() {
    let folder = Folder::new();
    let users = folder.write("users", "");
    let mut passwd = Command::new(env!("CARGO_BIN_EXE_plexus"))
        .args(["passwd", &users, "ann"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("passwd runs");
    passwd.stdin.take().expect("piped").write_all(b"secret\n").expect("written");
    assert!(passwd.wait().expect("it ends").success());
    let config = format!("{TWO_SHARDS}[access]\nusers_file = {users:?}\n");
    let file = folder.write("plexus.toml", &config);
    let broker = Broker::start(folder, &["--config", &file]);
    let port = broker.port("tcp");
    let connect = |name: &str, password: &str| {
        let flags = [4, 0xC2, 0, 60];
        packet(0x10, &[&text("MQTT"), &flags, &text(name), &text("ann"), &text(password)])
    };
    for number in 0..8 {
        let all = [connect(&format!("c{number}"), "secret"), subscribe("own", 0), vec![0xC0, 0]];
        let mut stream = open(port);
        stream.write_all(&all.concat()).expect("sent");
        expect(&mut stream, &CONNACK);
        let mut rest = [0; SUBACK_QOS_0.len() + PINGRESP.len()];
        stream.read_exact(&mut rest).expect("answers");
        // SUBACK waits for the other shard, PINGRESP for nobody.
        assert!(rest.starts_with(&SUBACK_QOS_0) || rest.ends_with(&SUBACK_QOS_0), "{rest:?}");
    }
    let mut stranger = open(port);
    let all = [connect("stranger", "guess"), subscribe("own", 0), publish("own", "forged")];
    stranger.write_all(&all.concat()).expect("sent");
    let mut answer = Vec::new();
    drop(stranger.read_to_end(&mut answer));
    assert_eq!(answer, [0x20, 2, 0, 4], "bad user name or password, and nothing behind it");
}

/// More retained messages than a queue holds reach a new subscriber, from every shard.
#[test]
fn all_that_is_retained_reaches_a_new_subscriber() {
    const TOPICS: usize = 5_000;
    let broker = Broker::configured(&TWO_SHARDS.replace("shards = 2", "shards = 16"));
    let port = broker.port("tcp");
    let client = |name: &str| {
        let mut options = MqttOptions::new(name, "127.0.0.1", port);
        options.set_keep_alive(Duration::from_secs(30)).set_inflight(90);
        Client::new(options, TOPICS)
    };
    let (sender, mut connection) = client("keeper");
    for number in 0..TOPICS {
        let payload = number.to_string();
        let topic = format!("kept/{number}");
        sender.publish(topic, QoS::AtLeastOnce, true, payload).expect("queued");
    }
    let mut acknowledged = 0;
    while acknowledged < TOPICS {
        let event = connection.iter().next().expect("more").expect("the connection holds");
        acknowledged += usize::from(matches!(event, Event::Incoming(Incoming::PubAck(_))));
    }
    let (late, mut connection) = client("late");
    late.subscribe("kept/#", QoS::AtLeastOnce).expect("queued");
    let mut seen = vec![false; TOPICS];
    let mut missing = TOPICS;
    while missing > 0 {
        let event = connection.iter().next().expect("more").expect("the connection holds");
        if let Event::Incoming(Incoming::Publish(publish)) = event {
            let number: usize =
                String::from_utf8_lossy(&publish.payload).parse().expect("a number");
            assert!(publish.retain && !seen[number], "{number} again");
            seen[number] = true;
            missing -= 1;
        }
    }
}
