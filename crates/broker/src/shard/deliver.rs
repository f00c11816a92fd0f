//! From the matches of a message to the sessions of this shard.

use std::{sync::Arc, time::Duration};

use plexus_session::{Delivery, Output, Taken};
use plexus_topics::SubscriberId;
use plexus_types::{Message, Qos};

use super::Shard;
use crate::ports::Turn;

impl Shard {
    /// Delivers to each client of this shard that the current matches name, once
    /// ([MQTT-3.3.4-2]), under the topic that the filters matched ([MQTT-3.3.2-3],
    /// [MQTT3-3.3.2-3]): with the highest quality of service and all Subscription Identifiers of
    /// its matching subscriptions. Says whether it reached nobody because of what waits in the node.
    pub(super) fn deliver_matches(
        &mut self,
        turn: &mut Turn<'_>,
        publisher: Option<u32>,
        message: &Arc<Message>,
    ) -> bool {
        let mut matches = std::mem::take(&mut self.matches);
        // Sessions know of what they had of earlier starts only.
        let is_old = message.id < self.log.first_message;
        let (mut asked, mut without_room) = (0, 0);
        for target in matches.deliveries(publisher.map(SubscriberId)) {
            let SubscriberId(slot) = target.subscriber;
            let delivery = Delivery {
                message,
                // [MQTT-3.8.4-8], [MQTT3-3.8.4-6]
                qos: message.qos.min(target.qos),
                retain: message.retain && target.retain_as_published,
                subscription_ids: target.ids,
                shared: None,
            };
            if message.retain
                && let Some(client) = self.clients.get_mut(slot)
                && let Some(replays) = &mut client.replays
            {
                replays.supersede(&message.topic);
            }
            asked += 1;
            if is_old {
                let seen = self.clients.get(slot).and_then(|client| client.seen.as_ref());
                if seen.is_some_and(|seen| seen.has(message.id)) {
                    continue;
                }
            }
            match self.deliver(turn, slot, delivery) {
                Taken::NoRoom => without_room += 1,
                Taken::Withheld => asked -= 1,
                Taken::Sent | Taken::Queued | Taken::Refused => {}
            }
        }
        self.matches = matches;
        asked > 0 && asked == without_room
    }

    /// So many were delivered in a turn that took so long.
    pub(crate) fn note_delivered(&self, took: Duration, count: u64) {
        if let Some(delivery) = self.context.timings.delivery.get(usize::from(self.id)) {
            delivery.add_time(took, count);
        }
    }

    /// Delivers to one client and carries out what its session says to it.
    pub(super) fn deliver(
        &mut self,
        turn: &mut Turn<'_>,
        slot: u32,
        delivery: Delivery<'_>,
    ) -> Taken {
        if delivery.qos == Qos::ExactlyOnce
            && !delivery.message.durability.is_kept()
            && self.clients.get(slot).is_some_and(|client| client.session.is_durable())
            && self.context.log.takes_nothing_new()
        {
            // Its identifier would have to be recorded, and its publisher has been told nothing.
            self.counters().dropped_store_full.add(1);
            return Taken::Refused;
        }
        let (qos, message, is_shared) = (delivery.qos, delivery.message, delivery.shared.is_some());
        self.make_room(turn.now, message.size());
        let Some(client) = self.clients.get_mut(slot) else { return Taken::Refused };
        let taken = client.session.handle_delivery(turn.now, delivery, &mut self.outbox);
        if taken == Taken::Queued
            && let Some(queue) = self.context.timings.queue.get(usize::from(self.id))
        {
            queue.add(client.session.queued().0 as u64, 1);
        }
        if taken == Taken::Withheld {
            // Another member of a group may have it.
            if !is_shared {
                self.counters().withheld.add(1);
                self.count_for_tenant(slot, |counters| counters.withheld.add(1));
            }
            return taken;
        }
        // The common case of a delivery is one PUBLISH to write; anything else goes the long way.
        match (self.outbox.poll(), client.conn) {
            (Some(Output::Deliver(outgoing)), Some(conn)) => {
                turn.ports.deliver(conn, &outgoing, client.session.version());
                let limit = self.context.options.write_buffer_max;
                if let Some(tenant) = &client.tenant {
                    tenant.counters(self.id).messages_sent.add(1);
                }
                let plain = client.shares.is_none() && turn.ports.backlog(conn) <= limit;
                self.counters().messages_sent.add(1);
                if self.is_watched() {
                    self.show_delivered(turn.now, slot, &outgoing.message, outgoing.qos);
                }
                if plain && !self.outbox.has_more() {
                    return taken;
                }
                self.drain(turn, slot);
            }
            (Some(output), _) => {
                self.outbox.unpoll(output);
                self.drain(turn, slot);
                self.crowd_in(turn, slot, qos, message);
            }
            // It waits in the queue, which may be full now.
            (None, _) => {
                self.tell_owners(turn, slot);
                self.crowd_in(turn, slot, qos, message);
            }
        }
        self.arm(slot);
        taken
    }
}
