//! Acts about which somebody elsewhere is asked. The client waits, and nobody else: nothing is read from it
//! until the answer is here, so that the order of its packets is kept, over a new connection too. Answers
//! are remembered for a while.
//!
//! A Will that takes effect has no connection to hold: its session goes on, and the shard keeps the Will.

use std::{collections::VecDeque, sync::Arc};

use plexus_access::{
    Act, Credentials, Edition, Gate, Outcome, Principal, Remembered, Verdict, Wanted,
};
use plexus_session::{Action, Decision, Publication, SubscribeRequest};
use plexus_stdx::{HashMap, Seed};
use plexus_types::{Instant, Message, ReasonCode};

use super::{Shard, clients::Client};
use crate::{
    envelope::ClientRef,
    ports::{Door, Query, Turn},
};

/// Wills of one shard that wait for an answer; further ones are refused.
const WILLS_MAX: usize = 1_024;

/// What was said about acts of a client, and what it waits for.
#[derive(Debug)]
pub(super) struct Advice {
    remembered: Remembered,
    /// Nothing that is remembered holds from then on.
    until: Instant,
    pending: Option<Pending>,
    /// Which question the client waits for.
    number: u32,
}

/// An act that waits for an answer.
#[derive(Debug)]
struct Pending {
    action: Action,
    /// Of a SUBSCRIBE, the items that are still to be asked about; it is the turn of the first.
    items: VecDeque<usize>,
    /// Who asked, and under which rules.
    principal: Arc<Principal>,
    edition: Edition,
}

/// A Will that waits for an answer.
#[derive(Debug)]
struct Will {
    publication: Publication,
    principal: Arc<Principal>,
    door: Arc<Door>,
}

/// Wills that wait for an answer, by the numbers of their questions.
#[derive(Debug)]
pub(super) struct Wills {
    waiting: HashMap<u64, Will>,
    next: u64,
}

impl Wills {
    pub(super) fn new(seed: Seed) -> Self {
        Self { waiting: seed.map(), next: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}

impl Client {
    /// Whether it waits for an answer.
    pub(super) fn is_asking(&self) -> bool {
        self.advice.as_ref().is_some_and(|advice| advice.pending.is_some())
    }

    /// What was answered about the act, if that holds still.
    pub(super) fn was_advised(&self, now: Instant, act: &Act<'_>) -> Option<bool> {
        let advice = self.advice.as_ref().filter(|advice| now < advice.until)?;
        advice.remembered.recall(self.door.policy.advice()?.edition, act)
    }

    /// It acts as another principal from now on, for whom nothing was answered.
    pub(super) fn forget_advice(&mut self) {
        if let Some(advice) = &mut self.advice {
            advice.until = Instant::ZERO;
        }
    }

    /// Remembers an answer, unless it acts as another by now.
    fn heed(&mut self, now: Instant, pending: &Pending, outcome: &Outcome) {
        let Action::Publish(Publication { message, .. }) = &pending.action else { return };
        let (Some(terms), Some(advice)) = (self.door.policy.advice(), &mut self.advice) else {
            return;
        };
        let (allowed, ends) = match outcome {
            Outcome::Allow(rights, _) => (true, rights.expires),
            Outcome::Deny(ReasonCode::NotAuthorized) => (false, None),
            // There was no answer.
            Outcome::Deny(_) | Outcome::Continue(..) => return,
        };
        if !Arc::ptr_eq(&self.principal, &pending.principal) {
            return;
        }
        if now >= advice.until {
            advice.remembered.clear();
            advice.until = now + terms.holds;
        }
        advice.until = ends.map_or(advice.until, |ends| ends.min(advice.until));
        advice.remembered.keep(pending.edition, &publishing(message), allowed);
    }
}

/// The act of publishing it.
pub(super) const fn publishing(message: &Message) -> Act<'_> {
    Act::Publish { topic: &message.topic, qos: message.qos, retain: message.retain }
}

/// What an answer means, now that the rules say this: they may have changed while it was waited for.
fn weigh(rules: Verdict, outcome: &Outcome) -> Result<(), ReasonCode> {
    match (rules, outcome) {
        (Verdict::Allow, _) | (Verdict::Later, Outcome::Allow(..)) => Ok(()),
        (Verdict::Deny(reason), _) => Err(reason),
        (Verdict::Later, Outcome::Deny(reason)) => Err(*reason),
        (Verdict::Later, Outcome::Continue(..)) => Err(ReasonCode::NotAuthorized),
    }
}

impl Shard {
    /// The act waits until somebody elsewhere has said something about it.
    pub(super) fn ask(
        &mut self,
        turn: &mut Turn<'_>,
        slot: u32,
        action: Action,
        items: VecDeque<usize>,
    ) {
        let action = match action {
            Action::Publish(publication) if publication.will => {
                return self.ask_about_will(turn, slot, publication);
            }
            other => other,
        };
        let seed = self.context.seed;
        let Some(client) = self.clients.get_mut(slot) else { return };
        let edition = client.door.policy.advice().map(|terms| terms.edition).unwrap_or_default();
        let principal = Arc::clone(&client.principal);
        let advice = client.advice.get_or_insert_with(|| {
            let (remembered, until) = (Remembered::new(seed), Instant::ZERO);
            Box::new(Advice { remembered, until, pending: None, number: 0 })
        });
        debug_assert!(advice.pending.is_none(), "one act of a client at a time");
        advice.pending = Some(Pending { action, items, principal, edition });
        if !self.put_question(turn, slot) {
            self.take_answer(turn, slot, Outcome::Deny(ReasonCode::ServerBusy));
        }
    }

