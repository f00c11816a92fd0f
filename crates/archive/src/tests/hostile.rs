use super::{exported, imported, lasting};
use crate::line::VERSION;

const HEADER: &str = r#"{"format":"plexus-store","version":1}"#;
const MESSAGE: &str = r#"{"type":"message","id":3,"topic":"a/b","payload":"21","qos":1}"#;
const OPEN: &str = r#"{"type":"open","message":3}"#;
const RETAINED: &str = r#"{"type":"retained","topic":"a/b","message":3}"#;
const SESSION: &str = r#"{"type":"session","client":"c","listener":"tcp","protocol_level":5,"session_expiry_interval":9,"next_sequence":7}"#;
const QUEUED: &str =
    r#"{"type":"queued","client":"c","sequence":5,"message":3,"since_seconds":1700000000,"qos":1}"#;
const END: &str = r#"{"type":"end","messages":1,"open":1,"retained":1,"sessions":1,"queued":1}"#;

fn lines() -> Vec<String> {
    [HEADER, MESSAGE, OPEN, RETAINED, SESSION, QUEUED, END].map(str::to_owned).to_vec()
}

fn refused(lines: &[String]) -> String {
    let text = lines.join("\n") + "\n";
    match imported(&text) {
        Ok((_, imported)) => panic!("taken: {imported:?}\n{text}"),
        Err(error) => error.to_string(),
    }
}

/// A whole file with one line put in the place of another.
fn with(at: usize, line: &str) -> String {
    let mut lines = lines();
    lines[at - 1] = line.to_owned();
    refused(&lines)
}

/// The same with a part of a line put in the place of another part.
fn altered(at: usize, from: &str, to: &str) -> String {
    let line = lines()[at - 1].clone();
    assert!(line.contains(from), "{line}");
    with(at, &line.replace(from, to))
}

#[test]
fn a_file_that_was_written_by_hand_is_taken() {
    let (disk, taken) = imported(&lines().join("\n")).unwrap();
    assert_eq!((taken.counts.messages, taken.counts.queued, taken.unused), (1, 1, 0));
    let (text, _) = exported(&disk);
    let (again, _) = imported(&text).unwrap();
    assert_eq!(lasting(&exported(&again).0), lasting(&text));
    assert!(text.contains("\"store\":\"00000000000000000000000000000005\""), "{text}");
}

#[test]
fn what_nothing_refers_to_is_counted() {
    let end = r#"{"type":"end","messages":1,"open":0,"retained":0,"sessions":0,"queued":0}"#;
    let (_, taken) = imported(&[HEADER, MESSAGE, end].join("\n")).unwrap();
    assert_eq!(taken.unused, 1);
}

#[test]
fn another_file_and_another_version_are_told_apart() {
    let none = "line 1: this is no export of a store, whose first line says format \
                \"plexus-store\"; name a file that `plexus store export` wrote";
    for header in ["", "hello", "{}", r#"{"format":"other","version":1}"#, MESSAGE, "\u{1}"] {
        assert_eq!(with(1, header), none, "{header}");
    }
    assert_eq!(imported("").unwrap_err().to_string(), none);
    assert_eq!(
        altered(1, "1}", "3,\"more\":[]}"),
        format!(
            "line 1: the export has version 3, and this program reads versions up to {VERSION}; \
             import it with the program that wrote it"
        )
    );
    let error = altered(1, "}", ",\"stroe\":\"1\"}");
    assert!(error.starts_with("line 1: column 44: unknown field `stroe`"), "{error}");
    let error = altered(1, "}", ",\"store\":\"12\"}");
    assert_eq!(error, "line 1: `store` is 12; use 32 hexadecimal digits, or leave it out");
}

#[test]
fn a_file_that_was_cut_off_is_not_taken() {
    let whole = lines().join("\n");
    let end = whole.len() - END.len();
    for length in HEADER.len()..end {
        let error = imported(&whole[..length]).unwrap_err().to_string();
        assert!(error.contains("the file ends here without its `end` line"), "{length}: {error}");
    }
    for at in 2..=6 {
        let mut lines = lines();
        lines.remove(at - 1);
        let error = refused(&lines);
        let told = ["there are 0", "is not in the file", "stands behind its own"];
        assert!(told.iter().any(|part| error.contains(part)), "{at}: {error}");
    }
    let mut lines = lines();
    lines.push(END.to_owned());
    let error = refused(&lines);
    assert!(error.starts_with("line 8: this line stands behind the `end` line"), "{error}");
}

#[test]
fn lines_stand_in_their_order_and_nothing_twice() {
    for (at, to, part) in [
        (2, 5, "line 5: a `message` line cannot stand behind a `session` line; the order is"),
        (4, 5, "line 5: a `retained` line cannot stand behind a `session` line"),
        (3, 5, "line 5: an"),
    ] {
        let mut lines = lines();
        let line = lines.remove(at - 1);
        lines.insert(to - 1, line);
        let error = refused(&lines);
        let missing = error.contains("message 3 is not in the file");
        assert!(
            error.starts_with(part) || missing || error.contains("`open` line cannot"),
            "{error}"
        );
    }
    for (line, part) in [
        (MESSAGE, "message 3 stands behind message 3"),
        (RETAINED, "the retained message of \"a/b\" stands there twice, first in line 4"),
        (SESSION, "client \"c\" stands there twice, first in line 5"),
        (QUEUED, "`sequence` 5 does not follow 5"),
    ] {
        let mut lines = lines();
        let at = lines.iter().position(|has| has == line).unwrap();
        lines.insert(at + 1, line.to_owned());
        let error = refused(&lines);
        assert!(error.starts_with(&format!("line {}: {part}", at + 2)), "{error}");
    }
}

