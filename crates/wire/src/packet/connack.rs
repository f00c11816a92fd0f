use bytes::Bytes;
use plexus_types::{ProtocolVersion, Qos, ReasonCode, Text};

use super::UserProperties;
use crate::{
    ProtocolError,
    limits::Scope,
    property::{PropertyId, Section},
    reader::Reader,
    sink::{self, Sink},
};

/// CONNACK, section 3.2. Towards 3.x the reason is written as the nearest return code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnAck {
    /// Whether the server had a session of this client.
    pub session_present: bool,
    /// Accepted or why not.
    pub reason: ReasonCode,
    /// Properties of 5.0.
    pub properties: ConnAckProperties,
}

/// Properties of CONNACK, section 3.2.2.3. `None` is absent on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnAckProperties {
    /// Session Expiry Interval when it is not the one asked for.
    pub session_expiry_interval: Option<u32>,
    /// Receive Maximum of the server.
    pub receive_maximum: Option<u16>,
    /// Maximum QoS when below 2.
    pub maximum_qos: Option<Qos>,
    /// Retain Available.
    pub retain_available: Option<bool>,
    /// Maximum Packet Size of the server.
    pub maximum_packet_size: Option<u32>,
    /// The Client Identifier that the server gave.
    pub assigned_client_identifier: Option<Text>,
    /// Topic Alias Maximum of the server.
    pub topic_alias_maximum: Option<u16>,
    /// Reason String.
    pub reason_string: Option<Text>,
    /// User Properties in their order.
    pub user_properties: UserProperties,
    /// Wildcard Subscription Available.
    pub wildcard_subscription_available: Option<bool>,
    /// Subscription Identifiers Available.
    pub subscription_identifiers_available: Option<bool>,
    /// Shared Subscription Available.
    pub shared_subscription_available: Option<bool>,
    /// The Keep Alive that the client must use instead of its own.
    pub server_keep_alive: Option<u16>,
    /// Response Information.
    pub response_information: Option<Text>,
    /// Server Reference, with 0x9C and 0x9D.
    pub server_reference: Option<Text>,
    /// Authentication Method.
    pub authentication_method: Option<Text>,
    /// Authentication Data.
    pub authentication_data: Option<Bytes>,
}

/// The reason codes of CONNACK, table 3-1.
const REASONS: &[ReasonCode] = &[
    ReasonCode::Success,
    ReasonCode::UnspecifiedError,
    ReasonCode::MalformedPacket,
    ReasonCode::ProtocolError,
    ReasonCode::ImplementationSpecificError,
    ReasonCode::UnsupportedProtocolVersion,
    ReasonCode::ClientIdentifierNotValid,
    ReasonCode::BadUserNameOrPassword,
    ReasonCode::NotAuthorized,
    ReasonCode::ServerUnavailable,
    ReasonCode::ServerBusy,
    ReasonCode::Banned,
    ReasonCode::BadAuthenticationMethod,
    ReasonCode::TopicNameInvalid,
    ReasonCode::PacketTooLarge,
    ReasonCode::QuotaExceeded,
    ReasonCode::PayloadFormatInvalid,
    ReasonCode::RetainNotSupported,
    ReasonCode::QosNotSupported,
    ReasonCode::UseAnotherServer,
    ReasonCode::ServerMoved,
    ReasonCode::ConnectionRateExceeded,
];

/// The return code of 3.x (table 3.1 of 3.1.1) that says most of what a reason code says.
pub const fn return_code(reason: ReasonCode) -> u8 {
    if !reason.is_error() {
        return 0;
    }
    match reason {
        ReasonCode::UnsupportedProtocolVersion => 1,
        ReasonCode::ClientIdentifierNotValid => 2,
        ReasonCode::BadUserNameOrPassword | ReasonCode::BadAuthenticationMethod => 4,
        // The client asks for what it may not have: trying again later does not help it.
        ReasonCode::NotAuthorized
        | ReasonCode::Banned
        | ReasonCode::TopicNameInvalid
        | ReasonCode::PayloadFormatInvalid
        | ReasonCode::RetainNotSupported
        | ReasonCode::QosNotSupported => 5,
        _ => 3,
    }
}

/// What a return code of 3.x says; codes above 5 are reserved.
pub const fn reason_of_return_code(code: u8) -> Option<ReasonCode> {
    Some(match code {
        0 => ReasonCode::Success,
        1 => ReasonCode::UnsupportedProtocolVersion,
        2 => ReasonCode::ClientIdentifierNotValid,
        3 => ReasonCode::ServerUnavailable,
        4 => ReasonCode::BadUserNameOrPassword,
        5 => ReasonCode::NotAuthorized,
        _ => return None,
    })
}

impl ConnAck {
    /// ```text
    /// 0000000 SP │ reason code │ property length │ properties      (3.x: no properties)
    /// ```
    pub(crate) fn decode(reader: &mut Reader<'_>, scope: &Scope) -> Result<Self, ProtocolError> {
        let flags = reader.u8()?;
        let code = reader.u8()?;
        // A server that knows no 5.0 answers in the form of 3.x.
        let legacy = !scope.version.is_v5() || (code == 1 && reader.is_empty());
        let reason = if legacy {
            reason_of_return_code(code).ok_or(ProtocolError::ReturnCode)?
        } else {
            super::reason(code, REASONS, ProtocolError::ConnAckReason)? // [MQTT-3.2.2-8]
        };
        // 3.1 has a reserved byte in the place of the flags.
        let flags = if scope.version == ProtocolVersion::V31 { 0 } else { flags };
        if flags > 1 {
            return Err(ProtocolError::ConnAckFlags); // [MQTT-3.2.2-1]
        }
        if flags == 1 && reason != ReasonCode::Success {
            return Err(ProtocolError::SessionPresentOnError); // [MQTT-3.2.2-6] [MQTT3-3.2.2-4]
        }
        let properties = if legacy {
            ConnAckProperties::default()
        } else {
            ConnAckProperties::decode(reader, scope)?
        };
        Ok(Self { session_present: flags == 1, reason, properties })
    }

