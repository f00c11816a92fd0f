//! Where answers are written.

use std::{
    fmt,
    io::{self, IsTerminal, Write},
};

use clap::Args;
use rustix::termios::tcgetwinsize;
use serde_json::Value;

use plexus_terminal::Failure;

use crate::shown;

/// How answers are written.
#[derive(Debug, Clone, Copy, Args)]
pub struct OutputArgs {
    /// Print what the API answers, as JSON for programs
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// Where a command writes.
pub(crate) struct Out<'a> {
    to: Box<dyn Write + 'a>,
    notes: Box<dyn Write + 'a>,
    json: bool,
    columns: Option<usize>,
    colour: bool,
    gone: bool,
}

impl fmt::Debug for Out<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Out")
            .field("json", &self.json)
            .field("columns", &self.columns)
            .finish_non_exhaustive()
    }
}

impl Out<'static> {
    /// The stdout of this process.
    pub(crate) fn stdout(args: OutputArgs) -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        let size = is_terminal.then(|| tcgetwinsize(&stdout).ok()).flatten();
        let columns = size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
        let colour = is_terminal && wants_colour();
        let (to, notes) = (Box::new(stdout), Box::new(io::stderr()));
        Self { to, notes, json: args.json, columns, colour, gone: false }
    }
}

/// Unless the user has said that nothing is to be coloured (no-color.org).
pub(crate) fn wants_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

impl Out<'_> {
    /// Whether programs read it.
    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    /// The columns of the terminal, where it is one.
    pub(crate) const fn columns(&self) -> Option<usize> {
        self.columns
    }

    /// Whether the reader has read enough.
    pub(crate) const fn is_gone(&self) -> bool {
        self.gone
    }

    /// Writes that as it is.
    pub(crate) fn write(&mut self, text: &str) -> Result<(), Failure> {
        self.write_bytes(text.as_bytes())
    }

    /// The same of what need be no text.
    pub(crate) fn write_bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if self.gone {
            return Ok(());
        }
        match self.to.write_all(bytes).and_then(|()| self.to.flush()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(())
            }
            Err(error) => Err(Failure::because("cannot write to stdout", &error)),
        }
    }

    /// Writes the titles of a table.
    pub(crate) fn title(&mut self, line: &str) -> Result<(), Failure> {
        if self.colour {
            return self.write(&format!("\u{1b}[1m{line}\u{1b}[0m\n"));
        }
        self.write(&format!("{line}\n"))
    }

    /// Writes a document of JSON.
    pub(crate) fn document(&mut self, value: &Value) -> Result<(), Failure> {
        let text = shown::json(value);
        self.write(&format!("{text}\n"))
    }

    /// Says what was done, where a person reads it.
    pub(crate) fn done(&mut self, what: fmt::Arguments<'_>) -> Result<(), Failure> {
        if self.json {
            return Ok(());
        }
        let line = shown::plain(&what.to_string());
        self.write(&format!("{line}\n"))
    }

    /// Says something about the answer beside it.
    pub(crate) fn note(&mut self, what: fmt::Arguments<'_>) {
        let line = shown::plain(&what.to_string());
        // When stderr is gone nobody wants to know.
        drop(writeln!(self.notes, "{line}"));
    }
}

#[cfg(test)]
impl<'a> Out<'a> {
    /// Writes there, as to a file or to a terminal with so many columns.
    pub(crate) fn to(
        to: impl Write + 'a,
        notes: impl Write + 'a,
        json: bool,
        columns: Option<usize>,
    ) -> Self {
        Self { to: Box::new(to), notes: Box::new(notes), json, columns, colour: false, gone: false }
    }
}
