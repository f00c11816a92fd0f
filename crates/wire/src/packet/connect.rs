use bytes::Bytes;
use plexus_types::{MessageProperties, ProtocolVersion, Qos, Text, TopicError, TopicName};

use super::UserProperties;
use crate::{
    ProtocolError,
    limits::Scope,
    property::{PropertyId, Section},
    reader::Reader,
    sink::{self, Sink},
};

/// CONNECT, section 3.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    /// The version that the client asks for; the rest of the connection speaks it.
    pub version: ProtocolVersion,
    /// A bridge that announced itself by bit 7 of the protocol level (a habit of 3.x bridges):
    /// its own messages are not sent back to it and RETAIN is kept as published.
    pub bridge: bool,
    /// Clean Start (5.0) or Clean Session (3.x).
    pub clean_start: bool,
    /// Keep Alive in seconds, zero for none.
    pub keep_alive: u16,
    /// The Client Identifier, possibly empty.
    pub client_id: Text,
    /// The Will, if the Will Flag is set.
    pub will: Option<Will>,
    /// User Name.
    pub user_name: Option<Text>,
    /// Password: Binary Data.
    pub password: Option<Bytes>,
    /// Properties of 5.0.
    pub properties: ConnectProperties,
}

/// Properties of CONNECT, section 3.1.2.11. Absent ones hold what absence means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectProperties {
    /// Session Expiry Interval in seconds; 0xFFFF_FFFF for never.
    pub session_expiry_interval: u32,
    /// Receive Maximum, never zero; 65,535 when absent.
    pub receive_maximum: u16,
    /// Maximum Packet Size, never zero; `None` for no limit.
    pub maximum_packet_size: Option<u32>,
    /// Topic Alias Maximum that the client accepts; zero for none.
    pub topic_alias_maximum: u16,
    /// Whether the client asks for Response Information.
    pub request_response_information: bool,
    /// Whether Reason String and User Properties may come with every packet.
    pub request_problem_information: bool,
    /// Authentication Method of an enhanced authentication.
    pub authentication_method: Option<Text>,
    /// Authentication Data; only with a method.
    pub authentication_data: Option<Bytes>,
    /// User Properties in their order.
    pub user_properties: UserProperties,
}

impl Default for ConnectProperties {
    fn default() -> Self {
        Self {
            session_expiry_interval: 0,
            receive_maximum: u16::MAX,
            maximum_packet_size: None,
            topic_alias_maximum: 0,
            request_response_information: false,
            request_problem_information: true,
            authentication_method: None,
            authentication_data: None,
            user_properties: UserProperties::default(),
        }
    }
}

/// The Will of CONNECT, sections 3.1.3.2 to 3.1.3.4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will {
    /// Will Topic.
    pub topic: TopicName,
    /// Will Payload.
    pub payload: Bytes,
    /// Will QoS.
    pub qos: Qos,
    /// Will Retain.
    pub retain: bool,
    /// Will Delay Interval in seconds.
    pub delay_interval: u32,
    /// Message Expiry Interval in seconds, counted from the moment the Will is published.
    pub message_expiry_interval: Option<u32>,
    /// The properties that travel with the message.
    pub properties: MessageProperties,
}

/// The connect flags, section 3.1.2.3.
///
/// ```text
/// bit  7          6         5            4 3       2     1            0
///      user name  password  will retain  will QoS  will  clean start  reserved
/// ```
#[derive(Debug, Clone, Copy)]
struct ConnectFlags(u8);

impl ConnectFlags {
    const USER_NAME: u8 = 0x80;
    const PASSWORD: u8 = 0x40;
    const WILL_RETAIN: u8 = 0x20;
    const WILL: u8 = 0x04;
    const CLEAN_START: u8 = 0x02;
    const RESERVED: u8 = 0x01;

    const fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    fn will_qos(self) -> Result<Qos, ProtocolError> {
        Qos::new((self.0 >> 3) & 0b11).ok_or(ProtocolError::WillQos) // [MQTT-3.1.2-12]
    }

    /// Checks what the flags say together. 3.1 states no rule for them but the last.
    fn check(self, version: ProtocolVersion) -> Result<(), ProtocolError> {
        let strict = version != ProtocolVersion::V31;
        if self.has(Self::RESERVED) && strict {
            return Err(ProtocolError::ConnectReservedFlag); // [MQTT-3.1.2-3] [MQTT3-3.1.2-3]
        }
        if !self.has(Self::WILL) && strict {
            if self.0 & 0x18 != 0 {
                // [MQTT-3.1.2-11] [MQTT3-3.1.2-11] [MQTT3-3.1.2-13]
                return Err(ProtocolError::WillQosWithoutWill);
            }
            if self.has(Self::WILL_RETAIN) {
                // [MQTT-3.1.2-13] [MQTT3-3.1.2-15]
                return Err(ProtocolError::WillRetainWithoutWill);
            }
        }
        if self.has(Self::PASSWORD) && !self.has(Self::USER_NAME) && !version.is_v5() {
            return Err(ProtocolError::PasswordWithoutUserName); // [MQTT3-3.1.2-22]
        }
        Ok(())
    }
}

