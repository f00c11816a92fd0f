//! Subscriptions that are not allowed any more: of a session that comes back, and of everybody when the
//! rules change. What is published is asked for message by message and needs no review.

use plexus_types::ReasonCode;

use super::Shard;
use crate::ports::Turn;

/// Clients that one turn looks at.
const CLIENTS_A_TURN: usize = 64;

impl Shard {
    /// The rules have changed: everybody's subscriptions are looked at, some of them each turn.
    pub(crate) fn handle_review(&mut self) {
        self.review = self.clients.slots().into();
    }

    pub(super) fn review_some(&mut self, turn: &mut Turn<'_>) {
        for _ in 0..CLIENTS_A_TURN {
            if self.is_turn_long() {
                return;
            }
            let Some(slot) = self.review.pop_front() else { return };
            if !self.review_subscriptions(turn, slot) {
                continue;
            }
            // MQTT knows no UNSUBSCRIBE by the server. Who subscribes again is told which filter it is.
            let Some(client) = self.clients.get_mut(slot) else { continue };
            if client.conn.is_some() {
                let (now, reason) = (turn.now, ReasonCode::NotAuthorized);
                client.session.disconnect(now, reason, None, &mut self.outbox);
                self.settle(turn, slot);
            }
        }
    }

    /// Ends what of the client's subscriptions is not allowed; whether there was anything.
    pub(super) fn review_subscriptions(&mut self, turn: &mut Turn<'_>, slot: u32) -> bool {
        let Some(client) = self.clients.get(slot) else { return false };
        let (policy, principal) = (&client.door.policy, &client.principal);
        let subscriptions = client.session.subscriptions();
        let denied = subscriptions.filter(|(filter, options, _)| {
            policy.subscribe(principal, filter, options.qos).is_err()
        });
        let denied: Vec<_> = denied.map(|(filter, ..)| filter).collect();
        for filter in &denied {
            let Some(client) = self.clients.get_mut(slot) else { break };
            tracing::info!(client = %client.principal.client_id, %filter, "subscription revoked");
            client.session.revoke(turn.now, filter, &mut self.outbox);
            self.take_out_filter(turn, slot, filter);
            self.settle(turn, slot);
        }
        !denied.is_empty()
    }
}
