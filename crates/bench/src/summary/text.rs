//! The summary for a reader.

use std::fmt;

use super::{Messages, Part, Summary};

/// A time in the unit that a reader sees best, from microseconds.
pub(crate) fn time(micros: f64) -> String {
    match micros {
        micros if micros < 1_000.0 => format!("{micros:.0} µs"),
        micros if micros < 1_000_000.0 => format!("{:.2} ms", micros / 1e3),
        micros => format!("{:.2} s", micros / 1e6),
    }
}

/// A number with its thousands apart.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes in the unit that a reader sees best.
pub(crate) fn bytes(bytes: f64) -> String {
    match bytes {
        bytes if bytes < 1024.0 => format!("{bytes:.0} B"),
        bytes if bytes < 1024.0 * 1024.0 => format!("{:.1} KiB", bytes / 1024.0),
        bytes if bytes < 1024.0 * 1024.0 * 1024.0 => format!("{:.1} MiB", bytes / 1024.0 / 1024.0),
        bytes => format!("{:.2} GiB", bytes / 1024.0 / 1024.0 / 1024.0),
    }
}

#[expect(clippy::cast_sign_loss, reason = "a rate is never negative")]
fn rate(per_second: f64) -> String {
    number(per_second.round() as u64)
}

/// Processor time for each of so many things. The system counts it in hundredths of a second: of less
/// than ten of them the share of one says nothing.
fn cpu_each(cpu_seconds: f64, count: u64) -> Option<String> {
    const SECONDS_MIN: f64 = 0.1;
    let is_known = cpu_seconds >= SECONDS_MIN && count > 0;
    is_known.then(|| format!("{:.2} µs", cpu_seconds * 1e6 / count as f64))
}

/// Processor time of a whole run in which so many messages came and went.
fn cpu_of_run(cpu_seconds: f64, messages: u64) -> String {
    let each = cpu_each(cpu_seconds, messages);
    let each = each.map(|each| format!(" ({each} a message in or out)")).unwrap_or_default();
    format!("{cpu_seconds:.2} s of CPU{each}")
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match self.protocol {
            3 => "3.1",
            4 => "3.1.1",
            _ => "5.0",
        };
        writeln!(f, "plexus bench {}: MQTT {version}, {:.1} s", self.scenario, self.seconds)?;
        for part in &self.parts {
            part.write(f)?;
        }
        self.messages.write(f)?;
        for (name, group) in &self.groups {
            writeln!(
                f,
                "\n{name}: {} clients, {} connections accepted, {} failed, {} lost",
                number(u64::from(group.count)),
                number(group.accepted),
                number(group.failed),
                number(group.lost)
            )?;
        }
        self.write_processes(f)?;
        for (why, count) in &self.troubles {
            writeln!(f, "  {:>12} × {why}", number(*count))?;
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        for failure in &self.failures {
            writeln!(f, "failed: {failure}")?;
        }
        Ok(())
    }
}

impl Summary {
    fn write_processes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units: u64 = self.messages.published + self.messages.received;
        let own = &self.generator;
        write!(f, "\ngenerator: {} threads, {}", own.threads, bytes(own.memory_bytes as f64))?;
        if let Some(cpu) = own.cpu_seconds {
            write!(f, ", {}", cpu_of_run(cpu, units))?;
        }
        writeln!(f)?;
        if let Some(broker) = self.broker {
            let memory = bytes(broker.memory_bytes as f64);
            writeln!(f, "broker: {memory}, {}", cpu_of_run(broker.cpu_seconds, units))?;
        }
        Ok(())
    }
}

