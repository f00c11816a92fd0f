//! From the words of a case to bytes. Nothing is checked but that the words can be written at all:
//! a case may say what the specification forbids.

use crate::{
    Field, Fields, ScriptError, Version,
    field::{parse_number, value_bytes},
    packet::{check_fields, kind},
    property::{self, Form},
};

/// Writes a packet.
pub fn encode(name: &str, fields: &Fields, version: Version) -> Result<Vec<u8>, ScriptError> {
    check_fields(name, fields)?;
    let mut first_byte = kind(name)?.first_byte;
    let mut body = Vec::new();
    match name {
        "CONNECT" => connect(fields, version, &mut body)?,
        "CONNACK" => {
            body.push(small(fields, "session_present", 0)?);
            body.push(small(fields, "rc", 0)?);
            properties(fields, version, &mut body)?;
        }
        "PUBLISH" => {
            first_byte |= publish(fields, version, &mut body)?;
        }
        "PUBACK" | "PUBREC" | "PUBREL" | "PUBCOMP" => {
            acknowledge(name, fields, version, &mut body)?;
        }
        "SUBSCRIBE" | "UNSUBSCRIBE" => subscribe(name, fields, version, &mut body)?,
        "SUBACK" | "UNSUBACK" => {
            body.extend(identifier(name, fields)?);
            properties(fields, version, &mut body)?;
            for code in fields.first("rc").unwrap_or_default().split(',') {
                body.push(narrow(code)?);
            }
        }
        "DISCONNECT" | "AUTH" => reason_and_properties(fields, version, &mut body)?,
        _ => {}
    }
    let mut packet = vec![first_byte];
    variable(body.len() as u64, &mut packet);
    packet.extend(body);
    Ok(packet)
}

/// Writes a variable byte integer.
pub(crate) fn variable(mut value: u64, out: &mut Vec<u8>) {
    loop {
        let low = (value % 128) as u8;
        value /= 128;
        out.push(if value > 0 { low | 0x80 } else { low });
        if value == 0 {
            return;
        }
    }
}

/// Writes a length and the bytes.
pub(crate) fn counted(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), ScriptError> {
    let length =
        u16::try_from(bytes.len()).map_err(|_| ScriptError::BadNumber(bytes.len().to_string()))?;
    out.extend(length.to_be_bytes());
    out.extend(bytes);
    Ok(())
}

fn narrow<T: TryFrom<u64>>(text: &str) -> Result<T, ScriptError> {
    T::try_from(parse_number(text)?).map_err(|_| ScriptError::BadNumber(text.to_owned()))
}

fn small(fields: &Fields, key: &str, default: u8) -> Result<u8, ScriptError> {
    fields.first(key).map_or(Ok(default), narrow)
}

fn required<'a>(
    packet: &str,
    fields: &'a Fields,
    field: &'static str,
) -> Result<&'a str, ScriptError> {
    fields
        .first(field)
        .ok_or_else(|| ScriptError::MissingField { packet: packet.to_owned(), field })
}

fn identifier(packet: &str, fields: &Fields) -> Result<[u8; 2], ScriptError> {
    narrow::<u16>(required(packet, fields, "id")?).map(u16::to_be_bytes)
}

