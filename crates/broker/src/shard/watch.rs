//! What goes on, shown to those who watch: nobody nearly always.

use std::sync::Arc;

use plexus_access::Principal;
use plexus_porch::{Sight, Watcher};
use plexus_session::{DropReason, LogPosition, SubscribeRequest};
use plexus_types::{Instant, Message, MessageId, Qos, TopicFilter};
use plexus_wire::Packet;

use super::Shard;

impl Shard {
    pub(super) fn add_watcher(&mut self, watcher: Arc<dyn Watcher>) {
        self.watchers.add(watcher);
    }

    /// Whether anybody has to be shown anything.
    #[inline]
    pub(super) const fn is_watched(&self) -> bool {
        !self.watchers.is_empty()
    }

    #[cold]
    pub(super) fn show_published(
        &mut self,
        now: Instant,
        publisher: Option<u32>,
        message: &Message,
    ) {
        if super::retained::is_own(&message.topic) {
            return;
        }
        let principal = publisher.and_then(|slot| self.principal_of(slot));
        self.watchers.show(now, Sight::Published(principal.as_deref(), message));
    }

    /// Shows that the message which was taken `now` is kept, as soon as the log is kept up to there.
    #[cold]
    pub(super) fn show_when_kept(&mut self, now: Instant, id: MessageId, at: LogPosition) {
        self.log.tell_when_kept(at, self.watchers.kept(now, id));
    }

    #[cold]
    pub(super) fn show_delivered(&mut self, now: Instant, slot: u32, message: &Message, qos: Qos) {
        if let Some(principal) = self.principal_of(slot) {
            self.watchers.show(now, Sight::Delivered(&principal, message, qos));
        }
    }

    /// Before the session hears of it: then it knows the message no more.
    #[cold]
    pub(super) fn show_acknowledged(&mut self, now: Instant, slot: u32, packet: &Packet) {
        let (Packet::PubAck(ack) | Packet::PubRec(ack)) = packet else { return };
        let Some(client) = self.clients.get(slot).filter(|_| !ack.reason.is_error()) else {
            return;
        };
        let Some(sent) = client.session.inflight_message(ack.packet_id) else { return };
        if let Some(message) = sent.message().filter(|_| !sent.is_received) {
            let (principal, qos) = (Arc::clone(&client.principal), sent.qos());
            self.watchers.show(now, Sight::Acknowledged(&principal, message, qos));
        }
    }

    #[cold]
    pub(super) fn show_dropped(&mut self, now: Instant, slot: u32, reason: DropReason, count: u32) {
        if let Some(principal) = self.principal_of(slot) {
            self.watchers.show(now, Sight::Dropped(&principal, reason, count));
        }
    }

    #[cold]
    pub(super) fn show_subscribed(&mut self, now: Instant, slot: u32, request: &SubscribeRequest) {
        let Some(principal) = self.principal_of(slot) else { return };
        for item in &request.items {
            if let Ok(filter) = &item.filter {
                self.watchers.show(now, Sight::Subscribed(&principal, filter, item.options.qos));
            }
        }
    }

    #[cold]
    pub(super) fn show_unsubscribed(&mut self, now: Instant, slot: u32, filters: &[TopicFilter]) {
        let Some(principal) = self.principal_of(slot) else { return };
        for filter in filters {
            self.watchers.show(now, Sight::Unsubscribed(&principal, filter));
        }
    }

    fn principal_of(&self, slot: u32) -> Option<Arc<Principal>> {
        Some(Arc::clone(&self.clients.get(slot)?.principal))
    }
}
