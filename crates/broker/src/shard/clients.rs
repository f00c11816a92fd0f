//! The clients of a shard, by slot and by identifier.

use std::sync::Arc;

use plexus_access::Principal;
use plexus_session::Session;
use plexus_stdx::{HashMap, Seed};
use plexus_store::SegmentNumber;
use plexus_types::{ClientId, Instant, TopicFilter};
use slab::Slab;

use super::{
    log::{Seen, Weight},
    replay::Replays,
};
use crate::{
    envelope::{Availability, ClientRef},
    ports::{ConnId, Door},
};

/// A session with what the shard knows about it.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) session: Session,
    pub(super) principal: Arc<Principal>,
    pub(super) door: Arc<Door>,
    pub(super) conn: Option<ConnId>,
    /// Tells it from earlier tenants of its slot.
    pub(super) serial: u32,
    /// The deadline for which a timer is set.
    pub(super) armed: Instant,
    /// Whether its connection has more output than it takes.
    pub(super) congested: bool,
    /// Its name in the log, zero for none.
    pub(super) key: u64,
    /// The segment of the log in which its records begin, or one before.
    pub(super) anchor: SegmentNumber,
    /// What the log has been told that it weighs.
    pub(super) weight: Weight,
    /// The turn in which it was last put down to hear of the log.
    pub(super) log_turn: u64,
    /// Open publications that are not for it, from before the node started.
    pub(super) seen: Option<Box<Seen>>,
    /// Retained messages that are still to come, and memberships: most clients have neither.
    pub(super) replays: Option<Box<Replays>>,
    pub(super) shares: Option<Box<Shares>>,
}

/// The shared subscriptions of a client.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// Their whole filters.
    pub(super) filters: Vec<TopicFilter>,
    /// What the owners were last told.
    pub(super) told: Availability,
}

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Clients {
    slots: Slab<Client>,
    by_id: HashMap<ClientId, u32>,
    serial: u32,
}

impl Clients {
    pub(super) fn new(seed: Seed) -> Self {
        Self { slots: Slab::new(), by_id: seed.map(), serial: 0 }
    }

    pub(super) fn insert(
        &mut self,
        session: Session,
        principal: Arc<Principal>,
        door: Arc<Door>,
    ) -> u32 {
        self.serial = self.serial.wrapping_add(1);
        let id = principal.client_id.clone();
        let slot = self.slots.insert(Client {
            session,
            principal,
            door,
            conn: None,
            serial: self.serial,
            armed: Instant::FAR_FUTURE,
            congested: false,
            key: 0,
            anchor: SegmentNumber::ZERO,
            weight: Weight::default(),
            log_turn: 0,
            seen: None,
            replays: None,
            shares: None,
        }) as u32;
        let before = self.by_id.insert(id, slot);
        assert!(before.is_none(), "invariant: one session an identifier");
        slot
    }

    /// Makes room for so many more.
    pub(super) fn reserve(&mut self, count: usize) {
        self.slots.reserve(count);
        self.by_id.reserve(count);
    }

    /// Where the next client will be.
    pub(super) fn next_slot(&self) -> u32 {
        self.slots.vacant_key() as u32
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<Client> {
        let client = self.slots.try_remove(slot as usize)?;
        let removed = self.by_id.remove(&client.principal.client_id);
        assert_eq!(removed, Some(slot), "invariant: both tables name the same slot");
        Some(client)
    }

    pub(super) fn find(&self, id: &ClientId) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Client> {
        self.slots.get(slot as usize)
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Client> {
        self.slots.get_mut(slot as usize)
    }

    /// The client that is meant, unless another lives there by now.
    pub(super) fn resolve(&mut self, client: ClientRef) -> Option<&mut Client> {
        self.slots.get_mut(client.slot as usize).filter(|found| found.serial == client.serial)
    }

    pub(super) fn reference(&self, slot: u32) -> Option<ClientRef> {
        self.get(slot).map(|client| ClientRef { slot, serial: client.serial })
    }

    /// All slots are below this.
    pub(super) fn capacity(&self) -> usize {
        self.slots.capacity()
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn slots(&self) -> Vec<u32> {
        self.slots.iter().map(|(slot, _)| slot as u32).collect()
    }
}
