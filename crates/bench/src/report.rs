//! Runs as tables: Markdown for people, CSV and JSON for everything else.

mod offline;

use std::fmt::Write as _;

use crate::{
    outcome::Outcome,
    scenario::{Scenario, Shape},
};

/// One run of one scenario against one broker.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Record {
    /// Round, from zero.
    pub round: u32,
    /// Name of the broker.
    pub broker: &'static str,
    /// Name of the scenario.
    pub scenario: String,
    /// Load average of the machine when the run began.
    pub load_average: f64,
    /// What was measured.
    pub outcome: Outcome,
    /// Why nothing was measured.
    pub failure: Option<String>,
}

/// Median, smallest and largest of a few values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Median; the mean of the two in the middle when there is an even number.
    pub median: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
}

impl Spread {
    /// Of the values; `None` when there are none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let upper = *values.get(values.len() / 2)?;
        let lower = *values.get((values.len() - 1) / 2)?;
        let (min, max) = (*values.first()?, *values.last()?);
        Some(Self { median: f64::midpoint(lower, upper), min, max })
    }

    fn show(spread: Option<Self>) -> String {
        let Some(Self { median, min, max }) = spread else { return "–".to_owned() };
        let digits = if max < 100.0 { 2 } else { 0 };
        format!("{median:.digits$} ({min:.digits$}–{max:.digits$})")
    }
}

/// All runs of a comparison.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Title and conditions, one line each.
    pub conditions: Vec<String>,
    /// The runs in the order in which they were made.
    pub records: Vec<Record>,
}

impl Report {
    /// The figures of one scenario and broker, in the order of rounds.
    fn figures(
        &self,
        scenario: &Scenario,
        broker: &str,
        figure: impl Fn(&Outcome) -> Option<f64>,
    ) -> Vec<(u32, f64)> {
        let mine = self.records.iter();
        let mine = mine.filter(|run| run.broker == broker && run.scenario == scenario.name);
        let mine = mine.filter(|run| run.failure.is_none());
        mine.filter_map(|run| Some((run.round, figure(&run.outcome)?))).collect()
    }

    /// The table of `ours` against `theirs`.
    pub fn markdown(&self, scenarios: &[Scenario], ours: &str, theirs: &str) -> String {
        let mut text = format!("# {ours} against {theirs}\n\n");
        for line in &self.conditions {
            let _ = writeln!(text, "- {line}");
        }
        self.offline(&mut text, scenarios, (ours, theirs));
        let online = |one: &&Scenario| !matches!(one.shape, Shape::Idle | Shape::Offline);
        let online: Vec<_> = scenarios.iter().filter(online).collect();
        if !online.is_empty() {
            let _ = writeln!(
                text,
                "\nProcessor time of the broker in µs for each delivery (connect: for each client), \
                 median (smallest–largest) over the rounds; the ratio is {ours} ÷ {theirs} round by \
                 round, below 1 is cheaper.\n\n\
                 | scenario | {ours} | {theirs} | ratio | deliveries/s | faults |\n\
                 |---|---|---|---|---|---|"
            );
        }
        for scenario in online {
            self.row(&mut text, scenario, (ours, theirs), |outcome| outcome.cpu_micros);
        }
        let idle: Vec<_> = scenarios.iter().filter(|one| one.shape == Shape::Idle).collect();
        if !idle.is_empty() {
            let _ = writeln!(
                text,
                "\nPrivate memory of the broker in bytes for each idle connection.\n\n\
                 | scenario | {ours} | {theirs} | ratio | connections | faults |\n\
                 |---|---|---|---|---|---|"
            );
        }
        for scenario in idle {
            self.row(&mut text, scenario, (ours, theirs), |outcome| outcome.bytes_each);
        }
        self.latencies(&mut text, scenarios, (ours, theirs));
        text
    }

    fn row(
        &self,
        text: &mut String,
        scenario: &Scenario,
        (ours, theirs): (&str, &str),
        figure: impl Fn(&Outcome) -> Option<f64>,
    ) {
        let mine = self.figures(scenario, ours, &figure);
        let other = self.figures(scenario, theirs, &figure);
        let ratio = Spread::show(Spread::of(Self::ratios(&mine, &other)));
        let spread = |figures: &[(u32, f64)]| {
            Spread::show(Spread::of(figures.iter().map(|(_, value)| *value)))
        };
        let rate = |broker| {
            let rates = self.figures(scenario, broker, |outcome| match scenario.shape {
                Shape::Idle => Some(outcome.units as f64),
                _ => Some(outcome.per_second()),
            });
            let median = Spread::of(rates.iter().map(|(_, value)| *value));
            median.map_or_else(|| "–".to_owned(), |rate| format!("{:.0}", rate.median))
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {ratio} | {} / {} | {} |",
            scenario.describe(),
            spread(&mine),
            spread(&other),
            rate(ours),
            rate(theirs),
            self.faults(scenario)
        );
    }

