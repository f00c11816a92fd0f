//! How many subscribers a message has.

use std::collections::{BTreeMap, BTreeSet};

use plexus_types::Qos;

use super::{Filling, Publishing, Role, Subscribing, Workload, filter_matches};
use crate::{pattern::Place, plan::Group};

/// Comparisons of a topic with a filter that are made; beyond, losses are seen as gaps only.
const COMPARISONS_MAX: u64 = 20_000_000;

/// All subscribers.
#[derive(Debug, Default)]
struct Audience {
    /// Those who stay.
    steady: Receivers,
    /// Those who come and go and get what they have missed, if its quality of service is above 0.
    returning: Receivers,
    /// All who come and go.
    passing: Receivers,
}

/// Filters of subscribers, equal ones together.
#[derive(Debug, Default)]
struct Receivers {
    /// Without wildcards: found by the topic.
    exact: BTreeMap<String, u32>,
    wild: BTreeMap<String, u32>,
    /// Members of shared subscriptions by the name of their group and the filter: together one receiver.
    shared: BTreeSet<(String, String)>,
}

pub(super) fn of(workload: &Workload) -> Vec<Option<u32>> {
    let audience = Audience::new(workload);
    let comparisons = topics(workload).saturating_mul(audience.wild());
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

/// By publisher, whether somebody who comes and goes hears of it.
pub(super) fn passing(workload: &Workload) -> Vec<bool> {
    let audience = Audience::new(workload);
    let is_too_much = topics(workload).saturating_mul(audience.wild()) > COMPARISONS_MAX;
    let mut all = Vec::new();
    for group in &workload.groups {
        let Role::Publish(publishing) = &group.role else { continue };
        all.extend((0..group.count).map(|number| {
            let hears =
                |numbers| audience.passing.of(&group.topic(publishing, number, numbers)) > 0;
            is_too_much || hears((0, 0)) || hears((1_234_567, 654_321))
        }));
    }
    all
}

impl Audience {
    fn new(workload: &Workload) -> Self {
        let mut audience = Self::default();
        for group in &workload.groups {
            let Role::Subscribe(subscribing) = &group.role else { continue };
            if group.churn.is_none() {
                audience.steady.add(group, subscribing);
                continue;
            }
            audience.passing.add(group, subscribing);
            if group.sessions.are_kept() && subscribing.qos > Qos::AtMostOnce {
                audience.returning.add(group, subscribing);
            }
        }
        audience
    }

    /// Filters that a topic is compared with.
    fn wild(&self) -> u64 {
        let all = [&self.steady, &self.returning, &self.passing].into_iter();
        all.map(|receivers| (receivers.wild.len() + receivers.shared.len()) as u64).sum()
    }

    /// How many hear each message of a client; nothing where that differs.
    fn of_client(&self, group: &Group, publishing: &Publishing, number: u32) -> Option<u32> {
        let of = |numbers| {
            let topic = group.topic(publishing, number, numbers);
            let is_stored = publishing.qos > Qos::AtMostOnce;
            let returning = if is_stored { self.returning.of(&topic) } else { 0 };
            self.steady.of(&topic) + returning
        };
        let found = of((0, 0));
        // What differs for another message cannot be told beforehand.
        let same = !publishing.topic.varies() || of((1_234_567, 654_321)) == found;
        same.then_some(found)
    }
}

impl Receivers {
    fn add(&mut self, group: &Group, subscribing: &Subscribing) {
        let own = subscribing.filter.has(Place::Client) || subscribing.filter.has(Place::Id);
        let (clients, weight) = if own { (group.count, 1) } else { (1, group.count) };
        for number in 0..clients {
            let client = group.first + u64::from(number);
            let id = group.id(number, 0);
            for message in 0..u64::from(subscribing.each) {
                let filling = Filling { client, id: &id, message, ..Filling::default() };
                let filter = subscribing.filter.text(&filling);
                if let Some(name) = &subscribing.shared {
                    self.shared.insert((name.clone(), filter));
                    continue;
                }
                let wild = filter.contains(['+', '#']);
                let map = if wild { &mut self.wild } else { &mut self.exact };
                *map.entry(filter).or_default() += weight;
            }
        }
    }

    fn of(&self, topic: &str) -> u32 {
        let exact = self.exact.get(topic).copied().unwrap_or_default();
        let wild = self.wild.iter().filter(|(filter, _)| filter_matches(filter, topic));
        let shared = self.shared.iter().filter(|(_, filter)| filter_matches(filter, topic));
        exact + wild.map(|(_, receivers)| receivers).sum::<u32>() + shared.count() as u32
    }
}
