//! Who may ask: users who log in, keys of programs, and the log-ins of now.

mod book;
mod logins;
mod totp;

use std::{
    collections::BTreeMap,
    fmt,
    net::IpAddr,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use plexus_access::StoredPassword;
use plexus_api_model::{
    ApiError, ApiKey, ApiKeyCreated, ApiKeyUpdate, ErrorCode, MfaBegun, Moment, NewApiKey, NewUser,
    PasswordChange, Role, User, UserUpdate,
};
use plexus_fences::{Lockout, LockoutOptions, Place};
use plexus_runtime::{Handle, unix_now};
use plexus_stdx::Seed;
use plexus_types::Instant;
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
/// How long a second factor waits to be confirmed.
const MFA_BEGUN: Duration = Duration::from_mins(10);

/// What is asked for beside a password.
#[derive(Debug, Clone, Copy)]
enum Second<'a> {
    /// Nothing: whoever asks is logged in already.
    NotAsked,
    /// The code of a user who has a second factor.
    Code(Option<&'a str>),
}

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

struct State {
    book: Book,
    logins: LogIns,
    /// The step of the last code of each user: a code holds once.
    codes: BTreeMap<String, u64>,
    /// Secrets of second factors that are not confirmed yet, and until when.
    begun: BTreeMap<String, (String, Instant)>,
    /// Where the book is kept; nowhere where the node keeps nothing.
    file: Option<PathBuf>,
}

/// Shows no secrets.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("book", &self.book).finish_non_exhaustive()
    }
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
            book.users.insert(
                FIRST_USER.to_owned(),
                UserEntry { password: stored, role, description, totp: None },
            );
            if let Some(file) = &file {
                book.write(file)?;
            }
            drawn = Some(password);
        }
        let state = Mutex::new(State {
            book,
            logins: LogIns::default(),
            codes: BTreeMap::new(),
            begun: BTreeMap::new(),
            file,
        });
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

    /// Logs a user in, by password and the code of the second factor where there is one; yields the token and the role.
    pub async fn log_in(
        &self,
        name: &str,
        (password, code): (&str, Option<&str>),
        peer: Option<IpAddr>,
    ) -> Result<(String, Role), ApiError> {
        let proved = self.prove(name, password, peer, Second::Code(code)).await?;
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
        second: Second<'_>,
    ) -> Result<String, ApiError> {
        // Nobody has those, and nothing of them is kept while it waits.
        if name.len() > NAME_LENGTH_MAX || !PASSWORD_LENGTH.contains(&password.len()) {
            return Err(wrong_password());
        }
        let place = peer.map(Place::of);
        let lockout = || self.lockout.lock().unwrap_or_else(PoisonError::into_inner);
        let _turn = self.hashing.acquire().await.map_err(|_| stopping())?;
        if lockout().locked_until(unix_now(), Some(name), place).is_some() {
            return Err(too_many());
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
        // Only all of it is a success: a right password does not make guesses of the code free.
        let second = if is_right && is_known { self.second(name, second) } else { Ok(false) };
        if second? {
            lockout().note_success(unix_now(), Some(name), place);
            return Ok(stored);
        }
        lockout().note_failure(unix_now(), Some(name), place);
        Err(if is_right && is_known { wrong_code() } else { wrong_password() })
    }

    /// Whether the code is right, where one is needed; that one is missing is no failure.
    fn second(&self, name: &str, second: Second<'_>) -> Result<bool, ApiError> {
        let Second::Code(code) = second else { return Ok(true) };
        let mut state = self.state();
        let secret = state.book.users.get(name).and_then(|user| user.totp.clone());
        let Some(secret) = secret else { return Ok(true) };
        let Some(code) = code else {
            let message = "a code of the second factor is needed, too: mfa_token";
            return Err(ApiError::new(ErrorCode::BadMfaToken, message));
        };
        let used = state.codes.get(name).copied();
        let step = totp::step_of(&secret, code, unix_now(), used);
        if let Some(step) = step {
            state.codes.insert(name.to_owned(), step);
        }
        Ok(step.is_some())
    }

    /// Makes a second factor, which holds when a code of it is shown.
    pub fn begin_mfa(&self, name: &str, node: &str) -> Result<MfaBegun, ApiError> {
        let secret = totp::draw().ok_or_else(no_random)?;
        let mut state = self.state();
        let user = state.book.users.get(name).ok_or_else(|| no_user(name))?;
        if user.totp.is_some() {
            let message = "there is a second factor; end it first";
            return Err(ApiError::new(ErrorCode::NotAllowed, message));
        }
        let until = unix_now() + MFA_BEGUN;
        state.begun.retain(|_, (_, until)| *until > unix_now());
        state.begun.insert(name.to_owned(), (secret.clone(), until));
        let uri = totp::uri(node, name, &secret);
        Ok(MfaBegun { secret, uri })
    }

    /// From now on log-ins of the user need a code. Guesses are counted as those of passwords are.
    pub async fn confirm_mfa(
        &self,
        name: &str,
        code: &str,
        peer: Option<IpAddr>,
    ) -> Result<(), ApiError> {
        let (now, place) = (unix_now(), peer.map(Place::of));
        let lockout = || self.lockout.lock().unwrap_or_else(PoisonError::into_inner);
        if lockout().locked_until(now, Some(name), place).is_some() {
            return Err(too_many());
        }
        let begun = self.state().begun.get(name).cloned().filter(|(_, until)| *until > now);
        let (secret, _) = begun.ok_or_else(|| {
            let message = "no second factor has been begun in the last ten minutes";
            ApiError::new(ErrorCode::NotAllowed, message)
        })?;
        let Some(step) = totp::step_of(&secret, code, now, None) else {
            lockout().note_failure(now, Some(name), place);
            return Err(wrong_code());
        };
        let change = self.change(|book| {
            book.users.get_mut(name).ok_or_else(|| no_user(name))?.totp = Some(secret);
            Ok(())
        });
        change.await?;
        let mut state = self.state();
        state.begun.remove(name);
        state.codes.insert(name.to_owned(), step);
        Ok(())
    }

    /// Log-ins of the user need no code any more.
    pub async fn end_mfa(&self, name: &str) -> Result<(), ApiError> {
        let change = self.change(|book| {
            book.users.get_mut(name).ok_or_else(|| no_user(name))?.totp = None;
            Ok(())
        });
        change.await
    }

    /// Users and keys as they are stored.
    pub fn stored_book(&self) -> Result<serde_json::Value, ApiError> {
        let book = self.state().book.clone();
        serde_json::to_value(book).map_err(|error| {
            ApiError::new(ErrorCode::InternalError, format!("users and keys: {error}"))
        })
    }

    /// Takes users and keys that were stored elsewhere; yields how many were taken, and how many were left. Log-ins of users who are
    /// others now end.
    pub async fn merge(
        &self,
        other: serde_json::Value,
        replace: bool,
    ) -> Result<(u64, u64), ApiError> {
        let wrong = |problem: String| ApiError::bad(format!("people: {problem}"));
        let other: Book =
            serde_json::from_value(other).map_err(|error| wrong(error.to_string()))?;
        if !other.is_known() {
            return Err(wrong("it is of another version".to_owned()));
        }
        for (name, user) in &other.users {
            check_name(name, "people.users")?;
            check_text(&user.description, "people.users.description")?;
            if user.totp.as_deref().is_some_and(|secret| !totp::is_secret(secret)) {
                return Err(wrong(format!("the second factor of `{name}` is none")));
            }
            StoredPassword::parse(&user.password)
                .map_err(|error| wrong(format!("the password of `{name}` {error}")))?;
        }
        for (name, key) in &other.keys {
            check_name(name, "people.keys")?;
            check_text(&key.desc, "people.keys.desc")?;
        }
        let change = self.change(|book| {
            let merged = book.merge(other, replace);
            if book.users.len() > USERS_MAX || book.keys.len() > KEYS_MAX {
                return Err(wrong("too many users or keys".to_owned()));
            }
            if book.has_equal_keys() {
                return Err(wrong("two keys have the same api_key".to_owned()));
            }
            if book.has_administrator() { Ok(merged) } else { Err(last_administrator()) }
        });
        let (taken, left, changed) = change.await?;
        let mut state = self.state();
        for name in changed {
            state.logins.end_all(&name, None);
        }
        Ok((taken, left))
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
        let entry =
            UserEntry { password, role: new.role, description: new.description, totp: None };
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
        self.prove(name, &change.old_pwd, peer, Second::NotAsked).await?;
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

fn too_many() -> ApiError {
    let message = "too many failed log-ins; wait, and try again";
    ApiError::new(ErrorCode::TooManyRequests, message)
}

fn wrong_code() -> ApiError {
    ApiError::new(ErrorCode::BadMfaToken, "the code of the second factor is wrong, or was used")
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
