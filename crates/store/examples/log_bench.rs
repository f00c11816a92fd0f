//! Measures the log on a real folder: `log_bench FOLDER [kind [batch [seconds]]]`.
//!
//! A record is a message with a payload of 256 bytes and an entry of 24 bytes that refers to it.
//! `append` only adds them; `queue` releases each again when 10,000 newer ones wait, writes an image
//! of the queue when the log asks for it, and cleans. Every commit is synced. The folder is emptied
//! before each run; `queue` is measured when old segments are being used again. A line is kind, batch, records a second, microseconds of processor a record, and
//! bytes that the process gave to the disk for each. A small run is a test.

#![expect(clippy::print_stdout, reason = "a program that prints its figures")]

use std::{collections::VecDeque, env, error::Error, fs, path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use plexus_store::{
    Batch, ClockMap, Commit, FileDisk, Group, Identity, Log, LogOptions, MessageId, Replay,
};
use plexus_types::{ClientId, Durability, Message, MessageProperties, Qos, Text, TopicName};

const PAYLOAD_BYTES: usize = 256;
/// More than five segments of them.
const WARM: u64 = 1_800_000;
const ENTRY_BYTES: usize = 24;
const WAITING: usize = 10_000;
const GROUP: Group = Group(1);
/// The unit of processor time in /proc, on every Linux of today.
const TICK_MICROS: u64 = 10_000;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let argument = |at: usize| env::args().nth(at);
    let folder = argument(1).ok_or("log_bench FOLDER [append|queue [batch [seconds]]]")?;
    let kind = argument(2).unwrap_or_default();
    let batch: Option<usize> = argument(3).map(|batch| batch.parse()).transpose()?;
    let seconds: u64 = argument(4).map_or(Ok(3), |seconds| seconds.parse())?;
    for kind in ["append", "queue"].into_iter().filter(|name| name.starts_with(&kind)) {
        for batch in batch.map_or_else(|| vec![1, 64, 1_024], |batch| vec![batch]) {
            let folder = Path::new(&folder).join("log_bench");
            let time = Duration::from_secs(seconds);
            let run = Run { kind, batch, time, records_warm: WARM, records_max: u64::MAX };
            let figures = run.measure(&folder)?;
            println!(
                "plexus {kind} {batch} {:.0} records/s {:.3} us {:.0} B",
                figures.records as f64 / figures.time.as_secs_f64(),
                figures.processor_micros as f64 / figures.records as f64,
                figures.disk_bytes as f64 / figures.records as f64,
            );
            fs::remove_dir_all(&folder)?;
        }
    }
    Ok(())
}

struct Run {
    kind: &'static str,
    batch: usize,
    time: Duration,
    records_warm: u64,
    records_max: u64,
}

#[derive(Debug)]
struct Figures {
    records: u64,
    time: Duration,
    processor_micros: u64,
    disk_bytes: u64,
}

struct Nothing;

impl Replay for Nothing {
    fn restart(&mut self) {}

    fn entry(&mut self, _: Group, _: u64, _: u64, _: &[u8]) -> Result<(), String> {
        Ok(())
    }
}

impl Run {
    #[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
    fn measure(&self, folder: &Path) -> Outcome<Figures> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        let identity = Identity { store: 1, hash_seed: 1, created_millis: 1 };
        let options = LogOptions::new(identity, ClockMap::default());
        let mut log = Log::open(FileDisk::open(folder)?, options, &mut Nothing)?;
        log.set_references(std::iter::empty())?;
        let mut queue = Queue::new(self.kind == "queue");
        while queue.delivers && queue.next < self.records_warm {
            queue.turn(&mut log, 1_024)?;
        }
        let (processor, disk) = (processor_micros()?, disk_bytes()?);
        let start = std::time::Instant::now();
        let mut records = 0;
        while start.elapsed() < self.time && records < self.records_max {
            queue.turn(&mut log, self.batch)?;
            records += self.batch as u64;
        }
        Ok(Figures {
            records,
            time: start.elapsed(),
            processor_micros: processor_micros()? - processor,
            disk_bytes: disk_bytes()? - disk,
        })
    }
}

/// One subscriber's messages.
struct Queue {
    template: Message,
    waiting: VecDeque<MessageId>,
    next: u64,
    delivers: bool,
    batch: Batch,
}

impl Queue {
    fn new(delivers: bool) -> Self {
        let template = Message {
            id: MessageId::NONE,
            topic: TopicName::new(Text::from_static("plant/press/7")).expect("a topic"),
            payload: Bytes::from(vec![0x5a; PAYLOAD_BYTES]),
            qos: Qos::AtLeastOnce,
            retain: false,
            properties: MessageProperties::default(),
            expires: None,
            durability: Durability::default(),
            publisher: ClientId::try_from("press-7").expect("a client"),
        };
        let waiting = VecDeque::new();
        Self { template, waiting, next: 1, delivers, batch: Batch::new() }
    }

    fn turn(&mut self, log: &mut Log<FileDisk>, records: usize) -> Outcome<()> {
        self.batch.clear();
        self.batch.mode(Commit::Synced);
        for _ in 0..records {
            let message =
                Arc::new(Message { id: MessageId::new(self.next), ..self.template.clone() });
            self.next += 1;
            self.batch.hold(&message);
            self.batch.entry(GROUP, |out| {
                out.extend_from_slice(&message.id.get().to_le_bytes());
                out.resize(out.len() + ENTRY_BYTES - 8, 0x5a);
            });
            if !self.delivers {
                continue;
            }
            self.waiting.push_back(message.id);
            if self.waiting.len() > WAITING {
                self.batch.release(self.waiting.pop_front().expect("some wait"));
            }
        }
        if let Some(upto) = log.wants_refresh() {
            self.batch.entry(GROUP, |out| {
                out.extend(self.waiting.iter().flat_map(|id| id.get().to_le_bytes()));
            });
            self.batch.refreshed(GROUP, upto);
        }
        log.commit(1, &[&self.batch])?;
        if self.delivers {
            log.clean(1, 256 * 1024)?;
        }
        Ok(())
    }
}

/// User and system time of this process.
fn processor_micros() -> Outcome<u64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: Vec<u64> = behind_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<u64>() * TICK_MICROS)
}

/// What this process has given to the disk.
fn disk_bytes() -> Outcome<u64> {
    let io = fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    Ok(line.map_or(Ok(0), str::parse)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_run_writes_what_it_counts() {
        let folder = env::temp_dir().join(format!("plexus-log-bench-{}", std::process::id()));
        for kind in ["append", "queue"] {
            let time = Duration::MAX;
            let run = Run { kind, batch: 512, time, records_warm: 0, records_max: 12_288 };
            assert_eq!(run.measure(&folder).unwrap().records, 12_288);
            let mut log = Log::open(
                FileDisk::open(&folder).unwrap(),
                LogOptions::new(
                    Identity { store: 2, hash_seed: 2, created_millis: 2 },
                    ClockMap::default(),
                ),
                &mut Nothing,
            )
            .unwrap();
            assert_eq!(log.recovered().entries, 12_288);
            log.set_references([MessageId::new(12_288)].into_iter()).unwrap();
            let payload = log.read(MessageId::new(12_288)).unwrap().payload;
            assert_eq!(payload.len(), PAYLOAD_BYTES);
            assert_eq!(log.identity().store, 1);
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
