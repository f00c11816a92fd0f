//! QoS 1 and 2 towards the peer: identifiers, window, order, redelivery.

use std::collections::VecDeque;

use plexus_types::{PacketId, Qos};

use crate::LogPosition;

/// The sending half of the QoS flows (sections 4.3.2, 4.3.3, 4.4, 4.9) of either role.
///
/// ```text
///  push ──▶ Published ──PUBACK──▶ done
///               └───────PUBREC──▶ Released ──PUBCOMP──▶ done
/// ```
/// Messages stay in the order in which they were first sent; a new connection goes through them
/// once more in that order ([MQTT-4.4.0-1], [MQTT-4.6.0-1]). Nothing is repeated within a
/// connection. Without memory until the first QoS 1 or 2 message.
#[derive(Debug)]
pub(crate) struct Outbound<T>(Option<Box<Window<T>>>);

#[derive(Debug)]
struct Window<T> {
    flights: VecDeque<Flight<T>>,
    /// The identifier that was given last.
    last: Option<PacketId>,
    /// Identifiers ascend from the front, so that they are found by bisection. It ends when the
    /// numbers have come round to one that is still in use.
    ascending: bool,
    /// Flights before this place were sent on this connection.
    sent: usize,
    /// PUBLISHes of this connection that are not acknowledged to their end.
    unacknowledged: u16,
}

#[derive(Debug)]
struct Flight<T> {
    id: PacketId,
    qos: Qos,
    stage: Stage,
    /// Whether it counts as unacknowledged on this connection.
    counted: bool,
    parcel: T,
}

impl<T> Flight<T> {
    /// Identifier, quality of service, whether it has been received, and what it is.
    fn shown(&self) -> (PacketId, Qos, bool, &T) {
        (self.id, self.qos, self.stage != Stage::Published, &self.parcel)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Published,
    /// PUBREL is due once the log is kept up to here.
    Released(LogPosition),
}

/// What to send again on a new connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Resend<'a, T> {
    Publish(PacketId, &'a T),
    Release(PacketId, LogPosition),
}

/// What PUBACK or PUBCOMP means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Acknowledged<T> {
    /// Nothing of that identifier is under way.
    Unknown,
    /// That message is acknowledged by another packet type.
    Mismatch,
    /// The delivery is complete.
    Done(T),
}

/// What PUBREC means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received<'a, T> {
    Unknown,
    Mismatch,
    /// The peer refused; the delivery is over.
    Refused(T),
    /// PUBREL is next; only the first time the message may be let go.
    Release(&'a mut T, bool),
}

impl<T> Default for Outbound<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Outbound<T> {
    /// How many more messages may be sent now: within the peer's Receive Maximum ([MQTT-3.3.4-9],
    /// [MQTT-4.9.0-1], [MQTT-4.9.0-2]) and our own limit of messages under way. None while
    /// redelivery goes on.
    pub(crate) fn room(&self, receive_maximum: u16, limit: u16) -> usize {
        let Some(window) = self.0.as_deref() else {
            return usize::from(receive_maximum.min(limit));
        };
        if self.is_resending() {
            return 0;
        }
        let quota = receive_maximum.saturating_sub(window.unacknowledged);
        usize::from(quota).min(usize::from(limit).saturating_sub(window.flights.len()))
    }

    /// Takes a message under way that is sent right now; there must be room. It stays until it is
    /// acknowledged to its end ([MQTT-4.3.2-3], [MQTT-4.3.3-3], [MQTT-4.3.3-5], [MQTT3-4.3.2-1],
    /// [MQTT3-4.3.3-1]), whether it expires or not ([MQTT-4.3.3-7], [MQTT-4.3.3-13]). Identifiers
    /// that `in_use` knows are passed over.
    pub(crate) fn push(
        &mut self,
        qos: Qos,
        parcel: T,
        in_use: impl Fn(PacketId) -> bool,
    ) -> PacketId {
        let window = self.0.get_or_insert_default();
        let id = window.allocate(in_use);
        let flight = Flight { id, qos, stage: Stage::Published, counted: true, parcel };
        window.flights.push_back(flight);
        window.sent = window.flights.len();
        window.unacknowledged += 1;
        id
    }

    /// Takes a message under way whose identifier is given; there must be room, and `is_taken` must
    /// have said no.
    pub(crate) fn push_as(&mut self, id: PacketId, qos: Qos, parcel: T) {
        let window = self.0.get_or_insert_default();
        window.place(Flight { id, qos, stage: Stage::Published, counted: true, parcel });
        window.sent = window.flights.len();
        window.unacknowledged += 1;
    }

