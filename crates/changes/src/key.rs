//! The name of a key of the configuration.

use std::{fmt, str::FromStr};

/// Tables around a key, and itself: more than the configuration has.
const PARTS_MAX: usize = 16;
/// Bytes of one of them.
const PART_BYTES_MAX: usize = 256;

/// A key with its tables, as `mqtt.max_inflight` or `shared.groups."a b"`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(Vec<String>);

/// Why that names no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// Nothing between two points, or nothing at all.
    #[error("a part of the key is empty; write for example mqtt.max_inflight")]
    Empty,
    /// More than a person would write.
    #[error("the key has more than {PARTS_MAX} parts, or one of more than {PART_BYTES_MAX} bytes")]
    Long,
    /// A quote that is open, or something behind it.
    #[error(
        "a quote in the key is not closed, or something stands behind it before the next point"
    )]
    Quote,
}

impl Key {
    /// The key of these parts.
    pub fn new(parts: Vec<String>) -> Result<Self, BadKey> {
        if parts.is_empty() || parts.iter().any(String::is_empty) {
            return Err(BadKey::Empty);
        }
        if parts.len() > PARTS_MAX || parts.iter().any(|part| part.len() > PART_BYTES_MAX) {
            return Err(BadKey::Long);
        }
        Ok(Self(parts))
    }

    /// Its tables and itself.
    pub fn parts(&self) -> &[String] {
        &self.0
    }

    /// The same as others take it.
    pub fn path(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }

    /// Whether one of both stands in the other, or they are the same.
    pub fn overlaps(&self, other: &Self) -> bool {
        let shared = self.0.len().min(other.0.len());
        self.0.iter().zip(&other.0).take(shared).all(|(one, other)| one == other)
    }

    /// Whether it is the other, or a table around it.
    pub fn holds(&self, other: &Self) -> bool {
        self.0.len() <= other.0.len() && self.overlaps(other)
    }
}

/// As TOML writes it.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            if part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
                f.write_str(part)?;
            } else {
                // Escapes of Rust are more than TOML has; what matters is that it reads back.
                write!(f, "{part:?}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for Key {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        let mut parts = Vec::new();
        let mut rest = text.trim();
        loop {
            let (part, behind) = if let Some(quoted) = rest.strip_prefix('"') {
                until_quote(quoted)?
            } else {
                let end = rest.find('.').unwrap_or(rest.len());
                let (part, behind) = rest.split_at(end);
                (part.to_owned(), behind)
            };
            parts.push(part);
            match behind.strip_prefix('.') {
                _ if parts.len() > PARTS_MAX => return Err(BadKey::Long),
                Some(next) => rest = next,
                None if behind.is_empty() => return Self::new(parts),
                None => return Err(BadKey::Quote),
            }
        }
    }
}

/// What stands before the closing quote, and what behind it.
fn until_quote(text: &str) -> Result<(String, &str), BadKey> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => {
                let (inside, behind) = text.split_at(at);
                return Ok((unescaped(inside)?, behind.strip_prefix('"').unwrap_or(behind)));
            }
            _ => {}
        }
    }
    Err(BadKey::Quote)
}

fn unescaped(text: &str) -> Result<String, BadKey> {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        plain.push(match chars.next().ok_or(BadKey::Quote)? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            '0' => '\0',
            'u' => {
                let code: String = chars.by_ref().skip(1).take_while(|c| *c != '}').collect();
                let code = u32::from_str_radix(&code, 16).ok();
                code.and_then(char::from_u32).ok_or(BadKey::Quote)?
            }
            other => other,
        });
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BadKey, Key};

    proptest! {
        #[test]
        fn what_is_written_reads_back(parts in prop::collection::vec(".{1,12}", 1..5)) {
            let key = Key::new(parts).unwrap();
            prop_assert_eq!(key.to_string().parse(), Ok(key));
        }

        #[test]
        fn no_text_is_too_strange(text in ".{0,64}") {
            drop(text.parse::<Key>());
        }
    }

    #[test]
    fn what_is_no_key_says_why() {
        let long = "a.".repeat(40);
        for (text, error) in [
            ("", BadKey::Empty),
            ("mqtt..x", BadKey::Empty),
            ("a.\"b", BadKey::Quote),
            ("a.\"b\"c", BadKey::Quote),
            ("\"\\u{zz}\"", BadKey::Quote),
            (long.as_str(), BadKey::Long),
        ] {
            assert_eq!(text.parse::<Key>(), Err(error), "{text}");
        }
    }

    #[test]
    fn tables_hold_their_keys() {
        let key = |text: &str| text.parse::<Key>().unwrap();
        assert!(key("mqtt").holds(&key("mqtt.maximum_qos")));
        assert!(!key("mqtt.maximum_qos").holds(&key("mqtt")));
        assert!(key("mqtt.maximum_qos").overlaps(&key("mqtt")));
        assert!(!key("mqtt.a").overlaps(&key("mqtt.b")));
    }
}
