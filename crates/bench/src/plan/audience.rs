//! Who hears each message.

use plexus_types::Qos;

use super::{
    Filling, Group, Publishing, Role, Subscribing, Workload, shapes::Filters, shares::Shares,
};
use crate::pattern::Place;

/// Filters that are written out; with more it is not found out who hears a message.
pub(super) const FILTERS_MAX: u64 = 5_000_000;

/// Who hears the messages of a workload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Audience {
    /// In the order of [`Workload::publisher_base`].
    pub(crate) publishers: Vec<Heard>,
    pub(crate) shares: Shares,
}

/// Who hears the messages of one publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heard {
    /// The quality of service it publishes with.
    pub(crate) qos: Qos,
    /// Deliveries that each message calls for. `None` where that differs from message to message or
    /// there are too many filters to find out.
    pub(crate) receivers: Option<u32>,
    /// Of these, the ones that have QoS 1 or 2 on their whole way.
    pub(crate) assured: u32,
    /// Whether somebody who comes and goes hears of it: how long its messages take to arrive says
    /// nothing then.
    pub(crate) passing: bool,
}

/// Clients that hear the same, or one shared subscription.
#[derive(Debug)]
struct Hearer {
    filters: Filters,
    share: Option<usize>,
    /// Whether they come and go.
    churns: bool,
    /// Whether they get what they have missed.
    returns: bool,
    qos: Qos,
}

/// All who hear something.
#[derive(Debug)]
struct Hearers<'a> {
    all: Vec<Hearer>,
    shares: &'a Shares,
}

/// What a message calls for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Call {
    /// Nothing where that is not known.
    all: Option<u32>,
    assured: u32,
    passing: bool,
}

impl Audience {
    pub(super) fn of(workload: &Workload) -> Self {
        let shares = Shares::of(workload);
        let hearers = Hearers::of(workload, &shares);
        let mut publishers = Vec::new();
        for group in &workload.groups {
            let Role::Publish(publishing) = &group.role else { continue };
            // Whose message goes to which topic may change from one to the next. Then all have the same
            // audience, if every topic has.
            let alone = Publishing { topics: None, ..publishing.clone() };
            let of = |number: u32| match &hearers {
                _ if !publishing.counted => Call { all: Some(0), ..Call::default() },
                None => Call::default(),
                Some(hearers) => hearers.call_of_client(group, &alone, number),
            };
            let heard = |call: Call| Heard {
                qos: publishing.qos,
                receivers: call.all,
                assured: if call.all.is_some() { call.assured } else { 0 },
                passing: call.passing,
            };
            match publishing.topics {
                None => publishers.extend((0..group.count).map(|number| heard(of(number)))),
                Some(topics) => {
                    let one = heard((0..topics).map(of).reduce(Call::or).unwrap_or_default());
                    publishers.extend((0..group.count).map(|_| one));
                }
            }
        }
        Self { publishers, shares }
    }

    /// Whether there are too many filters to find out who hears a message.
    pub(super) fn is_too_much(workload: &Workload) -> bool {
        let counts = workload.groups.iter().filter_map(|group| {
            let subscribing = subscribing(group)?;
            Some(u64::from(clients(group, subscribing).0) * u64::from(subscribing.each))
        });
        counts.fold(0, u64::saturating_add) > FILTERS_MAX
    }

    pub(crate) fn get(&self, publisher: usize) -> Option<&Heard> {
        self.publishers.get(publisher)
    }

    /// Deliveries that each message calls for, by publisher.
    #[cfg(test)]
    pub(crate) fn all(&self) -> Vec<Option<u32>> {
        self.publishers.iter().map(|heard| heard.receivers).collect()
    }

    /// Whether a message of a publisher is called for when a member of a share gets it, and not before.
    pub(crate) fn is_called_by_coming(&self, share: usize, publisher: usize) -> bool {
        let heard = self.get(publisher);
        let owed = heard
            .zip(self.shares.get(share))
            .is_some_and(|(heard, share)| heard.receivers.is_some() && share.is_owed(heard.qos));
        !owed
    }
}

impl<'a> Hearers<'a> {
    /// Those of a workload; nothing if their filters are too many.
    fn of(workload: &Workload, shares: &'a Shares) -> Option<Self> {
        if Audience::is_too_much(workload) {
            return None;
        }
        let all = workload.groups.iter().enumerate().filter_map(|(index, group)| {
            let subscribing = subscribing(group)?;
            let share = shares.of_group(index);
            // The members of a share have the same filters: those of one do.
            let first = share.and_then(|share| shares.get(share)).map(|share| share.group);
            first.is_none_or(|first| first == index).then(|| Hearer {
                filters: filters(group, subscribing),
                share,
                churns: group.churn.is_some(),
                returns: group.sessions.are_kept() && subscribing.qos > Qos::AtMostOnce,
                qos: subscribing.qos,
            })
        });
        Some(Self { all: all.collect(), shares })
    }

    /// What each message of a client calls for.
    fn call_of_client(&self, group: &Group, publishing: &Publishing, number: u32) -> Call {
        let call = |numbers| self.call(&group.topic(publishing, number, numbers), publishing.qos);
        let first = call((0, 0));
        // What differs for another message cannot be told beforehand.
        if publishing.topic.varies() { first.or(call((1_234_567, 654_321))) } else { first }
    }

    fn call(&self, topic: &str, published: Qos) -> Call {
        let mut call = Call { all: Some(0), ..Call::default() };
        for hearer in &self.all {
            let found = hearer.filters.of(topic);
            if found == 0 {
                continue;
            }
            let share = hearer.share.and_then(|share| self.shares.get(share));
            let (receivers, assured) = match share {
                Some(share) => (u32::from(share.is_owed(published)), share.is_assured(published)),
                None if hearer.is_owed(published) => {
                    (found, hearer.qos.min(published) > Qos::AtMostOnce)
                }
                None => (0, false),
            };
            call.all = call.all.map(|all| all + receivers);
            call.assured += if assured { receivers } else { 0 };
            call.passing |= share.map_or(hearer.churns, |share| share.passes);
        }
        call
    }
}

impl Hearer {
    /// Whether each message that is published so is owed to them.
    fn is_owed(&self, published: Qos) -> bool {
        !self.churns || (self.returns && published > Qos::AtMostOnce)
    }
}

impl Call {
    /// What a message calls for that is either of them.
    fn or(self, other: Self) -> Self {
        let same = (self.all, self.assured) == (other.all, other.assured);
        let passing = self.passing || other.passing;
        Self { all: self.all.filter(|_| same), assured: self.assured, passing }
    }
}

fn subscribing(group: &Group) -> Option<&Subscribing> {
    match &group.role {
        Role::Subscribe(subscribing) => Some(subscribing),
        Role::Connect | Role::Publish(_) => None,
    }
}

/// How many clients of a group have filters of their own, and for how many each of these stands.
fn clients(group: &Group, subscribing: &Subscribing) -> (u32, u32) {
    let own = subscribing.filter.has(Place::Client) || subscribing.filter.has(Place::Id);
    if own { (group.count, 1) } else { (1, group.count) }
}

fn filters(group: &Group, subscribing: &Subscribing) -> Filters {
    let mut filters = Filters::default();
    let (clients, weight) = clients(group, subscribing);
    for number in 0..clients {
        let client = group.first + u64::from(number);
        let id = group.id(number, 0);
        for message in 0..u64::from(subscribing.each) {
            let filling = Filling { client, id: &id, message, ..Filling::default() };
            filters.add(subscribing.filter.text(&filling), weight);
        }
    }
    filters
}
