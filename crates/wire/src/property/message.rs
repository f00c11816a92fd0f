use bytes::{Bytes, BytesMut};
use plexus_types::{MessageProperties, Text, TopicName};

use super::{PropertyId, user::put_pair};
use crate::{EncodeError, UserProperties, reader::Reader, sink::Sink};

/// One property that travels with an Application Message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageProperty {
    /// Payload Format Indicator: whether the payload claims to be UTF-8.
    PayloadFormat(bool),
    /// Content Type.
    ContentType(Text),
    /// Response Topic.
    ResponseTopic(TopicName),
    /// Correlation Data.
    CorrelationData(Bytes),
    /// One User Property.
    User(Text, Text),
}

/// The properties of a message one by one, in their order; values are slices, not copies.
pub const fn message_properties(properties: &MessageProperties) -> MessagePropertyIter<'_> {
    MessagePropertyIter { block: properties.bytes(), at: 0 }
}

/// Whether the payload claims to be UTF-8 (Payload Format Indicator 1).
pub fn payload_format_is_utf8(properties: &MessageProperties) -> bool {
    message_properties(properties).any(|property| property == MessageProperty::PayloadFormat(true))
}

/// Iterator of [`message_properties`]. It ends where bytes are no property of a message, which
/// checked bytes never are.
#[derive(Debug, Clone)]
pub struct MessagePropertyIter<'a> {
    block: &'a Bytes,
    at: usize,
}

impl Iterator for MessagePropertyIter<'_> {
    type Item = MessageProperty;

    fn next(&mut self) -> Option<MessageProperty> {
        let mut reader = Reader::new(self.block, self.at, self.block.len());
        if reader.is_empty() {
            return None;
        }
        let property = match PropertyId::read(&mut reader).ok()? {
            PropertyId::PayloadFormatIndicator => {
                MessageProperty::PayloadFormat(reader.u8().ok()? == 1)
            }
            PropertyId::ContentType => MessageProperty::ContentType(reader.text().ok()?),
            PropertyId::ResponseTopic => {
                MessageProperty::ResponseTopic(TopicName::new(reader.text().ok()?).ok()?)
            }
            PropertyId::CorrelationData => MessageProperty::CorrelationData(reader.binary().ok()?),
            PropertyId::UserProperty => {
                MessageProperty::User(reader.text().ok()?, reader.text().ok()?)
            }
            _ => return None,
        };
        self.at = reader.position();
        Some(property)
    }
}

/// Puts together the properties of a message that does not come from a packet.
#[derive(Debug, Clone, Default)]
pub struct MessagePropertiesBuilder {
    payload_format: Option<bool>,
    content_type: Option<Text>,
    response_topic: Option<TopicName>,
    correlation_data: Option<Bytes>,
    users: BytesMut,
}

impl MessagePropertiesBuilder {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Payload Format Indicator: whether the payload is UTF-8.
    #[must_use]
    pub fn payload_format(mut self, utf8: bool) -> Self {
        self.payload_format = Some(utf8);
        self
    }

    /// Content Type.
    #[must_use]
    pub fn content_type(mut self, content_type: Text) -> Self {
        self.content_type = Some(content_type);
        self
    }

    /// Response Topic.
    #[must_use]
    pub fn response_topic(mut self, topic: TopicName) -> Self {
        self.response_topic = Some(topic);
        self
    }

    /// Correlation Data, at most 65,535 bytes.
    pub fn correlation_data(mut self, data: Bytes) -> Result<Self, EncodeError> {
        if data.len() > Text::LENGTH_MAX {
            return Err(EncodeError::FieldTooLong);
        }
        self.correlation_data = Some(data);
        Ok(self)
    }

    /// One more User Property, behind the earlier ones.
    #[must_use]
    pub fn user_property(mut self, name: &Text, value: &Text) -> Self {
        put_pair(&mut self.users, name, value);
        self
    }

    /// More User Properties, behind the earlier ones.
    #[must_use]
    pub fn user_properties(mut self, properties: &UserProperties) -> Self {
        self.users.extend_from_slice(properties.bytes());
        self
    }

    /// The properties in one allocation, or none at all.
    pub fn build(self) -> MessageProperties {
        let mut buffer = BytesMut::new();
        buffer.property_bool(PropertyId::PayloadFormatIndicator, self.payload_format);
        buffer.property_text(PropertyId::ContentType, self.content_type.as_ref());
        let response = self.response_topic.as_ref().map(TopicName::text);
        buffer.property_text(PropertyId::ResponseTopic, response);
        buffer.property_binary(PropertyId::CorrelationData, self.correlation_data.as_ref());
        if buffer.is_empty() {
            buffer = self.users;
        } else {
            buffer.extend_from_slice(&self.users);
        }
        MessageProperties::from_checked(buffer.freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Text {
        Text::try_from(text).unwrap()
    }

    #[test]
    fn what_the_builder_takes_the_iterator_gives_in_order() {
        let topic = TopicName::try_from("reply/to").unwrap();
        let built = MessagePropertiesBuilder::new()
            .user_property(&text("a"), &text("1"))
            .payload_format(true)
            .content_type(text("text/plain"))
            .response_topic(topic.clone())
            .correlation_data(Bytes::from_static(b"\0\xFF"))
            .unwrap()
            .user_properties(&UserProperties::from_pairs([(text("a"), text("2"))]))
            .build();
        assert!(payload_format_is_utf8(&built));
        let listed = message_properties(&built).collect::<Vec<_>>();
        let expected = vec![
            MessageProperty::PayloadFormat(true),
            MessageProperty::ContentType(text("text/plain")),
            MessageProperty::ResponseTopic(topic),
            MessageProperty::CorrelationData(Bytes::from_static(b"\0\xFF")),
            MessageProperty::User(text("a"), text("1")),
            MessageProperty::User(text("a"), text("2")),
        ];
        assert_eq!(listed, expected);
    }

    #[test]
    fn nothing_built_is_nothing_listed() {
        let built = MessagePropertiesBuilder::new().build();
        assert!(built.is_empty() && !payload_format_is_utf8(&built));
        assert_eq!(message_properties(&built).next(), None);
        let long = Bytes::from(vec![0; 65_536]);
        let refused = MessagePropertiesBuilder::new().correlation_data(long);
        assert_eq!(refused.map(drop), Err(EncodeError::FieldTooLong));
    }

    #[test]
    fn bytes_that_are_no_property_end_the_list() {
        for bytes in [&b"\xFF"[..], b"\x02\0\0\0\0", b"\x03\0\x05ab", b"\x01"] {
            let broken = MessageProperties::from_checked(Bytes::copy_from_slice(bytes));
            assert_eq!(message_properties(&broken).count(), 0, "{bytes:?}");
        }
    }
}
