//! Properties of MQTT 5.0 on the command line: `-D content-type=text/plain`, `-D will.user-property=a=b`.

use std::str::FromStr;

use bytes::Bytes;
use plexus_terminal::Failure;
use plexus_types::{MessageProperties, Text, TopicName};
use plexus_wire::{ConnectProperties, UserProperties, property::MessagePropertiesBuilder};

/// The packet that a property belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PacketKind {
    Connect,
    Will,
    Publish,
    Subscribe,
}

/// One property as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Property {
    /// The packet, if it was named; otherwise the command's own.
    packet: Option<PacketKind>,
    name: String,
    value: String,
}

/// What travels with a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct MessageParts {
    pub(crate) expiry_interval: Option<u32>,
    pub(crate) delay_interval: u32,
    pub(crate) properties: MessageProperties,
}

impl FromStr for Property {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or("expected <name>=<value>, for example content-type=text/plain")?;
        let (packet, name) = match name.split_once('.') {
            Some((packet, name)) => (Some(packet.parse()?), name),
            None => (None, name),
        };
        Ok(Self { packet, name: name.to_owned(), value: value.to_owned() })
    }
}

impl FromStr for PacketKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "connect" => Ok(Self::Connect),
            "will" => Ok(Self::Will),
            "publish" => Ok(Self::Publish),
            "subscribe" => Ok(Self::Subscribe),
            _ => Err("a property belongs to connect, will, publish or subscribe".to_owned()),
        }
    }
}

/// The properties of one kind of packet. A property without a packet belongs to `own`.
pub(crate) fn of(
    properties: &[Property],
    kind: PacketKind,
    own: PacketKind,
) -> impl Iterator<Item = &Property> {
    properties.iter().filter(move |property| property.packet.unwrap_or(own) == kind)
}

/// Reads the properties of CONNECT into `base`.
pub(crate) fn connect<'a>(
    properties: impl Iterator<Item = &'a Property>,
    mut base: ConnectProperties,
) -> Result<ConnectProperties, Failure> {
    let mut users = Vec::new();
    for property in properties {
        match property.name.as_str() {
            "session-expiry-interval" => base.session_expiry_interval = property.number()?,
            "receive-maximum" => base.receive_maximum = property.nonzero()?,
            "maximum-packet-size" => base.maximum_packet_size = Some(property.nonzero()?),
            "topic-alias-maximum" => base.topic_alias_maximum = property.number()?,
            "request-response-information" => {
                base.request_response_information = property.flag()?;
            }
            "request-problem-information" => base.request_problem_information = property.flag()?,
            "user-property" => users.push(property.pair()?),
            _ => {
                return Err(property.unknown(
                    "session-expiry-interval, receive-maximum, maximum-packet-size, \
                     topic-alias-maximum, request-response-information, \
                     request-problem-information and user-property",
                ));
            }
        }
    }
    base.user_properties = UserProperties::from_pairs(users);
    Ok(base)
}

/// Reads the properties of a message, which may be a Will.
pub(crate) fn message<'a>(
    properties: impl Iterator<Item = &'a Property>,
    is_will: bool,
) -> Result<MessageParts, Failure> {
    let mut parts = MessageParts::default();
    let mut builder = MessagePropertiesBuilder::new();
    for property in properties {
        match property.name.as_str() {
            "message-expiry-interval" => parts.expiry_interval = Some(property.number()?),
            "delay-interval" if is_will => parts.delay_interval = property.number()?,
            "payload-format-indicator" => builder = builder.payload_format(property.flag()?),
            "content-type" => builder = builder.content_type(property.text()?),
            "response-topic" => {
                let topic = TopicName::new(property.text()?)
                    .map_err(|error| property.wrong(&format!("the topic {error}")))?;
                builder = builder.response_topic(topic);
            }
            "correlation-data" => {
                let data = Bytes::from(property.value.clone());
                builder = builder
                    .correlation_data(data)
                    .map_err(|error| property.wrong(&error.to_string()))?;
            }
            "user-property" => {
                let (name, value) = property.pair()?;
                builder = builder.user_property(&name, &value);
            }
            _ => {
                return Err(property.unknown(
                    "message-expiry-interval, payload-format-indicator, content-type, \
                     response-topic, correlation-data, user-property and, for a will, \
                     delay-interval",
                ));
            }
        }
    }
    parts.properties = builder.build();
    Ok(parts)
}

