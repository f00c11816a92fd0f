//! Random lives of a log against a model of what its owners were told.
//!
//! A seed decides everything: what is written, when the disk fails, when power or process go. After
//! every start the state that replay gives must be one that the log may have: all that was
//! acknowledged, and of what was not at most a further commit. Bodies that the state refers to must
//! read as they were, and once cleaning has come to rest the log must be small.

mod owner;

use super::*;
use crate::{Commit, testing::Plant};
use owner::{Change, Owner, State};

const SEEDS: u64 = 2_000;
const STEPS: usize = 120;
const GROUPS: usize = 5;
const KEYS: usize = 4;
const SMALL: u64 = 4 * 1024;

struct World {
    draw: Seed,
    disk: MemoryDisk,
    options: LogOptions,
    log: Option<Log<MemoryDisk>>,
    owner: Owner,
    /// What the log may hold after a loss of power: states since the last sync, the newest last.
    states: Vec<State>,
    /// States with a commit that failed; each may have come through all the same.
    maybe: Vec<State>,
    now: u64,
    /// How rarely a batch asks for a sync.
    synced_one_in: usize,
    restarts: u64,
    rests: u64,
}

type Checked<T> = Result<T, String>;

impl World {
    fn new(seed: u64, plant: Option<Plant>) -> Self {
        let mut draw = Seed::new(seed).derive(1);
        let mut options = options();
        options.segment_bytes = SMALL;
        options.allowance_bytes = SMALL * draw.below(4) as u64;
        options.bytes_max = if draw.below(4) == 0 { 14 * SMALL } else { 0 };
        options.plant = plant;
        Self {
            disk: MemoryDisk::new(draw.next_u64()),
            options,
            log: None,
            owner: Owner::default(),
            states: vec![State::default()],
            maybe: Vec::new(),
            now: NOW,
            synced_one_in: [1, 2, 2, 12][draw.below(4)],
            restarts: 0,
            rests: 0,
            draw,
        }
    }

    fn log(&mut self) -> &mut Log<MemoryDisk> {
        self.log.as_mut().unwrap()
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.draw.below(bound) == 0
    }

    fn live(&mut self) -> Checked<()> {
        self.start(false)?;
        for _ in 0..STEPS {
            self.now += self.draw.below(50) as u64;
            if self.one_in(4) {
                check_bodies(self.log.as_ref().unwrap(), &self.owner)?;
            }
            match self.draw.below(40) {
                0 => {
                    self.close();
                    self.start(false)?;
                }
                1 => {
                    self.power_loss();
                    self.start(true)?;
                }
                2 | 3 => self.plan_fault(),
                4..14 => self.clean()?,
                _ => self.commit(),
            }
        }
        self.rest()?;
        self.power_loss();
        self.start(true)
    }

    /// Half of the lives of a process end on purpose; of those some lose their power behind that.
    fn close(&mut self) {
        let (now, before) = (self.now, self.log().stat().written_bytes);
        if self.one_in(2) && self.log().close(now).is_ok() {
            self.states = vec![self.owner.state.clone()];
            // Where it was closed before, what failed since then stays behind that.
            if self.log().stat().written_bytes > before {
                self.maybe.clear();
            }
            if self.one_in(2) {
                self.power_loss();
            }
        }
    }

    fn power_loss(&mut self) {
        self.log = None;
        let seed = self.draw.next_u64();
        self.disk.crash(seed);
    }

    fn plan_fault(&mut self) {
        let calls = [Call::Create, Call::Name, Call::Read, Call::Write, Call::Sync, Call::Sync];
        let faults = [Fault::NoSpace, Fault::Device, Fault::Half];
        let (call, fault) = (calls[self.draw.below(6)], faults[self.draw.below(3)]);
        self.disk.fail(call, 1 + self.draw.below(6) as u64, fault);
    }

    /// Random changes, in one to three batches.
    fn commit(&mut self) {
        let mut owner = self.owner.clone();
        let mut batches = Vec::new();
        let before = owner.bytes();
        for _ in 0..=self.draw.below(3) {
            let mut batch = Batch::new();
            for _ in 0..self.draw.below(5) {
                let change = Change::drawn(&mut self.draw, &owner);
                owner.make(&change, &mut batch);
            }
            if self.one_in(self.synced_one_in) {
                batch.mode(Commit::Synced);
            }
            batches.push(batch);
        }
        batches[0].state_bytes(owner.bytes() - before);
        self.put(&batches, &owner, &[]);
        if self.maybe.last() == Some(&owner.state) && self.one_in(2) {
            self.put(&batches, &owner, &[]);
        }
    }

    /// Commits; the owner is what the owners are when it succeeds, `images` the keys that have
    /// been written anew.
    fn put(&mut self, batches: &[Batch], owner: &Owner, images: &[(u16, u8)]) {
        let batches: Vec<_> = batches.iter().collect();
        let now = self.now;
        let before = self.log().stat().commits;
        match self.log().commit(now, &batches) {
            Ok(committed) => {
                self.owner = owner.clone();
                self.owner.based(committed.segment, images);
                if batches.iter().any(|batch| batch.commit_mode() == Commit::Synced) {
                    self.states.clear();
                }
                self.states.push(self.owner.state.clone());
                // A commit of nothing leaves what failed before it where it is.
                if self.log().stat().commits > before {
                    self.maybe.clear();
                }
            }
            Err(_) => self.maybe.push(owner.state.clone()),
        }
    }

