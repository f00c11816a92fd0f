//! How large the numbers of a run may be: what is beyond is a slip of the hand.

/// Clients of a run.
pub const CLIENTS_MAX: u64 = 5_000_000;
/// Messages of a run.
pub const MESSAGES_MAX: u64 = 4_000_000_000;
/// Messages, or connections, in a second.
pub const RATE_MAX: u64 = 100_000_000;
/// Messages of one client that are not settled.
pub const WINDOW_MAX: u64 = 60_000;
/// Bytes of a payload: with its topic it makes the largest packet of the protocol.
pub const SIZE_MAX: u64 = 256 * 1024 * 1024;
/// Bytes of a payload where nothing is said.
pub const SIZE_DEFAULT: u64 = 256;
/// Filters of one client.
pub const FILTERS_MAX: u64 = 10_000_000;
/// Filters in one SUBSCRIBE where nothing is said.
pub const PER_PACKET_DEFAULT: u32 = 1;
/// Threads.
pub const WORKERS_MAX: u64 = 256;
