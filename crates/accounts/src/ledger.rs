use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard},
};

use plexus_access::{
    Effect, NameError, NamedRules, Rule, Rules, Subject, User, Whose as RuleWhose, check_name,
};
use plexus_admission::{Roster, rules_of};
use plexus_api_model::{AccountRule, RuleWhom};
use plexus_stdx::Seed;
use plexus_types::TenantName;

use crate::journal::{Journal, Line, OpenError, is_long, rewrite};

/// Users, of all tenants and of none.
const USERS_MAX: usize = 1_000_000;
/// Users, clients and tenants that have rules.
const SUBJECTS_MAX: usize = 1_000_000;
/// Bytes of a client identifier.
const CLIENT_MAX: usize = 65_535;
/// Users that one import brings at most.
const IMPORT_MAX: usize = 100_000;

/// Why something was not changed. Then nothing was.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// There is one of that name already.
    #[error("{0} is there already")]
    Exists(String),
    /// There is none of that name.
    #[error("there is no {0}")]
    Missing(String),
    /// What is given cannot be.
    #[error("{0}")]
    Wrong(String),
    /// The file does not take it.
    #[error("cannot be kept: {0}")]
    Io(#[from] io::Error),
}

/// Whose rules they are, with the tenant whose user or client it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Whose {
    /// The tenant; none for clients of none.
    pub tenant: Option<TenantName>,
    /// A user or a client by name; everybody without.
    pub of: Option<(RuleWhom, String)>,
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.of {
            Some((RuleWhom::Users, name)) => write!(f, "user `{name}`"),
            Some((RuleWhom::Clients, name)) => write!(f, "client `{name}`"),
            None => f.write_str("everybody"),
        }
    }
}

impl Whose {
    fn subject(&self) -> Subject {
        match &self.of {
            Some((RuleWhom::Users, name)) => Subject::User(name.as_str().into()),
            Some((RuleWhom::Clients, name)) => Subject::Client(name.as_str().into()),
            None => Subject::All,
        }
    }

