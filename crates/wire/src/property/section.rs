use bytes::{Bytes, BytesMut};
use plexus_types::MessageProperties;

use super::PropertyId;
use crate::{Limits, ProtocolError, UserProperties, reader::Reader};

/// The property section of one packet while it is read, in one pass.
///
/// A packet calls [`Section::next`] and reads the value from [`Section::value`], or hands the
/// property to [`Section::user`] or [`Section::forwarded`], which check it and keep its bytes. The
/// kept bytes are a slice of the packet when nothing else stands between them, which is the usual
/// case, and are gathered into one allocation otherwise.
#[derive(Debug)]
pub(crate) struct Section<'a> {
    /// Where the value of the current property is read from.
    pub(crate) value: Reader<'a>,
    seen: u64,
    repeatable: u64,
    users_left: u16,
    /// Where the current property begins.
    start: usize,
    kept: Kept,
}

/// The properties that are kept as bytes.
#[derive(Debug, Default)]
struct Kept {
    /// Which ones.
    set: u64,
    first: usize,
    last: usize,
    /// Their bytes together: `last - first` exactly when they are contiguous.
    length: usize,
}

impl<'a> Section<'a> {
    /// Reads the property length and takes the section off `reader`.
    pub(crate) fn open(reader: &mut Reader<'a>, limits: Limits) -> Result<Self, ProtocolError> {
        let length = reader.varint()?;
        Ok(Self {
            value: reader.sub(length as usize)?,
            seen: 0,
            repeatable: PropertyId::UserProperty.bit(),
            users_left: limits.user_properties,
            start: 0,
            kept: Kept::default(),
        })
    }

    /// The same, for a packet in which `property` may stand more than once.
    pub(crate) fn repeating(mut self, property: PropertyId) -> Self {
        self.repeatable |= property.bit();
        self
    }

    /// The next property, its value still to be read; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<PropertyId>, ProtocolError> {
        if self.value.is_empty() {
            return Ok(None);
        }
        self.start = self.value.position();
        let property = PropertyId::read(&mut self.value)?;
        if self.seen & !self.repeatable & property.bit() != 0 {
            return Err(ProtocolError::PropertyTwice);
        }
        self.seen |= property.bit();
        Ok(Some(property))
    }

    /// A byte that means yes or no.
    pub(crate) fn bool(&mut self) -> Result<bool, ProtocolError> {
        match self.value.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(ProtocolError::BooleanProperty),
        }
    }

    /// A Receive Maximum, never zero.
    pub(crate) fn receive_maximum(&mut self) -> Result<u16, ProtocolError> {
        match self.value.u16()? {
            0 => Err(ProtocolError::ReceiveMaximumZero),
            maximum => Ok(maximum),
        }
    }

    /// A Maximum Packet Size, never zero.
    pub(crate) fn maximum_packet_size(&mut self) -> Result<u32, ProtocolError> {
        match self.value.u32()? {
            0 => Err(ProtocolError::MaximumPacketSizeZero),
            maximum => Ok(maximum),
        }
    }

    /// A Subscription Identifier, never zero.
    pub(crate) fn subscription_id(&mut self) -> Result<u32, ProtocolError> {
        match self.value.varint()? {
            0 => Err(ProtocolError::SubscriptionIdZero),
            id => Ok(id),
        }
    }

    /// Keeps a User Property and refuses every other.
    pub(crate) fn user(&mut self, property: PropertyId) -> Result<(), ProtocolError> {
        if property != PropertyId::UserProperty {
            return Err(ProtocolError::PropertyNotAllowed);
        }
        self.users_left =
            self.users_left.checked_sub(1).ok_or(ProtocolError::TooManyUserProperties)?;
        self.value.text_slice()?; // [MQTT-1.5.7-1]
        self.value.text_slice()?;
        self.keep(property);
        Ok(())
    }

    /// Keeps a property that travels with the message and refuses every other ([MQTT-3.3.2-4]
    /// [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-20]).
    pub(crate) fn forwarded(&mut self, property: PropertyId) -> Result<(), ProtocolError> {
        match property {
            PropertyId::PayloadFormatIndicator => {
                if self.value.u8()? > 1 {
                    return Err(ProtocolError::PayloadFormat);
                }
            }
            PropertyId::ContentType => {
                self.value.text_slice()?; // [MQTT-3.3.2-19]
            }
            PropertyId::ResponseTopic => {
                let topic = self.value.text_slice()?; // [MQTT-3.3.2-13]
                if topic.is_empty() || topic.iter().any(|byte| matches!(byte, b'+' | b'#')) {
                    return Err(ProtocolError::ResponseTopic); // [MQTT-3.3.2-14]
                }
            }
            PropertyId::CorrelationData => {
                self.value.binary_slice()?;
            }
            other => return self.user(other),
        }
        self.keep(property);
        Ok(())
    }

    /// The User Properties of a packet that keeps nothing else.
    pub(crate) fn user_properties(&self) -> UserProperties {
        UserProperties::from_checked(self.kept_bytes())
    }

    /// The properties that travel with the message.
    pub(crate) fn message_properties(&self) -> MessageProperties {
        MessageProperties::from_checked(self.kept_bytes())
    }

    fn keep(&mut self, property: PropertyId) {
        let end = self.value.position();
        if self.kept.length == 0 {
            self.kept.first = self.start;
        }
        self.kept.set |= property.bit();
        self.kept.last = end;
        self.kept.length += end - self.start;
    }

    fn kept_bytes(&self) -> Bytes {
        let Kept { first, last, length, .. } = self.kept;
        if last - first == length {
            return self.value.cut(first, last);
        }
        self.gather().expect("invariant: the first pass checked every property")
    }

    /// Copies the kept properties together, in their order ([MQTT-3.3.2-18] [MQTT-3.1.3-10]).
    fn gather(&self) -> Result<Bytes, ProtocolError> {
        let mut gathered = BytesMut::with_capacity(self.kept.length);
        let mut reader = self.value.again(self.kept.first, self.kept.last);
        while !reader.is_empty() {
            let start = reader.position();
            let property = PropertyId::read(&mut reader)?;
            property.skip_value(&mut reader)?;
            if self.kept.set & property.bit() != 0 {
                gathered.extend_from_slice(reader.slice(start, reader.position()));
            }
        }
        Ok(gathered.freeze())
    }
}
