use std::{fmt, ops::Deref, sync::Arc};

use crate::{Text, TextError};

/// The Client Identifier: names a session within a node ([MQTT-3.1.3-2]). Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(Arc<str>);

impl ClientId {
    /// A client identifier from checked text. Empty only in CONNECT and in the principal of `$SYS`.
    pub fn new(text: &Text) -> Self {
        Self(Arc::from(text.as_str()))
    }

    /// Of a text that the node has made.
    pub(crate) fn of_node(text: &str) -> Self {
        Self(Arc::from(text))
    }

    /// The identifier as a string slice.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the client left its name to the server ([MQTT-3.1.3-6]).
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<&str> for ClientId {
    type Error = TextError;
    fn try_from(text: &str) -> Result<Self, TextError> {
        Text::try_from(text).map(|text| Self::new(&text))
    }
}

impl Deref for ClientId {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for ClientId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
