//! The publish path: retain, find who wants it, deliver here, hand on to the shards that may have
//! subscribers, answer the publisher.

use std::sync::Arc;

use plexus_session::{LogPosition, Publication, Routed};
use plexus_store::Group;
use plexus_topics::SubscriberId;
use plexus_types::{Message, MessageId, PacketId, Qos, ReasonCode};

use super::{Opened, Shard, log::is_recorded};
use crate::{envelope::Envelope, ports::Turn};
use plexus_records::Audience;

/// What a publisher hears when the log cannot be written, or when the node has no room for what would
/// have to wait.
pub(super) const NOT_KEPT: ReasonCode = ReasonCode::QuotaExceeded;
/// Above so many receivers a message is given its own bytes without looking at each of them.
const FEW_RECEIVERS: usize = 4;

/// How a message has come.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// As what it is recorded while it is on its way to other shards.
    pub(super) once: Option<Opened>,
    /// Somebody has it who can be told that it is not taken. A Will, or what was open at the start,
    /// nobody has but the node.
    pub(super) may_refuse: bool,
}

impl Shard {
    /// Routes a message that has passed the door.
    pub(super) fn route(
        &mut self,
        turn: &mut Turn<'_>,
        publisher: Option<u32>,
        publication: Publication,
    ) {
        let Publication { message, packet_id, will } = publication;
        let before = self.outbox.appended();
        let id = self.next_name();
        let is_kept = self.log.enabled && message.durability.is_kept();
        let once = publisher.filter(|_| is_kept).and_then(|slot| {
            let session = &self.clients.get(slot)?.session;
            let exactly_once = message.qos == Qos::ExactlyOnce && session.is_durable();
            (will || exactly_once).then(|| Opened {
                group: Group(self.context.slot_of(session.client_id())),
                audience: Audience::Subscribers,
            })
        });
        let taken = Taken { once, may_refuse: packet_id.is_some() };
        let reason = self.distribute(turn, publisher, message, taken);
        let (Some(slot), Some(packet_id)) = (publisher, packet_id) else { return };
        if reason == NOT_KEPT && self.gave_up_on(turn, slot, packet_id) {
            return;
        }
        // The acknowledgement waits for what the message has put on a disk, if anything, and for
        // nothing if it promises nothing.
        let appended = self.outbox.appended();
        let after = if is_kept && appended > before { appended } else { LogPosition::ZERO };
        if after > LogPosition::ZERO {
            self.wait_for_log(slot);
            if self.is_watched() {
                self.show_when_kept(turn.now, id, after);
            }
        }
        let Some(client) = self.clients.get_mut(slot) else { return };
        let routed = Routed { packet_id, reason, after };
        client.session.handle_routed(turn.now, routed, &mut self.outbox);
        self.drain(turn, slot);
    }

