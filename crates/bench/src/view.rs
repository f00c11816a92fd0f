//! What a watcher sees while a run goes on. Pure.

use std::fmt::Write as _;

use crate::{
    counts::{Census, Count},
    director::Progress,
    summary::text::{bytes, number, time},
};

/// Letters of a bar.
const BAR: usize = 30;

/// A block of lines for a terminal.
pub fn block(progress: &Progress) -> Vec<String> {
    let mut lines = Vec::new();
    let elapsed = progress.elapsed.as_secs();
    let bar = progress.done.map_or(String::new(), |done| format!(" {}", bar(done)));
    lines.push(format!("{} · {} · {elapsed} s{bar}", progress.name, progress.step));
    for (index, (name, count)) in progress.groups.iter().enumerate() {
        let counts = &progress.counts;
        lines.push(format!(
            "  {name:<12} {:>11} of {} connected, {} ready, {} failed, {} lost",
            number(counts.standing(index)),
            number(u64::from(*count)),
            number(counts.of(index, Census::Ready)),
            number(counts.of(index, Census::Failed)),
            number(counts.of(index, Census::Lost))
        ));
    }
    lines.push(format!("  {}", rates(progress)));
    lines.push(format!("  {}", faults(progress)));
    for (metric, times) in &progress.times {
        lines.push(format!(
            "  time to {:<12} p50 {:>9}  p99 {:>9}  p99.9 {:>9}  max {:>9}",
            metric.name(),
            time(times.p50),
            time(times.p99),
            time(times.p999),
            time(times.max)
        ));
    }
    lines
}

/// One line for a log.
pub fn line(progress: &Progress) -> String {
    let times = progress.times.iter().map(|(metric, times)| {
        format!("; {} p50 {} p99 {}", metric.name(), time(times.p50), time(times.p99))
    });
    format!(
        "{} s: {}: {} connected; {}; {}{}",
        progress.elapsed.as_secs(),
        progress.step,
        number(progress.counts.all_standing()),
        rates(progress),
        faults(progress),
        times.collect::<String>()
    )
}

#[expect(clippy::cast_sign_loss, reason = "a rate is never negative")]
fn per_second(progress: &Progress, count: u64) -> u64 {
    (count as f64 / progress.interval.as_secs_f64().max(1e-3)).round() as u64
}

fn rates(progress: &Progress) -> String {
    let since = |count| progress.counts.since(&progress.before, count);
    let mut text = format!(
        "out {}/s, in {}/s, {}/s of payload in",
        number(per_second(progress, since(Count::Published))),
        number(per_second(progress, since(Count::Received))),
        bytes(per_second(progress, since(Count::BytesIn)) as f64)
    );
    let rare = [
        (progress.counts.all_since(&progress.before, Census::Accepted), "connections"),
        (since(Count::Subscribed), "subscriptions"),
    ];
    for (count, what) in rare.into_iter().filter(|(count, _)| *count > 0) {
        // Writing to a string does not fail.
        let _ = write!(text, ", {} {what}/s", number(per_second(progress, count)));
    }
    text
}

fn faults(progress: &Progress) -> String {
    let get = |count| number(progress.counts.get(count));
    format!(
        "{} duplicates, {} out of order, {} troubles",
        get(Count::Duplicates),
        get(Count::OutOfOrder),
        number(progress.troubles)
    )
}

#[expect(clippy::cast_sign_loss, reason = "a share is from 0 to 1")]
fn bar(done: f64) -> String {
    let done = done.clamp(0.0, 1.0);
    let full = (done * BAR as f64).round() as usize;
    format!("[{}{}] {:.0} %", "#".repeat(full), "·".repeat(BAR - full), done * 100.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::counts::Counts;

    #[test]
    fn a_watcher_sees_rates_and_faults() {
        let mut counts = Counts::new(1);
        counts.add(Count::Published, 2_000);
        counts.add(Count::Duplicates, 7);
        counts.note(0, Census::Accepted);
        let progress = Progress {
            name: "p2p".to_owned(),
            step: "traffic: deliver".to_owned(),
            elapsed: Duration::from_secs(9),
            done: Some(0.5),
            groups: vec![("publishers".to_owned(), 3)],
            interval: Duration::from_secs(2),
            before: Counts::new(1),
            counts,
            ..Progress::default()
        };
        let block = block(&progress).join("\n");
        for part in ["[###############·", "] 50 %", "1 of 3 connected", "out 1,000/s", "7 dup"] {
            assert!(block.contains(part), "{part}: {block}");
        }
        let line = line(&progress);
        assert!(line.starts_with("9 s: traffic: deliver: 1 connected; out 1,000/s"), "{line}");
    }
}
