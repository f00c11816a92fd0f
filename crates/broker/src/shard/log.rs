//! The shard and the log: records of a turn, and who waits for what.
//!
//! A shard numbers what must be kept: its own records, and the messages that it has sent to other
//! shards whose sessions may record them. *Kept* is the number up to which all of that has come
//! true; sessions see only this one number. The log says which turns' records it has; another shard
//! says how many of the messages it was sent it has kept, in the order in which they were sent.

mod ended;
mod reads;
mod refresh;
mod restore;
mod weight;

use std::{collections::VecDeque, fmt, sync::Arc};

use plexus_links::{Barriers, Class, Confirmed};
use plexus_session::{Change, LogPosition};
use plexus_store::{Batch, Commit, Group};
use plexus_types::{Durability, Message, MessageId, Qos, ReasonCode, TopicName};

pub use self::refresh::LogState;
pub(super) use self::weight::Weight;
use self::{ended::EndedSessions, reads::GroupReads, refresh::Refresh};
use super::{OpenMessage, Opened, Shard, retained::is_own, route::bits};
use crate::{
    envelope::{ClientRef, Envelope},
    options::NodeOptions,
    ports::{Fetch, Reader, Turn},
};
use plexus_records::Record;

/// A turn whose records, or whose messages to other shards, are not known to be kept.
#[derive(Debug)]
struct Unkept {
    upto: LogPosition,
    /// Whether the log has still to say so.
    in_log: bool,
    /// Whose sessions wait for it.
    clients: Vec<ClientRef>,
    /// Publications that are with all who get them when it is kept.
    done: Vec<(Opened, MessageId)>,
}

/// Something that is called once.
struct Call(Box<dyn FnOnce() + Send>);

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Call")
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct LogBook {
    /// Whether there is a log at all.
    pub(super) enabled: bool,
    /// Between `restore` and `reopen`: not every shard knows of all subscriptions.
    pub(super) restoring: bool,
    batch: Batch,
    turn: u64,
    clients: Vec<ClientRef>,
    done: Vec<(Opened, MessageId)>,
    unkept: VecDeque<Unkept>,
    /// Who is told when the log is kept up to there, ascending.
    told: VecDeque<(LogPosition, Call)>,
    barriers: Barriers,
    kept: LogPosition,
    /// The newest position that a turn has closed.
    closed: LogPosition,
    /// Turns that the log has not confirmed: where each begins and ends.
    unlogged: VecDeque<(LogPosition, LogPosition)>,
    next_key: u64,
    next_message: u64,
    /// The first name that this start of the node gives.
    pub(super) first_message: MessageId,
    /// Durable sessions of this shard.
    durable: usize,
    /// Sessions whose end is not kept.
    pub(super) ended: EndedSessions,
    /// What is to be routed anew once all shards are restored.
    open: Vec<OpenMessage>,
    /// Publications from before the node started, with groups of this shard that have them, ascending.
    served: Vec<(MessageId, Arc<str>)>,
    /// Messages for groups that are being read.
    pub(super) reads: GroupReads,
    pub(super) refresh: Refresh,
}

impl LogBook {
    pub(super) fn new(id: u16, options: &NodeOptions) -> Self {
        Self {
            enabled: false,
            restoring: false,
            batch: Batch::new(),
            turn: 1,
            clients: Vec::new(),
            done: Vec::new(),
            unkept: VecDeque::new(),
            told: VecDeque::new(),
            barriers: Barriers::new(options.shards),
            kept: LogPosition::ZERO,
            closed: LogPosition::ZERO,
            unlogged: VecDeque::new(),
            next_key: 1,
            // Ascending within a shard, and never another shard's.
            next_message: u64::from(id) + 1,
            first_message: MessageId::NONE,
            durable: 0,
            ended: EndedSessions::default(),
            open: Vec::new(),
            served: Vec::new(),
            reads: GroupReads::default(),
            refresh: Refresh::default(),
        }
    }