    /// Delivers a message to everybody who wants it and says whether there was anybody. With
    /// `once`, the message is recorded as open while it is on its way to the records of other shards,
    /// which become true apart from those of this one.
    pub(super) fn distribute(
        &mut self,
        turn: &mut Turn<'_>,
        publisher: Option<u32>,
        mut message: Message,
        Taken { once, may_refuse }: Taken,
    ) -> ReasonCode {
        let topic = message.topic.as_bytes();
        let shards = self.interest.shards(topic);
        let own = 1_u64 << self.id;
        let others = shards & !own;
        self.matches.clear();
        self.group_ids.clear();
        if shards & own != 0 {
            self.index.matches(topic, &mut self.matches);
            self.groups.matches(topic, &mut self.group_ids);
        }
        let nobody = others == 0 && self.matches.is_empty() && self.group_ids.is_empty();
        if nobody {
            self.counters().messages_unmatched.add(u64::from(publisher.is_some()));
            if let Some(slot) = publisher {
                self.count_for_tenant(slot, |counters| counters.messages_unmatched.add(1));
            }
            if !message.retain {
                if self.is_watched() {
                    self.show_published(turn.now, publisher, &message);
                }
                return ReasonCode::NoMatchingSubscribers;
            }
        }
        if message.id == MessageId::NONE {
            message.id = self.name_message();
        }
        let kept = message.retain || others != 0 || self.is_kept();
        // What is kept beyond this turn must not keep the read buffer alive that it was cut from.
        let message = Arc::new(if kept { message.detached() } else { message });
        let tracked = if is_recorded(&message) { self.recording_among(others) } else { 0 };
        let failing = may_refuse && self.log.enabled && self.context.log.takes_nothing_new();
        if failing && self.is_to_be_kept(&message, tracked) {
            self.counters().dropped_store_full.add(1);
            return NOT_KEPT;
        }
        if self.is_watched() {
            self.show_published(turn.now, publisher, &message);
        }
        let owner = message.retain.then(|| self.context.shard_of(&message.topic));
        // A group of this shard may have its member on another.
        let handed_on = !self.group_ids.is_empty() && self.recording_among(!own) != 0;
        let elsewhere = tracked != 0 || handed_on || owner.is_some_and(|owner| owner != self.id);
        let open = once.filter(|_| elsewhere);
        if let Some(opened) = &open {
            self.open_message(opened, &message);
        }
        if let Some(owner) = owner {
            let retained = self.to_retain(&message);
            if owner == self.id {
                // At once: the acknowledgement waits for what has been recorded by then.
                self.keep_retained(turn, &retained);
            } else {
                self.forward(turn, owner, Envelope::Retain(retained));
            }
        }
        let only_here = others == 0 && self.group_ids.is_empty() && owner.is_none();
        let without_room = self.deliver_matches(turn, publisher, &message);
        if without_room && only_here {
            return NOT_KEPT;
        }
        self.assign_groups(turn, &message);
        for shard in bits(others) {
            for _ in 0..self.copies(shard, &message) {
                let tracked = tracked & 1 << shard != 0;
                self.forward(turn, shard, Envelope::Publish(Arc::clone(&message), tracked));
            }
        }
        if let Some(opened) = open {
            self.close_message(opened, message.id);
        }
        if nobody { ReasonCode::NoMatchingSubscribers } else { ReasonCode::Success }
    }

    /// Whether the message would have to be recorded before it is acknowledged.
    fn is_to_be_kept(&self, message: &Message, tracked: u64) -> bool {
        let recorded =
            |slot: u32| self.clients.get(slot).is_some_and(|client| client.session.is_durable());
        let wanted = || {
            tracked != 0
                || !self.group_ids.is_empty()
                || self.matches.subscriptions().any(|subscription| {
                    let SubscriberId(slot) = subscription.subscriber;
                    recorded(slot)
                })
        };
        is_recorded(message) && ((message.retain && !self.makes_room(message)) || wanted())
    }

    /// Whether a log that is full has more room behind the message: it ends a retained one.
    pub(super) fn makes_room(&self, message: &Message) -> bool {
        message.retain && message.payload.is_empty() && !self.context.log.is_failing()
    }

    /// What cannot be kept is not acknowledged. A client of 3.x cannot be told: its connection ends,
    /// and it sends the message again on the next.
    pub(super) fn gave_up_on(
        &mut self,
        turn: &mut Turn<'_>,
        slot: u32,
        packet_id: PacketId,
    ) -> bool {
        let Some(client) = self.clients.get_mut(slot) else { return true };
        if client.session.version().is_v5() {
            return false;
        }
        let reason = ReasonCode::ServerUnavailable;
        client.session.forget_publish(packet_id, &mut self.outbox);
        client.session.disconnect(turn.now, reason, None, &mut self.outbox);
        self.drain(turn, slot);
        true
    }

    /// A message of another shard's publisher.
    pub(super) fn take_publish(&mut self, turn: &mut Turn<'_>, message: &Arc<Message>) {
        self.matches.clear();
        self.group_ids.clear();
        let topic = message.topic.as_bytes();
        self.index.matches(topic, &mut self.matches);
        self.groups.matches(topic, &mut self.group_ids);
        let publisher = self.publisher_before(message);
        self.deliver_matches(turn, publisher, message);
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

    /// What becomes the retained message of the topic. One that is too large is not kept, and then
    /// the one before must not stay either: it would pass for the present state.
    fn to_retain(&self, message: &Arc<Message>) -> Arc<Message> {
        let limit = self.context.options.retained.message_size_max;
        let size = message.shown_size();
        if size <= limit {
            return Arc::clone(message);
        }
        tracing::warn!(
            topic = %message.topic.to_shown(),
            tenant = message.topic.tenant(),
            size,
            limit,
            "message not retained: larger than retained.max_message_size; the topic has none now"
        );
        self.counters().dropped_retained_limit.add(1);
        Arc::new(Message { payload: bytes::Bytes::new(), ..Message::clone(message) })
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
