//! The table of sessions that are away: both parts of each run, a line a part.

use std::fmt::Write as _;

use super::{Report, Spread};
use crate::{
    outcome::Outcome,
    scenario::{Scenario, Shape},
};

/// What a part of a run is called, and where its figures are.
type Part = (&'static str, fn(&Outcome) -> Option<&Outcome>);

const PARTS: [Part; 2] =
    [("store", |outcome| Some(outcome)), ("drain", |outcome| outcome.drained.as_deref())];

impl Report {
    pub(super) fn offline(
        &self,
        text: &mut String,
        scenarios: &[Scenario],
        (ours, theirs): (&str, &str),
    ) {
        let away: Vec<_> = scenarios.iter().filter(|one| one.shape == Shape::Offline).collect();
        if away.is_empty() {
            return;
        }
        let _ = writeln!(
            text,
            "\nMessages for sessions that are away: *store* is until the last is acknowledged to its \
             publisher, *drain* until the sessions that have come back have the last. Median \
             (smallest–largest) over the rounds; ratios are {ours} ÷ {theirs} round by round: above 1 \
             is faster, below 1 is cheaper.\n\n\
             | scenario | part | figure | {ours} | {theirs} | ratio |\n|---|---|---|---|---|---|"
        );
        for scenario in &away {
            for part in PARTS {
                self.part(text, scenario, part, (ours, theirs));
            }
        }
        let _ = writeln!(text, "\n| scenario | faults |\n|---|---|");
        for scenario in away {
            let _ = writeln!(text, "| {} | {} |", scenario.describe(), self.faults(scenario));
        }
    }

    fn part(
        &self,
        text: &mut String,
        scenario: &Scenario,
        (name, of): Part,
        (ours, theirs): (&str, &str),
    ) {
        let mut row = |figure: &str, value: &dyn Fn(&Outcome) -> Option<f64>| {
            let of = |outcome: &Outcome| value(of(outcome)?);
            let mine = self.figures(scenario, ours, of);
            let other = self.figures(scenario, theirs, of);
            let values = |figures: &[(u32, f64)]| {
                Spread::show(Spread::of(figures.iter().map(|(_, value)| *value)))
            };
            let _ = writeln!(
                text,
                "| {} | {name} | {figure} | {} | {} | {} |",
                scenario.describe(),
                values(&mine),
                values(&other),
                Spread::show(Spread::of(Self::ratios(&mine, &other)))
            );
        };
        row("1,000 messages/s", &|outcome| Some(outcome.per_second() / 1_000.0));
        row("seconds of processor for a million", &|outcome| outcome.cpu_micros);
        row("bytes of memory a message", &|outcome| outcome.bytes_each);
    }
}
