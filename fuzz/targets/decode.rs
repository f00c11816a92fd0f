//! Streams of bytes through the decoder, in every version and both roles.
//!
//! ```text
//! byte 0   bits 0–1 version, bit 2 the server sends, bit 3 the client has not sent CONNECT yet
//! byte 1   the length of the pieces in which the stream arrives; 0 for all at once
//! byte 2…  the stream
//! ```
//!
//! What has to hold: no panic; pieces, a growing buffer and a shared block give the same packets and
//! the same error; a packet that was read can be written, in the announced length, and reads the
//! same again; written a second time it is the same bytes.

#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use plexus_testkit::build;
use plexus_types::{MessageProperties, ProtocolVersion, TopicFilter};
use plexus_wire::{
    Decoder, Limits, Packet, ProtocolError, encode, encoded_len, property::message_properties,
};

fuzz_target!(|input: &[u8]| {
    let [mode, piece, stream @ ..] = input else { return };
    let fresh = decoder(*mode);
    let (packets, error) = read_block(fresh.clone(), stream);
    assert_eq!(read_buffer(fresh.clone(), stream, stream.len()), (packets.clone(), error));
    if *piece > 0 {
        let pieces = read_buffer(fresh.clone(), stream, usize::from(*piece));
        assert_eq!(pieces, (packets.clone(), error), "in pieces");
    }
    let mut version = fresh.version();
    for packet in &packets {
        if let Packet::Connect(connect) = packet {
            version = connect.version;
        }
        check_written(packet, version, *mode & 0b100 != 0);
        check_parts(packet);
    }
});

fn decoder(mode: u8) -> Decoder {
    let version = [ProtocolVersion::V31, ProtocolVersion::V311, ProtocolVersion::V5]
        [usize::from(mode & 0b11) % 3];
    let limits = Limits { packet_size: 100_000, user_properties: 20, filters: 20 };
    if mode & 0b100 != 0 {
        return Decoder::client(version, limits);
    }
    let mut decoder = Decoder::server(limits);
    if mode & 0b1000 == 0 {
        let connect = Packet::Connect(Box::new(build::connect(version, "")));
        let mut buffer = BytesMut::new();
        encode(&connect, version, &mut buffer).expect("CONNECT can be said");
        decoder.decode(&mut buffer).expect("CONNECT is valid");
    }
    decoder
}

type Read = (Vec<Packet>, Option<ProtocolError>);

fn read_block(mut decoder: Decoder, stream: &[u8]) -> Read {
    let mut block = Bytes::copy_from_slice(stream);
    let mut packets = Vec::new();
    loop {
        match decoder.decode_block(&mut block) {
            Ok(Some(packet)) => packets.push(packet),
            Ok(None) => return (packets, None),
            Err(error) => return (packets, Some(error)),
        }
    }
}

fn read_buffer(mut decoder: Decoder, stream: &[u8], piece: usize) -> Read {
    let mut buffer = BytesMut::new();
    let mut packets = Vec::new();
    for piece in stream.chunks(piece.max(1)) {
        buffer.extend_from_slice(piece);
        loop {
            let needed = decoder.needed(&buffer);
            match decoder.decode(&mut buffer) {
                Ok(Some(packet)) => packets.push(packet),
                Ok(None) => {
                    assert!(needed.expect("no error").is_none_or(|needed| needed > buffer.len()));
                    break;
                }
                Err(error) => return (packets, Some(error)),
            }
        }
    }
    (packets, None)
}

fn check_written(packet: &Packet, version: ProtocolVersion, from_server: bool) {
    let mut written = BytesMut::new();
    encode(packet, version, &mut written).expect("what was read can be said");
    assert_eq!(written.len(), encoded_len(packet, version));
    let first = written.clone();
    let mut reader = if from_server {
        Decoder::client(version, Limits::default())
    } else {
        Decoder::server(Limits::default())
    };
    if !from_server && !matches!(packet, Packet::Connect(_)) {
        let connect = Packet::Connect(Box::new(build::connect(version, "")));
        let mut buffer = BytesMut::new();
        encode(&connect, version, &mut buffer).expect("CONNECT can be said");
        reader.decode(&mut buffer).expect("CONNECT is valid");
    }
    let again = reader.decode(&mut written).expect("what was written is valid");
    let again = again.expect("and whole");
    assert_eq!(&again, packet);
    let mut second = BytesMut::new();
    encode(&again, version, &mut second).expect("said once, said twice");
    assert_eq!(first, second);
}

/// What is kept as checked bytes can be walked to its end.
fn check_parts(packet: &Packet) {
    match packet {
        Packet::Publish(publish) => walk(&publish.properties.forwarded),
        Packet::Connect(connect) => {
            assert_eq!(connect.properties.user_properties.is_empty(), {
                connect.properties.user_properties.iter().next().is_none()
            });
            if let Some(will) = &connect.will {
                walk(&will.properties);
            }
        }
        Packet::Subscribe(subscribe) => {
            for filter in &subscribe.filters {
                let _ = TopicFilter::new(filter.filter.clone());
            }
        }
        _ => {}
    }
}

fn walk(properties: &MessageProperties) {
    use plexus_wire::property::MessageProperty::{
        ContentType, CorrelationData, PayloadFormat, ResponseTopic, User,
    };
    let walked: usize = message_properties(properties)
        .map(|property| match property {
            PayloadFormat(_) => 2,
            ContentType(text) => 3 + text.as_bytes().len(),
            ResponseTopic(topic) => 3 + topic.len(),
            CorrelationData(data) => 3 + data.len(),
            User(name, value) => 5 + name.as_bytes().len() + value.as_bytes().len(),
        })
        .sum();
    assert_eq!(walked, properties.bytes().len());
}
