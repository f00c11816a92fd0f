//! What `plexus bench --json` says of a run, as far as a comparison reads it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::shapes::{Figure, Reads};

/// A whole run.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(super) struct Summary {
    pub(super) interrupted: bool,
    pub(super) parts: Vec<Part>,
    pub(super) messages: Messages,
    pub(super) failures: Vec<String>,
}

/// A measured part of it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) seconds: f64,
    pub(super) count: u64,
    pub(super) per_second: f64,
    pub(super) broker: Option<Used>,
    pub(super) times: BTreeMap<String, Times>,
}

/// What the broker's process used meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub(super) struct Used {
    pub(super) cpu_seconds: f64,
    pub(super) user_seconds: f64,
    pub(super) memory_bytes: u64,
    pub(super) memory_before: u64,
}

/// A distribution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub(super) struct Times {
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
}

/// Messages over the whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Messages {
    pub(super) lost: u64,
    pub(super) duplicates: u64,
    pub(super) out_of_order: u64,
    pub(super) stray: u64,
    pub(super) overrun: u64,
    pub(super) unconnected: u64,
    pub(super) waiting: u64,
}

impl Summary {
    /// Why this run gives no figure; nothing if every message came once and in order. What QoS 0 and 1
    /// allow counts here too: a broker that drops or repeats has done other work than one that does
    /// not.
    pub(super) fn reason(&self) -> Option<String> {
        let Messages { lost, duplicates, out_of_order, stray, overrun, unconnected, waiting } =
            self.messages;
        let mut reasons = self.failures.clone();
        for (number, what) in [
            (lost, "messages were lost"),
            (duplicates, "messages came again"),
            (out_of_order, "messages came out of order"),
            (stray, "messages are of another run"),
            (overrun, "messages were due and not sent"),
            (unconnected, "messages were due while their publisher was not connected"),
            (waiting, "messages were due and still waited in the end"),
        ] {
            let words = format!("{number} {what}");
            if number > 0 && !reasons.contains(&words) {
                reasons.push(words);
            }
        }
        if self.interrupted && reasons.is_empty() {
            reasons.push("the run was ended early".to_owned());
        }
        (!reasons.is_empty()).then(|| reasons.join(", "))
    }

    /// The part that the figure is read of.
    pub(super) fn part(&self, figure: &Figure) -> Option<&Part> {
        match &figure.part {
            Some(name) => self.parts.iter().find(|part| part.name == *name),
            None => self.parts.last(),
        }
    }

    /// The figure itself.
    pub(super) fn figure(&self, figure: &Figure) -> Option<f64> {
        let part = self.part(figure)?;
        match figure.reads {
            Reads::Cpu => part.cpu_micros_each(),
            Reads::Memory => part.memory_bytes_each(),
        }
    }
}

impl Part {
    /// Processor time of the broker. The system counts it in hundredths of a second: where not one of
    /// them has passed there is no figure.
    pub(super) fn cpu_micros_each(&self) -> Option<f64> {
        let used = self.broker.filter(|used| used.cpu_seconds > 0.0)?;
        self.each(used.cpu_seconds * 1e6)
    }

    /// The user part of it.
    pub(super) fn user_micros_each(&self) -> Option<f64> {
        self.each(self.broker?.user_seconds * 1e6)
    }

    /// What the broker's private memory has grown by.
    pub(super) fn memory_bytes_each(&self) -> Option<f64> {
        let used = self.broker.filter(|used| used.memory_bytes > used.memory_before)?;
        self.each((used.memory_bytes - used.memory_before) as f64)
    }

    fn each(&self, all: f64) -> Option<f64> {
        (self.count > 0).then(|| all / self.count as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `plexus bench offline` says it, without a few fields that nobody reads here.
    const OFFLINE: &str = r#"{
        "scenario": "offline", "protocol": 4,
        "run": {"scenario": "offline", "version": "0.1.0", "options": {}, "groups": {}},
        "seconds": 2.5, "interrupted": false,
        "parts": [
            {"name": "store", "seconds": 2.0, "unit": "acknowledged", "count": 200000,
             "per_second": 100000.0, "published": 200000,
             "broker": {"cpu_seconds": 0.44, "user_seconds": 0.15,
                        "memory_bytes": 61000000, "memory_before": 1000000},
             "times": {"acknowledge": {"count": 200000, "min_us": 1.0, "p50_us": 5378.0, "p99_us": 9.5}}},
            {"name": "drain", "seconds": 0.5, "unit": "received", "count": 100000,
             "per_second": 200000.0, "published": 0,
             "broker": {"cpu_seconds": 0.08, "user_seconds": 0.05,
                        "memory_bytes": 32000000, "memory_before": 61000000},
             "times": {}}],
        "messages": {"published": 200000, "expected": 200000, "lost": 100000, "duplicates": 0,
                     "out_of_order": 0, "stray": 0, "overrun": 0, "unconnected": 0, "waiting": 0,
                     "written_off": 0},
        "groups": {}, "troubles": {}, "generator": {"threads": 1},
        "failures": ["100000 messages were lost"], "notes": []
    }"#;

    fn figure(reads: Reads, part: Option<&str>) -> Figure {
        Figure { reads, part: part.map(str::to_owned), target: None }
    }

    #[test]
    fn figures_are_read_of_their_parts() {
        let summary: Summary = serde_json::from_str(OFFLINE).unwrap();
        assert_eq!(summary.figure(&figure(Reads::Cpu, Some("store"))), Some(2.2));
        assert_eq!(summary.figure(&figure(Reads::Memory, Some("store"))), Some(300.0));
        assert_eq!(summary.figure(&figure(Reads::Cpu, None)), Some(0.8), "the last is the drain");
        assert_eq!(summary.figure(&figure(Reads::Memory, None)), None, "it has shrunk");
        assert_eq!(summary.figure(&figure(Reads::Cpu, Some("replay"))), None);
        assert!((summary.parts[0].times["acknowledge"].p99_us - 9.5).abs() < f64::EPSILON);
    }

    #[test]
    fn what_was_too_short_to_be_counted_is_no_figure() {
        let part = Part { count: 10, broker: Some(Used::default()), ..Part::default() };
        assert_eq!(part.cpu_micros_each(), None);
        let nobody = Part { broker: Some(Used { cpu_seconds: 1.0, ..Used::default() }), ..part };
        assert_eq!(Part { count: 0, ..nobody }.cpu_micros_each(), None);
    }

    #[test]
    fn a_run_with_faults_says_each_once() {
        let summary: Summary = serde_json::from_str(OFFLINE).unwrap();
        assert_eq!(summary.reason().as_deref(), Some("100000 messages were lost"));
        let messages = Messages { lost: 2, out_of_order: 1, ..Messages::default() };
        let dropped = Summary { messages, ..Summary::default() };
        let words = "2 messages were lost, 1 messages came out of order";
        assert_eq!(dropped.reason().as_deref(), Some(words), "QoS 0 too");
        let early = Summary { interrupted: true, ..Summary::default() };
        assert_eq!(early.reason().as_deref(), Some("the run was ended early"));
        assert_eq!(Summary::default().reason(), None);
    }
}
