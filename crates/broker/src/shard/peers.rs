//! What other shards say, and what waits for them.

use std::{collections::VecDeque, sync::Arc};

use plexus_session::SubscribeRequest;
use plexus_topics::InterestDelta;
use plexus_types::MessageId;
use slab::Slab;

use super::Shard;
use crate::{
    envelope::{ClientRef, Envelope, Joined},
    ports::{ConnId, Turn},
};

/// A SUBSCRIBE that waits for the other shards.
#[derive(Debug)]
pub(super) struct Suback {
    pub(super) client: ClientRef,
    pub(super) conn: Option<ConnId>,
    pub(super) request: Box<SubscribeRequest>,
    /// The numbers of its replays begin here, if there will be any.
    pub(super) replays: Option<u64>,
}

/// What is due when everybody knows.
#[derive(Debug)]
pub(super) enum Answer {
    Suback(Suback),
    Joined(u16, Joined),
    /// A session from the log: it waits for nothing, the node does.
    Nobody,
}

#[derive(Debug)]
struct Waiting {
    answer: Answer,
    joins: usize,
    interest: bool,
}

/// Answers that wait until every shard has seen this shard's interests and every group has been
/// joined. Interests are numbered; a shard confirms the newest number that it has seen.
#[derive(Debug)]
pub(super) struct Awaiting {
    entries: Slab<Waiting>,
    by_number: VecDeque<(u64, usize)>,
    announced: u64,
    seen: Vec<u64>,
    /// The newest message of each shard that this one has heard of.
    heard: Vec<MessageId>,
    /// The same as it was last handed out.
    told: Arc<[MessageId]>,
    ready: VecDeque<Answer>,
}

impl Awaiting {
    pub(super) fn new(id: u16, shards: u16) -> Self {
        let seen = (0..shards).map(|shard| if shard == id { u64::MAX } else { 0 }).collect();
        Self {
            entries: Slab::new(),
            by_number: VecDeque::new(),
            announced: 0,
            seen,
            heard: vec![MessageId::NONE; usize::from(shards)],
            told: Arc::default(),
            ready: VecDeque::new(),
        }
    }

    /// An answer that is due when all interests announced so far are seen and `joins` are done.
    pub(super) fn open(&mut self, answer: Answer, joins: usize) -> u32 {
        let interest = self.seen_by_all() >= self.announced;
        let key = self.entries.insert(Waiting { answer, joins, interest });
        if !interest {
            self.by_number.push_back((self.announced, key));
        }
        self.check(key);
        key as u32
    }

    fn announce(&mut self) -> u64 {
        self.announced += 1;
        self.announced
    }

    /// The other shard has given that name, and those that it gives now are greater.
    fn hear(&mut self, shard: u16, named: MessageId) {
        if let Some(heard) = self.heard.get_mut(usize::from(shard)) {
            *heard = named.max(*heard);
        }
    }

    fn confirm(&mut self, shard: u16, number: u64) {
        if let Some(seen) = self.seen.get_mut(usize::from(shard)) {
            *seen = number.max(*seen);
        }
        let all = self.seen_by_all();
        while let Some((number, key)) = self.by_number.front().copied()
            && number <= all
        {
            self.by_number.pop_front();
            if let Some(waiting) = self.entries.get_mut(key) {
                waiting.interest = true;
            }
            self.check(key);
        }
    }

    /// A group has been joined.
    fn joined(&mut self, ticket: u32) {
        if let Some(waiting) = self.entries.get_mut(ticket as usize) {
            waiting.joins = waiting.joins.saturating_sub(1);
            self.check(ticket as usize);
        }
    }

