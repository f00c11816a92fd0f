//! Topic, payload and properties that travel on are slices of the block that they came in.

use bytes::{Bytes, BytesMut};
use plexus_testkit::bytes_of;
use plexus_types::ProtocolVersion;
use plexus_wire::{Decoder, Limits, Packet, Publish};

fn lies_within(part: &[u8], block: &[u8]) -> bool {
    let (part, block) = (part.as_ptr_range(), block.as_ptr_range());
    block.start <= part.start && part.end <= block.end
}

fn publish(packet: Option<Packet>) -> Publish {
    match packet {
        Some(Packet::Publish(publish)) => publish,
        other => panic!("no PUBLISH: {other:?}"),
    }
}

const CONTIGUOUS: &str = "32 1B 0003'a/b' 0001 0C 23 0001 01 01 26 0001'k'0001'v' 'payload'";
const SCATTERED: &str = "32 1B 0003'a/b' 0001 0C 01 01 23 0001 26 0001'k'0001'v' 'payload'";

#[test]
fn a_shared_block_is_sliced_not_copied() {
    let whole = Bytes::from(bytes_of(CONTIGUOUS));
    let mut block = whole.clone();
    let mut decoder = Decoder::client(ProtocolVersion::V5, Limits::default());
    let publish = publish(decoder.decode_block(&mut block).unwrap());
    assert!(lies_within(publish.topic.as_bytes(), &whole));
    assert!(lies_within(&publish.payload, &whole));
    assert!(lies_within(publish.properties.forwarded.bytes(), &whole));
    assert_eq!(&publish.payload[..], b"payload");
}

#[test]
fn a_growing_buffer_is_sliced_not_copied() {
    let mut buffer = BytesMut::from(&bytes_of(CONTIGUOUS)[..]);
    let range = buffer.as_ptr_range();
    let mut decoder = Decoder::client(ProtocolVersion::V5, Limits::default());
    let publish = publish(decoder.decode(&mut buffer).unwrap());
    for part in [publish.topic.as_bytes(), &publish.payload] {
        let part = part.as_ptr_range();
        assert!(range.start <= part.start && part.end <= range.end);
    }
}

#[test]
fn scattered_properties_are_gathered_in_their_order() {
    let whole = Bytes::from(bytes_of(SCATTERED));
    let mut decoder = Decoder::client(ProtocolVersion::V5, Limits::default());
    let publish = publish(decoder.decode_block(&mut whole.clone()).unwrap());
    let forwarded = publish.properties.forwarded.bytes();
    assert!(!lies_within(forwarded, &whole));
    assert_eq!(forwarded[..], bytes_of("01 01 26 0001'k'0001'v'")); // [MQTT-3.3.2-18]
    assert!(lies_within(&publish.payload, &whole));
}

#[test]
fn a_decoder_is_a_few_bytes() {
    assert!(size_of::<Decoder>() <= 16);
}