/// Reads the Subscription Identifier.
pub(crate) fn subscription_id<'a>(
    properties: impl Iterator<Item = &'a Property>,
) -> Result<Option<u32>, Failure> {
    let mut id = None;
    for property in properties {
        match property.name.as_str() {
            "subscription-identifier" => {
                let number = property.number::<u32>()?;
                if !(1..=268_435_455).contains(&number) {
                    return Err(property.wrong("use a number from 1 to 268435455"));
                }
                id = Some(number);
            }
            _ => return Err(property.unknown("subscription-identifier")),
        }
    }
    Ok(id)
}

impl Property {
    fn wrong(&self, why: &str) -> Failure {
        Failure::Usage(format!("property {}={}: {why}", self.name, self.value))
    }

    fn unknown(&self, known: &str) -> Failure {
        Failure::Usage(format!("no property `{}` here; there are {known}", self.name))
    }

    fn number<T: FromStr>(&self) -> Result<T, Failure> {
        self.value.parse().map_err(|_| self.wrong("no number that fits"))
    }

    fn nonzero<T: FromStr + Default + PartialEq>(&self) -> Result<T, Failure> {
        let number = self.number::<T>()?;
        if number == T::default() { Err(self.wrong("zero is not allowed")) } else { Ok(number) }
    }

    fn flag(&self) -> Result<bool, Failure> {
        match self.value.as_str() {
            "1" | "true" => Ok(true),
            "0" | "false" => Ok(false),
            _ => Err(self.wrong("use 1 or 0")),
        }
    }

    fn text(&self) -> Result<Text, Failure> {
        Text::try_from(self.value.as_str()).map_err(|error| self.wrong(&error.to_string()))
    }

    fn pair(&self) -> Result<(Text, Text), Failure> {
        let (name, value) = self
            .value
            .split_once('=')
            .ok_or_else(|| self.wrong("expected user-property=<name>=<value>"))?;
        let text =
            |part: &str| Text::try_from(part).map_err(|error| self.wrong(&error.to_string()));
        Ok((text(name)?, text(value)?))
    }
}

#[cfg(test)]
mod tests {
    use plexus_wire::{
        ConnectProperties,
        property::{MessageProperty, message_properties},
    };

    use super::{PacketKind, Property, connect, message, of, subscription_id};

    fn parsed(texts: &[&str]) -> Vec<Property> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_property_belongs_to_its_packet_or_to_the_command() {
        let all = parsed(&["content-type=a", "will.content-type=b", "connect.receive-maximum=3"]);
        let count = |kind| of(&all, kind, PacketKind::Publish).count();
        assert_eq!((count(PacketKind::Publish), count(PacketKind::Will)), (1, 1));
        assert_eq!((count(PacketKind::Connect), count(PacketKind::Subscribe)), (1, 0));
        assert!("content-type".parse::<Property>().is_err());
        assert!("puback.x=1".parse::<Property>().is_err());
    }

    #[test]
    fn a_message_gets_its_properties() {
        let all = parsed(&[
            "message-expiry-interval=7",
            "payload-format-indicator=1",
            "response-topic=a/b",
            "user-property=k=v=w",
        ]);
        let parts = message(all.iter(), false).unwrap();
        assert_eq!(parts.expiry_interval, Some(7));
        let found = message_properties(&parts.properties).collect::<Vec<_>>();
        assert_eq!(found.len(), 3);
        assert!(found.contains(&MessageProperty::PayloadFormat(true)));
        let user = MessageProperty::User("k".try_into().unwrap(), "v=w".try_into().unwrap());
        assert!(found.contains(&user));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_a_reason() {
        let error = |text: &str| message(parsed(&[text]).iter(), false).unwrap_err().to_string();
        assert!(error("delay-interval=1").starts_with("error: no property `delay-interval` here"));
        assert!(error("message-expiry-interval=-1").contains("no number that fits"));
        assert!(error("payload-format-indicator=2").contains("use 1 or 0"));
        assert!(error("user-property=x").contains("<name>=<value>"));
        assert!(error("response-topic=a/#").contains("must not contain"));
        let zero = parsed(&["receive-maximum=0"]);
        assert!(connect(zero.iter(), ConnectProperties::default()).is_err());
        assert!(subscription_id(parsed(&["subscription-identifier=0"]).iter()).is_err());
        let id = subscription_id(parsed(&["subscription-identifier=9"]).iter());
        assert_eq!(id.unwrap(), Some(9));
    }
}
