use plexus_types::{PacketId, ProtocolVersion, Qos, Text};

use super::UserProperties;
use crate::{
    ProtocolError,
    limits::Scope,
    property::{PropertyId, Section},
    reader::Reader,
    sink::{self, Sink},
};

/// SUBSCRIBE, section 3.8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe {
    /// The identifier that SUBACK repeats.
    pub packet_id: PacketId,
    /// Subscription Identifier, 1 to 268,435,455.
    pub subscription_id: Option<u32>,
    /// User Properties in their order.
    pub user_properties: UserProperties,
    /// At least one ([MQTT-3.8.3-2]).
    pub filters: Vec<SubscribeFilter>,
}

/// One Topic Filter of SUBSCRIBE with its options. The filter is text that the session checks, so
/// that one bad filter is answered in its own SUBACK code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscribeFilter {
    /// The filter as it came.
    pub filter: Text,
    /// Its options.
    pub options: SubscriptionOptions,
}

/// Subscription Options, section 3.8.3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SubscriptionOptions {
    /// The highest quality of service that the client wants.
    pub qos: Qos,
    /// No Local: not the client's own messages.
    pub no_local: bool,
    /// Retain As Published: keep the RETAIN flag.
    pub retain_as_published: bool,
    /// When retained messages are sent on subscribing.
    pub retain_handling: RetainHandling,
}

/// Retain Handling, section 3.8.3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum RetainHandling {
    /// At every SUBSCRIBE ([MQTT-3.3.1-9]).
    #[default]
    Always = 0,
    /// Only if the subscription is new ([MQTT-3.3.1-10]).
    IfNew = 1,
    /// Never ([MQTT-3.3.1-11]).
    Never = 2,
}

impl Subscribe {
    /// ```text
    /// packet id │ [properties] │ (filter │ options)…
    /// ```
    pub(crate) fn decode(reader: &mut Reader<'_>, scope: &Scope) -> Result<Self, ProtocolError> {
        let mut subscribe = Self {
            packet_id: reader.packet_id()?,
            subscription_id: None,
            user_properties: UserProperties::default(),
            filters: Vec::new(),
        };
        if scope.version.is_v5() {
            subscribe.decode_properties(reader, scope)?;
        }
        while !reader.is_empty() {
            if subscribe.filters.len() >= usize::from(scope.limits.filters) {
                return Err(ProtocolError::TooManyFilters);
            }
            let filter = reader.text()?; // [MQTT-3.8.3-1] [MQTT3-3.8.3-1]
            let options = SubscriptionOptions::decode(reader.u8()?, scope.version)?;
            if options.no_local && filter.as_bytes().starts_with(b"$share/") {
                return Err(ProtocolError::NoLocalShared); // [MQTT-3.8.3-4]
            }
            subscribe.filters.push(SubscribeFilter { filter, options });
        }
        if subscribe.filters.is_empty() {
            return Err(ProtocolError::SubscribeEmpty); // [MQTT-3.8.3-2] [MQTT3-3.8.3-3]
        }
        Ok(subscribe)
    }

    fn decode_properties(
        &mut self,
        reader: &mut Reader<'_>,
        scope: &Scope,
    ) -> Result<(), ProtocolError> {
        let mut section = Section::open(reader, scope.limits)?;
        while let Some(property) = section.next()? {
            match property {
                PropertyId::SubscriptionIdentifier => {
                    self.subscription_id = Some(section.subscription_id()?);
                }
                other => section.user(other)?,
            }
        }
        self.user_properties = section.user_properties();
        Ok(())
    }

    pub(crate) fn write(&self, version: ProtocolVersion, sink: &mut dyn Sink) {
        sink.u16(self.packet_id.get());
        if version.is_v5() {
            sink::section(sink, &|sink| {
                sink.property_varint(PropertyId::SubscriptionIdentifier, self.subscription_id);
                sink.user_properties(&self.user_properties);
            });
        }
        for SubscribeFilter { filter, options } in &self.filters {
            sink.text(filter);
            sink.u8(options.byte(version));
        }
    }
}

/// ```text
/// bit  7 6       5 4              3                    2         1 0
///      reserved  retain handling  retain as published  no local  QoS     (3.x: QoS only)
/// ```
impl SubscriptionOptions {
    fn decode(byte: u8, version: ProtocolVersion) -> Result<Self, ProtocolError> {
        let reserved = match version {
            ProtocolVersion::V31 => 0, // 3.1 gives the other bits no meaning and no value.
            ProtocolVersion::V311 => 0b1111_1100,
            ProtocolVersion::V5 => 0b1100_0000,
        };
        if byte & reserved != 0 {
            // [MQTT-3.8.3-5] [MQTT3-3.8.3-4]
            return Err(ProtocolError::SubscriptionOptionsReserved);
        }
        let qos = Qos::new(byte & 0b11).ok_or(ProtocolError::SubscriptionQos)?; // [MQTT3-3.8.3-4]
        if !version.is_v5() {
            return Ok(Self { qos, ..Self::default() });
        }
        let retain_handling = match (byte >> 4) & 0b11 {
            0 => RetainHandling::Always,
            1 => RetainHandling::IfNew,
            2 => RetainHandling::Never,
            _ => return Err(ProtocolError::RetainHandling),
        };
        Ok(Self {
            qos,
            no_local: byte & 0b0100 != 0,
            retain_as_published: byte & 0b1000 != 0,
            retain_handling,
        })
    }

    const fn byte(self, version: ProtocolVersion) -> u8 {
        if !version.is_v5() {
            return self.qos.get();
        }
        self.qos.get()
            | (self.no_local as u8) << 2
            | (self.retain_as_published as u8) << 3
            | (self.retain_handling as u8) << 4
    }
}
