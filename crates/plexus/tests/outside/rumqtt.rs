//! rumqttc, the Rust client, speaking 3.1.1 and 5.0.

use std::{collections::BTreeSet, time::Duration};

use rumqttc::{Client, Event, Incoming, MqttOptions, QoS, v5};

use super::broker::Broker;

const MESSAGES: usize = 300;

fn payload(number: usize) -> String {
    format!("{number:05}")
}

fn qos(number: usize) -> QoS {
    match number % 3 {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    }
}

#[test]
fn every_qos_round_trip_in_order_over_3_1_1() {
    let broker = Broker::plain();
    let mut options = MqttOptions::new("rumqttc", "127.0.0.1", broker.port("tcp"));
    options.set_keep_alive(Duration::from_secs(30)).set_inflight(20);
    let (client, mut connection) = Client::new(options, MESSAGES);
    client.subscribe("loop/#", QoS::ExactlyOnce).expect("queued");
    let mut seen = Vec::new();
    for event in connection.iter() {
        match event.expect("the connection holds") {
            Event::Incoming(Incoming::SubAck(_)) => {
                for number in 0..MESSAGES {
                    client.publish("loop/a", qos(number), false, payload(number)).expect("queued");
                }
            }
            Event::Incoming(Incoming::Publish(publish)) => {
                seen.push(String::from_utf8(publish.payload.to_vec()).expect("text"));
                if seen.len() == MESSAGES {
                    break;
                }
            }
            _ => {}
        }
    }
    let expected: Vec<_> = (0..MESSAGES).map(payload).collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_session_resumes_over_5_0() {
    let broker = Broker::plain();
    let options = || {
        let mut options = v5::MqttOptions::new("resumes", "127.0.0.1", broker.port("tcp"));
        options.set_clean_start(false).set_session_expiry_interval(Some(300));
        options
    };
    let level = v5::mqttbytes::QoS::AtLeastOnce;
    {
        let (client, mut connection) = v5::Client::new(options(), 10);
        client.subscribe("kept/#", level).expect("queued");
        for event in connection.iter() {
            if let v5::Event::Incoming(v5::Incoming::SubAck(_)) = event.expect("it holds") {
                break;
            }
        }
    }
    let sender = v5::MqttOptions::new("sender", "127.0.0.1", broker.port("tcp"));
    let (client, mut connection) = v5::Client::new(sender, MESSAGES);
    for number in 0..MESSAGES {
        client.publish("kept/a", level, false, payload(number)).expect("queued");
    }
    let mut acknowledged = 0;
    for event in connection.iter() {
        if let v5::Event::Incoming(v5::Incoming::PubAck(_)) = event.expect("it holds") {
            acknowledged += 1;
            if acknowledged == MESSAGES {
                break;
            }
        }
    }
    let (_client, mut connection) = v5::Client::new(options(), 10);
    let mut seen = BTreeSet::new();
    for event in connection.iter() {
        match event.expect("it holds") {
            v5::Event::Incoming(v5::Incoming::ConnAck(connack)) => {
                assert!(connack.session_present);
            }
            v5::Event::Incoming(v5::Incoming::Publish(publish)) => {
                seen.insert(publish.payload.to_vec());
                if seen.len() == MESSAGES {
                    return;
                }
            }
            _ => {}
        }
    }
}
