//! How a command ends when it does not succeed: one message on stderr, one exit code.

use std::{
    error::Error,
    fmt,
    io::{self, Write},
    process::ExitCode,
};

use plexus_config::{ConfigError, Diagnostic, Origin, on_one_line};

/// What the exit codes of all commands mean, for their help.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  it failed, and the message says why; or the answer is no
  2  the command line is wrong
  3  the configuration is wrong
  4  the broker refused it
  5  the time was over";

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// It was tried and failed.
    Failed(String),
    /// The command line asks for something that cannot be.
    Usage(String),
    /// The configuration is wrong.
    Config(ConfigError),
    /// The same where a log collects what is written: each mistake on a line.
    ConfigLines(ConfigError),
    /// The broker refused it.
    Refused(String),
    /// What was asked was answered, with no.
    No,
    /// The time was over before it was done.
    TimeOver(String),
}

impl Failure {
    /// A failure with everything that led to it.
    pub fn because(what: impl fmt::Display, error: &dyn Error) -> Self {
        Self::Failed(format!("{what}: {}", chain(error)))
    }

    /// As a program writes it that nobody watches.
    #[must_use]
    pub fn in_lines(self) -> Self {
        match self {
            Self::Config(error) => Self::ConfigLines(error),
            other => other,
        }
    }

    /// Writes the message and gives the exit code.
    pub fn report(&self) -> ExitCode {
        if !matches!(self, Self::No) {
            // When stderr is gone, the exit code still tells.
            drop(writeln!(io::stderr(), "{self}"));
        }
        ExitCode::from(match self {
            Self::Failed(_) | Self::No => 1,
            Self::Usage(_) => 2,
            Self::Config(_) | Self::ConfigLines(_) => 3,
            Self::Refused(_) => 4,
            Self::TimeOver(_) => 5,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(message)
            | Self::Usage(message)
            | Self::Refused(message)
            | Self::TimeOver(message) => {
                // Line breaks are ours; whatever else could steer a terminal is not.
                let lines = message.split('\n').map(on_one_line).collect::<Vec<_>>();
                write!(f, "error: {}", lines.join("\n"))
            }
            Self::No => f.write_str("no"),
            Self::Config(error) => fmt::Display::fmt(error, f),
            Self::ConfigLines(error) => {
                let lines = error.diagnostics.iter().map(|one| format!("error: {}", one.line()));
                f.write_str(&lines.collect::<Vec<_>>().join("\n"))
            }
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

/// A mistake of the configuration that is found only when it is carried out.
pub fn of_config(origin: Origin, message: String) -> Failure {
    Failure::Config(ConfigError::one(Diagnostic::new(origin, message)))
}

/// The error and its causes on one line; a cause that its effect already tells is left out.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let told = cause.to_string();
        if !text.ends_with(&told) {
            text.push_str(": ");
            text.push_str(&told);
        }
        next = cause.source();
    }
    text
}

/// Writes a whole answer to stdout. A reader that has read enough is no failure.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::because("cannot write to stdout", &error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
