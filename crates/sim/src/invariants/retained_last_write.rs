//! Section 3.3.1.3: a topic keeps the last message that was written to it, and none if that had no
//! payload ([MQTT-3.3.1-5], [MQTT-3.3.1-6]). Of several writers any one's last may be the last.

use std::collections::BTreeMap;

use super::Invariant;
use crate::{
    agenda::ActorNo,
    history::{History, MessageNo},
    seen::Seen,
};

#[derive(Debug, Default)]
pub(super) struct RetainedLastWrite {
    /// The last write of each writer; none where it deleted.
    last: BTreeMap<String, BTreeMap<ActorNo, Option<MessageNo>>>,
}

impl Invariant for RetainedLastWrite {
    fn name(&self) -> &'static str {
        "retained_last_write"
    }

    fn check(&mut self, history: &History, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Entered(entry) if entry.retain => {
                let writers = self.last.entry(entry.topic.clone()).or_default();
                writers.insert(entry.publisher, entry.number);
            }
            Seen::Retained(kept) => {
                for (topic, writers) in &self.last {
                    let number = kept.get(topic).and_then(MessageNo::of);
                    let expires = |number: MessageNo| {
                        history.message(number).is_some_and(|sent| sent.may_expire)
                    };
                    let fits = writers.values().any(|last| match (last, number) {
                        (Some(last), None) => expires(*last),
                        (last, kept) => *last == kept,
                    });
                    if !fits {
                        return Err(format!("{topic} keeps {number:?}, written: {writers:?}"));
                    }
                }
                if let Some(topic) = kept.keys().find(|topic| !self.last.contains_key(*topic)) {
                    return Err(format!("{topic} keeps something that nobody wrote"));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
