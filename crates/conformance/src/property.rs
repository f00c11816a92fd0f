//! The one table of the properties of 5.0, by number, name in a case, and form on the wire.

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Byte,
    TwoBytes,
    FourBytes,
    Variable,
    Text,
    Binary,
    Pair,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Property {
    pub(crate) number: u8,
    pub(crate) name: &'static str,
    pub(crate) form: Form,
}

const fn row(number: u8, name: &'static str, form: Form) -> Property {
    Property { number, name, form }
}

const TABLE: [Property; 27] = [
    row(0x01, "format", Form::Byte),
    row(0x02, "expiry", Form::FourBytes),
    row(0x03, "content_type", Form::Text),
    row(0x08, "response", Form::Text),
    row(0x09, "correlation", Form::Binary),
    row(0x0B, "sub_id", Form::Variable),
    row(0x11, "session_expiry", Form::FourBytes),
    row(0x12, "assigned", Form::Text),
    row(0x13, "server_keep_alive", Form::TwoBytes),
    row(0x15, "auth_method", Form::Text),
    row(0x16, "auth_data", Form::Binary),
    row(0x17, "request_problem", Form::Byte),
    row(0x18, "delay", Form::FourBytes),
    row(0x19, "request_response", Form::Byte),
    row(0x1A, "response_info", Form::Text),
    row(0x1C, "server_ref", Form::Text),
    row(0x1F, "reason", Form::Text),
    row(0x21, "receive_max", Form::TwoBytes),
    row(0x22, "alias_max", Form::TwoBytes),
    row(0x23, "alias", Form::TwoBytes),
    row(0x24, "max_qos", Form::Byte),
    row(0x25, "retain_available", Form::Byte),
    row(0x26, "user", Form::Pair),
    row(0x27, "max_packet", Form::FourBytes),
    row(0x28, "wildcard_available", Form::Byte),
    row(0x29, "sub_id_available", Form::Byte),
    row(0x2A, "shared_available", Form::Byte),
];

/// The row of a name.
pub(crate) fn by_name(name: &str) -> Option<Property> {
    TABLE.iter().find(|row| row.name == name).copied()
}

/// The row of a number.
pub(crate) fn by_number(number: u8) -> Option<Property> {
    TABLE.iter().find(|row| row.number == number).copied()
}
