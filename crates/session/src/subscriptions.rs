//! What a client is subscribed to.

use std::num::NonZeroU32;

use plexus_types::TopicFilter;
use plexus_wire::SubscriptionOptions;

use crate::Held;

/// The subscriptions of one session, sorted by filter. Most sessions have one or two, so that the
/// vector grows one by one at first; its length is limited by `Options::subscriptions_max`.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    kept: Vec<Kept>,
    bytes: usize,
}

/// A [`Held`] in half its room: some sessions have a hundred thousand. The text is a copy of its own,
/// which keeps no packet alive.
#[derive(Debug)]
struct Kept {
    filter: Box<str>,
    options: SubscriptionOptions,
    id: Option<NonZeroU32>,
}

impl Kept {
    fn of(held: &Held) -> Self {
        let (filter, id) = (held.filter.as_str().into(), held.id.and_then(NonZeroU32::new));
        Self { filter, options: held.options, id }
    }

    fn held(&self) -> Held {
        let filter = TopicFilter::from_checked(&self.filter);
        Held { filter, options: self.options, id: self.id.map(NonZeroU32::get) }
    }

    /// What it takes when it is written down.
    fn bytes(&self) -> usize {
        self.filter.len() + 8
    }
}

/// Up to here the vector grows by single places, and then by an eighth.
const FEW: usize = 8;

impl Subscriptions {
    /// Those of an image, no filter of which is there twice.
    pub(crate) fn restore(held: &[Held]) -> Self {
        let mut kept: Vec<_> = held.iter().map(Kept::of).collect();
        kept.sort_unstable_by(|one, other| one.filter.cmp(&other.filter));
        let bytes = kept.iter().map(Kept::bytes).sum();
        Self { kept, bytes }
    }

    fn find(&self, filter: &TopicFilter) -> Result<usize, usize> {
        self.kept.binary_search_by(|kept| kept.filter.as_bytes().cmp(filter.as_bytes()))
    }

    /// Adds or replaces ([MQTT-3.8.4-3]); says whether it is new.
    pub(crate) fn insert(&mut self, new: &Held) -> bool {
        match self.find(&new.filter) {
            Ok(at) => {
                if let Some(kept) = self.kept.get_mut(at) {
                    (kept.options, kept.id) = (new.options, new.id.and_then(NonZeroU32::new));
                }
                false
            }
            Err(at) => {
                if self.kept.len() == self.kept.capacity() {
                    self.kept.reserve_exact((self.kept.len() / FEW).max(1));
                }
                let kept = Kept::of(new);
                self.bytes += kept.bytes();
                self.kept.insert(at, kept);
                true
            }
        }
    }

    /// Takes it out; says whether it was there ([MQTT-3.10.4-1]).
    pub(crate) fn remove(&mut self, filter: &TopicFilter) -> bool {
        let Ok(at) = self.find(filter) else {
            return false;
        };
        self.bytes -= self.kept.remove(at).bytes();
        true
    }

    pub(crate) fn contains(&self, filter: &TopicFilter) -> bool {
        self.find(filter).is_ok()
    }

    /// About the bytes that they take when they are written down.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Held> {
        self.kept.iter().map(Kept::held)
    }
}

#[cfg(test)]
mod tests {
    use plexus_types::TopicFilter;
    use plexus_wire::SubscriptionOptions;

    use super::Subscriptions;
    use crate::Held;

    fn subscription(filter: &str, id: Option<u32>) -> Held {
        let filter = TopicFilter::try_from(filter).unwrap();
        Held { filter, options: SubscriptionOptions::default(), id }
    }

    /// [MQTT-3.8.4-3] and [MQTT-3.10.4-1]: the whole filter is the key.
    #[test]
    fn an_equal_filter_replaces_and_a_shared_one_is_another() {
        let mut subscriptions = Subscriptions::default();
        assert!(subscriptions.insert(&subscription("a/+", None)));
        assert!(!subscriptions.insert(&subscription("a/+", Some(7))));
        assert!(subscriptions.insert(&subscription("$share/g/a/+", None)));
        let ids: Vec<_> = subscriptions.iter().map(|held| held.id).collect();
        assert_eq!(ids, [None, Some(7)]);
        assert!(!subscriptions.remove(&TopicFilter::try_from("a/#").unwrap()));
        assert!(subscriptions.remove(&TopicFilter::try_from("a/+").unwrap()));
        assert_eq!(subscriptions.len(), 1);
        assert_eq!(subscriptions.bytes(), "$share/g/a/+".len() + 8, "of what is left");
    }

    #[test]
    fn restored_ones_are_found() {
        let held = ["b", "c", "a"].map(|filter| subscription(filter, None));
        let mut subscriptions = Subscriptions::restore(&held);
        assert_eq!(subscriptions.bytes(), 27);
        for filter in ["a", "b", "c"] {
            assert!(!subscriptions.insert(&subscription(filter, Some(1))));
        }
        assert!(subscriptions.remove(&TopicFilter::try_from("c").unwrap()));
    }
}
