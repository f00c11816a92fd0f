//! Retained messages on their way to a new subscription. Each shard walks what it keeps in bounded
//! steps, one step at a time for each client, and only when the client has room for it: a million
//! retained messages stall neither the shards that keep them nor the client that asked. A client with many
//! filters asks for many at once: a shard has nothing for most of them, and says so in one step.

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
/// Topics that one step looks at.
const STEP_TOPICS: usize = 4_096;
/// Replays that one step is asked for.
const BATCH: usize = 64;
/// Filters and topics that one turn looks at for all clients together; the rest waits for the next.
const LOOKS_A_TURN: usize = 16_384;
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
    /// Those whose steps are under way are among the first [`BATCH`].
    waiting: VecDeque<Replay>,
    /// The one that a shard is in the middle of.
    walk: Option<Walk>,
    /// Whether a step has been asked for and not been delivered yet.
    busy: bool,
    /// What the client had no room for of a step.
    got: Option<Box<Got>>,
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
}

/// What has come of a step and is not delivered: the client takes it as it has room.
#[derive(Debug)]
struct Got {
    shard: u16,
    answers: std::vec::IntoIter<(u64, Vec<Arc<Message>>)>,
    /// Of the first answer.
    number: u64,
    messages: std::vec::IntoIter<Arc<Message>>,
    more: Option<u32>,
}

/// A shard is in the middle of what it keeps for a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Walk {
    replay: u64,
    shard: u16,
    /// The shard's name for it.
    cursor: u32,
}

impl Replay {
    pub(super) const fn new(
        number: u64,
        filter: TopicFilter,
        (qos, id): (Qos, Option<u32>),
        heard: Arc<[MessageId]>,
    ) -> Self {
        Self { number, filter, qos, id, heard, told: 0 }
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
    /// Returns the walk of it that nobody goes on with.
    fn stop(&mut self, filter: &TopicFilter) -> Option<Walk> {
        let first = self.waiting.iter().take(BATCH);
        let walked = self.walk.and_then(|walk| first.clone().find(|it| it.number == walk.replay));
        let of_it = walked.is_some_and(|replay| replay.filter == *filter);
        self.waiting.pop_front_if(|replay| replay.filter == *filter);
        if !self.waiting.is_empty() {
            self.stopped.insert(filter.clone(), self.newest);
            if self.stopped.len() > self.waiting.len() / 2 {
                let stopped = std::mem::take(&mut self.stopped);
                self.waiting.retain(|replay| !is_stopped(&stopped, replay));
            }
        }
        self.walk.take_if(|_| of_it)
    }

    /// One whose step may be under way; none if nobody wants the answer any more.
    fn find(&mut self, number: u64) -> Option<&mut Replay> {
        let replay = self.waiting.iter_mut().take(BATCH).find(|it| it.number == number)?;
        (!is_stopped(&self.stopped, replay)).then_some(replay)
    }

    /// What the shard of the first one's turn is to be asked for in one step, and what it has to have heard
    /// of: all that was heard of when the last one began.
    fn next_asked(&self) -> (Vec<(u64, TopicFilter)>, Arc<[MessageId]>) {
        let told = self.waiting.front().map(|first| first.told);
        let first = self.waiting.iter().take(BATCH);
        let stand = first.filter(|replay| !is_stopped(&self.stopped, replay));
        let wanted = stand.take_while(|replay| Some(replay.told) == told);
        let heard = wanted.clone().last().map(|replay| Arc::clone(&replay.heard));
        let asked = wanted.map(|replay| (replay.number, replay.filter.clone())).collect();
        (asked, heard.unwrap_or_default())
    }

    /// Of several of one filter the newest brings everything; the first stays, in whose middle a shard may
    /// be.
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
    open: Slab<Open>,
    /// Those that wait for what other shards have sent, and the shards that were asked, a bit each.
    parked: Vec<ReplayRequest>,
    asked: u64,
    /// The number of the next replay.
    next: u64,
    /// Steps for the next turn: of this shard's own clients, and those that this turn has no time for.
    pub(super) later: VecDeque<Envelope>,
    /// Filters and topics that were looked at in this turn.
    looks: usize,
}

/// A walk that goes on when the shard of the client asks for more.
#[derive(Debug)]
struct Open {
    cursor: RetainedCursor,
    shard: u16,
    client: ClientRef,
    replay: u64,
}

impl Cursors {
    /// The next turn begins.
    pub(super) const fn end_turn(&mut self) {
        self.looks = 0;
    }

