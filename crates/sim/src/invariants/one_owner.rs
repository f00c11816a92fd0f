//! A client has one connection at most: the old one is closed before the new one is accepted
//! ([MQTT-3.1.4-3]). What is closed hears nothing more.

use std::collections::BTreeMap;

use super::Invariant;
use crate::{
    agenda::{ActorNo, LinkNo},
    history::History,
    seen::Seen,
};

#[derive(Debug, Default)]
pub(super) struct OneOwner {
    owners: BTreeMap<ActorNo, LinkNo>,
}

impl Invariant for OneOwner {
    fn name(&self) -> &'static str {
        "one_owner"
    }

    fn check(&mut self, _: &History, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Accepted { actor, link, .. } => {
                if let Some(other) = self.owners.insert(*actor, *link) {
                    return Err(format!("client {actor} got link {link} while it had {other}"));
                }
            }
            Seen::Detached { actor, link } if self.owners.remove(actor) != Some(*link) => {
                return Err(format!("client {actor} lost link {link} that it had not"));
            }
            Seen::WroteAfterClose { actor } => {
                return Err(format!("a closed connection of client {actor} was written to"));
            }
            _ => {}
        }
        Ok(())
    }
}
