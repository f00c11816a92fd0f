//! Section 3.3.1.3: a topic keeps the last message that was written to it, and none if that had no
//! payload ([MQTT-3.3.1-5], [MQTT-3.3.1-6]). Of several writers any one's last may be the last. A crash
//! takes writes that were not acknowledged, but none before one that was, and all of a topic that is
//! promised nothing.

use std::collections::BTreeMap;

use plexus_types::Qos;

use super::Invariant;
use crate::{
    agenda::ActorNo,
    history::{Entry, History, MessageNo},
    seen::Seen,
};

#[derive(Debug, Clone, Copy)]
struct Write {
    order: u64,
    /// None where it deleted.
    number: Option<MessageNo>,
    /// A crash may have taken it.
    doubtful: bool,
    /// It is QoS 2 and came again: it is written now only if it was not written the first time.
    again: bool,
}

/// The writes of one writer to one topic, from the last that is sure to have happened on.
#[derive(Debug, Default)]
struct Writes(Vec<Write>);

#[derive(Debug, Default)]
pub(super) struct RetainedLastWrite {
    topics: BTreeMap<String, BTreeMap<ActorNo, Writes>>,
}

impl Writes {
    fn add(&mut self, entry: &Entry, disk_fails: bool) {
        let Entry { order, number, again, .. } = *entry;
        // While the log fails nothing is retained of which nobody is told that it is not.
        let doubtful = again || (disk_fails && entry.qos == Qos::AtMostOnce);
        self.0.push(Write { order, number, doubtful, again });
    }

    /// The node has acknowledged that write: what came before it is history.
    fn promise(&mut self, order: u64) {
        let Some(at) = self.0.iter().position(|write| write.order == order) else { return };
        let Some(write) = self.0.get_mut(at) else { return };
        write.order = 0;
        let (number, again) = (write.number, write.again);
        let first = self.0.iter().position(|write| write.number == number && !write.again);
        // Of what came again the first time is history too, or else counts.
        let at = if again { first } else { Some(at) };
        let Some(at) = at else { return };
        self.0.drain(..at);
        if let Some(first) = self.0.first_mut() {
            (first.order, first.doubtful) = (0, false);
        }
    }

    fn crash(&mut self) {
        for write in &mut self.0 {
            write.doubtful |= write.order > 0;
        }
    }

    fn refuse(&mut self, order: u64) {
        self.0.retain(|write| write.order != order);
    }

    /// What the topic may keep if this writer was the last.
    fn candidates(&self) -> (Vec<Option<MessageNo>>, bool) {
        let sure = self.0.iter().rposition(|write| !write.doubtful);
        let from = self.0.iter().skip(sure.unwrap_or(0));
        (from.map(|write| write.number).collect(), sure.is_some())
    }
}

impl RetainedLastWrite {
    fn each(&mut self, act: impl FnMut(&mut Writes)) {
        self.topics.values_mut().flat_map(BTreeMap::values_mut).for_each(act);
    }

    fn compare(&self, history: &History, topic: &str, kept: Option<MessageNo>) -> bool {
        let Some(writers) = self.topics.get(topic) else { return kept.is_none() };
        let expires =
            |number: MessageNo| history.message(number).is_some_and(|sent| sent.may_expire);
        let candidates: Vec<_> = writers.values().map(Writes::candidates).collect();
        let never = candidates.iter().all(|(_, sure)| !sure);
        let mut written = candidates.into_iter().flat_map(|(numbers, _)| numbers);
        (never && kept.is_none())
            || written.any(|last| match (last, kept) {
                (Some(last), None) => expires(last),
                (last, kept) => last == kept,
            })
    }
}

impl Invariant for RetainedLastWrite {
    fn name(&self) -> &'static str {
        "retained_last_write"
    }

    fn check(&mut self, history: &History, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Entered(entry) if entry.retain => {
                let writers = self.topics.entry(entry.topic.clone()).or_default();
                writers.entry(entry.publisher).or_default().add(entry, history.disk_fails);
            }
            Seen::Promised(order) if history.has_log => self.each(|writes| writes.promise(*order)),
            Seen::Refused(order) if history.has_log => self.each(|writes| writes.refuse(*order)),
            // A log that fails takes nothing, and a client of 3.x hears no more than this.
            Seen::Detached { actor, .. } if history.has_log => {
                let writers = self.topics.values_mut().filter_map(|them| them.get_mut(actor));
                writers.for_each(Writes::crash);
            }
            Seen::Crashed => {
                self.topics.retain(|topic, _| history.survives(topic));
                self.each(Writes::crash);
            }
            Seen::Retained(kept) => {
                for (topic, writers) in &self.topics {
                    let number = kept.get(topic).and_then(MessageNo::of);
                    if !self.compare(history, topic, number) {
                        return Err(format!("{topic} keeps {number:?}, written: {writers:?}"));
                    }
                }
                if let Some(topic) = kept.keys().find(|topic| !self.topics.contains_key(*topic)) {
                    return Err(format!("{topic} keeps something that nobody wrote"));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