    /// Tells somebody when the log is kept up to there.
    pub(super) fn tell_when_kept(&mut self, at: LogPosition, tell: impl FnOnce() + Send + 'static) {
        self.told.push_back((at, Call(Box::new(tell))));
    }

    /// Whether that group of this shard has the message from before the node started.
    pub(super) fn has_served(&self, id: MessageId, filter: &str) -> bool {
        let named = |(served, by): &(MessageId, Arc<str>)| (*served, &**by).cmp(&(id, filter));
        self.served.binary_search_by(named).is_ok()
    }

    /// The records of this turn are kept as is promised; one file has one order, so the strongest
    /// promise of a turn holds for all of it.
    fn promise(&mut self, durability: Durability) {
        match durability {
            Durability::Synced => self.batch.mode(Commit::Synced),
            // It has a record for another's sake.
            Durability::Written | Durability::Memory => self.batch.mode(Commit::Written),
        }
    }

    /// Up to where the log has this shard's own records.
    fn logged(&self) -> LogPosition {
        self.unlogged.front().map_or(self.closed, |(begin, _)| *begin)
    }

    /// Whether a turn is needed to go on with writing anew.
    pub(super) fn is_refreshing(&self) -> bool {
        self.refresh.is_busy(self.kept, &self.reads)
    }

    /// Whether something waits, so that the shard's thread must not sleep on it.
    pub(super) fn has_records(&self) -> bool {
        !self.batch.is_empty() || !self.clients.is_empty() || !self.done.is_empty()
    }
}

impl Shard {
    /// The name that the next message gets.
    pub(super) const fn next_name(&self) -> MessageId {
        MessageId::new(self.log.next_message)
    }

    /// A name for a message that is being routed.
    pub(super) fn name_message(&mut self) -> MessageId {
        let id = self.next_name();
        self.log.next_message += u64::from(self.context.options.shards);
        id
    }

    /// The newest name that this shard has given.
    pub(super) fn last_named(&self) -> MessageId {
        MessageId::new(self.log.next_message.saturating_sub(self.context.options.shards.into()))
    }

    /// The shard that has given a name of this start.
    pub(super) fn named_by(&self, id: MessageId) -> Option<u16> {
        if id < self.log.first_message {
            return None;
        }
        let number = id.get().checked_sub(1)? % u64::from(self.context.options.shards);
        u16::try_from(number).ok()
    }

    /// The client that published the message before the node started, if it has a session here. What
    /// is published since comes from its publisher's own shard, which knows it by its connection.
    pub(super) fn publisher_before(&self, message: &Message) -> Option<u32> {
        if message.id >= self.log.first_message {
            return None;
        }
        self.clients.find(&message.publisher)
    }

    /// A record of the session in `slot`.
    pub(super) fn record(&mut self, slot: u32, change: &Change) {
        let segment = self.context.log.segment();
        let Some(client) = self.clients.get_mut(slot) else { return };
        let group = Group(self.context.slot_of(client.session.client_id().as_str()));
        let batch = &mut self.log.batch;
        let mut is_new = false;
        match change {
            Change::Image(_) => {
                is_new = client.key == 0;
                client.anchor = segment;
                if is_new {
                    client.key = self.log.next_key;
                    self.log.next_key += 1;
                }
                let listener = Record::Listener(client.key, client.door.name.as_ref().into());
                batch.entry(group, |into| listener.encode(into));
            }
            Change::Queued(_, Some(message)) => batch.hold(message),
            Change::Dropped(_, id) | Change::Received(_, id) | Change::Completed(_, id)
                if *id != MessageId::NONE =>
            {
                batch.release(*id);
            }
            Change::Attached(..) => {
                let listener = Record::Listener(client.key, client.door.name.as_ref().into());
                batch.entry(group, |into| listener.encode(into));
            }
            Change::Ended(held) => {
                for id in held {
                    batch.release(*id);
                }
                let client_id = client.session.client_id().clone();
                self.log.ended.add(client_id, self.outbox.appended());
            }
            _ => {}
        }
        batch.state_bytes(client.weight.note(change, &client.session));
        let (key, durability) = (client.key, promised(change, client.door.durability));
        batch.entry(group, |into| Record::session(key, change, into));
        self.log.promise(durability);
        match change {
            Change::Image(_) if is_new => self.count_durable(1),
            Change::Ended(_) => self.count_durable(-1),
            _ => {}
        }
        self.wait_for_log(slot);
    }