    fn check(&mut self, key: usize) {
        if self.entries.get(key).is_some_and(|waiting| waiting.interest && waiting.joins == 0) {
            self.ready.push_back(self.entries.remove(key).answer);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn seen_by_all(&self) -> u64 {
        self.seen.iter().copied().min().unwrap_or(u64::MAX)
    }
}

impl Shard {
    /// Tells the other shards that this one is or is no longer interested.
    pub(super) fn announce(&mut self, turn: &mut Turn<'_>, delta: InterestDelta) {
        let number = self.awaiting.announce();
        for shard in 0..self.context.options.shards {
            if shard != self.id {
                turn.ports.forward(shard, Envelope::Interest(delta, number));
            }
        }
    }

    /// The same of many at once.
    pub(super) fn announce_many(&mut self, turn: &mut Turn<'_>, deltas: &[InterestDelta]) {
        if deltas.is_empty() {
            return;
        }
        let (number, deltas) = (self.awaiting.announce(), Arc::from(deltas));
        for shard in (0..self.context.options.shards).filter(|shard| *shard != self.id) {
            turn.ports.forward(shard, Envelope::Interests(Arc::clone(&deltas), number));
        }
    }

    fn confirm_interest(&self, turn: &mut Turn<'_>, from: u16, number: u64) {
        turn.ports.forward(from, Envelope::InterestSeen(number, self.last_named()));
    }

    /// That shard has named so far. Names of earlier starts, of what is routed anew, say nothing: a shard that
    /// names no more than those would never be asked for enough.
    fn hear(&mut self, shard: u16, named: MessageId) {
        if self.named_by(named).is_some() {
            self.awaiting.hear(shard, named);
        }
    }

    /// The newest message of each shard that this one has heard of. Of a filter that every shard knows
    /// of, newer ones come as they are published.
    pub(super) fn heard(&mut self) -> Arc<[MessageId]> {
        self.hear(self.id, self.last_named());
        let Awaiting { heard, told, .. } = &mut self.awaiting;
        if **told != **heard {
            *told = heard.as_slice().into();
        }
        Arc::clone(told)
    }

    /// The shards of which this one may not have everything that was heard of.
    pub(super) fn behind(&self, heard: &[MessageId]) -> u64 {
        let pairs = self.awaiting.heard.iter().zip(heard).enumerate();
        let others = pairs.filter(|(shard, _)| *shard != usize::from(self.id));
        others.fold(0, |behind, (shard, (here, there))| behind | u64::from(here < there) << shard)
    }

    /// Whether the message is still to come as it was published, for a subscription that began when
    /// that was heard of.
    pub(super) fn is_to_come(&self, id: MessageId, heard: &[MessageId]) -> bool {
        let heard = self.named_by(id).and_then(|shard| heard.get(usize::from(shard)));
        heard.is_some_and(|heard| id > *heard)
    }

    /// Gives the answers for which nothing is missing any more.
    pub(super) fn finish_ready(&mut self, turn: &mut Turn<'_>) {
        while let Some(answer) = self.awaiting.ready.pop_front() {
            match answer {
                Answer::Suback(suback) => self.finish_subscribe(turn, suback),
                Answer::Joined(shard, joined) => {
                    self.forward(turn, shard, Envelope::Joined(joined));
                }
                Answer::Nobody => {}
            }
        }
    }

    /// One envelope; effects that are work are left to the caller's `work_off`.
    pub(super) fn take_envelope(&mut self, turn: &mut Turn<'_>, from: u16, envelope: Envelope) {
        match envelope {
            Envelope::Publish(message, _) => {
                self.hear(from, message.id);
                self.take_publish(turn, &message);
            }
            Envelope::Retain(message) => {
                self.hear(from, message.id);
                self.keep_retained(turn, &message);
            }
            Envelope::Assign(assignment) => self.take_assignment(turn, *assignment),
            Envelope::Return(given_back) => self.take_back(turn, *given_back),
            Envelope::Join(join) => self.take_join(turn, from, *join),
            Envelope::Joined(joined) => {
                self.awaiting.joined(joined.ticket);
                self.finish_ready(turn);
            }
            Envelope::Leave(filter, subscriber) => self.take_leave(turn, from, &filter, subscriber),
            Envelope::MemberState(subscriber, state) => self.set_member(from, subscriber, state),
            Envelope::Interest(delta, number) => {
                self.interest.apply(from, &delta);
                self.confirm_interest(turn, from, number);
            }
            Envelope::Interests(deltas, number) => {
                deltas.iter().for_each(|delta| self.interest.apply(from, delta));
                self.confirm_interest(turn, from, number);
            }
            Envelope::InterestSeen(number, named) => {
                self.hear(from, named);
                self.awaiting.confirm(from, number);
                self.finish_ready(turn);
            }
            Envelope::AskNamed => turn.ports.forward(from, Envelope::Named(self.last_named())),
            Envelope::Named(named) => {
                self.hear(from, named);
                self.take_named(turn, from);
            }
            Envelope::Replay(request) => self.take_replay(turn, *request),
            Envelope::ReplayMore(step) => self.continue_replay(turn, step),
            Envelope::ReplayStop(cursor) => self.close_cursor(cursor),
            Envelope::Replayed(replayed) => self.take_replayed(turn, *replayed),
            Envelope::Credit(publisher, goes_on) => self.take_credit(turn, &publisher, goes_on),
            Envelope::Kept(confirmed) => self.take_kept(turn, from, &confirmed),
        }
    }
}
