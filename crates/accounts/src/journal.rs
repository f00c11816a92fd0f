//! The file: a line of JSON for each change, the last one of the same holds.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use plexus_api_model::{AccountRule, RuleWhom};
use plexus_runtime::files;
use serde::{Deserialize, Serialize};

/// The version of the file.
const VERSION: u32 = 1;
/// Bytes of a line: a hundred thousand users.
const LINE_MAX: usize = 128 * 1024 * 1024;
/// Lines that are of no use any more, before it is worth while to write the file anew.
const IDLE_LINES: usize = 10_000;

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Line {
    /// The first one: the version of the file.
    Accounts(u32),
    /// A user of a tenant, or of none, with what stands behind the name in a user file; without it the user is gone.
    User {
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tenant: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stored: Option<String>,
    },
    /// Several that were changed together: after a crash all of them are there, or none.
    Together(Vec<Self>),
    /// The rules of somebody; of everybody where nobody is named. Without any they are gone.
    Rules {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<(RuleWhom, String)>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tenant: Option<String>,
        rules: Vec<AccountRule>,
    },
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be read or written.
    #[error("cannot read and write {}", .file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// A line of it is none.
    #[error("{}, line {line}: {problem}; put back a copy, or take the line out", .file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
}

/// The file, open at its end.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    length: u64,
    /// An error came, and what was written then could not be taken out.
    is_broken: bool,
}

impl Journal {
    /// Shows each line of the file, with its number, then goes on behind the last one. What a crash has cut off is
    /// taken out: nobody was told that it is kept.
    pub(crate) fn open(
        path: &Path,
        mut see: impl FnMut(Line) -> Result<(), String>,
    ) -> Result<(Self, usize), OpenError> {
        let failed = |error| OpenError::Io { file: path.to_owned(), error };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        let file = files::for_its_owner(&mut options).open(path).map_err(failed)?;
        // One that was there already may be for others, too.
        #[cfg(unix)]
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .map_err(failed)?;
        let (mut reader, mut text) = (BufReader::new(&file), Vec::new());
        let (mut length, mut count) = (0, 0);
        loop {
            text.clear();
            let mut part = io::Read::take(&mut reader, LINE_MAX as u64 + 1);
            let bytes = part.read_until(b'\n', &mut text).map_err(failed)?;
            let wrong = |problem: String| OpenError::Line {
                file: path.to_owned(),
                line: count + 1,
                problem,
            };
            if bytes > LINE_MAX {
                return Err(wrong(format!("it has more than {LINE_MAX} bytes")));
            }
            if text.last() != Some(&b'\n') {
                break;
            }
            let line: Line =
                serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
            match (count, &line) {
                (0, Line::Accounts(VERSION)) => {}
                (0, Line::Accounts(version)) => {
                    let problem =
                        format!("it is of version {version}, and this program knows {VERSION}");
                    return Err(wrong(problem));
                }
                (0, _) | (_, Line::Accounts(_)) => {
                    return Err(wrong(
                        "the version stands in the first line, and nowhere else".to_owned(),
                    ));
                }
                (_, Line::Together(_)) => {
                    let Line::Together(lines) = line else { continue };
                    lines.into_iter().try_for_each(&mut see).map_err(wrong)?;
                }
                _ => see(line).map_err(wrong)?,
            }
            count += 1;
            length += bytes as u64;
        }
        if !text.is_empty() {
            let file = path.display();
            tracing::warn!(%file, bytes = text.len(), "the last change was cut off, and is left out");
        }
        let mut journal = Self { file, length, is_broken: false };
        journal.cut().map_err(failed)?;
        if count == 0 {
            journal.append(&[Line::Accounts(VERSION)]).map_err(failed)?;
            if let Some(folder) = path.parent() {
                files::sync_folder(folder).map_err(failed)?;
            }
        }
        Ok((journal, count.saturating_sub(1)))
    }

    /// Writes the lines down, all of them or none. When it returns they stay.
    pub(crate) fn append(&mut self, lines: &[Line]) -> io::Result<()> {
        if self.is_broken {
            self.cut()?;
            self.is_broken = false;
        }
        let text = match lines {
            [_] => written(lines)?,
            lines => written(&[Line::Together(lines.to_vec())])?,
        };
        if text.len() > LINE_MAX {
            // It would not be read again.
            let problem = format!("it takes {} bytes of at most {LINE_MAX}", text.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        let done = self.file.write_all(&text).and_then(|()| self.file.sync_data());
        if let Err(error) = done {
            self.is_broken = self.cut().is_err();
            return Err(error);
        }
        self.length += text.len() as u64;
        Ok(())
    }

    /// Nothing stands behind what is kept.
    fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(self.length)?;
        self.file.seek(SeekFrom::End(0))?;
        // What was refused must not be there after a crash.
        self.file.sync_data()
    }
}

/// Whether so many lines are worth being written anew as so few.
pub(crate) const fn is_long(lines: usize, living: usize) -> bool {
    lines > 2 * living + IDLE_LINES
}

/// Puts a file of these lines in the place of the one that is there.
pub(crate) fn rewrite(path: &Path, lines: impl IntoIterator<Item = Line>) -> io::Result<()> {
    let lines: Vec<_> = [Line::Accounts(VERSION)].into_iter().chain(lines).collect();
    files::replace(path, &written(&lines)?)
}

fn written(lines: &[Line]) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut text, line).map_err(io::Error::other)?;
        text.push(b'\n');
    }
    Ok(text)
}