    pub(super) fn len(&self) -> usize {
        self.open.len() + self.parked.len()
    }
}

/// What a step may still do.
struct Room {
    messages: usize,
    /// Topics to look at.
    topics: usize,
}

impl Room {
    fn new(want: u32) -> Self {
        Self { messages: (want as usize).clamp(1, STEP), topics: STEP_TOPICS }
    }

    const fn is_used_up(&self) -> bool {
        self.messages == 0 || self.topics == 0
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
        if self.cursors.looks >= LOOKS_A_TURN {
            return self.cursors.later.push_back(Envelope::Replay(Box::new(request)));
        }
        let ReplayRequest { shard, client, asked, want, .. } = request;
        let mut step = Room::new(want);
        let (mut answers, mut more) = (Vec::with_capacity(asked.len()), None);
        for (replay, filter) in asked {
            if step.is_used_up() {
                break;
            }
            self.cursors.looks += 1;
            let mut cursor = self.retained.cursor(filter.matched());
            let (messages, goes_on) = self.walk(turn, &mut cursor, &mut step);
            answers.push((replay, messages));
            if goes_on {
                more =
                    Some(self.cursors.open.insert(Open { cursor, shard, client, replay }) as u32);
                break;
            }
            self.retained.close(cursor);
        }
        let replayed = Replayed { shard: self.id, client, answers, more };
        self.forward(turn, shard, Envelope::Replayed(Box::new(replayed)));
    }

    /// The next step of a walk.
    pub(super) fn continue_replay(&mut self, turn: &mut Turn<'_>, step: ReplayMore) {
        if self.cursors.looks >= LOOKS_A_TURN {
            return self.cursors.later.push_back(Envelope::ReplayMore(step));
        }
        let key = step.cursor as usize;
        let Some(mut open) = self.cursors.open.try_remove(key) else { return };
        let (messages, goes_on) = self.walk(turn, &mut open.cursor, &mut Room::new(step.want));
        let Open { shard, client, replay, .. } = open;
        let more = if goes_on {
            Some(self.cursors.open.insert(open) as u32)
        } else {
            self.retained.close(open.cursor);
            None
        };
        let answers = vec![(replay, messages)];
        let replayed = Replayed { shard: self.id, client, answers, more };
        self.forward(turn, shard, Envelope::Replayed(Box::new(replayed)));
    }

    /// A part of a walk, and whether it goes on.
    fn walk(
        &mut self,
        turn: &Turn<'_>,
        cursor: &mut RetainedCursor,
        step: &mut Room,
    ) -> (Vec<Arc<Message>>, bool) {
        let mut messages: Vec<Arc<Message>> = Vec::new();
        let mut goes_on = true;
        while goes_on && !step.is_used_up() {
            let looks = step.messages.min(step.topics);
            let (mut left, before) = (looks, messages.len());
            goes_on = self.retained.next(cursor, &mut left, &mut messages);
            step.messages -= messages.len() - before;
            step.topics = step.topics.saturating_sub((looks - left).max(1));
            self.cursors.looks += looks - left;
        }
        messages.retain(|message| !message.is_expired(turn.now));
        (messages, goes_on)
    }

    pub(super) fn close_cursor(&mut self, key: u32) {
        if let Some(open) = self.cursors.open.try_remove(key as usize) {
            self.retained.close(open.cursor);
        }
    }

