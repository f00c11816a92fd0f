//! A client subscribes.

use plexus_session::Ticket;
use plexus_types::ReasonCode;
use plexus_wire::{SubscribeFilter, SubscriptionOptions};

use super::{Census, Conn, Count, Desk, Metric, Part, Phase};
use crate::{
    engine::conn::Conn as Client,
    pattern::{Filling, RANDOM_MAX},
    plan::{Group, Role, Subscribing},
};

impl Desk {
    /// Asks for as many filters as the window lets, or finds that nothing is left to do; whether the
    /// client acted.
    pub(super) fn subscribe_on(&mut self, conn: &mut Conn) -> bool {
        let groups = std::sync::Arc::clone(&self.groups);
        let group = groups.get(usize::from(conn.group));
        let Some(group) = group else { return false };
        match &group.role {
            Role::Subscribe(subscribing) if subscribing.at_once && !conn.ending => {
                self.ask(conn, group, subscribing)
            }
            Role::Subscribe(_) | Role::Connect | Role::Publish(_) => {
                self.ready(conn);
                false
            }
        }
    }

    /// The same for a client that is ready and subscribes in a step of its own.
    pub(in crate::engine) fn subscribe_apart(&mut self, conn: &mut Conn) -> bool {
        let groups = std::sync::Arc::clone(&self.groups);
        let group = groups.get(usize::from(conn.group));
        match group.map(|group| (group, &group.role)) {
            Some((group, Role::Subscribe(subscribing))) => self.ask(conn, group, subscribing),
            Some((_, Role::Connect | Role::Publish(_))) | None => false,
        }
    }

    fn ask(&mut self, conn: &mut Client, group: &Group, subscribing: &Subscribing) -> bool {
        let client = group.first + u64::from(conn.number);
        let Part::Subscribe(subscriber) = &mut conn.part else { return false };
        if subscriber.answered >= subscribing.each {
            if conn.phase == Phase::Standing {
                self.ready(conn);
            }
            return false;
        }
        let mut acted = false;
        let window = subscribing.window.max(1) as usize;
        while subscriber.asked < subscribing.each && subscriber.pending.len() < window {
            let last = subscriber.asked.saturating_add(subscribing.per_packet.max(1));
            let numbers = subscriber.asked..last.min(subscribing.each);
            let count = numbers.len() as u32;
            let id = conn.client.options().client_id.clone();
            let filter = |message: u32| {
                let random = self.seed.below(RANDOM_MAX) as u64;
                let message = u64::from(message);
                let filling = Filling { client, id: &id, message, random, ..Filling::default() };
                let options = SubscriptionOptions { qos: subscribing.qos, ..Default::default() };
                let text = subscribing.filter(&filling);
                let filter = text.as_str().try_into().ok()?;
                Some(SubscribeFilter { filter, options })
            };
            let filters = numbers.filter_map(filter).collect::<Vec<_>>();
            let Ok(ticket) = conn.client.subscribe(self.now, filters, None) else { break };
            subscriber.asked += count;
            subscriber.pending.push_back((ticket, self.now, count));
            acted = true;
        }
        acted
    }

    fn ready(&mut self, conn: &mut Conn) {
        conn.enter(Phase::Ready, self.now);
        self.begin_stay(conn);
        self.note(conn, Census::Ready);
    }

    pub(super) fn subscribed(&mut self, conn: &mut Conn, ticket: Ticket, reasons: &[ReasonCode]) {
        let Part::Subscribe(subscriber) = &mut conn.part else { return };
        let Some((asked, filters)) = subscriber.settled(ticket) else { return };
        self.moved = self.now;
        let refused = reasons.iter().filter(|reason| reason.is_error());
        for reason in refused.clone() {
            self.shared.note_reason(format!("subscription refused: {reason}"));
        }
        let refused = refused.count() as u64;
        self.counts.add(Count::SubscribeRefused, refused);
        self.counts.add(Count::Subscribed, u64::from(filters).saturating_sub(refused));
        self.record(Metric::Subscribe, asked, self.now.saturating_since(asked));
    }
}
