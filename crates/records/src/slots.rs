use plexus_stdx::Seed;

/// Slots of a node: as many as it can have shards.
pub const SLOTS: u16 = 64;

/// The slot of what goes by that name: a client, a retained topic, a shared group. A node has the
/// same slots for ever, on however many shards.
pub fn slot_of(seed: Seed, name: &str) -> u16 {
    (seed.hash(name) >> (u64::BITS - SLOTS.ilog2())) as u16
}
