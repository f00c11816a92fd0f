use std::{env, fs, sync::mpsc::sync_channel};

use bytes::Bytes;
use plexus_stdx::Seed;
use plexus_store::{Commit, Group, Identity, LogOptions, OpenError, Replay};
use plexus_types::{ClientId, Durability, MessageProperties, Qos, TopicName};

use super::*;
use crate::options::NodeOptions;

const SEGMENT: u64 = 64 * 1024;
const SEGMENTS: u64 = 12;

/// A folder of its own, gone when dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // Below the system's folder for such things: what stays does no harm.
        drop(fs::remove_dir_all(&self.0));
    }
}

struct Nothing;

impl Replay for Nothing {
    fn entry(&mut self, _: Group, _: u64, _: u64, _: &[u8]) -> Result<(), String> {
        Ok(())
    }
    fn restart(&mut self) {}
}

fn log_options() -> LogOptions {
    let identity = Identity { store: 1, hash_seed: 1, created_millis: 1 };
    LogOptions {
        segment_bytes: SEGMENT,
        bytes_max: SEGMENTS * SEGMENT,
        ..LogOptions::new(identity, ClockMap::default())
    }
}

/// The log's thread without the thread, and its one shard.
struct Bench {
    logger: Logger,
    jobs: Option<SyncSender<Job>>,
    controls: Receiver<Control>,
    context: Arc<Context>,
    mark: Mark,
    sent: u64,
    folder: Folder,
}

impl Bench {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("plexus-{name}-{}", std::process::id()));
        let disk = FileDisk::open(&folder).unwrap();
        let mut log = Log::open(disk, log_options(), &mut Nothing).unwrap();
        log.set_references(std::iter::empty()).unwrap();
        let place = LogPlace {
            folder: folder.clone(),
            segment_bytes: SEGMENT,
            bytes_max: SEGMENTS * SEGMENT,
        };
        let node = NodeOptions { log: Some(place), ..NodeOptions::default() };
        let context = Context::new(node, Seed::new(1));
        let poll = mio::Poll::new().unwrap();
        let bell = Bell::new(mio::Waker::new(poll.registry(), mio::Token(0)).unwrap());
        let (control, controls) = sync_channel(JOBS);
        let (jobs, jobs_in) = sync_channel(JOBS);
        let mark = Mark::default();
        let logger = Logger::new(Parts {
            log,
            jobs: jobs_in,
            owners: vec![Owner { control, bell, mark: mark.clone() }],
            context: Arc::clone(&context),
            clock: Clock::start(Instant::ZERO),
            maker: None,
        });
        let folder = Folder(folder);
        Self { logger, jobs: Some(jobs), controls, context, mark, sent: 0, folder }
    }

    fn send(&mut self, make: impl FnOnce(&mut Batch)) {
        let mut batch = Batch::new();
        batch.mode(Commit::Synced);
        make(&mut batch);
        self.sent += 1;
        let upto = LogPosition::new(self.sent);
        self.jobs.as_ref().unwrap().send(Job::Commit { shard: 0, batch, upto }).unwrap();
    }

    fn hold(&mut self, id: u64, bytes: usize) {
        let message = message(id, bytes);
        self.send(|batch| {
            batch.entry(Group(0), |out| out.push(0));
            batch.hold(&message);
        });
    }

    fn release(&mut self, id: u64) {
        self.send(|batch| {
            batch.entry(Group(0), |out| out.push(2));
            batch.release(MessageId::new(id));
        });
    }

    /// Rounds of the thread, and what the shard does about it, until nothing is left to do.
    fn work(&mut self) {
        for _ in 0..10_000 {
            self.logger.gather(Duration::ZERO);
            if !self.logger.waiting.is_empty() {
                self.logger.commit();
            }
            let more = self.logger.clean_enough();
            let mut told = false;
            while let Ok(control) = self.controls.try_recv() {
                if let Control::Refresh(segment) = control {
                    told = true;
                    self.send(|batch| {
                        batch.entry(Group(0), |out| out.push(1));
                        batch.refreshed(Group(0), segment);
                    });
                }
            }
            let kept = self.mark.read().get() == self.sent;
            if !more && !told && kept {
                return;
            }
        }
        panic!("it does not come to an end: {} of {}", self.mark.read().get(), self.sent);
    }
}

fn message(id: u64, bytes: usize) -> Arc<Message> {
    Arc::new(Message {
        id: MessageId::new(id),
        topic: TopicName::try_from("a/b").unwrap(),
        payload: Bytes::from(vec![1; bytes]),
        qos: Qos::AtLeastOnce,
        retain: false,
        properties: MessageProperties::default(),
        expires: None,
        durability: Durability::Synced,
        publisher: ClientId::try_from("p").unwrap(),
    })
}

