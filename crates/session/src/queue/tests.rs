use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use plexus_types::{
    ClientId, Durability, Instant, Message, MessageId, MessageProperties, Qos, TopicName,
};

use super::{Admission, Queue};
use crate::{Delivery, Options, QueuePolicy, Waiting, parcel::Parcel};

fn parcel(payload: &'static str, qos: u8) -> Parcel {
    let message = Message {
        id: MessageId::NONE,
        topic: TopicName::try_from("t").unwrap(),
        payload: Bytes::from_static(payload.as_bytes()),
        qos: Qos::new(qos).unwrap(),
        retain: false,
        properties: MessageProperties::default(),
        expires: None,
        durability: Durability::default(),
        publisher: ClientId::try_from("p").unwrap(),
    };
    parcel_of(&message, None)
}

fn parcel_of(message: &Message, shared: Option<&Arc<str>>) -> Parcel {
    let message = Arc::new(message.clone());
    Parcel::new(
        Instant::ZERO,
        Delivery {
            message: &message,
            qos: message.qos,
            retain: false,
            subscription_ids: &[],
            shared,
        },
    )
}

fn options(messages: usize, bytes: usize, queue_policy: QueuePolicy) -> Options {
    Options {
        queue_messages_max: messages,
        queue_bytes_max: bytes,
        queue_policy,
        ..Options::default()
    }
}

fn rest(queue: &mut Queue) -> Vec<String> {
    std::iter::from_fn(|| queue.pop())
        .map(|parcel| String::from_utf8(parcel.message().unwrap().payload.to_vec()).unwrap())
        .collect()
}

/// Each row: the parcels that come, then what is driven out, what is not taken, what remains.
type Row = (QueuePolicy, &'static [(&'static str, u8)], &'static str, &'static str, &'static str);

#[test]
fn a_full_queue_follows_its_policy() {
    let rows: [Row; 6] = [
        (QueuePolicy::DropOldest, &[("a", 1), ("b", 2), ("c", 1), ("d", 1)], "a", "", "bcd"),
        (QueuePolicy::DropOldest, &[("a", 1), ("b", 0), ("c", 1), ("d", 1)], "b", "", "acd"),
        (QueuePolicy::DropOldest, &[("a", 1), ("b", 1), ("c", 1), ("d", 0)], "", "d", "abc"),
        (QueuePolicy::DropOldest, &[("a", 0), ("b", 1), ("c", 0), ("d", 0)], "a", "", "bcd"),
        (QueuePolicy::DropNewest, &[("a", 0), ("b", 1), ("c", 1), ("d", 1)], "", "d", "abc"),
        (QueuePolicy::Disconnect, &[("a", 0), ("b", 1), ("c", 1), ("d", 1)], "", "d", "abc"),
    ];
    for (policy, parcels, driven_out, not_taken, remaining) in rows {
        let (mut queue, mut out, mut refused) = (Queue::default(), String::new(), String::new());
        let options = options(3, 1_000, policy);
        for (payload, qos) in parcels {
            let mut victims = Vec::new();
            let admission =
                queue.push(parcel(payload, *qos), &options, Waiting::UNLIMITED, |victim| {
                    victims.push(victim);
                });
            if admission == Admission::Full {
                refused.push_str(payload);
            }
            for victim in victims {
                out.push_str(std::str::from_utf8(&victim.message().unwrap().payload).unwrap());
            }
        }
        assert_eq!((out.as_str(), refused.as_str()), (driven_out, not_taken), "{parcels:?}");
        assert_eq!(rest(&mut queue).concat(), remaining, "{parcels:?}");
    }
}

#[test]
fn bytes_are_limited_as_well_as_messages() {
    let (mut queue, mut victims) = (Queue::default(), 0);
    let options = options(100, 10, QueuePolicy::DropOldest);
    for payload in ["123", "456", "12345678"] {
        // Each counts one byte of topic, too.
        assert_eq!(
            queue.push(parcel(payload, 1), &options, Waiting::UNLIMITED, |_| victims += 1),
            Admission::Queued
        );
    }
    assert_eq!((victims, queue.len()), (2, (1, 9)));
    assert_eq!(
        queue.push(parcel("1234567890", 1), &options, Waiting::UNLIMITED, |_| {}),
        Admission::Full
    );
    assert_eq!(rest(&mut queue), ["12345678"]);
    assert!(queue.0.is_none(), "an empty queue costs nothing");
}

#[test]
fn a_shared_message_drives_nothing_out() {
    let mut queue = Queue::default();
    let options = options(1, 1_000, QueuePolicy::DropOldest);
    queue.push(parcel("mine", 0), &options, Waiting::UNLIMITED, |_| {});
    let group = Arc::from("$share/g/#");
    let shared = Some(&group);
    let shared = parcel_of(parcel("shared", 2).message().unwrap(), shared);
    assert_eq!(
        queue.push(shared, &options, Waiting::UNLIMITED, |_| unreachable!("no victim")),
        Admission::Full
    );
}

/// A message that the client may have, or the half of it, is not given up because others come.
#[test]
fn what_may_have_begun_before_the_start_neither_counts_nor_goes() {
    let waiting = ["a", "b", "c"].map(|payload| parcel(payload, 1));
    let mut queue = Queue::restore(VecDeque::from(waiting), 2);
    let options = options(2, 4, QueuePolicy::DropOldest);
    assert_eq!((queue.begun(), queue.len()), (2, (1, 2)));
    let mut victims = Vec::new();
    for payload in ["d", "e", "f"] {
        let admission = queue
            .push(parcel(payload, 1), &options, Waiting::UNLIMITED, |victim| victims.push(victim));
        assert_eq!(admission, Admission::Queued);
    }
    let victims = victims.iter().map(|victim| victim.message().unwrap().payload.clone());
    assert_eq!(victims.collect::<Vec<_>>(), ["c", "d"]);
    assert_eq!((queue.begun(), queue.len()), (2, (2, 4)));
    assert_eq!(queue.front_begun().unwrap().message().unwrap().payload, "a");
    assert!(queue.pop().is_some());
    assert_eq!((queue.begun(), queue.len()), (1, (2, 4)));
    queue.count_all();
    assert_eq!((queue.begun(), queue.len()), (0, (3, 6)));
    assert!(queue.front_begun().is_none());
    assert_eq!(rest(&mut queue), ["b", "e", "f"]);
    assert!(Queue::restore(VecDeque::new(), 5).is_empty());
}
