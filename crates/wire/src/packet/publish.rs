use bytes::Bytes;
use plexus_types::{MessageProperties, PacketId, ProtocolVersion, Qos, Text, TopicName};
use smallvec::SmallVec;

use crate::{
    ProtocolError,
    limits::Scope,
    property::{PropertyId, Section},
    reader::Reader,
};

/// PUBLISH, section 3.3, as it came or goes; its topic may be empty when an alias stands for it, so
/// it is checked text and not yet a topic name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// DUP: perhaps sent before ([MQTT-3.3.1-1]).
    pub dup: bool,
    /// Quality of service.
    pub qos: Qos,
    /// RETAIN.
    pub retain: bool,
    /// Topic Name without wildcards ([MQTT-3.3.2-2]); empty only with a Topic Alias.
    pub topic: Text,
    /// The identifier; present exactly when the quality of service is above 0.
    pub packet_id: Option<PacketId>,
    /// Properties of 5.0.
    pub properties: PublishProperties,
    /// Application Message.
    pub payload: Bytes,
}

/// Properties of PUBLISH, section 3.3.2.3: the ones that belong to the hop are taken apart, the
/// ones that travel on stay together as checked bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublishProperties {
    /// Topic Alias, never zero.
    pub topic_alias: Option<u16>,
    /// Message Expiry Interval in seconds.
    pub message_expiry_interval: Option<u32>,
    /// Subscription Identifiers; only from server to client.
    pub subscription_ids: SmallVec<[u32; 2]>,
    /// What is forwarded unaltered.
    pub forwarded: MessageProperties,
}

impl Publish {
    /// Checks the flags of the fixed header, which the first byte already tells.
    pub(crate) const fn check_flags(
        flags: u8,
        version: ProtocolVersion,
    ) -> Result<(), ProtocolError> {
        match (flags >> 1) & 0b11 {
            3 => Err(ProtocolError::PublishQos), // [MQTT-3.3.1-4] [MQTT3-3.3.1-4]
            // [MQTT-3.3.1-2] [MQTT3-3.3.1-2]; 3.1 gives DUP no meaning here.
            0 if flags & 0b1000 != 0 && !matches!(version, ProtocolVersion::V31) => {
                Err(ProtocolError::PublishDup)
            }
            _ => Ok(()),
        }
    }

    #[inline]
    pub(crate) fn decode(
        flags: u8,
        reader: &mut Reader<'_>,
        scope: &Scope,
    ) -> Result<Self, ProtocolError> {
        let qos = Qos::new((flags >> 1) & 0b11).ok_or(ProtocolError::PublishQos)?;
        let topic = reader.text()?; // [MQTT-3.3.2-1] [MQTT3-3.3.2-1]
        if TopicName::has_wildcard(topic.as_bytes()) {
            return Err(ProtocolError::TopicWildcard); // [MQTT-3.3.2-2] [MQTT3-3.3.2-2]
        }
        let packet_id = match qos {
            Qos::AtMostOnce => None, // [MQTT-2.2.1-2] [MQTT3-2.3.1-5]
            Qos::AtLeastOnce | Qos::ExactlyOnce => Some(reader.packet_id()?),
        };
        let properties = if scope.version.is_v5() {
            PublishProperties::decode(reader, scope)?
        } else {
            PublishProperties::default()
        };
        if topic.as_bytes().is_empty() && properties.topic_alias.is_none() {
            return Err(ProtocolError::TopicEmpty); // [MQTT-4.7.3-1] [MQTT3-4.7.3-1]
        }
        Ok(Self {
            dup: flags & 0b1000 != 0 && qos != Qos::AtMostOnce,
            qos,
            retain: flags & 0b0001 != 0,
            topic,
            packet_id,
            properties,
            payload: reader.rest(),
        })
    }
}

impl PublishProperties {
    #[inline]
    fn decode(reader: &mut Reader<'_>, scope: &Scope) -> Result<Self, ProtocolError> {
        let mut section = Section::open(reader, scope.limits)?;
        let mut properties = Self::default();
        if section.value.is_empty() {
            return Ok(properties);
        }
        section = section.repeating(PropertyId::SubscriptionIdentifier);
        while let Some(property) = section.next()? {
            match property {
                PropertyId::TopicAlias => {
                    let alias = Some(section.value.u16()?).filter(|alias| *alias > 0);
                    // [MQTT-3.3.2-8]
                    properties.topic_alias = Some(alias.ok_or(ProtocolError::TopicAliasZero)?);
                }
                PropertyId::MessageExpiryInterval => {
                    properties.message_expiry_interval = Some(section.value.u32()?);
                }
                PropertyId::SubscriptionIdentifier if scope.from_client => {
                    return Err(ProtocolError::SubscriptionIdFromClient); // [MQTT-3.3.4-6]
                }
                PropertyId::SubscriptionIdentifier => {
                    properties.subscription_ids.push(section.subscription_id()?);
                }
                other => section.forwarded(other)?,
            }
        }
        properties.forwarded = section.message_properties();
        Ok(properties)
    }
}
