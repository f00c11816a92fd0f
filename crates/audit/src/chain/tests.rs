use super::*;
use crate::{Kind, Who};

const TIME: Moment = Moment::from_micros(1_735_689_599_000_001);

fn refusal(client: &str) -> Event {
    let who = Who {
        client: Some(client.to_owned()),
        user: None,
        peer: Some([192, 0, 2, 1].into()),
        listener: Some("plant".to_owned()),
        tenant: Some("acme".to_owned()),
    };
    Event::refused(Kind::Access, "publish", who, "access.no_match").on("a/b")
}

#[test]
fn a_record_is_one_line_with_its_fields_in_order() {
    let mut bytes = Vec::new();
    let link = Link::START.append(TIME, &refusal("robot \"7\"\n"), &mut bytes);
    let zeros = "0".repeat(64);
    let said = format!(
        "{{\"seq\":1,\"time\":\"2024-12-31T23:59:59.000001Z\",\"kind\":\"access\",\
         \"act\":\"publish\",\"client\":\"robot \\\"7\\\"\\n\",\"peer\":\"192.0.2.1\",\
         \"listener\":\"plant\",\"tenant\":\"acme\",\"target\":\"a/b\",\"outcome\":\"refused\",\
         \"because\":\"access.no_match\",\"prev\":\"{zeros}\""
    );
    let hash = Hash::of(said.as_bytes());
    assert_eq!(link, Link { seq: 1, hash });
    assert_eq!(String::from_utf8(bytes).unwrap(), format!("{said},\"hash\":\"{hash}\"}}\n"));
}

#[test]
fn what_is_written_reads_back() {
    let mut bytes = Vec::new();
    let first = Link::START.append(TIME, &refusal("a\",\"hash\":\"b"), &mut bytes);
    let length = bytes.len();
    let second = first.append(TIME, &Event::done(Kind::Node, "start"), &mut bytes);
    let read = read_line(&bytes[..length - 1]).unwrap();
    assert_eq!((read.link, read.before), (first, Hash::NONE));
    assert_eq!(read.text("client"), Some("a\",\"hash\":\"b"));
    let read = read_line(&bytes[length..bytes.len() - 1]).unwrap();
    assert_eq!((read.link, read.before), (second, first.hash));
}

#[test]
fn long_texts_are_cut_where_a_character_ends() {
    for length in [1_020, 1_024, 1_025, 70_000] {
        let name = "é".repeat(length / 2);
        let mut bytes = Vec::new();
        let _ = Link::START.append(TIME, &refusal(&name), &mut bytes);
        let read = read_line(&bytes[..bytes.len() - 1]).unwrap();
        let kept = read.text("client").unwrap();
        assert!(kept.len() <= TEXT_MAX, "{length}");
        assert_eq!(kept.ends_with('…'), name.len() > TEXT_MAX, "{length}");
    }
}

#[test]
fn the_hash_of_nothing_is_the_known_one() {
    let known = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(Hash::of(b"").to_string(), known);
    assert_eq!(Hash::parse(known), Some(Hash::of(b"")));
    for wrong in [&known.to_uppercase(), &known[1..], &format!("+{}", &known[1..])] {
        assert_eq!(Hash::parse(wrong), None, "{wrong}");
    }
}
