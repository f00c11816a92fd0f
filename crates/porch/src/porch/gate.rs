//! Who comes in, and how far: what is known of a connection at each step is compared with the fences there,
//! the cheapest first.
//!
//! ```text
//! accepted ──▶ address known ──▶ CONNECT read ──▶ home
//!  memory       ban of it         ban of client and user
//!  counts       its connections   lock-out, flapping
//!  rates        its rate
//! ```
//! Without a proxy the address is known when the connection is accepted, before TLS costs anything.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use mio::Token;
use plexus_access::{Notice, Visitor};
use plexus_fences::{Entry, Place};
use plexus_net::{Accepted, ProxyProtocol, Stream};
use plexus_types::{Instant, TenantName};

use super::{
    Guard, Porch,
    doors::OpenDoor,
    guest::{Guest, Progress},
};
use crate::{Fence, Pressure, Who};

/// Connections that are refused at the same time and still told why.
const REFUSED_POLITELY: usize = 256;
/// What each guest may hold of its CONNECT without being counted: most are shorter.
const FREE_BYTES: usize = 4 * 1024;

impl Porch {
    /// A connection was accepted.
    pub(super) fn welcome(&mut self, accepted: Accepted, door: Arc<OpenDoor>, now: Instant) {
        let address = accepted.peer.ip().filter(|_| door.layers.proxy == ProxyProtocol::Off);
        if let Some(address) = address
            && let Err(fence) = self.fences.ask_address(now, address)
        {
            self.note_kept_out(&door, (None, Some(address)), fence, now);
            return; // Not worth a handshake.
        }
        let place = address.map(Place::of);
        if self.handshakes.refuses(place, now) {
            let place = place.map(tracing::field::display);
            tracing::warn!(place, listener = %door.name(), "too many connections without CONNECT");
            self.fences.count(Fence::Handshakes);
            return;
        }
        let refusal = self.refusal(&door, now);
        if let Some(fence) = refusal {
            self.fences.count(fence);
            let (reason, peer) = (fence.reason(), address.map(tracing::field::display));
            let (fence, listener) = (fence.name(), door.name());
            tracing::warn!(%reason, fence, peer, listener, "client refused");
            if self.turned_away >= REFUSED_POLITELY {
                return;
            }
        }
        let guard = Guard::new(&self.connections, &door.connections);
        let Ok(stream) = Stream::server(accepted.socket, &door.layers) else { return };
        self.serial = self.serial.wrapping_add(1);
        let (deadline, serial) = (now + door.connect_timeout, self.serial);
        let key =
            self.guests.insert(Guest::new((stream, accepted.peer), door, guard, (serial, now)));
        if let Some(fence) = refusal {
            self.turn_away(key, fence);
        }
        match self.handshakes.enter(place, key, now) {
            Entry::Refused => return self.dismiss(key),
            Entry::In(stand) => self.stand(key, stand),
            Entry::InsteadOf(leaves, stand) => {
                self.stand(key, stand);
                self.fences.count(Fence::Handshakes);
                tracing::warn!(
                    "too many connections without CONNECT: one had to leave for another"
                );
                self.dismiss(leaves);
            }
        }
        if !self.seat_guest(key, now, false) {
            return self.dismiss(key);
        }
        // When many come at once CONNECT is often here already, and no poll need know of the guest.
        self.attend(key, now);
        let Some(guest) = self.guests.get_mut(key).filter(|guest| guest.serial() == serial) else {
            return;
        };
        if let Err(error) = guest.register(self.poll.registry(), Token(key)) {
            tracing::warn!(%error, "a connection could not be registered");
            self.dismiss(key);
            return;
        }
        self.deadlines.push(std::cmp::Reverse((deadline, key, serial)));
    }

    /// Why the next connection of that listener is not wanted, whoever it is.
    fn refusal(&mut self, door: &OpenDoor, now: Instant) -> Option<Fence> {
        let node = self.connections.load(Relaxed);
        let here = door.connections.load(Relaxed);
        if self.gauge.read() == Pressure::Critical {
            return Some(Fence::Memory);
        }
        if node >= self.options.connections_max || here >= door.connections_max {
            return Some(Fence::Connections);
        }
        // Who is too many for the listener takes nothing from the node.
        let listener = door.connection_rate.is_none_or(|rate| door.comings().admit(rate, now));
        let node = self.options.fences.connection_rate;
        let admitted = listener && node.is_none_or(|rate| self.comings.admit(rate, now));
        (!admitted).then_some(Fence::Rate)
    }

