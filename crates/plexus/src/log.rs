//! The log on stderr: for a person on a terminal, JSON elsewhere, and never more lines from one
//! place in the program than a disk can bear.

mod limiter;

use std::io::{self, IsTerminal};

use plexus_config::settings::{LogFormat, LogSettings};
use plexus_otlp::LogLayer;
use plexus_terminal::Failure;
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    fmt::format::{self, JsonFields},
    layer::SubscriberExt,
    reload,
    util::SubscriberInitExt,
};

use self::limiter::{Limited, Style};
/// Changes what is logged while the program runs.
#[derive(Debug)]
pub(crate) struct LogHandle(reload::Handle<EnvFilter, Registry>);

/// Starts the log; once in a process. What is in it goes to `export`, too, if that is there.
pub(crate) fn start(
    settings: &LogSettings,
    export: Option<LogLayer>,
) -> Result<LogHandle, Failure> {
    let (filter, handle) = reload::Layer::new(EnvFilter::new(settings.level.as_str()));
    let terminal = io::stderr().is_terminal();
    let json = match settings.format {
        LogFormat::Auto => !terminal,
        LogFormat::Pretty => false,
        LogFormat::Json => true,
    };
    let output = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(terminal);
    let output = if json {
        let format = Limited::new(format::format().json(), Style::Json);
        output.fmt_fields(JsonFields::new()).event_format(format).boxed()
    } else {
        let format = format::format().with_ansi(terminal).compact();
        output.event_format(Limited::new(format, Style::Text)).boxed()
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(output)
        .with(export)
        .try_init()
        .map_err(|error| Failure::because("cannot start the log", &error))?;
    Ok(LogHandle(handle))
}

impl LogHandle {
    /// Logs by these settings from now on. The form of the lines stays.
    pub(crate) fn change(&self, settings: &LogSettings) -> Result<(), reload::Error> {
        self.0.reload(EnvFilter::new(settings.level.as_str()))
    }
}
