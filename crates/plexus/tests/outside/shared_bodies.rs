//! Messages that wait for several sessions are stored once, and stay as long as one of them waits.

use std::io::Write;

use super::{
    broker::{Broker, Folder},
    raw::{
        CONNACK, CONNACK_PRESENT, ask, connect, connect_to_stay, hear, open, packet, subscribe,
        text,
    },
};

/// So many messages of this size fill several files of the log.
const MESSAGES: usize = 300;
const SIZE: usize = 10_000;
const RECEIVERS: [&str; 3] = ["first", "second", "third"];

fn start(folder: Folder) -> Broker {
    let file = folder.write("plexus.toml", "mqtt.max_queue_bytes = \"64MiB\"\n");
    Broker::start(folder, &["--config", &file, "--listen", "tcp://127.0.0.1:0"])
}

fn payload(number: usize) -> Vec<u8> {
    format!("{number:05}").repeat(SIZE / 5).into_bytes()
}

fn publish(port: u16, topic: &str, retained: bool) {
    let mut sender = open(port);
    ask(&mut sender, &connect("sender"), &CONNACK);
    for number in 0..MESSAGES {
        let first = 0x32 | u8::from(retained);
        let message = packet(first, &[&text(topic), &[0, 1], &payload(number)]);
        ask(&mut sender, &message, &[0x40, 2, 0, 1]);
    }
}

/// All that waits for the client comes whole and in order, once.
fn takes_all(port: u16, client: &str) {
    let mut stream = open(port);
    ask(&mut stream, &connect_to_stay(client), &CONNACK_PRESENT);
    for number in 0..MESSAGES {
        let (first, body) = hear(&mut stream);
        assert_eq!(first & 0xF7, 0x32, "a PUBLISH at QoS 1");
        let (head, rest) = body.split_at(2 + "shared/t".len());
        let (id, message) = rest.split_at(2);
        assert_eq!(head, text("shared/t"));
        assert!(message == payload(number), "message {number} for {client}");
        stream.write_all(&packet(0x40, &[id])).expect("sent");
    }
    ask(&mut stream, &[0xC0, 0], &[0xD0, 0]);
}

/// The bodies are given up by one session after the other, with a crash, cleaning of the log and an
/// orderly stop between them.
#[test]
fn a_message_that_one_session_has_taken_stays_for_the_others() {
    let mut broker = start(Folder::new());
    for client in RECEIVERS {
        let mut stream = open(broker.port("tcp"));
        ask(&mut stream, &connect_to_stay(client), &CONNACK);
        ask(&mut stream, &subscribe("shared/t", 1), &[0x90, 3, 0, 1, 1]);
    }
    publish(broker.port("tcp"), "shared/t", true);
    for client in RECEIVERS {
        takes_all(broker.port("tcp"), client);
        // What comes and goes makes the log clean itself.
        publish(broker.port("tcp"), "shared/other", true);
        broker = start(broker.kill());
    }
}
