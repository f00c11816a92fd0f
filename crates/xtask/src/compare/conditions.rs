//! Under what circumstances was measured.

use std::fs;

use super::brokers::{Broker, Contestant};
use super::options::Options;

/// A line each.
pub(super) fn conditions(
    options: &Options,
    contestants: &[Contestant],
    missing: &[Broker],
) -> Vec<String> {
    let mut lines: Vec<String> =
        contestants.iter().map(|one| format!("{}: {}", one.broker.name, one.version)).collect();
    lines.extend(missing.iter().map(|one| format!("{}: not installed (`{}`)", one.name, one.get)));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let count = std::thread::available_parallelism().map_or(0, usize::from);
    lines.push(format!("Linux {}, {count} × {}, loopback", kernel.trim(), model(&processor)));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    lines.push(format!("load average of the machine when it ended: {load}"));
    lines.push(format!(
        "rounds: {}; every run has a fresh process, and the order of brokers rotates from round to round",
        options.rounds,
    ));
    lines.push(format!(
        "each run: {} s of warm-up and {} s measured, or so many messages; the load shares the machine",
        options.warm_up, options.seconds,
    ));
    lines
}

/// What the processor calls itself.
fn model(cpuinfo: &str) -> &str {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"));
    let model = line.and_then(|line| Some(line.split_once(':')?.1.trim()));
    model.unwrap_or("processors")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_named() {
        assert_eq!(model("processor\t: 0\nmodel name\t: Xeon 9\nmodel name\t: x\n"), "Xeon 9");
        assert_eq!(model("BogoMIPS: 1"), "processors");
    }
}