    /// Ours by theirs, round by round.
    fn ratios(mine: &[(u32, f64)], other: &[(u32, f64)]) -> Vec<f64> {
        let ratio = |(round, value): &(u32, f64)| {
            let (_, base) = other.iter().find(|(theirs, _)| theirs == round)?;
            (*base > 0.0).then(|| value / base)
        };
        mine.iter().filter_map(ratio).collect()
    }

    fn faults(&self, scenario: &Scenario) -> String {
        let mut found = Vec::new();
        for run in self.records.iter().filter(|run| run.scenario == scenario.name) {
            let faults = run.outcome.faults;
            if let Some(failure) = &run.failure {
                found.push(format!("{} round {}: {failure}", run.broker, run.round + 1));
            }
            if !run.outcome.is_clean() {
                found.push(format!(
                    "{} round {}: {} lost, {} twice, {} late, {} stray",
                    run.broker,
                    run.round + 1,
                    faults.lost,
                    faults.duplicates,
                    faults.out_of_order,
                    faults.stray
                ));
            }
        }
        if found.is_empty() { "none".to_owned() } else { found.join("; ") }
    }

    fn latencies(&self, text: &mut String, scenarios: &[Scenario], brokers: (&str, &str)) {
        use crate::scenario::Pace;
        let open: Vec<_> =
            scenarios.iter().filter(|one| matches!(one.pace, Pace::Rate(_))).collect();
        if open.is_empty() {
            return;
        }
        text.push_str(
            "\nTime from due to delivered in µs at a fixed rate, and how late the generator was.\n\n\
             | scenario | broker | p50 | p99 | p99.9 | generator p50 | generator p99 |\n\
             |---|---|---|---|---|---|---|\n",
        );
        for scenario in open {
            for broker in [brokers.0, brokers.1] {
                let show = |figure: fn(&Outcome) -> f64| {
                    let values = self.figures(scenario, broker, |outcome| Some(figure(outcome)));
                    Spread::show(Spread::of(values.into_iter().map(|(_, value)| value)))
                };
                let _ = writeln!(
                    text,
                    "| {} | {broker} | {} | {} | {} | {} | {} |",
                    scenario.describe(),
                    show(|outcome| outcome.latency.p50),
                    show(|outcome| outcome.latency.p99),
                    show(|outcome| outcome.latency.p999),
                    show(|outcome| outcome.lag.p50),
                    show(|outcome| outcome.lag.p99)
                );
            }
        }
    }

