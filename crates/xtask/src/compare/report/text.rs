//! The page for people.

use std::fmt::Write as _;

use super::table::Table;
use super::{MEASURE, OURS, Report};
use crate::compare::shapes::{Figure, Reads, Shape};
use crate::compare::spread::{Spread, number};
use crate::compare::summary::Summary;

/// What stands where a broker was not asked, or has nothing to say.
const NOTHING: &str = "–";
/// What stands where all runs came to nothing.
const NO_FIGURE: &str = "no figure";

impl Report {
    /// The whole page.
    pub(super) fn markdown(&self) -> String {
        let mut text = format!("{}\n\n", super::TITLE);
        for line in &self.conditions {
            writeln!(text, "- {line}").expect("invariant: a string takes everything");
        }
        write!(text, "\n![What other brokers cost beside Plexus]({}.svg)\n", self.name)
            .expect("invariant: a string takes everything");
        text += &self.ratios();
        text += &self.figures(Reads::Cpu).section(
            "Processor time",
            "Of the broker, user and system, in µs for each delivery (for each connection where \
             clients only connect, for each message where they are only stored): median \
             (smallest–largest) of the rounds.",
        );
        text += &self.figures(Reads::Memory).section(
            "Memory",
            "What the broker's private memory grew by, in bytes for each connection or filter.",
        );
        text += &self.rates();
        text += &self.latencies();
        text += &self.failures();
        text
    }

    /// Us beside each peer, and beside what we want to be.
    fn ratios(&self) -> String {
        let mut head = vec!["shape".to_owned()];
        for peer in self.peers() {
            head.push(format!("÷ {peer}"));
            head.extend((peer == MEASURE).then(|| "target".to_owned()));
        }
        let mut table = Table::new(&head);
        for row in self.rows().filter(|_| self.brokers.iter().any(|name| name == OURS)) {
            let mut cells = vec![row.0.label(row.1)];
            for peer in self.peers() {
                let ratio = self.ratio(row, peer);
                cells.push(ratio.map_or_else(|| NOTHING.to_owned(), |ratio| ratio.show()));
                cells.extend((peer == MEASURE).then(|| target(row.1.target, ratio)));
            }
            table.row(&cells);
        }
        table.section(
            "Ratios",
            "What Plexus took ÷ what the other took, processor time or memory, in each round: median \
             (smallest–largest). Below 1 Plexus is cheaper. A target is the ratio that Plexus wants to \
             stay under.",
        )
    }

    /// What each broker took.
    fn figures(&self, reads: Reads) -> Table {
        self.by_broker(reads, Summary::figure, Spread::show)
    }

    fn rates(&self) -> String {
        let rate = |summary: &Summary, figure: &Figure| Some(summary.part(figure)?.per_second);
        let table = self.by_broker(Reads::Cpu, rate, |spread| number(spread.median, 0));
        table.section(
            "Rate",
            "Deliveries, connections or stored messages in a second, median of the rounds. The load \
             shares the processors with the broker, so this says less than processor time.",
        )
    }

    /// A column for each broker, a row for each figure of that kind.
    fn by_broker(
        &self,
        reads: Reads,
        value: fn(&Summary, &Figure) -> Option<f64>,
        show: fn(&Spread) -> String,
    ) -> Table {
        let head = std::iter::once("shape".to_owned()).chain(self.brokers.iter().cloned());
        let mut table = Table::new(&head.collect::<Vec<_>>());
        for (shape, figure) in self.rows().filter(|(_, figure)| figure.reads == reads) {
            let cell = |broker: &String| {
                self.cell((shape, broker), |summary| value(summary, figure), show)
            };
            let label = std::iter::once(shape.label(figure));
            table.row(&label.chain(self.brokers.iter().map(cell)).collect::<Vec<_>>());
        }
        table
    }

    fn cell(
        &self,
        (shape, broker): (&Shape, &str),
        value: impl Fn(&Summary) -> Option<f64>,
        show: fn(&Spread) -> String,
    ) -> String {
        let values = self.values(shape, broker, value);
        let spread = Spread::of(values.into_iter().map(|(_, value)| value));
        let asked = self.runs_of(shape, broker).next().is_some();
        let nothing = if asked { NO_FIGURE } else { NOTHING };
        spread.map_or_else(|| nothing.to_owned(), |spread| show(&spread))
    }

    fn latencies(&self) -> String {
        let head = ["shape", "broker", "p50", "p99", "load late by, p50", "p99"];
        let mut table = Table::new(&head.map(str::to_owned));
        for shape in self.shapes.iter().filter(|shape| shape.latency) {
            for broker in &self.brokers {
                let time = |name: &str, high: bool| {
                    let value = |summary: &Summary| {
                        let times = summary.parts.last()?.times.get(name)?;
                        Some(if high { times.p99_us } else { times.p50_us })
                    };
                    self.cell((shape, broker), value, Spread::show)
                };
                table.row(&[
                    shape.text.clone(),
                    broker.clone(),
                    time("deliver", false),
                    time("deliver", true),
                    time("lag", false),
                    time("lag", true),
                ]);
            }
        }
        table.section(
            "Latency",
            "From when a message was due to when it was delivered, in µs, and how late the load was \
             itself: where that is as much, the machine was the limit and not the broker.",
        )
    }

    fn failures(&self) -> String {
        let mut text = String::new();
        for shape in &self.shapes {
            let runs = self.runs.iter().filter(|run| run.shape == shape.name);
            for run in runs {
                let Some(reason) = &run.reason else { continue };
                let (round, broker) = (number(f64::from(run.round + 1), 0), &run.broker);
                writeln!(text, "- {}, {broker}, round {round}: {reason}", shape.text)
                    .expect("invariant: a string takes everything");
            }
        }
        if text.is_empty() {
            return "\nEvery message of every run came exactly once and in order.\n".to_owned();
        }
        format!(
            "\n## Without a figure\n\nThese runs count nowhere: a broker that loses, repeats or \
             reorders messages has done other work.\n\n{text}"
        )
    }
}

/// What was wanted, and whether it is so.
fn target(target: Option<f64>, ratio: Option<Spread>) -> String {
    let Some(target) = target else { return NOTHING.to_owned() };
    match ratio {
        Some(ratio) if ratio.median <= target => format!("{target:.2}: met"),
        Some(_) => format!("{target:.2}: **missed**"),
        None => format!("{target:.2}"),
    }
}
