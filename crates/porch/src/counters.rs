//! Numbers of one shard, written by its thread alone and read by anybody.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A number with one writer: a plain load and store, no locked instruction in the publish path.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds; only the owning thread may call it.
    pub fn add(&self, amount: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(amount), Relaxed);
    }

    /// Takes away; only the owning thread may call it.
    pub fn sub(&self, amount: u64) {
        self.add(amount.wrapping_neg());
    }

    /// Sets the value of a gauge; only the owning thread may call it.
    pub fn set(&self, value: u64) {
        self.0.store(value, Relaxed);
    }

    /// The value.
    pub fn read(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

macro_rules! counters {
    ($(#[$what:meta])* $of:ident { $($(#[$doc:meta])* $name:ident => $topic:literal;)* }) => {
        $(#[$what])*
        #[derive(Debug, Default)]
        #[repr(align(128))]
        pub struct $of {
            $($(#[$doc])* pub $name: Counter,)*
        }

        impl $of {
            /// Each number with the levels under which `$SYS` shows it.
            pub fn read(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$(($topic, self.$name.read()),)*].into_iter()
            }
        }
    };
}

counters! {
/// The counters and gauges of one shard, on cache lines of their own.
Counters {
    /// Clients that are connected.
    clients_connected => "stats/connections/count";
    /// Sessions, connected or not.
    sessions => "stats/sessions/count";
    /// Subscriptions of all sessions.
    subscriptions => "stats/subscriptions/count";
    /// Retained messages that this shard keeps.
    retained => "stats/retained/count";
    /// Bytes of those messages.
    retained_bytes => "stats/retained/bytes";
    /// Messages that wait in queues.
    queued => "stats/queued/count";
    /// Bytes of those messages.
    queued_bytes => "stats/queued/bytes";
    /// Application Messages that clients published.
    messages_received => "metrics/messages/received";
    /// Application Messages handed to connections.
    messages_sent => "metrics/messages/sent";
    /// Messages that matched no subscription.
    messages_unmatched => "metrics/messages/dropped/no_subscribers";
    /// Messages dropped because a queue was full.
    dropped_queue_full => "metrics/messages/dropped/queue_full";
    /// Publishers that were made to wait because many messages waited for a receiver.
    held => "metrics/clients/held";
    /// Publishers that were made to wait because they had published as much as they may in a time.
    paced => "metrics/clients/paced";
    /// Messages dropped because too many waited in the whole node.
    dropped_node_full => "metrics/messages/dropped/node_full";
    /// Messages dropped because they expired.
    dropped_expired => "metrics/messages/dropped/expired";
    /// Messages dropped because the receiver takes no packet of that size.
    dropped_too_large => "metrics/messages/dropped/too_large";
    /// QoS 0 messages dropped because the receiver was away.
    dropped_offline => "metrics/messages/dropped/offline";
    /// Deliveries withheld because the receiver may not have them.
    withheld => "metrics/messages/dropped/withheld";
    /// Messages dropped with their session.
    dropped_session_ended => "metrics/messages/dropped/session_ended";
    /// Shared messages that no member of their group took.
    dropped_no_member => "metrics/messages/dropped/no_member";
    /// Retained messages refused because the limit of retained messages was reached.
    dropped_retained_limit => "metrics/messages/dropped/retained_limit";
    /// Publications that were refused, or not retained, and deliveries that were not made, because the log
    /// took nothing new.
    dropped_store_full => "metrics/messages/dropped/store_full";
    /// Publishes and subscriptions that access control refused.
    refused => "metrics/access/refused";
    /// Connections whose CONNECT was refused by a shard.
    connections_refused => "metrics/connections/refused";
    /// Bytes read from connections.
    bytes_received => "metrics/bytes/received";
    /// Bytes written to connections.
    bytes_sent => "metrics/bytes/sent";
    /// Packets read from connections.
    packets_received => "metrics/packets/received";
    /// Packets written to connections.
    packets_sent => "metrics/packets/sent";
    /// Connections that got a session.
    connected => "metrics/client/connected";
    /// Connections that ended.
    disconnected => "metrics/client/disconnected";
    /// Turns of the event loop.
    turns => "metrics/loop/turns";
    /// Microseconds that the loop spent at work, of all the time there is.
    busy_micros => "metrics/loop/busy_micros";
}
}

counters! {
/// What one shard counts of one tenant, on cache lines of their own.
TenantCounters {
    /// Its clients that are connected.
    clients_connected => "stats/connections/count";
    /// Sessions, connected or not.
    sessions => "stats/sessions/count";
    /// Subscriptions of all sessions.
    subscriptions => "stats/subscriptions/count";
    /// Retained messages that this shard keeps.
    retained => "stats/retained/count";
    /// Bytes of those messages.
    retained_bytes => "stats/retained/bytes";
    /// Application Messages that clients published.
    messages_received => "metrics/messages/received";
    /// Application Messages handed to connections.
    messages_sent => "metrics/messages/sent";
    /// Messages that matched no subscription.
    messages_unmatched => "metrics/messages/dropped/no_subscribers";
    /// Messages dropped because a queue was full.
    dropped_queue_full => "metrics/messages/dropped/queue_full";
    /// Messages dropped because too many waited in the whole node.
    dropped_node_full => "metrics/messages/dropped/node_full";
    /// Messages dropped because they expired.
    dropped_expired => "metrics/messages/dropped/expired";
    /// Messages dropped because the receiver takes no packet of that size.
    dropped_too_large => "metrics/messages/dropped/too_large";
    /// QoS 0 messages dropped because the receiver was away.
    dropped_offline => "metrics/messages/dropped/offline";
    /// Deliveries withheld because the receiver may not have them.
    withheld => "metrics/messages/dropped/withheld";
    /// Messages dropped with their session.
    dropped_session_ended => "metrics/messages/dropped/session_ended";
    /// Retained messages refused because the limit of retained messages was reached.
    dropped_retained_limit => "metrics/messages/dropped/retained_limit";
    /// Publishes and subscriptions that access control refused.
    refused => "metrics/access/refused";
    /// Connections whose CONNECT was refused by a shard.
    connections_refused => "metrics/connections/refused";
    /// Connections that got a session.
    connected => "metrics/client/connected";
    /// Connections that ended.
    disconnected => "metrics/client/disconnected";
}
}