impl Part {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{}: {} {} in {:.2} s, {} a second{}",
            self.name,
            number(self.count),
            self.unit,
            self.seconds,
            rate(self.per_second),
            match self.bytes_per_second {
                some if some > 0.0 => format!(", {}/s of payload", bytes(some)),
                _ => String::new(),
            }
        )?;
        if let Some(broker) = self.broker {
            let grown = broker.memory_bytes.saturating_sub(broker.memory_before);
            let (cpu, grown) = (broker.cpu_seconds, bytes(grown as f64));
            let each = cpu_each(cpu, self.count).map(|each| format!(", {each} for each"));
            let each = each.unwrap_or_default();
            writeln!(f, "  broker: {cpu:.2} s of CPU{each}, {grown} more memory")?;
        }
        if self.times.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "  {:<12} {:>12} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}",
            "time to", "samples", "p50", "p90", "p99", "p99.9", "max", "mean"
        )?;
        for (name, times) in &self.times {
            writeln!(
                f,
                "  {name:<12} {:>12} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}",
                number(times.count),
                time(times.p50),
                time(times.p90),
                time(times.p99),
                time(times.p999),
                time(times.max),
                time(times.mean)
            )?;
        }
        Ok(())
    }
}

impl Messages {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.published + self.received == 0 {
            return Ok(());
        }
        writeln!(f, "\nmessages of the whole run")?;
        let always = [("published", self.published), ("received", self.received)];
        let told_apart = [
            ("lost", self.lost),
            ("duplicates", self.duplicates),
            ("out of order", self.out_of_order),
        ];
        // Of messages without stamps none of it is known, and zeros would say that nothing was lost.
        let is_known = self.unstamped == 0 || self.unstamped < self.received;
        let told_apart = told_apart.into_iter().filter(|_| is_known);
        let sometimes = [
            ("acknowledged", self.acknowledged),
            ("refused", self.refused),
            ("unacknowledged", self.unacknowledged),
            ("stray", self.stray),
            ("without stamp", self.unstamped),
            ("not sent", self.overrun),
            ("not connected", self.unconnected),
            ("waiting", self.waiting),
            ("written off", self.written_off),
        ];
        let some = sometimes.into_iter().filter(|(_, count)| *count > 0);
        for (name, count) in always.into_iter().chain(told_apart).chain(some) {
            writeln!(f, "  {name:<16} {:>16}", number(count))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Messages, Part, Summary, bytes, number, time};
    use crate::summary::{Broker, Generator};

    #[test]
    fn numbers_are_written_for_readers() {
        let numbers = [0, 999, 1_000, 1_234_567].map(number);
        assert_eq!(numbers, ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([12.4, 1_500.0, 2_000_000.0].map(time), ["12 µs", "1.50 ms", "2.00 s"]);
        assert_eq!([10.0, 2_048.0, 3_145_728.0].map(bytes), ["10 B", "2.0 KiB", "3.0 MiB"]);
    }

    #[test]
    fn a_share_of_less_than_the_clock_tells_is_left_out() {
        let text = |cpu_seconds: f64| {
            let broker = Some(Broker { cpu_seconds, ..Broker::default() });
            let generator = Generator { cpu_seconds: Some(cpu_seconds), ..Generator::default() };
            let messages = Messages { published: 1_000, received: 1_000, ..Messages::default() };
            let parts = vec![Part { count: 1_000, broker, ..Part::default() }];
            Summary { parts, messages, generator, broker, ..Summary::default() }.to_string()
        };
        for cpu in [0.0, 0.01, 0.09] {
            let text = text(cpu);
            assert!(!text.contains("a message in or out") && !text.contains("for each"), "{text}");
            assert!(text.contains(&format!("broker: {cpu:.2} s of CPU, 0 B more")), "{text}");
        }
        let text = text(0.2);
        assert_eq!(text.matches("0.20 s of CPU (100.00 µs a message in or out)\n").count(), 2);
        assert!(text.contains("0.20 s of CPU, 200.00 µs for each, 0 B more memory"), "{text}");
    }

    #[test]
    fn what_cannot_be_counted_is_no_zero() {
        let text = |unstamped| {
            let messages = Messages { received: 9, unstamped, ..Messages::default() };
            Summary { messages, ..Summary::default() }.to_string()
        };
        assert!(text(0).contains("  lost  ") && text(8).contains("  lost  "));
        assert!(!text(9).contains("  lost  "), "{}", text(9));
    }
}
