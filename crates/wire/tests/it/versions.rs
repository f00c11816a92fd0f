//! How a refused CONNECT is answered, and what reason codes become in 3.x.

use bytes::{Bytes, BytesMut};
use plexus_testkit::bytes_of;
use plexus_types::{ProtocolVersion, ReasonCode};
use plexus_wire::{
    Decoder, Disconnect, Limits, Packet, ProtocolError, SubAck, UserProperties, encode,
    reason_of_return_code, return_code,
};

/// What these first bytes, which are no valid CONNECT, are answered.
fn answer(connect: &str) -> Option<Vec<u8>> {
    let mut decoder = Decoder::server(Limits::default());
    let mut block = Bytes::from(bytes_of(connect));
    let error = decoder.decode_block(&mut block).expect_err("refused");
    decoder.refusal(&error).map(|packet| written(&packet, decoder.version()))
}

fn written(packet: &Packet, version: ProtocolVersion) -> Vec<u8> {
    let mut buffer = BytesMut::new();
    encode(packet, version, &mut buffer).expect("can be said");
    buffer.to_vec()
}

#[test]
fn an_unknown_level_is_answered_in_the_nearest_version() {
    let old = Some(bytes_of("20 02 00 01")); // [MQTT3-3.1.2-2] [MQTT3-3.2.2-4]
    assert_eq!(answer("10 0C 0004'MQTT' 02 02 003C 0000"), old);
    assert_eq!(answer("10 0C 0004'MQTT' 83 02 003C 0000"), old);
    assert_eq!(answer("10 0E 0006'MQIsdp' 07 02 003C 0000"), old);
    let new = Some(bytes_of("20 03 00 84 00")); // [MQTT-3.1.2-2] [MQTT-3.2.2-6]
    assert_eq!(answer("10 0D 0004'MQTT' 06 02 003C 00 0000"), new);
    assert_eq!(answer("10 0D 0004'MQTT' 7F 02 003C 00 0000"), new);
}

#[test]
fn a_fault_of_a_connect_is_answered_in_5_and_closes_in_silence_before() {
    let reserved_flag = "10 0D 0004'MQTT' 05 03 003C 00 0000";
    assert_eq!(answer(reserved_flag), Some(bytes_of("20 03 00 81 00")));
    assert_eq!(answer("10 08 0004'MQTT' 05 02"), Some(bytes_of("20 03 00 81 00")));
    // [MQTT3-3.1.4-1] [MQTT3-3.2.2-6]
    assert_eq!(answer("10 0C 0004'MQTT' 04 03 003C 0000"), None);
    assert_eq!(answer("10 0D 0006'MQIsdp' 03 02 003C 00"), None);
    // Who has not said a version cannot be answered in one.
    assert_eq!(answer("10 06 0004'MQTT'"), None);
    assert_eq!(answer("10 FF FF FF 7F"), None);
    assert_eq!(answer("C0 00"), None);
}

#[test]
fn who_is_connected_is_answered_with_no_connack() {
    let mut decoder = Decoder::server(Limits::default());
    let mut block = Bytes::from(bytes_of("10 0D 0004'MQTT' 05 02 003C 00 0000 C1 00"));
    assert!(matches!(decoder.decode_block(&mut block), Ok(Some(Packet::Connect(_)))));
    assert_eq!(decoder.decode_block(&mut block), Err(ProtocolError::ReservedFlags));
    assert_eq!(decoder.refusal(&ProtocolError::ReservedFlags), None);
}

#[test]
fn every_reason_has_a_return_code_and_the_codes_come_back() {
    for reason in ReasonCode::ALL {
        let code = return_code(*reason);
        assert_eq!(code == 0, !reason.is_error(), "{reason}");
        assert!(reason_of_return_code(code).is_some(), "{reason}");
    }
    for code in 0..=u8::MAX {
        match reason_of_return_code(code) {
            Some(reason) => assert_eq!(return_code(reason), code),
            None => assert!(code > 5),
        }
    }
}

#[test]
fn every_failure_of_a_filter_is_0x80_before_5() {
    let suback = SubAck {
        packet_id: plexus_testkit::build::packet_id(1),
        reasons: ReasonCode::ALL.to_vec(),
        reason_string: None,
        user_properties: UserProperties::default(),
    };
    let packet = Packet::SubAck(Box::new(suback));
    for version in [ProtocolVersion::V31, ProtocolVersion::V311] {
        let bytes = written(&packet, version);
        assert_eq!(bytes[4..7], [0, 1, 2]); // [MQTT3-3.9.3-2]
        assert!(bytes[7..].iter().all(|code| *code == 0x80));
        assert_eq!(bytes.len(), 4 + ReasonCode::ALL.len());
    }
}

#[test]
fn what_3_x_cannot_say_is_left_out() {
    let disconnect = Packet::Disconnect(Box::new(Disconnect::new(ReasonCode::ServerBusy)));
    assert_eq!(written(&disconnect, ProtocolVersion::V311), [0xE0, 0]);
    assert_eq!(written(&disconnect, ProtocolVersion::V5), [0xE0, 1, 0x89]);
}
