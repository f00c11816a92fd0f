//! A QoS 2 message that is sent again over a crash of the node is one message.

use super::{
    broker::{Broker, Folder},
    raw::{
        CONNACK, CONNACK_PRESENT, ask, connect_to_stay, expect, hear, open, packet, publish,
        subscribe, text,
    },
};

fn start(folder: Folder) -> Broker {
    let file = folder.write("plexus.toml", "node.shards = 2\n");
    Broker::start(folder, &["--config", &file, "--listen", "tcp://127.0.0.1:0"])
}

/// PUBLISH at QoS 2 under an identifier.
fn publish_qos_2(first: u8, id: u8, payload: &str) -> Vec<u8> {
    packet(first, &[&text("resent/t"), &[0, id], payload.as_bytes()])
}

/// What the receiver that was away gets, without DUP and identifier, until the end that is published now.
fn received(port: u16) -> Vec<(u8, Vec<u8>)> {
    let mut sender = open(port);
    ask(&mut sender, &connect_to_stay("ender"), &CONNACK);
    let end = packet(0x32, &[&text("resent/t"), &[0, 1], b"end"]);
    ask(&mut sender, &end, &[0x40, 2, 0, 1]);
    let mut receiver = open(port);
    ask(&mut receiver, &connect_to_stay("receiver"), &CONNACK_PRESENT);
    let mut seen = Vec::new();
    loop {
        let (first, body) = hear(&mut receiver);
        let payload = body.split_at(2 + "resent/t".len() + 2).1.to_vec();
        if payload == b"end" {
            return seen;
        }
        seen.push((first & 0xF7, payload));
    }
}

/// CVE-2026-8741: the identifier is kept before the message is handed on, also over kill -9.
#[test]
fn a_qos_2_message_sent_again_over_a_crash_is_delivered_once() {
    let broker = start(Folder::new());
    let mut receiver = open(broker.port("tcp"));
    ask(&mut receiver, &connect_to_stay("receiver"), &CONNACK);
    ask(&mut receiver, &subscribe("resent/t", 1), &[0x90, 3, 0, 1, 1]);
    drop(receiver);
    let mut sender = open(broker.port("tcp"));
    ask(&mut sender, &connect_to_stay("sender"), &CONNACK);
    ask(&mut sender, &publish_qos_2(0x34, 1, "one"), &[0x50, 2, 0, 1]);
    ask(&mut sender, &publish_qos_2(0x34, 2, "two"), &[0x50, 2, 0, 2]);
    ask(&mut sender, &[0x62, 2, 0, 2], &[0x70, 2, 0, 2]);
    // It dies with one message that is not released, and another whose PUBCOMP may have been lost.
    let broker = start(broker.kill());
    let mut sender = open(broker.port("tcp"));
    ask(&mut sender, &connect_to_stay("sender"), &CONNACK_PRESENT);
    for _ in 0..3 {
        ask(&mut sender, &publish_qos_2(0x3C, 1, "one"), &[0x50, 2, 0, 1]);
    }
    let broker = start(broker.kill());
    let mut sender = open(broker.port("tcp"));
    ask(&mut sender, &connect_to_stay("sender"), &CONNACK_PRESENT);
    ask(&mut sender, &publish_qos_2(0x3C, 1, "one"), &[0x50, 2, 0, 1]);
    for id in [1, 2] {
        ask(&mut sender, &[0x62, 2, 0, id], &[0x70, 2, 0, id]);
    }
    let once = [(0x32, b"one".to_vec()), (0x32, b"two".to_vec())];
    assert_eq!(received(broker.port("tcp")), once);
    // The identifiers are free: what comes under them now is new.
    ask(&mut sender, &publish("resent/other", "x"), &[]);
    ask(&mut sender, &publish_qos_2(0x34, 1, "three"), &[0x50, 2, 0, 1]);
    ask(&mut sender, &[0x62, 2, 0, 1], &[]);
    expect(&mut sender, &[0x70, 2, 0, 1]);
}
