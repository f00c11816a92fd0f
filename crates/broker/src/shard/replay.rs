//! Retained messages on their way to a new subscription. Each shard walks what it keeps in bounded
//! steps, one step at a time for each client, and only when the client has room for it: a million
//! retained messages stall neither the shards that keep them nor the client that asked.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use plexus_session::{Delivery, SubscribeRequest};
use plexus_topics::RetainedCursor;
use plexus_types::{Message, MessageId, Qos, TopicFilter, TopicName};
use slab::Slab;

use super::{Shard, route::bits, subscribe::wants_retained};
use crate::{
    envelope::{ClientRef, Envelope, ReplayMore, ReplayRequest, Replayed},
    ports::Turn,
};

/// Messages of one step.
const STEP: usize = 256;
/// Nodes of the index that one step visits.
const STEP_NODES: usize = 4_096;
/// So many replays of a client may wait however few subscriptions it has.
const MERGED_MIN: usize = 64;
/// Topics remembered because a newer message overtook the replay; beyond it the replay may repeat.
const SUPERSEDED_MAX: usize = 100_000;

/// The replays of one client, served one after the other.
#[derive(Debug, Default)]
pub(super) struct Replays {
    /// The newest number of one, begun or expected.
    newest: u64,
    /// SUBSCRIBEs that wait for the other shards. What is delivered live meanwhile counts: the message
    /// that it replaces may still be the retained one where that is kept.
    expected: usize,
    waiting: VecDeque<Replay>,
    /// Whether a step has been asked for and not come yet.
    busy: bool,
    /// Topics whose newer message was delivered live, with the newest replay of that moment: in that
    /// and earlier replays the retained message comes too late.
    superseded: BTreeMap<TopicName, u64>,
    /// Filters that were unsubscribed from, with the newest replay of that moment: it and earlier ones
    /// of the filter are void.
    stopped: BTreeMap<TopicFilter, u64>,
}

/// The retained messages that a filter matches, on their way to a client.
#[derive(Debug)]
pub(super) struct Replay {
    /// Its name among all of this shard.
    number: u64,
    filter: TopicFilter,
    qos: Qos,
    id: Option<u32>,
    /// The newest message of each shard that this one had heard of when the subscription stood.
    heard: Arc<[MessageId]>,
    /// Shards that have told all they keep, from the first on.
    told: u16,
    /// The walk to go on with, of the shard behind those.
    walk: Option<u32>,
}

impl Replay {
    pub(super) const fn new(
        number: u64,
        filter: TopicFilter,
        (qos, id): (Qos, Option<u32>),
        heard: Arc<[MessageId]>,
    ) -> Self {
        Self { number, filter, qos, id, heard, told: 0, walk: None }
    }
}

impl Replays {
    /// A live message with RETAIN set has replaced the retained one of its topic.
    pub(super) fn supersede(&mut self, topic: &TopicName) {
        if self.superseded.len() < SUPERSEDED_MAX {
            self.superseded.insert(topic.detached(), self.newest);
        }
    }

    fn is_superseded(&self, topic: &TopicName, number: u64) -> bool {
        self.superseded.get(topic).is_some_and(|newest| *newest >= number)
    }

    /// The subscription to that filter is gone. One look at each that waits would make many filters a
    /// long affair; so they are found void when it is their turn, or swept out when there are many.
    /// Returns the one under way, if it was that.
    fn stop(&mut self, filter: &TopicFilter) -> Option<Replay> {
        let begun = self.waiting.pop_front_if(|replay| replay.filter == *filter);
        if !self.waiting.is_empty() {
            self.stopped.insert(filter.clone(), self.newest);
            if self.stopped.len() > self.waiting.len() / 2 {
                let stopped = std::mem::take(&mut self.stopped);
                self.waiting.retain(|replay| !is_stopped(&stopped, replay));
            }
        }
        begun
    }

    /// Of several of one filter that have not begun the newest brings everything.
    fn merge(&mut self) {
        let first = self.waiting.pop_front();
        let mut newest = BTreeMap::new();
        for replay in &self.waiting {
            newest.insert(replay.filter.clone(), replay.number);
        }
        let stopped = std::mem::take(&mut self.stopped);
        self.waiting.retain(|replay| {
            newest.get(&replay.filter) == Some(&replay.number) && !is_stopped(&stopped, replay)
        });
        if let Some(first) = first.filter(|first| !is_stopped(&stopped, first)) {
            self.waiting.push_front(first);
        }
    }

    /// Parts from those that so many shards have told all of, and from void ones; whether one is left.
    fn any_left(&mut self, shards: u16) -> bool {
        while let Some(first) = self.waiting.front()
            && (first.told == shards || is_stopped(&self.stopped, first))
        {
            self.waiting.pop_front();
        }
        !self.waiting.is_empty()
    }
}

fn is_stopped(stopped: &BTreeMap<TopicFilter, u64>, replay: &Replay) -> bool {
    !stopped.is_empty()
        && stopped.get(&replay.filter).is_some_and(|newest| *newest >= replay.number)
}

