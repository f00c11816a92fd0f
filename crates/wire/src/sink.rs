//! One description of a packet serves both its size and its bytes: a packet writes itself into a
//! [`Sink`], and a [`Counter`] is a sink that only counts.

use bytes::{BufMut, Bytes, BytesMut};
use plexus_types::Text;

use crate::{UserProperties, property::PropertyId, varint};

/// Takes the fields of a packet in order.
pub(crate) trait Sink {
    /// Takes bytes as they are.
    fn slice(&mut self, bytes: &[u8]);

    /// Notes that a field is longer than its two-byte length can say.
    fn overlong(&mut self);

    fn u8(&mut self, value: u8) {
        self.slice(&[value]);
    }

    fn u16(&mut self, value: u16) {
        self.slice(&value.to_be_bytes());
    }

    fn u32(&mut self, value: u32) {
        self.slice(&value.to_be_bytes());
    }

    fn varint(&mut self, value: u32) {
        let (bytes, length) = varint::bytes(value);
        self.slice(bytes.get(..length).expect("invariant: at most four bytes"));
    }

    /// Binary Data: a two-byte length and the bytes.
    fn binary(&mut self, bytes: &[u8]) {
        match u16::try_from(bytes.len()) {
            Ok(length) => self.u16(length),
            Err(_) => self.overlong(),
        }
        self.slice(bytes);
    }

    fn text(&mut self, text: &Text) {
        self.binary(text.as_bytes());
    }

    fn property_u8(&mut self, property: PropertyId, value: Option<u8>) {
        if let Some(value) = value {
            self.slice(&[property.get(), value]);
        }
    }

    fn property_bool(&mut self, property: PropertyId, value: Option<bool>) {
        self.property_u8(property, value.map(u8::from));
    }

    fn property_u16(&mut self, property: PropertyId, value: Option<u16>) {
        if let Some(value) = value {
            self.u8(property.get());
            self.u16(value);
        }
    }

    fn property_u32(&mut self, property: PropertyId, value: Option<u32>) {
        if let Some(value) = value {
            self.u8(property.get());
            self.u32(value);
        }
    }

    fn property_varint(&mut self, property: PropertyId, value: Option<u32>) {
        if let Some(value) = value {
            self.u8(property.get());
            self.varint(value);
        }
    }

    fn property_binary(&mut self, property: PropertyId, value: Option<&Bytes>) {
        if let Some(value) = value {
            self.u8(property.get());
            self.binary(value);
        }
    }

    fn property_text(&mut self, property: PropertyId, value: Option<&Text>) {
        self.property_binary(property, value.map(Text::bytes));
    }

    fn user_properties(&mut self, properties: &UserProperties) {
        self.slice(properties.bytes());
    }
}

/// Writes a property section: its length, then what `write` puts into it ([MQTT-2.2.2-1]).
pub(crate) fn section(sink: &mut dyn Sink, write: &dyn Fn(&mut dyn Sink)) {
    let mut counter = Counter::default();
    write(&mut counter);
    // A section too long for its length makes the whole packet too long, which is found before
    // anything is written.
    sink.varint(u32::try_from(counter.length).unwrap_or(varint::MAX).min(varint::MAX));
    write(sink);
}

/// Counts what a packet writes.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    pub(crate) length: usize,
    pub(crate) overlong: bool,
}

impl Sink for Counter {
    fn slice(&mut self, bytes: &[u8]) {
        self.length = self.length.saturating_add(bytes.len());
    }

    fn overlong(&mut self) {
        self.overlong = true;
    }
}

impl Sink for BytesMut {
    fn slice(&mut self, bytes: &[u8]) {
        self.put_slice(bytes);
    }

    fn overlong(&mut self) {
        unreachable!("the counter saw the same field and the packet was refused");
    }
}
