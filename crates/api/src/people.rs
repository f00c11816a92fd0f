//! Who may ask: users who log in, keys of programs, and the log-ins of now.

mod book;
mod logins;

use std::{
    net::IpAddr,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use plexus_access::StoredPassword;
use plexus_api_model::{
    ApiError, ApiKey, ApiKeyCreated, ApiKeyUpdate, ErrorCode, Moment, NewApiKey, NewUser,
    PasswordChange, Role, User, UserUpdate,
};
use plexus_fences::{Lockout, LockoutOptions, Place};
use plexus_runtime::{Handle, unix_now};
use plexus_stdx::Seed;
use tokio::sync::Semaphore;

pub use self::book::BookError;
use self::{
    book::{Book, KeyEntry, UserEntry},
    logins::{LogIns, Secret},
};

/// The user that the first start makes.
pub const FIRST_USER: &str = "admin";
const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 8..=256;
const NAME_LENGTH_MAX: usize = 256;
const TEXT_LENGTH_MAX: usize = 1_024;
/// Passwords that are hashed at the same time.
const HASHING_MAX: usize = 2;
const USERS_MAX: usize = 1_000;
const KEYS_MAX: usize = 1_000;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user, or the key by its name.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Whether it is a user, who may change the own password; a program is none.
    pub is_user: bool,
}

