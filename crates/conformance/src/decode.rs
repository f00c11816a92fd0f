//! From bytes to the words of a case. Only the form is read: whether a packet may say what it says
//! is for the cases to decide.

use crate::{
    Fields, Packet, Version,
    field::show_bytes,
    packet::kind_of_byte,
    property::{self, Form},
};

/// Reads one whole packet, or says in which way it is none.
pub fn decode(bytes: &[u8], version: Version) -> Result<Packet, String> {
    let (&first_byte, rest) = bytes.split_first().ok_or("no bytes")?;
    let kind = kind_of_byte(first_byte).ok_or("packet type 0")?;
    let name = kind.name;
    if name != "PUBLISH" && first_byte != kind.first_byte {
        return Err(format!("{name} with first byte {first_byte:#04x}"));
    }
    let mut body = Body { rest };
    let length = body.variable()?;
    if length as usize != body.rest.len() {
        return Err(format!("{name} announces {length} bytes and has {}", body.rest.len()));
    }
    let mut fields = Fields::default();
    match name {
        "CONNACK" => connack(&mut body, version, &mut fields)?,
        "PUBLISH" => publish(&mut body, version, first_byte, &mut fields)?,
        "PUBACK" | "PUBREC" | "PUBREL" | "PUBCOMP" => {
            fields.push("id", body.two()?.to_string());
            body.reason_and_properties(version, &mut fields)?;
        }
        "SUBACK" | "UNSUBACK" => {
            fields.push("id", body.two()?.to_string());
            body.properties(version, &mut fields)?;
            let codes: Vec<String> = body.take_all().iter().map(u8::to_string).collect();
            fields.push("rc", codes.join(","));
        }
        "DISCONNECT" if version == Version::V5 => {
            body.reason_and_properties(version, &mut fields)?;
        }
        "AUTH" if version == Version::V5 => body.reason_and_properties(version, &mut fields)?,
        "PINGRESP" => {}
        _ => return Err(format!("{name} is nothing a server of {} sends", version.name())),
    }
    if !body.rest.is_empty() {
        return Err(format!("{name} has {} bytes too many", body.rest.len()));
    }
    Ok(Packet { name, fields, bytes: bytes.to_vec() })
}

fn connack(body: &mut Body<'_>, version: Version, fields: &mut Fields) -> Result<(), String> {
    let flags = body.one()?;
    if flags > 1 {
        return Err(format!("CONNACK with flags {flags:#04x}"));
    }
    fields.push("session_present", flags.to_string());
    fields.push("rc", body.one()?.to_string());
    // A refusal of a version the server does not speak comes in the form of the server's choice.
    if !body.rest.is_empty() {
        body.properties(version, fields)?;
    }
    Ok(())
}

fn publish(
    body: &mut Body<'_>,
    version: Version,
    first_byte: u8,
    fields: &mut Fields,
) -> Result<(), String> {
    let qos = first_byte >> 1 & 3;
    fields.push("topic", body.text()?);
    fields.push("qos", qos.to_string());
    if qos > 0 {
        fields.push("id", body.two()?.to_string());
    }
    fields.push("dup", (first_byte >> 3 & 1).to_string());
    fields.push("retain", (first_byte & 1).to_string());
    body.properties(version, fields)?;
    fields.push("payload", show_bytes(body.take_all()));
    Ok(())
}

/// The unread rest of a packet.
struct Body<'a> {
    rest: &'a [u8],
}

impl<'a> Body<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or("the packet is cut short")?;
        self.rest = rest;
        Ok(taken)
    }

    fn take_all(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    fn one(&mut self) -> Result<u8, String> {
        Ok(u8::try_from(self.number(1)?).unwrap_or_default())
    }

    fn two(&mut self) -> Result<u16, String> {
        Ok(u16::try_from(self.number(2)?).unwrap_or_default())
    }

    fn number(&mut self, bytes: usize) -> Result<u64, String> {
        Ok(self.take(bytes)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn variable(&mut self) -> Result<u64, String> {
        let mut value = 0;
        for position in 0..4 {
            let byte = self.one()?;
            value |= u64::from(byte & 0x7F) << (7 * position);
            if byte & 0x80 == 0 {
                let padded = position > 0 && byte == 0;
                return if padded { Err("a padded length".to_owned()) } else { Ok(value) };
            }
        }
        Err("a length of more than four bytes".to_owned())
    }

    fn counted(&mut self) -> Result<&'a [u8], String> {
        let length = self.two()?;
        self.take(usize::from(length))
    }

    fn text(&mut self) -> Result<String, String> {
        let bytes = self.counted()?;
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| "a string is not UTF-8")?;
        if text.contains('\0') { Err("a string holds U+0000".to_owned()) } else { Ok(text) }
    }

    fn reason_and_properties(
        &mut self,
        version: Version,
        fields: &mut Fields,
    ) -> Result<(), String> {
        if version == Version::V5 {
            let code = if self.rest.is_empty() { 0 } else { self.one()? };
            fields.push("rc", code.to_string());
            if !self.rest.is_empty() {
                self.properties(version, fields)?;
            }
        }
        Ok(())
    }

    fn properties(&mut self, version: Version, fields: &mut Fields) -> Result<(), String> {
        if version != Version::V5 {
            return Ok(());
        }
        let length = self.variable()?;
        let mut list = Body { rest: self.take(length as usize)? };
        while !list.rest.is_empty() {
            let number = list.one()?;
            let row =
                property::by_number(number).ok_or_else(|| format!("property {number:#04x}"))?;
            let repeats = matches!(row.name, "user" | "sub_id");
            if !repeats && fields.first(row.name).is_some() {
                return Err(format!("property {} twice", row.name));
            }
            fields.push(row.name, list.property_value(row.form)?);
        }
        Ok(())
    }

    fn property_value(&mut self, form: Form) -> Result<String, String> {
        Ok(match form {
            Form::Byte => self.one()?.to_string(),
            Form::TwoBytes => self.two()?.to_string(),
            Form::FourBytes => self.number(4)?.to_string(),
            Form::Variable => self.variable()?.to_string(),
            Form::Text => self.text()?,
            Form::Binary => show_bytes(self.counted()?),
            Form::Pair => format!("{}:{}", self.text()?, self.text()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_packet_are_named() {
        let table: [(&[u8], Version); 7] = [
            (&[0x00, 0x00], Version::V5),
            (&[0x20, 0x02, 0x02, 0x00], Version::V311),
            (&[0x41, 0x02, 0x00, 0x01], Version::V5),
            (&[0x40, 0x03, 0x00, 0x01], Version::V5),
            (&[0xE0, 0x00], Version::V311),
            (&[0xD0, 0x81, 0x00], Version::V5),
            (b"\x30\x03\x00\x01\xff", Version::V311),
        ];
        for (bytes, version) in table {
            assert!(decode(bytes, version).is_err(), "{bytes:02x?}");
        }
    }
}
