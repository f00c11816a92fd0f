//! A message on its way to one client, in 32 bytes.

use std::sync::Arc;

use plexus_types::{Message, MessageId, PacketId, Qos};
use smallvec::SmallVec;

use crate::{Delivery, SharedRef};

/// The bytes of a message that waits: in memory, or only in the log.
#[derive(Debug, Clone)]
pub enum Body {
    /// In memory.
    Here(Arc<Message>),
    /// In the log under that name.
    Stored(MessageId),
}

impl Body {
    /// The name of the message.
    pub fn id(&self) -> MessageId {
        match self {
            Self::Here(message) => message.id,
            Self::Stored(id) => *id,
        }
    }
}

/// The place of a QoS 1 or 2 message in the order of its session. It gives the Packet Identifier,
/// so that redelivery uses the original one ([MQTT-4.4.0-1]) without a record of what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sequence(u32);

/// Numbers come round at a multiple of the Packet Identifiers that there are.
const IDENTIFIERS: u32 = u16::MAX as u32;
const ROUND: u32 = IDENTIFIERS * 65_536;

impl Sequence {
    /// The place of that number, which comes round.
    pub const fn new(number: u32) -> Self {
        Self(number % ROUND)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The place behind this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self::new(self.0 + 1)
    }

    /// How many places it is behind another; numbers come round.
    pub const fn behind(self, other: Self) -> u32 {
        if self.0 >= other.0 { self.0 - other.0 } else { ROUND - other.0 + self.0 }
    }

    /// The Packet Identifier of a message in this place ([MQTT-2.2.1-3], [MQTT-2.2.1-4]).
    pub fn packet_id(self) -> PacketId {
        let number = (self.0 % IDENTIFIERS) as u16 + 1;
        PacketId::new(number).expect("invariant: from 1 to 65,535")
    }
}

/// What few messages have.
#[derive(Debug, Clone, Default)]
struct Extras {
    subscription_ids: SmallVec<[u32; 2]>,
    shared: Option<SharedRef>,
}

/// What a message on its way to a client is, apart from its bytes. Most messages leave as soon as they
/// come, and those of QoS 0 are never a parcel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape<'a> {
    /// The bytes of topic, payload and properties.
    pub(crate) size: usize,
    pub(crate) qos: Qos,
    pub(crate) retain: bool,
    pub(crate) subscription_ids: &'a [u32],
}

impl<'a> From<Delivery<'a>> for Shape<'a> {
    fn from(delivery: Delivery<'a>) -> Self {
        Self {
            size: delivery.message.size(),
            qos: delivery.qos,
            retain: delivery.retain,
            subscription_ids: delivery.subscription_ids,
        }
    }
}

/// See the module's documentation.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    pub(crate) body: Body,
    extras: Option<Box<Extras>>,
    pub(crate) sequence: Sequence,
    /// Size, whether the log has it, RETAIN and quality of service, from the high bits down.
    traits: u32,
}

const QOS: u32 = 0b0011;
const RETAIN: u32 = 0b0100;
const RECORDED: u32 = 0b1000;
/// No MQTT packet is larger than 2^28 bytes.
const SIZE_SHIFT: u32 = 4;

impl Parcel {
    /// A message that is only in the log.
    pub(crate) fn stored(entry: &crate::Entry) -> Self {
        let mut parcel = Self {
            body: Body::Stored(entry.message),
            extras: None,
            sequence: entry.sequence,
            traits: pack(entry.size as usize, entry.qos, entry.retain) | RECORDED,
        };
        parcel.set_extras(&entry.subscription_ids, None);
        parcel
    }

    /// As the log knows it.
    pub(crate) fn entry(&self) -> crate::Entry {
        crate::Entry {
            sequence: self.sequence,
            message: self.body.id(),
            size: self.size() as u32,
            qos: self.qos(),
            retain: self.retain(),
            released: false,
            subscription_ids: SmallVec::from_slice(self.subscription_ids()),
        }
    }

    pub(crate) fn shape(&self) -> Shape<'_> {
        Shape {
            size: self.size(),
            qos: self.qos(),
            retain: self.retain(),
            subscription_ids: self.subscription_ids(),
        }
    }

    #[inline]
    fn set_extras(&mut self, subscription_ids: &[u32], shared: Option<SharedRef>) {
        if !subscription_ids.is_empty() || shared.is_some() {
            let subscription_ids = SmallVec::from_slice(subscription_ids);
            self.extras = Some(Box::new(Extras { subscription_ids, shared }));
        }
    }

    /// The bytes, if they are in memory.
    pub(crate) fn message(&self) -> Option<&Arc<Message>> {
        match &self.body {
            Body::Here(message) => Some(message),
            Body::Stored(_) => None,
        }
    }

    /// Whether the bytes are only in the log.
    pub(crate) const fn is_stored(&self) -> bool {
        matches!(self.body, Body::Stored(_))
    }

    /// The bytes of topic, payload and properties.
    pub(crate) const fn size(&self) -> usize {
        (self.traits >> SIZE_SHIFT) as usize
    }

    pub(crate) const fn qos(&self) -> Qos {
        match self.traits & QOS {
            0 => Qos::AtMostOnce,
            1 => Qos::AtLeastOnce,
            _ => Qos::ExactlyOnce,
        }
    }

    pub(crate) const fn retain(&self) -> bool {
        self.traits & RETAIN != 0
    }

    /// Whether the log knows it.
    pub(crate) const fn is_recorded(&self) -> bool {
        self.traits & RECORDED != 0
    }

    pub(crate) const fn mark_recorded(&mut self) {
        self.traits |= RECORDED;
    }

    pub(crate) fn shared(&self) -> Option<SharedRef> {
        self.extras.as_ref()?.shared
    }

    pub(crate) fn subscription_ids(&self) -> &[u32] {
        self.extras.as_ref().map_or(&[], |extras| &extras.subscription_ids)
    }

    /// Lets the bytes go, if the log has them; says whether it did.
    pub(crate) fn store(&mut self) -> bool {
        match &self.body {
            Body::Here(message) if self.is_recorded() => {
                self.body = Body::Stored(message.id);
                true
            }
            Body::Here(_) | Body::Stored(_) => false,
        }
    }
}

impl From<Delivery<'_>> for Parcel {
    fn from(delivery: Delivery<'_>) -> Self {
        let mut parcel = Self {
            traits: pack(delivery.message.size(), delivery.qos, delivery.retain),
            body: Body::Here(Arc::clone(delivery.message)),
            extras: None,
            sequence: Sequence::default(),
        };
        parcel.set_extras(delivery.subscription_ids, delivery.shared);
        parcel
    }
}

const fn pack(size: usize, qos: Qos, retain: bool) -> u32 {
    let retain = if retain { RETAIN } else { 0 };
    (size as u32) << SIZE_SHIFT | retain | qos.get() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue of ten million is 320 MB.
    #[test]
    fn a_parcel_is_at_most_32_bytes() {
        assert!(size_of::<Parcel>() <= 32, "{} bytes", size_of::<Parcel>());
    }

    #[test]
    fn packet_identifiers_come_round_without_a_break() {
        let mut sequence = Sequence::new(ROUND - 3);
        let mut ids = Vec::new();
        for _ in 0..5 {
            ids.push(sequence.packet_id().get());
            sequence = sequence.next();
        }
        assert_eq!(ids, [65_533, 65_534, 65_535, 1, 2]);
        assert_eq!(Sequence::new(65_534).packet_id().get(), 65_535);
        assert_eq!(Sequence::new(65_535).packet_id().get(), 1);
    }
}
