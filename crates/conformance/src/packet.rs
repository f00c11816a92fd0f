//! A packet as a case sees it: a name and words. Also the table of packet names and of the fields
//! each has.

use std::fmt;

use crate::{Fields, ScriptError, property};

/// A packet that came from the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Its name in capitals.
    pub name: &'static str,
    /// Everything it says.
    pub fields: Fields,
    /// The bytes it was read from.
    pub bytes: Vec<u8>,
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.name, self.fields)
    }
}

/// Name, first byte without variable flags, and the fields that are no properties.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) first_byte: u8,
    fields: &'static [&'static str],
}

const KINDS: [Kind; 15] = [
    Kind {
        name: "CONNECT",
        first_byte: 0x10,
        fields: &[
            "proto",
            "level",
            "flags",
            "client_id",
            "clean_start",
            "keep",
            "keep_alive",
            "username",
            "password",
            "will_topic",
            "will_payload",
            "will_qos",
            "will_retain",
        ],
    },
    Kind { name: "CONNACK", first_byte: 0x20, fields: &["rc", "session_present"] },
    Kind {
        name: "PUBLISH",
        first_byte: 0x30,
        fields: &["topic", "qos", "id", "dup", "retain", "payload"],
    },
    Kind { name: "PUBACK", first_byte: 0x40, fields: &["id", "rc"] },
    Kind { name: "PUBREC", first_byte: 0x50, fields: &["id", "rc"] },
    Kind { name: "PUBREL", first_byte: 0x62, fields: &["id", "rc"] },
    Kind { name: "PUBCOMP", first_byte: 0x70, fields: &["id", "rc"] },
    Kind {
        name: "SUBSCRIBE",
        first_byte: 0x82,
        fields: &["id", "filter", "qos", "no_local", "rap", "rh", "options"],
    },
    Kind { name: "SUBACK", first_byte: 0x90, fields: &["id", "rc"] },
    Kind { name: "UNSUBSCRIBE", first_byte: 0xA2, fields: &["id", "filter"] },
    Kind { name: "UNSUBACK", first_byte: 0xB0, fields: &["id", "rc"] },
    Kind { name: "PINGREQ", first_byte: 0xC0, fields: &[] },
    Kind { name: "PINGRESP", first_byte: 0xD0, fields: &[] },
    Kind { name: "DISCONNECT", first_byte: 0xE0, fields: &["rc"] },
    Kind { name: "AUTH", first_byte: 0xF0, fields: &["rc"] },
];

/// The kind of a name.
pub(crate) fn kind(name: &str) -> Result<&'static Kind, ScriptError> {
    KINDS
        .iter()
        .find(|kind| kind.name == name)
        .ok_or_else(|| ScriptError::UnknownPacket(name.to_owned()))
}

/// The kind of a first byte, whatever its flags.
pub(crate) fn kind_of_byte(byte: u8) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.first_byte >> 4 == byte >> 4)
}

/// Refuses a word that the packet does not have, so that a slip of the pen is no silent pass.
pub(crate) fn check_fields(name: &str, fields: &Fields) -> Result<(), ScriptError> {
    let kind = kind(name)?;
    for field in fields.iter() {
        let key = field.key.as_str();
        let will = key.strip_prefix("will_").filter(|_| name == "CONNECT");
        let known = kind.fields.contains(&key)
            || property::by_name(key).is_some()
            || will.and_then(property::by_name).is_some();
        if !known {
            return Err(ScriptError::UnknownField {
                packet: name.to_owned(),
                field: key.to_owned(),
            });
        }
    }
    Ok(())
}
