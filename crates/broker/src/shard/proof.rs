//! Who somebody is: what a client shows at CONNECT, or again later, is checked elsewhere, and the
//! outcome comes back here.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use plexus_access::{
    Credentials, Enhanced, Exchange, Gate, Notice, Outcome, Policy, Principal, Rights, Verdict,
    Visitor,
};
use plexus_porch::{Fences, Who};
use plexus_session::{Action, Decision};
use plexus_types::{Instant, ReasonCode};
use plexus_wire::Auth;

use super::{Occupant, Shard};
use crate::ports::{ConnId, Ticket, Turn};

/// How long a newcomer may take from its first AUTH to the end of the exchange.
const EXCHANGE_TIME: Duration = Duration::from_secs(10);

/// A client that authenticates itself anew.
#[derive(Debug)]
pub(super) struct Renewal {
    serial: u32,
    /// The question that is asked.
    asked: Option<Action>,
    exchange: Option<Exchange>,
}

/// The session's answer to an outcome, apart from what it gives.
struct Answer {
    decision: Decision,
    exchange: Option<Exchange>,
    /// Whether the client is let in, and what was found out about it.
    is_let_in: bool,
    rights: Option<Arc<Rights>>,
}

impl Answer {
    fn of(action: Action, outcome: Outcome) -> Self {
        match outcome {
            Outcome::Allow(rights, data) => {
                let action = with_data(action, data);
                let rights = (!rights.is_empty()).then(|| Arc::from(rights));
                let decision = Decision { action, verdict: Ok(()) };
                Self { decision, exchange: None, is_let_in: true, rights }
            }
            Outcome::Continue(data, exchange) => {
                let verdict = Err(ReasonCode::ContinueAuthentication);
                let decision = Decision { action: next_step(action, data), verdict };
                Self { decision, exchange: Some(exchange), is_let_in: false, rights: None }
            }
            Outcome::Deny(reason) => {
                let decision = Decision { action, verdict: Err(reason) };
                Self { decision, exchange: None, is_let_in: false, rights: None }
            }
        }
    }
}

/// What the server says last goes with its CONNACK or AUTH.
fn with_data(action: Action, data: Option<Bytes>) -> Action {
    match action {
        Action::Authenticate(mut auth) => {
            auth.authentication_data = data;
            Action::Authenticate(auth)
        }
        other => other,
    }
}

/// The AUTH with which the server goes on, of the same method ([MQTT-4.12.0-5]).
fn next_step(action: Action, data: Bytes) -> Action {
    let method = match action {
        Action::Connect(asked) => asked.authentication_method,
        Action::Authenticate(auth) => auth.authentication_method,
        other => return other,
    };
    Action::Authenticate(Box::new(Auth {
        reason: ReasonCode::ContinueAuthentication,
        authentication_method: method,
        authentication_data: Some(data),
        reason_string: None,
        user_properties: plexus_wire::UserProperties::default(),
    }))
}

impl Shard {
    /// Asks who the newcomer is.
    pub(super) fn authenticate(&mut self, turn: &mut Turn<'_>, conn: ConnId, action: Action) {
        let Occupant::Newcomer(newcomer) = self.occupants.get(conn) else { return };
        let credentials = match &action {
            Action::Connect(asked) => {
                let data = asked.authentication_data.clone().unwrap_or_default();
                let enhanced = asked.authentication_method.clone();
                let enhanced = enhanced.map(|method| Enhanced { method, data, exchange: None });
                newcomer.credentials(asked.password.clone(), enhanced)
            }
            Action::Authenticate(auth) => {
                let enhanced = step(auth, newcomer.exchange.take());
                newcomer.credentials(None, enhanced)
            }
            Action::Publish(_) | Action::Subscribe(_) => {
                unreachable!("invariant: nobody publishes before he is known")
            }
        };
        let ticket = Ticket { conn, serial: newcomer.serial };
        let policy = Arc::clone(&newcomer.door.policy);
        let Some(outcome) = ask(turn, ticket, policy, credentials) else {
            newcomer.asked = Some(action);
            return;
        };
        // Who was let in at once has proved nothing.
        if matches!(outcome, Outcome::Deny(_)) {
            self.context.fences.note_outcome(turn.now, newcomer.who(), &outcome);
        }
        self.answer_newcomer(turn, conn, action, outcome);
    }