fn connect(fields: &Fields, version: Version, body: &mut Vec<u8>) -> Result<(), ScriptError> {
    let (name, level) = match version {
        Version::V31 => ("MQIsdp", 3),
        Version::V311 => ("MQTT", 4),
        Version::V5 => ("MQTT", 5),
    };
    let flag = |key: &str, bit: u8| if fields.first(key).is_some() { bit } else { 0 };
    let unsaid = if fields.first("keep").is_some() { "0" } else { "1" };
    let clean = fields.first("clean_start").unwrap_or(unsaid);
    let will = flag("will_topic", 0x04);
    let flags = narrow::<u8>(clean)? << 1
        | will
        | small(fields, "will_qos", 0)? << 3
        | small(fields, "will_retain", 0)? << 5
        | flag("password", 0x40)
        | flag("username", 0x80);
    counted(&value_bytes(fields.first("proto").unwrap_or(name))?, body)?;
    body.push(small(fields, "level", level)?);
    body.push(small(fields, "flags", flags)?);
    body.extend(narrow::<u16>(fields.first("keep_alive").unwrap_or("0"))?.to_be_bytes());
    let mut own = without_will(fields);
    if version == Version::V5
        && fields.first("keep").is_some()
        && fields.first("session_expiry").is_none()
    {
        own.push("session_expiry", "3600");
    }
    properties(&own, version, body)?;
    counted(&value_bytes(required("CONNECT", fields, "client_id")?)?, body)?;
    if will != 0 {
        properties(&only_will(fields), version, body)?;
        counted(&value_bytes(required("CONNECT", fields, "will_topic")?)?, body)?;
        counted(&value_bytes(fields.first("will_payload").unwrap_or("will"))?, body)?;
    }
    for key in ["username", "password"] {
        if let Some(value) = fields.first(key) {
            counted(&value_bytes(value)?, body)?;
        }
    }
    Ok(())
}

fn without_will(fields: &Fields) -> Fields {
    fields.iter().filter(|field| !field.key.starts_with("will_")).cloned().collect()
}

fn only_will(fields: &Fields) -> Fields {
    let inner = |field: &Field| {
        let key = field.key.strip_prefix("will_")?;
        Some(Field { key: key.to_owned(), value: field.value.clone() })
    };
    fields.iter().filter_map(inner).collect()
}

/// Writes the body and gives the flags.
fn publish(fields: &Fields, version: Version, body: &mut Vec<u8>) -> Result<u8, ScriptError> {
    let qos = small(fields, "qos", 0)?;
    counted(&value_bytes(required("PUBLISH", fields, "topic")?)?, body)?;
    if qos > 0 {
        body.extend(identifier("PUBLISH", fields)?);
    }
    properties(fields, version, body)?;
    body.extend(value_bytes(fields.first("payload").unwrap_or_default())?);
    Ok(small(fields, "dup", 0)? << 3 | qos << 1 | small(fields, "retain", 0)?)
}

fn acknowledge(
    name: &str,
    fields: &Fields,
    version: Version,
    body: &mut Vec<u8>,
) -> Result<(), ScriptError> {
    body.extend(identifier(name, fields)?);
    reason_and_properties(fields, version, body)
}

/// The tail that may be left out when it says nothing.
fn reason_and_properties(
    fields: &Fields,
    version: Version,
    body: &mut Vec<u8>,
) -> Result<(), ScriptError> {
    let has_properties = fields.iter().any(|field| property::by_name(&field.key).is_some());
    if has_properties || fields.first("rc").is_some() {
        if version != Version::V5 {
            return Err(ScriptError::NeedsVersion5("rc".to_owned()));
        }
        body.push(small(fields, "rc", 0)?);
        if has_properties {
            properties(fields, version, body)?;
        }
    }
    Ok(())
}

/// Filters each begin with `filter=`; the options that follow belong to it.
fn subscribe(
    name: &str,
    fields: &Fields,
    version: Version,
    body: &mut Vec<u8>,
) -> Result<(), ScriptError> {
    body.extend(identifier(name, fields)?);
    if name == "SUBSCRIBE" || version == Version::V5 {
        properties(fields, version, body)?;
    }
    let words: Vec<&Field> = fields.iter().collect();
    let filters = words.split(|field| field.key == "filter").skip(1);
    for (filter, options) in fields.all("filter").into_iter().zip(filters) {
        counted(&value_bytes(filter)?, body)?;
        if name == "SUBSCRIBE" {
            body.push(subscription_options(options)?);
        }
    }
    Ok(())
}

fn subscription_options(words: &[&Field]) -> Result<u8, ScriptError> {
    let mut options = 0;
    for word in words {
        let shift = match word.key.as_str() {
            "qos" | "options" => 0,
            "no_local" => 2,
            "rap" => 3,
            "rh" => 4,
            _ => continue,
        };
        options |= narrow::<u8>(&word.value)? << shift;
    }
    Ok(options)
}

