//! Section 4.3.3: a message of QoS 2 that the node took once reaches a QoS 2 subscriber once. Copies
//! by retained replay and by shared groups are other deliveries.

use std::collections::BTreeSet;

use plexus_types::{Durability, Qos};

use super::Invariant;
use crate::{
    agenda::ActorNo,
    history::{History, MessageNo},
    seen::Seen,
};

#[derive(Debug, Default)]
pub(super) struct Qos2NotDuplicated {
    got: BTreeSet<(ActorNo, MessageNo)>,
}

impl Invariant for Qos2NotDuplicated {
    fn name(&self) -> &'static str {
        "qos2_not_duplicated"
    }

    fn check(&mut self, history: &History, seen: &Seen<'_>) -> Result<(), String> {
        if let Seen::Vanished { actor, .. } | Seen::Ended { actor, .. } = seen
            && history.has_log
        {
            // What comes again to its next session comes to another one.
            self.got.retain(|(got, _)| got != actor);
        }
        let Seen::Received { actor, number: Some(number), incoming } = seen else { return Ok(()) };
        let Some(sent) = history.message(*number) else { return Ok(()) };
        let once = incoming.qos == Qos::ExactlyOnce
            && sent.qos == Qos::ExactlyOnce
            && sent.entries.len() == 1
            // A crash may have taken what was never promised to outlive it, and not its delivery.
            && (sent.repeats.is_empty() || history.durability_of(&sent.topic) == Durability::Synced)
            && !sent.retain
            && !sent.topic.starts_with("s/");
        if once && !self.got.insert((*actor, *number)) {
            return Err(format!("client {actor} got {number} on {} twice", sent.topic));
        }
        Ok(())
    }
}
