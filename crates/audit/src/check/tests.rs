use proptest::prelude::*;

use super::*;
use crate::{Event, Kind, Moment, Who, shelf::file_name};

/// A few records with names that try to look like the ends of records.
fn chain(count: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut link = Link::START;
    for number in 0..count {
        let who = Who { client: Some(format!("c{number}\",\"hash\":\"")), ..Who::default() };
        let event = Event::refused(Kind::Access, "publish", who, "rule").on("a/b\n");
        link = link.append(Moment::from_micros(number * 1_000), &event, &mut bytes);
    }
    bytes
}

fn checked(files: &[&[u8]]) -> Result<Summary, Break> {
    let mut check = Check::default();
    for (number, bytes) in (1..).zip(files) {
        check.file(number, file_name, bytes)?;
    }
    Ok(check.end())
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').collect()
}

#[test]
fn a_chain_as_it_was_written_is_whole() {
    let bytes = chain(5);
    let summary = checked(&[&bytes]).unwrap();
    assert_eq!((summary.first, summary.last, summary.torn), (1, 5, None));
    let lines = lines(&bytes);
    let (old, new) = (lines[..2].concat(), lines[2..].concat());
    assert_eq!(checked(&[&old, &new]).unwrap().hash, summary.hash);
    // Where older files are gone, it begins later.
    assert_eq!(checked(&[&new]).unwrap().first, 3);
}

#[test]
fn the_place_and_the_kind_of_a_break_are_named() {
    let bytes = chain(4);
    let one = lines(&bytes);
    let edited = String::from_utf8(bytes.clone()).unwrap().replace(":\"c2", ":\"c3");
    let other = String::from_utf8(chain(4)).unwrap().replace("\"publish\"", "\"subscribe\"");
    let mut forged = Vec::new();
    // A record that is right in itself, made anew.
    let link = read_line(&one[0][..one[0].len() - 1]).unwrap().link;
    let _ = link.append(Moment::from_micros(7), &Event::done(Kind::Node, "start"), &mut forged);
    for (what, bytes, line, fault) in [
        ("edited", edited.into_bytes(), 3, Fault::Changed),
        ("all edited", other.into_bytes(), 1, Fault::Changed),
        ("deleted", [one[0], one[2]].concat(), 2, Fault::Number { expected: 2, found: 3 }),
        ("doubled", [one[0], one[0]].concat(), 2, Fault::Number { expected: 2, found: 1 }),
        ("swapped", [one[1], one[0]].concat(), 2, Fault::Number { expected: 3, found: 1 }),
        ("forged", [one[0], &forged, one[2]].concat(), 3, Fault::Unlinked(3)),
        ("inserted", [one[0], b"{}\n", one[1]].concat(), 2, Fault::Form),
        ("emptied", [one[0], b"\n", one[1]].concat(), 2, Fault::Form),
    ] {
        let broken = checked(&[&bytes]).unwrap_err();
        let place = (broken.file.as_str(), broken.line, broken.fault);
        assert_eq!(place, ("audit-00000001.jsonl", line, fault), "{what}");
    }
}

#[test]
fn a_file_that_is_cut_off_is_told_from_one_that_a_crash_has_torn() {
    let bytes = chain(4);
    let one = lines(&bytes);
    let torn = [one[0], one[1], &one[2][..40]].concat();
    let summary = checked(&[&torn]).unwrap();
    let found = summary.torn.unwrap();
    assert_eq!((summary.last, found.bytes), (2, 40), "at the very end it may be a crash");
    // The node that went on has found it so, or it has not.
    let link = read_line(&one[1][..one[1].len() - 1]).unwrap().link;
    let mut next = Vec::new();
    let told = Event::failed(Kind::Audit, TORN, found.told()).on(found.file.as_str());
    let _ = link.append(Moment::from_micros(9), &told, &mut next);
    assert_eq!(checked(&[&torn, &next]).unwrap().last, 3);
    let more = [one[0], one[1], &one[2][..41]].concat();
    let cut = Break { file: file_name(1), line: 1, fault: Fault::CutOff };
    assert_eq!(checked(&[&more, &next]), Err(cut.clone()));
    assert_eq!(checked(&[&torn, &[one[2], one[3]].concat()]), Err(cut));
}

#[test]
fn a_file_that_is_missing_is_named() {
    let bytes = chain(2);
    let mut check = Check::default();
    check.file(1, file_name, &bytes).unwrap();
    let broken = check.file(3, file_name, &bytes).unwrap_err();
    assert_eq!(broken.fault, Fault::FileMissing("audit-00000002.jsonl".to_owned()));
}

proptest! {
    #[test]
    fn any_byte_that_is_changed_is_found(at in any::<prop::sample::Index>(), by in 1_u8..) {
        let mut bytes = chain(4);
        // The last line end may go: what is behind it is then the torn end of a file.
        let at = at.index(bytes.len() - 1);
        bytes[at] ^= by;
        prop_assert!(checked(&[&bytes]).is_err(), "byte {at}");
    }

    #[test]
    fn any_byte_that_is_missing_or_new_is_found(
        at in any::<prop::sample::Index>(),
        new in any::<u8>(),
    ) {
        let bytes = chain(4);
        let at = at.index(bytes.len() - 1);
        let mut missing = bytes.clone();
        missing.remove(at);
        prop_assert!(checked(&[&missing]).is_err(), "byte {at} missing");
        let mut longer = bytes;
        longer.insert(at, new);
        prop_assert!(checked(&[&longer]).is_err(), "byte {at} new");
    }

    #[test]
    fn any_two_records_that_changed_places_are_found(
        one in any::<prop::sample::Index>(),
        two in any::<prop::sample::Index>(),
    ) {
        let bytes = chain(6);
        let mut lines = lines(&bytes);
        let (one, two) = (one.index(6), two.index(6));
        prop_assume!(one != two);
        lines.swap(one, two);
        prop_assert!(checked(&[&lines.concat()]).is_err());
    }

    #[test]
    fn any_records_that_are_missing_within_are_found(
        from in any::<prop::sample::Index>(),
        count in 1_usize..4,
    ) {
        let bytes = chain(8);
        let mut lines = lines(&bytes);
        // Of the beginning, age is the other reason; the end is told by its hash.
        let from = 1 + from.index(3);
        lines.drain(from..from + count);
        prop_assert!(checked(&[&lines.concat()]).is_err());
    }
}
