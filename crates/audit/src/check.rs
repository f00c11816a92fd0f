//! Whether a chain is whole: from the first record of the oldest file to the last of the newest.

use std::fmt;

use crate::{
    Hash,
    chain::{BadLine, Link, Written, read_line},
};

/// The act of a record that says how the file before it ended.
pub(crate) const TORN: &str = "torn";

/// The end of a file that is no whole line, as a crash leaves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// The file.
    pub file: String,
    /// Its bytes.
    pub bytes: usize,
    /// Their hash.
    pub hash: Hash,
}

impl Torn {
    fn of(file: &str, bytes: &[u8]) -> Self {
        Self { file: file.to_owned(), bytes: bytes.len(), hash: Hash::of(bytes) }
    }

    /// What the next file says of it.
    pub(crate) fn told(&self) -> String {
        format!("{} bytes with the hash {}", self.bytes, self.hash)
    }
}

/// The first place where a chain is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {fault}")]
pub struct Break {
    /// The file.
    pub file: String,
    /// The line in it, from 1 on.
    pub line: usize,
    /// What is wrong there.
    pub fault: Fault,
}

/// What is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Something that no node has written.
    #[error("this is no record of an audit log")]
    Form,
    /// A record that was changed after it was written.
    #[error("the record was changed: its hash is of something else")]
    Changed,
    /// A record that is not the next one.
    #[error(
        "record {found} stands where record {expected} was written: records are missing, come \
             again or changed places"
    )]
    Number {
        /// The one that should be here.
        expected: u64,
        /// The one that is.
        found: u64,
    },
    /// The right number, made for another record before it.
    #[error("record {0} does not follow the one before it: one of the two was written anew")]
    Unlinked(u64),
    /// A file that ends in the middle of a record, and the next one knows nothing of it.
    #[error("the file is cut off, and the node that went on after it did not find it so")]
    CutOff,
    /// A number between two files that is not there.
    #[error("the file before this one is missing: {0}")]
    FileMissing(String),
}

/// What a whole chain holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Files of it.
    pub files: usize,
    /// The number of the first record that is there; 1 when no file has been deleted for its age.
    pub first: u64,
    /// The number of the last record.
    pub last: u64,
    /// The hash of the last record: who writes it down elsewhere can tell when the end is cut off.
    pub hash: Hash,
    /// The newest file ends in the middle of a record: a crash, or somebody who cut it off.
    pub torn: Option<Torn>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = if self.files == 1 { "file" } else { "files" };
        write!(f, "records {} to {} in {} {files}", self.first, self.last, self.files)?;
        write!(f, ", the last with the hash {}", self.hash)
    }
}

/// A chain as far as it has been looked at.
#[derive(Debug, Default)]
pub(crate) struct Check {
    files: usize,
    number: Option<u64>,
    first: Option<u64>,
    last: Option<Link>,
    torn: Option<Torn>,
}

impl Check {
    /// Looks at the next file. `named` makes the name of a file of its number.
    pub(crate) fn file(
        &mut self,
        number: u64,
        named: fn(u64) -> String,
        bytes: &[u8],
    ) -> Result<(), Break> {
        let name = named(number);
        let broken = |line, fault| Break { file: name.clone(), line, fault };
        if let Some(before) = self.number.filter(|before| before + 1 != number) {
            return Err(broken(1, Fault::FileMissing(named(before + 1))));
        }
        self.number = Some(number);
        self.files += 1;
        let mut rest = bytes;
        let mut line = 1;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (said, behind) = rest.split_at(end);
            rest = behind.get(1..).unwrap_or_default();
            let written = read_line(said).map_err(|bad| {
                broken(line, if bad == BadLine::Form { Fault::Form } else { Fault::Changed })
            })?;
            self.take(&written).map_err(|(torn, fault)| match torn {
                Some(torn) => Break { file: torn.file, line: 1, fault },
                None => broken(line, fault),
            })?;
            line += 1;
        }
        if !rest.is_empty() {
            if let Some(earlier) = self.torn.take() {
                return Err(Break { file: earlier.file, line: 1, fault: Fault::CutOff });
            }
            self.torn = Some(Torn::of(&name, rest));
        }
        Ok(())
    }

    /// The next record. With the fault comes the file before it, where it is that one's.
    fn take(&mut self, written: &Written) -> Result<(), (Option<Torn>, Fault)> {
        if let Some(torn) = self.torn.take() {
            let told = written.text("act") == Some(TORN)
                && written.text("target") == Some(&torn.file)
                && written.text("because") == Some(&torn.told());
            if !told {
                return Err((Some(torn), Fault::CutOff));
            }
        }
        let Link { seq, .. } = written.link;
        let before = self.last.or_else(|| (seq == 1).then_some(Link::START));
        if let Some(before) = before {
            if seq != before.seq + 1 {
                let expected = before.seq + 1;
                return Err((None, Fault::Number { expected, found: seq }));
            }
            if written.before != before.hash {
                return Err((None, Fault::Unlinked(seq)));
            }
        }
        self.first.get_or_insert(seq);
        self.last = Some(written.link);
        Ok(())
    }

    /// The last record that was whole.
    pub(crate) fn last(&self) -> Option<Link> {
        self.last
    }

    /// What it has come to.
    pub(crate) fn end(self) -> Summary {
        let last = self.last.unwrap_or(Link::START);
        Summary {
            files: self.files,
            first: self.first.unwrap_or(0),
            last: last.seq,
            hash: last.hash,
            torn: self.torn,
        }
    }
}

#[cfg(test)]
mod tests;
