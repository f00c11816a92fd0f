//! Section 4.6: messages of one publisher to one topic are taken in the order in which it meant
//! them, and reach a subscriber in the order in which they were taken, whatever their quality of
//! service ([MQTT-4.6.0-5], [MQTT-4.6.0-6]); so do retained ones, which must not lead a new subscriber
//! back in time. What was received before may come again. Between
//! qualities of service that is more than the clauses ask for, and it ends with a crash: no record
//! tells that QoS 0 was delivered, so an older message that was still under way to others may follow
//! it. To who has subscribed in between it may follow whatever came first.

use std::collections::{BTreeMap, BTreeSet};

use plexus_types::Qos;

use super::Invariant;
use crate::{
    agenda::ActorNo,
    history::{Entry, History, MessageNo},
    seen::Seen,
};

type Stream = (ActorNo, String);

#[derive(Debug, Default)]
pub(super) struct PublisherOrder {
    /// The newest message of a publisher and topic that was taken.
    taken: BTreeMap<Stream, MessageNo>,
    /// The newest entry of a publisher and topic that a subscriber got.
    newest: BTreeMap<(ActorNo, Stream), Newest>,
    got: BTreeSet<(ActorNo, MessageNo)>,
    /// Who had subscribed when a QoS 2 message was taken.
    owed: BTreeSet<(ActorNo, MessageNo)>,
}

#[derive(Debug, Default)]
struct Newest {
    entry: u64,
    /// Of those above QoS 0.
    recorded: u64,
}

impl Newest {
    fn note(&mut self, entry: u64, qos: Qos) {
        self.entry = entry;
        if qos > Qos::AtMostOnce {
            self.recorded = entry;
        }
    }
}

impl PublisherOrder {
    fn enter(&mut self, history: &History, entry: &Entry) -> Result<(), String> {
        let Some(number) = entry.number else { return Ok(()) };
        let Some(sent) = history.message(number) else { return Ok(()) };
        let stream = (entry.publisher, entry.topic.clone());
        if sent.qos == Qos::ExactlyOnce {
            self.owed.extend(history.owed(sent).into_iter().map(|(actor, _)| (actor, number)));
        }
        if entry.again {
            return Ok(());
        }
        let newest = self.taken.entry(stream).or_insert(number);
        if sent.entries.len() == 1 && number < *newest {
            return Err(format!("{number} on {} was taken after {newest}", entry.topic));
        }
        *newest = number.max(*newest);
        Ok(())
    }
}

impl Invariant for PublisherOrder {
    fn name(&self) -> &'static str {
        "publisher_order"
    }

    fn check(&mut self, history: &History, seen: &Seen<'_>) -> Result<(), String> {
        if let Seen::Entered(entry) = seen {
            return self.enter(history, entry);
        }
        if matches!(seen, Seen::Crashed) {
            self.newest.values_mut().for_each(|newest| newest.entry = newest.recorded);
        }
        let Seen::Received { actor, number: Some(number), incoming } = seen else { return Ok(()) };
        let Some(sent) = history.message(*number) else { return Ok(()) };
        // While the log fails a message of QoS 0 goes to who is there, and the one before it stays retained.
        // A crash may take the write of a message that a session has, if its publisher was told nothing.
        let is_kept_before = incoming.retain && (history.disk_fails || history.crashes > 0);
        if sent.is_will || is_kept_before || sent.topic.starts_with("s/") {
            return Ok(());
        }
        let stream = (*actor, (sent.publisher, sent.topic.clone()));
        let newest = self.newest.entry(stream).or_default();
        let again = !self.got.insert((*actor, *number));
        if again && incoming.retain {
            // One subscription after the other brings it, however often it was taken, but nothing older.
            let is_older = matches!(*sent.entries, [entry] if entry < newest.entry);
            return if is_older && !incoming.dup {
                Err(format!("client {actor} was led back to {number} on {}", sent.topic))
            } else {
                Ok(())
            };
        }
        // What was dropped may come back after a crash, marked as a repetition.
        let is_back = incoming.dup && !history.is_lossless && history.crashes > 0;
        match sent.entries.iter().find(|entry| **entry > newest.entry) {
            Some(entry) if !again || !incoming.dup => newest.note(*entry, incoming.qos),
            Some(_) => {}
            // It may have been taken the first time, and be routed anew before it was repeated.
            None if sent.repeats.iter().any(|entry| *entry > newest.entry) || is_back => {}
            None if again => {}
            None if history.crashes > 0
                && sent.qos == Qos::ExactlyOnce
                && !self.owed.contains(&(*actor, *number)) => {}
            None => {
                let topic = &sent.topic;
                return Err(format!("client {actor} got {number} on {topic} after a later one"));
            }
        }
        Ok(())
    }
}
