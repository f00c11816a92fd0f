//! Whose message came, where its payload does not say: by its topic.

use std::collections::BTreeMap;

use super::{Audience, Role, Workload};
use crate::pattern::Place;

/// Publishers by the topic that nobody else of the run publishes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Senders(BTreeMap<String, Option<u32>>);

impl Senders {
    /// Those of a workload. Where every payload has a stamp nobody asks for them, and there are none.
    pub(crate) fn of(workload: &Workload) -> Self {
        let mut senders = BTreeMap::new();
        if workload.is_stamped() {
            return Self(senders);
        }
        for (index, group) in workload.groups.iter().enumerate() {
            let Role::Publish(publishing) = &group.role else { continue };
            let id_varies = group.client_id.has(Place::Random);
            let varies = publishing.has_topics(group.count)
                || (publishing.topic.has(Place::Id) && id_varies);
            if varies || !publishing.counted {
                continue;
            }
            let base = workload.publisher_base(index);
            for number in 0..group.count {
                let sender = senders.entry(group.topic(publishing, number, (0, 0)));
                sender.and_modify(|sender| *sender = None).or_insert(Some(base + number));
            }
        }
        Self(senders)
    }

    /// The publisher of a topic, if it is the only one.
    pub(crate) fn of_topic(&self, topic: &str) -> Option<u32> {
        self.0.get(topic).copied().flatten()
    }
}

impl Workload {
    /// How many deliveries each message of each publisher waits for before it leaves the window, in
    /// the order of [`Self::publisher_base`].
    pub(crate) fn awaited(&self, senders: &Senders, audience: &Audience) -> Vec<u32> {
        let mut awaited = Vec::new();
        for group in &self.groups {
            let Role::Publish(publishing) = &group.role else { continue };
            for number in 0..group.count {
                let heard = audience.get(awaited.len());
                let receivers = heard.filter(|heard| !heard.passing);
                let receivers = receivers.and_then(|heard| heard.receivers).unwrap_or_default();
                let index = awaited.len() as u32;
                let is_known = || {
                    let topic = group.topic(publishing, number, (0, 0));
                    publishing.body.is_stamped() || senders.of_topic(&topic) == Some(index)
                };
                let waits = publishing.awaits_delivery && receivers > 0 && is_known();
                awaited.push(if waits { receivers } else { 0 });
            }
        }
        awaited
    }
}
