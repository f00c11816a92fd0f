//! What all commands do alike: ask, and write what is answered.

use std::{
    fmt,
    io::{self, BufRead, IsTerminal, Read, Write},
};

use clap::Args;
use plexus_api_model::{
    AccountQuery, AlarmQuery, BanQuery, ClientMessageQuery, ClientQuery, Meta, Operation, Page,
    RecordQuery, RetainedQuery, RouteQuery, RulesQuery, SlowQuery, SubscriptionQuery, TreeQuery,
};
use plexus_terminal::Failure;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    client::Client,
    events::Event,
    out::Out,
    shown,
    table::{Row, Table, pairs},
};

/// A command at work.
#[derive(Debug)]
pub(crate) struct Caller<'a> {
    /// Who is asked.
    pub(crate) client: Client,
    /// Where it is written.
    pub(crate) out: Out<'a>,
}

/// How much of a list.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct RangeArgs {
    /// How many at most
    #[arg(long, value_name = "NUMBER", default_value_t = 100, conflicts_with = "all")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,

    /// All of them, page by page
    #[arg(long)]
    all: bool,
}

/// A question that is answered page by page.
pub(crate) trait Paged: Serialize {
    /// How much is on a page at most.
    const PAGE: u64 = 1_000;

    /// So much is to be on the next page, which is the first where nothing is behind it.
    fn turn(&mut self, limit: u64, behind: Option<&Meta>);
}

macro_rules! by_cursor {
    ($($query:ty: $first:expr,)*) => {$(
        impl Paged for $query {
            fn turn(&mut self, limit: u64, behind: Option<&Meta>) {
                self.limit = Some(limit);
                self.cursor = behind.map_or($first, |meta| meta.cursor.clone());
            }
        }
    )*};
}

// Where pages may be numbered, too, a word asks for the first by cursor.
by_cursor! {
    ClientQuery: Some("none".to_owned()),
    SubscriptionQuery: Some("none".to_owned()),
    RetainedQuery: Some("none".to_owned()),
    ClientMessageQuery: None,
    TreeQuery: None,
}

macro_rules! by_number {
    ($($query:ty),*) => {$(
        impl Paged for $query {
            fn turn(&mut self, limit: u64, behind: Option<&Meta>) {
                self.limit = Some(limit);
                let page = behind.map_or(1, |meta| meta.page.unwrap_or(1).saturating_add(1));
                self.page = Some(page);
            }
        }
    )*};
}

by_number!(AccountQuery, AlarmQuery, BanQuery, RecordQuery, RouteQuery, RulesQuery, SlowQuery);

impl Caller<'_> {
    /// Shows a list that comes in one answer.
    pub(crate) fn list<P: Serialize, Q: Serialize, T: Row + DeserializeOwned>(
        &mut self,
        operation: &Operation<P, Q, (), Vec<T>>,
        path: &P,
        query: &Q,
    ) -> Result<(), Failure> {
        let answer = self.client.call(operation, path, query, &())?;
        if self.out.is_json() {
            return self.document(&answer.text);
        }
        Table::default().write(&answer.value, &mut self.out)
    }

    /// Shows what was picked out of an answer.
    pub(crate) fn rows<T: Row>(&mut self, text: &str, rows: &[T]) -> Result<(), Failure> {
        if self.out.is_json() {
            return self.document(text);
        }
        Table::default().write(rows, &mut self.out)
    }

    /// Shows a list that comes in pages, while they come: as one table, or as one array of JSON.
    pub(crate) fn pages<P: Serialize, Q: Paged, T: Row + Serialize + DeserializeOwned>(
        &mut self,
        operation: &Operation<P, Q, (), Page<T>>,
        path: &P,
        mut query: Q,
        range: RangeArgs,
    ) -> Result<(), Failure> {
        let mut list = List::default();
        let mut left = if range.all { u64::MAX } else { range.limit };
        let mut behind: Option<Meta> = None;
        loop {
            // A page is as large the whole way: where pages are numbered the number stands for a place.
            query.turn(range.page(Q::PAGE), behind.as_ref());
            let answer = self.client.call(operation, path, &query, &())?;
            let Page { mut data, meta } = answer.value;
            let shown = usize::try_from(left).unwrap_or(usize::MAX).min(data.len());
            let is_cut = shown < data.len();
            data.truncate(shown);
            left -= shown as u64;
            list.write(&data, &mut self.out)?;
            if self.out.is_gone() {
                return Ok(());
            }
            if left == 0 || !meta.hasnext {
                list.end(&mut self.out)?;
                if is_cut || meta.hasnext {
                    self.out.note(format_args!("there are more: --limit or --all shows them"));
                }
                return Ok(());
            }
            if behind.as_ref().is_some_and(|behind| stands(behind, &meta)) {
                let address = self.client.address();
                return Err(Failure::Failed(format!(
                    "{address}: the list does not go on: the same page comes again and again; is that a \
                     node's API?"
                )));
            }
            behind = Some(meta);
        }
    }

    /// Shows one thing: names and what stands for them.
    pub(crate) fn record<P: Serialize, Q: Serialize, B: Serialize, A: DeserializeOwned>(
        &mut self,
        operation: &Operation<P, Q, B, A>,
        path: &P,
        query: &Q,
        body: &B,
    ) -> Result<(), Failure> {
        let answer = self.client.call(operation, path, query, body)?;
        if self.out.is_json() {
            return self.document(&answer.text);
        }
        let mut lines = Vec::new();
        flatten("", &read(&answer.text)?, &mut lines);
        self.out.write(&pairs(&lines))
    }

    /// Shows what happens, a line each, until so many have come or nobody reads any more.
    pub(crate) fn watch<P: Serialize, Q: Serialize, A: DeserializeOwned>(
        &mut self,
        operation: &Operation<P, Q, (), A>,
        (path, query): (&P, &Q),
        count: Option<u64>,
        lines: fn(&A) -> Vec<String>,
    ) -> Result<(), Failure> {
        let mut events = self.client.watch(operation, path, query)?;
        let mut left = count.unwrap_or(u64::MAX);
        while left > 0 && !self.out.is_gone() {
            match events.next()? {
                None => {
                    let address = self.client.address();
                    return Err(Failure::Failed(format!("{address} has ended the stream")));
                }
                Some(Event::Lost(count)) => {
                    self.out
                        .note(format_args!("{count} events were left out: this reads too slowly"));
                }
                Some(Event::One(one, value)) => {
                    left -= 1;
                    let text = if self.out.is_json() {
                        shown::json_line(&value) + "\n"
                    } else {
                        lines(&one).iter().map(|line| shown::plain(line) + "\n").collect()
                    };
                    self.out.write(&text)?;
                }
            }
        }
        Ok(())
    }

    /// Has something done, and says so.
    pub(crate) fn act<P: Serialize, Q: Serialize, B: Serialize, A: DeserializeOwned>(
        &mut self,
        operation: &Operation<P, Q, B, A>,
        (path, query, body): (&P, &Q, &B),
        done: fmt::Arguments<'_>,
    ) -> Result<(), Failure> {
        let answer = self.client.call(operation, path, query, body)?;
        if self.out.is_json() && !answer.text.is_empty() {
            return self.document(&answer.text);
        }
        self.out.done(done)
    }

    /// Writes what was answered, as it is.
    pub(crate) fn document(&mut self, text: &str) -> Result<(), Failure> {
        self.out.document(&read(text)?)
    }
}