/// Writes every property among the fields, in their order, with the length before them.
fn properties(fields: &Fields, version: Version, body: &mut Vec<u8>) -> Result<(), ScriptError> {
    let mut list = Vec::new();
    for field in fields.iter() {
        let Some(row) = property::by_name(&field.key) else { continue };
        if version != Version::V5 {
            return Err(ScriptError::NeedsVersion5(field.key.clone()));
        }
        list.push(row.number);
        property_value(row.form, &field.value, &mut list)?;
    }
    if version == Version::V5 {
        variable(list.len() as u64, body);
        body.extend(list);
    }
    Ok(())
}

fn property_value(form: Form, value: &str, list: &mut Vec<u8>) -> Result<(), ScriptError> {
    match form {
        Form::Byte => list.push(narrow(value)?),
        Form::TwoBytes => list.extend(narrow::<u16>(value)?.to_be_bytes()),
        Form::FourBytes => list.extend(narrow::<u32>(value)?.to_be_bytes()),
        Form::Variable => variable(parse_number(value)?, list),
        Form::Text | Form::Binary => counted(&value_bytes(value)?, list)?,
        Form::Pair => {
            let (name, value) =
                value.split_once(':').ok_or_else(|| ScriptError::BadValue(value.to_owned()))?;
            counted(name.as_bytes(), list)?;
            counted(value.as_bytes(), list)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{decode, field::split_words};

    fn bytes(line: &str, version: Version) -> Vec<u8> {
        let words = split_words(line).unwrap();
        encode(&words[0], &Fields::parse(&words[1..]), version).unwrap()
    }

    #[test]
    fn packets_have_the_bytes_of_the_specification() {
        let table: [(&str, Version, &[u8]); 5] = [
            ("PINGREQ", Version::V311, &[0xC0, 0x00]),
            ("PUBACK id=258", Version::V5, &[0x40, 0x02, 0x01, 0x02]),
            ("PUBLISH topic=a/b qos=1 id=10 retain", Version::V311, b"\x33\x07\x00\x03a/b\x00\x0a"),
            (
                "SUBSCRIBE id=10 filter=a/b qos=1 filter=c/d qos=2",
                Version::V311,
                b"\x82\x0e\x00\x0a\x00\x03a/b\x01\x00\x03c/d\x02",
            ),
            (
                "CONNECT client_id=c keep_alive=60 session_expiry=10",
                Version::V5,
                b"\x10\x13\x00\x04MQTT\x05\x02\x00\x3c\x05\x11\x00\x00\x00\x0a\x00\x01c",
            ),
        ];
        for (line, version, expected) in table {
            assert_eq!(bytes(line, version), expected, "{line}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let lines = [
            "PUBLISH topic=t qos=2 id=7 dup=1 retain=1 alias=3 user=a:1 user=b:2 payload=x",
            "CONNACK session_present=1 rc=0 receive_max=20 assigned=c1",
            "SUBACK id=3 reason=why rc=0,1,135",
            "DISCONNECT rc=130 reason=no",
        ];
        for line in lines {
            let packet = decode(&bytes(line, Version::V5), Version::V5).unwrap();
            for word in split_words(line).unwrap().iter().skip(1) {
                let (key, value) = word.split_once('=').unwrap();
                assert!(packet.fields.all(key).contains(&value), "{line}: {packet}");
            }
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_an_error() {
        let fields = Fields::parse(&["topik=t".to_owned()]);
        assert!(matches!(
            encode("PUBLISH", &fields, Version::V5),
            Err(ScriptError::UnknownField { .. })
        ));
        let fields = Fields::parse(&["topic=t".to_owned(), "alias=1".to_owned()]);
        assert!(matches!(
            encode("PUBLISH", &fields, Version::V311),
            Err(ScriptError::NeedsVersion5(_))
        ));
    }
}
