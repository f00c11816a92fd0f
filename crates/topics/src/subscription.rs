use std::num::NonZeroU32;

use plexus_types::Qos;

/// Names a subscriber within a shard: the slot of a session, or a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SubscriberId(pub u32);

/// One subscriber's subscription to one filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subscription {
    /// Who subscribed.
    pub subscriber: SubscriberId,
    /// The Subscription Identifier, if the SUBSCRIBE had one.
    pub id: Option<NonZeroU32>,
    /// What the subscriber asked for.
    pub options: Options,
}

/// The Subscription Options that matter when a message is delivered, in one byte:
/// bits 0 and 1 the maximum QoS, bit 2 No Local, bit 3 Retain As Published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Options(u8);

const QOS: u8 = 0b0011;
const NO_LOCAL: u8 = 0b0100;
const RETAIN_AS_PUBLISHED: u8 = 0b1000;

impl Options {
    /// Packs the three options.
    pub const fn new(qos: Qos, no_local: bool, retain_as_published: bool) -> Self {
        let no_local = if no_local { NO_LOCAL } else { 0 };
        let retain_as_published = if retain_as_published { RETAIN_AS_PUBLISHED } else { 0 };
        Self(qos.get() | no_local | retain_as_published)
    }

    /// The highest quality of service that the subscriber wants.
    pub const fn qos(self) -> Qos {
        match self.0 & QOS {
            0 => Qos::AtMostOnce,
            1 => Qos::AtLeastOnce,
            _ => Qos::ExactlyOnce,
        }
    }

    /// Whether the subscriber does not want its own messages back ([MQTT-3.8.3-3]).
    pub const fn no_local(self) -> bool {
        self.0 & NO_LOCAL != 0
    }

    /// Whether RETAIN is to be forwarded as the publisher set it ([MQTT-3.3.1-12],
    /// [MQTT-3.3.1-13]).
    pub const fn retain_as_published(self) -> bool {
        self.0 & RETAIN_AS_PUBLISHED != 0
    }
}

/// A subscription as the lists hold it: its identifier is zero when there is none, so that a slice
/// of identifiers can be lent out. The quality of service stands apart because its unused values
/// give the enums around an entry a place for their tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) subscriber: u32,
    pub(crate) id: u32,
    pub(crate) qos: Qos,
    flags: u8,
}

impl Entry {
    #[inline]
    pub(crate) const fn no_local(&self) -> bool {
        self.flags & NO_LOCAL != 0
    }

    #[inline]
    pub(crate) const fn retain_as_published(&self) -> bool {
        self.flags & RETAIN_AS_PUBLISHED != 0
    }

    /// The Subscription Identifier as a slice of none or one.
    #[inline]
    pub(crate) fn ids(&self) -> &[u32] {
        if self.id == 0 { &[] } else { std::slice::from_ref(&self.id) }
    }
}

impl From<Subscription> for Entry {
    fn from(subscription: Subscription) -> Self {
        let Subscription { subscriber: SubscriberId(subscriber), id, options } = subscription;
        let (qos, flags) = (options.qos(), options.0 & !QOS);
        Self { subscriber, id: id.map_or(0, NonZeroU32::get), qos, flags }
    }
}

impl From<Entry> for Subscription {
    fn from(entry: Entry) -> Self {
        let Entry { subscriber, id, qos, flags } = entry;
        let options = Options(qos.get() | flags);
        Self { subscriber: SubscriberId(subscriber), id: NonZeroU32::new(id), options }
    }
}

#[cfg(test)]
mod tests {
    use plexus_types::Qos;

    use super::{Entry, Options, SubscriberId, Subscription};

    #[test]
    fn options_come_back_as_they_were_packed() {
        for qos in [Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce] {
            for (no_local, retain) in [(false, false), (false, true), (true, false), (true, true)] {
                let options = Options::new(qos, no_local, retain);
                assert_eq!(options.qos(), qos);
                assert_eq!(options.no_local(), no_local);
                assert_eq!(options.retain_as_published(), retain);
            }
        }
    }

    #[test]
    fn a_subscription_is_small_and_survives_storage() {
        assert_eq!(
            (size_of::<Options>(), size_of::<Subscription>(), size_of::<Entry>()),
            (1, 12, 12)
        );
        for id in [0, 7] {
            let id = std::num::NonZeroU32::new(id);
            let subscription =
                Subscription { subscriber: SubscriberId(3), id, options: Options::default() };
            let entry = Entry::from(subscription);
            assert_eq!(entry.ids().first().copied(), id.map(std::num::NonZeroU32::get));
            assert_eq!(Subscription::from(entry), subscription);
        }
    }
}
