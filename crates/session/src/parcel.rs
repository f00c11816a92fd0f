//! A message on its way to one client, in 32 bytes.

use std::sync::Arc;

use plexus_types::{Instant, Message, MessageId, PacketId, Qos};

use crate::{Delivery, Entry, Extras};

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

/// A [`Body`], and since when it waits in seconds since 1970: here it takes no room of its own.
#[derive(Debug, Clone)]
enum Place {
    Here(u32, Arc<Message>),
    Stored(u32, MessageId),
}

impl Place {
    const fn since(&self) -> u32 {
        match self {
            Self::Here(since, _) | Self::Stored(since, _) => *since,
        }
    }
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
    place: Place,
    extras: Extras,
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
    pub(crate) fn stored(entry: Entry) -> Self {
        Self {
            place: Place::Stored(entry.since, entry.message),
            extras: entry.extras,
            sequence: entry.sequence,
            traits: pack(entry.size as usize, entry.qos, entry.retain) | RECORDED,
        }
    }

    /// What it is apart from its bytes.
    pub(crate) fn shape(&self) -> Shape<'_> {
        Shape {
            size: self.size(),
            qos: self.qos(),
            retain: self.retain(),
            subscription_ids: self.subscription_ids(),
        }
    }

    /// As the log knows it.
    pub(crate) fn entry(&self) -> Entry {
        Entry {
            sequence: self.sequence,
            message: self.id(),
            size: self.size() as u32,
            since: self.place.since(),
            qos: self.qos(),
            retain: self.retain(),
            released: false,
            extras: self.extras.clone(),
        }
    }

    /// The name of the message.
    pub(crate) fn id(&self) -> MessageId {
        match &self.place {
            Place::Here(_, message) => message.id,
            Place::Stored(_, id) => *id,
        }
    }

    /// The bytes, or their name.
    pub(crate) fn body(&self) -> Body {
        match &self.place {
            Place::Here(_, message) => Body::Here(Arc::clone(message)),
            Place::Stored(_, id) => Body::Stored(*id),
        }
    }

    /// The bytes, if they are in memory.
    pub(crate) const fn message(&self) -> Option<&Arc<Message>> {
        match &self.place {
            Place::Here(_, message) => Some(message),
            Place::Stored(..) => None,
        }
    }

    /// The bytes have been fetched.
    pub(crate) fn fetched(&mut self, message: &Arc<Message>) {
        self.place = Place::Here(self.place.since(), Arc::clone(message));
    }

    /// The message is done with; yields its name.
    pub(crate) fn let_go(&mut self) -> MessageId {
        let id = self.id();
        self.place = Place::Stored(self.place.since(), MessageId::NONE);
        id
    }

    /// Whether the message is done with.
    pub(crate) fn is_done(&self) -> bool {
        self.id() == MessageId::NONE
    }

    /// When it will have waited for more than so many seconds. Times are whole seconds, so it is at
    /// most one too late, and never too early.
    pub(crate) fn overdue_at(&self, seconds: u32) -> Instant {
        Instant::from_secs(u64::from(self.place.since()) + u64::from(seconds) + 1)
    }

    /// Since when it waits, in whole seconds.
    pub(crate) const fn since(&self) -> Instant {
        Instant::from_secs(self.place.since() as u64)
    }

    /// Whether the bytes are only in the log.
    pub(crate) const fn is_stored(&self) -> bool {
        matches!(self.place, Place::Stored(..))
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

    /// The whole filter of the group that it came by.
    pub(crate) fn shared(&self) -> Option<&Arc<str>> {
        self.extras.shared()
    }

    pub(crate) fn subscription_ids(&self) -> &[u32] {
        self.extras.subscription_ids()
    }

    /// Lets the bytes go, if the log has them; says whether it did.
    pub(crate) fn store(&mut self) -> bool {
        match &self.place {
            Place::Here(since, message) if self.is_recorded() => {
                self.place = Place::Stored(*since, message.id);
                true
            }
            Place::Here(..) | Place::Stored(..) => false,
        }
    }

    /// A message that comes now.
    pub(crate) fn new(now: Instant, delivery: Delivery<'_>) -> Self {
        Self {
            traits: pack(delivery.message.size(), delivery.qos, delivery.retain),
            place: Place::Here(seconds(now), Arc::clone(delivery.message)),
            extras: Extras::new(delivery.subscription_ids, delivery.shared.cloned()),
            sequence: Sequence::default(),
        }
    }
}

/// Whole seconds since 1970.
pub(crate) fn seconds(at: Instant) -> u32 {
    u32::try_from(at.as_millis() / 1_000).unwrap_or(u32::MAX)
}

const fn pack(size: usize, qos: Qos, retain: bool) -> u32 {
    let retain = if retain { RETAIN } else { 0 };
    (size as u32) << SIZE_SHIFT | retain | qos.get() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue of ten million is 320 MB, also while it is read from the log.
    #[test]
    fn a_parcel_is_at_most_32_bytes_and_an_entry_too() {
        assert!(size_of::<Parcel>() <= 32, "{} bytes", size_of::<Parcel>());
        assert!(size_of::<Entry>() <= 32, "{} bytes", size_of::<Entry>());
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