impl Caller {
    /// As the audit log names it.
    pub fn told(&self) -> String {
        if self.is_user { self.name.clone() } else { format!("key {}", self.name) }
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub struct People {
    state: Mutex<State>,
    lockout: Mutex<Lockout>,
    /// Changes of the book happen one after the other.
    writing: tokio::sync::Mutex<()>,
    /// Turns for hashing: clients of MQTT that log in are hashed by the same threads.
    hashing: Semaphore,
    runtime: Handle,
}

#[derive(Debug)]
struct State {
    book: Book,
    logins: LogIns,
    /// Where the book is kept; nowhere where the node keeps nothing.
    file: Option<PathBuf>,
}

impl People {
    /// Those of the file, if there is one. Where there is no user yet one is made; its password is told this once.
    pub fn open(
        file: Option<PathBuf>,
        runtime: Handle,
        seed: Seed,
    ) -> Result<(Self, Option<String>), BookError> {
        let mut book = file.as_deref().map_or_else(|| Ok(Book::default()), Book::read)?;
        let mut drawn = None;
        if book.users.is_empty() {
            let password = Secret::draw().ok_or(BookError::Random)?.shown();
            let stored = hash(password.as_bytes()).ok_or(BookError::Random)?.to_string();
            let description = "made by the first start".to_owned();
            let role = Role::Administrator;
            book.users
                .insert(FIRST_USER.to_owned(), UserEntry { password: stored, role, description });
            if let Some(file) = &file {
                book.write(file)?;
            }
            drawn = Some(password);
        }
        let state = Mutex::new(State { book, logins: LogIns::default(), file });
        let lockout = Mutex::new(Lockout::new(LockoutOptions::default(), seed));
        let hashing = Semaphore::new(HASHING_MAX);
        let writing = tokio::sync::Mutex::default();
        Ok((Self { state, lockout, writing, hashing, runtime }, drawn))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the book: what cannot be kept has not happened. Nobody who only looks waits for the disk.
    async fn change<T>(
        &self,
        change: impl FnOnce(&mut Book) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let _one_by_one = self.writing.lock().await;
        let (mut book, file) = {
            let state = self.state();
            (state.book.clone(), state.file.clone())
        };
        let changed = change(&mut book)?;
        if let Some(file) = file {
            let written = book.clone();
            let written = self.runtime.compute(move || written.write(&file)).await;
            written.ok_or_else(stopping)?.map_err(|error| {
                tracing::error!(%error, "users and keys of the API cannot be kept");
                ApiError::new(ErrorCode::InternalError, "it cannot be kept; the log says why")
            })?;
        }
        self.state().book = book;
        Ok(changed)
    }

    /// Logs a user in; yields the token and the role.
    pub async fn log_in(
        &self,
        name: &str,
        password: &str,
        peer: Option<IpAddr>,
    ) -> Result<(String, Role), ApiError> {
        let proved = self.prove(name, password, peer).await?;
        let (now, token) = (unix_now(), Secret::draw().ok_or_else(no_random)?);
        let mut state = self.state();
        // Meanwhile the user may have gone, or have another password.
        let user = state.book.users.get(name).filter(|user| user.password == proved);
        let role = user.map(|user| user.role).ok_or_else(wrong_password)?;
        state.logins.begin(now, &token, name);
        Ok((token.shown(), role))
    }

    /// Whether that is the password of the user; failures are counted, and make wait.
    /// Yields its stored form. One after the other: who sends many at once finds them judged so.
    async fn prove(
        &self,
        name: &str,
        password: &str,
        peer: Option<IpAddr>,
    ) -> Result<String, ApiError> {
        // Nobody has those, and nothing of them is kept while it waits.
        if name.len() > NAME_LENGTH_MAX || !PASSWORD_LENGTH.contains(&password.len()) {
            return Err(wrong_password());
        }
        let place = peer.map(Place::of);
        let lockout = || self.lockout.lock().unwrap_or_else(PoisonError::into_inner);
        let _turn = self.hashing.acquire().await.map_err(|_| stopping())?;
        if lockout().locked_until(unix_now(), Some(name), place).is_some() {
            let message = "too many failed log-ins; wait, and try again";
            return Err(ApiError::new(ErrorCode::TooManyRequests, message));
        }
        let (stored, is_known) = {
            let state = self.state();
            let user = state.book.users.get(name);
            // An unknown name costs what a known one does.
            let other = user.or_else(|| state.book.users.values().next());
            (other.map(|user| user.password.clone()).unwrap_or_default(), user.is_some())
        };
        let (shown, compared) = (password.as_bytes().to_vec(), stored.clone());
        let check =
            move || StoredPassword::parse(&compared).is_ok_and(|compared| compared.verify(&shown));
        let is_right = self.runtime.compute(check).await.ok_or_else(stopping)?;
        if is_right && is_known {
            lockout().note_success(unix_now(), Some(name), place);
            return Ok(stored);
        }
        lockout().note_failure(unix_now(), Some(name), place);
        Err(wrong_password())
    }

    /// Ends a log-in.
    pub fn log_out(&self, token: &str) {
        self.state().logins.end(token);
    }

    /// Who has that token.
    pub fn by_token(&self, token: &str) -> Result<Caller, ApiError> {
        let mut state = self.state();
        let name = state.logins.use_of(unix_now(), token)?;
        let role = state.book.users.get(&name).map(|user| user.role);
        let role = role.ok_or_else(|| ApiError::new(ErrorCode::BadToken, "the user is gone"))?;
        Ok(Caller { name, role, is_user: true })
    }

    /// Who has that key and secret.
    pub fn by_key(&self, key: &str, secret: &str) -> Result<Caller, ApiError> {
        let hashed = Secret::hash_of(secret);
        let state = self.state();
        let found = state.book.keys.iter().find(|(_, entry)| entry.api_key == key);
        let fits = found.filter(|(_, entry)| entry.opens(unix_now(), &hashed));
        let (name, entry) = fits.ok_or_else(|| {
            ApiError::new(
                ErrorCode::BadApiKeyOrSecret,
                "no key of that name and secret is in force",
            )
        })?;
        Ok(Caller { name: name.clone(), role: entry.role, is_user: false })
    }

    /// All users.
    pub fn users(&self) -> Vec<User> {
        self.state().book.users.iter().map(|(name, entry)| entry.shown(name)).collect()
    }

    /// One more user.
    pub async fn add_user(&self, new: NewUser) -> Result<User, ApiError> {
        check_name(&new.username, "username")?;
        check_text(&new.description, "description")?;
        let password = self.stored(new.password).await?;
        let entry = UserEntry { password, role: new.role, description: new.description };
        let change = self.change(|book| {
            if book.users.len() >= USERS_MAX {
                return Err(ApiError::bad(format!("there are {USERS_MAX} users already")));
            }
            if book.users.contains_key(&new.username) {
                let message = format!("there is a user `{}` already", new.username);
                return Err(ApiError::new(ErrorCode::AlreadyExists, message));
            }
            let shown = entry.shown(&new.username);
            book.users.insert(new.username, entry);
            Ok(shown)
        });
        change.await
    }

    /// Another role and description for a user.
    pub async fn change_user(&self, name: &str, update: UserUpdate) -> Result<User, ApiError> {
        check_text(update.description.as_deref().unwrap_or_default(), "description")?;
        let change = self.change(|book| {
            let is_last = book.is_last_administrator(name);
            let entry = book.users.get_mut(name).ok_or_else(|| no_user(name))?;
            let role = update.role.unwrap_or(entry.role);
            if is_last && role != Role::Administrator {
                return Err(last_administrator());
            }
            entry.role = role;
            if let Some(description) = update.description {
                entry.description = description;
            }
            Ok(entry.shown(name))
        });
        change.await
    }

    /// Takes a user out, with all log-ins.
    pub async fn delete_user(&self, name: &str) -> Result<(), ApiError> {
        let change = self.change(|book| {
            if book.is_last_administrator(name) {
                return Err(last_administrator());
            }
            book.users.remove(name).map(drop).ok_or_else(|| no_user(name))
        });
        change.await?;
        self.state().logins.end_all(name, None);
        Ok(())
    }

    /// Another password for a user; all log-ins but the one of that token end.
    pub async fn change_password(
        &self,
        name: &str,
        change: PasswordChange,
        peer: Option<IpAddr>,
        token: Option<&str>,
    ) -> Result<(), ApiError> {
        self.prove(name, &change.old_pwd, peer).await?;
        let password = self.stored(change.new_pwd).await?;
        let change = self.change(|book| {
            book.users.get_mut(name).ok_or_else(|| no_user(name))?.password = password;
            Ok(())
        });
        change.await?;
        self.state().logins.end_all(name, token);
        Ok(())
    }

    async fn stored(&self, password: String) -> Result<String, ApiError> {
        if !PASSWORD_LENGTH.contains(&password.len()) {
            return Err(ApiError::bad("a password has 8 to 256 bytes"));
        }
        let _turn = self.hashing.acquire().await.map_err(|_| stopping())?;
        let stored = self.runtime.compute(move || hash(password.as_bytes())).await;
        Ok(stored.ok_or_else(stopping)?.ok_or_else(no_random)?.to_string())
    }

    /// All keys.
    pub fn keys(&self) -> Vec<ApiKey> {
        let now = unix_now();
        self.state().book.keys.iter().map(|(name, entry)| entry.shown(now, name)).collect()
    }

    /// A key.
    pub fn key(&self, name: &str) -> Result<ApiKey, ApiError> {
        let shown = self.state().book.keys.get(name).map(|entry| entry.shown(unix_now(), name));
        shown.ok_or_else(|| no_key(name))
    }

    /// One more key.
    pub async fn add_key(&self, new: NewApiKey) -> Result<ApiKeyCreated, ApiError> {
        check_name(&new.name, "name")?;
        check_text(&new.desc, "desc")?;
        let [key, secret] = [Secret::draw(), Secret::draw()];
        let (key, secret) = key.zip(secret).ok_or_else(no_random)?;
        let now = unix_now();
        let entry = KeyEntry {
            api_key: key.short(),
            secret: Secret::hash_of(&secret.shown()),
            role: new.role,
            enable: new.enable,
            expired_at: new.expired_at,
            created_at: Moment::from_millis(now.as_millis()),
            desc: new.desc,
        };
        let change = self.change(|book| {
            if book.keys.len() >= KEYS_MAX {
                return Err(ApiError::bad(format!("there are {KEYS_MAX} keys already")));
            }
            if book.keys.contains_key(&new.name) {
                let message = format!("there is a key `{}` already", new.name);
                return Err(ApiError::new(ErrorCode::AlreadyExists, message));
            }
            let key = entry.shown(now, &new.name);
            book.keys.insert(new.name, entry);
            Ok(ApiKeyCreated { key, api_secret: secret.shown() })
        });
        change.await
    }

    /// What a key may be used for from now on.
    pub async fn change_key(&self, name: &str, update: ApiKeyUpdate) -> Result<ApiKey, ApiError> {
        check_text(update.desc.as_deref().unwrap_or_default(), "desc")?;
        let change = self.change(|book| {
            let entry = book.keys.get_mut(name).ok_or_else(|| no_key(name))?;
            entry.role = update.role.unwrap_or(entry.role);
            entry.enable = update.enable.unwrap_or(entry.enable);
            entry.expired_at = update.expired_at.or(entry.expired_at);
            if let Some(desc) = update.desc {
                entry.desc = desc;
            }
            Ok(entry.shown(unix_now(), name))
        });
        change.await
    }

    /// Takes a key out.
    pub async fn delete_key(&self, name: &str) -> Result<(), ApiError> {
        let change =
            self.change(|book| book.keys.remove(name).map(drop).ok_or_else(|| no_key(name)));
        change.await
    }
}

/// The stored form of a password; none where there is no randomness.
pub(crate) fn hash(password: &[u8]) -> Option<StoredPassword> {
    let mut salt = [0; plexus_access::SALT_LENGTH];
    aws_lc_rs::rand::fill(&mut salt).ok()?;
    Some(StoredPassword::new(password, salt))
}

fn check_name(name: &str, field: &str) -> Result<(), ApiError> {
    let fits = (1..=NAME_LENGTH_MAX).contains(&name.len())
        && name.trim() == name
        && !name.contains(|c: char| c.is_control() || matches!(c, ':' | '/'));
    if fits {
        return Ok(());
    }
    Err(ApiError::bad(format!(
        "`{field}` has 1 to {NAME_LENGTH_MAX} bytes without `:`, `/`, control characters and space around it"
    )))
}

fn check_text(text: &str, field: &str) -> Result<(), ApiError> {
    if text.len() <= TEXT_LENGTH_MAX {
        return Ok(());
    }
    Err(ApiError::bad(format!("`{field}` has at most {TEXT_LENGTH_MAX} bytes")))
}

fn wrong_password() -> ApiError {
    ApiError::new(ErrorCode::BadUserNameOrPassword, "no user of that name has that password")
}

fn no_user(name: &str) -> ApiError {
    ApiError::new(ErrorCode::UserNotFound, format!("there is no user `{name}`"))
}

fn no_key(name: &str) -> ApiError {
    ApiError::new(ErrorCode::NotFound, format!("there is no key `{name}`"))
}

fn last_administrator() -> ApiError {
    ApiError::new(ErrorCode::NotAllowed, "no administrator would be left")
}

pub(crate) fn no_random() -> ApiError {
    ApiError::new(ErrorCode::InternalError, "the system gives no random numbers")
}

fn stopping() -> ApiError {
    ApiError::new(ErrorCode::ServiceUnavailable, "the node stops")
}

#[cfg(test)]
mod tests;
