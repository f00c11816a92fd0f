//! Tenants: several worlds in one node.
//!
//! Inside the node the names of a tenant's topics and clients stand behind its own, in a place that no
//! client can name: a level that has `+` and more in it is neither of a topic ([MQTT-3.3.2-2]) nor of a
//! filter ([MQTT-4.7.1-2]), and no text has U+0000 ([MQTT-1.5.4-2]).
//!
//! ```text
//! a/b                     $+acme/a/b
//! $SYS/x                  $+acme+/$SYS/x
//! $share/g/a/+            $share/g/$+acme/a/+
//! robot-1 (a client)      NUL acme/robot-1
//! ```
//! Whatever compares names keeps tenants apart without knowing of them. What has no tenant is not changed.

use std::{borrow::Cow, fmt, sync::Arc};

use bytes::{BufMut, Bytes, BytesMut};

use crate::{ClientId, Text, TextError, TopicError, TopicFilter, TopicName};

/// The name of a tenant: 1 to 64 of the letters `A` to `Z` and `a` to `z`, digits, `_` and `-`. Cheap to
/// clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantName(Arc<str>);

/// Why a text names no tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tenant is named by 1 to 64 letters, digits, '_' and '-'")]
pub struct TenantNameError;

impl TenantName {
    /// The longest name, in bytes.
    pub const LENGTH_MAX: usize = 64;

    /// The name as a string slice.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The topic of this tenant, as the node knows it. It must be a client's own name for it.
    #[must_use]
    pub fn topic(&self, topic: &TopicName) -> TopicName {
        TopicName::of_node(self.placed(&[], topic.as_bytes()))
    }

    /// The filter of this tenant, as the node knows it. A group stays one of its name and filter.
    #[must_use]
    pub fn filter(&self, filter: &TopicFilter) -> TopicFilter {
        let (whole, matched) = (filter.as_str(), filter.matched());
        let before = whole.strip_suffix(matched).unwrap_or_default();
        TopicFilter::of_node(self.placed(before.as_bytes(), matched.as_bytes()))
    }

    /// The client of this tenant, as the node knows it.
    #[must_use]
    pub fn client(&self, client: &ClientId) -> ClientId {
        ClientId::of_node(&self.place(client))
    }

    /// What goes by that name in this tenant, where the names of all tenants stand side by side.
    #[must_use]
    pub fn place(&self, name: &str) -> String {
        format!("\0{}/{name}", self.0)
    }

    fn placed(&self, before: &[u8], name: &[u8]) -> Bytes {
        let mut bytes = BytesMut::with_capacity(before.len() + self.0.len() + name.len() + 4);
        bytes.put_slice(before);
        bytes.put_slice(MARK);
        bytes.put_slice(self.0.as_bytes());
        if name.first() == Some(&b'$') {
            // Hidden from the tenant's own leading wildcards, too ([MQTT-4.7.2-1]).
            bytes.put_u8(b'+');
        }
        bytes.put_u8(b'/');
        bytes.put_slice(name);
        bytes.freeze()
    }
}

impl TryFrom<&str> for TenantName {
    type Error = TenantNameError;
    fn try_from(text: &str) -> Result<Self, TenantNameError> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        let fits = (1..=Self::LENGTH_MAX).contains(&text.len());
        if fits && text.bytes().all(known) { Ok(Self(text.into())) } else { Err(TenantNameError) }
    }
}

impl std::borrow::Borrow<str> for TenantName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TenantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl fmt::Display for TenantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How the place of a tenant's topics begins.
const MARK: &[u8] = MARK_TEXT.as_bytes();
const MARK_TEXT: &str = "$+";

/// The bytes of a topic before the name that its clients know it by.
fn length_before(topic: &[u8]) -> usize {
    if !topic.starts_with(MARK) {
        return 0; // Nearly all.
    }
    memchr::memchr(b'/', topic).map_or(0, |slash| slash + 1)
}

fn tenant_of<'a>(name: &'a str, mark: &str) -> Option<&'a str> {
    let (tenant, _) = name.strip_prefix(mark)?.split_once('/')?;
    Some(tenant.strip_suffix('+').unwrap_or(tenant))
}

/// The tenant that stands before its name for something, if that is well-formed.
fn name_before(name: &str, mark: &str) -> Option<TenantName> {
    TenantName::try_from(tenant_of(name, mark)?).ok()
}

impl TopicName {
    /// What its clients call it: all of it, where there is no tenant.
    #[inline]
    pub fn shown(&self) -> &[u8] {
        let bytes = self.as_bytes();
        if bytes.first() != Some(&b'$') {
            return bytes;
        }
        bytes.get(length_before(bytes)..).unwrap_or_default()
    }

    /// The same as a topic of its own.
    #[must_use]
    pub fn to_shown(&self) -> Self {
        let bytes = self.text().bytes();
        Self::of_node(bytes.slice(length_before(bytes)..))
    }

    /// The name of the tenant whose it is.
    pub fn tenant(&self) -> Option<&str> {
        if self.is_dollar() { tenant_of(self.as_str(), MARK_TEXT) } else { None }
    }

    /// A topic that the node has written down, perhaps a tenant's.
    pub fn from_node(bytes: Bytes) -> Result<Self, TopicError> {
        let before = length_before(&bytes);
        let shown = Self::new(Text::new(bytes.slice(before..))?)?;
        if before == 0 {
            return Ok(shown);
        }
        let whole = std::str::from_utf8(&bytes).map_err(|_| TextError::NotUtf8)?;
        name_before(whole, MARK_TEXT).ok_or(TopicError::Wildcard)?;
        Ok(Self::of_node(bytes))
    }
}

impl TopicFilter {
    /// What its clients call a filter that is written so, `$share/…/` included.
    pub fn shown_of(text: &str) -> Cow<'_, str> {
        let placed = text.split_once(MARK_TEXT).and_then(|(before, behind)| {
            let (_, shown) = behind.split_once('/')?;
            Some((before, shown))
        });
        placed.map_or(Cow::Borrowed(text), |(before, shown)| Cow::Owned(format!("{before}{shown}")))
    }
}

impl ClientId {
    /// What the client calls itself: all of it, where there is no tenant.
    pub fn shown(&self) -> &str {
        Self::shown_of(self.as_str())
    }

    /// The same of the text of an identifier.
    pub fn shown_of(text: &str) -> &str {
        match text.strip_prefix('\0') {
            Some(rest) => rest.split_once('/').map_or(rest, |(_, shown)| shown),
            None => text,
        }
    }

    /// The name of the tenant whose it is.
    pub fn tenant(&self) -> Option<TenantName> {
        name_before(self.as_str(), "\0")
    }

    /// An identifier that the node has written down, perhaps of a tenant's client.
    pub fn from_node(text: &str) -> Result<Self, TextError> {
        Text::check(Self::shown_of(text).as_bytes())?;
        if text.starts_with('\0') {
            name_before(text, "\0").ok_or(TextError::Null)?;
        }
        Ok(Self::of_node(text))
    }
}

#[cfg(test)]
mod tests;
