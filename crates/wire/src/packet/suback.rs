use plexus_types::{PacketId, ProtocolVersion, ReasonCode, Text};

use super::UserProperties;
use crate::{
    ProtocolError,
    limits::Scope,
    property::{PropertyId, Section},
    reader::Reader,
    sink::{self, Sink},
};

/// SUBACK, section 3.9: one reason for each filter, in order ([MQTT-3.8.4-6]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubAck {
    /// The identifier of the SUBSCRIBE.
    pub packet_id: PacketId,
    /// Granted or refused, filter by filter.
    pub reasons: Vec<ReasonCode>,
    /// Reason String.
    pub reason_string: Option<Text>,
    /// User Properties in their order.
    pub user_properties: UserProperties,
}

/// UNSUBACK, section 3.11: one reason for each filter, in order; 3.x sends none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsubAck {
    /// The identifier of the UNSUBSCRIBE.
    pub packet_id: PacketId,
    /// Done or refused, filter by filter.
    pub reasons: Vec<ReasonCode>,
    /// Reason String.
    pub reason_string: Option<Text>,
    /// User Properties in their order.
    pub user_properties: UserProperties,
}

/// The reason codes of SUBACK, table 3-8.
const SUBACK_REASONS: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::GrantedQos1,
    ReasonCode::GrantedQos2,
    ReasonCode::UnspecifiedError,
    ReasonCode::ImplementationSpecificError,
    ReasonCode::NotAuthorized,
    ReasonCode::TopicFilterInvalid,
    ReasonCode::PacketIdentifierInUse,
    ReasonCode::QuotaExceeded,
    ReasonCode::SharedSubscriptionsNotSupported,
    ReasonCode::SubscriptionIdentifiersNotSupported,
    ReasonCode::WildcardSubscriptionsNotSupported,
];

/// The return codes of SUBACK in 3.x, section 3.9.3 of 3.1.1.
const SUBACK_RETURN_CODES: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::GrantedQos1,
    ReasonCode::GrantedQos2,
    ReasonCode::UnspecifiedError,
];

/// The reason codes of UNSUBACK, table 3-9.
const UNSUBACK_REASONS: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::NoSubscriptionExisted,
    ReasonCode::UnspecifiedError,
    ReasonCode::ImplementationSpecificError,
    ReasonCode::NotAuthorized,
    ReasonCode::TopicFilterInvalid,
    ReasonCode::PacketIdentifierInUse,
];

/// The return code of 3.x for one filter: the granted QoS, or 0x80 for every failure
/// ([MQTT3-3.9.3-2]).
const fn suback_return_code(reason: ReasonCode) -> u8 {
    match reason {
        ReasonCode::Success | ReasonCode::GrantedQos1 | ReasonCode::GrantedQos2 => reason.get(),
        _ => ReasonCode::UnspecifiedError.get(),
    }
}

impl SubAck {
    /// ```text
    /// packet id │ [properties] │ reason code…
    /// ```
    pub(crate) fn decode(reader: &mut Reader<'_>, scope: &Scope) -> Result<Self, ProtocolError> {
        let packet_id = reader.packet_id()?;
        let (mut reason_string, mut user_properties) = (None, UserProperties::default());
        let mut allowed = SUBACK_RETURN_CODES; // [MQTT3-3.9.3-2]
        if scope.version.is_v5() {
            (reason_string, user_properties) = decode_properties(reader, scope)?;
            allowed = SUBACK_REASONS; // [MQTT-3.9.3-2]
        }
        let reasons = decode_reasons(reader, allowed, ProtocolError::SubAckReason)?;
        Ok(Self { packet_id, reasons, reason_string, user_properties })
    }

    pub(crate) fn write(&self, version: ProtocolVersion, sink: &mut dyn Sink) {
        sink.u16(self.packet_id.get());
        if version.is_v5() {
            write_properties(sink, self.reason_string.as_ref(), &self.user_properties);
        }
        // In the order of the filters: [MQTT-3.9.3-1] [MQTT3-3.9.3-1].
        for reason in &self.reasons {
            sink.u8(if version.is_v5() { reason.get() } else { suback_return_code(*reason) });
        }
    }
}

impl UnsubAck {
    /// ```text
    /// packet id │ [properties │ reason code…]      (3.x: the identifier alone)
    /// ```
    pub(crate) fn decode(reader: &mut Reader<'_>, scope: &Scope) -> Result<Self, ProtocolError> {
        let packet_id = reader.packet_id()?;
        let (mut reason_string, mut user_properties) = (None, UserProperties::default());
        let mut reasons = Vec::new();
        if scope.version.is_v5() {
            (reason_string, user_properties) = decode_properties(reader, scope)?;
            // [MQTT-3.11.3-2]
            reasons = decode_reasons(reader, UNSUBACK_REASONS, ProtocolError::UnsubAckReason)?;
        }
        Ok(Self { packet_id, reasons, reason_string, user_properties })
    }

    pub(crate) fn write(&self, version: ProtocolVersion, sink: &mut dyn Sink) {
        sink.u16(self.packet_id.get());
        if version.is_v5() {
            write_properties(sink, self.reason_string.as_ref(), &self.user_properties);
            // In the order of the filters: [MQTT-3.11.3-1].
            for reason in &self.reasons {
                sink.u8(reason.get());
            }
        }
    }
}

fn decode_properties(
    reader: &mut Reader<'_>,
    scope: &Scope,
) -> Result<(Option<Text>, UserProperties), ProtocolError> {
    let mut section = Section::open(reader, scope.limits)?;
    let mut reason_string = None;
    while let Some(property) = section.next()? {
        match property {
            PropertyId::ReasonString => reason_string = Some(section.value.text()?),
            other => section.user(other)?,
        }
    }
    Ok((reason_string, section.user_properties()))
}

fn write_properties(sink: &mut dyn Sink, reason_string: Option<&Text>, users: &UserProperties) {
    sink::section(sink, &|sink| {
        sink.property_text(PropertyId::ReasonString, reason_string);
        sink.user_properties(users);
    });
}

/// Reads reason codes up to the end of the packet; one byte each, so the packet bounds them.
fn decode_reasons(
    reader: &mut Reader<'_>,
    allowed: &[ReasonCode],
    error: ProtocolError,
) -> Result<Vec<ReasonCode>, ProtocolError> {
    if reader.is_empty() {
        return Err(ProtocolError::ReasonsMissing); // [MQTT-3.8.4-6]
    }
    let codes = reader.rest();
    codes.iter().map(|code| super::reason(*code, allowed, error)).collect()
}
