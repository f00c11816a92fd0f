//! What each step does and when it is over.

use std::{io, time::Duration};

use plexus_types::Instant;

use super::{Census, Command, Count, Counts, Director, Watch};
use crate::plan::{Role, Step};

/// How long the slowest connection may take beyond the last one that came up: the socket's time and
/// the answer's.
const CONNECT_PATIENCE: Duration = Duration::from_secs(35);
/// How long nothing may move after somebody wanted the end.
const HURRY: Duration = Duration::from_secs(2);

impl Director {
    pub(super) fn step(&mut self, step: &Step, watch: &mut dyn Watch) -> io::Result<()> {
        // Who interrupts a run still wants the good-byes and the numbers.
        if self.ending && !matches!(step, Step::Leave { .. }) {
            return Ok(());
        }
        self.step = self.named(step);
        match step {
            Step::Connect { group, anew, measured } => {
                self.connect(*group, *anew, *measured, watch)
            }
            Step::Publish { groups, warm_up, time, measured } => {
                self.publish(groups, (*warm_up, *time), *measured, watch)
            }
            Step::Settle => self.settle(watch),
            Step::Subscribe { group } => self.subscribe(*group, watch),
            Step::Churn { group, time } => self.churn(*group, *time, watch),
            Step::Hold { time, measured } => self.hold(*time, *measured, watch),
            Step::Collect { group, measured } => self.collect(*group, measured, watch),
            Step::Leave { group, forget } => self.leave(*group, *forget, watch),
        }
    }

    fn named(&self, step: &Step) -> String {
        let name = |group: &usize| {
            self.shared.plan.workload.groups.get(*group).map_or("", |one| one.name.as_str())
        };
        match step {
            Step::Connect { group, .. } => format!("connecting {}", name(group)),
            Step::Publish { measured: Some(name), .. }
            | Step::Hold { measured: Some(name), .. }
            | Step::Collect { measured: name, .. } => format!("traffic: {name}"),
            Step::Publish { measured: None, .. } => "clearing up".to_owned(),
            Step::Settle => "waiting for what is under way".to_owned(),
            Step::Subscribe { .. } => "subscribing".to_owned(),
            Step::Churn { .. } => "connecting and leaving".to_owned(),
            Step::Hold { measured: None, .. } => "holding connections".to_owned(),
            Step::Leave { group, .. } => format!("disconnecting {}", name(group)),
        }
    }

    /// Looks until `done` says 1 or more, or `moves` has stood still for the patience, or somebody wants
    /// the end. Gives the time of the last movement.
    fn until(
        &mut self,
        patience: Duration,
        watch: &mut dyn Watch,
        mut moves: impl FnMut(&Counts) -> u64,
        mut done: impl FnMut(&Self, &Counts) -> f64,
    ) -> io::Result<Instant> {
        let mut counts = self.shared.counts();
        let begin = self.clock.now();
        let (mut last, mut changed) = (moves(&counts), begin);
        loop {
            let share = done(self, &counts);
            if share >= 1.0 || (self.ending && !self.patient) {
                break;
            }
            counts = self.look(watch, Some(share))?;
            let (moved, now) = (moves(&counts), self.clock.now());
            let patience = if self.ending { patience.min(HURRY) } else { patience };
            if moved != last {
                (last, changed) = (moved, now);
            } else if now.saturating_since(changed) > patience {
                break;
            }
        }
        // More exact than the time of the look.
        Ok(self.shared.moved().max(begin))
    }

    fn until_time(&mut self, end: Instant, watch: &mut dyn Watch) -> io::Result<()> {
        let begin = self.clock.now();
        let whole = end.saturating_since(begin).as_secs_f64().max(f64::MIN_POSITIVE);
        while !self.ending && self.clock.now() < end {
            let share = self.clock.now().saturating_since(begin).as_secs_f64() / whole;
            self.look(watch, Some(share))?;
        }
        Ok(())
    }

