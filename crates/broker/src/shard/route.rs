//! The publish path: retain, find who wants it, deliver here, hand on to the shards that may have
//! subscribers, answer the publisher.

use std::sync::Arc;

use plexus_session::{LogPosition, Publication, Routed};
use plexus_topics::SubscriberId;
use plexus_types::{Message, Qos, ReasonCode};

use super::Shard;
use crate::{envelope::Envelope, ports::Turn};

/// Above so many receivers a message is given its own bytes without looking at each of them.
const FEW_RECEIVERS: usize = 4;

impl Shard {
    /// Routes a message that has passed the door.
    pub(super) fn route(
        &mut self,
        turn: &mut Turn<'_>,
        publisher: Option<u32>,
        publication: Publication,
    ) {
        let Publication { message, packet_id, .. } = publication;
        let reason = self.publish(turn, publisher, message);
        let (Some(slot), Some(packet_id)) = (publisher, packet_id) else { return };
        let Some(client) = self.clients.get_mut(slot) else { return };
        // Nothing of this message is on a disk: the acknowledgement may leave at once.
        let routed = Routed { packet_id, reason, after: LogPosition::ZERO };
        client.session.handle_routed(turn.now, routed, &mut self.outbox);
        self.drain(turn, slot);
    }

    /// Delivers a message to everybody who wants it and says whether there was anybody.
    pub(super) fn publish(
        &mut self,
        turn: &mut Turn<'_>,
        publisher: Option<u32>,
        message: Message,
    ) -> ReasonCode {
        let shards = self.interest.shards(&message.topic);
        let own = 1_u64 << self.id;
        let others = shards & !own;
        self.matches.clear();
        self.group_ids.clear();
        if shards & own != 0 {
            self.index.matches(&message.topic, &mut self.matches);
            self.groups.matches(&message.topic, &mut self.group_ids);
        }
        let nobody = others == 0 && self.matches.is_empty() && self.group_ids.is_empty();
        if nobody {
            self.counters().messages_unmatched.add(u64::from(publisher.is_some()));
            if !message.retain {
                return ReasonCode::NoMatchingSubscribers;
            }
        }
        let kept = message.retain || others != 0 || self.is_kept();
        // What is kept beyond this turn must not keep the read buffer alive that it was cut from.
        let message = Arc::new(if kept { message.detached() } else { message });
        if message.retain && self.may_retain(&message) {
            let owner = self.context.shard_of(&message.topic);
            self.forward(turn, owner, Envelope::Retain(Arc::clone(&message)));
        }
        self.deliver_matches(turn, publisher, &message);
        self.assign_groups(turn, &message);
        for shard in bits(others) {
            for _ in 0..self.copies(shard, &message) {
                self.forward(turn, shard, Envelope::Publish(Arc::clone(&message)));
            }
        }
        if nobody { ReasonCode::NoMatchingSubscribers } else { ReasonCode::Success }
    }

    /// A message of another shard's publisher.
    pub(super) fn take_publish(&mut self, turn: &mut Turn<'_>, message: &Arc<Message>) {
        self.matches.clear();
        self.group_ids.clear();
        self.index.matches(&message.topic, &mut self.matches);
        self.groups.matches(&message.topic, &mut self.group_ids);
        self.deliver_matches(turn, None, message);
        self.assign_groups(turn, message);
    }

    /// Whether any receiver of the current matches holds the message for longer than this turn.
    fn is_kept(&mut self) -> bool {
        if !self.group_ids.is_empty() || self.matches.len() > FEW_RECEIVERS {
            return true;
        }
        let clients = &self.clients;
        self.matches.subscriptions().any(|subscription| {
            let SubscriberId(slot) = subscription.subscriber;
            subscription.options.qos() != Qos::AtMostOnce
                || clients.get(slot).is_none_or(|client| {
                    client.congested || client.conn.is_none() || client.session.queued().0 > 0
                })
        })
    }

    #[cfg(feature = "canary")]
    fn copies(&self, shard: u16, message: &Message) -> usize {
        self.context.canary.copies(shard, self.context.options.shards, message)
    }

    /// How often another shard gets the message.
    #[cfg(not(feature = "canary"))]
    #[expect(clippy::unused_self, reason = "asks the planted bug where there is one")]
    const fn copies(&self, _: u16, _: &Message) -> usize {
        1
    }

    fn may_retain(&self, message: &Message) -> bool {
        let fits = message.size() <= self.context.options.retained.message_size_max;
        if !fits {
            self.counters().dropped_retained_limit.add(1);
        }
        fits
    }
}

/// The numbers of the bits that are set.
pub(super) fn bits(mut set: u64) -> impl Iterator<Item = u16> {
    std::iter::from_fn(move || {
        if set == 0 {
            return None;
        }
        let bit = set.trailing_zeros() as u16;
        set &= set - 1;
        Some(bit)
    })
}
