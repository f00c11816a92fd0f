use bytes::Bytes;

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

    /// The encoded properties.
    pub const fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
