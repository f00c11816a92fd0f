//! What is to happen when. Of two events at the same moment the one that was entered first comes
//! first.

use std::{cmp::Ordering, collections::BinaryHeap};

use plexus_broker::ports::{Query, Ticket};
use plexus_session::LogPosition;
use plexus_store::SegmentNumber;
use plexus_types::Instant;

/// The number of a simulated client.
pub(crate) type ActorNo = usize;
/// The number of a connection; none is used twice.
pub(crate) type LinkNo = usize;

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// A client has an idea.
    Think(ActorNo),
    /// A client's own timer is due.
    Timeout(ActorNo),
    /// A client acknowledges a message that it has pondered.
    Acknowledge(ActorNo),
    /// A hostile client sends something.
    Harass(usize),
    /// Bytes arrive at the server.
    Up(LinkNo),
    /// Bytes arrive at the client.
    Down(LinkNo),
    /// The server looks again at the input of a connection.
    Serve(LinkNo),
    /// The server notices that a connection is gone.
    ServerLoses(LinkNo),
    /// The client notices that its connection is gone.
    ClientLoses(LinkNo),
    /// The next envelope of a pair of shards and class arrives.
    Envelope(Lane),
    /// What a client has shown has been checked.
    Verified(u16, Ticket),
    /// What a client wants to do has been asked about.
    Advised(u16, Query),
    /// A shard's timer is due.
    Tick(u16),
    /// Look whether everything has settled.
    Check,
    /// A turn of a shard ends.
    EndTurn(u16),
    /// The log's thread does a round of its work.
    Log,
    /// A shard sees up to where the log has its records.
    Marked(u16, LogPosition),
    /// A shard gets messages that it asked the log for.
    Fetched(u16, u64),
    /// A shard is asked to write anew what began in old segments.
    Refresh(u16, SegmentNumber),
    /// A restored shard routes what was open.
    Reopen(u16),
    /// The node starts again.
    Restart,
    /// The disk has room again.
    Relieve,
}

impl Event {
    /// Whether it ends with the node's process.
    const fn is_of_node(self) -> bool {
        match self {
            Self::Serve(_)
            | Self::ServerLoses(_)
            | Self::Envelope(_)
            | Self::Verified(..)
            | Self::Advised(..)
            | Self::Tick(_)
            | Self::EndTurn(_)
            | Self::Log
            | Self::Marked(..)
            | Self::Fetched(..)
            | Self::Refresh(..)
            | Self::Reopen(_) => true,
            Self::Think(_)
            | Self::Timeout(_)
            | Self::Acknowledge(_)
            | Self::Harass(_)
            | Self::Up(_)
            | Self::Down(_)
            | Self::ClientLoses(_)
            | Self::Check
            | Self::Restart
            | Self::Relieve => false,
        }
    }
}

/// Envelopes from one shard to another, of one class: they keep their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Lane {
    pub(crate) from: u16,
    pub(crate) to: u16,
    pub(crate) request: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    at: Instant,
    order: u64,
    event: Event,
}

impl Ord for Entry {
    /// The earliest is the greatest: the heap gives out the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    entries: BinaryHeap<Entry>,
    order: u64,
}

impl Agenda {
    pub(crate) fn enter(&mut self, at: Instant, event: Event) {
        self.order += 1;
        self.entries.push(Entry { at, order: self.order, event });
    }

    /// The node is gone, and with it all that it had before it.
    pub(crate) fn lose_node(&mut self) {
        self.entries.retain(|entry| !entry.event.is_of_node());
    }

    pub(crate) fn next(&mut self) -> Option<(Instant, Event)> {
        self.entries.pop().map(|entry| (entry.at, entry.event))
    }
}
