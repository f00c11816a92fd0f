use plexus_types::TenantName;
use proptest::prelude::*;

use super::*;

const CLOCK: ClockMap = ClockMap { unix_millis_at_zero: 1_700_000_000_000 };

fn content(message: &Message) -> Bytes {
    let mut out = b"before".to_vec();
    put(&mut out, message, CLOCK);
    assert_eq!(out.len() - 6, content_bytes(message, CLOCK));
    Bytes::from(out).slice(6..)
}

#[test]
fn the_clock_maps_there_and_back() {
    assert_eq!(CLOCK.to_unix(Instant::from_secs(2)), 1_700_000_002_000);
    assert_eq!(CLOCK.to_instant(1_700_000_002_000), Instant::from_secs(2));
    assert_eq!(CLOCK.to_instant(5), Instant::ZERO, "what expired before the start has expired");
    // The far future is later than any clock reaches, before and after.
    assert!(CLOCK.to_instant(CLOCK.to_unix(Instant::FAR_FUTURE)) > Instant::from_secs(1 << 33));
}

fn message() -> impl Strategy<Value = Message> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..300);
    ("[a-zé/]{1,40}", bytes(), 0..3_u8, any::<bool>(), bytes(), any::<Option<u32>>(), "[a-z]{0,9}")
        .prop_map(|(topic, payload, qos, retain, properties, expires, publisher)| Message {
            id: MessageId::new(payload.len() as u64 + 1),
            topic: TopicName::try_from(topic.as_str()).unwrap(),
            payload: Bytes::from(payload),
            qos: Qos::new(qos).unwrap(),
            retain,
            properties: MessageProperties::from_checked(Bytes::from(properties)),
            expires: expires.map(|secs| Instant::from_secs(u64::from(secs))),
            durability: Durability::default(),
            publisher: ClientId::try_from(publisher.as_str()).unwrap(),
        })
}

/// The same of a tenant's client.
fn of_tenant() -> impl Strategy<Value = Message> {
    (message(), "[A-Za-z0-9_-]{1,64}").prop_map(|(message, name)| {
        let tenant = TenantName::try_from(name.as_str()).unwrap();
        let (topic, publisher) = (tenant.topic(&message.topic), tenant.client(&message.publisher));
        Message { topic, publisher, ..message }
    })
}

proptest! {
    #[test]
    fn a_message_comes_back_and_a_bent_one_does_not(
        message in prop_oneof![message(), of_tenant()],
        bend: prop::sample::Index,
        bit in 0..8_u8,
    ) {
        let content = content(&message);
        let stored = StoredMessage::decode(message.id, &content).unwrap();
        prop_assert_eq!(&stored.into_message(&CLOCK), &message);
        prop_assert!(StoredMessage::decode(MessageId::new(9_999), &content).is_err());
        let mut bent = content.to_vec();
        bent[bend.index(content.len())] ^= 1 << bit;
        prop_assert!(StoredMessage::decode(message.id, &Bytes::from(bent)).is_err());
        let cut = content.slice(..bend.index(content.len()));
        prop_assert!(StoredMessage::decode(message.id, &cut).is_err());
    }
}
