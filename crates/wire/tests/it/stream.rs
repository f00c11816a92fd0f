//! Properties over drawn packets: what is written is read again, however the stream is cut.

use bytes::{Bytes, BytesMut};
use plexus_testkit::{Sender, any_packet, build};
use plexus_types::ProtocolVersion;
use plexus_wire::{Decoder, Limits, Packet, encode, encoded_len};
use proptest::{collection::vec, prelude::*, sample::select};

/// A version, a sender, and packets that it may send after its CONNECT.
fn streams() -> impl Strategy<Value = (ProtocolVersion, Sender, Vec<Packet>)> {
    let versions = select(build::VERSIONS);
    let senders = select(&[Sender::Client, Sender::Server][..]);
    (versions, senders).prop_flat_map(|(version, sender)| {
        let packets = vec(any_packet(sender, version), 1..6);
        (Just(version), Just(sender), packets).prop_map(ordered)
    })
}

type Stream = (ProtocolVersion, Sender, Vec<Packet>);

/// Puts a CONNECT in front of what a client sends and nowhere else.
fn ordered((version, sender, mut packets): Stream) -> Stream {
    if sender == Sender::Client {
        let first = packets.iter().position(|packet| matches!(packet, Packet::Connect(_)));
        let connect = match first {
            Some(index) => packets.swap_remove(index),
            None => Packet::Connect(Box::new(build::connect(version, "c"))),
        };
        packets.retain(|packet| !matches!(packet, Packet::Connect(_)));
        packets.insert(0, connect);
    }
    (version, sender, packets)
}

fn decoder(sender: Sender, version: ProtocolVersion) -> Decoder {
    match sender {
        Sender::Server => Decoder::client(version, Limits::default()),
        Sender::Stranger | Sender::Client => Decoder::server(Limits::default()),
    }
}

fn written(packets: &[Packet], version: ProtocolVersion) -> BytesMut {
    let mut buffer = BytesMut::new();
    for packet in packets {
        let before = buffer.len();
        encode(packet, version, &mut buffer).expect("a drawn packet can be said");
        assert_eq!(buffer.len() - before, encoded_len(packet, version));
    }
    buffer
}

proptest! {
    #[test]
    fn what_is_written_is_read_again((version, sender, packets) in streams()) {
        let mut buffer = written(&packets, version);
        let mut block = buffer.clone().freeze();
        let (mut one, mut other) = (decoder(sender, version), decoder(sender, version));
        for packet in packets {
            prop_assert_eq!(one.decode(&mut buffer), Ok(Some(packet.clone())));
            prop_assert_eq!(other.decode_block(&mut block), Ok(Some(packet)));
        }
        prop_assert_eq!(one.decode(&mut buffer), Ok(None));
        prop_assert!(buffer.is_empty() && block.is_empty());
        prop_assert_eq!(one.version(), version);
    }

    #[test]
    fn any_split_of_the_stream_gives_the_same_packets(
        (version, sender, packets) in streams(),
        pieces in vec(1..30usize, 1..20),
    ) {
        let stream = written(&packets, version).freeze();
        let mut decoder = decoder(sender, version);
        let (mut buffer, mut seen, mut at) = (BytesMut::new(), Vec::new(), 0);
        for piece in pieces.iter().cycle() {
            let end = stream.len().min(at + piece);
            buffer.extend_from_slice(&stream[at..end]);
            at = end;
            while let Some(packet) = decoder.decode(&mut buffer).unwrap() {
                seen.push(packet);
            }
            if at == stream.len() {
                break;
            }
        }
        prop_assert_eq!(seen, packets);
    }

    #[test]
    fn a_packet_cut_short_is_waited_for((version, sender, packets) in streams()) {
        let last = packets.last().unwrap().clone();
        let mut decoder = decoder(sender, version);
        let mut stream = written(&packets, version).freeze();
        for _ in 1..packets.len() {
            decoder.decode_block(&mut stream).unwrap();
        }
        for length in 0..stream.len() {
            let mut block = stream.slice(..length);
            prop_assert_eq!(decoder.clone().decode_block(&mut block), Ok(None));
            prop_assert_eq!(block.len(), length);
        }
        prop_assert_eq!(decoder.decode_block(&mut stream), Ok(Some(last)));
    }

    #[test]
    fn a_packet_says_the_same_after_reading_and_writing_again(
        (version, sender, packets) in streams(),
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut bytes = written(&packets, version).to_vec();
        for (index, value) in flips {
            let at = index.index(bytes.len());
            bytes[at] = value;
        }
        let (mut block, mut decoder) = (Bytes::from(bytes), decoder(sender, version));
        while let Ok(Some(packet)) = decoder.decode_block(&mut block) {
            let version = decoder.version();
            let mut again = BytesMut::new();
            encode(&packet, version, &mut again).unwrap();
            prop_assert_eq!(again.len(), encoded_len(&packet, version));
            let mut reader = match (&packet, sender) {
                (Packet::Connect(_), _) => Decoder::server(Limits::default()),
                _ => decoder.clone(),
            };
            prop_assert_eq!(reader.decode(&mut again), Ok(Some(packet)));
        }
    }
}