    fn connect(
        &mut self,
        group: usize,
        anew: bool,
        measured: Option<&'static str>,
        watch: &mut dyn Watch,
    ) -> io::Result<()> {
        let mark = self.begin_part()?;
        let (begin, before) = (mark.at, &mark.counts);
        self.crew.order(&Command::Measure(begin, Instant::FAR_FUTURE));
        self.crew.order(&Command::Connect { group, anew, begin });
        let end = self.until_connected(group, before, watch)?;
        if let Some(name) = measured {
            self.flush()?;
            let after = self.mark();
            self.end_part(name, end, &mark, &after);
        }
        // Nobody of this run is there: what follows would only wait.
        let after = self.shared.counts();
        self.ending |= after.of(group, Census::Ready) == before.of(group, Census::Ready)
            && after.of(group, Census::Failed) > before.of(group, Census::Failed);
        Ok(())
    }

    fn until_connected(
        &mut self,
        group: usize,
        before: &Counts,
        watch: &mut dyn Watch,
    ) -> io::Result<Instant> {
        let count = self.shared.plan.workload.groups.get(group).map_or(0, |one| one.count);
        let before = before.clone();
        self.until(CONNECT_PATIENCE, watch, connections, move |director, counts| {
            1.0 - director.missing(counts, group, &before) as f64 / f64::from(count.max(1))
        })
    }

    fn publish(
        &mut self,
        groups: &[usize],
        (warm_up, time): (Duration, Option<Duration>),
        measured: Option<&'static str>,
        watch: &mut dyn Watch,
    ) -> io::Result<()> {
        let mut mark = self.begin_part()?;
        let begin = mark.at;
        let from = begin + warm_up;
        let to = time.map_or(Instant::FAR_FUTURE, |time| from + time);
        for group in groups {
            let measured = (from, to);
            self.crew.order(&Command::Publish { group: *group, begin, measured });
        }
        self.roam(begin);
        let end = if time.is_some() {
            self.until_time(from, watch)?;
            // What was recorded of the warm-up is dropped by its due times.
            mark = self.mark();
            self.until_time(to, watch)?;
            self.clock.now()
        } else {
            let wanted = self.messages_of(groups) + gone_out(&mark.counts);
            let patience = self.shared.plan.patience;
            self.until(patience, watch, messages, move |director, counts| {
                director.progress_of(counts, wanted)
            })?
        };
        let after = self.mark();
        self.crew.order(&Command::Halt);
        self.gather(watch)?;
        let Some(name) = measured else { return Ok(()) };
        if time.is_some() || self.ending {
            // The messages that were due in the measured time are recorded when they arrive.
            self.settle(watch)?;
        }
        self.flush()?;
        self.end_part(name, end, &mark, &after);
        Ok(())
    }

    fn messages_of(&self, groups: &[usize]) -> u64 {
        let all = groups.iter().filter_map(|group| self.shared.plan.workload.groups.get(*group));
        let messages = all.map(|group| match &group.role {
            Role::Publish(publishing) => publishing.messages.unwrap_or_default(),
            Role::Connect | Role::Subscribe(_) => 0,
        });
        messages.sum()
    }

    /// How many of the messages have been sent and, where somebody is there, have arrived.
    fn progress_of(&self, counts: &Counts, wanted: u64) -> f64 {
        let sent = gone_out(counts);
        let there = self.shared.plan.workload.groups.iter().any(
            |group| matches!(&group.role, Role::Publish(publishing) if publishing.awaits_delivery),
        );
        let answered = self.is_answered(counts);
        if sent >= wanted && answered && (!there || self.is_settled(counts)) {
            return 1.0;
        }
        (sent as f64 / wanted.max(1) as f64).min(0.999)
    }

    fn settle(&mut self, watch: &mut dyn Watch) -> io::Result<()> {
        let patience = self.shared.plan.patience;
        self.step = self.named(&Step::Settle);
        self.patient = true;
        self.until(patience, watch, messages, |director, counts| {
            f64::from(u8::from(director.is_settled(counts)))
        })?;
        self.patient = false;
        Ok(())
    }

