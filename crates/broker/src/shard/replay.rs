//! Retained messages on their way to a new subscription. Each shard walks what it keeps in bounded
//! steps, and goes on only when the subscriber has room: a million retained messages stall neither
//! the shards that keep them nor the client that asked.

use std::{collections::BTreeSet, sync::Arc};

use plexus_session::Delivery;
use plexus_topics::RetainedCursor;
use plexus_types::{Message, Qos, TopicFilter, TopicName};
use slab::Slab;

use super::Shard;
use crate::{
    envelope::{ClientRef, Envelope, ReplayRequest, Replayed},
    ports::Turn,
};

/// Messages of one step.
const STEP: usize = 256;
/// Nodes of the index that one step visits.
const STEP_NODES: usize = 4_096;
/// Topics remembered because a newer message overtook the replay; beyond it the replay may repeat.
const SUPERSEDED_MAX: usize = 100_000;

/// The replays of one client.
#[derive(Debug, Default)]
pub(super) struct Replays {
    next: u32,
    running: Vec<Replay>,
}

#[derive(Debug)]
struct Replay {
    number: u32,
    qos: Qos,
    id: Option<u32>,
    /// Shards that have not finished.
    shards: u16,
    /// Shards that wait for room, with their cursors.
    parked: Vec<(u16, u32)>,
    /// Topics whose newer message was already delivered live: the retained one comes too late.
    superseded: BTreeSet<TopicName>,
}

impl Replays {
    /// A live message with RETAIN set has replaced the retained one of its topic.
    pub(super) fn supersede(&mut self, topic: &TopicName) {
        for replay in &mut self.running {
            if replay.superseded.len() < SUPERSEDED_MAX {
                replay.superseded.insert(topic.detached());
            }
        }
    }

    fn find(&mut self, number: u32) -> Option<&mut Replay> {
        self.running.iter_mut().find(|replay| replay.number == number)
    }
}

/// Walks over this shard's retained messages that are not finished.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    open: Slab<(RetainedCursor, ReplayRequest)>,
}

impl Shard {
    /// Asks every shard for the retained messages that the filter matches.
    pub(super) fn start_replay(
        &mut self,
        turn: &mut Turn<'_>,
        client: ClientRef,
        filter: &TopicFilter,
        (qos, id): (Qos, Option<u32>),
    ) {
        let shards = self.common.options.shards;
        let Some(found) = self.clients.resolve(client) else { return };
        let replays = found.replays.get_or_insert_with(Box::<Replays>::default);
        replays.next = replays.next.wrapping_add(1);
        let number = replays.next;
        let superseded = BTreeSet::new();
        replays.running.push(Replay { number, qos, id, shards, parked: Vec::new(), superseded });
        for shard in 0..shards {
            let request =
                ReplayRequest { shard: self.id, client, replay: number, filter: filter.clone() };
            self.forward(turn, shard, Envelope::Replay(Box::new(request)));
        }
    }

    pub(super) fn take_replay(&mut self, turn: &mut Turn<'_>, request: ReplayRequest) {
        let cursor = self.retained.cursor(request.filter.matched());
        let key = self.cursors.open.insert((cursor, request));
        self.continue_replay(turn, key as u32);
    }

    /// One step of a replay.
    pub(super) fn continue_replay(&mut self, turn: &mut Turn<'_>, key: u32) {
        let Some((cursor, request)) = self.cursors.open.get_mut(key as usize) else { return };
        let mut messages: Vec<Arc<Message>> = Vec::new();
        let mut visited = 0;
        let mut more = true;
        while more && messages.len() < STEP && visited < STEP_NODES {
            more = self.retained.next(cursor, STEP, &mut messages);
            visited += STEP;
        }
        messages.retain(|message| !message.is_expired(turn.now));
        let ReplayRequest { shard, client, replay, .. } = *request;
        let more = more.then_some(key);
        if more.is_none() {
            self.close_cursor(key);
        }
        let replayed = Replayed { shard: self.id, client, replay, messages, more };
        self.forward(turn, shard, Envelope::Replayed(Box::new(replayed)));
    }

    pub(super) fn close_cursor(&mut self, key: u32) {
        if let Some((cursor, _)) = self.cursors.open.try_remove(key as usize) {
            self.retained.close(cursor);
        }
    }

    pub(super) fn take_replayed(&mut self, turn: &mut Turn<'_>, replayed: Replayed) {
        let Replayed { shard, client, replay: number, messages, more } = replayed;
        let Some(replay) = self.replay(client, number) else {
            // The client or its replay is gone: the walk is of no use to anybody.
            if let Some(cursor) = more {
                self.forward(turn, shard, Envelope::ReplayStop(cursor));
            }
            return;
        };
        let (qos, id) = (replay.qos, replay.id);
        match more {
            Some(cursor) => replay.parked.push((shard, cursor)),
            None => replay.shards -= 1,
        }
        for message in &messages {
            let Some(replay) = self.replay(client, number) else { return };
            if replay.superseded.remove(&message.topic) {
                continue;
            }
            let delivery = Delivery {
                message,
                qos: message.qos.min(qos),
                retain: true,
                subscription_ids: id.as_slice(),
                shared: None,
            };
            self.deliver(turn, client.slot, delivery);
        }
        self.advance_replays(turn, client.slot);
    }

    /// Lets parked replays of a client go on when it has room, and forgets finished ones.
    pub(super) fn advance_replays(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let Some(client) = self.clients.get_mut(slot) else { return };
        let Some(replays) = &mut client.replays else { return };
        let room = client.session.room() >= STEP.min(client.door.options.queue_messages_max / 2);
        let mut go_on = Vec::new();
        if room && !client.congested {
            // One step at a time: the next is asked for when this one has been delivered.
            go_on.extend(replays.running.iter_mut().find_map(|replay| replay.parked.pop()));
        }
        replays.running.retain(|replay| replay.shards > 0);
        if replays.running.is_empty() {
            client.replays = None;
        }
        for (shard, cursor) in go_on {
            self.forward(turn, shard, Envelope::ReplayMore(cursor));
        }
    }

    /// The client is gone: nobody waits for its replays.
    pub(super) fn stop_replays(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let Some(client) = self.clients.get_mut(slot) else { return };
        let Some(replays) = client.replays.take() else { return };
        for (shard, cursor) in replays.running.into_iter().flat_map(|replay| replay.parked) {
            self.forward(turn, shard, Envelope::ReplayStop(cursor));
        }
    }

    fn replay(&mut self, client: ClientRef, number: u32) -> Option<&mut Replay> {
        self.clients.resolve(client)?.replays.as_mut()?.find(number)
    }
}
