//! Answers that do not end: server-sent events (WHATWG HTML, section 9.2).

use std::{
    fmt,
    io::{BufRead, BufReader, Read},
    marker::PhantomData,
};

use reqwest::blocking::Response;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    address::Address,
    client::{ANSWER_MAX, CallError, ended},
    shown,
};

/// What has come.
#[derive(Debug)]
pub(crate) enum Event<A> {
    /// What was asked for, and how it was written.
    One(A, Value),
    /// So many were left out, because they were not read fast enough.
    Lost(u64),
}

/// A stream of events.
pub(crate) struct Events<A> {
    address: Address,
    operation: &'static str,
    from: Box<dyn BufRead>,
    given: PhantomData<fn() -> A>,
}

impl<A> fmt::Debug for Events<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("operation", &self.operation).finish_non_exhaustive()
    }
}

/// The data of an event `lost`.
#[derive(Deserialize)]
struct Lost {
    count: u64,
}

impl<A: DeserializeOwned> Events<A> {
    pub(crate) fn new(address: Address, operation: &'static str, response: Response) -> Self {
        let from = Box::new(BufReader::new(response));
        Self { address, operation, from, given: PhantomData }
    }

    /// Waits for the next event; none where the stream has ended.
    pub(crate) fn next(&mut self) -> Result<Option<Event<A>>, CallError> {
        let (mut name, mut data) = (String::new(), String::new());
        loop {
            let Some(line) = self.line()? else { return Ok(None) };
            let (field, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => value.clone_into(&mut name),
                "data" => {
                    data.push_str(value);
                    data.push('\n');
                    if data.len() as u64 > ANSWER_MAX {
                        return Err(CallError::TooLong { address: self.address.clone() });
                    }
                }
                // An empty line ends an event; one without data is none.
                "" if line.is_empty() && !data.is_empty() => {
                    return self.event(&name, &data).map(Some);
                }
                // A comment, or a field that means nothing to us.
                _ => {}
            }
        }
    }

    fn event(&self, name: &str, data: &str) -> Result<Event<A>, CallError> {
        let nonsense = |error: serde_json::Error| self.nonsense(&error.to_string());
        if name == "lost" {
            return serde_json::from_str::<Lost>(data)
                .map(|lost| Event::Lost(lost.count))
                .map_err(nonsense);
        }
        let value: Value = serde_json::from_str(data).map_err(nonsense)?;
        let one = serde_json::from_str(data).map_err(nonsense)?;
        Ok(Event::One(one, value))
    }

    fn line(&mut self) -> Result<Option<String>, CallError> {
        let mut line = Vec::new();
        let read = (&mut self.from).take(ANSWER_MAX + 1).read_until(b'\n', &mut line);
        read.map_err(|error| ended(&self.address, &error))?;
        if line.len() as u64 > ANSWER_MAX {
            return Err(CallError::TooLong { address: self.address.clone() });
        }
        if line.pop().is_none_or(|last| last != b'\n') {
            return Ok(None);
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        String::from_utf8(line).map(Some).map_err(|error| self.nonsense(&error.to_string()))
    }

    fn nonsense(&self, cause: &str) -> CallError {
        let cause = shown::plain(cause);
        CallError::Nonsense { address: self.address.clone(), operation: self.operation, cause }
    }
}
