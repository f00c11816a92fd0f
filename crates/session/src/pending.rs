//! What waits for the log, apart from the acknowledgements of messages, which wait in `inbound`.

use std::collections::VecDeque;

use plexus_wire::Packet;

use crate::{LogPosition, Sequence};

/// Without memory while nothing waits.
#[derive(Debug, Default)]
pub(crate) struct Pending(Option<Box<Waits>>);

#[derive(Debug, Default)]
struct Waits {
    /// Nothing may go before it.
    connack: Option<(LogPosition, Packet)>,
    /// SUBACK and UNSUBACK.
    answers: VecDeque<(LogPosition, Packet)>,
    /// QoS 2 messages: one that leaves before its identifier is in the log may after a crash be
    /// followed by another of the same identifier, which the client would take for a repetition.
    deliveries: VecDeque<(LogPosition, Sequence)>,
    /// The newest record of a message for the client, or of the end of a subscription.
    newest: LogPosition,
}

impl Pending {
    pub(crate) fn hold_connack(&mut self, after: LogPosition, connack: Packet) {
        self.0.get_or_insert_default().connack = Some((after, connack));
    }

    pub(crate) fn hold_answer(&mut self, after: LogPosition, packet: Packet) {
        self.0.get_or_insert_default().answers.push_back((after, packet));
    }

    /// A message for the client, or the end of a subscription, has its record there.
    pub(crate) fn note_record(&mut self, position: LogPosition) {
        self.0.get_or_insert_default().newest = position;
    }

    /// The newest of those records that may not be kept; a position behind it may be another
    /// session's, of which this one is not told.
    pub(crate) fn newest(&self) -> LogPosition {
        self.0.as_deref().map_or(LogPosition::ZERO, |waits| waits.newest)
    }

    /// Whether the log has every message for the client that was recorded.
    pub(crate) fn has_all(&self, kept: LogPosition) -> bool {
        self.0.as_deref().is_none_or(|waits| waits.newest <= kept)
    }

    pub(crate) fn hold_delivery(&mut self, after: LogPosition, sequence: Sequence) {
        self.0.get_or_insert_default().deliveries.push_back((after, sequence));
    }

    /// Whether CONNACK has not left.
    pub(crate) fn is_opening(&self) -> bool {
        self.0.as_deref().is_some_and(|waits| waits.connack.is_some())
    }

    /// Whether the message may not leave.
    pub(crate) fn holds(&self, sequence: Sequence) -> bool {
        self.0
            .as_deref()
            .is_some_and(|waits| waits.deliveries.iter().any(|(_, held)| *held == sequence))
    }

    /// The next packet that may leave, CONNACK first.
    pub(crate) fn next(&mut self, kept: LogPosition) -> Option<Packet> {
        let waits = self.0.as_deref_mut()?;
        if let Some((after, _)) = &waits.connack {
            return if *after <= kept {
                waits.connack.take().map(|(_, packet)| packet)
            } else {
                None
            };
        }
        let (after, _) = waits.answers.front()?;
        if *after > kept {
            return None;
        }
        waits.answers.pop_front().map(|(_, packet)| packet)
    }

    /// Messages up to there are in the log.
    pub(crate) fn release(&mut self, kept: LogPosition) {
        let Some(waits) = self.0.as_deref_mut() else { return };
        while waits.deliveries.front().is_some_and(|(after, _)| *after <= kept) {
            waits.deliveries.pop_front();
        }
        let idle =
            waits.connack.is_none() && waits.answers.is_empty() && waits.deliveries.is_empty();
        if idle && waits.newest <= kept {
            self.0 = None;
        }
    }

    /// The connection is gone: what it waited for is not said to the next one.
    pub(crate) fn lose_connection(&mut self) {
        let Some(waits) = self.0.as_deref_mut() else { return };
        waits.connack = None;
        waits.answers.clear();
    }
}
