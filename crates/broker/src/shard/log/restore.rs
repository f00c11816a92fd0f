//! A shard from the log.

use std::{fmt, sync::Arc};

use plexus_access::Principal;
use plexus_session::{Held, Image, Session};
use plexus_store::SegmentNumber;
use plexus_types::{Message, MessageId, Text};

use super::{Opened, Shard};
use crate::shard::route::Taken;
use crate::{
    ports::{Door, Turn},
    record::Audience,
    shard::{
        peers::Answer,
        subscribe::{member_options, subscription},
    },
};

/// What the log says of the clients, topics and publications of one shard.
#[derive(Default)]
pub struct Restored {
    /// The sessions.
    pub sessions: Vec<RestoredSession>,
    /// The retained messages.
    pub retained: Vec<RestoredRetained>,
    /// Publications that may not be with all who get them.
    pub open: Vec<OpenMessage>,
    /// Above all keys of sessions.
    pub next_key: u64,
    /// Above all names of messages.
    pub next_message: u64,
}

impl fmt::Debug for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Restored")
            .field("sessions", &self.sessions.len())
            .field("retained", &self.retained.len())
            .field("open", &self.open.len())
            .finish_non_exhaustive()
    }
}

/// One session.
#[derive(Debug)]
pub struct RestoredSession {
    /// Its key in the log.
    pub key: u64,
    /// The listener that its options and rights come from.
    pub door: Arc<Door>,
    /// What it is.
    pub image: Image,
    /// Open publications that it has, or has had already.
    pub seen: Vec<MessageId>,
    /// The segment in which its records begin.
    pub anchor: SegmentNumber,
}

/// One retained message.
#[derive(Debug, Clone)]
pub struct RestoredRetained {
    /// The message.
    pub message: Arc<Message>,
    /// The segment of its record.
    pub anchor: SegmentNumber,
}

/// A publication that is routed anew.
#[derive(Debug, Clone)]
pub struct OpenMessage {
    /// The message.
    pub message: Arc<Message>,
    /// What the log knows of it.
    pub opened: Opened,
    /// Whether its topic has been written since, so that it is not to be retained again.
    pub superseded: bool,
}

impl Shard {
    /// Takes over what the log says. Nothing is sent to anybody but the other shards; when
    /// [`Shard::is_restored`] on all of them, [`Shard::reopen`] may follow and clients may come.
    pub fn restore(&mut self, turn: &mut Turn<'_>, restored: Restored) {
        let Restored { sessions, retained, open, next_key, next_message } = restored;
        self.log.enabled = true;
        self.log.restoring = true;
        self.log.next_key = next_key.max(1);
        let shards = u64::from(self.context.options.shards);
        self.log.next_message = next_message.div_ceil(shards) * shards + u64::from(self.id) + 1;
        self.log.open = open;
        for RestoredRetained { message, anchor } in retained {
            self.retained.keep(&message);
            self.log.batch.state_bytes(super::weight::of_topic(&message.topic));
            self.log.refresh.note_topic(anchor, &message);
        }
        self.count_retained();
        for session in sessions {
            self.restore_session(turn, session);
        }
        self.count_clients();
        self.work_off(turn);
    }

    fn restore_session(&mut self, turn: &mut Turn<'_>, restored: RestoredSession) {
        let RestoredSession { key, door, image, seen, anchor } = restored;
        let principal = Arc::new(Principal {
            client_id: image.client_id.clone(),
            user_name: image.user_name.as_deref().and_then(|name| Text::try_from(name).ok()),
            peer: None,
            listener: Arc::clone(&door.name),
        });
        let subscriptions = image.subscriptions.clone();
        let entries = image.entries.len();
        // Nobody knows when the node went down: whoever was connected is away from now on, so that
        // no session ends before its time.
        let session = Session::restore(image, Arc::clone(&door.options), turn.now);
        let slot = self.clients.insert(session, principal, door);
        let client = self.clients.get_mut(slot).expect("invariant: just inserted");
        client.key = key;
        client.anchor = anchor;
        self.log.batch.state_bytes(client.weight.restore(entries, &client.session));
        client.seen = seen.into();
        self.outbox.note_waiting(client.session.waiting());
        self.count_durable(1);
        let (shared, own): (Vec<_>, Vec<_>) =
            subscriptions.into_iter().partition(|held| held.filter.shared().is_some());
        for Held { filter, options, id } in own {
            self.enter(turn, &filter, subscription(slot, options, id));
        }
        // Behind its own interests, because it waits for those that are announced by now.
        let ticket = self.awaiting.open(Answer::Nobody, shared.len());
        for Held { filter, options, id } in shared {
            self.join(turn, slot, ticket, (filter, member_options(options, id)));
        }
        self.finish_ready(turn);
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
            let OpenMessage { opened, message, superseded } = open;
            let id = message.id;
            match &opened.audience {
                Audience::Subscribers => {
                    let mut message = Message::clone(&message);
                    message.retain &= !superseded;
                    self.distribute(turn, None, message, Taken::default());
                    self.work_off(turn);
                    self.close_message(opened, id);
                }
                Audience::Group(filter) => {
                    let filter = Arc::clone(filter);
                    self.give_back(turn, filter, message, Some(opened));
                    self.work_off(turn);
                }
            }
        }
    }
}