    fn count_durable(&mut self, change: isize) {
        let before = self.log.durable;
        self.log.durable = before.saturating_add_signed(change);
        if (before == 0) != (self.log.durable == 0) {
            self.context.set_durable(self.id, self.log.durable > 0);
        }
    }

    /// Reads messages of a client that are only in the log.
    pub(super) fn fetch(&mut self, turn: &mut Turn<'_>, slot: u32, ids: Vec<MessageId>) {
        if let Some(client) = self.clients.reference(slot) {
            turn.ports.fetch(Fetch { reader: Reader::Client(client), ids });
        }
    }

    /// What the log gave; an error has been reported by the one who read.
    pub fn handle_fetched(
        &mut self,
        turn: &mut Turn<'_>,
        fetch: Fetch,
        messages: Option<Vec<Arc<Message>>>,
    ) {
        match (&fetch.reader, messages) {
            (Reader::Client(reference), messages) => {
                let reference = *reference;
                let Some(client) = self.clients.resolve(reference) else { return };
                match messages {
                    Some(messages) => {
                        client.session.handle_fetched(turn.now, &messages, &mut self.outbox);
                    }
                    // What waits for it stays where it is.
                    None => client.session.disconnect(
                        turn.now,
                        ReasonCode::ServerUnavailable,
                        None,
                        &mut self.outbox,
                    ),
                }
                self.settle(turn, reference.slot);
            }
            (Reader::Group(read), Some(messages)) => {
                self.log.reads.end(read.number);
                for message in messages {
                    let filter = Arc::clone(&read.filter);
                    self.give_back(turn, filter, message, Some(read.open.clone()));
                }
                self.work_off(turn);
            }
            // It stays open in the log, so nothing is lost meanwhile.
            (Reader::Group(_), None) => self.log.reads.put_off(turn.now, fetch),
        }
    }

    /// The client hears of it when this turn is kept.
    pub(super) fn wait_for_log(&mut self, slot: u32) {
        let Some(reference) = self.clients.reference(slot) else { return };
        let Some(client) = self.clients.get_mut(slot) else { return };
        if client.log_turn != self.log.turn {
            client.log_turn = self.log.turn;
            self.log.clients.push(reference);
        }
    }

    /// The retained message of a topic has changed.
    pub(super) fn record_retained(&mut self, message: &Arc<Message>, old: Option<MessageId>) {
        let topic = message.topic.as_str();
        if !self.log.enabled || is_own(&message.topic) {
            return;
        }
        if !message.durability.is_kept() {
            // The one before must not come back as newer than it is.
            return old.map_or((), |old| self.record_gone(&message.topic, old, message.id));
        }
        let group = Group(self.context.slot_of(topic));
        let deleted = message.payload.is_empty();
        let batch = &mut self.log.batch;
        if !deleted {
            batch.hold(message);
            batch.state_bytes(weight::of_topic(topic));
            self.log.refresh.note_topic(self.context.log.segment(), message);
        }
        if let Some(old) = old {
            batch.release(old);
            batch.state_bytes(-weight::of_topic(topic));
        }
        let record = if deleted {
            Record::Deleted(Some(message.id), topic.into())
        } else {
            Record::Retained(message.id, topic.into())
        };
        batch.entry(group, |into| record.encode(into));
        self.log.promise(message.durability);
        self.outbox.append();
    }

