//! Input that wants to break the reader: it ends in a packet or in an error, never in a panic.

use bytes::Bytes;
use plexus_testkit::{Row, build, packet_table};
use plexus_wire::{Decoder, Limits};
use proptest::{collection::vec, prelude::*};

/// Reads to the end, an error, or a packet that is not whole.
fn drain(mut decoder: Decoder, bytes: Vec<u8>) {
    let mut block = Bytes::from(bytes);
    while let Ok(Some(_)) = decoder.decode_block(&mut block) {}
}

fn each_version(check: impl Fn(&Row, Decoder)) {
    for row in packet_table() {
        for version in row.versions {
            check(&row, row.decoder(*version));
        }
    }
}

#[test]
fn every_change_of_one_byte_ends_in_a_packet_or_an_error() {
    each_version(|row, decoder| {
        for at in 0..row.bytes.len() {
            for value in 0..=u8::MAX {
                let mut bytes = row.bytes.clone();
                bytes[at] = value;
                drain(decoder.clone(), bytes);
            }
        }
    });
}

#[test]
fn every_missing_byte_ends_in_a_packet_or_an_error() {
    each_version(|row, decoder| {
        for at in 0..row.bytes.len() {
            let mut bytes = row.bytes.clone();
            bytes.remove(at);
            bytes.push(0);
            drain(decoder.clone(), bytes);
        }
    });
}

proptest! {
    #[test]
    fn noise_ends_in_a_packet_or_an_error(bytes in vec(any::<u8>(), 0..200), connect: bool) {
        for version in build::VERSIONS {
            drain(Decoder::client(*version, Limits::default()), bytes.clone());
        }
        let mut noise = bytes;
        if connect && !noise.is_empty() {
            noise[0] = 0x10;
        }
        drain(Decoder::server(Limits::default()), noise);
    }
}
