//! What must hold in every world, one file each. An invariant sees what happens and says when it
//! should not have.
//!
//! | invariant | the promise |
//! |---|---|
//! | `qos1_not_lost` | what was acknowledged reaches everybody to whom it is owed |
//! | `qos2_not_duplicated` | QoS 2 end to end arrives once |
//! | `publisher_order` | messages of a publisher and topic arrive in their order |
//! | `one_owner` | a client has one connection, and a closed one is silent |
//! | `session_kept` | a session ends only when it may |
//! | `limits` | Receive Maximum, Maximum Packet Size, aliases and queues stay within bounds |
//! | `only_subscribed` | nobody gets what it has not subscribed to, and nothing is altered |
//! | `shared_one_member` | one member of a group gets each message |
//! | `retained_last_write` | what is kept is the last that was written |
//! | `will_as_specified` | a Will is published when it is due, and not otherwise |
//! | `subscriptions_kept` | what SUBACK has promised is there after a crash |
//! | `disk_bounded` | a log at rest takes no more than it may |
//! | `log_empties` | when all have left the log holds nothing |
//! | `no_leak` | when all have left nothing stays |
//!
//! That everything settles once the faults end is the world's own check.

mod disk_bounded;
mod limits;
mod log_empties;
mod no_leak;
mod one_owner;
mod only_subscribed;
mod publisher_order;
mod qos1_not_lost;
mod qos2_not_duplicated;
mod retained_last_write;
mod session_kept;
mod shared_one_member;
mod subscriptions_kept;
mod will_as_specified;

use std::fmt;

use plexus_types::Instant;

use crate::{history::History, seen::Seen};

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which one.
    pub invariant: &'static str,
    /// What happened.
    pub what: String,
    /// When.
    pub at: Instant,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:?}: {}", self.invariant, self.at, self.what)
    }
}

/// A promise.
pub(crate) trait Invariant: fmt::Debug {
    fn name(&self) -> &'static str;
    /// Looks at what has just happened; `history` knows of it already.
    fn check(&mut self, history: &History, seen: &Seen<'_>) -> Result<(), String>;
}

/// All of them; `witness` is the client that nothing ever happens to.
pub(crate) fn all(witness: usize, has_log: bool) -> Vec<Box<dyn Invariant>> {
    let mut all: Vec<Box<dyn Invariant>> = vec![
        Box::new(qos1_not_lost::Qos1NotLost::default()),
        Box::new(qos2_not_duplicated::Qos2NotDuplicated::default()),
        Box::new(publisher_order::PublisherOrder::default()),
        Box::new(one_owner::OneOwner::default()),
        Box::new(session_kept::SessionKept),
        Box::new(limits::Limits::default()),
        Box::new(only_subscribed::OnlySubscribed),
        Box::new(shared_one_member::SharedOneMember::default()),
        Box::new(retained_last_write::RetainedLastWrite::default()),
        Box::new(will_as_specified::WillAsSpecified::new(witness)),
        Box::new(no_leak::NoLeak),
    ];
    if has_log {
        all.push(Box::new(subscriptions_kept::SubscriptionsKept));
        all.push(Box::new(disk_bounded::DiskBounded));
        all.push(Box::new(log_empties::LogEmpties));
    }
    all
}
