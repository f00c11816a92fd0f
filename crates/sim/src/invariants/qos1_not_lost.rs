//! Section 4.3.2: a message of QoS 1 or 2 that the node took reaches every session to which it is
//! owed: one whose SUBACK had been said, that has not unsubscribed and not ended. After a crash of the
//! node only what it had acknowledged is owed still, and of that what it had promised to keep.

use std::collections::{BTreeMap, BTreeSet};

use plexus_types::{Durability, Qos, TopicFilter, filter_matches};
use plexus_wire::Packet;

use super::Invariant;
use crate::{
    agenda::ActorNo,
    history::{Entry, History, MessageNo},
    seen::Seen,
};

#[derive(Debug, Default)]
pub(super) struct Qos1NotLost {
    /// What is owed, by the entry that it follows from.
    owed: BTreeMap<(ActorNo, MessageNo), u64>,
    /// What may have been taken before a crash or may be taken again after it: owed to whoever was
    /// and is subscribed.
    suspended: BTreeSet<(ActorNo, MessageNo)>,
    /// Where there is a log: what was received, and entries that were acknowledged.
    got: BTreeSet<(ActorNo, MessageNo)>,
    promised: BTreeSet<u64>,
}

impl Qos1NotLost {
    fn enter(&mut self, history: &History, entry: &Entry) {
        let Some(number) = entry.number else { return };
        let Some(sent) = history.message(number).filter(|sent| !sent.may_expire) else { return };
        let in_memory = history.durability_of(&sent.topic) == Durability::Memory;
        // A QoS 2 delivery goes if the log fails that has to know its identifier.
        if in_memory && history.disk_fails && sent.qos == Qos::ExactlyOnce {
            return;
        }
        let surely = history.owed(sent).into_iter().filter(|(_, qos)| *qos > Qos::AtMostOnce);
        let owed = surely.map(|(actor, _)| (actor, number));
        let owed = owed.filter(|owed| !self.got.contains(owed));
        let owed = owed.filter(|owed| !entry.again || self.suspended.contains(owed));
        self.owed.extend(owed.map(|owed| (owed, entry.order)));
    }

    fn crash(&mut self, history: &History) {
        let survives = |number: MessageNo| {
            history.message(number).is_some_and(|sent| history.survives(&sent.topic))
        };
        self.owed.retain(|(_, number), _| survives(*number));
        self.suspended.retain(|(_, number)| survives(*number));
        let promised = &self.promised;
        let lost = self.owed.extract_if(.., |_, entry| !promised.contains(entry));
        self.suspended.extend(lost.map(|(owed, _)| owed));
    }
}

impl Invariant for Qos1NotLost {
    fn name(&self) -> &'static str {
        "qos1_not_lost"
    }

    fn check(&mut self, history: &History, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Entered(entry) if history.is_lossless => self.enter(history, entry),
            Seen::Received { actor, number: Some(number), .. } => {
                self.owed.remove(&(*actor, *number));
                if history.has_log {
                    self.got.insert((*actor, *number));
                }
            }
            Seen::Promised(order) if history.has_log => drop(self.promised.insert(*order)),
            Seen::Refused(order) => self.owed.retain(|_, entry| entry != order),
            Seen::Detached { actor, .. } if history.disk_fails => {
                let is_his = |number: MessageNo| {
                    history.message(number).is_some_and(|sent| sent.publisher == *actor)
                };
                let promised = &self.promised;
                let doubtful = self.owed.extract_if(.., |(_, number), entry| {
                    is_his(*number) && !promised.contains(entry)
                });
                self.suspended.extend(doubtful.map(|(owed, _)| owed));
            }
            Seen::Crashed => self.crash(history),
            Seen::Ended { actor, .. } | Seen::Vanished { actor, .. } => {
                self.owed.retain(|(owed, _), _| owed != actor);
                self.suspended.retain(|(owed, _)| owed != actor);
            }
            Seen::Heard { actor, packet: Packet::Unsubscribe(unsubscribe) } => {
                let filters = unsubscribe.filters.iter().cloned();
                for filter in filters.filter_map(|filter| TopicFilter::new(filter).ok()) {
                    self.owed.retain(|(owed, number), _| {
                        let topic = history.message(*number).map_or("", |sent| &sent.topic);
                        owed != actor || !filter_matches(filter.matched(), topic)
                    });
                }
            }
            Seen::Acknowledged(number)
                if history.message(*number).is_none_or(|sent| sent.entries.is_empty()) =>
            {
                return Err(format!("{number} was acknowledged and never taken"));
            }
            Seen::Settled => {
                // A log that fails takes nothing, and a client of 3.x cannot be told.
                let is_due = |order: &u64| !history.has_log || self.promised.contains(order);
                let mut due = self.owed.iter().filter(|(_, order)| is_due(order));
                if let Some(((actor, number), _)) = due.next() {
                    let topic = history.message(*number).map_or("", |sent| &sent.topic);
                    let count = due.count() + 1;
                    return Err(format!(
                        "client {actor} never got {number} on {topic}, one of {count} lost"
                    ));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
