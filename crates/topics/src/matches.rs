//! The result of a match, and what is delivered of it.

use plexus_types::Qos;

use crate::{SubscriberId, Subscription};

/// A buffer for the matches of one topic, to be used again for the next.
#[derive(Debug, Default)]
pub struct Matches {
    found: Vec<Subscription>,
    /// Filters that contributed: one alone names nobody twice.
    lists: usize,
    identified: bool,
    ids: Vec<u32>,
}

/// One delivery: all matching subscriptions of one subscriber together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// Who gets it.
    pub subscriber: SubscriberId,
    /// The highest quality of service among the subscriptions ([MQTT-3.3.4-2]).
    pub qos: Qos,
    /// Whether any of them asks for RETAIN as published.
    pub retain_as_published: bool,
    /// All Subscription Identifiers ([MQTT-3.3.4-3], [MQTT-3.3.4-4]).
    pub ids: &'a [u32],
}

impl Matches {
    /// Forgets the last match.
    pub fn clear(&mut self) {
        self.found.clear();
        self.lists = 0;
        self.identified = false;
    }

    /// Whether nothing matched.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Subscriptions that matched.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// The subscriptions that matched, in no order.
    pub fn subscriptions(&self) -> impl Iterator<Item = &Subscription> {
        self.found.iter()
    }

    /// What is to be delivered, one entry a subscriber. `publisher` is left out where its
    /// subscription says No Local ([MQTT-3.8.3-3]).
    pub fn deliveries(&mut self, publisher: Option<SubscriberId>) -> Deliveries<'_> {
        if let Some(publisher) = publisher {
            self.found.retain(|it| it.subscriber != publisher || !it.options.no_local());
        }
        if self.lists > 1 {
            self.found.sort_unstable_by_key(|it| (it.subscriber, it.id));
        }
        self.ids.clear();
        if self.identified {
            let ids = self.found.iter().filter_map(|it| it.id);
            self.ids.extend(ids.map(std::num::NonZeroU32::get));
        }
        Deliveries { found: &self.found, ids: &self.ids }
    }

    pub(crate) fn add(&mut self, subscriptions: &[Subscription]) {
        self.lists += 1;
        self.identified |= subscriptions.iter().any(|it| it.id.is_some());
        self.found.extend_from_slice(subscriptions);
    }
}

/// Iterates over the deliveries of a match.
#[derive(Debug)]
pub struct Deliveries<'a> {
    found: &'a [Subscription],
    ids: &'a [u32],
}

impl<'a> Iterator for Deliveries<'a> {
    type Item = Target<'a>;

    fn next(&mut self) -> Option<Target<'a>> {
        let (first, mut rest) = self.found.split_first()?;
        let mut qos = first.options.qos();
        let mut retain_as_published = first.options.retain_as_published();
        let mut identified = usize::from(first.id.is_some());
        while let Some((next, after)) = rest.split_first()
            && next.subscriber == first.subscriber
        {
            qos = qos.max(next.options.qos());
            retain_as_published |= next.options.retain_as_published();
            identified += usize::from(next.id.is_some());
            rest = after;
        }
        self.found = rest;
        let (ids, later) = self.ids.split_at_checked(identified).unwrap_or_default();
        self.ids = later;
        Some(Target { subscriber: first.subscriber, qos, retain_as_published, ids })
    }
}
