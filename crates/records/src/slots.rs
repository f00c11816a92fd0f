use plexus_stdx::Seed;
use plexus_types::ClientId;

/// Slots of a node: as many as it can have shards.
pub const SLOTS: u16 = 64;

/// The slot of what goes by that name: a client, a retained topic, a shared group. A node has the
/// same slots for ever, on however many shards. Where a client is at home does not depend on its tenant, which
/// may be known only when it is there.
pub fn slot_of(seed: Seed, name: &str) -> u16 {
    (seed.hash(ClientId::shown_of(name)) >> (u64::BITS - SLOTS.ilog2())) as u16
}

/// Where the slots of a node are.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    /// The node's.
    pub seed: Seed,
    /// How many shards it has.
    pub shards: u16,
}

impl Places {
    /// The slot of what goes by that name.
    pub fn slot_of(self, name: &str) -> u16 {
        slot_of(self.seed, name)
    }

    /// The shard that a slot belongs to.
    pub const fn shard_of_slot(self, slot: u16) -> u16 {
        (slot as u32 * self.shards as u32 / SLOTS as u32) as u16
    }
}
