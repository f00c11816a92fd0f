use std::{fmt, str::FromStr, sync::Arc};

use plexus_stdx::{HashMap, Seed};

use crate::{HashError, PasswordDigest, ScramKeys, StoredPassword};

pub mod edit;
pub mod import;

const NAME_LENGTH_MAX: usize = 256;
const USERS_MAX: usize = 1_000_000;

/// Behind the password of a user for whom no rule holds.
const SUPERUSER: &str = "superuser";

/// The comment that a file without users has, or it is a mistake.
pub(crate) const NOBODY: &str = "# nobody";

/// Users from a file of lines `name:<stored password>`, with ` superuser` at the end of those for whom no
/// rule holds. Empty lines and lines that begin with `#` are comments, and one of them says that nobody is meant, `# nobody`.
/// Anything else stops the start: a security file that cannot be understood must never open the door.
///
/// A copy shares the users.
#[derive(Clone)]
pub struct Users {
    table: Arc<Table>,
}

#[derive(Clone)]
struct Table {
    by_name: HashMap<Box<str>, u32>,
    users: Vec<User>,
    seed: Seed,
    scram: Decoys,
}

/// What users who are not there are asked by SCRAM: as the first one of that function who is there.
#[derive(Clone, Default)]
struct Decoys {
    sha256: Option<ScramKeys>,
    sha512: Option<ScramKeys>,
    /// Of all keys: the same on every node that has these users, and known to none of them.
    secret: Vec<u8>,
}

impl Decoys {
    fn add(&mut self, keys: &ScramKeys) {
        let decoy = match keys.digest() {
            PasswordDigest::Sha1 => return,
            PasswordDigest::Sha256 => &mut self.sha256,
            PasswordDigest::Sha512 => &mut self.sha512,
        };
        decoy.get_or_insert_with(|| keys.clone());
        for part in keys.secrets() {
            self.secret = PasswordDigest::Sha512.hash([&self.secret, part]);
        }
    }

    fn find(&self, digest: PasswordDigest) -> Option<&ScramKeys> {
        match digest {
            PasswordDigest::Sha1 => None,
            PasswordDigest::Sha256 => self.sha256.as_ref(),
            PasswordDigest::Sha512 => self.sha512.as_ref(),
        }
    }
}

/// A user, apart from the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// What the password is checked against.
    pub password: StoredPassword,
    /// Whether no rule holds for it.
    pub is_superuser: bool,
}

/// What came of a name and a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// There is no such user.
    Unknown,
    /// It is not the password of that user.
    Wrong,
    /// It is.
    Right {
        /// Whether no rule holds for the user.
        is_superuser: bool,
    },
}

impl User {
    /// Whether that is the password.
    pub fn check(&self, password: &[u8]) -> Login {
        if !self.password.verify(password) {
            return Login::Wrong;
        }
        Login::Right { is_superuser: self.is_superuser }
    }
}

/// What stands behind the colon of a line.
impl FromStr for User {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        let text = text.trim_end();
        let (password, flag) = text.split_once(' ').unwrap_or((text, ""));
        let is_superuser = match flag.trim_start() {
            "" => false,
            SUPERUSER => true,
            _ => return Err(HashError::Flag),
        };
        Ok(Self { password: StoredPassword::parse(password)?, is_superuser })
    }
}

/// What stands behind the colon of a line.
impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.password.fmt(f)?;
        if self.is_superuser { write!(f, " {SUPERUSER}") } else { Ok(()) }
    }
}

/// A place in the user file and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct UsersError {
    /// The line, counted from 1; `None` when it is the file as a whole.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: UsersProblem,
}

/// What can be wrong with a user file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsersProblem {
    /// No user, and no word that this is meant: it is more likely cut off.
    #[error(
        "no user in it; add one with `plexus passwd <file> <name>`, or the line `{NOBODY}` if none is meant"
    )]
    Empty,
    /// Not UTF-8.
    #[error("the line is not UTF-8")]
    NotUtf8,
    /// No colon.
    #[error("expected `name:<stored password>`; write the line with `plexus passwd <file> <name>`")]
    NoColon,
    /// A name that cannot be.
    #[error("the user name {0}")]
    Name(#[from] NameError),
    /// The same name again.
    #[error("user `{0}` is there a second time; the first is on line {1}")]
    Twice(String, usize),
    /// The hash is not accepted.
    #[error("the password of user `{0}` {1}; make it anew with `plexus passwd <file> {0}`")]
    Hash(String, HashError),
    /// Too many lines.
    #[error("more than 1,000,000 users")]
    TooMany,
}

/// Why a text can be no user name of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing before the colon.
    #[error("is empty")]
    Empty,
    /// Longer than the limit.
    #[error("is longer than 256 bytes")]
    TooLong,
    /// A colon or line break would end the name early, other control characters hide it.
    #[error("contains a colon or a control character")]
    Character,
    /// It would be read as a comment or as something else than was written.
    #[error("begins with '#' or has space around it")]
    Edge,
}

/// A name that a line of the file can hold: whatever keeps users holds to it.
pub fn check_name(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.len() > NAME_LENGTH_MAX {
        return Err(NameError::TooLong);
    }
    if name.contains(|c: char| c == ':' || c.is_control()) {
        return Err(NameError::Character);
    }
    if name.starts_with('#') || name.trim() != name {
        return Err(NameError::Edge);
    }
    Ok(())
}