    fn subscribe(&mut self, group: usize, watch: &mut dyn Watch) -> io::Result<()> {
        let mark = self.begin_part()?;
        let workload = &self.shared.plan.workload;
        let wanted = workload.groups.get(group).map_or(0, |one| match &one.role {
            Role::Subscribe(subscribing) => u64::from(one.count) * u64::from(subscribing.each),
            Role::Connect | Role::Publish(_) => 0,
        });
        self.crew.order(&Command::Measure(mark.at, Instant::FAR_FUTURE));
        self.crew.order(&Command::Subscribe { group });
        let patience = self.shared.plan.patience;
        let end = self.until(patience, watch, messages, move |_, counts| {
            let done = counts.get(Count::Subscribed) + counts.get(Count::SubscribeRefused);
            done as f64 / wanted.max(1) as f64
        })?;
        self.flush()?;
        let after = self.mark();
        self.end_part("subscribe", end, &mark, &after);
        Ok(())
    }

    fn churn(&mut self, group: usize, time: Duration, watch: &mut dyn Watch) -> io::Result<()> {
        let mark = self.begin_part()?;
        let begin = mark.at;
        self.crew.order(&Command::Measure(begin, Instant::FAR_FUTURE));
        self.crew.order(&Command::Storm { group, begin });
        self.until_time(begin + time, watch)?;
        self.flush()?;
        let after = self.mark();
        self.end_part("churn", after.at, &mark, &after);
        self.crew.order(&Command::Halt);
        self.leave(group, false, watch)
    }

    fn hold(
        &mut self,
        time: Duration,
        measured: Option<&'static str>,
        watch: &mut dyn Watch,
    ) -> io::Result<()> {
        let mark = self.begin_part()?;
        self.crew.order(&Command::Measure(mark.at, Instant::FAR_FUTURE));
        self.roam(mark.at);
        self.until_time(mark.at + time, watch)?;
        self.gather(watch)?;
        let Some(name) = measured else { return Ok(()) };
        self.flush()?;
        let after = self.mark();
        self.end_part(name, after.at, &mark, &after);
        Ok(())
    }

    /// Who comes and goes does so from then on.
    fn roam(&self, begin: Instant) {
        for group in self.shared.plan.workload.churning() {
            self.crew.order(&Command::Roam { group, begin });
        }
    }

    /// Who comes and goes stays, so that they get what was published while they were away.
    fn gather(&mut self, watch: &mut dyn Watch) -> io::Result<()> {
        let groups = self.shared.plan.workload.churning();
        if groups.is_empty() {
            return Ok(());
        }
        for group in &groups {
            self.crew.order(&Command::Gather { group: *group });
        }
        // Whoever left before it was told to stay is counted by then.
        self.flush()?;
        let counts = groups.iter().filter_map(|group| {
            let found = self.shared.plan.workload.groups.get(*group)?;
            Some((*group, u64::from(found.count)))
        });
        let counts = counts.collect::<Vec<_>>();
        let wanted = counts.iter().map(|(_, count)| count).sum::<u64>();
        let there = |now: &Counts| {
            counts.iter().map(|(group, count)| now.staying(*group).min(*count)).sum::<u64>()
        };
        // Whoever comes and is lost, again and again, is no progress.
        let mut most = 0;
        let moves = |now: &Counts| {
            most = there(now).max(most);
            most
        };
        self.patient = true;
        let patience = self.shared.plan.patience;
        self.until(patience, watch, moves, |_, now| f64::from(u8::from(there(now) >= wanted)))?;
        self.patient = false;
        Ok(())
    }

    fn collect(
        &mut self,
        group: usize,
        name: &'static str,
        watch: &mut dyn Watch,
    ) -> io::Result<()> {
        let mark = self.begin_part()?;
        let (begin, before) = (mark.at, &mark.counts);
        // Latency since publishing says nothing here: when it was stored is long ago.
        self.crew.order(&Command::Measure(begin, Instant::FAR_FUTURE));
        self.crew.order(&Command::Connect { group, anew: false, begin });
        self.until_connected(group, before, watch)?;
        let wanted = self.collectable(before);
        let patience = self.shared.plan.patience;
        let end = self.until(patience, watch, messages, move |director, counts| {
            wanted.map_or(0.0, |wanted| director.arrived(counts) as f64 / wanted.max(1) as f64)
        })?;
        self.flush()?;
        let after = self.mark();
        self.end_part(name, end, &mark, &after);
        Ok(())
    }

