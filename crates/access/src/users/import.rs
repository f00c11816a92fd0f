//! Users as other brokers hand them out. A text is understood as a whole or not at all.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, SeqAccess, Visitor},
};

use super::{NameError, USERS_MAX, User, check_name, is_comment};
use crate::{HashError, PasswordScheme, StoredPassword};

/// Why a text is no list of users.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ImportError {
    /// The line, counted from 1, on which it was noticed: for an object of JSON its last one.
    pub line: usize,
    /// What is wrong.
    pub problem: ImportProblem,
}

/// What can be wrong with a list of users.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportProblem {
    /// No user at all.
    #[error("there is no user")]
    Empty,
    /// The first line names no columns, or others.
    #[error("expected the columns user_id,password_hash,salt,is_superuser in the first line")]
    Columns,
    /// A line with more or fewer fields than there are columns, or an open quotation mark.
    #[error("expected as many fields as there are columns")]
    Fields,
    /// Neither true nor false.
    #[error("is_superuser of `{0}` is neither true nor false")]
    Flag(String),
    /// No colon.
    #[error("expected `name:$7$<iterations>$<salt>$<hash>` or `name:$6$<salt>$<hash>`")]
    NoColon,
    /// A name that cannot be.
    #[error("the user name {0}")]
    Name(#[from] NameError),
    /// The same name again.
    #[error("user `{0}` is there a second time")]
    Twice(String),
    /// The hash is not accepted.
    #[error("the password of user `{0}` {1}")]
    Hash(String, HashError),
    /// Too many.
    #[error("more than 1,000,000 users")]
    TooMany,
    /// No JSON, or not of that shape.
    #[error("{0}")]
    Json(String),
}

/// Users by their names.
type Found = BTreeMap<String, User>;

const NAME: &str = "user_id";
const HASH: &str = "password_hash";
const SALT: &str = "salt";
const FLAG: &str = "is_superuser";

/// Reads comma-separated values (RFC 4180, without line breaks in fields). The first line names the
/// columns `user_id`, `password_hash`, `salt` and `is_superuser`, in any order; the last two may be missing.
pub fn csv(text: &str, scheme: PasswordScheme) -> Result<Found, ImportError> {
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim_ascii().is_empty());
    let Some((line, first)) = lines.next() else {
        return Err(ImportError { line: 1, problem: ImportProblem::Empty });
    };
    let columns = columns(first).ok_or(ImportError { line, problem: ImportProblem::Columns })?;
    let mut found = Found::new();
    for (line, text) in lines {
        let added = record_of(text, &columns).and_then(|record| add(&mut found, record, scheme));
        added.map_err(|problem| ImportError { line, problem })?;
    }
    some(found, line)
}

fn columns(line: &str) -> Option<Vec<String>> {
    let columns = fields(line.trim_start_matches('\u{feff}'))?;
    let count = |name: &str| columns.iter().filter(|column| *column == name).count();
    let known = [NAME, HASH, SALT, FLAG].map(count);
    let fits = matches!(known, [1, 1, 0..=1, 0..=1]);
    (fits && known.iter().sum::<usize>() == columns.len()).then_some(columns)
}

fn record_of(line: &str, columns: &[String]) -> Result<Record, ImportProblem> {
    let fields = fields(line).filter(|fields| fields.len() == columns.len());
    let mut record = Record::default();
    let mut flag = String::new();
    for (column, field) in columns.iter().zip(fields.ok_or(ImportProblem::Fields)?) {
        match column.as_str() {
            NAME => record.user_id = field,
            HASH => record.password_hash = field,
            SALT => record.salt = field,
            _ => flag = field,
        }
    }
    record.is_superuser = match flag.as_str() {
        "" | "false" => false,
        "true" => true,
        _ => return Err(ImportProblem::Flag(record.user_id)),
    };
    Ok(record)
}

/// The fields of a line; none where quotation marks do not fit.
fn fields(line: &str) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, behind) = if let Some(quoted) = rest.strip_prefix('"') {
            quoted_field(quoted)?
        } else {
            let (field, behind) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
            (field.to_owned(), behind)
        };
        fields.push(field);
        match behind.strip_prefix(',') {
            Some(more) => rest = more,
            None => return behind.is_empty().then_some(fields),
        }
    }
}

