use plexus_types::{PacketId, ProtocolVersion, Text};

use super::UserProperties;
use crate::{
    ProtocolError,
    limits::Scope,
    property::Section,
    reader::Reader,
    sink::{self, Sink},
};

/// UNSUBSCRIBE, section 3.10.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    /// The identifier that UNSUBACK repeats.
    pub packet_id: PacketId,
    /// User Properties in their order.
    pub user_properties: UserProperties,
    /// At least one ([MQTT-3.10.3-2]).
    pub filters: Vec<Text>,
}

impl Unsubscribe {
    /// ```text
    /// packet id │ [properties] │ filter…
    /// ```
    pub(crate) fn decode(reader: &mut Reader<'_>, scope: &Scope) -> Result<Self, ProtocolError> {
        let packet_id = reader.packet_id()?;
        let mut user_properties = UserProperties::default();
        if scope.version.is_v5() {
            let mut section = Section::open(reader, scope.limits)?;
            while let Some(property) = section.next()? {
                section.user(property)?;
            }
            user_properties = section.user_properties();
        }
        let mut filters = Vec::new();
        while !reader.is_empty() {
            if filters.len() >= usize::from(scope.limits.filters) {
                return Err(ProtocolError::TooManyFilters);
            }
            filters.push(reader.text()?); // [MQTT-3.10.3-1] [MQTT3-3.10.3-1]
        }
        if filters.is_empty() {
            return Err(ProtocolError::UnsubscribeEmpty); // [MQTT-3.10.3-2] [MQTT3-3.10.3-2]
        }
        Ok(Self { packet_id, user_properties, filters })
    }

    pub(crate) fn write(&self, version: ProtocolVersion, sink: &mut dyn Sink) {
        sink.u16(self.packet_id.get());
        if version.is_v5() {
            sink::section(sink, &|sink| sink.user_properties(&self.user_properties));
        }
        for filter in &self.filters {
            sink.text(filter);
        }
    }
}
