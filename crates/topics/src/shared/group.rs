//! One group: its seats, and in what order those that can take a message are asked.

use std::sync::Arc;

use plexus_stdx::Arena;

use super::{
    Member, MemberOptions, MemberState, Pick, Selected, Strategy,
    order::{Anchored, Dense, Rank, Ranked},
};

/// About what an order takes for one seat.
const ORDER_BYTES: usize = 32;

/// The place of a member in a group.
#[derive(Debug)]
pub(super) struct Seat {
    member: Member,
    options: MemberOptions,
    state: MemberState,
    /// Its key in a [`Ranked`] tier.
    rank: Rank,
}

impl Seat {
    pub(super) fn new(member: Member, options: MemberOptions, state: MemberState) -> Self {
        Self { member, options, state, rank: Rank::default() }
    }

    /// With whom it stands: those who can take a message, those who are away and whose sessions
    /// have room, and those who were full when last heard of.
    const fn tier(&self) -> usize {
        match (self.state.online, self.state.full) {
            (true, false) => 0,
            (false, false) => 1,
            (_, true) => 2,
        }
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Group {
    /// The whole filter.
    filter: Arc<str>,
    strategy: Strategy,
    seats: Arena<Option<Seat>>,
    tiers: Tiers,
    /// Counts the turns given: who has the lowest waits longest.
    turns: u64,
    /// The rank's group of the seat that was picked last.
    last: u64,
    /// The seat that [`Strategy::Sticky`] sticks to.
    current: Option<u32>,
}

const TIERS: usize = 3;

/// The seats of each tier.
#[derive(Debug)]
enum Tiers {
    /// For strategies that go by turn or load.
    Ranked([Ranked; TIERS]),
    /// For strategies that draw.
    Dense([Dense; TIERS]),
    /// For strategies that hash: `all` has every seat.
    Anchored { all: Anchored, tiers: [Dense; TIERS] },
}

/// One of the tiers.
#[derive(Debug)]
enum Tier<'a> {
    Ranked(&'a mut Ranked),
    Dense(&'a mut Dense),
}

impl Tiers {
    fn of(&mut self, tier: usize) -> Tier<'_> {
        const KNOWN: &str = "invariant: one of the tiers";
        match self {
            Self::Ranked(tiers) => Tier::Ranked(tiers.get_mut(tier).expect(KNOWN)),
            Self::Dense(tiers) | Self::Anchored { tiers, .. } => {
                Tier::Dense(tiers.get_mut(tier).expect(KNOWN))
            }
        }
    }
}

impl Group {
    pub(super) fn filter(&self) -> &Arc<str> {
        &self.filter
    }

    /// In no order.
    pub(super) fn members(&self) -> impl Iterator<Item = Member> {
        self.seats.cells().flatten().map(|seat| seat.member)
    }

    pub(super) fn new(strategy: Strategy, filter: Arc<str>) -> Self {
        let tiers = match strategy {
            Strategy::RoundRobin | Strategy::Local | Strategy::LeastInflight => {
                Tiers::Ranked(Default::default())
            }
            Strategy::Random | Strategy::Sticky => Tiers::Dense(Default::default()),
            Strategy::HashClient | Strategy::HashTopic => {
                Tiers::Anchored { all: Anchored::default(), tiers: Default::default() }
            }
        };
        Self { filter, strategy, seats: Arena::new(), tiers, turns: 0, last: 0, current: None }
    }

    pub(super) fn add(&mut self, seat: Seat) -> u32 {
        let name = self.seats.insert(Some(seat));
        if let Tiers::Anchored { all, .. } = &mut self.tiers {
            all.insert(name);
        }
        self.line_up(name);
        name
    }

    pub(super) fn remove(&mut self, name: u32) {
        self.step_out(name);
        if let Tiers::Anchored { all, .. } = &mut self.tiers {
            all.remove(name);
        }
        if self.current == Some(name) {
            self.current = None;
        }
        self.seats.remove(name, None);
    }

    pub(super) fn set_options(&mut self, name: u32, options: MemberOptions) {
        self.seat_mut(name).options = options;
    }

    pub(super) fn set_state(&mut self, name: u32, state: MemberState) {
        let by_load = self.strategy == Strategy::LeastInflight;
        let seat = self.seat_mut(name);
        let before = seat.state;
        let moves = before.online != state.online || before.full != state.full;
        let weighs = by_load && before.inflight != state.inflight;
        if !moves && !weighs {
            return;
        }
        self.step_out(name);
        self.seat_mut(name).state = state;
        if moves {
            self.line_up(name);
        } else {
            // Only its load is another: it keeps its turn among equals.
            let turn = self.seat(name).rank.turn;
            self.line_up_at(name, turn);
        }
    }

    pub(super) fn select(&mut self, key: u64, pick: &Pick<'_>) -> Option<Selected> {
        let (seats, tried) = (&self.seats, pick.tried);
        let fits =
            |name: u32| seats.get(name).as_ref().is_some_and(|seat| !tried.contains(&seat.member));
        let name = match &self.tiers {
            Tiers::Ranked(tiers) => {
                let from = Rank { group: Self::group_of(self.strategy, pick.local_shard), turn: 0 };
                let other = Rank { group: self.last.saturating_add(1), turn: 0 };
                tiers.iter().find_map(|tier| match self.strategy {
                    Strategy::Local => tier.within(from, fits).or_else(|| tier.from(other, fits)),
                    _ => tier.from(Rank::default(), fits),
                })
            }
            Tiers::Dense(tiers) => {
                let tier = tiers.iter().position(|tier| tier.has(fits))?;
                let stands = |name: &u32| self.seat(*name).tier() == tier && fits(*name);
                let drawn = || tiers.get(tier).and_then(|tier| tier.next_from(key, fits));
                self.current.filter(stands).or_else(drawn)
            }
            Tiers::Anchored { all, tiers } => {
                let tier = tiers.iter().position(|tier| tier.has(fits))?;
                let stands = |name: u32| self.seat(name).tier() == tier && fits(name);
                // Where hardly anybody fits, the key is hashed to those who do.
                let other = || tiers.get(tier).and_then(|tier| tier.next_from(key, fits));
                all.by_key(key, stands).or_else(other)
            }
        }?;
        self.note(name);
        let seat = self.seat(name);
        Some(Selected { member: seat.member, options: seat.options })
    }

    pub(super) const fn strategy(&self) -> Strategy {
        self.strategy
    }

    pub(super) fn is_empty(&self) -> bool {
        self.seats.len() == 0
    }

    /// The bytes of the group, the orders reckoned.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.seats.memory() + self.seats.len() * ORDER_BYTES
    }

    /// A member was picked: it goes to the end of the line.
    fn note(&mut self, name: u32) {
        if self.strategy == Strategy::Sticky {
            self.current = Some(name);
        }
        if let Tiers::Ranked(_) = self.tiers {
            self.last = self.seat(name).rank.group;
            self.step_out(name);
            self.line_up(name);
        }
    }

    /// Puts a seat into the tier that it belongs to, at the end of the line.
    fn line_up(&mut self, name: u32) {
        self.turns += 1;
        self.line_up_at(name, self.turns);
    }

    fn line_up_at(&mut self, name: u32, turn: u64) {
        let strategy = self.strategy;
        let seat = self.seat_mut(name);
        let group = match strategy {
            Strategy::LeastInflight => u64::from(seat.state.inflight),
            _ => Self::group_of(strategy, seat.member.shard),
        };
        seat.rank = Rank { group, turn };
        let (rank, tier) = (seat.rank, seat.tier());
        match self.tiers.of(tier) {
            Tier::Ranked(tier) => tier.insert(rank, name),
            Tier::Dense(tier) => tier.insert(name),
        }
    }

    fn step_out(&mut self, name: u32) {
        let seat = self.seat(name);
        let (rank, tier) = (seat.rank, seat.tier());
        match self.tiers.of(tier) {
            Tier::Ranked(tier) => tier.remove(rank),
            Tier::Dense(tier) => tier.remove(name),
        }
    }

    /// What is looked at before the turn.
    const fn group_of(strategy: Strategy, shard: u16) -> u64 {
        match strategy {
            Strategy::Local => shard as u64,
            _ => 0,
        }
    }

    fn seat(&self, name: u32) -> &Seat {
        self.seats.get(name).as_ref().expect("invariant: a seat in use")
    }

    fn seat_mut(&mut self, name: u32) -> &mut Seat {
        self.seats.get_mut(name).as_mut().expect("invariant: a seat in use")
    }
}