    /// Every run as one line.
    pub fn csv(&self) -> String {
        let mut text = String::from(
            "round,broker,scenario,load_average,units,seconds,cpu_micros,user_micros,bytes_each,\
             p50,p99,p999,lag_p50,lag_p99,published,lost,duplicates,out_of_order,stray,\
             written_off,failure\n",
        );
        let optional = |value: Option<f64>| value.map(|value| format!("{value:.4}"));
        let parts = self.records.iter().flat_map(|run| {
            let drained = run.outcome.drained.as_deref();
            let drained = drained.map(|drained| (run, format!("{} drain", run.scenario), drained));
            std::iter::once((run, run.scenario.clone(), &run.outcome)).chain(drained)
        });
        for (run, scenario, outcome) in parts {
            let faults = outcome.faults;
            let (latency, lag) = (outcome.latency, outcome.lag);
            let _ = writeln!(
                text,
                "{},{},{},{:.2},{},{:.3},{},{},{},{:.1},{:.1},{:.1},{:.1},{:.1},{},{},{},{},{},{},{}",
                run.round,
                run.broker,
                scenario,
                run.load_average,
                outcome.units,
                outcome.seconds,
                optional(outcome.cpu_micros).unwrap_or_default(),
                optional(outcome.user_micros).unwrap_or_default(),
                optional(outcome.bytes_each).unwrap_or_default(),
                latency.p50,
                latency.p99,
                latency.p999,
                lag.p50,
                lag.p99,
                outcome.published,
                faults.lost,
                faults.duplicates,
                faults.out_of_order,
                faults.stray,
                faults.written_off,
                run.failure.as_deref().unwrap_or_default().replace([',', '\n'], ";")
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(round: u32, broker: &'static str, cpu: f64) -> Record {
        let outcome =
            Outcome { units: 100, seconds: 2.0, cpu_micros: Some(cpu), ..Outcome::default() };
        Record {
            round,
            broker,
            scenario: "p2p-q0".to_owned(),
            load_average: 0.5,
            outcome,
            failure: None,
        }
    }

    #[test]
    fn a_spread_sorts_and_takes_the_middle() {
        assert_eq!(Spread::of([]), None);
        let spread = Spread::of([3.0, 1.0, 2.0]).expect("there are values");
        assert_eq!(spread, Spread { median: 2.0, min: 1.0, max: 3.0 });
        assert_eq!(Spread::of([1.0, 2.0]).map(|spread| spread.median), Some(1.5));
    }

    #[test]
    fn the_ratio_is_taken_round_by_round() {
        let records = vec![
            record(0, "plexus", 1.0),
            record(0, "mosquitto", 4.0),
            record(1, "plexus", 3.0),
            record(1, "mosquitto", 6.0),
        ];
        let report = Report { conditions: vec!["quiet".to_owned()], records };
        let scenarios: Vec<_> =
            Scenario::standard().into_iter().filter(|one| one.name == "p2p-q0").collect();
        let text = report.markdown(&scenarios, "plexus", "mosquitto");
        let row = "| 100 pairs, QoS 0, 256 B, window 20 | 2.00 (1.00–3.00) | 5.00 (4.00–6.00) \
                   | 0.38 (0.25–0.50) | 50 / 50 | none |";
        assert!(text.lines().any(|line| line == row), "{text}");
        assert_eq!(report.csv().lines().count(), 5);
    }

    #[test]
    fn a_failed_run_is_named_and_gives_no_figure() {
        let mut failed = record(0, "plexus", 1.0);
        failed.failure = Some("the broker closed a connection".to_owned());
        let report = Report { conditions: Vec::new(), records: vec![failed] };
        let text = report.markdown(&Scenario::standard(), "plexus", "mosquitto");
        let row = "| 100 pairs, QoS 0, 256 B, window 20 | – | – | – | – / – \
                   | plexus round 1: the broker closed a connection |";
        assert!(text.lines().any(|line| line == row), "{text}");
    }

    #[test]
    fn both_parts_of_a_run_with_sessions_that_were_away_are_told() {
        let run = |broker, cpu, drain| {
            let drained = Outcome {
                units: 1_000_000,
                seconds: drain,
                bytes_each: Some(300.0),
                ..Outcome::default()
            };
            let mut run = record(0, broker, cpu);
            run.scenario = "offline-1".to_owned();
            run.outcome.drained = Some(Box::new(drained));
            run
        };
        let records = vec![run("plexus", 2.0, 2.0), run("mosquitto", 8.0, 10.0)];
        let report = Report { conditions: Vec::new(), records };
        let text = report.markdown(&Scenario::durable(), "plexus", "mosquitto");
        let name = "500000 messages, 1 → 1 away, QoS 1, 256 B, window 1000";
        for row in [
            "store | seconds of processor for a million | 2.00 (2.00–2.00) | 8.00 (8.00–8.00) | 0.25 (0.25–0.25)",
            "drain | 1,000 messages/s | 500 (500–500) | 100 (100–100) | 5.00 (5.00–5.00)",
            "drain | bytes of memory a message | 300 (300–300) | 300 (300–300) | 1.00 (1.00–1.00)",
        ] {
            assert!(text.contains(&format!("| {name} | {row} |")), "{row}\n{text}");
        }
        assert!(!text.contains("for each delivery"), "{text}");
        assert_eq!(report.csv().matches(",offline-1 drain,").count(), 2);
    }

    #[test]
    fn faults_are_named_by_broker_and_round() {
        let mut bad = record(1, "mosquitto", 1.0);
        bad.outcome.faults.lost = 7;
        let report = Report { conditions: Vec::new(), records: vec![bad] };
        let text = report.markdown(&Scenario::standard(), "plexus", "mosquitto");
        assert!(text.contains("mosquitto round 2: 7 lost, 0 twice, 0 late, 0 stray"), "{text}");
    }
}