/// What makes room may stand behind what the shards had already taken when it became full.
#[test]
fn a_full_log_is_emptied_by_what_waits_for_it() {
    let mut bench = Bench::new("full-log");
    let mut held = 0;
    while !bench.context.log.takes_nothing_new() {
        held += 1;
        bench.hold(held, 8_000);
        bench.work();
    }
    assert!(held > 20, "{held}");
    for _ in 0..3 * SEGMENT / 8_000 {
        held += 1;
        bench.hold(held, 8_000);
    }
    for id in 1..=held {
        bench.release(id);
    }
    bench.work();
    assert_eq!(bench.mark.read().get(), bench.sent);
    assert!(!bench.context.log.takes_nothing_new(), "{:?}", bench.logger.log.stat());
}

#[test]
fn what_is_under_way_is_as_small_as_the_segments() {
    let place = |segment_bytes| LogPlace { folder: PathBuf::new(), segment_bytes, bytes_max: 0 };
    let parts = |mib: u64, shards| {
        let place = place(mib << 20);
        [place.commit_bytes(), place.turn_bytes(shards), place.unkept_bytes(shards)]
    };
    assert_eq!(parts(64, 2), [16 * 1024 * KIB, 4 * 1024 * KIB, 16 * 1024 * KIB]);
    assert_eq!(parts(1024, 64), [16 * 1024 * KIB, 4 * 1024 * KIB, 16 * 1024 * KIB]);
    assert_eq!(parts(1, 2), [256 * KIB, 256 * KIB, 512 * KIB]);
    assert_eq!(parts(1, 64), [256 * KIB, 64 * KIB, 64 * KIB]);
}

const KIB: usize = 1024;

/// One commit takes so much, and the next the rest.
#[test]
fn what_waits_is_written_in_parts() {
    let mut bench = Bench::new("parts");
    for id in 1..=40 {
        bench.hold(id, 1 << 20);
    }
    bench.work();
    assert_eq!(bench.mark.read().get(), bench.sent);
    assert!(bench.logger.log.stat().commits >= 3, "{:?}", bench.logger.log.stat());
}

/// As long as nothing stands behind it, damage to the last commit passes for what a crash has left.
#[test]
fn a_log_that_was_ended_takes_no_damage_for_what_was_being_written() {
    let mut bench = Bench::new("ended");
    bench.hold(1, 1_000);
    bench.jobs = None;
    let Bench { logger, folder, .. } = bench;
    logger.run();
    let file = folder.0.join(SegmentNumber::new(1).file_name());
    let mut bytes = fs::read(&file).unwrap();
    bytes[700] ^= 1;
    fs::write(&file, bytes).unwrap();
    let error = Log::open(FileDisk::open(&folder.0).unwrap(), log_options(), &mut Nothing);
    assert!(matches!(error, Err(OpenError::Damaged { offset: 512, .. })), "{error:?}");
}

#[test]
fn a_log_that_cannot_be_written_lets_the_node_stop() {
    let mut bench = Bench::new("stop");
    fs::remove_dir_all(&bench.folder.0).unwrap();
    for id in 1..=17 {
        bench.hold(id, 1 << 20);
    }
    bench.jobs = None;
    bench.logger.run();
    assert!(bench.context.log.is_failing());
    assert_eq!(bench.mark.read().get(), 0);
}

/// Nobody may have anything to write for days.
#[test]
fn a_log_that_is_taken_away_is_an_alarm_and_ends_it_when_it_is_back() {
    let mut bench = Bench::new("gone");
    bench.hold(1, 1_000);
    bench.work();
    let away = bench.folder.0.with_extension("away");
    let look = |bench: &mut Bench| {
        (bench.logger.measure_at, bench.logger.clean_at) = (Instant::ZERO, None);
        bench.logger.tend();
        // As if the time had come to try again.
        bench.logger.retry_at = bench.logger.retry_at.map(|_| Instant::ZERO);
        bench.logger.commit_due(true);
        bench.context.alarms.all().remove("store/failing").map(|alarm| alarm.text)
    };
    fs::rename(&bench.folder.0, &away).unwrap();
    let told = look(&mut bench).expect("an alarm");
    assert!(told.starts_with("0000000000000001.seg is not in its folder any more; "), "{told}");
    assert!(bench.context.log.is_failing());
    assert!(look(&mut bench).is_some());
    fs::rename(&away, &bench.folder.0).unwrap();
    assert_eq!(look(&mut bench), None);
    assert!(!bench.context.log.is_failing());
    bench.hold(2, 1_000);
    bench.work();
    assert_eq!(look(&mut bench), None);
}
