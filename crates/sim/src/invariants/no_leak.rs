//! When every client has left, every session has expired and every retained message is deleted, the
//! shards hold nothing.

use plexus_broker::shard::Census;

use super::Invariant;
use crate::{history::History, seen::Seen};

#[derive(Debug)]
pub(super) struct NoLeak;

impl Invariant for NoLeak {
    fn name(&self) -> &'static str {
        "no_leak"
    }

    fn check(&mut self, _: &History, seen: &Seen<'_>) -> Result<(), String> {
        let Seen::Left(censuses) = seen else { return Ok(()) };
        for (shard, census) in censuses.iter().enumerate() {
            if *census != Census::default() {
                return Err(format!("shard {shard} keeps {census:?}"));
            }
        }
        Ok(())
    }
}
