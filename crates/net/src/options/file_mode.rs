//! A file mode as everybody knows it: octal digits as text. A plain number is refused, because 660
//! and 0o660 would mean different modes.

use std::fmt;

use serde::{Deserializer, Serializer, de};

/// All bits that say who may do what.
const MODE_MAX: u32 = 0o777;

const EXAMPLE: &str = "write the mode as octal digits in quotes, for example \"0660\"";

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands the field over so")]
pub(super) fn serialize<S: Serializer>(mode: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{mode:04o}"))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(source: D) -> Result<u32, D::Error> {
    source.deserialize_any(Mode)
}

struct Mode;

impl de::Visitor<'_> for Mode {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a file mode such as \"0660\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<u32, E> {
        let octal = !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
        let mode = octal.then(|| u32::from_str_radix(text, 8).ok()).flatten();
        mode.filter(|mode| text.len() >= 3 && *mode <= MODE_MAX)
            .ok_or_else(|| E::custom(format_args!("`{text}` is no file mode; {EXAMPLE}")))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<u32, E> {
        Err(E::custom(format_args!("`{number}` is a number; {EXAMPLE}")))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<u32, E> {
        Err(E::custom(format_args!("`{number}` is a number; {EXAMPLE}")))
    }
}

#[cfg(test)]
mod tests {
    use serde::de::{IntoDeserializer, value::Error};

    use super::deserialize;

    fn text(text: &str) -> Result<u32, String> {
        let source: serde::de::value::StrDeserializer<'_, Error> = text.into_deserializer();
        deserialize(source).map_err(|error| error.to_string())
    }

    #[test]
    fn a_mode_is_octal_digits() {
        assert_eq!(text("0660"), Ok(0o660));
        assert_eq!(text("600"), Ok(0o600));
        assert_eq!(text("0777"), Ok(0o777));
        for wrong in ["", "7", "0o660", "0680", "1777", "rw-rw----", "-660", "00000000660000"] {
            assert!(text(wrong).unwrap_err().contains("for example \"0660\""), "{wrong}");
        }
    }

    #[test]
    fn a_number_is_refused_with_the_mend() {
        let source: serde::de::value::I64Deserializer<Error> = 432_i64.into_deserializer();
        assert_eq!(
            deserialize(source).unwrap_err().to_string(),
            "`432` is a number; write the mode as octal digits in quotes, for example \"0660\""
        );
    }
}