/// The line, a part of it, what stands in its place, and what is said.
const FIELDS: &[(usize, &str, &str, &str)] = &[
    (2, "a/b", "a/+", "line 2: `topic` \"a/+\": a topic name must not contain '+' or '#'"),
    (2, "a/b", "", "line 2: `topic` \"\": is empty"),
    (2, "\"qos\":1", "\"qos\":3", "line 2: `qos` is 3; use 0, 1 or 2"),
    (2, "\"id\":3", "\"id\":0", "line 2: `id` is 0; use a number from 1 to 9223372036854775807"),
    (2, "\"payload\"", "\"payload_base64\"", "line 2: `payload_base64` is no base64: "),
    (2, "\"payload\":\"21\",", "", "line 2: a message has either `payload` or"),
    (
        2,
        "\"qos\"",
        "\"publisher\":\"\\u0000\",\"qos\"",
        "line 2: `publisher` is no text of MQTT: contains the null",
    ),
    (
        2,
        "\"qos\"",
        "\"expires_millis\":99999999999999,\"qos\"",
        "line 2: `expires_millis` is 99999999999999; use milliseconds",
    ),
    (
        2,
        "\"qos\"",
        "\"properties\":{\"payload_format_indicator\":2},\"qos\"",
        "line 2: `payload_format_indicator` is 2; use 0 or 1",
    ),
    (2, "\"21\"", "21", "line 2: invalid type: integer `21`, expected a string"),
    (
        2,
        "message",
        "massage",
        "line 2: column 17: unknown variant `massage`, expected one of `message`",
    ),
    (2, "\"topic\"", "topic", "line 2: column "),
    (3, "3", "4", "line 3: message 4 is not in the file"),
    (3, "}", ",\"group\":\"a\"}", "line 3: `group` is a; use the filter of a shared group"),
    (3, "}", ",\"served\":[\"a\"]}", "line 3: `served` is a; use the filter of a shared group"),
    (4, "a/b", "a/c", "line 4: message 3 has the topic \"a/b\""),
    (4, "3", "9", "line 4: message 9 is not in the file"),
    (5, "\"c\"", "\"\"", "line 5: `client` is empty; use the identifier of a client"),
    (
        5,
        "\"protocol_level\":5",
        "\"protocol_level\":6",
        "line 5: `protocol_level` is 6; use 3 for MQTT 3.1",
    ),
    (5, "7}", "4294901760}", "line 5: `next_sequence` is 4294901760; use a number below"),
    (5, "7}", "-7}", "line 5: invalid value: integer `-7`, expected u32"),
    (5, "7}", "7,\"seen\":[8]}", "line 5: `seen` is 8; use messages that have an `open` line"),
    (
        5,
        "7}",
        "7,\"accepted_packet_ids\":[0]}",
        "line 5: `accepted_packet_ids` is 0; use numbers from 1",
    ),
    (
        5,
        "7}",
        "7,\"accepted_packet_ids\":[4,4]}",
        "line 5: `accepted_packet_ids` is a list with doubles",
    ),
    (
        5,
        "7}",
        "7,\"subscriptions\":[{\"filter\":\"a#\",\"qos\":0}]}",
        "line 5: `filter` \"a#\": '#' must be the whole last level",
    ),
    (
        5,
        "7}",
        "7,\"subscriptions\":[{\"filter\":\"a\",\"qos\":0},{\"filter\":\"a\",\"qos\":1}]}",
        "line 5: `filter` is \"a\" twice; use each filter once",
    ),
    (
        5,
        "7}",
        "7,\"subscriptions\":[{\"filter\":\"$share/g/a\",\"qos\":0,\"no_local\":true}]}",
        "line 5: `no_local` is true; use false for a shared",
    ),
    (
        5,
        "7}",
        "7,\"subscriptions\":[{\"filter\":\"a\",\"qos\":0,\"retain_handling\":3}]}",
        "line 5: `retain_handling` is 3; use 0, 1 or 2",
    ),
    (
        5,
        "7}",
        "7,\"subscriptions\":[{\"filter\":\"a\",\"qos\":0,\"subscription_identifier\":0}]}",
        "line 5: `subscription_identifier` is 0; use numbers",
    ),
    (5, "7}", "5}", "line 7: `sequence` 5 does not follow 5"),
    (6, "\"c\"", "\"d\"", "line 6: the queue of `d` stands behind its own `session` line"),
    (6, "\"qos\":1", "\"qos\":0", "line 6: `qos` is 0; use 1 or 2: nothing else is kept"),
    (6, "\"message\":3,", "", "line 6: only QoS 2 is without `message`, when PUBREC has come"),
    (6, "3", "33", "line 6: message 33 is not in the file"),
    (
        7,
        "\"queued\":1",
        "\"queued\":2",
        "line 7: there are 1 queued messages and the `end` line says 2",
    ),
];

#[test]
fn every_field_is_checked_and_named_with_its_line() {
    for (at, from, to, error) in FIELDS {
        let said = altered(*at, from, to);
        assert!(said.starts_with(error), "{said}\n{error}");
    }
}