    pub(super) fn take_replayed(&mut self, turn: &mut Turn<'_>, replayed: Replayed) {
        let Replayed { shard, client, answers, more } = replayed;
        let mut answers = answers.into_iter();
        let (number, messages) = answers.next().unwrap_or_default();
        let got = Got { shard, answers, number, messages: messages.into_iter(), more };
        self.deliver_got(turn, client, Box::new(got));
        self.advance_replays(turn, client.slot);
    }

    /// Delivers what the client has room for of a step, and holds the rest until it has more.
    fn deliver_got(&mut self, turn: &mut Turn<'_>, client: ClientRef, mut got: Box<Got>) {
        loop {
            if got.messages.len() > 0 && self.replay(client, got.number).is_some() {
                let Some(found) = self.clients.resolve(client) else { return };
                if found.congested || found.session.room() == 0 {
                    if let Some(replays) = &mut found.replays {
                        replays.got = Some(got);
                    }
                    return;
                }
                if let Some(message) = got.messages.next() {
                    self.deliver_replayed(turn, client, got.number, &message);
                }
                continue;
            }
            // Only now: a delivery lets the client's other affairs go on, and must not take this step for
            // finished.
            let next = got.answers.next();
            let goes_on = got.more.filter(|_| next.is_none());
            if let Some(replay) = self.replay(client, got.number)
                && goes_on.is_none()
            {
                replay.told += 1;
            }
            let Some((number, messages)) = next else { break };
            (got.number, got.messages) = (number, messages.into_iter());
        }
        let wanted = self.replay(client, got.number).is_some();
        let walk = got.more.map(|cursor| Walk { replay: got.number, shard: got.shard, cursor });
        match self.clients.resolve(client).and_then(|found| found.replays.as_mut()) {
            Some(replays) if wanted => (replays.busy, replays.walk) = (false, walk),
            // The client or its subscription is gone: the walk is of no use to anybody.
            replays => {
                if let Some(replays) = replays {
                    replays.busy = false;
                }
                self.stop_walk(turn, walk);
            }
        }
    }

