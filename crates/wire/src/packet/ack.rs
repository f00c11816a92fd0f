use plexus_types::{PacketId, ProtocolVersion, ReasonCode, Text};

use super::UserProperties;
use crate::{
    PacketType, ProtocolError,
    limits::Scope,
    property::{PropertyId, Section},
    reader::Reader,
    sink::{self, Sink},
};

/// PUBACK, PUBREC, PUBREL or PUBCOMP, sections 3.4 to 3.7: they have one shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// The identifier of the message.
    pub packet_id: PacketId,
    /// Success when absent on the wire.
    pub reason: ReasonCode,
    /// Reason String and User Properties; boxed because they are rare and acknowledgements are not.
    pub details: Option<Box<AckDetails>>,
}

/// What an acknowledgement of 5.0 may add for the eyes of a person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AckDetails {
    /// Reason String.
    pub reason_string: Option<Text>,
    /// User Properties in their order.
    pub user_properties: UserProperties,
}

impl Ack {
    /// The plain acknowledgement.
    pub const fn new(packet_id: PacketId, reason: ReasonCode) -> Self {
        Self { packet_id, reason, details: None }
    }
}

/// The reason codes of PUBACK and PUBREC, tables 3-4 and 3-5.
const PUBLISH_REASONS: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::NoMatchingSubscribers,
    ReasonCode::UnspecifiedError,
    ReasonCode::ImplementationSpecificError,
    ReasonCode::NotAuthorized,
    ReasonCode::TopicNameInvalid,
    ReasonCode::PacketIdentifierInUse,
    ReasonCode::QuotaExceeded,
    ReasonCode::PayloadFormatInvalid,
];

/// The reason codes of PUBREL and PUBCOMP, tables 3-6 and 3-7.
const RELEASE_REASONS: &[ReasonCode] = &[ReasonCode::Success, ReasonCode::PacketIdentifierNotFound];

/// Which codes an acknowledgement has, and what another one violates.
fn reasons(packet_type: PacketType) -> (&'static [ReasonCode], ProtocolError) {
    match packet_type {
        PacketType::PubAck => (PUBLISH_REASONS, ProtocolError::PubAckReason), // [MQTT-3.4.2-1]
        PacketType::PubRec => (PUBLISH_REASONS, ProtocolError::PubRecReason), // [MQTT-3.5.2-1]
        PacketType::PubRel => (RELEASE_REASONS, ProtocolError::PubRelReason), // [MQTT-3.6.2-1]
        _ => (RELEASE_REASONS, ProtocolError::PubCompReason),                 // [MQTT-3.7.2-1]
    }
}

impl Ack {
    /// ```text
    /// packet id │ [reason code │ [property length │ properties]]
    /// ```
    pub(crate) fn decode(
        packet_type: PacketType,
        reader: &mut Reader<'_>,
        scope: &Scope,
    ) -> Result<Self, ProtocolError> {
        let mut ack = Self::new(reader.packet_id()?, ReasonCode::Success);
        if !scope.version.is_v5() || reader.is_empty() {
            return Ok(ack);
        }
        let (allowed, error) = reasons(packet_type);
        ack.reason = super::reason(reader.u8()?, allowed, error)?;
        if !reader.is_empty() {
            ack.details = AckDetails::decode(reader, scope)?;
        }
        Ok(ack)
    }

    pub(crate) fn write(&self, version: ProtocolVersion, sink: &mut dyn Sink) {
        sink.u16(self.packet_id.get());
        let details = self.details.as_deref().filter(|details| !details.is_empty());
        if !version.is_v5() || (self.reason == ReasonCode::Success && details.is_none()) {
            return;
        }
        sink.u8(self.reason.get());
        if let Some(details) = details {
            sink::section(sink, &|sink| details.write(sink));
        }
    }
}

impl AckDetails {
    fn is_empty(&self) -> bool {
        self.reason_string.is_none() && self.user_properties.is_empty()
    }

    fn decode(reader: &mut Reader<'_>, scope: &Scope) -> Result<Option<Box<Self>>, ProtocolError> {
        let mut section = Section::open(reader, scope.limits)?;
        if section.value.is_empty() {
            return Ok(None);
        }
        let mut details = Self::default();
        while let Some(property) = section.next()? {
            match property {
                PropertyId::ReasonString => details.reason_string = Some(section.value.text()?),
                other => section.user(other)?,
            }
        }
        details.user_properties = section.user_properties();
        Ok(Some(Box::new(details)))
    }

    fn write(&self, sink: &mut dyn Sink) {
        sink.property_text(PropertyId::ReasonString, self.reason_string.as_ref());
        sink.user_properties(&self.user_properties);
    }
}
