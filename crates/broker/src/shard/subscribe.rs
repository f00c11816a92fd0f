//! Subscriptions into and out of the index. SUBACK leaves when every shard knows that this one is
//! interested: who publishes after it has seen the SUBACK of another is heard by that other, on
//! whichever shards they live.

use std::{num::NonZeroU32, sync::Arc};

use plexus_session::{SubscribeItem, SubscribeRequest, UnsubscribeRequest};
use plexus_topics::{InterestDelta, Member, MemberOptions, Options, SubscriberId, Subscription};
use plexus_types::TopicFilter;
use plexus_wire::{RetainHandling, SubscriptionOptions};

use super::{
    Shard,
    clients::Shares,
    peers::{Answer, Suback},
    replay::Replay,
};
use crate::{
    envelope::{ClientRef, Envelope, Join},
    ports::Turn,
};

impl Shard {
    pub(super) fn subscribe(
        &mut self,
        turn: &mut Turn<'_>,
        slot: u32,
        request: Box<SubscribeRequest>,
    ) {
        let Some(client) = self.clients.reference(slot) else { return };
        let conn = self.clients.get(slot).and_then(|client| client.conn);
        let mut joins = Vec::new();
        for item in &request.items {
            let Ok(filter) = &item.filter else { continue };
            let filter = self.placed(slot, filter);
            if filter.shared().is_some() {
                let options = member_options(item.options, request.subscription_id);
                joins.push((filter, options));
            } else {
                let subscription = subscription(slot, item.options, request.subscription_id);
                self.enter(turn, &filter, subscription);
            }
        }
        if self.is_watched() {
            self.show_subscribed(turn.now, slot, &request);
        }
        let replays = self.expect_replays(slot, &request);
        let suback = Answer::Suback(Suback { client, conn, request, replays });
        let ticket = self.awaiting.open(suback, joins.len());
        for membership in joins {
            self.join(turn, slot, ticket, membership);
        }
        self.finish_ready(turn);
    }

    /// The client's filter as one of its tenant.
    fn placed(&self, slot: u32, filter: &TopicFilter) -> TopicFilter {
        let client = self.clients.get(slot);
        let tenant = client.and_then(|client| client.principal.tenant.as_ref());
        tenant.map_or_else(|| filter.clone(), |tenant| tenant.filter(filter))
    }

    fn enter(&mut self, turn: &mut Turn<'_>, filter: &TopicFilter, subscription: Subscription) {
        let SubscriberId(slot) = subscription.subscriber;
        let (is_new, delta) = self.put_in_index(filter, subscription);
        if is_new && let Some(client) = self.clients.get_mut(slot) {
            client.note_subscribed(self.id);
        }
        self.count_subscriptions();
        if let Some(delta) = delta {
            self.announce(turn, delta);
        }
    }

    /// Whether the subscription is new, and what the other shards have to hear.
    pub(super) fn put_in_index(
        &mut self,
        filter: &TopicFilter,
        subscription: Subscription,
    ) -> (bool, Option<InterestDelta>) {
        let filter = filter.matched();
        match self.index.insert(filter, subscription) {
            Some(_) => (false, None),
            None => (true, self.interest.add_local(filter)),
        }
    }

    pub(super) fn join(
        &mut self,
        turn: &mut Turn<'_>,
        slot: u32,
        ticket: u32,
        (filter, options): (TopicFilter, MemberOptions),
    ) {
        let owner = self.owner_of_group(&filter);
        let Some(client) = self.clients.get_mut(slot) else { return };
        let availability = super::groups::availability(&client.session);
        let shares = client.shares.get_or_insert_with(Box::<Shares>::default);
        shares.told = availability;
        shares.owners |= 1 << owner;
        if shares.filters.insert(filter.as_str().into()) {
            client.note_subscribed(self.id);
        }
        let member = Member { shard: self.id, subscriber: SubscriberId(slot) };
        let join = Join { filter, member, options, availability, ticket };
        self.forward(turn, owner, Envelope::Join(Box::new(join)));
    }

    pub(super) fn unsubscribe(
        &mut self,
        turn: &mut Turn<'_>,
        slot: u32,
        request: Box<UnsubscribeRequest>,
    ) {
        for filter in &request.filters {
            self.take_out_filter(turn, slot, filter);
        }
        if self.is_watched() {
            self.show_unsubscribed(turn.now, slot, &request.filters);
        }
        let Some(client) = self.clients.get_mut(slot) else { return };
        client.session.handle_unsubscribed(turn.now, request, &mut self.outbox);
        self.drain(turn, slot);
    }

