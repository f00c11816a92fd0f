//! Records as lines, each with the hash of the one before it and its own.
//!
//! ```text
//! {"seq":2,"time":"2026-11-30T21:00:00.000001Z","kind":"access","act":"publish",…,
//!  "prev":"<hash of 1>","hash":"<SHA-256 of all that stands before ,"hash">"}
//! ```
//!
//! The line itself is what is hashed, so that there is no second form of a record that could differ from
//! it: everything before `,"hash":`, which holds the hash of the record before.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use plexus_stdx::calendar;

use crate::Event;

/// Bytes of a text in a record; what is longer is cut off. A client identifier may be 64 KiB.
const TEXT_MAX: usize = 1_024;
/// What stands at the place of the rest.
const CUT_OFF: char = '…';
const HASH_KEY: &str = ",\"hash\":\"";
const LINE_END: &str = "\"}";
/// Bytes of a hash.
const HASH_BYTES: usize = 32;

/// SHA-256 over a record and, with it, over all before it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash([u8; HASH_BYTES]);

impl Hash {
    /// What stands before the first record.
    pub const NONE: Self = Self([0; HASH_BYTES]);

    /// Of these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let digest = digest(&SHA256, bytes);
        let bytes = digest.as_ref().try_into().expect("invariant: SHA-256 has 32 bytes");
        Self(bytes)
    }

    /// Reads what [`fmt::Display`] writes.
    fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; HASH_BYTES];
        if text.len() != 2 * HASH_BYTES {
            return None;
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        let hash = Self(bytes);
        // One form only: no capitals, no signs.
        (hash.to_string() == text).then_some(hash)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A moment: microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    /// So many microseconds after 1970 began.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Whole seconds since 1970.
    pub const fn seconds(self) -> u64 {
        self.0 / 1_000_000
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.seconds(), self.0 % 1_000_000);
        write!(f, "{}T{}.{micros:06}Z", calendar::day(seconds), calendar::time(seconds))
    }
}

/// The place of the last record: its number, from 1 on, and its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) seq: u64,
    pub(crate) hash: Hash,
}

impl Link {
    /// Before the first record.
    pub(crate) const START: Self = Self { seq: 0, hash: Hash::NONE };

    /// Writes the next record as a line.
    #[must_use]
    pub(crate) fn append(self, time: Moment, event: &Event, into: &mut Vec<u8>) -> Self {
        let seq = self.seq + 1;
        let mut line = format!("{{\"seq\":{seq},\"time\":\"{time}\"");
        let Event { kind, act, who, target, outcome, because } = event;
        let peer = who.peer.map(|peer| peer.to_string());
        let fields = [
            ("kind", Some(kind.word())),
            ("act", Some(act)),
            ("client", who.client.as_deref()),
            ("user", who.user.as_deref()),
            ("peer", peer.as_deref()),
            ("listener", who.listener.as_deref()),
            ("tenant", who.tenant.as_deref()),
            ("target", target.as_deref()),
            ("outcome", Some(outcome.word())),
            ("because", because.as_deref()),
        ];
        for (key, value) in fields {
            if let Some(value) = value {
                push_field(key, &cut(value), &mut line);
            }
        }
        push_field("prev", &self.hash.to_string(), &mut line);
        let hash = Hash::of(line.as_bytes());
        line.push_str(HASH_KEY);
        line.push_str(&hash.to_string());
        line.push_str(LINE_END);
        line.push('\n');
        into.extend_from_slice(line.as_bytes());
        Self { seq, hash }
    }
}

fn push_field(key: &str, value: &str, line: &mut String) {
    line.push_str(",\"");
    line.push_str(key);
    line.push_str("\":");
    // JSON escapes what could end the text or the line.
    line.push_str(&serde_json::Value::from(value).to_string());
}

/// As much of a text as a record holds.
fn cut(text: &str) -> std::borrow::Cow<'_, str> {
    if text.len() <= TEXT_MAX {
        return text.into();
    }
    let end = (0..=TEXT_MAX - CUT_OFF.len_utf8()).rev().find(|end| text.is_char_boundary(*end));
    let mut kept = text.get(..end.unwrap_or(0)).unwrap_or_default().to_owned();
    kept.push(CUT_OFF);
    kept.into()
}

/// A line that is whole in itself: nothing in it was changed since it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) link: Link,
    /// The hash that it says the one before it has.
    pub(crate) before: Hash,
    /// Its fields.
    pub(crate) fields: serde_json::Map<String, serde_json::Value>,
}

impl Written {
    /// A field of it that is text.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.fields.get(key)?.as_str()
    }
}

/// Why a line is not a record as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadLine {
    /// It has not the form of one.
    Form,
    /// It says something else than what its hash was made of.
    Hash,
}

/// Reads a line, without its end.
pub(crate) fn read_line(line: &[u8]) -> Result<Written, BadLine> {
    let line = std::str::from_utf8(line).map_err(|_| BadLine::Form)?;
    let (said, rest) = line.rsplit_once(HASH_KEY).ok_or(BadLine::Form)?;
    let hash = rest.strip_suffix(LINE_END).and_then(Hash::parse).ok_or(BadLine::Form)?;
    if Hash::of(said.as_bytes()) != hash {
        return Err(BadLine::Hash);
    }
    let fields: serde_json::Map<_, _> = serde_json::from_str(line).map_err(|_| BadLine::Form)?;
    let number = fields.get("seq").and_then(serde_json::Value::as_u64);
    let before = fields.get("prev").and_then(serde_json::Value::as_str).and_then(Hash::parse);
    match (number, before) {
        (Some(seq), Some(before)) => Ok(Written { link: Link { seq, hash }, before, fields }),
        _ => Err(BadLine::Form),
    }
}

#[cfg(test)]
mod tests;