impl Users {
    /// Reads the text of a user file.
    pub fn parse(text: &[u8], seed: Seed) -> Result<Self, UsersError> {
        let mut builder = Builder::new(seed);
        for (index, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let line_number = index + 1;
            builder
                .line(line, line_number)
                .map_err(|problem| UsersError { line: Some(line_number), problem })?;
        }
        builder.finish()
    }

    /// Adds a user that the configuration names itself.
    pub fn insert(&mut self, name: &str, user: User) -> Result<(), UsersProblem> {
        check_name(name)?;
        let table = Arc::make_mut(&mut self.table);
        if table.users.len() >= USERS_MAX {
            return Err(UsersProblem::TooMany);
        }
        let slot = u32::try_from(table.users.len()).expect("invariant: below USERS_MAX");
        table.by_name.insert(name.into(), slot);
        if let Some(keys) = user.password.scram_keys() {
            table.scram.add(keys);
        }
        table.users.push(user);
        Ok(())
    }

    /// No users yet.
    pub fn none(seed: Seed) -> Self {
        let table =
            Table { by_name: seed.map(), users: Vec::new(), seed, scram: Decoys::default() };
        Self { table: Arc::new(table) }
    }

    /// Number of users.
    pub fn len(&self) -> usize {
        self.table.by_name.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.table.by_name.is_empty()
    }

    /// Whether there is a user of that name.
    pub fn contains(&self, name: &str) -> bool {
        self.table.by_name.contains_key(name)
    }

    /// Whether that is a user for whom no rule holds.
    pub fn is_superuser(&self, name: &str) -> bool {
        self.user_of(name).is_some_and(|(user, is_known)| is_known && user.is_superuser)
    }

    /// Users whose password can be tried at the speed of a plain hash function by whoever has read
    /// the file.
    pub fn weak(&self) -> usize {
        self.table.users.iter().filter(|user| user.password.is_weak()).count()
    }

    /// Whether that is the password of that user. Takes as long as a hash does, also for a name that is
    /// unknown: a stranger cannot find out names by the time of the answer.
    pub fn check(&self, name: &str, password: &[u8]) -> Login {
        let Some((user, known)) = self.user_of(name) else { return Login::Unknown };
        let login = user.check(password);
        if known { login } else { Login::Unknown }
    }

    /// Whether any user has keys of SCRAM with that function.
    pub fn offers_scram(&self, digest: PasswordDigest) -> bool {
        self.table.scram.find(digest).is_some()
    }

    /// The keys of SCRAM to ask that user by, and whether they are that user's. One who is unknown, or has no
    /// keys of that function, has some that are made up, always the same: a stranger cannot find out names.
    /// None where nobody has keys of that function.
    pub fn scram(&self, name: &str, digest: PasswordDigest) -> Option<(ScramKeys, Login)> {
        let Table { by_name, users, scram, .. } = &*self.table;
        let made_up = scram.find(digest)?.made_up(&scram.secret, name);
        let user = by_name.get(name).and_then(|slot| users.get(*slot as usize));
        let known = user.and_then(|user| {
            let keys = user.password.scram_keys().filter(|keys| keys.digest() == digest)?;
            Some((keys.clone(), Login::Right { is_superuser: user.is_superuser }))
        });
        Some(known.unwrap_or((made_up, Login::Unknown)))
    }

    /// The user to check a name against, and whether it has that name. An unknown name gets some user,
    /// always the same one, so that it costs what a known name costs.
    fn user_of(&self, name: &str) -> Option<(&User, bool)> {
        let Table { by_name, users, seed, .. } = &*self.table;
        if let Some(slot) = by_name.get(name) {
            return users.get(*slot as usize).map(|user| (user, true));
        }
        let slot = Seed::new(seed.hash(name)).below(users.len());
        users.get(slot).map(|user| (user, false))
    }
}

/// Shows no name and no hash.
impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Users").field("len", &self.len()).finish_non_exhaustive()
    }
}

struct Builder {
    users: Users,
    /// Line of each user, by slot: only to name the first of two.
    lines: Vec<usize>,
    /// Whether it says that there are none.
    nobody: bool,
}

impl Builder {
    fn new(seed: Seed) -> Self {
        Self { users: Users::none(seed), lines: Vec::new(), nobody: false }
    }

    fn line(&mut self, line: &[u8], line_number: usize) -> Result<(), UsersProblem> {
        let line = std::str::from_utf8(line).map_err(|_| UsersProblem::NotUtf8)?;
        let line = line.strip_suffix('\r').unwrap_or(line);
        self.nobody |= line == NOBODY;
        if is_comment(line) {
            return Ok(());
        }
        let (name, hash) = line.split_once(':').ok_or(UsersProblem::NoColon)?;
        check_name(name)?;
        if let Some(first) = self.users.table.by_name.get(name) {
            let first = self.lines.get(*first as usize).copied().unwrap_or_default();
            return Err(UsersProblem::Twice(name.to_owned(), first));
        }
        let user = hash.parse().map_err(|error| UsersProblem::Hash(name.to_owned(), error))?;
        self.lines.push(line_number);
        self.users.insert(name, user)
    }

    fn finish(self) -> Result<Users, UsersError> {
        if self.users.is_empty() && !self.nobody {
            return Err(UsersError { line: None, problem: UsersProblem::Empty });
        }
        Ok(self.users)
    }
}

fn is_comment(line: &str) -> bool {
    // Blanks of other alphabets can be seen in no editor; a line of them is a mistake.
    line.trim_ascii().is_empty() || line.starts_with('#')
}

#[cfg(test)]
mod tests;
