use std::num::NonZeroU32;

use plexus_types::Qos;

use crate::{
    subscription::{Entry, SubscriberId, Subscription},
    walk::Walk,
};

/// The subscriptions that a topic matched. Keep one and use it again: it keeps its memory.
#[derive(Debug, Default)]
pub struct Matches {
    pub(crate) found: Vec<Entry>,
    /// The number of filters that `found` comes from.
    pub(crate) filters: usize,
    /// Subscription Identifiers of subscribers that matched more than once, in delivery order.
    ids: Vec<u32>,
    pub(crate) walk: Walk,
}

/// One delivery: a subscriber gets a message once however many of its filters match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// Who gets the message.
    pub subscriber: SubscriberId,
    /// The highest quality of service among the subscriptions that matched ([MQTT-3.3.4-2] [MQTT3-3.3.5-1]).
    pub qos: Qos,
    /// Whether any of them wants RETAIN as published ([MQTT-3.3.1-12], [MQTT-3.3.1-13]).
    pub retain_as_published: bool,
    /// The Subscription Identifiers of all of them ([MQTT-3.3.4-3], [MQTT-3.3.4-4]).
    pub ids: &'a [u32],
}

impl Matches {
    /// No matches yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets the matches, not the memory.
    pub fn clear(&mut self) {
        self.found.clear();
        self.filters = 0;
    }

    /// Whether nothing matched.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The number of subscriptions that matched.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Every subscription that matched, in no particular order.
    pub fn subscriptions(&self) -> impl Iterator<Item = Subscription> {
        self.found.iter().copied().map(Subscription::from)
    }

    /// What is to be delivered, in the order of the subscribers if several filters matched.
    ///
    /// A subscription with No Local does not count for its own publisher ([MQTT-3.8.3-3]).
    pub fn deliveries(
        &mut self,
        publisher: Option<SubscriberId>,
    ) -> impl Iterator<Item = Target<'_>> {
        // No subscriber is twice in one filter's list, so one filter needs no merging.
        let single = self.filters <= 1;
        if !single {
            self.merge(publisher);
        }
        Deliveries { found: &self.found, ids: &self.ids, publisher, single }
    }

    /// Brings the entries of a subscriber together and collects the identifiers of those who have
    /// several entries.
    fn merge(&mut self, publisher: Option<SubscriberId>) {
        // Lists are sorted, so a sort that finds sorted runs has little to do.
        self.found.sort_by_key(|entry| entry.subscriber);
        self.ids.clear();
        for run in self.found.chunk_by(|one, next| one.subscriber == next.subscriber) {
            if run.len() > 1 {
                let counted = run.iter().filter(|entry| is_wanted(entry, publisher));
                self.ids
                    .extend(counted.filter_map(|entry| NonZeroU32::new(entry.id)).map(u32::from));
            }
        }
    }
}

#[derive(Debug)]
struct Deliveries<'a> {
    found: &'a [Entry],
    ids: &'a [u32],
    publisher: Option<SubscriberId>,
    single: bool,
}

impl<'a> Iterator for Deliveries<'a> {
    type Item = Target<'a>;

    #[inline]
    fn next(&mut self) -> Option<Target<'a>> {
        loop {
            let (entry, rest) = self.found.split_first()?;
            if !self.single && rest.first().is_some_and(|it| it.subscriber == entry.subscriber) {
                match self.next_run(entry.subscriber) {
                    None => continue,
                    target => return target,
                }
            }
            self.found = rest;
            if is_wanted(entry, self.publisher) {
                return Some(Target {
                    subscriber: SubscriberId(entry.subscriber),
                    qos: entry.qos,
                    retain_as_published: entry.retain_as_published(),
                    ids: entry.ids(),
                });
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.found.len()))
    }
}

impl<'a> Deliveries<'a> {
    /// The several entries of one subscriber as one target, if any of them is wanted.
    fn next_run(&mut self, subscriber: u32) -> Option<Target<'a>> {
        let mut target = None::<Target<'a>>;
        let mut ids = 0;
        while let Some((entry, rest)) = self.found.split_first()
            && entry.subscriber == subscriber
        {
            self.found = rest;
            if !is_wanted(entry, self.publisher) {
                continue;
            }
            ids += usize::from(entry.id != 0);
            let merged = target.get_or_insert(Target {
                subscriber: SubscriberId(subscriber),
                qos: Qos::AtMostOnce,
                retain_as_published: false,
                ids: &[],
            });
            merged.qos = merged.qos.max(entry.qos);
            merged.retain_as_published |= entry.retain_as_published();
        }
        let (own, rest) = self.ids.split_at_checked(ids).unwrap_or((self.ids, &[]));
        self.ids = rest;
        target.map(|target| Target { ids: own, ..target })
    }
}

#[inline]
fn is_wanted(entry: &Entry, publisher: Option<SubscriberId>) -> bool {
    !entry.no_local() || publisher != Some(SubscriberId(entry.subscriber))
}

#[cfg(test)]
mod tests;