/// What stands up to the closing quotation mark, two of which are one, and what is behind it.
fn quoted_field(text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (before, behind) = rest.split_once('"')?;
        field.push_str(before);
        match behind.strip_prefix('"') {
            None => return Some((field, behind)),
            Some(more) => {
                field.push('"');
                rest = more;
            }
        }
    }
}

/// Reads a list of objects in JSON, with the keys `user_id`, `password_hash`, and if there are any `salt` and
/// `is_superuser`.
pub fn json(text: &str, scheme: PasswordScheme) -> Result<Found, ImportError> {
    let mut reader = serde_json::Deserializer::from_str(text);
    // What is wrong with a user is kept here; the reader's error knows the line.
    let mut mistake = None;
    let read = Records { scheme, mistake: &mut mistake }.deserialize(&mut reader);
    let read = read.and_then(|found| reader.end().map(|()| found));
    let found = read.map_err(|error| ImportError {
        line: error.line().max(1),
        problem: mistake.unwrap_or_else(|| ImportProblem::Json(error.to_string())),
    })?;
    some(found, 1)
}

struct Records<'a> {
    scheme: PasswordScheme,
    mistake: &'a mut Option<ImportProblem>,
}

impl<'de> DeserializeSeed<'de> for Records<'_> {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Records<'_> {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of users")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Found, A::Error> {
        let mut found = Found::new();
        while let Some(record) = list.next_element::<Record>()? {
            add(&mut found, record, self.scheme).map_err(|problem| {
                let error = Error::custom(&problem);
                *self.mistake = Some(problem);
                error
            })?;
        }
        Ok(found)
    }
}

/// A user as the list has it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    user_id: String,
    password_hash: String,
    #[serde(default)]
    salt: String,
    #[serde(default)]
    is_superuser: bool,
}

/// Reads a password file of Mosquitto: `name:$7$<iterations>$<salt>$<hash>` (PBKDF2 with SHA-512),
/// `name:$6$<salt>$<hash>` (SHA-512 of password and salt) or `name:$argon2id$…`, salts and hashes in base64.
pub fn mosquitto(text: &str) -> Result<Found, ImportError> {
    let mut found = Found::new();
    for (line, text) in (1..).zip(text.lines()).filter(|(_, line)| !is_comment(line)) {
        mosquitto_line(&mut found, text).map_err(|problem| ImportError { line, problem })?;
    }
    some(found, 1)
}

fn mosquitto_line(found: &mut Found, line: &str) -> Result<(), ImportProblem> {
    let (name, hash) = line.trim_end().split_once(':').ok_or(ImportProblem::NoColon)?;
    check_name(name)?;
    let parts: Vec<&str> = hash.split('$').collect();
    let stored = match parts.as_slice() {
        ["", "7", iterations, salt, hash] => {
            StoredPassword::of_mosquitto(Some(iterations), salt, hash)
        }
        ["", "6", salt, hash] => StoredPassword::of_mosquitto(None, salt, hash),
        ["", "argon2id", ..] => StoredPassword::parse(hash),
        _ => return Err(ImportProblem::NoColon),
    };
    let password = stored.map_err(|error| ImportProblem::Hash(name.to_owned(), error))?;
    put(found, name.to_owned(), User { password, is_superuser: false })
}

fn add(found: &mut Found, record: Record, scheme: PasswordScheme) -> Result<(), ImportProblem> {
    let Record { user_id: name, password_hash, salt, is_superuser } = record;
    check_name(&name)?;
    match scheme.read(&password_hash, Some(&salt)) {
        Ok(password) => put(found, name, User { password, is_superuser }),
        Err(error) => Err(ImportProblem::Hash(name, error)),
    }
}

fn put(found: &mut Found, name: String, user: User) -> Result<(), ImportProblem> {
    if found.contains_key(&name) {
        return Err(ImportProblem::Twice(name));
    }
    if found.len() >= USERS_MAX {
        return Err(ImportProblem::TooMany);
    }
    found.insert(name, user);
    Ok(())
}

fn some(found: Found, line: usize) -> Result<Found, ImportError> {
    if found.is_empty() {
        return Err(ImportError { line, problem: ImportProblem::Empty });
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