    /// Compares a guest with what is allowed of its place, once that is known, or `at_last` in any case;
    /// false if it has to go without a word.
    pub(super) fn seat_guest(&mut self, key: usize, now: Instant, at_last: bool) -> bool {
        let Some(guest) = self.guests.get_mut(key) else { return true };
        if guest.is_placed || !(guest.is_address_known() || at_last) {
            return true;
        }
        guest.is_placed = true;
        let Some(address) = guest.address() else { return true };
        let place = Place::of(address);
        if guest.is_behind_proxy() {
            if let Err(fence) = self.fences.ask_address(now, address) {
                let door = Arc::clone(guest.door());
                self.note_kept_out(&door, (None, Some(address)), fence, now);
                return false;
            }
            let stand = guest.stand.take().and_then(|stand| self.handshakes.place(stand, place));
            let Some(stand) = stand else {
                self.fences.count(Fence::Handshakes);
                return false;
            };
            guest.stand = Some(stand);
        }
        if guest.refusal().is_some() {
            return true;
        }
        let seat = self.seats.as_ref().map(|seats| seats.take(&place));
        let fence = match seat {
            Some(None) => Some(Fence::Place),
            Some(Some(seat)) => {
                guest.sit(seat);
                None
            }
            None => None,
        };
        let comings = self.comings_of_place.as_mut();
        let admitted = comings.is_none_or(|comings| comings.admit(now, place));
        let Some(fence) = fence.or_else(|| (!admitted).then_some(Fence::Rate)) else { return true };
        self.fences.count(fence);
        guest.tell_refused(fence);
        if self.turned_away >= REFUSED_POLITELY {
            return false;
        }
        self.turn_away(key, fence);
        true
    }

    /// CONNECT has been read: whether it goes on to its home.
    pub(super) fn receive(&mut self, key: usize, now: Instant) -> Progress {
        if !self.seat_guest(key, now, true) {
            return Progress::Gone;
        }
        let Some(guest) = self.guests.get_mut(key) else { return Progress::Gone };
        if let Some(fence) = guest.refusal() {
            return guest.refuse(fence.reason());
        }
        let asked = guest.who().map(|who| self.fences.ask(now, who));
        match asked {
            Some(Err(fence)) => {
                guest.tell_refused(fence);
                if let Some(guest) = self.guests.get(key) {
                    self.note_kept_out(guest.door(), (guest.who(), guest.address()), fence, now);
                }
                self.guests.get_mut(key).map_or(Progress::Gone, |it| it.refuse(fence.reason()))
            }
            Some(Ok(())) => guest.find_home(&*self.homes),
            None => Progress::Gone,
        }
    }

    /// Has it recorded that somebody met a ban or a lock-out, with what the operator wrote beside the ban.
    fn note_kept_out(
        &self,
        door: &OpenDoor,
        (who, peer): (Option<Who<'_>>, Option<IpAddr>),
        fence: Fence,
        now: Instant,
    ) {
        let (client, user) = (who.map(|who| who.client), who.and_then(|who| who.user));
        let tenant = who.and_then(|who| who.tenant).map(TenantName::as_str);
        let visitor = Visitor { client, user, peer, listener: door.name(), tenant };
        let note = |because| door.door.policy.note(visitor, Notice::KeptOut(fence.name(), because));
        match fence {
            Fence::Ban => match self.fences.reason_of_ban(now, who, peer) {
                reason if reason.is_empty() => note(&fence.reason()),
                reason => note(&reason),
            },
            Fence::Lockout => note(&"too many failed log-ins"),
            fence => note(&fence.reason()),
        }
    }

    /// Counts what a guest holds of its CONNECT; false if that is more than all of them may hold.
    pub(super) fn weigh(&mut self, key: usize) -> bool {
        let Some(guest) = self.guests.get_mut(key) else { return true };
        let held = guest.held_bytes().saturating_sub(FREE_BYTES);
        let before = std::mem::replace(&mut guest.counted_bytes, held);
        self.held_bytes = self.held_bytes - before + held;
        if held <= before || self.held_bytes <= self.options.fences.handshake_bytes_max {
            return true;
        }
        guest.tell_refused(self.fences.count(Fence::Handshakes));
        false
    }

    /// Takes a guest off the porch: it goes home, or is gone.
    pub(super) fn take_out(&mut self, key: usize) -> Option<Guest> {
        let mut guest = self.guests.try_remove(key)?;
        if let Some(stand) = guest.stand.take() {
            self.handshakes.leave(stand);
        }
        self.turned_away -= usize::from(guest.refusal().is_some());
        self.held_bytes -= guest.counted_bytes;
        Some(guest)
    }

    fn stand(&mut self, key: usize, stand: plexus_fences::Stand) {
        if let Some(guest) = self.guests.get_mut(key) {
            guest.stand = Some(stand);
        }
    }

    fn turn_away(&mut self, key: usize, fence: Fence) {
        if let Some(guest) = self.guests.get_mut(key)
            && guest.refusal().is_none()
        {
            guest.set_refusal(fence);
            self.turned_away += 1;
        }
    }
}
