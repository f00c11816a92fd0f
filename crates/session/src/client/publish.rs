//! Messages of the client itself.

use plexus_types::{Instant, PacketId, Qos, ReasonCode, Text};
use plexus_wire::{Ack, Packet, Publish, PublishProperties};
use smallvec::SmallVec;

use super::{Client, ClientOutput, PublishRequest, RequestError, Ticket};
use crate::{
    LogPosition,
    aliases::Naming,
    inbound::{AckKind, Verdict},
    outbound::{Acknowledged, Received, Resend},
    refusal::Refusal,
};

/// What an alias may add to a packet: its property, and a longer length before each.
const ALIAS_COST: usize = 8;

/// A message whose fate is not told yet.
#[derive(Debug)]
pub(super) struct Pending {
    ticket: Ticket,
    /// The message; let go when PUBREC has come.
    request: Option<PublishRequest>,
    /// When it was given to the client.
    since: Instant,
}

impl Pending {
    fn size(&self) -> usize {
        self.request.as_ref().map_or(0, |request| {
            request.topic.len() + request.payload.len() + request.properties.bytes().len()
        })
    }

    fn qos(&self) -> Qos {
        self.request.as_ref().map_or(Qos::AtMostOnce, |request| request.qos)
    }

    /// Seconds of its Message Expiry Interval that are left; `Some(0)` when it has expired.
    fn seconds_left(&self, now: Instant) -> Option<u32> {
        let interval = self.request.as_ref()?.message_expiry_interval?;
        let waited = now.saturating_since(self.since).as_secs();
        Some(interval.saturating_sub(u32::try_from(waited).unwrap_or(u32::MAX)))
    }
}

impl Client {
    /// Publishes, now or when connection and window allow. The ticket's fate comes as
    /// [`ClientOutput::Published`] or [`ClientOutput::Abandoned`].
    pub fn publish(
        &mut self,
        now: Instant,
        request: PublishRequest,
    ) -> Result<Ticket, RequestError> {
        let pending =
            Pending { ticket: Ticket(self.tickets + 1), request: Some(request), since: now };
        if self.is_connected() && self.queue.is_empty() && self.has_window_for(pending.qos()) {
            let ticket = self.ticket();
            self.transmit(now, pending);
            return Ok(ticket);
        }
        let bytes = self.queue_bytes + pending.size();
        match self.options.queue_messages_max {
            0 if !self.is_connected() => Err(RequestError::Offline),
            max if self.queue.len() >= max || bytes > self.options.queue_bytes_max => {
                Err(RequestError::QueueFull)
            }
            _ => {
                self.queue_bytes = bytes;
                self.queue.push_back(pending);
                Ok(self.ticket())
            }
        }
    }

    /// Sends again what an earlier connection left, then what waits.
    pub(super) fn pump(&mut self, now: Instant) {
        self.resend(now);
        while self.is_connected()
            && self.queue.front().is_some_and(|pending| self.has_window_for(pending.qos()))
        {
            let Some(pending) = self.queue.pop_front() else { return };
            self.queue_bytes -= pending.size();
            self.transmit(now, pending);
        }
    }

    /// [MQTT-4.4.0-1], [MQTT3-4.4.0-1], [MQTT-4.6.0-1], [MQTT3-4.6.0-1]
    fn resend(&mut self, now: Instant) {
        let Some(receive_maximum) = self.link.as_ref().map(|link| link.receive_maximum) else {
            return;
        };
        while let Some(resend) = self.outbound.resend(receive_maximum) {
            match resend {
                Resend::Release(id, _) => {
                    self.answer(now, AckKind::PubRel, id, Verdict::SUCCESS);
                }
                Resend::Publish(id, pending) => {
                    let expiry = pending.seconds_left(now);
                    let request = pending.request.clone().expect("invariant: kept until PUBREC");
                    let mut publish = publish(request, Some(id), expiry, Naming::PLAIN);
                    publish.dup = true; // [MQTT-3.3.1-1], [MQTT3-3.3.1-1]
                    self.send_publish(now, publish);
                }
            }
        }
    }

    /// A message sent again that the server takes no longer is given up.
    fn send_publish(&mut self, now: Instant, publish: Publish) {
        let id = publish.packet_id;
        let packet = Packet::Publish(publish);
        if self.takes(&packet) {
            self.send(now, packet);
        } else if let Some(pending) = id.and_then(|id| self.outbound.discard(id)) {
            self.tell(pending.ticket, ReasonCode::PacketTooLarge);
        }
    }

