//! Messages towards the client.

use std::sync::Arc;

use plexus_types::{Instant, Message, Qos};

use super::Session;
use crate::{
    Change, Delivery, DropReason, Outbox, Outgoing, Output, QueuePolicy, Sequence, Taken, Waiting,
    aliases::Naming,
    inbound::{AckKind, Verdict},
    outbound::Resend,
    parcel::Parcel,
    phase::{Connection, Phase},
    queue::Admission,
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
            return refuse(DropReason::Expired, delivery.shared.is_some(), out); // [MQTT-3.3.2-5]
        }
        let (message, qos) = (delivery.message, delivery.qos);
        if !self.passes(message, qos) {
            return Taken::Withheld;
        }
        match &self.phase {
            // First in, first out, whatever the topic: nothing passes what waits ([MQTT-4.6.0-5],
            // [MQTT-4.6.0-6], [MQTT3-4.6.0-5], [MQTT3-4.6.0-6]).
            Phase::Connected(connection)
                if !connection.congested
                    && self.queue.is_empty()
                    && !self.waits_for_log(qos)
                    && self.has_window_for(qos, self.next, connection) =>
            {
                self.transmit_new(now, delivery, out)
            }
            Phase::Connected(connection)
                if !connection.takes_message(delivery.into(), message, self.version) =>
            {
                refuse(DropReason::TooLarge, delivery.shared.is_some(), out) // [MQTT-3.1.2-25]
            }
            _ => self.enqueue(now, Parcel::new(now, delivery), message, out),
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
        if self.pending.is_opening() {
            return;
        }
        self.resend(now, out);
        for _ in 0..BATCH {
            if !self.has_backlog() {
                break;
            }
            // [MQTT-3.3.1-1]: nobody knows whether it was sent before the node started.
            let is_doubtful = self.queue.is_front_restored();
            let Some(parcel) = self.dequeue(out) else { break };
            let Some(message) = parcel.message().map(Arc::clone) else { break };
            self.note_movement();
            if message.is_expired(now) || self.is_overdue(now, &parcel) {
                out.push(Output::Dropped(DropReason::Expired, 1)); // [MQTT-3.3.2-5]
                self.record_drop(&parcel, out);
                continue;
            }
            if !self.passes(&message, parcel.qos()) {
                withhold(&parcel, out);
                self.record_drop(&parcel, out);
                continue;
            }
            let Phase::Connected(connection) = &mut self.phase else { break };
            if let Some(naming) = connection.naming(parcel.shape(), &message, self.version) {
                let mut outgoing = Outgoing::new(parcel.shape(), &message, naming, now);
                outgoing.dup = is_doubtful && parcel.qos() > Qos::AtMostOnce;
                self.transmit(parcel, outgoing, out);
                continue;
            }
            // The connection that takes no such packet came after it had been queued.
            refuse(DropReason::TooLarge, parcel.shared().is_some(), out); // [MQTT-3.1.2-25]
            give_back(&parcel, out);
            self.record_drop(&parcel, out);
        }
        self.fetch(out);
    }

    /// Sends what an earlier connection left under way ([MQTT-4.4.0-1], [MQTT3-4.4.0-1]).
    fn resend(&mut self, now: Instant, out: &mut Outbox) {
        while self.resend_some(now, out) {
            // What is given up on leaves room in the window.
        }
    }

    /// The same as far as the window allows; says whether something was given up on.
    fn resend_some(&mut self, now: Instant, out: &mut Outbox) -> bool {
        let Phase::Connected(connection) = &mut self.phase else { return false };
        let mut released = false;
        let mut unfit = Vec::new();
        while self.outbound.next_resend().is_none_or(|parcel| parcel.message().is_some())
            && let Some(resend) = self.outbound.resend(connection.receive_maximum)
        {
            match resend {
                Resend::Release(id, after) => {
                    released = true;
                    let verdict = Verdict { after, ..Verdict::SUCCESS };
                    self.inbound.answer(AckKind::PubRel, id, verdict);
                }
                Resend::Publish(id, parcel) => {
                    let message = parcel.message().expect("invariant: looked at above");
                    let shape = parcel.shape();
                    let sieve = self.sieve.as_mut();
                    if sieve.is_some_and(|sieve| !sieve.passes(&message.topic, shape.qos)) {
                        unfit.push((id, DropReason::Withheld));
                    } else if connection.takes_message(shape, message, self.version) {
                        let mut outgoing = Outgoing::new(shape, message, Naming::PLAIN, now);
                        outgoing.dup = true; // [MQTT-3.3.1-1], [MQTT3-3.3.1-1]
                        outgoing.packet_id = Some(id);
                        out.push(Output::Deliver(outgoing));
                    } else {
                        unfit.push((id, DropReason::TooLarge));
                    }
                }
            }
        }
        let gave_up = !unfit.is_empty();
        for (id, reason) in unfit {
            let Some(parcel) = self.outbound.discard(id) else { continue };
            // [MQTT-4.8.2-5]: a QoS 2 delivery that has begun goes to nobody else.
            let may_go_on = reason == DropReason::Withheld && parcel.qos() == Qos::AtLeastOnce;
            if !(may_go_on && give_back(&parcel, out)) {
                out.push(Output::Dropped(reason, 1));
            }
            self.record_completed(&parcel, out); // [MQTT-3.1.2-25]
        }
        if released {
            self.flush_acks(out);
        }
        gave_up
    }

    /// Sends a message that has just come; there must be room in the window.
    fn transmit_new(&mut self, now: Instant, delivery: Delivery<'_>, out: &mut Outbox) -> Taken {
        let Phase::Connected(connection) = &mut self.phase else { return Taken::Refused };
        let (message, shape) = (delivery.message, delivery.into());
        let Some(naming) = connection.naming(shape, message, self.version) else {
            return refuse(DropReason::TooLarge, delivery.shared.is_some(), out); // [MQTT-3.1.2-25]
        };
        let outgoing = Outgoing::new(shape, message, naming, now);
        if delivery.qos == Qos::AtMostOnce {
            out.push(Output::Deliver(outgoing));
            return Taken::Sent;
        }
        let mut parcel = Parcel::new(now, delivery);
        self.admit_parcel(&mut parcel, message);
        if parcel.is_recorded() {
            self.record_parcel(parcel.entry(), Arc::clone(message), out);
        }
        self.transmit(parcel, outgoing, out);
        Taken::Sent
    }

    /// Sends a message right now; there must be room in the window.
    fn transmit(&mut self, parcel: Parcel, mut outgoing: Outgoing, out: &mut Outbox) {
        if parcel.qos() != Qos::AtMostOnce {
            let id = parcel.sequence.packet_id();
            outgoing.packet_id = Some(id);
            self.outbound.push_as(id, parcel.qos(), parcel);
        }
        out.push(Output::Deliver(outgoing));
    }

    /// [MQTT-4.5.0-1], [MQTT3-4.5.0-1], [MQTT3-3.1.2-5]
    fn enqueue(
        &mut self,
        now: Instant,
        mut parcel: Parcel,
        message: &Arc<Message>,
        out: &mut Outbox,
    ) -> Taken {
        let is_shared = parcel.shared().is_some();
        let away = !self.is_connected();
        if away && parcel.qos() == Qos::AtMostOnce && !self.options.queue_qos0_offline {
            return refuse(DropReason::Offline, is_shared, out);
        }
        if self.queue.len().0 == 0 {
            self.note_movement();
        }
        let next = self.next;
        self.admit_parcel(&mut parcel, message);
        let entry = parcel.is_recorded().then(|| parcel.entry());
        let mut evicted = Vec::new();
        let (size, room) = (parcel.size(), out.room());
        let admission = self.queue.push(parcel, &self.options, room, |victim| evicted.push(victim));
        for victim in evicted {
            out.note_gone(victim.size());
            if !give_back(&victim, out) {
                out.push(Output::Dropped(DropReason::QueueFull, 1));
            }
            self.record_drop(&victim, out);
        }
        match admission {
            Admission::Queued => {
                out.note_waiting(Waiting::one(size));
                if let Some(entry) = entry {
                    self.record_parcel(entry, Arc::clone(message), out);
                }
                Taken::Queued
            }
            Admission::Full | Admission::NoRoom => {
                self.next = next;
                let is_full = admission == Admission::Full;
                let reason = if is_full { DropReason::QueueFull } else { DropReason::NodeFull };
                let refused = refuse(reason, is_shared, out);
                if self.options.queue_policy == QueuePolicy::Disconnect && !is_shared {
                    self.overflow(now, out);
                }
                if is_full { refused } else { Taken::NoRoom }
            }
        }
    }

    /// Whether the client may have it.
    fn passes(&mut self, message: &Message, qos: Qos) -> bool {
        self.sieve.as_mut().is_none_or(|sieve| sieve.passes(&message.topic, qos))
    }

    /// When what has waited longest will have waited for too long.
    pub(super) fn next_overdue(&self) -> Option<Instant> {
        let limit = self.options.queue_seconds_max;
        if limit == u32::MAX {
            return None;
        }
        // What may have been sent before the node started is sent again, however long it takes.
        self.queue.first_waiting().map(|oldest| oldest.overdue_at(limit))
    }

    /// Drops what has waited for too long, some of it at a time.
    pub(super) fn drop_overdue(&mut self, now: Instant, out: &mut Outbox) {
        if self.next_overdue().is_none_or(|due| due > now) {
            return;
        }
        for _ in 0..BATCH {
            if self.next_overdue().is_none_or(|due| due > now) {
                break;
            }
            let Some(parcel) = self.queue.pop_waiting() else { break };
            out.note_gone(parcel.size());
            self.note_movement();
            out.push(Output::Dropped(DropReason::Expired, 1));
            self.record_drop(&parcel, out);
        }
        self.pump(now, out);
    }

    fn is_overdue(&self, now: Instant, parcel: &Parcel) -> bool {
        let limit = self.options.queue_seconds_max;
        limit != u32::MAX && parcel.overdue_at(limit) <= now
    }

    /// The next message that waits.
    pub(super) fn dequeue(&mut self, out: &mut Outbox) -> Option<Parcel> {
        let before = self.queue.waiting();
        let parcel = self.queue.pop()?;
        out.note_change(before, self.queue.waiting());
        Some(parcel)
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

    /// What is not in the log has no end there either.
    fn record_drop(&mut self, parcel: &Parcel, out: &mut Outbox) {
        if parcel.is_recorded() {
            self.record(Change::Dropped(parcel.sequence, parcel.id()), out);
        }
    }

    /// Whether CONNACK, or the record of a message of that quality, has to be kept first.
    fn waits_for_log(&self, qos: Qos) -> bool {
        self.pending.is_opening() || (qos == Qos::ExactlyOnce && self.is_durable())
    }

    /// Free places of the window, for QoS 1 and 2.
    pub(super) fn window(&self, connection: &Connection) -> usize {
        self.outbound.room(connection.receive_maximum, self.options.inflight_max)
    }

    /// Whether a message that waits may leave now, apart from its bytes.
    pub(super) fn may_leave(&self, parcel: &Parcel, connection: &Connection) -> bool {
        !self.pending.is_opening()
            && self.has_window_for(parcel.qos(), parcel.sequence, connection)
            && !(parcel.qos() == Qos::ExactlyOnce && self.pending.holds(parcel.sequence))
    }

    fn has_window_for(&self, qos: Qos, sequence: Sequence, connection: &Connection) -> bool {
        match qos {
            Qos::AtMostOnce => !self.outbound.is_resending(), // [MQTT-3.3.4-10], [MQTT-4.9.0-3]
            Qos::AtLeastOnce | Qos::ExactlyOnce => {
                self.window(connection) > 0 && !self.outbound.is_taken(sequence.packet_id())
            }
        }
    }

    pub(super) fn queue_is_full(&self) -> bool {
        let (messages, bytes) = self.queue.len();
        messages >= self.options.queue_messages_max || bytes >= self.options.queue_bytes_max
    }
}

/// A message of a group goes to another of its members. Said before its end is recorded, so that
/// whoever takes it over can hold it in the log without a gap.
fn give_back(parcel: &Parcel, out: &mut Outbox) -> bool {
    let Some(group) = parcel.shared() else { return false };
    out.push(Output::Redispatch(Arc::clone(group), parcel.body()));
    true
}

/// The client lost the right to a message while it waited.
fn withhold(parcel: &Parcel, out: &mut Outbox) {
    if !give_back(parcel, out) {
        out.push(Output::Dropped(DropReason::Withheld, 1));
    }
}

/// A message of a group goes to another member and is not lost; any other is counted.
fn refuse(reason: DropReason, is_shared: bool, out: &mut Outbox) -> Taken {
    if !is_shared {
        out.push(Output::Dropped(reason, 1));
    }
    Taken::Refused
}
