//! Reading on several threads: whoever reads the log hands each entry of a session to the thread that has
//! its group, and keeps the rest. What a thread has drawn up is put together at the end.

use std::{
    panic::resume_unwind,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::{self, Scope, ScopedJoinHandle},
};

use plexus_stdx::Seed;
use plexus_store::{Group, OpenError, Replay, SegmentNumber};

use plexus_records::{Progress, Record};

use crate::Recovery;

/// Bytes of entries that are handed over at a time.
const BLOCK_BYTES: usize = 64 * 1024;
/// Blocks that wait for a thread.
const BLOCKS: usize = 8;

/// Some entries of a segment, in order.
#[derive(Debug, Default)]
struct Block {
    segment: SegmentNumber,
    entries: Vec<Entry>,
    bytes: Vec<u8>,
}

#[derive(Debug)]
struct Entry {
    group: Group,
    index: u64,
    at_millis: u64,
    bytes: u32,
}

#[derive(Debug)]
enum Order {
    Take(Block),
    Restart,
}

/// What a thread has drawn up, or the entry that it could not read.
type Drawn = Result<Recovery, OpenError>;

#[derive(Debug)]
struct Member<'scope> {
    orders: SyncSender<Order>,
    block: Block,
    thread: ScopedJoinHandle<'scope, Drawn>,
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Crew<'scope> {
    front: Recovery,
    members: Vec<Member<'scope>>,
}

impl<'scope> Crew<'scope> {
    /// Starts the threads.
    pub fn new(
        scope: &'scope Scope<'scope, '_>,
        threads: u16,
        seed: Seed,
        progress: Progress,
    ) -> std::io::Result<Self> {
        let mut members = Vec::new();
        for number in 0..threads {
            let (orders, orders_in) = sync_channel(BLOCKS);
            let name = format!("recovery-{number}");
            let work = move || draw_up(Recovery::new(seed), &orders_in);
            let thread = thread::Builder::new().name(name).spawn_scoped(scope, work)?;
            members.push(Member { orders, block: Block::default(), thread });
        }
        Ok(Self { front: Recovery::new(seed).with_progress(progress), members })
    }

    /// Everything that the log said.
    pub fn finish(self) -> Result<Recovery, OpenError> {
        let Self { front: mut whole, mut members } = self;
        members.iter_mut().for_each(Member::flush);
        // Nobody waits for an order any more before the first is waited for.
        let threads: Vec<_> = members.into_iter().map(|member| member.thread).collect();
        for thread in threads {
            whole.merge(thread.join().unwrap_or_else(|panic| resume_unwind(panic))?);
        }
        Ok(whole)
    }
}

impl Replay for Crew<'_> {
    fn segment(&mut self, segment: SegmentNumber) {
        self.front.segment(segment);
        for member in &mut self.members {
            member.flush();
            member.block.segment = segment;
        }
    }

    fn entry(
        &mut self,
        group: Group,
        index: u64,
        at_millis: u64,
        payload: &[u8],
    ) -> Result<(), String> {
        if !Record::is_of_session(payload) {
            return self.front.entry(group, index, at_millis, payload);
        }
        if let Some((key, given)) = Record::queued(payload) {
            self.front.note_given(group, key, given);
        }
        let at = usize::from(group.0) % self.members.len();
        if let Some(member) = self.members.get_mut(at) {
            member.hand(group, index, at_millis, payload);
        }
        Ok(())
    }

    fn restart(&mut self) {
        self.front.restart();
        for member in &mut self.members {
            member.flush();
            // A thread that is gone has panicked, which shows when it is joined.
            drop(member.orders.send(Order::Restart));
        }
    }

    fn progress(&mut self, done: u64, total: u64) {
        self.front.progress(done, total);
    }
}

impl Member<'_> {
    fn hand(&mut self, group: Group, index: u64, at_millis: u64, payload: &[u8]) {
        let bytes = payload.len() as u32;
        self.block.entries.push(Entry { group, index, at_millis, bytes });
        self.block.bytes.extend_from_slice(payload);
        if self.block.bytes.len() >= BLOCK_BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if self.block.entries.is_empty() {
            return;
        }
        let next = Block {
            segment: self.block.segment,
            entries: Vec::with_capacity(self.block.entries.len()),
            bytes: Vec::with_capacity(self.block.bytes.len()),
        };
        let block = std::mem::replace(&mut self.block, next);
        // A thread that is gone has panicked, which shows when it is joined.
        drop(self.orders.send(Order::Take(block)));
    }
}

/// The work of a thread. After an entry that cannot be read nothing more is looked at, unless everything
/// begins anew.
fn draw_up(mut recovery: Recovery, orders: &Receiver<Order>) -> Drawn {
    let mut refused = None;
    while let Ok(order) = orders.recv() {
        match order {
            Order::Take(block) if refused.is_none() => refused = take(&mut recovery, &block).err(),
            Order::Take(_) => {}
            Order::Restart => {
                recovery.restart();
                refused = None;
            }
        }
    }
    refused.map_or(Ok(recovery), Err)
}

fn take(recovery: &mut Recovery, block: &Block) -> Result<(), OpenError> {
    recovery.segment(block.segment);
    let mut rest = block.bytes.as_slice();
    for Entry { group, index, at_millis, bytes } in &block.entries {
        let (payload, behind) = rest.split_at(*bytes as usize);
        rest = behind;
        recovery.entry(*group, *index, *at_millis, payload).map_err(|reason| {
            let file = block.segment.file_name();
            OpenError::Refused { file, group: *group, index: *index, reason }
        })?;
    }
    Ok(())
}
