//! Every limit is checked before anything is allocated or waited for.

use bytes::{Bytes, BytesMut};
use plexus_testkit::{build, bytes_of};
use plexus_types::{MessageProperties, ProtocolVersion, Qos, ReasonCode};
use plexus_wire::{
    Auth, Connect, Decoder, EncodeError, FIRST_PACKET_SIZE_MAX, Limits, PACKET_SIZE_MAX, Packet,
    ProtocolError, Publish, PublishProperties, UserProperties, encode, encoded_len,
};

const V5: ProtocolVersion = ProtocolVersion::V5;

fn limits(user_properties: u16, filters: u16) -> Limits {
    Limits { packet_size: 1_000, user_properties, filters }
}

fn connected(limits: Limits) -> Decoder {
    let mut decoder = Decoder::server(limits);
    let mut connect = Bytes::from(bytes_of("10 0D 0004'MQTT' 05 02 003C 00 0000"));
    let connect = decoder.decode_block(&mut connect);
    assert!(matches!(connect, Ok(Some(Packet::Connect(_)))), "{connect:?}");
    decoder
}

fn decode(decoder: &mut Decoder, bytes: Vec<u8>) -> Result<Option<Packet>, ProtocolError> {
    decoder.decode_block(&mut Bytes::from(bytes))
}

#[test]
fn the_packet_size_counts_the_fixed_header() {
    let mut decoder = connected(limits(0, 0));
    decoder.set_packet_size(10); // [MQTT-3.2.2-15]
    assert_eq!(decoder.needed(&[0x30, 8]), Ok(Some(10)));
    assert_eq!(decoder.needed(&[0x30, 9]), Err(ProtocolError::PacketTooLarge));
    decoder.set_packet_size(u32::MAX);
    assert_eq!(decoder.needed(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F]), Ok(Some(268_435_460)));
    assert_eq!(ProtocolError::PacketTooLarge.reason_code(), ReasonCode::PacketTooLarge);
}

#[test]
fn a_first_packet_has_a_limit_of_its_own_and_the_next_ones_do_not() {
    let large = Limits { packet_size: u32::MAX, ..Limits::default() };
    let stranger = Decoder::server(large);
    // 330,000 bytes in all: four of them are the fixed header.
    assert_eq!(stranger.needed(&[0x10, 0x8C, 0x92, 0x14]), Ok(Some(FIRST_PACKET_SIZE_MAX)));
    assert_eq!(stranger.needed(&[0x10, 0x8D, 0x92, 0x14]), Err(ProtocolError::PacketTooLarge));
    assert_eq!(connected(large).needed(&[0x30, 0x8D, 0x92, 0x14]), Ok(Some(330_001)));
    let small = Decoder::server(limits(0, 0));
    assert_eq!(small.needed(&[0x10, 0xE6, 0x07]), Err(ProtocolError::PacketTooLarge));
}

#[test]
fn the_largest_connect_of_the_specification_fits_the_first_packet() {
    let longest = "x".repeat(65_535);
    let mut connect = Connect {
        user_name: Some(build::text(&longest)),
        password: Some(Bytes::from(vec![0; 65_535])),
        ..build::connect(ProtocolVersion::V311, &longest)
    };
    connect.will = Some(plexus_wire::Will {
        topic: build::topic(&longest),
        payload: Bytes::from(vec![0; 65_535]),
        qos: Qos::AtMostOnce,
        retain: false,
        delay_interval: 0,
        message_expiry_interval: None,
        properties: MessageProperties::default(),
    });
    let packet = Packet::Connect(Box::new(connect));
    let mut buffer = BytesMut::new();
    encode(&packet, ProtocolVersion::V311, &mut buffer).unwrap();
    assert_eq!(Decoder::server(Limits::default()).decode(&mut buffer), Ok(Some(packet)));
}

#[test]
fn user_properties_are_counted_before_they_are_kept() {
    let publish = bytes_of("30 0E 0001't' 0A 26 0000 0000 26 0000 0000");
    let one = decode(&mut connected(limits(1, 0)), publish.clone());
    assert_eq!(one, Err(ProtocolError::TooManyUserProperties));
    assert_eq!(ProtocolError::TooManyUserProperties.reason_code(), ReasonCode::QuotaExceeded);
    let two = decode(&mut connected(limits(2, 0)), publish);
    assert!(matches!(two, Ok(Some(Packet::Publish(_)))), "{two:?}");
    let connect = bytes_of("10 12 0004'MQTT' 05 02 003C 05 26 0000 0000 0000");
    let none = decode(&mut Decoder::server(limits(0, 0)), connect);
    assert_eq!(none, Err(ProtocolError::TooManyUserProperties));
}

#[test]
fn filters_are_counted_before_they_are_kept() {
    let subscribe = bytes_of("82 0B 0001 00 0001'a' 00 0001'b' 00");
    let unsubscribe = bytes_of("A2 09 0001 00 0001'a' 0001'b'");
    for bytes in [subscribe, unsubscribe] {
        let one = decode(&mut connected(limits(0, 1)), bytes.clone());
        assert_eq!(one, Err(ProtocolError::TooManyFilters));
        let two = decode(&mut connected(limits(0, 2)), bytes);
        assert!(matches!(two, Ok(Some(_))), "{two:?}");
    }
}

#[test]
fn what_cannot_be_said_is_refused_and_nothing_is_written() {
    let mut buffer = BytesMut::new();
    let long = Connect { password: Some(Bytes::from(vec![0; 65_536])), ..build::connect(V5, "") };
    let auth = Auth {
        reason: ReasonCode::Success,
        authentication_method: None,
        authentication_data: None,
        reason_string: None,
        user_properties: UserProperties::default(),
    };
    let without = Publish { qos: Qos::AtLeastOnce, ..build::publish("t", 0, b"") };
    let with = Publish { qos: Qos::AtMostOnce, ..build::publish("t", 1, b"") };
    for (packet, version, error) in [
        (Packet::Connect(Box::new(long)), V5, EncodeError::FieldTooLong),
        (Packet::Auth(Box::new(auth)), ProtocolVersion::V311, EncodeError::NotInVersion),
        (Packet::Publish(without), V5, EncodeError::PacketId),
        (Packet::Publish(with), ProtocolVersion::V31, EncodeError::PacketId), // [MQTT-2.2.1-2]
    ] {
        assert_eq!(encode(&packet, version, &mut buffer), Err(error));
        assert!(buffer.is_empty());
    }
}

#[test]
fn a_packet_above_the_largest_remaining_length_is_refused() {
    let mut buffer = BytesMut::new();
    // Zeroed memory that is only counted, never touched.
    let payload = Bytes::from(vec![0; 268_435_455 - 3]);
    let fits = Publish { payload: payload.slice(1..), ..build::publish("t", 0, b"") };
    assert_eq!(encoded_len(&Packet::Publish(fits), V5), PACKET_SIZE_MAX);
    let properties = PublishProperties { topic_alias: Some(1), ..PublishProperties::default() };
    let above = Publish { payload, properties, ..build::publish("t", 0, b"") };
    let above = Packet::Publish(above);
    assert_eq!(encode(&above, V5, &mut buffer), Err(EncodeError::PacketTooLarge));
    assert!(buffer.is_empty() && encoded_len(&above, V5) > PACKET_SIZE_MAX);
}
