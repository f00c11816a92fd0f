//! How many subscribers a message has.

use std::collections::{BTreeMap, BTreeSet};

use super::{Filling, Publishing, Role, Subscribing, Workload, filter_matches};
use crate::{pattern::Place, plan::Group};

/// Comparisons of a topic with a filter that are made; beyond, losses are seen as gaps only.
const COMPARISONS_MAX: u64 = 20_000_000;

/// Filters of all subscribers, equal ones together.
#[derive(Debug, Default)]
struct Audience {
    /// Without wildcards: found by the topic.
    exact: BTreeMap<String, u32>,
    wild: BTreeMap<String, u32>,
}

pub(super) fn of(workload: &Workload) -> Vec<Option<u32>> {
    let mut audience = Audience::default();
    for group in &workload.groups {
        if let Role::Subscribe(subscribing) = &group.role {
            audience.add(group, subscribing);
        }
    }
    let comparisons = topics(workload).saturating_mul(audience.wild.len() as u64);
    let mut all = Vec::new();
    for group in &workload.groups {
        let Role::Publish(publishing) = &group.role else { continue };
        // Whose message goes to which topic may change from one to the next. Then all have the same
        // audience, if every topic has.
        let alone = Publishing { topics: None, ..publishing.clone() };
        let of = |number: u32| match publishing.counted {
            false => Some(0),
            true if comparisons > COMPARISONS_MAX => None,
            true => audience.of_client(group, &alone, number),
        };
        match publishing.topics {
            None => all.extend((0..group.count).map(of)),
            Some(topics) => {
                let each = (0..topics).map(of).collect::<BTreeSet<_>>();
                let one = each.first().copied().flatten().filter(|_| each.len() == 1);
                all.extend((0..group.count).map(|_| one));
            }
        }
    }
    all
}

/// Topics of all publishers, those that vary from message to message as one.
fn topics(workload: &Workload) -> u64 {
    let topics = workload.groups.iter().map(|group| match &group.role {
        Role::Publish(publishing) => u64::from(publishing.topics.unwrap_or(group.count)),
        Role::Connect | Role::Subscribe(_) => 0,
    });
    topics.sum()
}

impl Audience {
    fn add(&mut self, group: &Group, subscribing: &Subscribing) {
        let own = subscribing.filter.has(Place::Client) || subscribing.filter.has(Place::Id);
        // A shared subscription is one receiver, and so is each client of the others.
        let (clients, weight) = match (own, &subscribing.shared) {
            (true, _) => (group.count, 1),
            (false, Some(_)) => (1, 1),
            (false, None) => (1, group.count),
        };
        for number in 0..clients {
            let client = group.first + u64::from(number);
            let id = group.id(number, 0);
            for message in 0..u64::from(subscribing.each) {
                let filling = Filling { client, id: &id, message, ..Filling::default() };
                let filter = subscribing.filter.text(&filling);
                let wild = filter.contains(['+', '#']);
                let map = if wild { &mut self.wild } else { &mut self.exact };
                let receivers = map.entry(filter).or_default();
                let shared = subscribing.shared.is_some();
                *receivers = if shared { (*receivers).max(1) } else { *receivers + weight };
            }
        }
    }

    /// How many hear each message of a client; nothing where that differs.
    fn of_client(&self, group: &Group, publishing: &Publishing, number: u32) -> Option<u32> {
        let found = self.of(&group.topic(publishing, number, (0, 0)));
        // What differs for another message cannot be told beforehand.
        let same = !publishing.topic.varies() || {
            let other = group.topic(publishing, number, (1_234_567, 654_321));
            self.of(&other) == found
        };
        same.then_some(found)
    }

    fn of(&self, topic: &str) -> u32 {
        let exact = self.exact.get(topic).copied().unwrap_or_default();
        let wild = self.wild.iter().filter(|(filter, _)| filter_matches(filter, topic));
        exact + wild.map(|(_, receivers)| receivers).sum::<u32>()
    }
}
