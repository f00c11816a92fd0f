use std::io::{BufRead, Read as _};

use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::{
    error::{Fault, ImportError},
    line::{FORMAT, Header, Line, Title, VERSION},
};

/// The lines of a file, one at a time.
pub(super) struct Lines<'a> {
    input: &'a mut dyn BufRead,
    line: Vec<u8>,
    line_bytes_max: usize,
    number: u64,
}

impl<'a> Lines<'a> {
    pub(super) fn new(input: &'a mut dyn BufRead, line_bytes_max: usize) -> Self {
        Self { input, line: Vec::new(), line_bytes_max, number: 0 }
    }

    /// The number of the line that was read last, from 1.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// The first line, of a version that is known.
    pub(super) fn header(&mut self) -> Result<Header, ImportError> {
        if !self.advance()? {
            return Err(self.wrong(Fault::Format));
        }
        let title: Title = self.parse().map_err(|_| self.wrong(Fault::Format))?;
        if title.format != FORMAT {
            return Err(self.wrong(Fault::Format));
        }
        if !(1..=VERSION).contains(&title.version) {
            return Err(self.wrong(Fault::Version(title.version)));
        }
        self.parse().map_err(|fault| self.wrong(fault))
    }

    pub(super) fn next(&mut self) -> Result<Option<Line>, ImportError> {
        if !self.advance()? {
            return Ok(None);
        }
        self.parse().map(Some).map_err(|fault| self.wrong(fault))
    }

    fn advance(&mut self) -> Result<bool, ImportError> {
        self.line.clear();
        let limit = self.line_bytes_max as u64 + 1;
        let read = self.input.take(limit).read_until(b'\n', &mut self.line);
        let read = read.map_err(|source| ImportError::Read { number: self.number, source })?;
        if read == 0 {
            return Ok(false);
        }
        self.number += 1;
        if self.line.len() > self.line_bytes_max {
            return Err(self.wrong(Fault::Long));
        }
        Ok(true)
    }

    fn parse<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        serde_json::from_slice(&self.line).map_err(|error| {
            let ends = !self.line.ends_with(b"\n");
            if ends && error.classify() == Category::Eof { Fault::CutOff } else { json(&error) }
        })
    }

    fn wrong(&self, fault: Fault) -> ImportError {
        ImportError::Line { number: self.number.max(1), fault }
    }
}

/// The parser counts lines of its own, of which there is one.
fn json(error: &serde_json::Error) -> Fault {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    let what = match error.column() {
        0 => what.to_owned(),
        column => format!("column {column}: {what}"),
    };
    Fault::Json { what }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read, repeat};

    use super::*;

    #[test]
    fn a_line_without_end_is_refused_before_it_is_all_in_memory() {
        let header = b"{\"format\":\"plexus-store\",\"version\":1}\n";
        let mut endless = BufReader::new(header.chain(repeat(b'x')));
        let mut lines = Lines::new(&mut endless, 100);
        lines.header().unwrap();
        let error = lines.next().unwrap_err().to_string();
        assert!(error.starts_with("line 2: the line is longer than"), "{error}");
        assert_eq!(lines.line.len(), 101);
    }
}