    /// Takes one subscription of a client out of the index or out of its group.
    pub(super) fn take_out_filter(&mut self, turn: &mut Turn<'_>, slot: u32, filter: &TopicFilter) {
        let (subscriber, filter) = (SubscriberId(slot), &self.placed(slot, filter));
        self.stop_replays_of(turn, slot, filter);
        if filter.shared().is_some() {
            if let Some(client) = self.clients.get_mut(slot)
                && let Some(shares) = &mut client.shares
            {
                let was_there = shares.filters.remove(filter.as_str());
                if shares.filters.is_empty() {
                    client.shares = None;
                }
                if was_there {
                    client.note_unsubscribed(self.id);
                }
            }
            let owner = self.owner_of_group(filter);
            self.forward(turn, owner, Envelope::Leave(filter.clone(), subscriber));
            return;
        }
        if self.index.remove(filter.matched(), subscriber).is_none() {
            return;
        }
        if let Some(client) = self.clients.get_mut(slot) {
            client.note_unsubscribed(self.id);
        }
        self.count_subscriptions();
        if let Some(delta) = self.interest.remove_local(filter.matched()) {
            self.announce(turn, delta);
        }
    }

    /// The subscriptions stand: SUBACK, then the retained messages.
    pub(super) fn finish_subscribe(&mut self, turn: &mut Turn<'_>, suback: Suback) {
        let Suback { client: reference, conn, request, replays } = suback;
        let Some(client) = self.clients.resolve(reference) else { return };
        if client.conn != conn {
            // The SUBSCRIBE belongs to a connection that is gone; the subscription stays.
            if replays.is_some() {
                self.start_replays(turn, reference, Vec::new());
            }
            return;
        }
        let begun = replays.map(|first| self.replays_of(reference, &request, first));
        let Some(client) = self.clients.resolve(reference) else { return };
        client.session.handle_subscribed(turn.now, request, &mut self.outbox);
        self.drain(turn, reference.slot);
        if let Some(begun) = begun {
            self.start_replays(turn, reference, begun);
        }
        self.arm(reference.slot);
    }

    fn replays_of(
        &mut self,
        client: ClientRef,
        request: &SubscribeRequest,
        first: u64,
    ) -> Vec<Replay> {
        let heard = self.heard();
        let Some(client) = self.clients.resolve(client) else { return Vec::new() };
        let tenant = client.principal.tenant.as_ref();
        let wanted = request.items.iter().zip(first..).filter(|(item, _)| wants_retained(item));
        let begun = wanted.filter_map(|(item, number)| {
            let filter = item.filter.as_ref().ok()?.clone();
            // It may have been taken back while the others were told.
            let stands = client.session.is_subscribed(&filter);
            let filter = tenant.map_or_else(|| filter.clone(), |tenant| tenant.filter(&filter));
            let delivery = (item.options.qos, request.subscription_id);
            stands.then(|| Replay::new(number, filter, delivery, Arc::clone(&heard)))
        });
        begun.collect()
    }

    pub(super) fn count_subscriptions(&self) {
        let shared = self.groups.members();
        self.counters().subscriptions.set((self.index.subscriptions() + shared) as u64);
    }
}

/// Section 3.8.3.1: [MQTT-3.3.1-9] to [MQTT-3.3.1-11], [MQTT-3.8.4-4]; none for shared ones.
pub(super) fn wants_retained(item: &SubscribeItem) -> bool {
    let Ok(filter) = &item.filter else { return false };
    let handling = match item.options.retain_handling {
        RetainHandling::Always => true,
        RetainHandling::IfNew => item.is_new,
        RetainHandling::Never => false,
    };
    handling && filter.shared().is_none()
}

pub(super) fn subscription(slot: u32, asked: SubscriptionOptions, id: Option<u32>) -> Subscription {
    Subscription {
        subscriber: SubscriberId(slot),
        id: id.and_then(NonZeroU32::new),
        options: Options::new(asked.qos, asked.no_local, asked.retain_as_published),
    }
}

pub(super) fn member_options(asked: SubscriptionOptions, id: Option<u32>) -> MemberOptions {
    MemberOptions {
        qos: asked.qos,
        id: id.and_then(NonZeroU32::new),
        retain_as_published: asked.retain_as_published,
    }
}
