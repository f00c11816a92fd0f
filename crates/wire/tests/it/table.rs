//! The packet table, both ways.

use bytes::{Bytes, BytesMut};
use plexus_testkit::{Outcome, Row, packet_table};
use plexus_types::ProtocolVersion;
use plexus_wire::{Packet, ProtocolError, encode, encoded_len};

fn each(mut check: impl FnMut(&Row, ProtocolVersion)) {
    let table = packet_table();
    assert!(table.len() > 250, "the table has {} rows", table.len());
    for row in &table {
        for version in row.versions {
            check(row, *version);
        }
    }
}

fn context(row: &Row, version: ProtocolVersion) -> String {
    format!("{version:?} {:?} {} {:02X?}", row.sender, row.clauses, row.bytes)
}

fn expected(row: &Row) -> Result<Option<Packet>, ProtocolError> {
    match &row.outcome {
        Outcome::Packet(packet) | Outcome::Accepted(packet) => Ok(Some(packet.clone())),
        Outcome::Refused(error) => Err(*error),
    }
}

#[test]
fn bytes_are_the_packet_or_the_fault_that_the_table_says() {
    let mut wrong = Vec::new();
    each(|row, version| {
        let mut buffer = BytesMut::from(&row.bytes[..]);
        let decoded = row.decoder(version).decode(&mut buffer);
        if decoded != expected(row) || (decoded.is_ok() && !buffer.is_empty()) {
            wrong.push(format!("{}\n  gives {decoded:?}\n", context(row, version)));
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

#[test]
fn a_shared_block_decodes_alike_and_keeps_what_follows() {
    each(|row, version| {
        if matches!(row.outcome, Outcome::Refused(_)) {
            let mut block = Bytes::from(row.bytes.clone());
            let decoded = row.decoder(version).decode_block(&mut block);
            assert_eq!(decoded, expected(row), "{}", context(row, version));
            return;
        }
        let mut block = Bytes::from([&row.bytes[..], &[0xC0, 0x00]].concat());
        let decoded = row.decoder(version).decode_block(&mut block);
        assert_eq!(decoded, expected(row), "{}", context(row, version));
        assert_eq!(&block[..], [0xC0, 0x00], "{}", context(row, version));
    });
}

#[test]
fn a_packet_is_written_as_the_table_says() {
    each(|row, version| {
        let (Outcome::Packet(packet) | Outcome::Accepted(packet)) = &row.outcome else { return };
        let mut buffer = BytesMut::from(&b"before"[..]);
        encode(packet, version, &mut buffer).unwrap();
        let written = buffer.split_off(6);
        assert_eq!(&buffer[..], b"before");
        assert_eq!(written.len(), encoded_len(packet, version), "{}", context(row, version));
        if matches!(row.outcome, Outcome::Packet(_)) {
            assert_eq!(written, row.bytes, "{}", context(row, version));
        }
    });
}

#[test]
fn a_packet_cut_short_anywhere_waits_for_the_rest_untouched() {
    each(|row, version| {
        if matches!(row.outcome, Outcome::Refused(_)) {
            return;
        }
        for length in 0..row.bytes.len() {
            let mut buffer = BytesMut::from(&row.bytes[..length]);
            let mut decoder = row.decoder(version);
            assert_eq!(decoder.decode(&mut buffer), Ok(None), "{length} {}", context(row, version));
            assert_eq!(buffer, row.bytes[..length], "{}", context(row, version));
            let mut block = buffer.freeze();
            assert_eq!(decoder.decode_block(&mut block), Ok(None), "{}", context(row, version));
            let needed = decoder.needed(&block).unwrap();
            assert!(
                needed.is_none_or(|needed| needed == row.bytes.len()),
                "{}",
                context(row, version)
            );
            assert!(needed.is_some() || length < 5, "{}", context(row, version));
        }
    });
}

#[test]
fn a_fault_names_its_clause_and_a_refusing_reason() {
    each(|row, version| {
        let Outcome::Refused(error) = &row.outcome else { return };
        assert!(error.reason_code().is_error(), "{error:?}");
        assert!(!error.to_string().is_empty());
        if error.clause().starts_with("MQTT") {
            let mark = format!("[{}]", error.clause());
            assert!(row.clauses.contains(&mark), "{mark} {}", context(row, version));
        }
    });
}

#[test]
fn every_fault_has_a_row() {
    // These two depend on limits and are shown in `limits`.
    let elsewhere = ["TooManyFilters", "TooManyUserProperties"];
    let mut shown = Vec::new();
    each(|row, _| {
        if let Outcome::Refused(error) = &row.outcome {
            shown.push(format!(" {error:?} "));
        }
    });
    let shown = shown.concat();
    for (name, _, _) in ProtocolError::ALL {
        let found = shown.contains(&format!(" {name} ")) || elsewhere.contains(name);
        assert!(found, "no row of the packet table is refused with {name}: add one to testkit");
    }
}
