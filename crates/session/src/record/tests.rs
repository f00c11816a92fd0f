use std::collections::VecDeque;

use bytes::Bytes;
use plexus_types::{
    ClientId, Durability, Instant, Message, MessageId, MessageProperties, PacketId,
    ProtocolVersion, Qos, TopicFilter, TopicName,
};
use plexus_wire::{RetainHandling, SubscriptionOptions};

use crate::{Change, Entry, Extras, Given, Held, Image, RecordError, Sequence, WillImage};

fn held(filter: &str, id: Option<u32>) -> Held {
    let options = SubscriptionOptions {
        qos: Qos::ExactlyOnce,
        no_local: true,
        retain_as_published: true,
        retain_handling: RetainHandling::Never,
    };
    Held { filter: TopicFilter::try_from(filter).unwrap(), options, id }
}

fn entry(sequence: u32, ids: &[u32]) -> Entry {
    Entry {
        sequence: Sequence::new(sequence),
        message: MessageId::new(u64::MAX),
        size: (1 << 28) - 1,
        since: 0,
        qos: Qos::AtLeastOnce,
        retain: true,
        released: !ids.is_empty(),
        extras: Extras::new(ids, ids.first().map(|id| format!("$share/g{id}/+").into())),
    }
}

fn will() -> WillImage {
    let message = Message {
        id: MessageId::NONE,
        topic: TopicName::try_from("last/words").unwrap(),
        payload: Bytes::from_static(b"\0\xff"),
        qos: Qos::ExactlyOnce,
        retain: true,
        properties: MessageProperties::from_checked(Bytes::from_static(&[1, 1])),
        expires: None,
        durability: Durability::default(),
        publisher: ClientId::try_from("p").unwrap(),
    };
    WillImage { message, delay: u32::MAX, lifetime: Some(7) }
}

fn changes() -> Vec<Change> {
    let id = |number| PacketId::new(number).unwrap();
    let sequence = Sequence::new(4_000_000_000);
    let image = Image {
        client_id: ClientId::try_from("клиент").unwrap(),
        user_name: Some("ann".into()),
        version: ProtocolVersion::V311,
        expiry: u32::MAX,
        away_since: Some(Instant::from_millis(1_795_000_000_123)),
        unsent: Some(Sequence::new(3_999_999_990)),
        next: sequence,
        will: Some(Box::new(will())),
        subscriptions: vec![held("a/+/#", Some(268_435_455)), held("$share/g/t", None)],
        accepted: vec![id(1), id(65_535)],
        entries: [
            Entry { since: 1_795_000_000, ..entry(0, &[]) },
            Entry { since: 1_795_000_007, ..entry(1, &[1, 2, 3]) },
        ]
        .into(),
    };
    let bare = Image {
        user_name: None,
        away_since: None,
        unsent: None,
        will: None,
        subscriptions: vec![],
        accepted: vec![],
        entries: VecDeque::new(),
        ..image.clone()
    };
    vec![
        Change::Image(Box::new(image)),
        Change::Image(Box::new(bare)),
        Change::Attached(60, ProtocolVersion::V31),
        Change::Away,
        Change::Expiry(0),
        Change::Subscribed(held("x", None)),
        Change::Unsubscribed(TopicFilter::try_from("x/#").unwrap()),
        Change::Queued(entry(9, &[5]), None),
        Change::Dropped(sequence, MessageId::NONE),
        Change::Received(sequence, MessageId::NONE),
        Change::Completed(sequence, MessageId::NONE),
        Change::Accepted(id(7)),
        Change::Released(id(7)),
        Change::Will(Some(Box::new(will()))),
        Change::Will(None),
        Change::Ended(vec![]),
    ]
}

fn encoded(change: &Change) -> Vec<u8> {
    let mut bytes = Vec::new();
    change.encode(&mut bytes);
    bytes
}

#[test]
fn what_is_written_is_read() {
    for change in changes() {
        assert_eq!(Change::decode(&encoded(&change)).as_ref(), Ok(&change));
    }
}

#[test]
fn a_record_that_is_cut_or_followed_is_refused() {
    for change in changes() {
        let bytes = encoded(&change);
        for length in 0..bytes.len() {
            assert!(Change::decode(&bytes[..length]).is_err(), "{change:?} cut to {length}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(Change::decode(&longer), Err(RecordError::Long(1)), "{change:?}");
    }
}

#[test]
fn hostile_bytes_are_errors() {
    assert_eq!(Change::decode(&[]), Err(RecordError::Short));
    assert_eq!(Change::decode(&[0xee]), Err(RecordError::Kind(0xee)));
    assert_eq!(Change::decode(&[0x0b, 0]), Err(RecordError::Field("packet identifier")));
    let endless = [&[0x04][..], &[0xff; 11]].concat();
    assert_eq!(Change::decode(&endless), Err(RecordError::Field("number")));
    // A text of 2^63 bytes.
    let huge = [0x06, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    assert_eq!(Change::decode(&huge), Err(RecordError::Short));
}

/// What is written most must be short.
#[test]
fn the_records_of_a_delivery_are_a_few_bytes() {
    let short = Entry {
        sequence: Sequence::new(1_000),
        message: MessageId::new(1_000_000),
        size: 256,
        since: 1_795_000_000,
        qos: Qos::AtLeastOnce,
        retain: false,
        released: false,
        extras: Extras::default(),
    };
    let record = encoded(&Change::Queued(short, None));
    assert_eq!(record.len(), 9);
    let message = MessageId::new(1_000_000);
    assert_eq!(Change::queued(&record), Some(Given { message, retain: false, group: None }));
    assert_eq!(Change::queued(&record[..4]), None);
    assert_eq!(Change::queued(&encoded(&Change::Away)), None);
    let record = encoded(&Change::Queued(entry(1, &[7]), None));
    let message = MessageId::new(u64::MAX);
    let given = Given { message, retain: true, group: Some("$share/g7/+") };
    assert_eq!(Change::queued(&record), Some(given));
    assert_eq!(encoded(&Change::Completed(Sequence::new(1_000), MessageId::NONE)).len(), 3);
}
