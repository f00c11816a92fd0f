//! Acknowledgements, both ways.

use plexus_types::{Instant, ReasonCode, Text};
use plexus_wire::{Ack, AckDetails};

use super::Session;
use crate::{
    Change, Outbox,
    inbound::{AckKind, Answer, Verdict},
    outbound::{Acknowledged, Received},
    parcel::Parcel,
    phase::Phase,
    refusal::Refusal,
};

impl Session {
    /// Sends the acknowledgements that may leave, in order.
    pub(super) fn flush_acks(&mut self, out: &mut Outbox) {
        if !self.is_connected() {
            return;
        }
        while let Some(answer) = self.inbound.next(self.kept) {
            self.send_answer(&answer, out);
        }
    }

    fn send_answer(&self, answer: &Answer, out: &mut Outbox) {
        let Phase::Connected(connection) = &self.phase else { return };
        let mut ack = Ack::new(answer.id, answer.reason); // [MQTT-2.2.1-5], [MQTT3-2.3.1-6]
        // [MQTT-3.1.2-29]: words only if the client wants them.
        let words = answer.words.filter(|_| connection.problem_information);
        if let Some(words) = words.filter(|_| self.version.is_v5()) {
            let reason_string = Some(Text::from_static(words));
            ack.details = Some(Box::new(AckDetails { reason_string, ..AckDetails::default() }));
            if !connection.takes(&answer.kind.packet(ack.clone()), self.version) {
                ack.details = None; // [MQTT-3.4.2-2], [MQTT-3.5.2-2]
            }
        }
        self.send(answer.kind.packet(ack), out);
    }

    /// Whatever its reason, PUBACK ends the message ([MQTT-4.3.2-3], [MQTT-4.4.0-2],
    /// [MQTT-4.8.2-6]).
    pub(super) fn on_puback(
        &mut self,
        now: Instant,
        ack: &Ack,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        match self.outbound.handle_puback(ack.packet_id) {
            Acknowledged::Unknown => Ok(()),
            Acknowledged::Mismatch => Err(Refusal::protocol("PUBACK of a QoS 2 message")),
            Acknowledged::Done(parcel) => {
                self.complete_delivery(now, &parcel, out);
                Ok(())
            }
        }
    }

    /// [MQTT-4.3.3-4], [MQTT-4.6.0-4]
    pub(super) fn on_pubrec(
        &mut self,
        now: Instant,
        ack: &Ack,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let id = ack.packet_id;
        self.check_waiting_acks()?;
        let verdict = match self.outbound.handle_pubrec(id, ack.reason.is_error()) {
            Received::Mismatch => return Err(Refusal::protocol("PUBREC of a QoS 1 message")),
            Received::Refused(parcel) => {
                self.complete_delivery(now, &parcel, out); // [MQTT-4.4.0-2], [MQTT-4.8.2-6]
                return Ok(());
            }
            Received::Unknown => {
                if ack.reason.is_error() {
                    return Ok(());
                }
                Verdict { reason: ReasonCode::PacketIdentifierNotFound, ..Verdict::SUCCESS }
            }
            Received::Release(parcel, first) => {
                let (sequence, recorded) = (parcel.sequence, parcel.is_recorded());
                // [MQTT-4.3.3-6]
                let message = parcel.let_go();
                if first && recorded {
                    // Sent again as PUBLISH after a crash it would be delivered twice.
                    let position = self.record(Change::Received(sequence, message), out);
                    self.outbound.record(id, position);
                }
                Verdict::new(ReasonCode::Success, self.outbound.released_after(id))
            }
        };
        self.inbound.answer(AckKind::PubRel, id, verdict);
        self.flush_acks(out);
        Ok(())
    }

    pub(super) fn on_pubcomp(
        &mut self,
        now: Instant,
        ack: &Ack,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        match self.outbound.handle_pubcomp(ack.packet_id) {
            Acknowledged::Unknown => Ok(()),
            Acknowledged::Mismatch => Err(Refusal::protocol("PUBCOMP without PUBREC")),
            Acknowledged::Done(parcel) => {
                self.complete_delivery(now, &parcel, out);
                Ok(())
            }
        }
    }

    /// A delivery is complete: the window has room for the next.
    fn complete_delivery(&mut self, now: Instant, parcel: &Parcel, out: &mut Outbox) {
        self.record_completed(parcel, out);
        self.pump(now, out);
    }

    pub(super) fn record_completed(&mut self, parcel: &Parcel, out: &mut Outbox) {
        if parcel.is_recorded() {
            self.record(Change::Completed(parcel.sequence, parcel.id()), out);
        }
    }
}
