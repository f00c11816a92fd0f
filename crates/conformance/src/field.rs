//! The words of a step: `key=value` in order, with repetition. A bare word is a flag, `retain` for
//! `retain=1`.

use std::fmt;

use crate::ScriptError;

/// One `key=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// What is named.
    pub key: String,
    /// Its value as written.
    pub value: String,
}

/// Fields in their order; a key may occur more than once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<Field>);

impl Fields {
    /// Reads words as a split line gives them.
    pub fn parse(words: &[String]) -> Self {
        let field = |word: &String| match word.split_once('=') {
            Some((key, value)) => Field { key: key.to_owned(), value: value.to_owned() },
            None => Field { key: word.clone(), value: "1".to_owned() },
        };
        Self(words.iter().map(field).collect())
    }

    /// Adds one at the end.
    pub fn push(&mut self, key: &str, value: impl Into<String>) {
        self.0.push(Field { key: key.to_owned(), value: value.into() });
    }

    /// The first value of a key.
    pub fn first(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|field| field.key == key).map(|field| field.value.as_str())
    }

    /// Every value of a key, in order.
    pub fn all(&self, key: &str) -> Vec<&str> {
        self.0.iter().filter(|field| field.key == key).map(|field| field.value.as_str()).collect()
    }

    /// The fields in order.
    pub fn iter(&self) -> impl Iterator<Item = &Field> {
        self.0.iter()
    }

    /// A number, or the given one when the key is absent.
    pub fn number(&self, key: &str, default: u64) -> Result<u64, ScriptError> {
        self.first(key).map_or(Ok(default), parse_number)
    }
}

impl FromIterator<Field> for Fields {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_MAX: usize = 120;
        for field in &self.0 {
            let shown: String = field.value.chars().take(SHOWN_MAX).collect();
            let rest = if shown.len() < field.value.len() { "…" } else { "" };
            if shown.is_empty() || shown.contains(char::is_whitespace) {
                write!(f, " {}={shown:?}{rest}", field.key)?;
            } else {
                write!(f, " {}={shown}{rest}", field.key)?;
            }
        }
        Ok(())
    }
}

/// Decimal, or hexadecimal with `0x`.
pub(crate) fn parse_number(text: &str) -> Result<u64, ScriptError> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| ScriptError::BadNumber(text.to_owned()))
}

/// Splits at white space; double quotes keep a word together and `\"`, `\\`, `\u{…}` stand for a
/// character.
pub(crate) fn split_words(line: &str) -> Result<Vec<String>, ScriptError> {
    let bad = || ScriptError::BadStep(line.to_owned());
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' => word.get_or_insert_default().push(escape(&mut chars).ok_or_else(bad)?),
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    if quoted { Err(bad()) } else { Ok(words) }
}

/// The character an escape stands for; the reader stands behind the backslash.
pub(crate) fn escape(chars: &mut std::str::Chars<'_>) -> Option<char> {
    match chars.next()? {
        'u' => {
            let digits: String =
                chars.by_ref().skip_while(|c| *c == '{').take_while(|c| *c != '}').collect();
            u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)
        }
        'n' => Some('\n'),
        c @ ('"' | '\\' | '\'') => Some(c),
        _ => None,
    }
}

/// The bytes a value stands for: `hex:…` or its own UTF-8.
pub(crate) fn value_bytes(value: &str) -> Result<Vec<u8>, ScriptError> {
    match value.strip_prefix("hex:") {
        Some(digits) => hex_bytes(digits),
        None => Ok(value.as_bytes().to_vec()),
    }
}

/// Pairs of hexadecimal digits.
pub(crate) fn hex_bytes(digits: &str) -> Result<Vec<u8>, ScriptError> {
    let bad = || ScriptError::BadValue(digits.to_owned());
    if !digits.is_ascii() || !digits.len().is_multiple_of(2) {
        return Err(bad());
    }
    (0..digits.len())
        .step_by(2)
        .map(|at| {
            let pair = digits.get(at..at + 2).ok_or_else(bad)?;
            u8::from_str_radix(pair, 16).map_err(|_| bad())
        })
        .collect()
}

fn hex_digit(half: u8) -> char {
    char::from_digit(u32::from(half), 16).unwrap_or('?')
}

/// How bytes read back: as text where they are printable text, else as `hex:…`.
pub(crate) fn show_bytes(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => {
            let mut shown = "hex:".to_owned();
            for byte in bytes {
                shown.extend([byte >> 4, byte & 15].map(hex_digit));
            }
            shown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_words_together_and_flags_are_one() {
        let words = split_words(r#"topic="a b" retain payload=x\"y\u{e9}"#).unwrap();
        let fields = Fields::parse(&words);
        assert_eq!(fields.first("topic"), Some("a b"));
        assert_eq!(fields.first("retain"), Some("1"));
        assert_eq!(fields.first("payload"), Some("x\"yé"));
        assert!(split_words("topic=\"a").is_err());
    }

    #[test]
    fn bytes_read_back_as_they_were_written() {
        for value in ["hello", "hex:00ff", "é"] {
            assert_eq!(show_bytes(&value_bytes(value).unwrap()), value);
        }
        assert!(value_bytes("hex:0").is_err());
        assert!(value_bytes("hex:zz").is_err());
    }
}