    /// The retained message of a topic expired, or is no longer the one of its topic; nobody waits
    /// for that.
    pub(super) fn record_gone(&mut self, topic: &TopicName, old: MessageId, by: MessageId) {
        if !self.log.enabled || is_own(topic) {
            return;
        }
        let group = Group(self.context.slot_of(topic));
        self.log.batch.release(old);
        self.log.batch.state_bytes(-weight::of_topic(topic));
        let record = Record::Deleted(Some(by), topic.as_str().into());
        self.log.batch.entry(group, |into| record.encode(into));
        self.log.promise(self.context.options.durability);
        self.outbox.append();
    }

    /// From here on the message is the node's, whatever becomes of this process: it is routed anew
    /// after a crash to whoever does not have it, until `close_message`.
    pub(super) fn open_message(&mut self, opened: &Opened, message: &Arc<Message>) {
        self.log.batch.hold(message);
        self.log.promise(message.durability);
        self.record_open(opened, message.id);
    }

    /// The same for a message whose body is only in the log.
    pub(super) fn open_stored(&mut self, opened: &Opened, id: MessageId) {
        self.log.batch.hold_stored(id);
        self.record_open(opened, id);
    }

    /// How names of messages are given since this start.
    fn record_start(&mut self, group: Group) {
        let record = Record::Started(self.log.first_message, self.context.options.shards);
        self.log.batch.entry(group, |into| record.encode(into));
    }

    fn record_open(&mut self, opened: &Opened, id: MessageId) {
        // Beside it, so that no cleaning parts what is open from how names were given then.
        self.record_start(opened.group);
        let record = Record::Open(id, opened.audience.clone());
        self.log.batch.entry(opened.group, |into| record.encode(into));
        self.outbox.append();
    }

    /// The message is with all who get it as soon as everything up to now is kept.
    pub(super) fn close_message(&mut self, opened: Opened, id: MessageId) {
        self.log.done.push((opened, id));
    }

    /// The shards among `shards` that may record what they are sent, or have it recorded.
    pub(super) fn recording_among(&self, shards: u64) -> u64 {
        if self.log.enabled { self.context.recording_shards() & shards } else { 0 }
    }

    /// A message to another shard that the position now covers.
    pub(super) fn track(&mut self, to: u16, envelope: &Envelope) {
        let position = self.outbox.append();
        self.log.barriers.sent(to, class_of(envelope), position);
    }

    /// Another shard waits for a message's being kept: for what it has caused since `before`.
    pub(super) fn owe(&mut self, from: u16, class: Class, before: LogPosition) {
        let upto = self.outbox.appended();
        self.log.barriers.taken(from, class, before, upto);
    }

    /// The end of a turn of the shard's thread: its records go to the log.
    pub fn end_turn(&mut self, turn: &mut Turn<'_>) {
        self.count_waiting();
        self.cursors.end_turn();
        if !self.log.enabled {
            return;
        }
        let in_log = !self.log.batch.is_empty();
        if in_log && self.outbox.appended() == self.log.closed {
            // Every batch has a position of its own, or its being kept would not be noticed.
            self.outbox.append();
        }
        let upto = self.outbox.appended();
        let waits = in_log && self.waits_for_log();
        let log = &mut self.log;
        log.turn += 1;
        if in_log {
            turn.ports.commit(std::mem::take(&mut log.batch), upto);
        }
        if in_log || !log.clients.is_empty() || !log.done.is_empty() || upto > log.closed {
            if waits {
                log.unlogged.push_back((log.closed, upto));
            }
            log.closed = upto;
            let clients = std::mem::take(&mut log.clients);
            let done = std::mem::take(&mut log.done);
            log.unkept.push_back(Unkept { upto, in_log: waits, clients, done });
        }
        self.advance(turn);
        self.confirm(turn);
    }

    #[cfg(feature = "canary")]
    fn waits_for_log(&self) -> bool {
        self.context.canary.waits_for_log()
    }

    /// Whether what a turn has recorded counts as kept only when the log says so.
    #[cfg(not(feature = "canary"))]
    #[expect(clippy::unused_self, reason = "asks the planted bug where there is one")]
    const fn waits_for_log(&self) -> bool {
        true
    }

