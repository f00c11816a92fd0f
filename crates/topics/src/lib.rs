//! *What it is.* Who wants a topic: the index of subscriptions, the shared groups, the retained
//! messages, and the small table that tells a shard which other shards to ask.
//!
//! *What it never does.* No I/O, no clock, no lock: one owner each. It knows neither sessions nor
//! packets; subscribers are small integers.
//!
//! *Entry points.* [`SubscriptionIndex`], [`SharedGroups`], [`Retained`], [`Interest`].
//!
//! *Reading order.* `level`, `tree`, `index`, `matches`, `shared`, `interest`, `retained`.
//!
//! *Tests.* `*/tests.rs` beside each file, against brute force over small universes; figures in
//! `examples/topics_bench.rs`.

mod index;
mod interest;
mod level;
mod matches;
mod retained;
mod shared;
mod subscription;
mod tree;

pub use index::SubscriptionIndex;
pub use interest::{Interest, InterestDelta};
pub use matches::{Deliveries, Matches, Target};
pub use retained::{Retained, RetainedCursor};
pub use shared::{
    GroupId, Joined, Left, Member, MemberOptions, MemberState, Pick, Selected, SharedGroups,
    Strategy,
};
pub use subscription::{Options, SubscriberId, Subscription};