impl Connect {
    /// ```text
    /// protocol name │ level │ flags │ keep alive │ [properties]
    /// client id │ [[will properties] │ will topic │ will payload] │ [user name] │ [password]
    /// ```
    ///
    /// Sets the version of `scope` as soon as it is known, so that a refusal is answered in it.
    pub(crate) fn decode(
        reader: &mut Reader<'_>,
        scope: &mut Scope,
    ) -> Result<Self, ProtocolError> {
        let (version, bridge) = decode_version(reader, scope)?;
        let flags = ConnectFlags(reader.u8()?);
        flags.check(version)?;
        let keep_alive = reader.u16()?;
        let properties = if version.is_v5() {
            ConnectProperties::decode(reader, scope)?
        } else {
            ConnectProperties::default()
        };
        // The order of the fields: [MQTT-3.1.3-1] [MQTT3-3.1.3-1].
        // [MQTT-3.1.3-3] [MQTT-3.1.3-4] [MQTT3-3.1.3-3] [MQTT3-3.1.3-4]
        let client_id = reader.text()?;
        let will = if flags.has(ConnectFlags::WILL) {
            Some(Will::decode(flags, reader, scope)?) // [MQTT-3.1.2-9] [MQTT3-3.1.2-9]
        } else {
            None
        };
        // Flag and field go together; a field without its flag is a byte too many at the end:
        // [MQTT-3.1.2-16] [MQTT-3.1.2-18] [MQTT3-3.1.2-18] [MQTT3-3.1.2-20].
        let mut user_name = None;
        if flags.has(ConnectFlags::USER_NAME) && !missing_in_v31(reader, version) {
            // [MQTT-3.1.2-17] [MQTT3-3.1.2-19] [MQTT-3.1.3-12] [MQTT3-3.1.3-11]
            user_name = Some(reader.text()?);
        }
        let mut password = None;
        if flags.has(ConnectFlags::PASSWORD) && !missing_in_v31(reader, version) {
            password = Some(reader.binary()?); // [MQTT-3.1.2-19] [MQTT3-3.1.2-21]
        }
        let clean_start = flags.has(ConnectFlags::CLEAN_START);
        Ok(Self {
            version,
            bridge,
            clean_start,
            keep_alive,
            client_id,
            will,
            user_name,
            password,
            properties,
        })
    }

    /// Writes the packet in its own version.
    pub(crate) fn write(&self, sink: &mut dyn Sink) {
        let v5 = self.version.is_v5();
        sink.binary(if self.version == ProtocolVersion::V31 { NAME_31 } else { NAME });
        let bridge = if self.bridge && !v5 { BRIDGE_BIT } else { 0 };
        sink.u8(self.version.level() | bridge);
        sink.u8(self.flags());
        sink.u16(self.keep_alive);
        if v5 {
            sink::section(sink, &|sink| self.properties.write(sink));
        }
        sink.text(&self.client_id);
        if let Some(will) = &self.will {
            if v5 {
                sink::section(sink, &|sink| will.write_properties(sink));
            }
            sink.text(will.topic.text());
            sink.binary(&will.payload);
        }
        if let Some(user_name) = &self.user_name {
            sink.text(user_name);
        }
        if let Some(password) = &self.password {
            sink.binary(password);
        }
    }

    fn flags(&self) -> u8 {
        let mut flags = 0;
        if let Some(will) = &self.will {
            flags |= ConnectFlags::WILL | will.qos.get() << 3;
            flags |= if will.retain { ConnectFlags::WILL_RETAIN } else { 0 };
        }
        flags |= if self.clean_start { ConnectFlags::CLEAN_START } else { 0 };
        flags |= if self.user_name.is_some() { ConnectFlags::USER_NAME } else { 0 };
        flags | if self.password.is_some() { ConnectFlags::PASSWORD } else { 0 }
    }
}

/// The protocol name of 3.1.1 and 5.0.
const NAME: &[u8] = b"MQTT";
/// The protocol name of 3.1.
const NAME_31: &[u8] = b"MQIsdp";
/// Bit 7 of the level: a bridge of 3.x.
const BRIDGE_BIT: u8 = 0x80;

/// Reads name and level: the version, and whether a bridge speaks.
fn decode_version(
    reader: &mut Reader<'_>,
    scope: &mut Scope,
) -> Result<(ProtocolVersion, bool), ProtocolError> {
    let name = reader.binary_slice()?;
    if name != NAME && name != NAME_31 {
        return Err(ProtocolError::ProtocolName); // [MQTT-3.1.2-1] [MQTT3-3.1.2-1]
    }
    let level = reader.u8()?;
    let number = level & !BRIDGE_BIT;
    // The nearest version that is spoken: a refusal is answered in it.
    scope.version = match number {
        _ if name == NAME_31 => ProtocolVersion::V31,
        0..5 => ProtocolVersion::V311,
        5.. => ProtocolVersion::V5,
    };
    scope.version_known = true;
    let bridge = level & BRIDGE_BIT != 0;
    if number != scope.version.level() || (bridge && scope.version.is_v5()) {
        return Err(ProtocolError::UnsupportedVersion { level }); // [MQTT-3.1.2-2] [MQTT3-3.1.2-2]
    }
    Ok((scope.version, bridge))
}