    /// Whether the turn has recorded so much that it should end before more is done: what a few bytes
    /// from outside can make the node record is many times as much, and one commit writes a turn as a
    /// whole.
    pub fn is_turn_long(&self) -> bool {
        let place = self.context.options.log.as_ref();
        let most = place.map_or(crate::logger::TURN_BYTES, |place| {
            place.turn_bytes(self.context.options.shards)
        });
        self.log.batch.bytes() >= most
    }

    /// Whether [`Shard::end_turn`] has something to hand over.
    pub fn has_records(&self) -> bool {
        self.log.has_records()
    }

    /// The log has everything of the turns up to this position.
    pub fn handle_committed(&mut self, turn: &mut Turn<'_>, upto: LogPosition) {
        let unlogged = &mut self.log.unlogged;
        while unlogged.front().is_some_and(|(_, end)| *end <= upto) {
            unlogged.pop_front();
        }
        for unkept in &mut self.log.unkept {
            if unkept.upto > upto {
                break;
            }
            unkept.in_log = false;
        }
        self.advance(turn);
    }

    /// Another shard has kept some of the messages that it was sent.
    pub(super) fn take_kept(&mut self, turn: &mut Turn<'_>, from: u16, confirmed: &[Confirmed]) {
        for confirmed in confirmed {
            self.log.barriers.confirmed(from, *confirmed);
        }
        self.advance(turn);
    }

    /// Tells sessions what has come true.
    fn advance(&mut self, turn: &mut Turn<'_>) {
        let limit = self.log.barriers.limit();
        while let Some(first) = self.log.unkept.front() {
            if first.in_log || first.upto >= limit {
                break;
            }
            let Some(Unkept { upto, clients, done, .. }) = self.log.unkept.pop_front() else {
                break;
            };
            self.log.kept = self.log.kept.max(upto);
            self.log.ended.forget(self.log.kept);
            for (Opened { group, audience }, id) in done {
                self.log.batch.release(id);
                self.log.batch.entry(group, |into| Record::Done(id, audience).encode(into));
                self.log.promise(self.context.options.durability);
            }
            for client in clients {
                self.tell_kept(turn, client);
            }
            while let Some((_, tell)) = self.log.told.pop_front_if(|(at, _)| *at <= upto) {
                tell.0();
            }
        }
    }

    fn tell_kept(&mut self, turn: &mut Turn<'_>, reference: ClientRef) {
        let kept = self.log.kept;
        let Some(client) = self.clients.resolve(reference) else { return };
        let was_blocked = client.session.is_blocked();
        client.session.handle_persisted(turn.now, kept, &mut self.outbox);
        self.settle(turn, reference.slot);
        if was_blocked
            && let Some(client) = self.clients.resolve(reference)
            && let Some(conn) = client.conn
        {
            turn.ports.resume(conn);
        }
    }

    /// Tells the other shards what of theirs is kept.
    fn confirm(&mut self, turn: &mut Turn<'_>) {
        let logged = self.log.logged();
        for shard in bits(self.log.barriers.creditors()) {
            let confirmed = self.log.barriers.settle(shard, logged);
            if !confirmed.is_empty() {
                turn.ports.forward(shard, Envelope::Kept(confirmed.into()));
            }
        }
    }
}

/// What is promised of a change of a session that promises so much. Of a message to it its publisher
/// has been promised something; at QoS 2 the session has an interest of its own.
fn promised(change: &Change, session: Durability) -> Durability {
    match change {
        Change::Queued(entry, Some(message)) if entry.qos == Qos::ExactlyOnce => {
            message.durability.max(session)
        }
        Change::Queued(_, Some(message)) => message.durability,
        _ => session,
    }
}

/// Whether durable sessions have records of the message for its publisher's sake.
pub(super) fn is_recorded(message: &Message) -> bool {
    message.qos != Qos::AtMostOnce && message.durability.is_kept()
}

/// How both ends count an envelope.
pub(super) const fn class_of(envelope: &Envelope) -> Class {
    if envelope.is_request() { Class::Request } else { Class::Final }
}
