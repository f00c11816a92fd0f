use plexus_types::{ProtocolVersion, ReasonCode, Text};

use super::UserProperties;
use crate::{
    ProtocolError,
    limits::Scope,
    property::{PropertyId, Section},
    reader::Reader,
    sink::{self, Sink},
};

/// DISCONNECT, section 3.14. 3.x clients send it bare; 3.x servers never send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disconnect {
    /// Normal disconnection when absent on the wire.
    pub reason: ReasonCode,
    /// Properties of 5.0.
    pub properties: DisconnectProperties,
}

/// Properties of DISCONNECT, section 3.14.2.2.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DisconnectProperties {
    /// A new Session Expiry Interval in seconds; only from the client ([MQTT-3.14.2-2]).
    pub session_expiry_interval: Option<u32>,
    /// Reason String.
    pub reason_string: Option<Text>,
    /// User Properties in their order.
    pub user_properties: UserProperties,
    /// Server Reference, with 0x9C and 0x9D.
    pub server_reference: Option<Text>,
}

impl Disconnect {
    /// A bare DISCONNECT with that reason.
    pub fn new(reason: ReasonCode) -> Self {
        Self { reason, properties: DisconnectProperties::default() }
    }
}

/// The reason codes of a client's DISCONNECT, table 3-10.
const CLIENT_REASONS: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::DisconnectWithWill,
    ReasonCode::UnspecifiedError,
    ReasonCode::MalformedPacket,
    ReasonCode::ProtocolError,
    ReasonCode::ImplementationSpecificError,
    ReasonCode::BadAuthenticationMethod,
    ReasonCode::TopicNameInvalid,
    ReasonCode::ReceiveMaximumExceeded,
    ReasonCode::TopicAliasInvalid,
    ReasonCode::PacketTooLarge,
    ReasonCode::MessageRateTooHigh,
    ReasonCode::QuotaExceeded,
    ReasonCode::AdministrativeAction,
    ReasonCode::PayloadFormatInvalid,
];

/// The reason codes of a server's DISCONNECT, table 3-10 and section 2.4.
const SERVER_REASONS: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::UnspecifiedError,
    ReasonCode::MalformedPacket,
    ReasonCode::ProtocolError,
    ReasonCode::ImplementationSpecificError,
    ReasonCode::NotAuthorized,
    ReasonCode::ServerBusy,
    ReasonCode::ServerShuttingDown,
    ReasonCode::BadAuthenticationMethod,
    ReasonCode::KeepAliveTimeout,
    ReasonCode::SessionTakenOver,
    ReasonCode::TopicFilterInvalid,
    ReasonCode::TopicNameInvalid,
    ReasonCode::ReceiveMaximumExceeded,
    ReasonCode::TopicAliasInvalid,
    ReasonCode::PacketTooLarge,
    ReasonCode::MessageRateTooHigh,
    ReasonCode::QuotaExceeded,
    ReasonCode::AdministrativeAction,
    ReasonCode::PayloadFormatInvalid,
    ReasonCode::RetainNotSupported,
    ReasonCode::QosNotSupported,
    ReasonCode::UseAnotherServer,
    ReasonCode::ServerMoved,
    ReasonCode::SharedSubscriptionsNotSupported,
    ReasonCode::ConnectionRateExceeded,
    ReasonCode::MaximumConnectTime,
    ReasonCode::SubscriptionIdentifiersNotSupported,
    ReasonCode::WildcardSubscriptionsNotSupported,
];

impl Disconnect {
    /// ```text
    /// [reason code │ [property length │ properties]]      (3.x: empty)
    /// ```
    pub(crate) fn decode(reader: &mut Reader<'_>, scope: &Scope) -> Result<Self, ProtocolError> {
        let mut disconnect = Self::new(ReasonCode::Success);
        if !scope.version.is_v5() || reader.is_empty() {
            return Ok(disconnect);
        }
        let allowed = if scope.from_client { CLIENT_REASONS } else { SERVER_REASONS };
        // [MQTT-3.14.2-1]
        disconnect.reason = super::reason(reader.u8()?, allowed, ProtocolError::DisconnectReason)?;
        if !reader.is_empty() {
            disconnect.properties = DisconnectProperties::decode(reader, scope)?;
        }
        Ok(disconnect)
    }

    pub(crate) fn write(&self, version: ProtocolVersion, sink: &mut dyn Sink) {
        let bare = self.properties == DisconnectProperties::default();
        if !version.is_v5() || (bare && self.reason == ReasonCode::Success) {
            return;
        }
        sink.u8(self.reason.get());
        if !bare {
            sink::section(sink, &|sink| self.properties.write(sink));
        }
    }
}

impl DisconnectProperties {
    fn decode(reader: &mut Reader<'_>, scope: &Scope) -> Result<Self, ProtocolError> {
        let mut section = Section::open(reader, scope.limits)?;
        let mut properties = Self::default();
        while let Some(property) = section.next()? {
            match property {
                PropertyId::SessionExpiryInterval if !scope.from_client => {
                    return Err(ProtocolError::SessionExpiryFromServer); // [MQTT-3.14.2-2]
                }
                PropertyId::SessionExpiryInterval => {
                    properties.session_expiry_interval = Some(section.value.u32()?);
                }
                PropertyId::ReasonString => {
                    properties.reason_string = Some(section.value.text()?);
                }
                PropertyId::ServerReference if !scope.from_client => {
                    properties.server_reference = Some(section.value.text()?);
                }
                other => section.user(other)?,
            }
        }
        properties.user_properties = section.user_properties();
        Ok(properties)
    }

    fn write(&self, sink: &mut dyn Sink) {
        sink.property_u32(PropertyId::SessionExpiryInterval, self.session_expiry_interval);
        sink.property_text(PropertyId::ReasonString, self.reason_string.as_ref());
        sink.user_properties(&self.user_properties);
        sink.property_text(PropertyId::ServerReference, self.server_reference.as_ref());
    }
}