    fn answer_newcomer(
        &mut self,
        turn: &mut Turn<'_>,
        conn: ConnId,
        action: Action,
        outcome: Outcome,
    ) {
        let Occupant::Newcomer(newcomer) = self.occupants.get(conn) else { return };
        let outcome = fenced(&self.context.fences, turn.now, newcomer.who(), outcome);
        let Answer { decision, exchange, rights, .. } = Answer::of(action, outcome);
        let goes_on = exchange.is_some();
        newcomer.exchange = exchange;
        newcomer.rights = rights;
        let begins = goes_on && !std::mem::replace(&mut newcomer.in_exchange, goes_on);
        let serial = newcomer.serial;
        newcomer.connecting.handle_decision(turn.now, decision, &mut self.outbox);
        if begins {
            // Ascending: the time that is given is always the same.
            self.exchanges.push_back((turn.now + EXCHANGE_TIME, Ticket { conn, serial }));
        }
        if goes_on {
            turn.ports.resume(conn);
        }
    }

    /// What was found out about a client is here.
    pub fn handle_verified(&mut self, turn: &mut Turn<'_>, ticket: Ticket, outcome: Outcome) {
        let Ticket { conn, serial } = ticket;
        match self.occupants.get(conn) {
            Occupant::Newcomer(newcomer) if newcomer.serial == serial => {
                let Some(action) = newcomer.asked.take() else { return };
                self.answer_newcomer(turn, conn, action, outcome);
                self.settle_newcomer(turn, conn);
            }
            Occupant::Client(slot) => {
                let slot = *slot;
                let Some(renewal) = self.renewals.get_mut(&conn) else { return };
                if renewal.serial != serial {
                    return;
                }
                let Some(action) = renewal.asked.take() else { return };
                self.renew(turn, slot, action, outcome);
                self.settle(turn, slot);
                // Nothing of it was read meanwhile.
                turn.ports.resume(conn);
            }
            Occupant::Newcomer(_) | Occupant::Nobody => {}
        }
    }

    /// A client that is connected authenticates itself anew (section 4.12.1).
    pub(super) fn reauthenticate(&mut self, turn: &mut Turn<'_>, slot: u32, auth: Box<Auth>) {
        let Some(client) = self.clients.get(slot) else { return };
        let Some(conn) = client.conn else { return };
        self.newcomers = self.newcomers.wrapping_add(1);
        let serial = self.newcomers;
        let renewal =
            self.renewals.entry(conn).or_insert(Renewal { serial, asked: None, exchange: None });
        renewal.serial = serial;
        let principal = &client.principal;
        let credentials = Credentials {
            client_id: principal.client_id.clone(),
            user_name: principal.user_name.clone(),
            password: None,
            peer: principal.peer,
            listener: Arc::clone(&principal.listener),
            tenant: principal.tenant.clone(),
            certificate: None,
            enhanced: step(&auth, renewal.exchange.take()),
            wanted: None,
            gate: Gate::default(),
        };
        let action = Action::Authenticate(auth);
        let ticket = Ticket { conn, serial };
        let policy = Arc::clone(&client.door.policy);
        match ask(turn, ticket, policy, credentials) {
            None => renewal.asked = Some(action),
            Some(outcome) => self.renew(turn, slot, action, outcome),
        }
    }

