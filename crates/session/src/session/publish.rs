//! Messages of the client.

use std::time::Duration;

use plexus_types::{Durability, Instant, Message, MessageId, PacketId, Qos, ReasonCode};
use plexus_wire::{Ack, Publish, property::payload_format_is_utf8};

use super::Session;
use crate::{
    Action, Change, LogPosition, Options, Outbox, Output, Publication, Routed,
    inbound::{AckKind, Arrival, Verdict},
    phase::Phase,
    refusal::{self, Refusal},
};

impl Session {
    /// [MQTT-3.3.4-1], [MQTT3-3.3.4-1]: its quality of service decides about the answer.
    pub(super) fn on_publish(
        &mut self,
        now: Instant,
        publish: Publish,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let Phase::Connected(connection) = &mut self.phase else { return Ok(()) };
        check_capabilities(&publish, &self.options)?;
        let Publish { qos, retain, topic, packet_id, properties, payload, .. } = publish;
        let maximum = self.options.topic_alias_maximum;
        let topic = connection.aliases_in.resolve(topic, properties.topic_alias, maximum)?;
        if let Some(id) = packet_id {
            self.check_waiting_acks()?;
            match self.inbound.arrive(id, qos, self.receive_maximum()) {
                Arrival::New => {}
                Arrival::Duplicate => {
                    self.flush_acks(out);
                    return Ok(());
                }
                Arrival::InUse => return self.answer_in_use(id, qos, out),
                Arrival::TooMany => {
                    let words = "more unacknowledged messages than Receive Maximum";
                    return Err(Refusal::new(ReasonCode::ReceiveMaximumExceeded, words));
                }
            }
        }
        let interval = properties.message_expiry_interval;
        let message = Message {
            id: MessageId::NONE,
            topic,
            payload,
            qos,
            retain,
            properties: properties.forwarded,
            expires: interval.map(|seconds| now + Duration::from_secs(u64::from(seconds))),
            durability: Durability::default(),
            publisher: self.client_id.clone(),
        };
        if let Err(refusal) = check_message(&message, &self.options) {
            return self.refuse_publish(packet_id, refusal, out);
        }
        let publication = Publication { message, packet_id, will: false };
        self.authorize(Action::Publish(publication), out);
        Ok(())
    }

    /// What access control said of a PUBLISH.
    pub(super) fn decide_publish(
        &mut self,
        publication: Publication,
        verdict: Result<(), ReasonCode>,
        out: &mut Outbox,
    ) {
        let id = publication.packet_id;
        match (verdict, id) {
            (Ok(()), Some(id)) if publication.message.qos == Qos::ExactlyOnce => {
                if self.is_durable() && publication.message.durability.is_kept() {
                    // Recorded before it is routed: a repetition is known even after a crash.
                    let position = self.record(Change::Accepted(id), out);
                    self.inbound.record(id, position);
                }
                out.push(Output::Publish(publication));
            }
            (Ok(()), _) => out.push(Output::Publish(publication)),
            // [MQTT3-3.3.5-2]: 3.x cannot be told and is acknowledged as if it were well.
            (Err(reason), Some(id)) => {
                self.settle(id, Verdict::new(reason, LogPosition::ZERO), out);
            }
            (Err(_), None) => {}
        }
    }

    /// What became of a publication: its acknowledgement leaves now or when the log is kept.
    pub fn handle_routed(&mut self, _now: Instant, routed: Routed, out: &mut Outbox) {
        self.settle(routed.packet_id, Verdict::new(routed.reason, routed.after), out);
    }

    fn settle(&mut self, id: PacketId, mut verdict: Verdict, out: &mut Outbox) {
        verdict.reason = if self.version.is_v5() {
            refusal::of_publish(verdict.reason) // [MQTT-3.4.2-1], [MQTT-3.5.2-1]
        } else {
            ReasonCode::Success
        };
        let was_recorded = self.inbound.is_recorded(id);
        self.inbound.settle(id, verdict);
        if was_recorded && !self.inbound.is_recorded(id) {
            // PUBREC with an error: the next message of that identifier is another one.
            self.record(Change::Released(id), out);
        }
        self.flush_acks(out);
    }

    /// What the client published under that identifier is not taken, and it cannot be told: it
    /// sends it again after its connection has ended, and that is not a repetition.
    pub fn forget_publish(&mut self, id: PacketId, out: &mut Outbox) {
        let was_recorded = self.inbound.is_recorded(id);
        self.inbound.forget(id);
        if was_recorded {
            self.record(Change::Released(id), out);
        }
    }

