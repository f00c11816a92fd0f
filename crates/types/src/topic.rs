use std::{fmt, ops::Deref};

use bytes::Bytes;

use crate::{Text, TextError};

/// A Topic Name: at least one character, no wildcard ([MQTT-4.7.3-1], [MQTT-3.3.2-2]). As every
/// text, it holds no U+0000 ([MQTT-4.7.3-2] [MQTT3-4.7.3-2]).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicName(Text);

/// A Topic Filter, checked for the placement of its wildcards ([MQTT-4.7.1-1], [MQTT-4.7.1-2],
/// [MQTT3-4.7.1-2], [MQTT3-4.7.1-3]).
/// A filter that begins with `$share/` is well-formed as a shared one ([MQTT-4.8.2-1]).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicFilter(Text);

/// Why a text is no topic name or no topic filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// The text has no character ([MQTT-4.7.3-1]).
    #[error("is empty")]
    Empty,
    /// The text itself is not well-formed.
    #[error("{0}")]
    Text(#[from] TextError),
    /// A topic name holds `+` or `#` ([MQTT-3.3.2-2]).
    #[error("a topic name must not contain '+' or '#'")]
    Wildcard,
    /// `#` is not a whole last level ([MQTT-4.7.1-1]).
    #[error("'#' must be the whole last level")]
    MultiLevel,
    /// `+` is not a whole level ([MQTT-4.7.1-2]).
    #[error("'+' must be a whole level")]
    SingleLevel,
    /// `$share/` without a name, with a wildcard in the name, or without a filter ([MQTT-4.8.2-1],
    /// [MQTT-4.8.2-2]).
    #[error("a shared subscription reads $share/<name>/<filter>, the name without '+' and '#'")]
    Shared,
}

impl TopicName {
    /// Checks a text as topic name.
    pub fn new(text: Text) -> Result<Self, TopicError> {
        if text.as_bytes().is_empty() {
            return Err(TopicError::Empty);
        }
        if Self::has_wildcard(text.as_bytes()) {
            return Err(TopicError::Wildcard);
        }
        Ok(Self(text))
    }

    /// Whether `+` or `#` is in the bytes, which no topic name may have ([MQTT-3.3.2-2]).
    pub fn has_wildcard(bytes: &[u8]) -> bool {
        memchr::memchr2(b'+', b'#', bytes).is_some()
    }

    /// The topic as text.
    pub fn text(&self) -> &Text {
        &self.0
    }

    /// The bytes of the topic.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Its number of bytes.
    #[expect(clippy::len_without_is_empty, reason = "a topic name is never empty")]
    pub fn len(&self) -> usize {
        self.0.as_bytes().len()
    }

    /// Its number of levels, at least one.
    pub fn levels(&self) -> usize {
        levels(self.as_bytes())
    }

    /// Whether it begins with `$` and is thus hidden from leading wildcards ([MQTT-4.7.2-1]).
    pub fn is_dollar(&self) -> bool {
        self.as_bytes().first() == Some(&b'$')
    }

    /// The same topic held by other, equal bytes.
    pub(crate) fn with_bytes_of(&self, bytes: Bytes) -> Self {
        debug_assert_eq!(bytes, self.0.bytes(), "the same topic in another place");
        Self(Text::of_node(bytes))
    }
}

impl TopicFilter {
    /// Checks a text as topic filter, plain or shared.
    pub fn new(text: Text) -> Result<Self, TopicError> {
        let bytes = text.as_bytes();
        if bytes.is_empty() {
            return Err(TopicError::Empty);
        }
        match bytes.strip_prefix(b"$share/") {
            Some(rest) => check_shared(rest)?,
            None => check_wildcards(bytes)?,
        }
        Ok(Self(text))
    }

    /// The filter as text, `$share/…/` included.
    pub fn text(&self) -> &Text {
        &self.0
    }

    /// The bytes of the filter, `$share/…/` included.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The share name and the filter behind it when this is a shared subscription.
    pub fn shared(&self) -> Option<SharedFilter<'_>> {
        let rest = self.as_str().strip_prefix("$share/")?;
        let (name, filter) = rest.split_once('/').expect("invariant: checked in `new`");
        Some(SharedFilter { name, filter })
    }

    /// The filter that topics are matched against: without `$share/<name>/`.
    pub fn matched(&self) -> &str {
        self.shared().map_or_else(|| self.as_str(), |shared| shared.filter)
    }

    /// Whether it has a wildcard.
    pub fn has_wildcard(&self) -> bool {
        self.matched().bytes().any(|byte| matches!(byte, b'+' | b'#'))
    }

    /// Its number of levels without `$share/<name>/`, at least one.
    pub fn levels(&self) -> usize {
        levels(self.matched().as_bytes())
    }
}

/// The two parts of `$share/<name>/<filter>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedFilter<'a> {
    /// The Share Name.
    pub name: &'a str,
    /// The Topic Filter of the group.
    pub filter: &'a str,
}

/// Whether `topic` matches `filter` (without `$share/`): the definition that indexes are tested
/// against ([MQTT-4.7.1-1] to [MQTT-4.7.3-4]): level by level and byte by byte, nothing is
/// normalised ([MQTT3-4.7.3-4]), and topics that begin with `$` are hidden from a leading wildcard
/// ([MQTT-4.7.2-1] [MQTT3-4.7.2-1]).
pub fn filter_matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let (mut filters, mut topics) = (filter.split('/'), topic.split('/'));
    loop {
        match (filters.next(), topics.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(wanted), Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
}

fn levels(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'/', bytes).count() + 1
}

fn check_shared(rest: &[u8]) -> Result<(), TopicError> {
    let slash = rest.iter().position(|byte| *byte == b'/').ok_or(TopicError::Shared)?;
    let (name, filter) = rest.split_at(slash);
    let filter = filter.get(1..).unwrap_or_default();
    let wild = name.iter().any(|byte| matches!(byte, b'+' | b'#'));
    if name.is_empty() || wild || filter.is_empty() {
        return Err(TopicError::Shared);
    }
    check_wildcards(filter)
}

fn check_wildcards(bytes: &[u8]) -> Result<(), TopicError> {
    let mut levels = bytes.split(|byte| *byte == b'/').peekable();
    while let Some(level) = levels.next() {
        match level {
            b"+" => {}
            b"#" if levels.peek().is_none() => {}
            _ if level.contains(&b'#') => return Err(TopicError::MultiLevel),
            _ if level.contains(&b'+') => return Err(TopicError::SingleLevel),
            _ => {}
        }
    }
    Ok(())
}

macro_rules! text_newtype {
    ($name:ident) => {
        impl Deref for $name {
            type Target = str;
            fn deref(&self) -> &str {
                self.0.as_str()
            }
        }

        impl $name {
            /// As a string slice.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// Of the text of another one: it is not checked again.
            pub fn from_checked(text: &str) -> Self {
                Self(Text::of_node(Bytes::copy_from_slice(text.as_bytes())))
            }

            /// Of a name that the node has made.
            pub(crate) fn of_node(bytes: Bytes) -> Self {
                Self(Text::of_node(bytes))
            }

            /// A copy that keeps no packet alive.
            #[must_use]
            pub fn detached(&self) -> Self {
                Self(self.0.detached())
            }
        }

        impl TryFrom<&str> for $name {
            type Error = TopicError;
            fn try_from(text: &str) -> Result<Self, TopicError> {
                Self::new(Text::try_from(text)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

text_newtype!(TopicName);
text_newtype!(TopicFilter);

#[cfg(test)]
mod tests;
