//! One run: a fresh broker, a load, and what came of it.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;
use serde_json::Value;
use signal_hook::consts::{SIGINT, SIGTERM};

use super::brokers::Contestant;
use super::load::Load;
use super::process::Running;
use super::shapes::{Figure, Reads, Shape};
use super::spread::number;
use super::summary::Summary;
use crate::failure::{Failure, Outcome};

/// Whether somebody wants the end. Without it a signal would end us at once, and the broker of the run
/// would stay.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on.
    pub(super) fn watch() -> Outcome<Self> {
        let interrupt = Self::default();
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&interrupt.0))
                .map_err(Failure::doing("signals cannot be watched"))?;
        }
        Ok(interrupt)
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// One run of one shape on one broker.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Run {
    /// From zero.
    pub(super) round: u32,
    pub(super) broker: String,
    pub(super) shape: String,
    /// Of the machine, when the run began.
    pub(super) load_average: f64,
    /// Why it gives no figure.
    pub(super) reason: Option<String>,
    /// All that `plexus bench` said.
    pub(super) bench: Option<Value>,
    /// What is read of that.
    #[serde(skip)]
    pub(super) summary: Option<Summary>,
}

impl Run {
    /// Makes the run; whatever goes wrong is its reason.
    pub(super) fn make(
        round: u32,
        shape: &Shape,
        contestant: &Contestant,
        load: &Load,
        interrupt: &Interrupt,
    ) -> Self {
        let mut run = Self {
            round,
            broker: contestant.broker.name.clone(),
            shape: shape.name.clone(),
            load_average: load_average(),
            ..Self::default()
        };
        if let Err(failure) = run.measure(shape, contestant, load, interrupt) {
            run.reason = Some(failure.to_string());
        }
        run
    }

    fn measure(
        &mut self,
        shape: &Shape,
        contestant: &Contestant,
        load: &Load,
        interrupt: &Interrupt,
    ) -> Outcome {
        let mut broker = Running::start(contestant, shape.durable)?;
        let bench = load.put(shape, &mut broker, interrupt);
        // A broker that is gone explains whatever the load has to say.
        broker.check()?;
        let bench = bench?;
        let summary = Summary::deserialize(&bench)?;
        self.reason = summary.reason();
        (self.bench, self.summary) = (Some(bench), Some(summary));
        Ok(())
    }

    /// What was measured, if it is a figure.
    pub(super) fn good(&self) -> Option<&Summary> {
        self.summary.as_ref().filter(|_| self.reason.is_none())
    }

    /// A line for the person who waits.
    pub(super) fn progress(&self, shape: &Shape) -> String {
        let figures = match (&self.reason, &self.summary) {
            (Some(reason), _) => format!("no figure: {reason}"),
            (None, Some(summary)) => {
                let figures = shape.figures.iter().map(|figure| Self::told(summary, figure));
                figures.collect::<Vec<_>>().join("; ")
            }
            (None, None) => "no figure".to_owned(),
        };
        format!("  {:18} {:10} {figures}", self.shape, self.broker)
    }

    fn told(summary: &Summary, figure: &Figure) -> String {
        let unit = match figure.reads {
            Reads::Cpu => "µs",
            Reads::Memory => "B",
        };
        let value = summary.figure(figure).map_or_else(|| "–".to_owned(), |it| number(it, 2));
        let rate = summary.part(figure).map_or(0.0, |part| part.per_second);
        let part = figure.part.as_deref().unwrap_or_default();
        let words = format!("{part} {value:>8} {unit} {:>9}/s", number(rate, 0));
        words.trim_start_matches(' ').to_owned()
    }
}

impl Summary {
    fn deserialize(bench: &Value) -> Outcome<Self> {
        serde::Deserialize::deserialize(bench)
            .map_err(Failure::doing("`plexus bench` says something else than expected"))
    }
}

/// The machine's load average over the last minute; zero where it cannot be read.
fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::summary::{Part, Used};
    use super::*;

    fn shape() -> Shape {
        let figures = ["store", "drain"].map(|part| Figure {
            reads: Reads::Cpu,
            part: Some(part.to_owned()),
            target: None,
        });
        Shape {
            name: "offline".to_owned(),
            text: String::new(),
            bench: Vec::new(),
            groups: None,
            over: Vec::new(),
            figures: figures.into(),
            latency: false,
            durable: false,
            usual: true,
        }
    }

    #[test]
    fn a_person_reads_every_figure_of_a_run() {
        let part = |name: &str, cpu_seconds| Part {
            name: name.to_owned(),
            count: 1_000_000,
            per_second: 50_000.0,
            broker: Some(Used { cpu_seconds, ..Used::default() }),
            ..Part::default()
        };
        let parts = vec![part("store", 2.5), part("drain", 0.5)];
        let mut run = Run {
            shape: "offline".to_owned(),
            broker: "plexus".to_owned(),
            summary: Some(Summary { parts, ..Summary::default() }),
            ..Run::default()
        };
        assert!(run.good().is_some());
        let words: Vec<String> =
            run.progress(&shape()).split_whitespace().map(str::to_owned).collect();
        let expected = "offline plexus store 2.50 µs 50,000/s; drain 0.50 µs 50,000/s";
        assert_eq!(words.join(" "), expected);
        run.reason = Some("3 messages were lost".to_owned());
        assert!(run.good().is_none());
        assert!(run.progress(&shape()).ends_with("no figure: 3 messages were lost"));
    }
}
