//! All runs of a comparison, and the files that tell of them: Markdown and a plot for people, CSV and
//! JSON for everything else.

mod table;
mod text;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::plot::{Bar, Group, Plot};
use super::run::Run;
use super::shapes::{Figure, Shape};
use super::spread::{Spread, ratios};
use super::summary::{Part, Summary};
use super::{MEASURE, OURS};
use crate::failure::{Failure, Outcome};

/// The first line of every page.
pub(super) const TITLE: &str = "# Plexus beside other brokers";

/// Everything that was measured.
#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    /// Of its files.
    pub(super) name: String,
    /// A line each.
    pub(super) conditions: Vec<String>,
    /// Names, in the order of the page of brokers.
    pub(super) brokers: Vec<String>,
    pub(super) shapes: Vec<Shape>,
    /// In the order in which they were made.
    pub(super) runs: Vec<Run>,
}

impl Report {
    /// Writes all four files.
    pub(super) fn write(&self, folder: &Path) -> Outcome {
        for (extension, text) in [
            ("md", self.markdown()),
            ("csv", self.csv()),
            ("json", self.json()),
            ("svg", self.plot().svg()),
        ] {
            let path = folder.join(format!("{}.{extension}", self.name));
            fs::write(&path, text).map_err(Failure::doing(path.display()))?;
        }
        Ok(())
    }

    /// Every figure of every shape.
    fn rows(&self) -> impl Iterator<Item = (&Shape, &Figure)> {
        self.shapes.iter().flat_map(|shape| shape.figures.iter().map(move |figure| (shape, figure)))
    }

    /// Everybody but us.
    fn peers(&self) -> impl Iterator<Item = &str> {
        self.brokers.iter().map(String::as_str).filter(|name| *name != OURS)
    }

    fn runs_of<'a>(&'a self, shape: &'a Shape, broker: &'a str) -> impl Iterator<Item = &'a Run> {
        self.runs.iter().filter(move |run| run.shape == shape.name && run.broker == broker)
    }

    /// What the good runs say, with their rounds.
    fn values(
        &self,
        shape: &Shape,
        broker: &str,
        value: impl Fn(&Summary) -> Option<f64>,
    ) -> Vec<(u32, f64)> {
        let runs = self.runs_of(shape, broker);
        runs.filter_map(|run| Some((run.round, value(run.good()?)?))).collect()
    }

    /// What we took of what the peer took.
    fn ratio(&self, (shape, figure): (&Shape, &Figure), peer: &str) -> Option<Spread> {
        let of = |broker| self.values(shape, broker, |summary| summary.figure(figure));
        Spread::of(ratios(&of(OURS), &of(peer)))
    }

    /// What the peers cost beside us.
    fn plot(&self) -> Plot {
        let bar = |row: (&Shape, &Figure), broker: usize, peer: &str| {
            let Spread { median, min, max } = self.ratio(row, peer)?;
            // Turned round: a broker that is dearer has the longer bar.
            let turned = Spread { median: 1.0 / median, min: 1.0 / max, max: 1.0 / min };
            let target = row.1.target.filter(|_| peer == MEASURE).map(|target| 1.0 / target);
            Some(Bar { broker, spread: turned, target })
        };
        let group = |row: (&Shape, &Figure)| {
            let bars: Vec<Bar> =
                self.peers().enumerate().filter_map(|(at, peer)| bar(row, at, peer)).collect();
            (!bars.is_empty()).then(|| Group { label: row.0.label(row.1), bars })
        };
        Plot {
            brokers: self.peers().map(str::to_owned).collect(),
            groups: self.rows().filter_map(group).collect(),
        }
    }

    /// Every figure of every run as a line.
    fn csv(&self) -> String {
        let mut text = String::from(
            "round,broker,shape,part,load_average,seconds,count,per_second,cpu_us_each,\
             user_us_each,memory_bytes_each,deliver_p50_us,deliver_p99_us,lag_p50_us,lag_p99_us,\
             reason\n",
        );
        for run in &self.runs {
            let Some(shape) = self.shapes.iter().find(|shape| shape.name == run.shape) else {
                continue;
            };
            for figure in &shape.figures {
                let part = run.summary.as_ref().and_then(|summary| summary.part(figure));
                line(&mut text, run, figure, part);
            }
        }
        text
    }

    /// The conditions, and every run with all its numbers on a line of its own.
    fn json(&self) -> String {
        let words = serde_json::to_string_pretty(&self.conditions);
        let runs = self.runs.iter().map(serde_json::to_string);
        let runs: Result<Vec<String>, _> = runs.collect();
        // Every key is a string, and no number is anything but a number.
        let (words, runs) = words.and_then(|words| Ok((words, runs?))).unwrap_or_default();
        format!("{{\"conditions\": {words},\n\"runs\": [\n{}\n]}}\n", runs.join(",\n"))
    }
}

fn line(text: &mut String, run: &Run, figure: &Figure, part: Option<&Part>) {
    let optional = |value: Option<f64>| value.map_or_else(String::new, |it| format!("{it:.3}"));
    let time = |name: &str| part.and_then(|part| part.times.get(name)).copied();
    let (deliver, lag) = (time("deliver"), time("lag"));
    let numbers = [
        part.map(|part| part.per_second),
        part.and_then(Part::cpu_micros_each),
        part.and_then(Part::user_micros_each),
        part.and_then(Part::memory_bytes_each),
        deliver.map(|times| times.p50_us),
        deliver.map(|times| times.p99_us),
        lag.map(|times| times.p50_us),
        lag.map(|times| times.p99_us),
    ];
    let numbers: Vec<String> = numbers.into_iter().map(optional).collect();
    let name = part.map(|part| part.name.as_str()).or(figure.part.as_deref());
    writeln!(
        text,
        "{},{},{},{},{:.2},{},{},{},{}",
        run.round + 1,
        run.broker,
        run.shape,
        name.unwrap_or_default(),
        run.load_average,
        optional(part.map(|part| part.seconds)),
        part.map_or_else(String::new, |part| part.count.to_string()),
        numbers.join(","),
        run.reason.as_deref().unwrap_or_default().replace([',', '\n'], ";"),
    )
    .expect("invariant: a string takes everything");
}

#[cfg(test)]
mod tests;