/// 3.1 lets the remaining length take precedence over the flags of user name and password, for the
/// sake of clients older still.
fn missing_in_v31(reader: &Reader<'_>, version: ProtocolVersion) -> bool {
    version == ProtocolVersion::V31 && reader.is_empty()
}

impl ConnectProperties {
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
            PropertyId::SessionExpiryInterval => self.session_expiry_interval = value.u32()?,
            PropertyId::ReceiveMaximum => self.receive_maximum = section.receive_maximum()?,
            PropertyId::MaximumPacketSize => {
                self.maximum_packet_size = Some(section.maximum_packet_size()?);
            }
            PropertyId::TopicAliasMaximum => self.topic_alias_maximum = value.u16()?,
            PropertyId::RequestResponseInformation => {
                self.request_response_information = section.bool()?;
            }
            PropertyId::RequestProblemInformation => {
                self.request_problem_information = section.bool()?;
            }
            PropertyId::AuthenticationMethod => self.authentication_method = Some(value.text()?),
            PropertyId::AuthenticationData => self.authentication_data = Some(value.binary()?),
            other => section.user(other)?,
        }
        Ok(())
    }

    /// Writes the properties that differ from what absence means.
    fn write(&self, sink: &mut dyn Sink) {
        let absent = Self::default();
        let expiry = Some(self.session_expiry_interval);
        let expiry = expiry.filter(|value| *value != absent.session_expiry_interval);
        sink.property_u32(PropertyId::SessionExpiryInterval, expiry);
        let receive = Some(self.receive_maximum).filter(|value| *value != absent.receive_maximum);
        sink.property_u16(PropertyId::ReceiveMaximum, receive);
        sink.property_u32(PropertyId::MaximumPacketSize, self.maximum_packet_size);
        let aliases = Some(self.topic_alias_maximum);
        let aliases = aliases.filter(|value| *value != absent.topic_alias_maximum);
        sink.property_u16(PropertyId::TopicAliasMaximum, aliases);
        let response = Some(self.request_response_information);
        let response = response.filter(|value| *value != absent.request_response_information);
        sink.property_bool(PropertyId::RequestResponseInformation, response);
        let problem = Some(self.request_problem_information);
        let problem = problem.filter(|value| *value != absent.request_problem_information);
        sink.property_bool(PropertyId::RequestProblemInformation, problem);
        sink.user_properties(&self.user_properties);
        sink.property_text(PropertyId::AuthenticationMethod, self.authentication_method.as_ref());
        sink.property_binary(PropertyId::AuthenticationData, self.authentication_data.as_ref());
    }
}

impl Will {
    fn decode(
        flags: ConnectFlags,
        reader: &mut Reader<'_>,
        scope: &Scope,
    ) -> Result<Self, ProtocolError> {
        let qos = flags.will_qos()?; // [MQTT-3.1.2-12] [MQTT3-3.1.2-14]
        let mut delay_interval = 0;
        let mut message_expiry_interval = None;
        let mut properties = MessageProperties::default();
        if scope.version.is_v5() {
            let mut section = Section::open(reader, scope.limits)?;
            while let Some(property) = section.next()? {
                match property {
                    PropertyId::WillDelayInterval => delay_interval = section.value.u32()?,
                    PropertyId::MessageExpiryInterval => {
                        message_expiry_interval = Some(section.value.u32()?);
                    }
                    other => section.forwarded(other)?,
                }
            }
            properties = section.message_properties();
        }
        let topic = TopicName::new(reader.text()?).map_err(|error| match error {
            TopicError::Empty => ProtocolError::TopicEmpty, // [MQTT-4.7.3-1] [MQTT3-4.7.3-1]
            _ => ProtocolError::TopicWildcard,              // [MQTT-4.7.0-1] [MQTT3-4.7.1-1]
        })?; // [MQTT-3.1.3-11] [MQTT3-3.1.3-10]
        let payload = reader.binary()?;
        let retain = flags.has(ConnectFlags::WILL_RETAIN);
        Ok(Self {
            topic,
            payload,
            qos,
            retain,
            delay_interval,
            message_expiry_interval,
            properties,
        })
    }

    fn write_properties(&self, sink: &mut dyn Sink) {
        let delay = Some(self.delay_interval).filter(|delay| *delay > 0);
        sink.property_u32(PropertyId::WillDelayInterval, delay);
        sink.property_u32(PropertyId::MessageExpiryInterval, self.message_expiry_interval);
        sink.slice(self.properties.bytes());
    }
}
