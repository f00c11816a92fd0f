use std::{fmt, ops::Range, sync::Arc};

use plexus_types::{Message, MessageId};

use crate::SegmentNumber;

/// Whom a record is for: a slot of the node, later a Raft group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Group(pub u16);

/// When a commit may return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Commit {
    /// When the operating system has it: it survives a crash of the program.
    #[default]
    Written,
    /// When the disk has it: it survives a loss of power.
    Synced,
}

/// What a batch asks for, in order.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Entry { group: Group, index: Option<u64>, payload: Range<usize> },
    Hold(Arc<Message>),
    HoldStored(MessageId),
    Release(MessageId),
    StateBytes(i64),
    Refreshed { group: Group, upto: SegmentNumber },
}

/// The records of one turn of one shard, in order. Made to be used again: [`Batch::clear`] keeps
/// the memory.
#[derive(Clone, Default)]
pub struct Batch {
    ops: Vec<Op>,
    payloads: Vec<u8>,
    held_bytes: usize,
    mode: Commit,
}

/// What it asks for, without the contents of messages.
impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for op in &self.ops {
            match op {
                Op::Entry { group, index: _, payload } => {
                    list.entry(&format_args!("{}: {:02x?}", group.0, self.payload(payload)))
                }
                Op::Hold(message) => list.entry(&format_args!("hold {}", message.id.get())),
                Op::HoldStored(id) => list.entry(&format_args!("hold stored {}", id.get())),
                Op::Release(id) => list.entry(&format_args!("release {}", id.get())),
                Op::StateBytes(delta) => list.entry(&format_args!("state {delta:+}")),
                Op::Refreshed { group, upto } => {
                    list.entry(&format_args!("{} refreshed up to {}", group.0, upto.get()))
                }
            };
        }
        list.finish()
    }
}

impl Batch {
    /// More than a record has around its payload, and a body around topic, payload and properties
    /// when its publisher's name is short.
    const OVERHEAD_BYTES: usize = 32;

    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing has been asked for.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty() && self.mode == Commit::Written
    }

    /// Forgets everything but the memory.
    pub fn clear(&mut self) {
        self.ops.clear();
        self.payloads.clear();
        self.held_bytes = 0;
        self.mode = Commit::Written;
    }

    /// About how many bytes the log will grow by, if it holds none of the bodies yet.
    pub fn bytes(&self) -> usize {
        self.payloads.len() + self.held_bytes + self.ops.len() * Self::OVERHEAD_BYTES
    }

    /// A record of the group; `write` appends its payload.
    pub fn entry(&mut self, group: Group, write: impl FnOnce(&mut Vec<u8>)) {
        self.put_entry(group, None, write);
    }

    /// A record of the group at that index. When the group has come that far already, its entries
    /// from this index on are void.
    pub fn entry_at(&mut self, group: Group, index: u64, write: impl FnOnce(&mut Vec<u8>)) {
        self.put_entry(group, Some(index), write);
    }

    fn put_entry(&mut self, group: Group, index: Option<u64>, write: impl FnOnce(&mut Vec<u8>)) {
        let begin = self.payloads.len();
        write(&mut self.payloads);
        assert!(begin <= self.payloads.len(), "a record only appends its payload");
        self.ops.push(Op::Entry { group, index, payload: begin..self.payloads.len() });
    }

    /// One more reference to the body; it is written if the log does not hold it.
    pub fn hold(&mut self, message: &Arc<Message>) {
        assert!(message.id != MessageId::NONE, "a message has its name before it is held");
        self.held_bytes += message.size() + message.publisher.as_str().len();
        self.ops.push(Op::Hold(Arc::clone(message)));
    }

    /// One more reference to a body that the log holds already.
    pub fn hold_stored(&mut self, body: MessageId) {
        self.ops.push(Op::HoldStored(body));
    }

    /// One reference less.
    pub fn release(&mut self, body: MessageId) {
        self.ops.push(Op::Release(body));
    }

    /// How much the living state apart from bodies grows or shrinks, counted as the bytes that it
    /// would take in the log if it were written anew.
    pub fn state_bytes(&mut self, delta: i64) {
        self.ops.push(Op::StateBytes(delta));
    }

    /// When the commit may return; the strongest of all its batches counts.
    pub fn mode(&mut self, mode: Commit) {
        self.mode = self.mode.max(mode);
    }

    /// The owner of the group has written anew whatever of it began in segments up to here.
    pub fn refreshed(&mut self, group: Group, upto: SegmentNumber) {
        self.ops.push(Op::Refreshed { group, upto });
    }

    /// When the commit may return, as far as this batch asks.
    pub const fn commit_mode(&self) -> Commit {
        self.mode
    }

    pub(crate) fn ops(&self) -> &[Op] {
        &self.ops
    }

    pub(crate) fn payload(&self, range: &Range<usize>) -> &[u8] {
        self.payloads.get(range.clone()).unwrap_or_default()
    }
}
