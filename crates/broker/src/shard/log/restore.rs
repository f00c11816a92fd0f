//! A shard from the log.

use std::sync::Arc;

use plexus_access::Principal;
use plexus_session::{Held, Session};
use plexus_store::Group;
use plexus_topics::InterestDelta;
use plexus_types::{ClientId, Message, MessageId, Text};

use plexus_recovery::{OpenMessage, Restored, RestoredRetained, RestoredSession};

use super::Shard;
use crate::{
    ports::{Door, Turn},
    shard::{
        peers::Answer,
        route::{Taken, bits},
        subscribe::{member_options, subscription},
    },
};
use plexus_records::{Audience, Record, SLOTS};

/// Interests that the other shards are told of at a time.
const NEWS: usize = 4_096;

impl Shard {
    /// Takes over what the log says. Nothing is sent to anybody but the other shards; when
    /// [`Shard::is_restored`] on all of them, [`Shard::reopen`] may follow and clients may come.
    pub fn restore(&mut self, turn: &mut Turn<'_>, restored: Restored) {
        self.clients.reserve(restored.count());
        self.index.reserve(restored.subscriptions());
        let Restored { sessions, doors, retained, open, served, next_key, next_message } = restored;
        self.log.enabled = true;
        self.log.restoring = true;
        self.log.next_key = next_key.max(1);
        let shards = u64::from(self.context.options.shards);
        self.log.next_message = next_message.div_ceil(shards) * shards + u64::from(self.id) + 1;
        self.log.open = open;
        self.log.served = served;
        self.log.served.sort_unstable();
        self.log.served.dedup();
        self.log.first_message = MessageId::new(next_message);
        // Every shard says it, so that it stands before whatever follows from a name of this start.
        let own = self.own_slots();
        if let Some(slot) = bits(own).next() {
            self.record_start(Group(slot));
        }
        for RestoredRetained { message, anchor } in retained {
            self.retained.keep(&message);
            self.log.batch.state_bytes(super::weight::of_topic(&message.topic));
            self.log.refresh.note_topic(anchor, &message);
        }
        self.count_retained();
        let mut news = Vec::with_capacity(NEWS);
        // The slots of those who were connected.
        let mut left = 0;
        // A part goes when its sessions are here.
        for (_, session) in sessions.into_iter().flatten() {
            if left != own
                && let Some(image) = session.image.as_ref()
                && image.away_since.is_none()
            {
                left |= 1 << self.context.slot_of(&image.client_id);
            }
            if let Some(door) = doors.get(&session.listener) {
                self.restore_session(turn, door, session, &mut news);
            }
            if news.len() >= NEWS {
                self.announce_many(turn, &news);
                news.clear();
            }
        }
        self.record_left(left);
        self.index.fit();
        self.announce_many(turn, &news);
        // Due when the others know of all of it.
        self.awaiting.open(Answer::Nobody, 0);
        self.finish_ready(turn);
        self.count_clients();
        self.count_subscriptions();
        self.work_off(turn);
    }

    /// The next start is to count from this one, too, as long as they do not come back.
    fn record_left(&mut self, slots: u64) {
        for slot in bits(slots) {
            self.log.batch.entry(Group(slot), |into| Record::AllAway.encode(into));
        }
        if slots != 0 {
            self.log.promise(self.context.options.durability);
        }
    }

    fn own_slots(&self) -> u64 {
        let own = (0..SLOTS).filter(|slot| self.context.shard_of_slot(*slot) == self.id);
        own.fold(0, |set, slot| set | 1 << slot)
    }

    fn restore_session(
        &mut self,
        turn: &mut Turn<'_>,
        door: &Arc<Door>,
        restored: RestoredSession,
        news: &mut Vec<InterestDelta>,
    ) {
        let RestoredSession { key, listener, image, seen, anchor } = restored;
        let Some(image) = image else { return };
        let tenant = image.client_id.tenant();
        let shown = Text::try_from(image.client_id.shown()).map(|id| ClientId::new(&id));
        let principal = Arc::new(Principal {
            client_id: shown.unwrap_or_else(|_| image.client_id.clone()),
            user_name: image.user_name.as_deref().and_then(|name| Text::try_from(name).ok()),
            peer: None,
            listener,
            tenant: tenant.clone(),
            is_unplaced: true,
            rights: None,
        });
        let entries = image.entries.len();
        let (slot, mut shared) = (self.clients.next_slot(), Vec::new());
        for held in &image.subscriptions {
            let placed = tenant.as_ref().map(|tenant| tenant.filter(&held.filter));
            let filter = placed.unwrap_or_else(|| held.filter.clone());
            if filter.shared().is_some() {
                shared.push(Held { filter, ..held.clone() });
            } else {
                let subscription = subscription(slot, held.options, held.id);
                news.extend(self.put_in_index(&filter, subscription).1);
            }
        }
        // Nobody knows when the node went down: whoever was connected is away from now on, so that
        // no session ends before its time.
        let session = Session::restore(image, Arc::clone(&door.options), turn.now);
        let tenant =
            tenant.as_ref().and_then(|name| self.context.tenants.get(name.as_str())).cloned();
        if let Some(tenant) = &tenant {
            let counters = tenant.counters(self.id);
            counters.sessions.add(1);
            // Those of groups are counted as they join.
            counters.subscriptions.add((session.subscription_count() - shared.len()) as u64);
        }
        let inserted = self.clients.insert(session, principal, Arc::clone(door), tenant);
        assert_eq!(inserted, slot, "invariant: the slot that was said to be next");
        let client = self.clients.get_mut(slot).expect("invariant: just inserted");
        client.key = key;
        client.anchor = anchor;
        self.log.batch.state_bytes(client.weight.restore(entries, &client.session));
        client.seen = seen;
        self.outbox.note_waiting(client.session.waiting());
        self.count_durable(1);
        if !shared.is_empty() {
            let ticket = self.awaiting.open(Answer::Nobody, shared.len());
            for Held { filter, options, id } in shared {
                self.join(turn, slot, ticket, (filter, member_options(options, id)));
            }
            self.finish_ready(turn);
        }
        self.arm(slot);
    }

    /// Whether every shard knows of this one's subscriptions.
    pub fn is_restored(&self) -> bool {
        self.awaiting.len() == 0
    }

    /// Routes what was open when the node stopped to those who do not have it.
    pub fn reopen(&mut self, turn: &mut Turn<'_>) {
        self.log.restoring = false;
        for open in std::mem::take(&mut self.log.open) {
            let OpenMessage { opened, message, superseded, served } = open;
            let id = message.id;
            match &opened.audience {
                Audience::Subscribers => {
                    let mut message = Message::clone(&message);
                    message.retain &= !superseded;
                    let publisher = self.publisher_before(&message);
                    self.distribute(turn, publisher, message, Taken::default());
                    self.work_off(turn);
                    self.close_message(opened, id);
                }
                Audience::Group(_) if served => self.close_message(opened, id),
                Audience::Group(filter) => {
                    let filter = Arc::clone(filter);
                    self.give_back(turn, filter, message, Some(opened));
                    self.work_off(turn);
                }
            }
        }
    }
}
