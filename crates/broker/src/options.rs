//! What a node is told at start: plain checked values; the configuration makes them.

use std::time::Duration;

use plexus_porch::{FenceOptions, MemoryOptions, TenantOptions};
use plexus_session::Waiting;
use plexus_topics::Strategy;
use plexus_types::{Durability, TopicFilter};

/// A whole node.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    /// The name of the node in `$SYS` and log.
    pub name: String,
    /// Shards, and threads that drive them, as many as there is work for; at least 1, at most 64.
    pub shards: u16,
    /// Whether another number of threads drives the shards every moment, to see that nobody notices.
    pub restless: bool,
    /// Connections of the whole node.
    pub connections_max: usize,
    /// Sessions of the whole node, connected or not.
    pub sessions_max: usize,
    /// What may wait in the queues of all sessions together.
    pub waiting_max: Waiting,
    /// Connections of the whole node that have not yet sent CONNECT.
    pub handshakes_max: usize,
    /// What else keeps somebody out.
    pub fences: FenceOptions,
    /// Watermarks of memory.
    pub memory: MemoryOptions,
    /// Limits of retained messages.
    pub retained: RetainedOptions,
    /// The strategy of shared groups without one of their own.
    pub shared_strategy: Strategy,
    /// Where what must survive is kept; `None` for nowhere.
    pub log: Option<crate::LogPlace>,
    /// What is promised where nothing else says: records that nobody waits for are kept so.
    pub durability: Durability,
    /// What is promised of messages by their topics: the first that matches counts, before what
    /// their listener says.
    pub topics: Vec<(TopicFilter, Durability)>,
    /// Strategies by share name.
    pub shared_strategies: Vec<(String, Strategy)>,
    /// How often `$SYS` is published; `None` for never.
    pub sys_interval: Option<Duration>,
    /// The tenants, beside the one that has no name.
    pub tenants: Vec<TenantOptions>,
    /// Bytes of output beyond which a connection counts as slow and its messages queue.
    pub write_buffer_max: usize,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self {
            name: "plexus".into(),
            shards: 1,
            restless: false,
            connections_max: 1_000_000,
            sessions_max: 2_000_000,
            waiting_max: Waiting { messages: 20_000_000, bytes: 64 << 30 },
            handshakes_max: 10_000,
            fences: FenceOptions::default(),
            memory: MemoryOptions::default(),
            retained: RetainedOptions::default(),
            log: None,
            durability: Durability::Memory,
            topics: Vec::new(),
            shared_strategy: Strategy::RoundRobin,
            shared_strategies: Vec::new(),
            sys_interval: Some(Duration::from_secs(30)),
            tenants: Vec::new(),
            write_buffer_max: 256 * 1024,
        }
    }
}

/// Limits of retained messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetainedOptions {
    /// Retained messages of the whole node.
    pub messages_max: usize,
    /// Bytes of topic, payload and properties of one.
    pub message_size_max: usize,
}

impl Default for RetainedOptions {
    fn default() -> Self {
        Self { messages_max: 10_000_000, message_size_max: 1024 * 1024 }
    }
}
