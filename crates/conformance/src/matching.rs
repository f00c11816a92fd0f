//! Whether a packet is the expected one.
//!
//! A field that is named must be equal: numbers as numbers, `a|b` for one of several, `*` for any
//! value, `none` for absence, `$name` to capture (or, once captured, to compare). A key that is
//! named more than once must occur as often, in that order (`sub_id` in any order). Of what is not
//! named, reason codes must be a success and DUP, QoS and RETAIN of PUBLISH must be 0.

use crate::{
    Fields, Packet, ScriptError, Version, field::parse_number, packet::check_fields, scope::Scope,
};

/// What differs, if anything.
pub(crate) fn difference(
    name: &str,
    expected: &Fields,
    packet: &Packet,
    scope: &mut Scope,
    version: Version,
) -> Result<Option<String>, ScriptError> {
    check_fields(name, expected)?;
    if packet.name != name {
        return Ok(Some(format!("{name} was expected")));
    }
    let expected = in_version(name, expected, version);
    let mut seen = Vec::new();
    for field in expected.iter() {
        if seen.contains(&field.key) {
            continue;
        }
        seen.push(field.key.clone());
        let wanted = expected.all(&field.key);
        if let Some(text) = field_difference(&field.key, &wanted, packet, scope)? {
            return Ok(Some(text));
        }
    }
    Ok(unnamed_difference(name, &seen, packet))
}

/// Leaves out what the version cannot say and translates the codes it says otherwise.
fn in_version(name: &str, expected: &Fields, version: Version) -> Fields {
    if version == Version::V5 {
        return expected.clone();
    }
    let mut kept = Fields::default();
    for field in expected.iter() {
        match (name, field.key.as_str()) {
            ("CONNACK", "rc") => kept.push("rc", connack_codes(&field.value)),
            ("SUBACK", "rc") => {
                let codes: Vec<&str> = field.value.split(',').map(suback_code).collect();
                kept.push("rc", codes.join(","));
            }
            ("CONNACK", "session_present") if version == Version::V31 => {}
            (_, "rc") => {}
            (_, key) => kept.push(key, field.value.as_str()),
        }
    }
    kept
}

/// The return codes of 3.1.1 for the reason codes of 5.0; those that have none fall out.
pub(crate) fn connack_codes(value: &str) -> String {
    let translate = |code: &str| match parse_number(code) {
        Ok(0x84) => Some("1"),
        Ok(0x85) => Some("2"),
        Ok(0x88) => Some("3"),
        Ok(0x86) => Some("4"),
        Ok(0x87) => Some("5"),
        Ok(0) => Some("0"),
        _ => None,
    };
    value.split('|').filter_map(translate).collect::<Vec<_>>().join("|")
}

fn suback_code(code: &str) -> &str {
    let refused = |one: &str| parse_number(one).is_ok_and(|number| number >= 0x80);
    if code.split('|').any(refused) { "0x80" } else { code }
}

fn field_difference(
    key: &str,
    wanted: &[&str],
    packet: &Packet,
    scope: &mut Scope,
) -> Result<Option<String>, ScriptError> {
    let mut present = packet.fields.all(key);
    if wanted == ["none"] {
        return Ok((!present.is_empty()).then(|| format!("{key} should be absent")));
    }
    if present.is_empty() && wanted.iter().any(|one| one.starts_with("none|")) {
        return Ok(None);
    }
    if wanted == ["*"] {
        return Ok(present.is_empty().then(|| format!("{key} is missing")));
    }
    let mut wanted = wanted.to_vec();
    if key == "sub_id" {
        wanted.sort_unstable();
        present.sort_unstable();
    }
    if wanted.len() != present.len() {
        return Ok(Some(format!("{key}={} was expected", wanted.join(&format!(" {key}=")))));
    }
    for (wanted, present) in wanted.into_iter().zip(present) {
        if !value_matches(key, wanted, present, scope)? {
            return Ok(Some(format!("{key}={wanted} was expected")));
        }
    }
    Ok(None)
}

