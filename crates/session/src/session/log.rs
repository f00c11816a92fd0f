//! The session and its log: what is recorded, what waits for it, how it comes back from it.

use std::{collections::VecDeque, sync::Arc};

use plexus_types::{Instant, Message, MessageId, Qos};
use plexus_wire::Packet;

use super::Session;
use crate::{
    Change, Entry, Image, LogPosition, Options, Outbox, Output, parcel::Parcel, phase::Phase,
    queue::Queue, subscriptions::Subscriptions, will::StoredWill,
};

/// Messages at the front of the queue of a connected client whose bytes stay in memory.
const FRESH: usize = 128;
/// Messages that are fetched at a time. The log may be waiting for the disk when it is asked, so
/// it is asked while there is still enough to send.
const AHEAD: usize = 1024;
/// Bytes that are fetched at a time.
const AHEAD_BYTES: usize = 256 * 1024;

impl Session {
    /// The log is kept up to this position: what waited for it may leave.
    pub fn handle_persisted(&mut self, now: Instant, upto: LogPosition, out: &mut Outbox) {
        self.kept = self.kept.max(upto);
        self.pending.release(self.kept);
        while let Some(packet) = self.pending.next(self.kept) {
            self.send(packet, out);
        }
        self.pending.release(self.kept);
        if !self.pending.is_opening() {
            self.flush_acks(out);
            self.pump(now, out);
        }
        self.let_bodies_go();
    }

    /// Messages that [`Output::Fetch`] asked for.
    pub fn handle_fetched(&mut self, now: Instant, messages: &[Arc<Message>], out: &mut Outbox) {
        let Phase::Connected(connection) = &mut self.phase else { return };
        connection.fetching = false;
        let mut left = messages;
        // They come in the order in which they were wanted.
        let mut bring = |parcel: &mut Parcel| {
            let id = parcel.id();
            if let Some(at) = left.iter().position(|message| message.id == id)
                && let Some((message, rest)) = left.get(at..).and_then(<[_]>::split_first)
            {
                parcel.fetched(message);
                left = rest;
            }
            !left.is_empty()
        };
        let under_way = self.outbound.parcels_mut().filter(|parcel| parcel.is_stored());
        let mut more = true;
        for parcel in under_way {
            more = more && bring(parcel);
        }
        if more {
            self.queue.bring(AHEAD + AHEAD / 2, bring);
        }
        self.pump(now, out);
    }

    /// Asks for what is to be sent next and is only in the log, before all that is here has left.
    pub(super) fn fetch(&mut self, out: &mut Outbox) {
        if self.pending.is_opening() {
            return;
        }
        let Phase::Connected(connection) = &self.phase else { return };
        if connection.fetching || connection.congested {
            return;
        }
        let blocked = match self.outbound.next_resend() {
            Some(parcel) => parcel.is_stored(),
            None => self.queue.front().is_some_and(Parcel::is_stored),
        };
        if blocked || self.queue.is_low(AHEAD / 2, AHEAD_BYTES / 2) {
            self.fetch_some(out);
        }
    }

    fn fetch_some(&mut self, out: &mut Outbox) {
        let (mut wanted, mut bytes) = (Vec::new(), 0);
        let waiting = self.queue.iter().take(AHEAD + AHEAD / 2);
        for parcel in self.outbound.iter().map(|(.., parcel)| parcel).chain(waiting) {
            if parcel.message().is_some() || parcel.is_done() {
                continue; // Of what is done with nothing is sent again: PUBREC has come.
            }
            bytes += parcel.size();
            if !wanted.is_empty() && (wanted.len() >= AHEAD || bytes > AHEAD_BYTES) {
                break;
            }
            wanted.push(parcel.id());
        }
        let Phase::Connected(connection) = &mut self.phase else { return };
        if !wanted.is_empty() {
            connection.fetching = true;
            out.push(Output::Fetch(wanted));
        }
    }

    /// All that is durable, as it stands in the log's newest record of this session.
    pub fn image(&self) -> Image {
        let under_way = self.outbound.iter().filter(|(.., parcel)| parcel.is_recorded()).map(
            |(_, _, released, parcel)| {
                let mut entry = parcel.entry();
                entry.released = released;
                entry
            },
        );
        let waiting = self.queue.iter().filter(|parcel| parcel.is_recorded()).map(Parcel::entry);
        Image {
            client_id: self.client_id.clone(),
            user_name: self.user_name.clone(),
            version: self.version,
            expiry: self.expiry,
            away_since: match self.phase {
                Phase::Away(since) => Some(since),
                Phase::Connected(_) | Phase::Ending | Phase::Over => None,
            },
            unsent: self.unsent,
            next: self.next,
            will: self.will.as_deref().map(|will| Box::new(will.image())),
            subscriptions: self.subscriptions.iter().collect(),
            accepted: self.inbound.accepted().collect(),
            entries: under_way.chain(waiting).collect(),
        }
    }

    /// A session from the log, away since then. What was under way is sent again to the next
    /// connection; the log does not know how much of it had been, nor whether acknowledgements of
    /// more were lost with the end of the log, so all of it is marked as a repetition
    /// ([MQTT-3.3.1-1]), but for what came when the client was away. Until then it stays in the queue, where it takes the least memory: the entries
    /// become the queue where they are.
    pub fn restore(image: Image, options: Arc<Options>, now: Instant) -> Self {
        let since = image.away_since.unwrap_or(now);
        let mut session = Self::empty(image.client_id, image.user_name, options);
        session.version = image.version;
        session.expiry = image.expiry;
        session.phase = Phase::Away(since);
        (session.next, session.unsent) = (image.next, image.unsent);
        session.recorded = true;
        session.will = image.will.map(|will| Box::new(StoredWill::restore(*will)));
        session.subscriptions = Subscriptions::restore(&image.subscriptions);
        session.inbound.restore(image.accepted);
        session.restore_entries(image.entries);
        session.await_client(since);
        session
    }