    /// How many deliveries the messages so far call for, if that is known of all publishers.
    fn collectable(&self, counts: &Counts) -> Option<u64> {
        let mut publishers = self.shared.audience.publishers.iter();
        let is_known = publishers.all(|heard| heard.receivers.is_some());
        is_known.then(|| counts.get(Count::Expected))
    }

    fn leave(&mut self, group: usize, forget: bool, watch: &mut dyn Watch) -> io::Result<()> {
        /// How long good-byes may take in which nothing moves.
        const PATIENCE: Duration = Duration::from_secs(3);
        self.patient = true;
        let version = self.shared.plan.options.version;
        if forget && !version.is_v5() {
            // Before 5.0 only a clean session makes a broker forget.
            self.crew.order(&Command::Leave { group, forget: false });
            self.until(PATIENCE, watch, connections, |_, counts| gone(counts, group))?;
            self.connect(group, true, None, watch)?;
        }
        self.crew.order(&Command::Leave { group, forget });
        self.until(PATIENCE, watch, connections, |_, counts| gone(counts, group))?;
        self.patient = false;
        Ok(())
    }
}

/// What grows with each message that is sent, given up, acknowledged or received and each subscription;
/// not with connections that fail, which would go on for ever where clients try again.
fn messages(counts: &Counts) -> u64 {
    let answers = [
        Count::Acknowledged,
        Count::Refused,
        Count::Received,
        Count::Subscribed,
        Count::SubscribeRefused,
    ];
    gone_out(counts) + answers.map(|count| counts.get(count)).iter().sum::<u64>()
}

/// What grows with each connection that is begun, accepted, ready or over.
fn connections(counts: &Counts) -> u64 {
    Census::ALL.iter().map(|census| counts.all(*census)).sum()
}

/// Messages that nobody has to send any more.
fn gone_out(counts: &Counts) -> u64 {
    [Count::Published, Count::Overrun, Count::Unconnected, Count::Waiting, Count::Cleared]
        .map(|count| counts.get(count))
        .iter()
        .sum()
}

/// One when nobody of the group is connected or about to be.
fn gone(counts: &Counts, group: usize) -> f64 {
    let of = |census| counts.of(group, census);
    let under_way = of(Census::Begun) - of(Census::Accepted) - of(Census::Failed);
    f64::from(u8::from(counts.standing(group) == 0 && under_way == 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{engine::fixture::plan, pattern::Pattern, pattern::Place};

    #[test]
    fn what_is_to_be_collected_is_known_where_the_audience_is() {
        for (topic, filter, expected) in [("a", "a", Some(7)), ("a/%n", "a/0", None)] {
            let mut plan = plan();
            let pattern = |text| Pattern::parse(text, Place::OF_TOPIC).unwrap();
            for group in &mut plan.workload.groups {
                match &mut group.role {
                    Role::Publish(publishing) => publishing.topic = pattern(topic),
                    Role::Subscribe(subscribing) => subscribing.filter = pattern(filter),
                    Role::Connect => {}
                }
            }
            let director = Director::new(plan).unwrap();
            let mut counts = Counts::new(2);
            counts.add(Count::Expected, 7);
            assert_eq!(director.collectable(&counts), expected, "{topic}");
            director.crew.finish();
        }
    }

    #[test]
    fn connections_that_fail_again_and_again_are_no_progress_of_messages() {
        let mut counts = Counts::new(1);
        let before = messages(&counts);
        for census in [Census::Begun, Census::Failed, Census::Accepted, Census::Lost] {
            counts.note(0, census);
        }
        assert_eq!(messages(&counts), before);
        // Of a rate that many are to become due, and no more.
        for (count, expected) in [(Count::Unconnected, before + 1), (Count::Received, before + 2)] {
            counts.add(count, 1);
            assert_eq!(messages(&counts), expected);
        }
    }
}
