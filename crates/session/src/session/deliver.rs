//! Messages towards the client.

use std::sync::Arc;

use plexus_types::{Instant, Qos};

use super::Session;
use crate::{
    Change, Delivery, DropReason, Outbox, Outgoing, Output, QueuePolicy, SharedRef, Taken,
    aliases::Naming,
    inbound::{AckKind, Verdict},
    outbound::Resend,
    phase::{Connection, Phase},
    queue::{Admission, Parcel},
    refusal::Refusal,
};

/// Messages that one call takes from the queue; `has_backlog` says that there are more.
const BATCH: usize = 64;

impl Session {
    /// A message for the client: sent if the connection takes it, else queued, else refused.
    pub fn handle_delivery(
        &mut self,
        now: Instant,
        delivery: Delivery<'_>,
        out: &mut Outbox,
    ) -> Taken {
        if self.is_over() {
            return Taken::Refused;
        }
        if delivery.message.is_expired(now) {
            return refuse(DropReason::Expired, delivery.shared, out); // [MQTT-3.3.2-5]
        }
        let parcel = Parcel::from(delivery);
        match &self.phase {
            // First in, first out, whatever the topic: nothing passes what waits ([MQTT-4.6.0-5],
            // [MQTT-4.6.0-6], [MQTT3-4.6.0-5], [MQTT3-4.6.0-6]).
            Phase::Connected(connection)
                if !connection.congested
                    && self.queue.is_empty()
                    && self.has_window_for(parcel.qos, connection) =>
            {
                self.transmit(now, parcel, out)
            }
            Phase::Connected(connection) if !connection.takes_parcel(&parcel, self.version) => {
                refuse(DropReason::TooLarge, parcel.shared, out) // [MQTT-3.1.2-25]
            }
            _ => self.enqueue(now, parcel, out),
        }
    }

    /// The connection's output is long, or short again: messages wait in the queue, or leave it.
    pub fn handle_congestion(&mut self, now: Instant, congested: bool, out: &mut Outbox) {
        if let Phase::Connected(connection) = &mut self.phase {
            connection.congested = congested;
            self.pump(now, out);
        }
    }

    /// Sends what waits, as far as the window and the connection allow.
    pub(super) fn pump(&mut self, now: Instant, out: &mut Outbox) {
        self.resend(now, out);
        for _ in 0..BATCH {
            if !self.has_backlog() {
                return;
            }
            let Some(parcel) = self.queue.pop() else { return };
            self.note_movement();
            if parcel.message.is_expired(now) {
                out.push(Output::Dropped(DropReason::Expired, 1)); // [MQTT-3.3.2-5]
                self.record_drop(parcel.qos, out);
                continue;
            }
            let (shared, qos, message) = (parcel.shared, parcel.qos, Arc::clone(&parcel.message));
            if self.transmit(now, parcel, out) == Taken::Refused {
                // The connection that takes no such packet came after it had been queued.
                self.record_drop(qos, out);
                if let Some(shared) = shared {
                    out.push(Output::Redispatch(shared, message));
                }
            }
        }
    }

    /// Sends what an earlier connection left under way ([MQTT-4.4.0-1], [MQTT3-4.4.0-1]).
    fn resend(&mut self, now: Instant, out: &mut Outbox) {
        let Phase::Connected(connection) = &mut self.phase else { return };
        let mut released = false;
        let mut too_large = Vec::new();
        while let Some(resend) = self.outbound.resend(connection.receive_maximum) {
            match resend {
                Resend::Release(id, after) => {
                    released = true;
                    let verdict = Verdict { after, ..Verdict::SUCCESS };
                    self.inbound.answer(AckKind::PubRel, id, verdict);
                }
                Resend::Publish(id, parcel) => {
                    let parcel = parcel.clone().expect("invariant: kept until PUBREC");
                    if connection.takes_parcel(&parcel, self.version) {
                        let mut outgoing = Outgoing::new(parcel, Naming::PLAIN, now);
                        outgoing.dup = true; // [MQTT-3.3.1-1], [MQTT3-3.3.1-1]
                        outgoing.packet_id = Some(id);
                        out.push(Output::Deliver(outgoing));
                    } else {
                        too_large.push(id);
                    }
                }
            }
        }
        let gave_up = !too_large.is_empty();
        for id in too_large {
            self.outbound.discard(id); // [MQTT-3.1.2-25]
            out.push(Output::Dropped(DropReason::TooLarge, 1));
            if self.is_durable() {
                self.record(Change::Completed(id), out);
            }
        }
        if gave_up {
            self.resend(now, out); // The window has room again.
        }
        if released {
            self.flush_acks(out);
        }
    }