    fn check(&self) -> Result<(), AccountsError> {
        match &self.of {
            Some((RuleWhom::Users, name)) => named(name),
            Some((RuleWhom::Clients, name)) if name.is_empty() || name.len() > CLIENT_MAX => {
                let problem = format!("clientid: 1 to {CLIENT_MAX} bytes");
                Err(AccountsError::Wrong(problem))
            }
            Some((RuleWhom::Clients, name)) if name.contains('\0') => {
                Err(AccountsError::Wrong("clientid: it has a NUL".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// The rules as doors ask them.
    fn made(&self, rules: &[AccountRule]) -> Result<Rules, AccountsError> {
        let wrong = |error: String| AccountsError::Wrong(format!("rules of {self}: {error}"));
        let value = serde_json::to_value(rules).map_err(|error| wrong(error.to_string()))?;
        let read = rules_of(&value).map_err(|error| wrong(error.to_string()))?;
        let placed = read.all().iter().zip(1..).map(|(rule, number)| {
            let mut rule = Rule::clone(rule);
            rule.name = format!("{self}, {number}").into();
            rule.who.whose = RuleWhose::Tenants(self.tenant.clone());
            rule
        });
        Ok(Rules::new(placed.collect(), Effect::Deny))
    }
}

fn named(name: &str) -> Result<(), AccountsError> {
    check_name(name)
        .map_err(|error: NameError| AccountsError::Wrong(format!("the user name {error}")))
}

/// A user whose password is hashed.
#[derive(Debug, Clone)]
pub struct Hashed {
    /// The name.
    pub name: String,
    /// What is kept of the password, and whether rules hold.
    pub user: User,
}

/// Hears of rules that have changed.
type Tell = Box<dyn Fn(NamedRules) + Send + Sync>;

/// Users and rules that are changed while the node runs. Whatever changes them writes to a disk, and takes its time.
pub struct Accounts {
    roster: Roster,
    /// Held while something is changed, and so while the disk is waited for.
    journal: Mutex<Journal>,
    /// Never held while the disk is waited for: whoever only looks waits for nobody.
    book: RwLock<Book>,
    tell: Tell,
}

struct Book {
    rules: BTreeMap<Whose, Vec<AccountRule>>,
    named: NamedRules,
}

impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts").field("users", &self.roster.len()).finish_non_exhaustive()
    }
}

impl Accounts {
    /// Those of that file, which is made where it is not there. Users go into the roster; `tell` hears of the rules, now and
    /// whenever they change.
    pub fn open(
        file: &Path,
        roster: Roster,
        seed: Seed,
        tell: impl Fn(NamedRules) + Send + Sync + 'static,
    ) -> Result<Self, OpenError> {
        let (mut rules, mut by_name) = (BTreeMap::new(), NamedRules::new(seed));
        let opened = Journal::open(file, |line| {
            take(line, &roster, &mut rules, &mut by_name).map_err(|error| error.to_string())
        });
        let (mut journal, lines) = opened?;
        if is_long(lines, roster.len() + rules.len()) {
            let failed = |error| OpenError::Io { file: file.to_owned(), error };
            rewrite(file, living(&roster, &rules)).map_err(failed)?;
            (journal, _) = Journal::open(file, |_| Ok(()))?;
        }
        tell(by_name.clone());
        let book = RwLock::new(Book { rules, named: by_name });
        Ok(Self { roster, journal: Mutex::new(journal), book, tell: Box::new(tell) })
    }

    /// Tells the rules of now once more.
    pub fn tell(&self) {
        // Nobody changes them meanwhile, so that what is told last is what holds.
        let _unchanged = self.journal();
        (self.tell)(self.book().named.clone());
    }

    /// Where they are kept in a data directory.
    pub fn file(data_dir: &Path) -> PathBuf {
        data_dir.join("accounts.jsonl")
    }

    /// The users.
    pub const fn roster(&self) -> &Roster {
        &self.roster
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn book(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds users, all of them or none. Those who are there are replaced where that is wanted.
    pub fn add_users(
        &self,
        tenant: Option<&TenantName>,
        users: Vec<Hashed>,
        replace: bool,
    ) -> Result<usize, AccountsError> {
        if users.len() > IMPORT_MAX {
            let problem = format!("users: at most {IMPORT_MAX} at a time");
            return Err(AccountsError::Wrong(problem));
        }
        let mut journal = self.journal();
        let mut new = BTreeMap::new();
        for Hashed { name, user } in users {
            named(&name)?;
            if !replace && self.roster.contains(tenant, &name) {
                return Err(AccountsError::Exists(format!("user `{name}`")));
            }
            if let Some(twice) = new.insert(name.clone(), user) {
                drop::<User>(twice);
                return Err(AccountsError::Wrong(format!("user `{name}` is given twice")));
            }
        }
        let added = new.keys().filter(|name| !self.roster.contains(tenant, name)).count();
        if self.roster.len() + added > USERS_MAX {
            return Err(AccountsError::Wrong(format!("there are {USERS_MAX} users")));
        }
        let lines: Vec<_> =
            new.iter().map(|(name, user)| user_line(tenant, name, Some(user))).collect();
        journal.append(&lines)?;
        let count = new.len();
        for (name, user) in new {
            self.roster.put(tenant, &name, user);
        }
        Ok(count)
    }

    /// Changes a user who is there.
    pub fn change_user(
        &self,
        tenant: Option<&TenantName>,
        name: &str,
        change: impl FnOnce(&mut User),
    ) -> Result<User, AccountsError> {
        let mut journal = self.journal();
        let user = self.roster.find(tenant, name);
        let mut user = user.ok_or_else(|| AccountsError::Missing(format!("user `{name}`")))?;
        change(&mut user);
        journal.append(&[user_line(tenant, name, Some(&user))])?;
        self.roster.put(tenant, name, user.clone());
        Ok(user)
    }

    /// Takes a user out. Clients that are connected as this user stay.
    pub fn remove_user(
        &self,
        tenant: Option<&TenantName>,
        name: &str,
    ) -> Result<(), AccountsError> {
        let mut journal = self.journal();
        if !self.roster.contains(tenant, name) {
            return Err(AccountsError::Missing(format!("user `{name}`")));
        }
        journal.append(&[user_line(tenant, name, None)])?;
        self.roster.remove(tenant, name);
        Ok(())
    }

    /// The rules of somebody.
    pub fn rules(&self, whose: &Whose) -> Option<Vec<AccountRule>> {
        self.book().rules.get(whose).cloned()
    }

    /// How many users, clients and tenants have rules.
    pub fn subjects(&self) -> usize {
        self.book().rules.len()
    }

    /// Shows the rules of all users, or all clients, of a tenant or of none, by name.
    pub fn walk_rules(
        &self,
        tenant: Option<&TenantName>,
        whom: RuleWhom,
        mut see: impl FnMut(&str, &Vec<AccountRule>),
    ) {
        for (whose, rules) in &self.book().rules {
            if let Some((is, name)) = &whose.of
                && (whose.tenant.as_ref(), *is) == (tenant, whom)
            {
                see(name, rules);
            }
        }
    }

    /// Shows all rules there are.
    pub fn walk_all_rules(&self, mut see: impl FnMut(&Whose, &Vec<AccountRule>)) {
        for (whose, rules) in &self.book().rules {
            see(whose, rules);
        }
    }

    /// Puts rules in the place of those that some have, of all of them or of nobody.
    pub fn set_all_rules(
        &self,
        lists: Vec<(Whose, Vec<AccountRule>)>,
    ) -> Result<(), AccountsError> {
        self.put_rules(&mut self.journal(), lists)
    }

    /// Gives rules to those who have none yet, to all of them or to nobody.
    pub fn add_rules(&self, new: Vec<(Whose, Vec<AccountRule>)>) -> Result<(), AccountsError> {
        let mut journal = self.journal();
        let mut named = BTreeSet::new();
        for (whose, rules) in &new {
            if rules.is_empty() {
                return Err(AccountsError::Wrong(format!("{whose} gets no rule")));
            }
            if self.book().rules.contains_key(whose) {
                return Err(AccountsError::Exists(format!("a list of rules of {whose}")));
            }
            if !named.insert(whose) {
                return Err(AccountsError::Wrong(format!("{whose} is given twice")));
            }
        }
        self.put_rules(&mut journal, new)
    }

    /// Puts rules in the place of those that somebody has; none take them away.
    pub fn set_rules(&self, whose: Whose, rules: Vec<AccountRule>) -> Result<(), AccountsError> {
        self.set_all_rules(vec![(whose, rules)])
    }

    /// Takes rules away from somebody who has some.
    pub fn remove_rules(&self, whose: Whose) -> Result<(), AccountsError> {
        let mut journal = self.journal();
        if !self.book().rules.contains_key(&whose) {
            return Err(AccountsError::Missing(format!("list of rules of {whose}")));
        }
        self.put_rules(&mut journal, vec![(whose, Vec::new())])
    }

    fn put_rules(
        &self,
        journal: &mut Journal,
        new: Vec<(Whose, Vec<AccountRule>)>,
    ) -> Result<(), AccountsError> {
        let (mut named, mut count) = {
            let book = self.book();
            (book.named.clone(), book.rules.len())
        };
        for (whose, rules) in &new {
            whose.check()?;
            named.set(whose.tenant.as_ref(), &whose.subject(), Some(whose.made(rules)?));
            count += usize::from(!self.book().rules.contains_key(whose));
        }
        if count > SUBJECTS_MAX {
            let problem = format!("{SUBJECTS_MAX} users and clients have rules");
            return Err(AccountsError::Wrong(problem));
        }
        let lines: Vec<_> = new.iter().map(|(whose, rules)| rules_line(whose, rules)).collect();
        journal.append(&lines)?;
        let mut book = self.book.write().unwrap_or_else(PoisonError::into_inner);
        for (whose, rules) in new {
            keep(&mut book.rules, whose, rules);
        }
        book.named = named.clone();
        drop(book);
        (self.tell)(named);
        Ok(())
    }
}

/// Without any rules nobody has a list of them.
fn keep(all: &mut BTreeMap<Whose, Vec<AccountRule>>, whose: Whose, rules: Vec<AccountRule>) {
    if rules.is_empty() {
        all.remove(&whose);
    } else {
        all.insert(whose, rules);
    }
}

fn user_line(tenant: Option<&TenantName>, name: &str, user: Option<&User>) -> Line {
    let tenant = tenant.map(|tenant| tenant.as_str().to_owned());
    Line::User { name: name.to_owned(), tenant, stored: user.map(ToString::to_string) }
}

fn rules_line(whose: &Whose, rules: &[AccountRule]) -> Line {
    let tenant = whose.tenant.as_ref().map(|tenant| tenant.as_str().to_owned());
    Line::Rules { of: whose.of.clone(), tenant, rules: rules.to_vec() }
}

/// All that is there, as the fewest lines.
fn living(roster: &Roster, rules: &BTreeMap<Whose, Vec<AccountRule>>) -> Vec<Line> {
    let mut lines = Vec::new();
    for tenant in roster.tenants() {
        let tenant = tenant.as_ref();
        roster.walk(tenant, |name, user| lines.push(user_line(tenant, name, Some(user))));
    }
    lines.extend(rules.iter().map(|(whose, rules)| rules_line(whose, rules)));
    lines
}

/// What a line of the file says.
fn take(
    line: Line,
    roster: &Roster,
    all: &mut BTreeMap<Whose, Vec<AccountRule>>,
    by_name: &mut NamedRules,
) -> Result<(), AccountsError> {
    let placed = |tenant: Option<String>| {
        let tenant = tenant.as_deref().map(TenantName::try_from).transpose();
        tenant.map_err(|error| AccountsError::Wrong(format!("the tenant {error}")))
    };
    match line {
        Line::Accounts(_) | Line::Together(_) => {
            return Err(AccountsError::Wrong("it stands within another".to_owned()));
        }
        Line::User { name, tenant, stored } => {
            named(&name)?;
            let tenant = placed(tenant)?;
            match stored {
                None => drop(roster.remove(tenant.as_ref(), &name)),
                Some(stored) => {
                    let user = stored.parse().map_err(|error| {
                        AccountsError::Wrong(format!("the password of `{name}` {error}"))
                    })?;
                    roster.put(tenant.as_ref(), &name, user);
                }
            }
        }
        Line::Rules { of, tenant, rules } => {
            let whose = Whose { tenant: placed(tenant)?, of };
            whose.check()?;
            let made = whose.made(&rules)?;
            by_name.set(whose.tenant.as_ref(), &whose.subject(), Some(made));
            keep(all, whose, rules);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
