//! The clients of a shard, by slot and by identifier.

use std::{collections::BTreeSet, hash::BuildHasher, sync::Arc};

use hashbrown::HashTable;
use plexus_access::{Principal, Remembered};
use plexus_porch::{Pool, Seat, Tenant};
use plexus_records::Seen;
use plexus_session::Session;
use plexus_stdx::{Seed, SeededState, Slots};
use plexus_store::SegmentNumber;
use plexus_types::{ClientId, Instant};

use super::{advice::Advice, credit::Credit, log::Weight, replay::Replays, sieve::sieve};
use crate::{
    envelope::{Availability, ClientRef},
    ports::{ConnId, Door},
};

/// A session with what the shard knows about it.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) session: Session,
    /// Changed by [`Client::act_as`].
    pub(super) principal: Arc<Principal>,
    pub(super) door: Arc<Door>,
    /// Whose client it is; most nodes have no tenants.
    pub(super) tenant: Option<Arc<Tenant>>,
    /// What was decided about this principal at this door.
    pub(super) remembered: Option<Box<Remembered>>,
    /// What somebody elsewhere said about its acts.
    pub(super) advice: Option<Box<Advice>>,
    pub(super) conn: Option<ConnId>,
    /// When it was let in last; zero where that was before the node started.
    pub(super) connected_at: Instant,
    /// Tells it from earlier occupants of its slot.
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
    /// Whom it holds as a receiver, and who holds it.
    pub(super) credit: Option<Box<Credit>>,
    /// What it shares with others, where that is limited.
    pub(super) shared: Option<Box<Shared>>,
}

impl Client {
    /// How many subscriptions it may have besides those that there are: of its tenant, and of all with whom it
    /// shares.
    pub(super) fn room(&self) -> u64 {
        let of_tenant = self.tenant.as_ref().map_or(u64::MAX, |tenant| {
            let there_are = tenant.total(|counters| counters.subscriptions.read());
            (tenant.options.subscriptions_max as u64).saturating_sub(there_are)
        });
        let pools = self.shared.iter().flat_map(|shared| &shared.pools);
        pools.map(|pool| pool.room()).fold(of_tenant, u64::min)
    }

    /// The connection that it takes from one before, or gives up, among those of its user name.
    pub(super) fn leave_seat(&mut self) -> Option<Seat> {
        self.shared.as_mut()?.seat.take()
    }

    /// From now on it shares these.
    pub(super) fn share(&mut self, seat: Option<Seat>, pools: Vec<Arc<Pool>>) {
        // Of a session from before the start nothing has been counted yet.
        let known = || self.session.subscription_count();
        let count = self.shared.as_ref().map_or_else(known, |before| before.subscriptions);
        // First they are taken from where they were: nobody is to count them twice.
        drop(self.shared.take());
        if seat.is_some() || !pools.is_empty() {
            let mut shared = Shared { seat, pools, subscriptions: 0 };
            shared.add(count);
            self.shared = Some(Box::new(shared));
        }
    }

    /// It has one subscription more.
    pub(super) fn note_subscribed(&mut self, shard: u16) {
        if let Some(tenant) = &self.tenant {
            tenant.counters(shard).subscriptions.add(1);
        }
        if let Some(shared) = &mut self.shared {
            shared.add(1);
        }
    }

    /// It has one less.
    pub(super) fn note_unsubscribed(&mut self, shard: u16) {
        if let Some(tenant) = &self.tenant {
            tenant.counters(shard).subscriptions.sub(1);
        }
        if let Some(shared) = &mut self.shared {
            shared.remove(1);
        }
    }

    /// Whether it has nothing that most clients do not have.
    #[inline]
    pub(super) const fn is_plain(&self) -> bool {
        self.shares.is_none() && self.replays.is_none() && self.credit.is_none()
    }
}

/// What a client has together with others.
#[derive(Debug)]
pub(super) struct Shared {
    /// Its connection among those of its user name.
    seat: Option<Seat>,
    pools: Vec<Arc<Pool>>,
    /// How many it has counted there.
    subscriptions: usize,
}

impl Shared {
    fn add(&mut self, count: usize) {
        self.subscriptions += count;
        self.pools.iter().for_each(|pool| pool.add_subscriptions(count));
    }