    /// Sends a message right now; there must be room in the window.
    fn transmit(&mut self, now: Instant, parcel: Parcel, out: &mut Outbox) -> Taken {
        let Phase::Connected(connection) = &mut self.phase else { return Taken::Refused };
        let Some(naming) = connection.naming(&parcel, self.version) else {
            return refuse(DropReason::TooLarge, parcel.shared, out); // [MQTT-3.1.2-25]
        };
        if parcel.qos == Qos::AtMostOnce {
            out.push(Output::Deliver(Outgoing::new(parcel, naming, now)));
            return Taken::Sent;
        }
        let mut outgoing = Outgoing::new(parcel.clone(), naming, now);
        let id = self.outbound.push(parcel.qos, Some(parcel), |_| false);
        outgoing.packet_id = Some(id);
        if self.is_durable() {
            self.record(Change::Inflight(id, Arc::clone(&outgoing.message)), out);
        }
        out.push(Output::Deliver(outgoing));
        Taken::Sent
    }

    /// [MQTT-4.5.0-1], [MQTT3-4.5.0-1], [MQTT3-3.1.2-5]
    fn enqueue(&mut self, now: Instant, parcel: Parcel, out: &mut Outbox) -> Taken {
        let (qos, shared) = (parcel.qos, parcel.shared);
        let away = !self.is_connected();
        if away && qos == Qos::AtMostOnce && !self.options.queue_qos0_offline {
            return refuse(DropReason::Offline, shared, out);
        }
        if self.queue.len().0 == 0 {
            self.note_movement();
        }
        let message = Arc::clone(&parcel.message);
        let mut evicted = Vec::new();
        let admission = self.queue.push(parcel, &self.options, |victim| evicted.push(victim));
        for victim in evicted {
            self.record_drop(victim.qos, out);
            out.push(match victim.shared {
                Some(shared) => Output::Redispatch(shared, victim.message),
                None => Output::Dropped(DropReason::QueueFull, 1),
            });
        }
        match admission {
            Admission::Queued => {
                if self.is_durable() && qos > Qos::AtMostOnce {
                    self.record(Change::Queued(message), out);
                }
                Taken::Queued
            }
            Admission::Full => {
                let taken = refuse(DropReason::QueueFull, shared, out);
                if self.options.queue_policy == QueuePolicy::Disconnect && shared.is_none() {
                    self.overflow(now, out);
                }
                taken
            }
        }
    }

    fn note_movement(&mut self) {
        if let Phase::Connected(connection) = &mut self.phase {
            connection.moved = true;
        }
    }

    /// The policy that ends the connection of a client that is too slow. A client that comes back to
    /// a full queue is given the time to take something, or it would never get anything.
    fn overflow(&mut self, now: Instant, out: &mut Outbox) {
        if matches!(&self.phase, Phase::Connected(connection) if connection.moved) {
            let reason = plexus_types::ReasonCode::QuotaExceeded;
            self.close(now, &Refusal::new(reason, "the queue of the client is full"), None, out);
        }
    }

    /// QoS 0 is not in the log, hence neither is its end.
    fn record_drop(&mut self, qos: Qos, out: &mut Outbox) {
        if self.is_durable() && qos > Qos::AtMostOnce {
            self.record(Change::Dropped, out);
        }
    }

    /// Free places of the window, for QoS 1 and 2.
    pub(super) fn window(&self, connection: &Connection) -> usize {
        self.outbound.room(connection.receive_maximum, self.options.inflight_max)
    }

    pub(super) fn has_window_for(&self, qos: Qos, connection: &Connection) -> bool {
        match qos {
            Qos::AtMostOnce => !self.outbound.is_resending(), // [MQTT-3.3.4-10], [MQTT-4.9.0-3]
            Qos::AtLeastOnce | Qos::ExactlyOnce => self.window(connection) > 0,
        }
    }

    pub(super) fn queue_is_full(&self) -> bool {
        let (messages, bytes) = self.queue.len();
        messages >= self.options.queue_messages_max || bytes >= self.options.queue_bytes_max
    }
}

/// A message of a group goes to another member and is not lost; any other is counted.
fn refuse(reason: DropReason, shared: Option<SharedRef>, out: &mut Outbox) -> Taken {
    if shared.is_none() {
        out.push(Output::Dropped(reason, 1));
    }
    Taken::Refused
}
