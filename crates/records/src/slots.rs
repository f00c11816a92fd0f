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
