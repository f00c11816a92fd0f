//! The node's own log as records of OTLP.

use std::{fmt, sync::Arc};

use plexus_runtime::unix_now;
use tokio::sync::mpsc;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Layer};

use crate::{
    proto::{AnyValue, AnyValueKind, KeyValue, LogRecord},
    tally::Tally,
};

/// Bytes of a message, and of each value beside it.
const BODY_MAX: usize = 4_096;
const VALUE_MAX: usize = 1_024;
/// Values beside a message.
const VALUES_MAX: usize = 32;
/// Whose records are the node's own: those of the libraries below it stay here, above all those of the one that sends.
const OWN: &str = "plexus";
/// What tells of the sending must not cause more of it.
const SENDS: &str = module_path!();

/// A record, and which module wrote it.
#[derive(Debug)]
pub(crate) struct Noted {
    pub(crate) target: &'static str,
    pub(crate) record: LogRecord,
}

/// Takes the records of the node's log. It never waits; what finds no room is counted as lost.
#[derive(Clone)]
pub struct LogLayer {
    records: mpsc::Sender<Noted>,
    tally: Arc<Tally>,
}

impl fmt::Debug for LogLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogLayer").finish_non_exhaustive()
    }
}

impl LogLayer {
    pub(crate) const fn new(records: mpsc::Sender<Noted>, tally: Arc<Tally>) -> Self {
        Self { records, tally }
    }
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let target = event.metadata().target();
        if !is_sent(target) {
            return;
        }
        let Ok(place) = self.records.try_reserve() else {
            self.tally.lose(1);
            return;
        };
        let (number, word) = severity(*event.metadata().level());
        let now = unix_now().as_nanos();
        let mut values = Values { record: LogRecord::default() };
        event.record(&mut values);
        let record = LogRecord {
            time_unix_nano: now,
            observed_time_unix_nano: now,
            severity_number: number,
            severity_text: word.to_owned(),
            ..values.record
        };
        place.send(Noted { target, record });
    }
}

fn is_sent(target: &str) -> bool {
    let sends = SENDS.split("::").next().unwrap_or_default();
    target.starts_with(OWN) && !target.starts_with(sends)
}

const fn severity(level: Level) -> (i32, &'static str) {
    match level {
        Level::TRACE => (1, "TRACE"),
        Level::DEBUG => (5, "DEBUG"),
        Level::INFO => (9, "INFO"),
        Level::WARN => (13, "WARN"),
        Level::ERROR => (17, "ERROR"),
    }
}

/// Gathers what a record says.
struct Values {
    record: LogRecord,
}

impl Values {
    fn put(&mut self, field: &Field, value: AnyValueKind) {
        if field.name() == "message" {
            self.record.body = Some(AnyValue { value: Some(value) });
        } else if self.record.attributes.len() < VALUES_MAX {
            self.record.attributes.push(KeyValue::new(field.name(), value));
        }
    }
}

impl Visit for Values {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = Bounded { text: String::new(), room: room(field) };
        // It ends with an error where there is no room for all of it.
        let _: fmt::Result = fmt::write(&mut text, format_args!("{value:?}"));
        self.put(field, AnyValueKind::String(text.text));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let end = value.floor_char_boundary(room(field));
        let value = value.get(..end).unwrap_or_default();
        self.put(field, AnyValueKind::String(value.to_owned()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, AnyValueKind::Bool(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, AnyValueKind::Int(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, AnyValueKind::Int(i64::try_from(value).unwrap_or(i64::MAX)));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, AnyValueKind::Double(value));
    }
}

fn room(field: &Field) -> usize {
    if field.name() == "message" { BODY_MAX } else { VALUE_MAX }
}

/// A text that takes so many bytes and no more.
struct Bounded {
    text: String,
    room: usize,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let end = part.floor_char_boundary(self.room);
        self.text.push_str(part.get(..end).unwrap_or_default());
        self.room -= end;
        if end < part.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::mpsc;
    use tracing_subscriber::layer::SubscriberExt;

    use super::{BODY_MAX, LogLayer, Noted, is_sent};
    use crate::{
        proto::{AnyValueKind, LogRecord},
        tally::Tally,
    };

    fn logged(room: usize, log: impl FnOnce()) -> (Vec<Noted>, u64) {
        let (records, mut next) = mpsc::channel(room);
        let tally = Arc::new(Tally::default());
        let layer = LogLayer::new(records, Arc::clone(&tally));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), log);
        let all = std::iter::from_fn(|| next.try_recv().ok()).collect();
        (all, tally.read()[1])
    }

    fn body(record: &LogRecord) -> &str {
        match record.body.as_ref().and_then(|body| body.value.as_ref()) {
            Some(AnyValueKind::String(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_record_says_what_the_log_says() {
        let (noted, _) = logged(9, || {
            tracing::warn!(target: "plexus_net", port = 7_u16, who = "a", ratio = 0.5, "closed {}", 1);
        });
        let [Noted { target: "plexus_net", record }] = &noted[..] else { panic!("{noted:?}") };
        assert_eq!((record.severity_number, &*record.severity_text), (13, "WARN"));
        assert_eq!(body(record), "closed 1");
        let names: Vec<_> = record.attributes.iter().map(|it| it.key.as_str()).collect();
        assert_eq!(names, ["port", "who", "ratio"]);
        assert!(record.time_unix_nano > 0);
    }

    #[test]
    fn nobody_elses_records_are_sent_and_none_of_the_sending() {
        for (target, sent) in [
            ("plexus", true),
            ("plexus_broker::shard", true),
            ("plexus_otlp::outlet", false),
            ("plexus_otlp", false),
            ("hyper_util::client", false),
            ("rustls", false),
        ] {
            assert_eq!(is_sent(target), sent, "{target}");
        }
    }

    #[test]
    fn what_is_long_is_cut_and_what_finds_no_room_is_counted() {
        let long = "\u{e9}".repeat(BODY_MAX);
        let (noted, lost) = logged(2, || {
            for _ in 0..5 {
                tracing::info!(target: "plexus", "x{long}");
            }
        });
        assert_eq!((noted.len(), lost), (2, 3));
        assert_eq!(body(&noted[0].record).len(), BODY_MAX - 1, "no character is cut in two");
    }
}
