//! Nobody gets a message that no subscription of its session matched while the message was there
//! ([MQTT-3.10.4-2]), and what arrives is what was published ([MQTT-3.3.2-18]).

use super::Invariant;
use crate::{
    history::{History, Standing},
    seen::Seen,
};

#[derive(Debug)]
pub(super) struct OnlySubscribed;

impl Invariant for OnlySubscribed {
    fn name(&self) -> &'static str {
        "only_subscribed"
    }

    fn check(&mut self, history: &History, seen: &Seen<'_>) -> Result<(), String> {
        let Seen::Received { actor, number: Some(number), incoming } = seen else { return Ok(()) };
        let Some(sent) = history.message(*number) else {
            return Err(format!("client {actor} got {number}, which nobody sent"));
        };
        if sent.topic != incoming.topic.as_str() || sent.payload != incoming.payload {
            let topic = &incoming.topic;
            return Err(format!("client {actor} got {number} altered, on {topic}"));
        }
        if incoming.qos > sent.qos {
            return Err(format!("client {actor} got {number} at a higher QoS"));
        }
        let covers = |standing: Standing| match standing {
            Standing::Gone(at) => {
                let entered = sent.entries.first().is_some_and(|first| *first <= at);
                sent.is_will || sent.retain || entered
            }
            _ => true,
        };
        let mut held = history.client(*actor).held.iter();
        if history.client(*actor).doubtful {
            return Ok(()); // Its end may have been forgotten, and its subscriptions be back.
        }
        if !held.any(|held| held.matches(&sent.topic) && covers(held.standing)) {
            let topic = &sent.topic;
            return Err(format!("client {actor} got {number} on {topic} without subscription"));
        }
        Ok(())
    }
}
