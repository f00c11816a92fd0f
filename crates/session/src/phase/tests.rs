use bytes::Bytes;
use plexus_types::{
    ClientId, Durability, Instant, Message, MessageId, MessageProperties, Qos, TopicName,
};

use super::seconds_left;

/// [MQTT-3.3.2-6]
#[test]
fn the_interval_that_is_left_is_rounded_and_zero_only_when_it_is_over() {
    let mut message = Message {
        id: MessageId::NONE,
        topic: TopicName::try_from("t").unwrap(),
        payload: Bytes::new(),
        qos: Qos::AtMostOnce,
        retain: false,
        properties: MessageProperties::default(),
        expires: None,
        durability: Durability::default(),
        publisher: ClientId::try_from("p").unwrap(),
    };
    let at = |millis: u64| Instant::from_nanos(millis * 1_000_000);
    assert_eq!(seconds_left(&message, at(0)), None);
    message.expires = Some(at(10_000));
    // A shard whose clock was read a little earlier sees no more than the interval.
    for (now, left) in [(0, 10), (3_400, 7), (3_600, 6), (9_900, 1), (10_000, 0), (11_000, 0)] {
        assert_eq!(seconds_left(&message, at(now)), Some(left), "at {now} ms");
    }
    message.expires = Some(at(10_001));
    assert_eq!(seconds_left(&message, at(0)), Some(10));
}