    /// Takes a message that was under way before the node started.
    pub(crate) fn restore(&mut self, id: PacketId, qos: Qos, released: bool, parcel: T) {
        let stage = if released { Stage::Released(LogPosition::ZERO) } else { Stage::Published };
        let flight = Flight { id, qos, stage, counted: false, parcel };
        self.0.get_or_insert_default().place(flight);
    }

    /// Whether a message of that identifier is under way.
    pub(crate) fn is_taken(&self, id: PacketId) -> bool {
        self.0.as_deref().is_some_and(|window| window.find(id).is_some())
    }

    /// What is under way, in order, with its identifier and whether PUBREC came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PacketId, Qos, bool, &T)> {
        self.0.as_deref().into_iter().flat_map(|window| window.flights.iter().map(Flight::shown))
    }

    /// The same of one of them.
    pub(crate) fn get(&self, id: PacketId) -> Option<(PacketId, Qos, bool, &T)> {
        let window = self.0.as_deref()?;
        window.flights.get(window.find(id)?).map(Flight::shown)
    }

    /// What is under way, in order.
    pub(crate) fn parcels_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let flights = self.0.as_deref_mut().into_iter().flat_map(|window| &mut window.flights);
        flights.map(|flight| &mut flight.parcel)
    }

    /// What [`Outbound::resend`] would send as PUBLISH next.
    pub(crate) fn next_resend(&self) -> Option<&T> {
        let window = self.0.as_deref()?;
        let flight = window.flights.get(window.sent)?;
        (flight.stage == Stage::Published).then_some(&flight.parcel)
    }

    /// An identifier for a request that is no message: of SUBSCRIBE and UNSUBSCRIBE.
    pub(crate) fn next_id(&mut self, in_use: impl Fn(PacketId) -> bool) -> PacketId {
        self.0.get_or_insert_default().allocate(in_use)
    }

    /// PUBACK came.
    pub(crate) fn handle_puback(&mut self, id: PacketId) -> Acknowledged<T> {
        self.complete(id, Qos::AtLeastOnce, false)
    }

    /// PUBCOMP came.
    pub(crate) fn handle_pubcomp(&mut self, id: PacketId) -> Acknowledged<T> {
        self.complete(id, Qos::ExactlyOnce, true)
    }

    /// PUBREC came, with an error or not.
    pub(crate) fn handle_pubrec(&mut self, id: PacketId, refused: bool) -> Received<'_, T> {
        let Some(window) = self.0.as_deref_mut() else { return Received::Unknown };
        let Some(at) = window.find(id) else { return Received::Unknown };
        if window.flights.get(at).is_none_or(|flight| flight.qos != Qos::ExactlyOnce) {
            return Received::Mismatch;
        }
        if refused {
            return window.remove(at).map_or(Received::Unknown, Received::Refused);
        }
        let Some(flight) = window.flights.get_mut(at) else { return Received::Unknown };
        let first = flight.stage == Stage::Published;
        if first {
            flight.stage = Stage::Released(LogPosition::ZERO);
        }
        Received::Release(&mut flight.parcel, first)
    }

    /// The record of PUBREC has that position: PUBREL waits for it.
    pub(crate) fn record(&mut self, id: PacketId, after: LogPosition) {
        let Some(window) = self.0.as_deref_mut() else { return };
        if let Some(flight) = window.find(id).and_then(|at| window.flights.get_mut(at)) {
            flight.stage = Stage::Released(after);
        }
    }

    /// Where the log must be kept before PUBREL of that identifier leaves.
    pub(crate) fn released_after(&self, id: PacketId) -> LogPosition {
        let stage = self.0.as_deref().and_then(|window| {
            window.find(id).and_then(|at| window.flights.get(at)).map(|flight| flight.stage)
        });
        match stage {
            Some(Stage::Released(after)) => after,
            Some(Stage::Published) | None => LogPosition::ZERO,
        }
    }

    /// Gives a message up, as if its delivery were complete ([MQTT-3.1.2-25]).
    pub(crate) fn discard(&mut self, id: PacketId) -> Option<T> {
        let window = self.0.as_deref_mut()?;
        window.find(id).and_then(|at| window.remove(at))
    }

    /// A new connection begins: everything under way is to be sent again, the quota is full
    /// (section 4.9).
    pub(crate) fn begin_connection(&mut self) {
        let Some(window) = self.0.as_deref_mut() else { return };
        window.sent = 0;
        window.unacknowledged = 0;
        for flight in &mut window.flights {
            flight.counted = false;
        }
    }

    /// What to send again next, as far as the peer's Receive Maximum allows.
    pub(crate) fn resend(&mut self, receive_maximum: u16) -> Option<Resend<'_, T>> {
        let window = self.0.as_deref_mut()?;
        let flight = window.flights.get_mut(window.sent)?;
        if let Stage::Released(after) = flight.stage {
            window.sent += 1;
            return Some(Resend::Release(flight.id, after));
        }
        if window.unacknowledged >= receive_maximum {
            return None;
        }
        window.sent += 1;
        window.unacknowledged += 1;
        flight.counted = true;
        Some(Resend::Publish(flight.id, &flight.parcel))
    }

    /// Whether messages of an earlier connection wait to be sent again.
    pub(crate) fn is_resending(&self) -> bool {
        self.0.as_deref().is_some_and(|window| window.sent < window.flights.len())
    }

    /// Messages under way.
    pub(crate) fn len(&self) -> usize {
        self.0.as_deref().map_or(0, |window| window.flights.len())
    }

    /// Takes everything out, in order.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = T> + use<T> {
        let flights = self.0.take().map(|window| window.flights).unwrap_or_default();
        flights.into_iter().map(|flight| flight.parcel)
    }

    fn complete(&mut self, id: PacketId, qos: Qos, released: bool) -> Acknowledged<T> {
        let Some(window) = self.0.as_deref_mut() else { return Acknowledged::Unknown };
        let Some(at) = window.find(id) else { return Acknowledged::Unknown };
        let fits = |flight: &Flight<T>| {
            flight.qos == qos && released == (flight.stage != Stage::Published)
        };
        if !window.flights.get(at).is_some_and(fits) {
            return Acknowledged::Mismatch;
        }
        window.remove(at).map_or(Acknowledged::Unknown, Acknowledged::Done)
    }
}

