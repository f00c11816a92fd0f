//! *What it is.* Who wants a topic: the subscription index of a shard, its shared groups, the
//! retained index, and the table that tells which shards may be interested. Plain data structures
//! with one owner, each bounded in the work of a single call.
//!
//! *What it never does.* No I/O, no clock, no randomness but an injected seed, no locks; it checks
//! no filter and delivers nothing.
//!
//! *Entry points.* [`SubscriptionIndex`], [`SharedGroups`], [`Retained`], [`Interest`].
//!
//! *Reading order.* `subscription`, `arena`, `buckets`, `pieces`, `lists`, `index`, `matches`, `shared`,
//! `interest`, `retained`.
//!
//! *Tests.* Beside the code, against `types::filter_matches`; `examples/topics_bench.rs` measures,
//! and runs small as a test.

mod buckets;
mod gradual;
mod index;
mod interest;
mod labels;
mod lists;
mod matches;
mod parts;
mod pieces;
mod retained;
mod shared;
mod subscription;
mod walk;

pub use index::SubscriptionIndex;
pub use interest::{Interest, InterestDelta};
pub use matches::{Matches, Target};
pub use retained::{Level, Retained, RetainedCursor};
pub use shared::{
    GroupId, Joined, Left, Member, MemberOptions, MemberState, Pick, Selected, SharedGroups,
    Strategy,
};
pub use subscription::{Options, SubscriberId, Subscription};