    /// Sends a message right now; there must be room in the window.
    fn transmit(&mut self, now: Instant, mut pending: Pending) {
        let ticket = pending.ticket;
        let expiry = pending.seconds_left(now);
        if expiry == Some(0) {
            return self.outputs.push_back(ClientOutput::Abandoned(ticket));
        }
        let (Some(link), Some(request)) = (&mut self.link, pending.request.take()) else { return };
        if request.qos > link.maximum_qos {
            return self.tell(ticket, ReasonCode::QosNotSupported); // [MQTT-3.2.2-11]
        }
        if request.retain && !link.retain_available {
            return self.tell(ticket, ReasonCode::RetainNotSupported); // [MQTT-3.2.2-14]
        }
        let (topic, qos) = (request.topic.clone(), request.qos);
        let at_most_once = qos == Qos::AtMostOnce;
        let any_id = (!at_most_once).then_some(PacketId::MIN);
        let kept = (!at_most_once).then(|| request.clone());
        let packet = Packet::Publish(publish(request, any_id, expiry, Naming::PLAIN));
        let Some(spare) = link.spare(&packet, self.options.version) else {
            return self.tell(ticket, ReasonCode::PacketTooLarge); // [MQTT-3.2.2-15]
        };
        let named = spare >= ALIAS_COST;
        let naming = if named { link.aliases_out.name(&topic) } else { Naming::PLAIN };
        let Packet::Publish(mut sent) = packet else { return };
        sent.properties.topic_alias = naming.alias;
        if !naming.with_topic {
            sent.topic = Text::default();
        }
        if !at_most_once {
            pending.request = kept;
            let requests = &self.requests;
            let id = self.outbound.push(qos, pending, |id| requests.contains(id));
            sent.packet_id = Some(id);
        }
        self.send(now, Packet::Publish(sent));
        if at_most_once {
            self.tell(ticket, ReasonCode::Success);
        }
    }

    pub(super) fn on_puback(&mut self, now: Instant, ack: &Ack) -> Result<(), Refusal> {
        let done = self.outbound.handle_puback(ack.packet_id);
        self.on_acknowledged(now, done, ack.reason, "PUBACK of a QoS 2 message")
    }

    pub(super) fn on_pubcomp(&mut self, now: Instant, ack: &Ack) -> Result<(), Refusal> {
        let done = self.outbound.handle_pubcomp(ack.packet_id);
        self.on_acknowledged(now, done, ReasonCode::Success, "PUBCOMP without PUBREC")
    }

    pub(super) fn on_pubrec(&mut self, now: Instant, ack: &Ack) -> Result<(), Refusal> {
        let id = ack.packet_id;
        match self.outbound.handle_pubrec(id, ack.reason.is_error()) {
            Received::Mismatch => Err(Refusal::protocol("PUBREC of a QoS 1 message")),
            Received::Refused(pending) => {
                self.tell(pending.ticket, ack.reason);
                self.pump(now);
                Ok(())
            }
            Received::Unknown if ack.reason.is_error() => Ok(()),
            Received::Unknown => {
                let reason = ReasonCode::PacketIdentifierNotFound;
                self.answer(now, AckKind::PubRel, id, Verdict::new(reason, LogPosition::ZERO));
                Ok(())
            }
            Received::Release(pending, _) => {
                pending.request = None; // [MQTT-4.3.3-6]
                self.answer(now, AckKind::PubRel, id, Verdict::SUCCESS); // [MQTT-4.3.3-4]
                Ok(())
            }
        }
    }

    fn on_acknowledged(
        &mut self,
        now: Instant,
        done: Acknowledged<Pending>,
        reason: ReasonCode,
        mismatch: &'static str,
    ) -> Result<(), Refusal> {
        match done {
            Acknowledged::Unknown => Ok(()),
            Acknowledged::Mismatch => Err(Refusal::protocol(mismatch)),
            Acknowledged::Done(pending) => {
                self.tell(pending.ticket, reason);
                self.pump(now);
                Ok(())
            }
        }
    }

    /// The server has no session: QoS 1 starts anew; of QoS 2 nobody knows whether it was taken,
    /// unless PUBREC had come, which says that it was.
    pub(super) fn requeue_under_way(&mut self) {
        let under_way = self.outbound.drain().collect::<Vec<_>>();
        for pending in under_way.into_iter().rev() {
            match (&pending.request, pending.qos()) {
                (None, _) => self.tell(pending.ticket, ReasonCode::Success),
                (Some(_), Qos::ExactlyOnce) => {
                    self.outputs.push_back(ClientOutput::Abandoned(pending.ticket));
                }
                (Some(_), _) => {
                    self.queue_bytes += pending.size();
                    self.queue.push_front(pending);
                }
            }
        }
    }

    fn tell(&mut self, ticket: Ticket, reason: ReasonCode) {
        self.outputs.push_back(ClientOutput::Published { ticket, reason });
    }

    fn has_window_for(&self, qos: Qos) -> bool {
        let Some(link) = &self.link else { return false };
        match qos {
            Qos::AtMostOnce => !self.outbound.is_resending(),
            Qos::AtLeastOnce | Qos::ExactlyOnce => {
                self.outbound.room(link.receive_maximum, self.inflight_limit()) > 0
            }
        }
    }
}

fn publish(
    request: PublishRequest,
    packet_id: Option<PacketId>,
    expiry: Option<u32>,
    naming: Naming,
) -> Publish {
    Publish {
        dup: false,
        qos: request.qos,
        retain: request.retain,
        topic: request.topic.text().clone(),
        packet_id,
        properties: PublishProperties {
            topic_alias: naming.alias,
            message_expiry_interval: expiry,
            subscription_ids: SmallVec::new(),
            forwarded: request.properties,
        },
        payload: request.payload,
    }
}
