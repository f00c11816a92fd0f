//! Sessions with subscriptions that are not allowed any more: of a client that comes back, and of
//! everybody when the rules change; and connections of who is banned by then. What is published is asked for
//! message by message and needs no review.
//!
//! Such a session ends, with all that waits in it: part of that came by a subscription that is not allowed,
//! and MQTT knows no UNSUBSCRIBE by the server. Its client begins anew and is told which filter it is. Where
//! each delivery is asked about, nothing has to end.

use std::sync::Arc;

use plexus_access::{Notice, Policy, Principal, Visitor};
use plexus_fences::Bans;
use plexus_porch::{Who, is_banned};
use plexus_types::{ReasonCode, TenantName};

use super::Shard;
use crate::ports::Turn;

/// Subscriptions that one turn asks about, those of one client in any case.
const FILTERS_A_TURN: usize = 4_096;
/// Why such a session ends.
const NOT_ALLOWED: &str = "one of its subscriptions is not allowed any more";

impl Shard {
    /// The rules have changed: everybody's subscriptions are looked at, some of them each turn.
    pub(crate) fn handle_review(&mut self) {
        self.review = self.clients.slots().into();
    }

    pub(super) fn review_some(&mut self, turn: &mut Turn<'_>) {
        if self.review.is_empty() {
            return; // Nearly always.
        }
        let mut asked = 0;
        let bans = self.context.fences.bans();
        while asked < FILTERS_A_TURN {
            let Some(slot) = self.review.pop_front() else { return };
            let Some(client) = self.clients.get(slot) else { continue };
            asked += 1 + client.session.subscription_count();
            self.disconnect_banned(turn, slot, &bans);
            let Some(client) = self.clients.get(slot) else { continue };
            // Where it came from may be what allows it: it is asked when it comes back.
            if client.principal.is_unplaced {
                continue;
            }
            let (policy, principal) =
                (Arc::clone(&client.door.policy), Arc::clone(&client.principal));
            if self.keeps_rights(slot, &*policy, &principal) {
                continue;
            }
            let Some(client) = self.clients.get_mut(slot) else { continue };
            if client.conn.is_some() {
                let (now, reason) = (turn.now, ReasonCode::NotAuthorized);
                client.session.disconnect(now, reason, None, &mut self.outbox);
                self.settle(turn, slot);
            }
            self.end_session(turn, slot, NOT_ALLOWED);
        }
    }

    /// Ends the connection of a client that is banned by now. Its session stays: a ban may end.
    fn disconnect_banned(&mut self, turn: &mut Turn<'_>, slot: u32, bans: &Bans) {
        let Some(client) = self.clients.get_mut(slot).filter(|client| client.conn.is_some()) else {
            return;
        };
        let Principal { client_id, user_name, peer, tenant, .. } = &*client.principal;
        let (client_id, user, peer) = (client_id.as_str(), user_name.as_deref(), *peer);
        let who = Who { client: client_id, user, peer, tenant: tenant.as_ref() };
        if is_banned(bans, turn.now, who) {
            client.session.disconnect(turn.now, ReasonCode::Banned, None, &mut self.outbox);
            self.settle(turn, slot);
        }
    }

    /// A client comes back, perhaps from another place or with other rights: what it may not have any more
    /// does not wait for it.
    pub(super) fn review_return(
        &mut self,
        turn: &mut Turn<'_>,
        slot: u32,
        policy: &dyn Policy,
        principal: &Principal,
    ) {
        if !self.keeps_rights(slot, policy, principal) {
            self.end_session(turn, slot, NOT_ALLOWED);
        }
    }

    /// Whether the client may have all that it is subscribed to.
    fn keeps_rights(&self, slot: u32, policy: &dyn Policy, principal: &Principal) -> bool {
        if policy.filters_deliveries(principal) {
            return true; // Whatever is left of its subscriptions, it gets nothing else.
        }
        let Some(client) = self.clients.get(slot) else { return true };
        let denied = client.session.subscriptions().find_map(|(filter, options, _)| {
            let verdict = policy.subscribe(principal, &filter, options.qos);
            // Of what the rules say nothing about, somebody was asked.
            verdict.refused().map(|_| filter)
        });
        if let Some(filter) = &denied {
            let (client, filter) = (principal.client_id.as_str(), filter.as_str());
            let tenant = principal.tenant.as_ref().map(TenantName::as_str);
            tracing::info!(client, tenant, filter, "session ended: this is not allowed any more");
        }
        denied.is_none()
    }

    pub(super) fn end_session(&mut self, turn: &mut Turn<'_>, slot: u32, why: &'static str) {
        if let Some(client) = self.clients.get_mut(slot) {
            let visitor = Visitor::from(&*client.principal);
            client.door.policy.note(visitor, Notice::SessionEnded(&why));
            client.session.end(turn.now, &mut self.outbox);
            self.settle(turn, slot);
        }
    }
}