    fn deliver_replayed(
        &mut self,
        turn: &mut Turn<'_>,
        client: ClientRef,
        number: u64,
        message: &Arc<Message>,
    ) {
        let replay = self.replay(client, number);
        let Some((qos, id, heard)) = replay.map(|it| (it.qos, it.id, Arc::clone(&it.heard))) else {
            return;
        };
        let Some(found) = self.clients.resolve(client) else { return };
        let Some(replays) = &found.replays else { return };
        // What is yet to come live comes behind older ones: before them it would go back in time.
        if replays.is_superseded(&message.topic, number) || self.is_to_come(message.id, &heard) {
            return;
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

    fn replay(&mut self, client: ClientRef, number: u64) -> Option<&mut Replay> {
        self.clients.resolve(client)?.replays.as_mut()?.find(number)
    }

    /// Asks for the next step of a client's replays when it has room, and forgets finished ones.
    pub(super) fn advance_replays(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let Some(client) = self.clients.get_mut(slot) else { return };
        let reference = ClientRef { slot, serial: client.serial };
        let Some(replays) = &mut client.replays else { return };
        if let Some(got) = replays.got.take() {
            self.deliver_got(turn, reference, got);
        }
        let Some(client) = self.clients.get_mut(slot) else { return };
        let Some(replays) = &mut client.replays else { return };
        if replays.busy {
            return;
        }
        // Several subscriptions to one filter may have become one.
        let walk = replays.walk.filter(|walk| replays.find(walk.replay).is_none());
        if walk.is_some() {
            replays.walk = None;
            self.stop_walk(turn, walk);
            return self.advance_replays(turn, slot);
        }
        if !replays.any_left(self.context.options.shards) {
            if replays.expected == 0 {
                client.replays = None;
            }
            return;
        }
        let want = STEP.min(client.door.options.queue_messages_max / 2).max(1);
        if client.session.room() < want || client.congested {
            return;
        }
        replays.busy = true;
        let want = want as u32;
        let (shard, envelope) = if let Some(Walk { shard, cursor, .. }) = replays.walk.take() {
            (shard, Envelope::ReplayMore(ReplayMore { cursor, want }))
        } else {
            let to = replays.waiting.front().map_or(0, |first| first.told);
            let (asked, heard) = replays.next_asked();
            let (shard, client) = (self.id, reference);
            let request = ReplayRequest { shard, client, asked, want, heard };
            (to, Envelope::Replay(Box::new(request)))
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
            if self.cursors.looks >= LOOKS_A_TURN {
                return;
            }
            let Some(envelope) = self.cursors.later.pop_front() else { return };
            self.handle_envelope(turn, self.id, envelope);
        }
    }

    /// The subscription is gone ([MQTT-3.10.4-2]): what is left of its replays is not sent.
    pub(super) fn stop_replays_of(&mut self, turn: &mut Turn<'_>, slot: u32, filter: &TopicFilter) {
        let Some(client) = self.clients.get_mut(slot) else { return };
        let Some(replays) = &mut client.replays else { return };
        let walk = replays.stop(filter);
        self.stop_walk(turn, walk);
    }

    /// The client is gone: nobody waits for its replays.
    pub(super) fn stop_replays(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let Some(client) = self.clients.get_mut(slot) else { return };
        let Some(replays) = client.replays.take() else { return };
        let left = replays.got.and_then(|got| {
            got.more.map(|cursor| Walk { replay: got.number, shard: got.shard, cursor })
        });
        self.stop_walk(turn, replays.walk.or(left));
    }

    fn stop_walk(&mut self, turn: &mut Turn<'_>, walk: Option<Walk>) {
        if let Some(Walk { shard, cursor, .. }) = walk {
            self.forward(turn, shard, Envelope::ReplayStop(cursor));
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
        replays.stop(&TopicFilter::try_from("c").unwrap());
        replays.merge();
        assert_eq!(left(&mut replays), [1, 5, 6], "the first may have begun");
    }

    #[test]
    fn what_is_stopped_is_void_and_what_begins_again_is_not() {
        let filter = |text| TopicFilter::try_from(text).unwrap();
        for swept in [false, true] {
            let mut replays = replays(&["a", "b", "c", "d", "e", "f", "g", "h", "b"]);
            for gone in ["a", "b", "d"] {
                replays.stop(&filter(gone));
            }
            if swept {
                for other in ["x", "y", "z"] {
                    replays.stop(&filter(other));
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

    #[test]
    fn one_step_is_asked_for_all_that_are_as_far_and_stand() {
        let asked = |replays: &Replays| -> Vec<u64> {
            replays.next_asked().0.into_iter().map(|(number, _)| number).collect()
        };
        let mut replays = replays(&["a", "b", "c", "d", "e"]);
        replays.stop(&TopicFilter::try_from("c").unwrap());
        assert_eq!(asked(&replays), [1, 2, 4, 5]);
        for told in [1, 2] {
            replays.find(told).unwrap().told += 1;
        }
        assert_eq!(asked(&replays), [1, 2], "the first shard's turn is over for them");
        for told in [4, 5] {
            replays.find(told).unwrap().told += 1;
        }
        assert_eq!(asked(&replays), [1, 2, 4, 5], "what is void among them ends nothing");
        assert!(replays.find(3).is_none(), "it was unsubscribed from");
    }

    #[test]
    fn a_walk_ends_with_its_subscription_wherever_it_waits() {
        let filter = |text| TopicFilter::try_from(text).unwrap();
        for at in [1, 3] {
            let mut replays = replays(&["a", "b", "c", "d"]);
            let walk = Walk { replay: at, shard: 1, cursor: 7 };
            replays.walk = Some(walk);
            assert_eq!(replays.stop(&filter("b")), None);
            assert_eq!(replays.stop(&filter(if at == 1 { "a" } else { "c" })), Some(walk));
            assert_eq!(replays.walk, None);
        }
    }
}
