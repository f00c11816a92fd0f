use std::collections::BTreeMap;

use super::super::shapes::Shapes;
use super::super::summary::{Messages, Times, Used};
use super::*;

const PAGE: &str = "always = []\n\
    [[shape]]\nname = \"p2p\"\ntext = \"100 pairs\"\nbench = []\nlatency = true\n\
    figures = [{ reads = \"cpu\", target = 0.4 }]\n\
    [[shape]]\nname = \"idle\"\ntext = \"10,000 silent\"\nbench = []\n\
    figures = [{ reads = \"memory\" }]\n";

/// A run of a million deliveries at so many microseconds each.
fn run(round: u32, broker: &str, micros: f64) -> Run {
    let times = [("deliver", 150.0), ("lag", 20.0)]
        .map(|(name, p50)| (name.to_owned(), Times { p50_us: p50, p99_us: p50 * 2.0 }));
    let part = Part {
        name: "deliver".to_owned(),
        seconds: 2.0,
        count: 1_000_000,
        per_second: 500_000.0,
        broker: Some(Used {
            cpu_seconds: micros,
            user_seconds: micros / 2.0,
            memory_bytes: 2_000_000,
            memory_before: 1_000_000,
        }),
        times: BTreeMap::from(times),
    };
    Run {
        round,
        broker: broker.to_owned(),
        shape: "p2p".to_owned(),
        load_average: 0.5,
        reason: None,
        bench: Some(serde_json::json!({ "seconds": 2.0 })),
        summary: Some(Summary { parts: vec![part], ..Summary::default() }),
    }
}

fn report(runs: Vec<Run>) -> Report {
    Report {
        name: "peers".to_owned(),
        conditions: vec!["quiet".to_owned()],
        brokers: vec![OURS.to_owned(), MEASURE.to_owned(), "other".to_owned()],
        shapes: Shapes::parse(PAGE).unwrap().shapes,
        runs,
    }
}

fn idle(broker: &str) -> Run {
    Run { shape: "idle".to_owned(), ..run(0, broker, 1.0) }
}

fn has_line(text: &str, line: &str) -> bool {
    text.lines().any(|has| has == line)
}

#[test]
fn figures_ratios_and_targets_stand_in_their_tables() {
    let runs = vec![
        run(0, OURS, 1.0),
        run(0, MEASURE, 4.0),
        run(1, OURS, 3.0),
        run(1, MEASURE, 6.0),
        idle(OURS),
        idle(MEASURE),
    ];
    let text = report(runs).markdown();
    for line in [
        "- quiet",
        "![What other brokers cost beside Plexus](peers.svg)",
        "| shape | ÷ mosquitto | target | ÷ other |",
        "| 100 pairs | 0.38 (0.25–0.50) | 0.40: met | – |",
        "| 10,000 silent (memory) | 1.00 (1.00–1.00) | – | – |",
        "| 100 pairs | 2.00 (1.00–3.00) | 5.00 (4.00–6.00) | – |",
        "| 10,000 silent (memory) | 1.00 (1.00–1.00) | 1.00 (1.00–1.00) | – |",
        "| 100 pairs | 500,000 | 500,000 | – |",
        "| 100 pairs | mosquitto | 150 (150–150) | 300 (300–300) | 20.00 (20.00–20.00) | 40.00 (40.00–40.00) |",
        "Every message of every run came exactly once and in order.",
    ] {
        assert!(has_line(&text, line), "{line}\n{text}");
    }
}

#[test]
fn a_run_with_faults_is_named_and_counts_nowhere() {
    let mut bad = run(0, MEASURE, 4.0);
    let messages = Messages { lost: 7, ..Messages::default() };
    bad.summary.as_mut().unwrap().messages = messages;
    bad.reason = bad.summary.as_ref().unwrap().reason();
    let mut gone = run(0, "other", 1.0);
    (gone.reason, gone.summary) = (Some("it does not start".to_owned()), None);
    let report = report(vec![run(0, OURS, 3.0), bad, gone]);
    let text = report.markdown();
    for line in [
        "| 100 pairs | – | 0.40 | – |",
        "| 100 pairs | 3.00 (3.00–3.00) | no figure | no figure |",
        "- 100 pairs, mosquitto, round 1: 7 messages were lost",
        "- 100 pairs, other, round 1: it does not start",
    ] {
        assert!(has_line(&text, line), "{line}\n{text}");
    }
    assert!(report.plot().groups.is_empty());
}

#[test]
fn a_target_can_be_missed() {
    let text = report(vec![run(0, OURS, 3.0), run(0, MEASURE, 4.0)]).markdown();
    assert!(has_line(&text, "| 100 pairs | 0.75 (0.75–0.75) | 0.40: **missed** | – |"), "{text}");
}

#[test]
fn every_run_is_a_line_of_csv_and_of_json() {
    let mut gone = run(1, MEASURE, 1.0);
    (gone.reason, gone.summary, gone.bench) = (Some("ended, by itself".to_owned()), None, None);
    let report = report(vec![run(0, OURS, 3.0), gone]);
    let csv = report.csv();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(
        lines.get(1..),
        Some(
            &[
                "1,plexus,p2p,deliver,0.50,2.000,1000000,500000.000,3.000,1.500,1.000,150.000,\
                 300.000,20.000,40.000,",
                "2,mosquitto,p2p,,0.50,,,,,,,,,,,ended; by itself",
            ][..]
        )
    );
    assert!(lines.iter().all(|line| line.split(',').count() == 16), "{csv}");
    let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
    assert_eq!(json["conditions"][0], "quiet");
    assert_eq!(json["runs"][0]["bench"]["seconds"], 2.0);
    assert_eq!(json["runs"][1]["reason"], "ended, by itself");
}

#[test]
fn the_plot_shows_what_others_cost_beside_us() {
    let report = report(vec![run(0, OURS, 1.0), run(0, MEASURE, 4.0), run(0, "other", 0.5)]);
    let plot = report.plot();
    assert_eq!(plot.brokers, [MEASURE, "other"]);
    let bars = &plot.groups[0].bars;
    let shown: Vec<_> =
        bars.iter().map(|bar| (bar.broker, bar.spread.median, bar.target)).collect();
    assert_eq!(shown, [(0, 4.0, Some(2.5)), (1, 0.5, None)]);
}
