//! A delivery from the shared message is the same bytes as the packet that it stands for.

use bytes::{Bytes, BytesMut};
use plexus_testkit::{Sender, any_packet, any_topic, build};
use plexus_types::{ClientId, Durability, Message, MessageId, ProtocolVersion, TopicName};
use plexus_wire::{
    Packet, Publish, PublishHead, encode, encode_publish, encode_publish_head, encoded_len,
    publish_len,
};
use proptest::{prelude::*, sample::select};

fn deliveries() -> impl Strategy<Value = (ProtocolVersion, Publish, TopicName)> {
    let versions = select(build::VERSIONS);
    versions.prop_flat_map(|version| {
        let publish =
            any_packet(Sender::Server, version).prop_filter_map("PUBLISH", |packet| match packet {
                Packet::Publish(publish) => Some(publish),
                _ => None,
            });
        (Just(version), publish, any_topic())
    })
}

proptest! {
    #[test]
    fn a_delivery_is_written_like_its_packet((version, publish, hidden) in deliveries()) {
        let topic = TopicName::new(publish.topic.clone()).ok();
        let message = Message {
            id: MessageId::NONE,
            topic: topic.clone().unwrap_or(hidden),
            payload: publish.payload.clone(),
            qos: publish.qos,
            retain: publish.retain,
            properties: publish.properties.forwarded.clone(),
            expires: None,
            durability: Durability::default(),
            publisher: ClientId::try_from("p").unwrap(),
        };
        let head = PublishHead {
            dup: publish.dup,
            qos: publish.qos,
            retain: publish.retain,
            packet_id: publish.packet_id,
            topic: topic.as_ref(),
            topic_alias: publish.properties.topic_alias,
            message_expiry_interval: publish.properties.message_expiry_interval,
            subscription_ids: &publish.properties.subscription_ids,
        };
        let packet = Packet::Publish(publish.clone());
        let mut expected = BytesMut::new();
        encode(&packet, version, &mut expected).unwrap();
        let mut whole = BytesMut::new();
        encode_publish(&head, &message, version, &mut whole);
        prop_assert_eq!(&whole, &expected);
        prop_assert_eq!(publish_len(&head, &message, version), expected.len());
        prop_assert_eq!(encoded_len(&packet, version), expected.len());
        let mut split = BytesMut::new();
        encode_publish_head(&head, &message, version, &mut split);
        prop_assert_eq!([split.freeze(), message.payload].concat(), Bytes::from(expected));
    }
}