    fn renew(&mut self, turn: &mut Turn<'_>, slot: u32, action: Action, outcome: Outcome) {
        let Some(client) = self.clients.get_mut(slot) else { return };
        let Some(conn) = client.conn else { return };
        let Answer { mut decision, exchange, is_let_in, rights } = Answer::of(action, outcome);
        match exchange {
            exchange @ Some(_) => {
                if let Some(renewal) = self.renewals.get_mut(&conn) {
                    renewal.exchange = exchange;
                }
            }
            None => drop(self.renewals.remove(&conn)),
        }
        if is_let_in {
            let proved = rights.as_ref().and_then(|rights| rights.user_name.as_ref());
            let tenant = rights.as_ref().and_then(|rights| rights.tenant.as_ref());
            if proved.is_some_and(|proved| client.principal.user_name.as_ref() != Some(proved))
                || tenant.is_some_and(|tenant| client.principal.tenant.as_ref() != Some(tenant))
            {
                // Its session, and what waits in it, is the other user's.
                decision.verdict = Err(ReasonCode::NotAuthorized);
            } else {
                client.session.set_authorization(rights.as_ref().and_then(|it| it.expires));
                let principal = Principal { rights, ..Principal::clone(&client.principal) };
                let door = Arc::clone(&client.door);
                client.act_as(self.context.seed, Arc::new(principal), door);
                // It may have fewer rights than before.
                self.review.push_back(slot);
            }
        }
        let visitor = Visitor::from(&*client.principal);
        match &decision.verdict {
            Ok(()) => client.door.policy.note(visitor, Notice::Renewed),
            // Nothing is known yet.
            Err(ReasonCode::ContinueAuthentication) => {}
            Err(reason) => client.door.policy.note(visitor, Notice::NotRenewed(reason)),
        }
        client.session.handle_decision(turn.now, decision, &mut self.outbox);
    }

    /// What a connection is doing about a renewal; seldom any does.
    pub(super) fn take_renewal(&mut self, conn: ConnId) -> Option<Renewal> {
        if self.renewals.is_empty() { None } else { self.renewals.remove(&conn) }
    }

    /// The connection that authenticated itself anew is gone: its session, which is detached, waits for a
    /// decision that would never come.
    pub(super) fn give_up(&mut self, now: Instant, slot: u32, renewal: Option<Renewal>) {
        let Some(action) = renewal.and_then(|renewal| renewal.asked) else { return };
        let Some(client) = self.clients.get_mut(slot) else { return };
        let decision = Decision { action, verdict: Err(ReasonCode::NotAuthorized) };
        client.session.handle_decision(now, decision, &mut self.outbox);
    }

    /// Ends newcomers that began an exchange and do not go on with it.
    pub(super) fn end_exchanges(&mut self, turn: &mut Turn<'_>) {
        while let Some((due, Ticket { conn, serial })) = self.exchanges.front().copied()
            && due <= turn.now
        {
            self.exchanges.pop_front();
            if let Occupant::Newcomer(newcomer) = self.occupants.get(conn)
                && newcomer.serial == serial
            {
                newcomer.connecting.refuse(ReasonCode::NotAuthorized, None, &mut self.outbox);
                self.settle_newcomer(turn, conn);
            }
        }
    }

    /// When the first of them is due.
    pub(super) fn next_exchange(&self) -> Option<Instant> {
        self.exchanges.front().map(|(due, _)| *due)
    }
}

fn step(auth: &Auth, exchange: Option<Exchange>) -> Option<Enhanced> {
    let method = auth.authentication_method.clone()?;
    let data = auth.authentication_data.clone().unwrap_or_default();
    Some(Enhanced { method, data, exchange })
}

/// The outcome, if no fence has come up meanwhile: also about the name that was proved.
fn fenced(fences: &Fences, now: Instant, who: Who<'_>, outcome: Outcome) -> Outcome {
    let Outcome::Allow(rights, data) = outcome else { return outcome };
    let user = rights.user_name.as_deref().or(who.user);
    let tenant = rights.tenant.as_ref().or(who.tenant);
    match fences.judge(now, Who { user, tenant, ..who }, Ok(())) {
        Ok(()) => Outcome::Allow(rights, data),
        Err(reason) => Outcome::Deny(reason),
    }
}

/// The outcome, if it is known at once.
fn ask(
    turn: &mut Turn<'_>,
    ticket: Ticket,
    policy: Arc<dyn Policy>,
    credentials: Credentials,
) -> Option<Outcome> {
    match policy.authenticate(&credentials) {
        Verdict::Allow => Some(Outcome::allow()),
        Verdict::Deny(reason) => Some(Outcome::Deny(reason)),
        Verdict::Later if turn.ports.verify(ticket, policy, credentials) => None,
        Verdict::Later => Some(Outcome::Deny(ReasonCode::ServerBusy)),
    }
}
