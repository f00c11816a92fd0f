//! What is kept of users and keys: a file for its owner alone, replaced as a whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

use plexus_api_model::{ApiKey, Mfa, Moment, Role, User};
use plexus_types::Instant;
use serde::{Deserialize, Serialize};

use crate::kept::{self, ReadError};

/// The version of the file.
const VERSION: u32 = 1;

/// Why there is no book.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// It cannot be read.
    #[error("cannot read {}", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// It is none.
    #[error("{} holds no users and keys of the API; put back a copy, or delete it and let a new administrator be made", .0.display())]
    Form(PathBuf, #[source] serde_json::Error),
    /// A later program has written it.
    #[error("{} is of version {version}, and this program knows {VERSION}", .file.display())]
    Version {
        /// The file.
        file: PathBuf,
        /// Its version.
        version: u32,
    },
    /// It cannot be written.
    #[error("cannot write {}", .0.display())]
    Write(PathBuf, #[source] io::Error),
    /// No password can be drawn.
    #[error("the system gives no random numbers")]
    Random,
}

/// See the module's documentation.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Book {
    version: u32,
    #[serde(default)]
    pub(super) users: BTreeMap<String, UserEntry>,
    #[serde(default)]
    pub(super) keys: BTreeMap<String, KeyEntry>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct UserEntry {
    /// The stored form.
    pub(super) password: String,
    pub(super) role: Role,
    #[serde(default)]
    pub(super) description: String,
    /// The secret of the second factor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) totp: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct KeyEntry {
    pub(super) api_key: String,
    /// The hash of the secret.
    pub(super) secret: String,
    pub(super) role: Role,
    pub(super) enable: bool,
    pub(super) expired_at: Option<Moment>,
    pub(super) created_at: Moment,
    #[serde(default)]
    pub(super) desc: String,
}

impl Default for Book {
    fn default() -> Self {
        Self { version: VERSION, users: BTreeMap::new(), keys: BTreeMap::new() }
    }
}

impl Book {
    /// The one of that file; an empty one where there is no file.
    pub(super) fn read(file: &Path) -> Result<Self, BookError> {
        let book: Self = match kept::read(file) {
            Ok(book) => book.unwrap_or_default(),
            Err(ReadError::Io(error)) => return Err(BookError::Read(file.to_owned(), error)),
            Err(ReadError::Form(error)) => return Err(BookError::Form(file.to_owned(), error)),
        };
        if book.version > VERSION {
            let (file, version) = (file.to_owned(), book.version);
            return Err(BookError::Version { file, version });
        }
        Ok(book)
    }

    /// Puts it in the place of the file; after a crash one of the two is there, whole.
    pub(super) fn write(&self, file: &Path) -> Result<(), BookError> {
        kept::write(file, self).map_err(|error| BookError::Write(file.to_owned(), error))
    }

    /// Takes what another book has; what is here already stays, unless it is to be replaced. Yields how many were taken, how
    /// many were left, and the users who are others now.
    pub(super) fn merge(&mut self, other: Self, replace: bool) -> (u64, u64, Vec<String>) {
        let (mut taken, mut left, mut changed) = (0, 0, Vec::new());
        for (name, entry) in other.users {
            if self.users.contains_key(&name) && !replace {
                left += 1;
                continue;
            }
            taken += 1;
            if self.users.insert(name.clone(), entry).is_some() {
                changed.push(name);
            }
        }
        for (name, entry) in other.keys {
            if self.keys.contains_key(&name) && !replace {
                left += 1;
            } else {
                taken += 1;
                self.keys.insert(name, entry);
            }
        }
        (taken, left, changed)
    }

    /// Whether this program knows its version.
    pub(super) const fn is_known(&self) -> bool {
        self.version <= VERSION
    }

    /// Whether one key could be taken for another.
    pub(super) fn has_equal_keys(&self) -> bool {
        let keys: BTreeSet<_> = self.keys.values().map(|entry| &entry.api_key).collect();
        keys.len() < self.keys.len()
    }

    /// Whether somebody can change everything.
    pub(super) fn has_administrator(&self) -> bool {
        self.users.values().any(|entry| entry.role == Role::Administrator)
    }

    /// Whether nobody else could change anything.
    pub(super) fn is_last_administrator(&self, name: &str) -> bool {
        let is = |entry: &UserEntry| entry.role == Role::Administrator;
        self.users.get(name).is_some_and(is)
            && !self.users.iter().any(|(other, entry)| other != name && is(entry))
    }
}

/// Shows no password and no secret.
impl std::fmt::Debug for Book {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Book")
            .field("users", &self.users.keys())
            .field("keys", &self.keys.keys())
            .finish_non_exhaustive()
    }
}

impl UserEntry {
    pub(super) fn shown(&self, name: &str) -> User {
        User {
            username: name.to_owned(),
            role: self.role,
            description: self.description.clone(),
            backend: "local".to_owned(),
            mfa: if self.totp.is_some() { Mfa::Totp } else { Mfa::None },
        }
    }
}

impl KeyEntry {
    fn is_over(&self, now: Instant) -> bool {
        self.expired_at.is_some_and(|end| end.millis() <= now.as_millis())
    }

    /// Whether whoever shows a secret of that hash may come in.
    pub(super) fn opens(&self, now: Instant, secret: &str) -> bool {
        // Both are hashes of what nobody can guess: how long it takes to compare them tells nothing.
        self.enable && !self.is_over(now) && self.secret == secret
    }

    pub(super) fn shown(&self, now: Instant, name: &str) -> ApiKey {
        ApiKey {
            name: name.to_owned(),
            api_key: self.api_key.clone(),
            role: self.role,
            enable: self.enable,
            expired_at: self.expired_at,
            expired: self.is_over(now),
            created_at: self.created_at,
            desc: self.desc.clone(),
        }
    }
}
