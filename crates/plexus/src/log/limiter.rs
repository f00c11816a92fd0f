//! Lines that a peer can cause are limited for each place in the program that writes them: a flood
//! is logged as its first lines and a count.

use std::{
    fmt,
    hash::Hash,
    sync::Mutex,
    time::{Duration, Instant},
};

use plexus_stdx::{HashMap, Seed};
use tracing::{Event, Metadata, Subscriber, callsite::Identifier};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

/// Lines of one place in one window.
const LINES: u32 = 20;
const WINDOW: Duration = Duration::from_secs(1);

/// How the line looks that says what was left out.
#[derive(Debug, Clone, Copy)]
pub(super) enum Style {
    Text,
    Json,
}

/// A format that leaves out what is too much.
#[derive(Debug)]
pub(super) struct Limited<F> {
    format: F,
    style: Style,
    start: Instant,
    limiter: Mutex<Limiter<Identifier>>,
}

impl<F> Limited<F> {
    pub(super) fn new(format: F, style: Style) -> Self {
        Self { format, style, start: now(), limiter: Mutex::new(Limiter::new()) }
    }

    fn note(&self, writer: &mut Writer<'_>, place: &Place, count: u32) -> fmt::Result {
        match self.style {
            Style::Text => {
                SystemTime.format_time(writer)?;
                writeln!(writer, "  WARN plexus: similar lines were left out count={count} {place}")
            }
            Style::Json => {
                writer.write_str("{\"timestamp\":\"")?;
                SystemTime.format_time(writer)?;
                writeln!(
                    writer,
                    "\",\"level\":\"WARN\",\"fields\":{{\"message\":\"similar lines were left \
                     out\",\"count\":{count},\"of\":\"{place}\"}},\"target\":\"plexus\"}}"
                )
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the log is a shell and has no node around it")]
fn now() -> Instant {
    Instant::now()
}

impl<S, N, F> FormatEvent<S, N> for Limited<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        let elapsed = now().saturating_duration_since(self.start);
        let (notes, admitted) = {
            let mut limiter =
                self.limiter.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let notes = limiter.due(elapsed);
            (notes, limiter.admit(elapsed, metadata.callsite(), || Place::of(metadata)))
        };
        for (place, count) in notes {
            self.note(&mut writer, &place, count)?;
        }
        if admitted { self.format.format_event(context, writer, event) } else { Ok(()) }
    }
}

/// A place in the program that logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    target: &'static str,
    line: u32,
}

impl Place {
    fn of(metadata: &Metadata<'static>) -> Self {
        Self { target: metadata.target(), line: metadata.line().unwrap_or_default() }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.target, self.line)
    }
}

/// Counts lines by the place that writes them. There are as many places as the program has.
#[derive(Debug)]
struct Limiter<K> {
    places: HashMap<K, Window>,
    swept: Duration,
}

#[derive(Debug)]
struct Window {
    place: Place,
    began: Duration,
    lines: u32,
    left_out: u32,
}

impl<K: Hash + Eq> Limiter<K> {
    fn new() -> Self {
        Self { places: Seed::new(0).map(), swept: Duration::ZERO }
    }

    /// Whether the line may be written.
    fn admit(&mut self, now: Duration, key: K, place: impl FnOnce() -> Place) -> bool {
        let window = self.places.entry(key).or_insert_with(|| Window {
            place: place(),
            began: now,
            lines: 0,
            left_out: 0,
        });
        if now.saturating_sub(window.began) >= WINDOW {
            window.began = now;
            window.lines = 0;
        }
        if window.lines < LINES {
            window.lines += 1;
            return true;
        }
        window.left_out = window.left_out.saturating_add(1);
        false
    }

    /// What was left out in windows that are over; looked for once a window.
    fn due(&mut self, now: Duration) -> Vec<(Place, u32)> {
        if now.saturating_sub(self.swept) < WINDOW {
            return Vec::new();
        }
        self.swept = now;
        let over = self
            .places
            .values_mut()
            .filter(|window| window.left_out > 0 && now.saturating_sub(window.began) >= WINDOW);
        over.map(|window| (window.place, std::mem::take(&mut window.left_out))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LINES, Limiter, Place};

    const PLACE: Place = Place { target: "net", line: 7 };

    #[test]
    fn a_flood_is_its_first_lines_and_a_count() {
        let mut limiter = Limiter::new();
        let at = Duration::from_millis;
        let written = (0..100).filter(|_| limiter.admit(at(5), 'a', || PLACE)).count();
        assert_eq!(written, LINES as usize);
        assert!(limiter.admit(at(6), 'b', || PLACE), "another place has lines of its own");
        assert_eq!(limiter.due(at(900)), []);
        assert_eq!(limiter.due(at(1_100)), [(PLACE, 100 - LINES)]);
        assert!(limiter.admit(at(1_100), 'a', || PLACE), "a new window begins");
        assert_eq!(limiter.due(at(5_000)), []);
    }

    #[test]
    fn a_flood_that_goes_on_is_counted_again_and_again() {
        let mut limiter = Limiter::new();
        let mut counted = 0;
        let mut written = 0;
        for millis in 0..10_000 {
            let now = Duration::from_millis(millis);
            counted += limiter.due(now).iter().map(|(_, count)| count).sum::<u32>();
            written += u32::from(limiter.admit(now, 'a', || PLACE));
        }
        counted += limiter.due(Duration::from_secs(20)).iter().map(|(_, count)| count).sum::<u32>();
        assert_eq!(written, 10 * LINES);
        assert_eq!(written + counted, 10_000);
    }
}
