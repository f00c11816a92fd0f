//! Lines that a peer can cause are limited for each place in the program that writes them: a flood
//! is logged as its first lines and a count.

mod window;

use std::{fmt, sync::Mutex, time::Instant};

use tracing::{Event, Subscriber, callsite::Identifier};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

use self::window::{Limiter, Place};

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
