//! What a client is subscribed to.

use plexus_types::TopicFilter;

use crate::Held;

/// The subscriptions of one session, sorted by filter. Most sessions have one or two, so that the
/// vector grows one by one at first; its length is limited by `Options::subscriptions_max`.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    held: Vec<Held>,
    bytes: usize,
}

/// What a subscription takes when it is written down.
fn bytes_of(held: &Held) -> usize {
    held.filter.len() + 8
}

/// Up to here the vector grows by single places.
const FEW: usize = 8;

impl Subscriptions {
    /// Those of an image, no filter of which is there twice.
    pub(crate) fn restore(mut held: Vec<Held>) -> Self {
        held.sort_unstable_by(|one, other| one.filter.cmp(&other.filter));
        let bytes = held.iter().map(bytes_of).sum();
        Self { held, bytes }
    }

    /// Adds or replaces ([MQTT-3.8.4-3]); says whether it is new.
    pub(crate) fn insert(&mut self, new: Held) -> bool {
        match self.held.binary_search_by(|held| held.filter.cmp(&new.filter)) {
            Ok(at) => {
                if let Some(held) = self.held.get_mut(at) {
                    *held = new;
                }
                false
            }
            Err(at) => {
                if self.held.len() < FEW {
                    self.held.reserve_exact(1);
                }
                self.bytes += bytes_of(&new);
                self.held.insert(at, new);
                true
            }
        }
    }

    /// Takes it out; says whether it was there ([MQTT-3.10.4-1]).
    pub(crate) fn remove(&mut self, filter: &TopicFilter) -> bool {
        let Ok(at) = self.held.binary_search_by(|held| held.filter.cmp(filter)) else {
            return false;
        };
        self.bytes -= bytes_of(&self.held.remove(at));
        true
    }

    pub(crate) fn contains(&self, filter: &TopicFilter) -> bool {
        self.held.binary_search_by(|held| held.filter.cmp(filter)).is_ok()
    }

    /// About the bytes that they take when they are written down.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Held> {
        self.held.iter()
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
        assert!(subscriptions.insert(subscription("a/+", None)));
        assert!(!subscriptions.insert(subscription("a/+", Some(7))));
        assert!(subscriptions.insert(subscription("$share/g/a/+", None)));
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
        let mut subscriptions = Subscriptions::restore(held.into());
        assert_eq!(subscriptions.bytes(), 27);
        for filter in ["a", "b", "c"] {
            assert!(!subscriptions.insert(subscription(filter, Some(1))));
        }
        assert!(subscriptions.remove(&TopicFilter::try_from("c").unwrap()));
    }
}
