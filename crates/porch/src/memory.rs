//! Watches the resident memory of the process and tells the shards when it crosses a watermark.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::Duration,
};

use crate::{Gauge, Pressure, counters::Counter};

/// Watermarks of the node's resident memory, in bytes; zero for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemoryOptions {
    /// Above it publishers are no longer read.
    pub high: u64,
    /// Above it new connections are refused too.
    pub critical: u64,
}

/// Memory of the process in bytes, written by the thread that watches it; zero before the first
/// reading.
#[derive(Debug, Default)]
pub struct Memory {
    /// All that is resident.
    pub resident: Counter,
    /// What of it is private and behind no file: heap and stacks.
    pub heap: Counter,
}

/// How often memory is read.
const PERIOD: Duration = Duration::from_millis(250);
/// A watermark is left only below this part of it, so that the node does not flutter.
const RELIEF_PERCENT: u64 = 95;

/// What the resident size means, given what held before.
fn judge(options: MemoryOptions, before: Pressure, resident: u64) -> Pressure {
    let above = |mark: u64, level: Pressure| {
        let mark = if before >= level { mark / 100 * RELIEF_PERCENT } else { mark };
        mark > 0 && resident > mark
    };
    if above(options.critical, Pressure::Critical) {
        Pressure::Critical
    } else if above(options.high, Pressure::High) {
        Pressure::High
    } else {
        Pressure::None
    }
}

/// Watches the memory of the process until the sender of `stop` is gone.
pub fn watch_memory(options: MemoryOptions, memory: &Memory, gauge: &Gauge, stop: &Receiver<()>) {
    let mut before = Pressure::None;
    if usage().is_none() && options != MemoryOptions::default() {
        tracing::warn!("the system does not say how much memory is used: watermarks do nothing");
    }
    loop {
        if let Some(Usage { resident, heap }) = usage() {
            memory.resident.set(resident);
            memory.heap.set(heap.unwrap_or(0));
            let now = judge(options, before, resident);
            if now != before {
                tracing::warn!(?before, ?now, resident, "memory watermark crossed");
            }
            gauge.set(now);
            before = now;
        }
        match stop.recv_timeout(PERIOD) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Memory of this process in bytes.
#[derive(Debug, PartialEq, Eq)]
struct Usage {
    resident: u64,
    /// Not every system tells it.
    heap: Option<u64>,
}

/// What this process uses; `None` where the system does not say.
fn usage() -> Option<Usage> {
    read(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// Reads proc_pid_status(5). `RssAnon` is what the allocator and the stacks really hold, whichever
/// allocator it is.
fn read(status: &str) -> Option<Usage> {
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
    };
    Some(Usage { resident: bytes("VmRSS:")?, heap: bytes("RssAnon:") })
}

#[cfg(test)]
mod tests {
    use super::{MemoryOptions, Pressure, Usage, judge, read, usage};

    #[test]
    fn a_watermark_is_entered_at_its_value_and_left_below_it() {
        let options = MemoryOptions { high: 1_000, critical: 2_000 };
        let mut state = Pressure::None;
        for (resident, expected) in [
            (1_000, Pressure::None),
            (1_001, Pressure::High),
            (960, Pressure::High),
            (2_001, Pressure::Critical),
            (1_950, Pressure::Critical),
            (1_800, Pressure::High),
            (900, Pressure::None),
        ] {
            state = judge(options, state, resident);
            assert_eq!(state, expected, "{resident}");
        }
        let off = MemoryOptions::default();
        assert_eq!(judge(off, Pressure::None, u64::MAX), Pressure::None);
    }

    #[test]
    fn the_status_of_a_process_is_read() {
        let status = "Name:\tplexus\nVmRSS:\t    5120 kB\nRssAnon:\t    1024 kB\n";
        assert_eq!(read(status), Some(Usage { resident: 5 << 20, heap: Some(1 << 20) }));
        // Old kernels and sandboxes: the watermarks work all the same.
        let status = "Name:\tplexus\nVmRSS:\t    5120 kB\n";
        assert_eq!(read(status), Some(Usage { resident: 5 << 20, heap: None }));
        assert_eq!(read("Name:\tplexus\n"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_memory_of_this_process_is_read() {
        let usage = usage().unwrap();
        assert!(usage.heap.is_none_or(|heap| heap < usage.resident), "{usage:?}");
    }
}