    fn clean(&mut self) -> Checked<()> {
        if let Some(upto) = self.log().wants_refresh() {
            let (mut owner, mut batch) = (self.owner.clone(), Batch::new());
            let images = owner.refresh(upto, &mut batch);
            for group in 0..GROUPS as u16 {
                batch.refreshed(Group(group), upto);
            }
            if self.draw.below(2) == 0 {
                batch.mode(Commit::Synced);
            }
            self.put(&[batch], &owner, &images);
        }
        let (now, budget) = (self.now, 1 + self.draw.below(4_000));
        match self.log().clean(now, budget) {
            Ok(_) | Err(LogError::Full { .. } | LogError::Io { .. }) => Ok(()),
            Err(error) => Err(format!("cleaning: {error}")),
        }
    }

    /// Cleans until there is nothing to clean.
    fn rest(&mut self) -> Checked<()> {
        self.disk.heal();
        for _ in 0..10_000 {
            self.clean()?;
            let more = self.log().clean(NOW, SMALL as usize).map_err(|error| error.to_string())?;
            if !more && self.log().wants_refresh().is_none() {
                break;
            }
        }
        let stat = self.log().stat();
        let living = stat.body_bytes + stat.state_bytes;
        let most = 2 * living + self.options.allowance_bytes + 2 * SMALL;
        // A segment of its own size counts as what it is.
        let large = self.log().segments.iter().map(|segment| segment.length).max().unwrap_or(0);
        // What came while it was cleaned may have brought it to rest above that.
        let most = most.max(stat.rest_bytes + stat.rest_bytes / 2);
        self.rests += u64::from(stat.rest_bytes > 0);
        if stat.segment_bytes > most + 2 * (large - SMALL) {
            return Err(format!("at rest the log has {} bytes of {most}", stat.segment_bytes));
        }
        Ok(())
    }

    /// A start of the process, after a loss of power or of the process alone.
    fn start(&mut self, power: bool) -> Checked<()> {
        self.log = None;
        self.restarts += 1;
        if self.one_in(3) {
            let fault = if self.one_in(2) { Fault::Half } else { Fault::Device };
            let call = [Call::Read, Call::Read, Call::Write, Call::Sync][self.draw.below(4)];
            self.disk.fail(call, 1 + self.draw.below(8) as u64, fault);
        }
        let mut read = Owner::default();
        let log = match Log::open(self.disk.clone(), self.options.clone(), &mut read) {
            Err(OpenError::Io { .. }) => {
                self.disk.heal();
                read = Owner::default();
                Log::open(self.disk.clone(), self.options.clone(), &mut read)
            }
            opened => opened,
        };
        let mut log = log.map_err(|error| error.to_string())?;
        self.disk.heal();
        // Only a loss of power takes what was written and not synced.
        let lost_at_most = if power { self.states.len() } else { 1 };
        let kept = self.states.iter().rev().take(lost_at_most);
        if !kept.chain(&self.maybe).any(|state| *state == read.state) {
            return Err(format!("replay gives {:?} and not {:?}", read.state, self.states));
        }
        log.set_references(read.held()).map_err(|missing| missing.to_string())?;
        check_bodies(&log, &read)?;
        let mut whole = Batch::new();
        whole.state_bytes(read.bytes());
        log.commit(NOW, &[&whole]).map_err(|error| error.to_string())?;
        read.next = log.next_message_id().get();
        read.epoch = self.restarts;
        self.states = vec![read.state.clone()];
        self.maybe.clear();
        self.owner = read;
        self.log = Some(log);
        Ok(())
    }
}

fn check_bodies(log: &Log<MemoryDisk>, owner: &Owner) -> Checked<()> {
    for (id, epoch) in owner.state.values().flat_map(|value| &value.held) {
        let stored = match log.read(MessageId::new(*id)) {
            // A read that was told to fail.
            Err(LogError::Io { .. } | LogError::Full { .. }) => continue,
            read => read.map_err(|error| error.to_string())?,
        };
        if stored.into_message(&log.options.clock) != *owner::message(*id, *epoch) {
            return Err(format!("message {id} has changed"));
        }
        if log.next_message_id().get() <= *id {
            return Err(format!("message {id} would be given again"));
        }
    }
    Ok(())
}

fn life(seed: u64, plant: Option<Plant>) -> Checked<(u64, u64)> {
    let mut world = World::new(seed, plant);
    world.live().map(|()| (world.restarts, world.rests))
}

#[test]
fn two_thousand_lives_keep_what_was_promised() {
    let (mut restarts, mut rests) = (0, 0);
    for seed in 0..SEEDS {
        match life(seed, None) {
            Ok((started, rested)) => {
                restarts += started;
                rests += rested;
            }
            Err(what) => panic!("seed {seed}: {what}"),
        }
    }
    assert!(restarts > 4 * SEEDS, "{restarts} restarts");
    assert!(rests < SEEDS / 20, "{rests} logs are larger than they should be");
}

#[test]
fn an_acknowledgement_before_the_sync_is_found() {
    let found = (0..100).find(|seed| life(*seed, Some(Plant::AcknowledgeBeforeSync)).is_err());
    assert!(found.is_some());
}

#[test]
fn a_segment_that_goes_with_living_bodies_is_found() {
    let found = (0..100).find(|seed| life(*seed, Some(Plant::DeleteLiving)).is_err());
    assert!(found.is_some());
}