fn value_matches(
    key: &str,
    wanted: &str,
    present: &str,
    scope: &mut Scope,
) -> Result<bool, ScriptError> {
    if let Some(name) = wanted.strip_prefix('$').filter(|name| scope.captured(name).is_none())
        && !matches!(key, "topic" | "response" | "payload")
    {
        scope.capture(name, present);
        return Ok(true);
    }
    if key == "payload" {
        return Ok(scope.value(key, wanted)? == present);
    }
    if key == "rc" {
        return Ok(codes_match(wanted, present));
    }
    for one in wanted.split('|') {
        let one = scope.value(key, one)?;
        let equal = match (parse_number(&one), parse_number(present)) {
            (Ok(one), Ok(present)) => one == present,
            _ => one == present,
        };
        if equal {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reason codes: a list for the acknowledgements of several filters, alternatives for each.
fn codes_match(wanted: &str, present: &str) -> bool {
    let wanted: Vec<&str> = wanted.split(',').collect();
    let present: Vec<&str> = present.split(',').collect();
    let one_of = |(wanted, present): (&&str, &&str)| {
        wanted.split('|').any(
            |one| matches!((parse_number(one), parse_number(present)), (Ok(a), Ok(b)) if a == b),
        )
    };
    wanted.len() == present.len() && wanted.iter().zip(&present).all(one_of)
}

fn unnamed_difference(name: &str, named: &[String], packet: &Packet) -> Option<String> {
    let defaults: &[&str] = match name {
        "PUBLISH" => &["qos", "dup", "retain"],
        "CONNACK" | "PUBREL" | "PUBCOMP" | "DISCONNECT" => &["rc"],
        _ => &[],
    };
    for key in defaults {
        if !named.iter().any(|named| named == key)
            && packet.fields.first(key).is_some_and(|value| value != "0")
        {
            return Some(format!("{key}=0 was expected"));
        }
    }
    let acknowledges = matches!(name, "PUBACK" | "PUBREC") && !named.iter().any(|key| key == "rc");
    let refused = packet.fields.number("rc", 0).is_ok_and(|code| code >= 0x80);
    (acknowledges && refused).then(|| "a success was expected".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::split_words;

    fn words(line: &str) -> Fields {
        Fields::parse(&split_words(line).unwrap())
    }

    #[test]
    fn only_what_differs_is_told() {
        let table = [
            ("PUBLISH", "topic=t payload=x", "topic=P/t qos=0 dup=0 retain=0 payload=x", true),
            ("PUBLISH", "topic=t", "topic=P/t qos=1 id=3 dup=0 retain=0 payload=x", false),
            ("PUBLISH", "qos=1 id=$m", "topic=P/t qos=1 id=3 dup=0 retain=0 payload=x", true),
            ("PUBLISH", "alias=none", "topic=P/t qos=0 dup=0 retain=0 alias=1 payload=", false),
            ("PUBLISH", "user=a:1 user=b:2", "qos=0 dup=0 retain=0 user=b:2 user=a:1", false),
            ("PUBLISH", "sub_id=1 sub_id=2", "qos=0 dup=0 retain=0 sub_id=2 sub_id=1", true),
            ("SUBACK", "rc=0,0x80|0x87", "id=1 rc=0,135", true),
            ("SUBACK", "rc=0", "id=1 rc=0,0", false),
            ("PUBACK", "id=1", "id=1 rc=16", true),
            ("PUBACK", "id=1", "id=1 rc=135", false),
            ("CONNACK", "", "session_present=0 rc=135", false),
        ];
        for (name, expected, came, equal) in table {
            let kind = crate::packet::kind(name).unwrap();
            let packet = Packet { name: kind.name, fields: words(came), bytes: Vec::new() };
            let mut scope = Scope::new("P".to_owned());
            let found =
                difference(name, &words(expected), &packet, &mut scope, Version::V5).unwrap();
            assert_eq!(found.is_none(), equal, "{name} {expected} / {came}: {found:?}");
        }
    }

    #[test]
    fn codes_of_version_5_are_translated_for_older_clients() {
        let packet =
            Packet { name: "CONNACK", fields: words("session_present=0 rc=2"), bytes: Vec::new() };
        let mut scope = Scope::new("P".to_owned());
        let expected = words("rc=0x85");
        let found = difference("CONNACK", &expected, &packet, &mut scope, Version::V311).unwrap();
        assert_eq!(found, None);
    }
}
