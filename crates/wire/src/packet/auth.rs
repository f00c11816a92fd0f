use bytes::Bytes;
use plexus_types::{ReasonCode, Text};

use super::UserProperties;
use crate::{
    ProtocolError,
    limits::Scope,
    property::{PropertyId, Section},
    reader::Reader,
    sink::{self, Sink},
};

/// AUTH, section 3.15; 5.0 only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    /// Success, Continue authentication or Re-authenticate ([MQTT-3.15.2-1]).
    pub reason: ReasonCode,
    /// Authentication Method.
    pub authentication_method: Option<Text>,
    /// Authentication Data.
    pub authentication_data: Option<Bytes>,
    /// Reason String.
    pub reason_string: Option<Text>,
    /// User Properties in their order.
    pub user_properties: UserProperties,
}

/// The reason codes of a client's AUTH, table 3-11.
const CLIENT_REASONS: &[ReasonCode] =
    &[ReasonCode::ContinueAuthentication, ReasonCode::ReAuthenticate];

/// The reason codes of a server's AUTH, table 3-11.
const SERVER_REASONS: &[ReasonCode] = &[ReasonCode::Success, ReasonCode::ContinueAuthentication];

impl Auth {
    /// ```text
    /// [reason code │ property length │ properties]
    /// ```
    pub(crate) fn decode(reader: &mut Reader<'_>, scope: &Scope) -> Result<Self, ProtocolError> {
        let mut auth = Self {
            reason: ReasonCode::Success,
            authentication_method: None,
            authentication_data: None,
            reason_string: None,
            user_properties: UserProperties::default(),
        };
        let allowed = if scope.from_client { CLIENT_REASONS } else { SERVER_REASONS };
        let code = if reader.is_empty() { ReasonCode::Success.get() } else { reader.u8()? };
        auth.reason = super::reason(code, allowed, ProtocolError::AuthReason)?; // [MQTT-3.15.2-1]
        if reader.is_empty() && auth.reason == ReasonCode::Success {
            return Ok(auth);
        }
        let mut section = Section::open(reader, scope.limits)?;
        while let Some(property) = section.next()? {
            let value = &mut section.value;
            match property {
                PropertyId::AuthenticationMethod => {
                    auth.authentication_method = Some(value.text()?);
                }
                PropertyId::AuthenticationData => auth.authentication_data = Some(value.binary()?),
                PropertyId::ReasonString => auth.reason_string = Some(value.text()?),
                other => section.user(other)?,
            }
        }
        auth.user_properties = section.user_properties();
        if auth.authentication_method.is_none() {
            return Err(ProtocolError::AuthenticationMethodMissing);
        }
        Ok(auth)
    }

    pub(crate) fn write(&self, sink: &mut dyn Sink) {
        if self.reason == ReasonCode::Success && self.has_no_properties() {
            return;
        }
        sink.u8(self.reason.get());
        sink::section(sink, &|sink| {
            let method = self.authentication_method.as_ref();
            sink.property_text(PropertyId::AuthenticationMethod, method);
            sink.property_binary(PropertyId::AuthenticationData, self.authentication_data.as_ref());
            sink.property_text(PropertyId::ReasonString, self.reason_string.as_ref());
            sink.user_properties(&self.user_properties);
        });
    }

    fn has_no_properties(&self) -> bool {
        self.authentication_method.is_none()
            && self.authentication_data.is_none()
            && self.reason_string.is_none()
            && self.user_properties.is_empty()
    }
}