    pub(crate) fn write(&self, version: ProtocolVersion, sink: &mut dyn Sink) {
        let accepted = self.reason == ReasonCode::Success;
        let present = self.session_present && accepted; // [MQTT-3.2.2-6] [MQTT3-3.2.2-4]
        sink.u8(u8::from(present && version != ProtocolVersion::V31));
        if version.is_v5() {
            sink.u8(self.reason.get());
            sink::section(sink, &|sink| self.properties.write(sink));
        } else {
            sink.u8(return_code(self.reason));
        }
    }
}

impl ConnAckProperties {
    fn decode(reader: &mut Reader<'_>, scope: &Scope) -> Result<Self, ProtocolError> {
        let mut section = Section::open(reader, scope.limits)?;
        let mut properties = Self::default();
        while let Some(property) = section.next()? {
            properties.take(property, &mut section)?;
        }
        if properties.authentication_data.is_some() && properties.authentication_method.is_none() {
            return Err(ProtocolError::AuthenticationDataAlone);
        }
        properties.user_properties = section.user_properties();
        Ok(properties)
    }

    fn take(
        &mut self,
        property: PropertyId,
        section: &mut Section<'_>,
    ) -> Result<(), ProtocolError> {
        let value = &mut section.value;
        match property {
            PropertyId::SessionExpiryInterval => self.session_expiry_interval = Some(value.u32()?),
            PropertyId::ReceiveMaximum => self.receive_maximum = Some(section.receive_maximum()?),
            PropertyId::MaximumQos => {
                let qos = Qos::new(value.u8()?).filter(|qos| *qos != Qos::ExactlyOnce);
                self.maximum_qos = Some(qos.ok_or(ProtocolError::MaximumQos)?);
            }
            PropertyId::RetainAvailable => self.retain_available = Some(section.bool()?),
            PropertyId::MaximumPacketSize => {
                self.maximum_packet_size = Some(section.maximum_packet_size()?);
            }
            PropertyId::AssignedClientIdentifier => {
                self.assigned_client_identifier = Some(value.text()?);
            }
            PropertyId::TopicAliasMaximum => self.topic_alias_maximum = Some(value.u16()?),
            PropertyId::ReasonString => self.reason_string = Some(value.text()?),
            PropertyId::WildcardSubscriptionAvailable => {
                self.wildcard_subscription_available = Some(section.bool()?);
            }
            PropertyId::SubscriptionIdentifierAvailable => {
                self.subscription_identifiers_available = Some(section.bool()?);
            }
            PropertyId::SharedSubscriptionAvailable => {
                self.shared_subscription_available = Some(section.bool()?);
            }
            PropertyId::ServerKeepAlive => self.server_keep_alive = Some(value.u16()?),
            PropertyId::ResponseInformation => self.response_information = Some(value.text()?),
            PropertyId::ServerReference => self.server_reference = Some(value.text()?),
            PropertyId::AuthenticationMethod => self.authentication_method = Some(value.text()?),
            PropertyId::AuthenticationData => self.authentication_data = Some(value.binary()?),
            other => section.user(other)?,
        }
        Ok(())
    }

    fn write(&self, sink: &mut dyn Sink) {
        sink.property_u32(PropertyId::SessionExpiryInterval, self.session_expiry_interval);
        sink.property_u16(PropertyId::ReceiveMaximum, self.receive_maximum);
        // QoS 2 is what absence means; the property cannot say it.
        let maximum_qos = self.maximum_qos.filter(|qos| *qos != Qos::ExactlyOnce);
        sink.property_u8(PropertyId::MaximumQos, maximum_qos.map(Qos::get));
        sink.property_bool(PropertyId::RetainAvailable, self.retain_available);
        sink.property_u32(PropertyId::MaximumPacketSize, self.maximum_packet_size);
        let assigned = self.assigned_client_identifier.as_ref();
        sink.property_text(PropertyId::AssignedClientIdentifier, assigned);
        sink.property_u16(PropertyId::TopicAliasMaximum, self.topic_alias_maximum);
        sink.property_text(PropertyId::ReasonString, self.reason_string.as_ref());
        sink.user_properties(&self.user_properties);
        let wildcards = self.wildcard_subscription_available;
        sink.property_bool(PropertyId::WildcardSubscriptionAvailable, wildcards);
        let identifiers = self.subscription_identifiers_available;
        sink.property_bool(PropertyId::SubscriptionIdentifierAvailable, identifiers);
        let shared = self.shared_subscription_available;
        sink.property_bool(PropertyId::SharedSubscriptionAvailable, shared);
        sink.property_u16(PropertyId::ServerKeepAlive, self.server_keep_alive);
        sink.property_text(PropertyId::ResponseInformation, self.response_information.as_ref());
        sink.property_text(PropertyId::ServerReference, self.server_reference.as_ref());
        sink.property_text(PropertyId::AuthenticationMethod, self.authentication_method.as_ref());
        sink.property_binary(PropertyId::AuthenticationData, self.authentication_data.as_ref());
    }
}