/// Walks over this shard's retained messages that are not finished, and those of its own clients
/// that go on in the next turn.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    open: Slab<(RetainedCursor, ReplayRequest)>,
    /// Those that wait for what other shards have sent, and the shards that were asked, a bit each.
    parked: Vec<ReplayRequest>,
    asked: u64,
    /// The number of the next replay.
    next: u64,
    pub(super) later: VecDeque<Envelope>,
}

impl Cursors {
    pub(super) fn len(&self) -> usize {
        self.open.len() + self.parked.len()
    }
}

impl Shard {
    /// The client subscribes and may get what is retained: yields the number of the first replay, that of
    /// the next filter is one more.
    pub(super) fn expect_replays(&mut self, slot: u32, request: &SubscribeRequest) -> Option<u64> {
        let client = self.clients.get_mut(slot)?;
        if !request.items.iter().any(wants_retained) {
            return None;
        }
        let first = self.cursors.next;
        self.cursors.next += request.items.len() as u64;
        let replays = client.replays.get_or_insert_with(Box::<Replays>::default);
        replays.newest = self.cursors.next - 1;
        replays.expected += 1;
        Some(first)
    }

    /// Asks every shard for the retained messages that the filters match, now that all know of them.
    pub(super) fn start_replays(
        &mut self,
        turn: &mut Turn<'_>,
        client: ClientRef,
        begun: impl IntoIterator<Item = Replay>,
    ) {
        let Some(found) = self.clients.resolve(client) else { return };
        let Some(replays) = &mut found.replays else { return };
        replays.expected = replays.expected.saturating_sub(1);
        replays.waiting.extend(begun);
        if replays.waiting.len() > 2 * found.session.subscription_count() + MERGED_MIN {
            replays.merge();
        }
        self.advance_replays(turn, client.slot);
    }

    /// What the shard that asks has heard of may not have come from the shards of its publishers yet: it
    /// would never come, if the answer was what it replaces.
    pub(super) fn take_replay(&mut self, turn: &mut Turn<'_>, request: ReplayRequest) {
        let behind = self.behind(&request.heard);
        if behind == 0 {
            return self.begin_replay(turn, request);
        }
        self.cursors.parked.push(request);
        let unasked = behind & !self.cursors.asked;
        self.cursors.asked |= behind;
        bits(unasked).for_each(|shard| turn.ports.forward(shard, Envelope::AskNamed));
    }

    /// Everything that the shard had named when it was asked is here.
    pub(super) fn take_named(&mut self, turn: &mut Turn<'_>, from: u16) {
        self.cursors.asked &= !(1 << from);
        for request in std::mem::take(&mut self.cursors.parked) {
            self.take_replay(turn, request);
        }
    }

    fn begin_replay(&mut self, turn: &mut Turn<'_>, request: ReplayRequest) {
        let want = request.want;
        let cursor = self.retained.cursor(request.filter.matched());
        let key = self.cursors.open.insert((cursor, request));
        self.continue_replay(turn, ReplayMore { cursor: key as u32, want });
    }

