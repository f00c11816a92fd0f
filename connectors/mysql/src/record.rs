//! Records in the binary form of prepared statements.

use bytes::Buf;
use plexus_admission::{Fields, Trouble};

use crate::channel::{counted, odd, take};

/// A column of what is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    name: String,
    kind: u8,
    is_unsigned: bool,
}

const UNSIGNED: u16 = 1 << 5;

impl Column {
    pub(crate) fn read(packet: &[u8]) -> Result<Self, Trouble> {
        Self::parts(packet).ok_or_else(|| odd("a column"))
    }

    fn parts(mut rest: &[u8]) -> Option<Self> {
        let rest = &mut rest;
        for _ in ["catalog", "schema", "table", "table as it is stored"] {
            counted(rest)?;
        }
        let name = std::str::from_utf8(counted(rest)?).ok()?.to_owned();
        counted(rest)?; // The name as it is stored.
        take(rest, 1 + 2 + 4)?; // How much follows, character set, length.
        let kind = rest.try_get_u8().ok()?;
        let is_unsigned = rest.try_get_u16_le().ok()? & UNSIGNED != 0;
        Some(Self { name, kind, is_unsigned })
    }

    /// A value of a simple type as its text.
    fn text(&self, packet: &mut &[u8]) -> Result<String, Trouble> {
        let text = match (self.kind, self.is_unsigned) {
            (1, false) => packet.try_get_i8().ok().map(|it| it.to_string()),
            (1, true) => packet.try_get_u8().ok().map(|it| it.to_string()),
            (2, false) => packet.try_get_i16_le().ok().map(|it| it.to_string()),
            (2, true) | (13, _) => packet.try_get_u16_le().ok().map(|it| it.to_string()),
            (3 | 9, false) => packet.try_get_i32_le().ok().map(|it| it.to_string()),
            (3 | 9, true) => packet.try_get_u32_le().ok().map(|it| it.to_string()),
            (8, false) => packet.try_get_i64_le().ok().map(|it| it.to_string()),
            (8, true) => packet.try_get_u64_le().ok().map(|it| it.to_string()),
            // BIT: the highest bits first.
            (16, _) => counted(packet).filter(|bits| bits.len() <= 8).map(|bits| {
                bits.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)).to_string()
            }),
            // DECIMAL, VARCHAR, JSON, ENUM, SET, and what holds texts of any length.
            (0 | 15 | 245..=254, _) => {
                counted(packet).and_then(|text| std::str::from_utf8(text).ok()).map(str::to_owned)
            }
            // Moments, fractions, places on earth: nothing of a user that is asked for here.
            (kind, _) => {
                let name = &self.name;
                let problem = format!("`{name}` is of the type {kind}; read it as CHAR by CAST");
                return Err(Trouble::Nonsense(problem));
            }
        };
        text.ok_or_else(|| Trouble::Nonsense(format!("`{}` is no text", self.name)))
    }
}

/// What stands in a record, behind its first byte.
pub(crate) fn fields(columns: &[Column], mut packet: &[u8]) -> Result<Fields, Trouble> {
    // Two bits are before those of the columns that say which of them have no value.
    let bits = take(&mut packet, (columns.len() + 7 + 2) / 8).ok_or_else(|| odd("a record"))?;
    let mut found = Fields::new();
    for (at, column) in columns.iter().enumerate() {
        let at = at + 2;
        let is_empty = bits.get(at / 8).is_some_and(|byte| byte >> (at % 8) & 1 == 1);
        if !is_empty {
            found.insert(column.name.clone(), column.text(&mut packet)?);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use plexus_admission::Trouble;

    use super::{Column, fields};

    fn column(name: &str, kind: u8, is_unsigned: bool) -> Column {
        Column { name: name.to_owned(), kind, is_unsigned }
    }

    #[test]
    fn values_of_simple_types_are_texts() {
        let columns = [
            column("tiny", 1, false),
            column("none", 253, false),
            column("bit", 16, true),
            column("big", 8, true),
            column("text", 254, false),
            column("year", 13, true),
        ];
        let record = b"\x08\xFF\x02\x01\x02\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02ab\xE8\x07";
        let found = fields(&columns, record).unwrap();
        let found: Vec<_> = found.iter().map(|(name, text)| (&**name, &**text)).collect();
        let wanted = [
            ("big", "18446744073709551614"),
            ("bit", "258"),
            ("text", "ab"),
            ("tiny", "-1"),
            ("year", "2024"),
        ];
        assert_eq!(found, wanted);
        for end in 0..record.len() {
            assert!(fields(&columns, &record[..end]).is_err(), "{end}");
        }
        let moment = fields(&[column("at", 12, false)], b"\0\0");
        assert!(matches!(moment, Err(Trouble::Nonsense(_))), "{moment:?}");
        let binary = fields(&[column("at", 252, false)], b"\0\x01\xFF");
        assert!(matches!(binary, Err(Trouble::Nonsense(_))), "{binary:?}");
    }
}