impl RangeArgs {
    fn page(self, most: u64) -> u64 {
        if self.all { most } else { self.limit.min(most) }
    }
}

/// Whether a page is the one before it.
fn stands(before: &Meta, now: &Meta) -> bool {
    match (&before.cursor, &now.cursor) {
        (None, None) => before.page == now.page,
        (before, now) => before == now,
    }
}

/// A list while it is written.
#[derive(Default)]
struct List {
    table: Table,
    written: bool,
}

impl List {
    fn write<T: Row + Serialize>(&mut self, rows: &[T], out: &mut Out<'_>) -> Result<(), Failure> {
        if !out.is_json() {
            return self.table.write(rows, out);
        }
        for row in rows {
            let value = serde_json::to_value(row)
                .map_err(|error| Failure::because("cannot write the answer", &error))?;
            let before = if self.written { ",\n" } else { "[\n" };
            out.write(&[before, &shown::json(&value)].concat())?;
            self.written = true;
        }
        Ok(())
    }

    fn end(&self, out: &mut Out<'_>) -> Result<(), Failure> {
        match (out.is_json(), self.written) {
            (false, _) => Ok(()),
            (true, true) => out.write("\n]\n"),
            (true, false) => out.write("[]\n"),
        }
    }
}

fn read(text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::because("the answer is no JSON", &error))
}

/// Names of what is in it, with a dot where one is within another.
pub(crate) fn flatten(name: &str, value: &Value, lines: &mut Vec<(String, String)>) {
    let within =
        |part: &str| if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") };
    match value {
        Value::Object(parts) => {
            for (part, value) in parts {
                flatten(&within(part), value, lines);
            }
        }
        Value::Array(parts) if parts.iter().any(|part| part.is_object() || part.is_array()) => {
            for (place, value) in parts.iter().enumerate() {
                flatten(&within(&place.to_string()), value, lines);
            }
        }
        Value::Array(parts) => {
            let words: Vec<String> = parts.iter().map(word).collect();
            lines.push((name.to_owned(), words.join(", ")));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            lines.push((name.to_owned(), word(value)));
        }
    }
}

fn word(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// An answer to a question on the terminal is no longer.
const REPLY_MAX: u64 = 256;

/// Asks whether what cannot be taken back is meant. A program says so with --yes.
pub(crate) fn confirm(yes: bool, what: fmt::Arguments<'_>) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    let what = shown::plain(&what.to_string());
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(Failure::Usage(format!(
            "{what}: that cannot be taken back, and nobody is there to ask; --yes says that it is meant"
        )));
    }
    let mut reply = String::new();
    let asked = write!(io::stderr(), "{what}? [y/N] ")
        .and_then(|()| io::stdin().lock().take(REPLY_MAX).read_line(&mut reply));
    asked.map_err(|error| Failure::because("cannot ask whether it is meant", &error))?;
    match reply.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::Failed("nothing was done".to_owned())),
    }
}
