use bytes::{Bytes, BytesMut};
use plexus_types::Text;

use crate::property::{UserPropertyIter, put_pair};

/// User Properties in the order they came ([MQTT-3.1.3-10]), held as their checked property bytes
/// (each with its identifier 0x26), because a node mostly passes them on. Iterate with
/// [`UserProperties::iter`], build with [`UserProperties::from_pairs`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserProperties(Bytes);

impl UserProperties {
    /// Takes property bytes that the decoder has checked.
    pub(crate) const fn from_checked(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The properties of these names and values, in that order.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (Text, Text)>) -> Self {
        let mut buffer = BytesMut::new();
        for (name, value) in pairs {
            put_pair(&mut buffer, &name, &value);
        }
        Self(buffer.freeze())
    }

    /// Names and values in their order; slices, not copies.
    pub const fn iter(&self) -> UserPropertyIter<'_> {
        UserPropertyIter::new(&self.0)
    }

    /// The encoded properties.
    pub const fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a UserProperties {
    type Item = (Text, Text);
    type IntoIter = UserPropertyIter<'a>;

    fn into_iter(self) -> UserPropertyIter<'a> {
        self.iter()
    }
}