    /// Asks about the act that the client waits for; false if too many questions are under way.
    fn put_question(&mut self, turn: &mut Turn<'_>, slot: u32) -> bool {
        let Some(reference) = self.clients.reference(slot) else { return true };
        let Some(client) = self.clients.get_mut(slot) else { return true };
        let Some(advice) = &mut client.advice else { return true };
        let Some(wanted) = advice.pending.as_ref().and_then(Pending::wanted) else { return true };
        advice.number = advice.number.wrapping_add(1);
        let query = Query::Act(reference, advice.number);
        let credentials = credentials(&client.principal, wanted);
        turn.ports.ask(query, Arc::clone(&client.door.policy), credentials)
    }

    /// What somebody elsewhere says about an act is here. Nobody may wait for it any more.
    pub fn handle_advised(&mut self, turn: &mut Turn<'_>, query: Query, outcome: Outcome) {
        let (client, number) = match query {
            Query::Act(client, number) => (client, number),
            Query::Will(number) => return self.take_answer_about_will(turn, number, &outcome),
        };
        let waits = self.clients.resolve(client).and_then(|client| client.advice.as_ref());
        if !waits.is_some_and(|advice| advice.pending.is_some() && advice.number == number) {
            return;
        }
        let ClientRef { slot, .. } = client;
        self.take_answer(turn, slot, outcome);
        self.settle(turn, slot);
        // Nothing of it was read meanwhile, on whichever connection it is now.
        let waits_on = self.clients.resolve(client).filter(|client| !client.is_asking());
        if let Some(conn) = waits_on.and_then(|client| client.conn) {
            turn.ports.resume(conn);
        }
    }

    fn take_answer(&mut self, turn: &mut Turn<'_>, slot: u32, mut outcome: Outcome) {
        loop {
            let Some(client) = self.clients.get_mut(slot) else { return };
            let Some(advice) = &mut client.advice else { return };
            let Some(mut pending) = advice.pending.take() else { return };
            let (policy, principal) =
                (Arc::clone(&client.door.policy), Arc::clone(&client.principal));
            match &mut pending.action {
                Action::Subscribe(request) => {
                    let item = pending.items.pop_front();
                    let item = item.and_then(|item| request.items.get_mut(item));
                    if let Some(item) = item
                        && let Ok(filter) = &item.filter
                    {
                        let rules = policy.subscribe(&principal, filter, item.options.qos);
                        if let Err(reason) = weigh(rules, &outcome) {
                            item.filter = Err(reason);
                            self.count_refused(slot, 1);
                        }
                    }
                    // Of a connection that is gone the rest need not be asked about.
                    let client = self.clients.get(slot);
                    let awaited = client.is_some_and(|client| client.session.awaits(request));
                    if pending.items.is_empty() || !awaited {
                        if awaited {
                            self.weigh_anew(slot, request);
                        }
                        return self.decided(turn, slot, pending.action, Ok(()));
                    }
                }
                Action::Publish(Publication { message, .. }) => {
                    let Message { topic, qos, retain, .. } = message;
                    let rules = policy.publish(&principal, topic, *qos, *retain);
                    let verdict = weigh(rules, &outcome);
                    // What rules speak of by now is not to be answered out of memory.
                    if rules == Verdict::Later {
                        client.heed(turn.now, &pending, &outcome);
                    }
                    return self.decided(turn, slot, pending.action, verdict);
                }
                Action::Connect(_) | Action::Authenticate(_) => {
                    unreachable!("invariant: nobody is asked about them so")
                }
            }
            let Some(client) = self.clients.get_mut(slot) else { return };
            let Some(advice) = &mut client.advice else { return };
            advice.pending = Some(pending);
            if self.put_question(turn, slot) {
                return;
            }
            outcome = Outcome::Deny(ReasonCode::ServerBusy);
        }
    }