    fn restore_entries(&mut self, mut entries: VecDeque<Entry>) {
        let released = entries.iter().rposition(|entry| entry.released).map_or(0, |at| at + 1);
        let mut taken = 0;
        while taken < released
            && let Some(entry) = entries.front()
            && let id = entry.sequence.packet_id()
            && !self.outbound.is_taken(id)
            && let Some(entry) = entries.pop_front()
        {
            let (qos, released) = (entry.qos, entry.released);
            self.outbound.restore(id, qos, released, Parcel::stored(entry));
            taken += 1;
        }
        if entries.capacity() - entries.len() > entries.len() / 4 {
            entries.shrink_to_fit();
        }
        let window = usize::from(self.options.inflight_max).saturating_sub(taken);
        let next = self.next;
        let sent = self.unsent.map_or(usize::MAX, |unsent| {
            let came_before = |entry: &Entry| next.behind(entry.sequence) > next.behind(unsent);
            entries.iter().take(window).take_while(|entry| came_before(entry)).count()
        });
        let begun = window.min(sent);
        let parcels = Vec::from(entries).into_iter().map(Parcel::stored);
        // Of the same size and in place: a million queues are not copied.
        self.queue = Queue::restore(parcels.collect::<Vec<_>>().into(), begun);
    }

    /// A connection begins: what was under way when the node stopped is under way.
    pub(super) fn take_up(&mut self) {
        while let Some(parcel) = self.queue.front_begun()
            && let id = parcel.sequence.packet_id()
            && !self.outbound.is_taken(id)
            && let Some(parcel) = self.queue.pop()
        {
            self.outbound.restore(id, parcel.qos(), false, parcel);
        }
        self.queue.count_all();
    }

    /// Records that a client is connected, with its Will; yields where the log must be kept for
    /// CONNACK.
    pub(super) fn record_attached(
        &mut self,
        will: Option<StoredWill>,
        out: &mut Outbox,
    ) -> LogPosition {
        self.unsent = None;
        if self.recorded {
            // [MQTT-3.1.3-9]: also when the session is to end with this connection.
            let had = self.will.take().is_some();
            self.will = will.map(Box::new);
            if had || self.will.is_some() {
                self.record_will(out);
            }
            return self.record(Change::Attached(self.expiry, self.version), out);
        }
        self.will = will.map(Box::new);
        if !self.is_durable() {
            return LogPosition::ZERO;
        }
        let image = Box::new(self.image());
        self.record(Change::Image(image), out)
    }

    pub(super) fn record_will(&mut self, out: &mut Outbox) {
        let will = self.will.as_deref().map(|will| Box::new(will.image()));
        self.record(Change::Will(will), out);
    }

    /// Gives the parcel its place and, if the session is durable, its record. A message that lives
    /// in memory alone has none at QoS 1; at QoS 2 it has one all the same, because its identifier
    /// follows from its place and must not become another message's after a crash.
    pub(super) fn admit_parcel(&mut self, parcel: &mut Parcel, message: &Message) {
        if parcel.qos() == Qos::AtMostOnce {
            return;
        }
        parcel.sequence = self.next;
        self.next = self.next.next();
        let is_kept = message.durability.is_kept() || parcel.qos() == Qos::ExactlyOnce;
        if is_kept && self.is_durable() {
            parcel.mark_recorded();
        }
    }

    /// The record of a parcel that was admitted.
    pub(super) fn record_parcel(&mut self, entry: Entry, message: Arc<Message>, out: &mut Outbox) {
        let (sequence, qos) = (entry.sequence, entry.qos);
        let position = self.record(Change::Queued(entry, Some(message)), out);
        self.pending.note_record(position);
        if qos == Qos::ExactlyOnce {
            self.pending.hold_delivery(position, sequence);
        }
    }

    /// Bytes that the log has need not wait in memory, too.
    pub(super) fn let_bodies_go(&mut self) {
        if !self.pending.has_all(self.kept) {
            return;
        }
        match &self.phase {
            Phase::Connected(_) => self.queue.store(FRESH),
            Phase::Away(_) => {
                for parcel in self.outbound.parcels_mut() {
                    parcel.store();
                }
                self.queue.store(0);
            }
            Phase::Ending | Phase::Over => {}
        }
    }

    /// Sends now, or when the log is kept up to there.
    pub(super) fn send_after(&mut self, after: LogPosition, packet: Packet, out: &mut Outbox) {
        if after <= self.kept {
            self.send(packet, out);
        } else if self.is_connected() {
            self.pending.hold_answer(after, packet);
        }
    }

    /// Appends a record to the log.
    pub(super) fn record(&mut self, change: Change, out: &mut Outbox) -> LogPosition {
        self.recorded = true;
        let position = out.append();
        out.push(Output::Persist(position, Box::new(change)));
        position
    }
}

/// The names of everything in the log that these messages hold there.
pub(super) fn held<'a>(parcels: impl Iterator<Item = &'a Parcel>) -> Vec<MessageId> {
    let recorded = parcels.filter(|parcel| parcel.is_recorded()).map(Parcel::id);
    recorded.filter(|id| *id != MessageId::NONE).collect()
}
