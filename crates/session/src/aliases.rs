//! Topic Aliases, both directions. They live and die with a connection ([MQTT-3.3.2-7]).

use plexus_types::{ReasonCode, Text, TopicError, TopicName};

use crate::refusal::Refusal;

/// What the peer's aliases stand for. Without memory until the first is set.
#[derive(Debug, Default)]
#[expect(clippy::box_collection, reason = "most connections have none: one word each")]
pub(crate) struct AliasesIn(Option<Box<Vec<Option<TopicName>>>>);

impl AliasesIn {
    /// The topic of a PUBLISH from its text and its alias.
    pub(crate) fn resolve(
        &mut self,
        topic: Text,
        alias: Option<u16>,
        maximum: u16,
    ) -> Result<TopicName, Refusal> {
        let Some(alias) = alias else { return checked(topic) };
        if alias == 0 || alias > maximum {
            // [MQTT-3.3.2-8], [MQTT-3.3.2-9]; all others are taken: [MQTT-3.3.2-10],
            // [MQTT-3.3.2-12].
            return Err(Refusal::new(ReasonCode::TopicAliasInvalid, "alias out of range"));
        }
        let at = usize::from(alias) - 1;
        if topic.as_bytes().is_empty() {
            let known = self.0.as_ref().and_then(|known| known.get(at)).cloned().flatten();
            let unknown = Refusal::new(ReasonCode::ProtocolError, "alias stands for no topic");
            return known.ok_or(unknown);
        }
        let topic = checked(topic)?;
        let known = self.0.get_or_insert_default();
        if known.len() <= at {
            known.resize(at + 1, None);
        }
        if let Some(slot) = known.get_mut(at).filter(|slot| slot.as_ref() != Some(&topic)) {
            // A copy of its own: the table must not keep the read buffer alive.
            *slot = Some(topic.detached());
        }
        Ok(topic)
    }
}

fn checked(topic: Text) -> Result<TopicName, Refusal> {
    TopicName::new(topic).map_err(|error| match error {
        // [MQTT-4.7.3-1]; with an alias the empty topic was resolved before.
        TopicError::Empty => Refusal::new(ReasonCode::ProtocolError, "empty topic without alias"),
        // [MQTT-3.3.2-2]
        _ => Refusal::new(ReasonCode::TopicNameInvalid, "topic name with wildcard"),
    })
}

/// Aliases that this side assigns to hot topics: a topic gets the alias of its slot when it is seen
/// twice without the slot's owner being seen between. Slots are found by hash, so that the choice
/// costs no search and the same deliveries give the same aliases.
#[derive(Debug, Default)]
pub(crate) struct AliasesOut(Option<Box<Assigned>>);

#[derive(Debug)]
struct Assigned {
    maximum: u16,
    /// Without memory until the first topic that is worth one.
    table: Vec<Slot>,
}

#[derive(Debug, Clone, Default)]
struct Slot {
    owner: Option<TopicName>,
    candidate: u32,
}

/// How a PUBLISH names its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Naming {
    pub(crate) alias: Option<u16>,
    pub(crate) with_topic: bool,
}

impl Naming {
    pub(crate) const PLAIN: Self = Self { alias: None, with_topic: true };
}

/// An alias costs three bytes; a topic below this length is not worth one.
const TOPIC_LENGTH_MIN: usize = 8;
/// The most aliases that are assigned, whatever the peer accepts.
const ALIASES_MAX: u16 = 256;

impl AliasesOut {
    /// Aliases 1 to `maximum`; none at all for zero ([MQTT-3.1.2-26], [MQTT-3.1.2-27],
    /// [MQTT-3.3.2-11]).
    pub(crate) fn new(maximum: u16) -> Self {
        let maximum = maximum.min(ALIASES_MAX);
        Self((maximum > 0).then(|| Box::new(Assigned { maximum, table: Vec::new() })))
    }

    /// How to name `topic` in the next PUBLISH, which must then be sent.
    #[inline]
    pub(crate) fn name(&mut self, topic: &TopicName) -> Naming {
        self.0.as_deref_mut().map_or(Naming::PLAIN, |assigned| assigned.name(topic))
    }
}

impl Assigned {
    fn name(&mut self, topic: &TopicName) -> Naming {
        if topic.shown().len() < TOPIC_LENGTH_MIN {
            return Naming::PLAIN;
        }
        let hash = hash(topic.shown());
        let slots = usize::from(self.maximum);
        let table = &mut self.table;
        if table.is_empty() {
            table.resize(slots, Slot::default());
        }
        let at = hash as usize % slots;
        let Some(slot) = table.get_mut(at) else { return Naming::PLAIN };
        let alias = Some(at as u16 + 1);
        if slot.owner.as_ref() == Some(topic) {
            slot.candidate = 0;
            return Naming { alias, with_topic: false };
        }
        if slot.candidate == hash {
            *slot = Slot { owner: Some(topic.detached()), candidate: 0 };
            return Naming { alias, with_topic: true };
        }
        slot.candidate = hash;
        Naming::PLAIN
    }
}

/// FNV-1a; who crafts collisions only loses aliases. Never zero, which marks "no candidate".
fn hash(bytes: &[u8]) -> u32 {
    let fold = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    bytes.iter().fold(0x811C_9DC5, fold).max(1)
}

#[cfg(test)]
mod tests;