    /// While one filter after the other was asked about, rules may have changed and others may have subscribed: what
    /// was allowed at the beginning has to be allowed still.
    fn weigh_anew(&self, slot: u32, request: &mut SubscribeRequest) {
        let Some(client) = self.clients.get(slot) else { return };
        let mut room = client.room();
        for item in &mut request.items {
            let Ok(filter) = &item.filter else { continue };
            let (policy, principal) = (&client.door.policy, &client.principal);
            if let Verdict::Deny(reason) = policy.subscribe(principal, filter, item.options.qos) {
                item.filter = Err(reason);
                self.count_refused(slot, 1);
            } else if item.is_new && room == 0 {
                item.filter = Err(ReasonCode::QuotaExceeded);
            } else {
                room -= u64::from(item.is_new);
            }
        }
    }

    fn ask_about_will(&mut self, turn: &mut Turn<'_>, slot: u32, publication: Publication) {
        let Some(client) = self.clients.get_mut(slot) else { return };
        let (principal, door) = (Arc::clone(&client.principal), Arc::clone(&client.door));
        // The session need not wait: it may have to end, or somebody comes back to it.
        let (message, packet_id) = (publication.message.clone(), publication.packet_id);
        let action = Action::Publish(Publication { message, packet_id, will: true });
        let decision = Decision { action, verdict: Err(ReasonCode::NotAuthorized) };
        client.session.handle_decision(turn.now, decision, &mut self.outbox);
        self.drain(turn, slot);
        let number = self.wills.next;
        self.wills.next += 1;
        let wanted = wanted(&publication.message);
        let credentials = credentials(&principal, wanted);
        let policy = Arc::clone(&door.policy);
        if self.wills.len() < WILLS_MAX && turn.ports.ask(Query::Will(number), policy, credentials)
        {
            self.wills.waiting.insert(number, Will { publication, principal, door });
        } else {
            let client = principal.client_id.as_str();
            tracing::warn!(client, "Will refused: too many acts are asked about");
            self.count_refused(slot, 1);
        }
    }

    fn take_answer_about_will(&mut self, turn: &mut Turn<'_>, number: u64, outcome: &Outcome) {
        let Some(will) = self.wills.waiting.remove(&number) else { return };
        let Will { mut publication, principal, door } = will;
        let Message { topic, qos, retain, publisher, .. } = &publication.message;
        let rules = door.policy.publish(&principal, topic, *qos, *retain);
        if weigh(rules, outcome).is_err() {
            self.counters().refused.add(1);
            let tenant = principal.tenant.as_ref();
            if let Some(tenant) = tenant.and_then(|name| self.context.tenants.get(name.as_str())) {
                tenant.counters(self.id).refused.add(1);
            }
            return;
        }
        let publisher = self.clients.find(publisher);
        if let Some(tenant) = &principal.tenant {
            publication.message.topic = tenant.topic(&publication.message.topic);
        }
        self.route(turn, publisher, publication);
        self.work_off(turn);
    }
}

impl Pending {
    /// What is asked.
    fn wanted(&self) -> Option<Wanted> {
        match &self.action {
            Action::Publish(publication) => Some(wanted(&publication.message)),
            Action::Subscribe(request) => {
                let item = request.items.get(*self.items.front()?)?;
                let topic = item.filter.as_ref().ok()?.text().clone();
                Some(Wanted { publish: false, topic, qos: item.options.qos, retain: false })
            }
            Action::Connect(_) | Action::Authenticate(_) => None,
        }
    }
}

fn wanted(message: &Message) -> Wanted {
    let topic = message.topic.text().clone();
    Wanted { publish: true, topic, qos: message.qos, retain: message.retain }
}

fn credentials(principal: &Principal, wanted: Wanted) -> Credentials {
    Credentials {
        client_id: principal.client_id.clone(),
        user_name: principal.user_name.clone(),
        password: None,
        peer: principal.peer,
        listener: Arc::clone(&principal.listener),
        tenant: principal.tenant.clone(),
        certificate: None,
        enhanced: None,
        wanted: Some(wanted),
        gate: Gate::default(),
    }
}