impl<T> Default for Window<T> {
    fn default() -> Self {
        Self { flights: VecDeque::new(), last: None, ascending: true, sent: 0, unacknowledged: 0 }
    }
}

impl<T> Window<T> {
    /// The next identifier that is not in use ([MQTT-2.2.1-4], [MQTT-4.3.2-1], [MQTT-4.3.3-1],
    /// [MQTT3-2.3.1-4]). There is one: the limit of messages under way is a 16-bit number, and room
    /// is asked for before.
    fn allocate(&mut self, in_use: impl Fn(PacketId) -> bool) -> PacketId {
        let mut id = self.last.map_or(PacketId::MIN, PacketId::next);
        self.ascending |= self.flights.is_empty();
        loop {
            // Until the numbers come round to the oldest message, each is beyond all in use.
            self.ascending &= self.flights.front().is_none_or(|front| front.id != id);
            let is_free = self.ascending || self.find(id).is_none();
            if is_free && !in_use(id) {
                break;
            }
            id = id.next();
        }
        self.last = Some(id);
        id
    }

    fn place(&mut self, flight: Flight<T>) {
        let id = flight.id;
        let ascends = match (self.flights.front(), self.flights.back()) {
            (Some(front), Some(back)) => distance(front.id, id) > distance(front.id, back.id),
            _ => true,
        };
        self.ascending = ascends && (self.ascending || self.flights.is_empty());
        self.flights.push_back(flight);
    }

    fn find(&self, id: PacketId) -> Option<usize> {
        if !self.ascending {
            return self.flights.iter().position(|flight| flight.id == id);
        }
        let (first, last) = (self.flights.front()?.id, self.flights.back()?.id);
        let wanted = distance(first, id);
        // Nearly always the oldest is acknowledged, or the next is asked for, which is beyond all.
        if wanted == 0 {
            return Some(0);
        }
        if wanted > distance(first, last) {
            return None;
        }
        self.flights.binary_search_by_key(&wanted, |flight| distance(first, flight.id)).ok()
    }

    fn remove(&mut self, at: usize) -> Option<T> {
        let flight = self.flights.remove(at)?;
        self.sent -= usize::from(at < self.sent);
        self.unacknowledged -= u16::from(flight.counted);
        Some(flight.parcel)
    }
}

/// How many steps lie between two identifiers, counting upwards and round.
fn distance(from: PacketId, to: PacketId) -> u32 {
    const IDS: u32 = u16::MAX as u32;
    (u32::from(to.get()) + IDS - u32::from(from.get())) % IDS
}

#[cfg(test)]
mod tests;