    fn remove(&mut self, count: usize) {
        let count = count.min(self.subscriptions);
        self.subscriptions -= count;
        self.pools.iter().for_each(|pool| pool.remove_subscriptions(count));
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.remove(self.subscriptions);
    }
}

/// The shared subscriptions of a client.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// Their whole filters.
    pub(super) filters: BTreeSet<Box<str>>,
    /// The shards that own one of the groups, or did: a bit each.
    pub(super) owners: u64,
    /// What the owners were last told.
    pub(super) told: Availability,
}

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Clients {
    slots: Slots<Client>,
    by_id: HashTable<Named>,
    state: SeededState,
    seed: Seed,
    serial: u32,
}

/// Half of the hash of an identifier, so that a growing table need not look at the clients, and
/// where its client is.
#[derive(Debug)]
struct Named {
    hash: u32,
    slot: u32,
}

impl Named {
    /// The table takes the bucket from the low bits and the tag from the highest.
    fn spread(&self) -> u64 {
        u64::from(self.hash) << 32 | u64::from(self.hash)
    }
}

impl Clients {
    pub(super) fn new(seed: Seed) -> Self {
        let (slots, by_id) = (Slots::new(), HashTable::new());
        Self { slots, by_id, state: seed.hasher(), seed, serial: 0 }
    }

    fn named(&self, id: &ClientId, slot: u32) -> Named {
        Named { hash: self.state.hash_one(id) as u32, slot }
    }

    pub(super) fn insert(
        &mut self,
        mut session: Session,
        principal: Arc<Principal>,
        door: Arc<Door>,
        tenant: Option<Arc<Tenant>>,
    ) -> u32 {
        session.set_sieve(sieve(self.seed, &door, &principal));
        self.serial = self.serial.wrapping_add(1);
        debug_assert!(self.find(session.client_id()).is_none(), "one session an identifier");
        let named = self.named(session.client_id(), self.slots.next_name());
        let slot = self.slots.insert(Client {
            session,
            principal,
            door,
            tenant,
            remembered: None,
            advice: None,
            conn: None,
            connected_at: Instant::ZERO,
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
            credit: None,
            shared: None,
        });
        self.by_id.insert_unique(named.spread(), named, Named::spread);
        slot
    }

    /// Makes room for so many more.
    pub(super) fn reserve(&mut self, count: usize) {
        self.by_id.reserve(count, Named::spread);
    }

    /// Where the next client will be.
    pub(super) fn next_slot(&self) -> u32 {
        self.slots.next_name()
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<Client> {
        let client = self.slots.remove(slot)?;
        let named = self.named(client.session.client_id(), slot);
        let entry = self.by_id.find_entry(named.spread(), |other| other.slot == slot);
        entry.expect("invariant: every client has a name").remove();
        Some(client)
    }

    /// The client that the node knows by that name.
    pub(super) fn find(&self, id: &ClientId) -> Option<u32> {
        let wanted = self.named(id, 0);
        let is_it = |named: &Named| {
            let client = (named.hash == wanted.hash).then(|| self.slots.get(named.slot)).flatten();
            client.is_some_and(|client| client.session.client_id() == id)
        };
        self.by_id.find(wanted.spread(), is_it).map(|named| named.slot)
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Client> {
        self.slots.get(slot)
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Client> {
        self.slots.get_mut(slot)
    }

    /// The client that is meant, unless another lives there by now.
    pub(super) fn resolve(&mut self, client: ClientRef) -> Option<&mut Client> {
        self.slots.get_mut(client.slot).filter(|found| found.serial == client.serial)
    }

    pub(super) fn reference(&self, slot: u32) -> Option<ClientRef> {
        self.get(slot).map(|client| ClientRef { slot, serial: client.serial })
    }

    /// All slots are below this.
    pub(super) const fn bound(&self) -> u32 {
        self.slots.bound()
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// How many wait for retained messages.
    pub(super) fn replaying(&self) -> usize {
        self.slots().into_iter().filter_map(|slot| self.get(slot)?.replays.as_ref()).count()
    }

    pub(super) fn slots(&self) -> Vec<u32> {
        self.slots.names().collect()
    }
}
