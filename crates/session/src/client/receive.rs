//! Messages of the server.

use plexus_types::{Instant, PacketId, Qos, ReasonCode};
use plexus_wire::{Ack, Publish};

use super::{Client, ClientOutput, Incoming};
use crate::{
    LogPosition,
    inbound::{AckKind, Arrival, Verdict},
    refusal::Refusal,
};

impl Client {
    pub(super) fn on_publish(&mut self, now: Instant, publish: Publish) -> Result<(), Refusal> {
        let Some(link) = &mut self.link else { return Ok(()) };
        let Publish { dup, qos, retain, topic, packet_id, properties, payload } = publish;
        let maximum = self.options.properties.topic_alias_maximum;
        let topic = link.aliases_in.resolve(topic, properties.topic_alias, maximum)?;
        if let Some(id) = packet_id {
            match self.arrive(id, qos) {
                Arrival::New => {}
                Arrival::Duplicate => {
                    self.flush_acks(now);
                    return Ok(());
                }
                Arrival::InUse => return Err(Refusal::protocol("packet identifier in use")),
                Arrival::TooMany => {
                    let words = "more unacknowledged messages than Receive Maximum";
                    return Err(Refusal::new(ReasonCode::ReceiveMaximumExceeded, words));
                }
            }
        }
        self.outputs.push_back(ClientOutput::Message(Box::new(Incoming {
            topic,
            payload,
            qos,
            retain,
            dup,
            packet_id,
            message_expiry_interval: properties.message_expiry_interval,
            subscription_ids: properties.subscription_ids,
            properties: properties.forwarded,
        })));
        if let Some(id) = packet_id.filter(|_| self.options.acknowledge) {
            self.inbound.settle(id, Verdict::SUCCESS); // [MQTT-4.5.0-2], [MQTT3-4.5.0-2]
            self.flush_acks(now);
        }
        Ok(())
    }

    fn arrive(&mut self, id: PacketId, qos: Qos) -> Arrival {
        let maximum = self.receive_maximum();
        match self.inbound.arrive(id, qos, maximum) {
            Arrival::InUse if self.inbound.give_up(id) => self.inbound.arrive(id, qos, maximum),
            arrival => arrival,
        }
    }

    pub(super) fn on_pubrel(&mut self, now: Instant, ack: &Ack) {
        let verdict = if self.inbound.release(ack.packet_id) {
            Verdict::SUCCESS
        } else {
            Verdict::new(ReasonCode::PacketIdentifierNotFound, LogPosition::ZERO)
        };
        self.answer(now, AckKind::PubComp, ack.packet_id, verdict); // [MQTT-4.3.3-11]
    }

    pub(super) fn answer(&mut self, now: Instant, kind: AckKind, id: PacketId, verdict: Verdict) {
        self.inbound.answer(kind, id, verdict);
        self.flush_acks(now);
    }

    /// The Receive Maximum that the server was told; 3.x has none but the number of identifiers.
    fn receive_maximum(&self) -> u16 {
        if self.options.version.is_v5() {
            self.options.properties.receive_maximum
        } else {
            u16::MAX
        }
    }
}