    /// Refused for what it is: told where there is a way, else the connection ends.
    fn refuse_publish(
        &mut self,
        packet_id: Option<PacketId>,
        refusal: Refusal,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let Some(id) = packet_id.filter(|_| self.version.is_v5()) else { return Err(refusal) };
        let words = refusal.constant_words();
        let verdict = Verdict { words, ..Verdict::new(refusal.reason, LogPosition::ZERO) };
        self.settle(id, verdict, out);
        Ok(())
    }

    fn answer_in_use(&mut self, id: PacketId, qos: Qos, out: &mut Outbox) -> Result<(), Refusal> {
        if !self.version.is_v5() {
            return Err(Refusal::protocol("packet identifier in use")); // [MQTT3-2.3.1-2]
        }
        let kind = if qos == Qos::AtLeastOnce { AckKind::PubAck } else { AckKind::PubRec };
        let verdict = Verdict::new(ReasonCode::PacketIdentifierInUse, LogPosition::ZERO);
        self.inbound.answer(kind, id, verdict); // [MQTT-2.2.1-3]
        self.flush_acks(out);
        Ok(())
    }

    /// The client releases a QoS 2 message ([MQTT-4.3.3-11], [MQTT3-4.3.3-2]).
    pub(super) fn on_pubrel(&mut self, ack: &Ack, out: &mut Outbox) -> Result<(), Refusal> {
        self.check_waiting_acks()?;
        let was_recorded = self.inbound.is_recorded(ack.packet_id);
        let verdict = match self.inbound.release(ack.packet_id) {
            // PUBCOMP lets the client use the identifier again, so the release must be kept first.
            true if was_recorded => {
                let position = self.record(Change::Released(ack.packet_id), out);
                Verdict::new(ReasonCode::Success, position)
            }
            true => Verdict::SUCCESS,
            false => Verdict::new(ReasonCode::PacketIdentifierNotFound, LogPosition::ZERO),
        };
        self.inbound.answer(AckKind::PubComp, ack.packet_id, verdict);
        self.flush_acks(out);
        Ok(())
    }

    /// The Receive Maximum that is enforced; 3.x clients know none and are limited by the number
    /// of identifiers.
    fn receive_maximum(&self) -> u16 {
        if self.version.is_v5() { self.options.receive_maximum } else { u16::MAX }
    }

    /// Acknowledgements that wait for the log are bounded, however often a client repeats itself.
    pub(super) fn check_waiting_acks(&self) -> Result<(), Refusal> {
        let limit =
            2 * usize::from(self.receive_maximum()) + usize::from(self.options.inflight_max);
        if self.inbound.waiting() > limit {
            return Err(Refusal::new(ReasonCode::ReceiveMaximumExceeded, "too many repetitions"));
        }
        Ok(())
    }
}

fn check_capabilities(publish: &Publish, options: &Options) -> Result<(), Refusal> {
    if publish.qos > options.maximum_qos {
        // [MQTT-3.2.2-11]
        return Err(Refusal::new(ReasonCode::QosNotSupported, "QoS above Maximum QoS"));
    }
    if publish.retain && !options.retain_available {
        // [MQTT-3.2.2-14]
        return Err(Refusal::new(ReasonCode::RetainNotSupported, "no retained messages here"));
    }
    Ok(())
}

/// Why a client that is allowed that much could not publish the message, if so: for whoever publishes without
/// being one.
pub fn objection(message: &Message, options: &Options) -> Option<(ReasonCode, &'static str)> {
    if message.size() > options.packet_size_max as usize {
        return Some((ReasonCode::PacketTooLarge, "larger than mqtt.max_packet_size"));
    }
    if message.qos > options.maximum_qos {
        return Some((ReasonCode::QosNotSupported, "QoS above mqtt.maximum_qos"));
    }
    if message.retain && !options.retain_available {
        return Some((ReasonCode::RetainNotSupported, "no retained messages here"));
    }
    let refusal = check_message(message, options).err()?;
    let words = match refusal.words {
        Some(std::borrow::Cow::Borrowed(words)) => words,
        _ => "refused",
    };
    Some((refusal.reason, words))
}

fn check_message(message: &Message, options: &Options) -> Result<(), Refusal> {
    if message.topic.len() > options.topic_length_max {
        return Err(Refusal::new(ReasonCode::TopicNameInvalid, "topic name too long"));
    }
    if message.topic.levels() > options.topic_levels_max {
        return Err(Refusal::new(ReasonCode::TopicNameInvalid, "topic name has too many levels"));
    }
    if options.validate_payload_format
        && payload_format_is_utf8(&message.properties)
        && std::str::from_utf8(&message.payload).is_err()
    {
        return Err(Refusal::new(ReasonCode::PayloadFormatInvalid, "payload is not UTF-8"));
    }
    Ok(())
}
