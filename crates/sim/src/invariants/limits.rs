//! What a client said it can take is never exceeded: Receive Maximum ([MQTT-3.3.4-9]), Maximum
//! Packet Size ([MQTT-3.1.2-24]), Topic Alias Maximum ([MQTT-3.1.2-26]); nor are the node's own
//! limits of queue and window.

use std::collections::{BTreeMap, BTreeSet};

use plexus_session::Outgoing;
use plexus_types::PacketId;
use plexus_wire::Packet;

use super::Invariant;
use crate::{agenda::ActorNo, history::History, seen::Seen};

#[derive(Debug, Default)]
pub(super) struct Limits {
    /// Messages under way on the connection of a client.
    under_way: BTreeMap<ActorNo, BTreeSet<PacketId>>,
}

impl Limits {
    fn deliver(
        &mut self,
        history: &History,
        actor: ActorNo,
        outgoing: &Outgoing,
    ) -> Result<(), String> {
        let Some(terms) = &history.client(actor).terms else { return Ok(()) };
        if outgoing.topic_alias.is_some_and(|alias| alias == 0 || alias > terms.alias_maximum) {
            return Err(format!("client {actor} got an alias above its maximum"));
        }
        let Some(id) = outgoing.packet_id else { return Ok(()) };
        let under_way = self.under_way.entry(actor).or_default();
        if !under_way.insert(id) {
            return Err(format!("client {actor} got identifier {id} that is under way"));
        }
        if under_way.len() > usize::from(terms.receive_maximum) {
            let maximum = terms.receive_maximum;
            return Err(format!("client {actor} got more than its {maximum} messages"));
        }
        Ok(())
    }
}

impl Invariant for Limits {
    fn name(&self) -> &'static str {
        "limits"
    }

    fn check(&mut self, history: &History, seen: &Seen<'_>) -> Result<(), String> {
        let within = |actor: ActorNo, size: usize| match &history.client(actor).terms {
            Some(terms) if size > terms.packet_size_max => {
                Err(format!("client {actor} got a packet of {size} bytes"))
            }
            _ => Ok(()),
        };
        match seen {
            Seen::Accepted { actor, .. } => drop(self.under_way.remove(actor)),
            Seen::Delivered { actor, outgoing, size } => {
                within(*actor, *size)?;
                self.deliver(history, *actor, outgoing)?;
            }
            Seen::Said { actor, size, .. } => within(*actor, *size)?,
            Seen::Heard { actor, packet: Packet::PubAck(ack) | Packet::PubComp(ack) } => {
                self.under_way.entry(*actor).or_default().remove(&ack.packet_id);
            }
            Seen::Gauged { actor, queued, bytes, inflight } => {
                let options = &history.options;
                if *queued > options.queue_messages_max
                    || *bytes > options.queue_bytes_max
                    || *inflight > usize::from(options.inflight_max)
                {
                    return Err(format!("client {actor}: {queued} wait, {inflight} under way"));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