    /// One step of a replay.
    pub(super) fn continue_replay(&mut self, turn: &mut Turn<'_>, step: ReplayMore) {
        let ReplayMore { cursor: key, want } = step;
        let Some((cursor, request)) = self.cursors.open.get_mut(key as usize) else { return };
        let want = (want as usize).clamp(1, STEP);
        let mut messages: Vec<Arc<Message>> = Vec::new();
        let mut visited = 0;
        let mut more = true;
        while more && messages.len() < want && visited < STEP_NODES {
            let nodes = want - messages.len();
            more = self.retained.next(cursor, nodes, &mut messages);
            visited += nodes;
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
        let replay = self.replay(client, number);
        let delivery_of = replay.map(|it| (it.qos, it.id, Arc::clone(&it.heard)));
        for message in &messages {
            let Some((qos, id, heard)) = &delivery_of else { break };
            let Some(found) = self.clients.resolve(client) else { break };
            let Some(replays) = &found.replays else { break };
            // What is yet to come live comes behind older ones: before them it would go back in time.
            if replays.is_superseded(&message.topic, number) || self.is_to_come(message.id, heard) {
                continue;
            }
            let delivery = Delivery {
                message,
                qos: message.qos.min(*qos),
                retain: true,
                subscription_ids: id.as_slice(),
                shared: None,
            };
            self.deliver(turn, client.slot, delivery);
        }
        // Only now: a delivery lets the client's other affairs go on, and must not take this step for
        // finished.
        match (self.replay(client, number), more) {
            (Some(replay), Some(cursor)) => replay.walk = Some(cursor),
            (Some(replay), None) => replay.told += 1,
            // The client or its subscription is gone: the walk is of no use to anybody.
            (None, Some(cursor)) => self.forward(turn, shard, Envelope::ReplayStop(cursor)),
            (None, None) => {}
        }
        let Some(found) = self.clients.resolve(client) else { return };
        let Some(replays) = &mut found.replays else { return };
        replays.busy = false;
        self.advance_replays(turn, client.slot);
    }

    fn replay(&mut self, client: ClientRef, number: u64) -> Option<&mut Replay> {
        let replays = self.clients.resolve(client)?.replays.as_mut()?;
        replays.waiting.front_mut().filter(|replay| replay.number == number)
    }

    /// Asks for the next step of a client's replays when it has room, and forgets finished ones.
    pub(super) fn advance_replays(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let Some(client) = self.clients.get_mut(slot) else { return };
        let Some(replays) = &mut client.replays else { return };
        if replays.busy {
            return;
        }
        if !replays.any_left(self.context.options.shards) {
            if replays.expected == 0 {
                client.replays = None;
            }
            return;
        }
        let Some(replay) = replays.waiting.front_mut() else { return };
        let want = STEP.min(client.door.options.queue_messages_max / 2).max(1);
        if client.session.room() < want || client.congested {
            return;
        }
        let (shard, cursor) = (replay.told, replay.walk.take());
        replays.busy = true;
        let want = want as u32;
        let envelope = match cursor {
            Some(cursor) => Envelope::ReplayMore(ReplayMore { cursor, want }),
            None => Envelope::Replay(Box::new(ReplayRequest {
                shard: self.id,
                client: ClientRef { slot, serial: client.serial },
                replay: replay.number,
                filter: replay.filter.clone(),
                want,
                heard: Arc::clone(&replay.heard),
            })),
        };
        if shard == self.id {
            // In this turn it would run to its end.
            self.cursors.later.push_back(envelope);
        } else {
            turn.ports.forward(shard, envelope);
        }
    }

    /// The steps of this shard's own clients that were put off to this turn.
    pub(super) fn take_later(&mut self, turn: &mut Turn<'_>) {
        for _ in 0..self.cursors.later.len() {
            let Some(envelope) = self.cursors.later.pop_front() else { return };
            self.handle_envelope(turn, self.id, envelope);
        }
    }

    /// The subscription is gone ([MQTT-3.10.4-2]): what is left of its replays is not sent.
    pub(super) fn stop_replays_of(&mut self, turn: &mut Turn<'_>, slot: u32, filter: &TopicFilter) {
        let Some(client) = self.clients.get_mut(slot) else { return };
        let Some(replays) = &mut client.replays else { return };
        let begun = replays.stop(filter);
        self.stop_walk(turn, begun.as_ref());
    }

    /// The client is gone: nobody waits for its replays.
    pub(super) fn stop_replays(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let Some(client) = self.clients.get_mut(slot) else { return };
        let begun = client.replays.take().and_then(|mut replays| replays.waiting.pop_front());
        self.stop_walk(turn, begun.as_ref());
    }

    /// Nobody goes on with the walk of a replay that is gone. Only the first one has begun.
    fn stop_walk(&mut self, turn: &mut Turn<'_>, begun: Option<&Replay>) {
        if let Some(Replay { told: shard, walk: Some(cursor), .. }) = begun {
            self.forward(turn, *shard, Envelope::ReplayStop(*cursor));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replays(filters: &[&str]) -> Replays {
        let mut replays = Replays::default();
        for filter in filters {
            replays.newest += 1;
            let filter = TopicFilter::try_from(*filter).unwrap();
            let (number, qos) = (replays.newest, Qos::AtMostOnce);
            replays.waiting.push_back(Replay::new(number, filter, (qos, None), Arc::default()));
        }
        replays
    }

    fn left(replays: &mut Replays) -> Vec<u64> {
        let mut left = Vec::new();
        while replays.any_left(2) {
            left.extend(replays.waiting.pop_front().map(|replay| replay.number));
        }
        left
    }

    #[test]
    fn who_subscribes_again_and_again_waits_for_the_newest_answers() {
        let mut replays = replays(&["a", "b", "a", "c", "b", "a"]);
        assert!(replays.stop(&TopicFilter::try_from("c").unwrap()).is_none());
        replays.merge();
        assert_eq!(left(&mut replays), [1, 5, 6], "the first may have begun");
    }

    #[test]
    fn what_is_stopped_is_void_and_what_begins_again_is_not() {
        let filter = |text| TopicFilter::try_from(text).unwrap();
        for swept in [false, true] {
            let mut replays = replays(&["a", "b", "c", "d", "e", "f", "g", "h", "b"]);
            assert_eq!(replays.stop(&filter("a")).map(|begun| begun.number), Some(1));
            assert_eq!(replays.stop(&filter("b")).map(|first| first.number), Some(2));
            assert!(replays.stop(&filter("d")).is_none());
            if swept {
                for other in ["x", "y", "z"] {
                    assert!(replays.stop(&filter(other)).is_none());
                }
                assert!(replays.stopped.len() < 3, "they do not become more and more");
            }
            replays.newest += 1;
            let (number, qos) = (replays.newest, Qos::AtMostOnce);
            let mut again = Replay::new(number, filter("b"), (qos, None), Arc::default());
            again.told = 1;
            replays.waiting.push_back(again);
            assert_eq!(left(&mut replays), [3, 5, 6, 7, 8, 10]);
        }
    }
}
