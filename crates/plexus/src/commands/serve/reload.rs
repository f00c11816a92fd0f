//! What a running node takes without a restart, at SIGHUP and when its configuration is changed: certificates,
//! authenticators with their users and keys, rules, bans, limits, the log level. Whatever is wrong leaves the old in
//! its place.

mod compared;

use std::{cell::RefCell, time::Duration};

use plexus_admission::{UserBook, UserTable};
use plexus_audit::{AuditPort, Event, Kind};
use plexus_broker::{BansFrom, NodeHandle, totals};
use plexus_config::{
    Config, ConfigError, Diagnostic, Examined, LiveAuthenticators, LiveRules, NodePlan, Office,
    Settings, settings::BanSettings,
};
use plexus_runtime::Handle;
use plexus_terminal::{Failure, chain};
use tracing::Level;

use self::compared::{later, limits_between};
use super::{ServeArgs, accounts::Kept, certificates::Certificates, lists::Lists};
use crate::{back_ends::Built, commands::config::told, log::LogHandle, machine};

/// What a running node keeps of its start.
pub(super) struct Reload {
    args: ServeArgs,
    /// What the node was started with.
    start: Config,
    /// What the users of now were read by, if that is another.
    latest: Option<Config>,
    log: LogHandle,
    authenticators: LiveAuthenticators,
    /// Where authenticators are asked.
    runtime: Handle,
    rules: LiveRules,
    bans: Vec<BanSettings>,
    /// Whose limits hold for whoever comes.
    limits: Settings,
    /// The version of the changes that was taken last.
    version: u64,
    /// What was not taken, since that was asked last.
    faults: RefCell<Vec<String>>,
    certificates: Certificates,
    /// Users and rules that are not of the configuration.
    accounts: Kept,
    /// What was read anew, and what could not be, is reported there.
    audit: AuditPort,
}

/// What became of a configuration that a running node was given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Taken {
    /// What it took.
    pub(super) done: Vec<String>,
    /// Keys whose change waits for the next start.
    pub(super) waits: Vec<String>,
    /// What it did not take.
    pub(super) faults: Vec<String>,
}

/// How often certificates are looked at for their end when their files are left to SIGHUP.
const HOUR: Duration = Duration::from_hours(1);

/// What becomes of a file of users that is wrong.
const OLD_USERS: &str = "the old users of that file stay";

/// What was read anew of the users: how many there are, and of which tenants, unless a file is wrong.
fn users_told(users: &UserBook, is_whole: bool) -> Option<String> {
    if !is_whole {
        return (!users.tenants.is_empty()).then(|| "the users of other files".to_owned());
    }
    let tenants = users.tenants.iter();
    let tenants = tenants.map(|(tenant, users)| format!(" ({} of {tenant})", users.len()));
    Some(counted(users.len(), "user") + &tenants.collect::<String>())
}

/// Says how many users whoever reads the file could soon speak for, and whether nobody can come in by them.
fn tell_users(users: &UserBook, config: &Config) {
    if users.is_empty() && !config.settings.access.accounts {
        tracing::warn!("the user files have no user: nobody comes in by them");
    }
    let count = users.weak();
    if count > 0 {
        let users = counted(count, "user");
        tracing::warn!(
            "{users} with a weak stored password (SHA); `plexus passwd --check <file>` says who"
        );
    }
}

impl Reload {
    pub(super) fn new(
        args: &ServeArgs,
        start: &Config,
        plan: &NodePlan,
        (log, runtime, lists, accounts): (LogHandle, Handle, Lists, Kept),
    ) -> Self {
        if let Some(users) = plan.authenticators.users() {
            tell_users(&users.users(), start);
        }
        let certificates = Certificates::new(plan, interval(start), lists);
        let (args, start) = (args.clone(), start.clone());
        let (authenticators, rules) = (plan.authenticators.clone(), plan.rules.clone());
        let bans = start.settings.access.ban.clone();
        let limits = start.settings.clone();
        let version = told::lines(&start).map_or(0, |(layer, _)| layer.version);
        let audit = plan.audit.clone();
        Self {
            args,
            start,
            latest: None,
            log,
            authenticators,
            runtime,
            rules,
            bans,
            limits,
            version,
            faults: RefCell::default(),
            certificates,
            accounts,
            audit,
        }
    }

    /// How often [`Self::look`] is due.
    pub(super) fn every(&self) -> Duration {
        self.certificates.every().unwrap_or(HOUR)
    }

    /// What there is to tell from the beginning on.
    pub(super) fn begin(&self, node: &NodeHandle) {
        self.certificates.show(node);
    }

    /// Without being asked: only certificates.
    pub(super) fn look(&mut self, node: &NodeHandle) {
        self.certificates.look(node);
    }

    /// Everything, as SIGHUP asks for.
    pub(super) fn run(&mut self, node: &NodeHandle) {
        let done = self.certificates.reload(node);
        let mut done = done.into_iter().collect::<Vec<_>>();
        match self.args.load() {
            Ok(fresh) if fresh.file().is_none() && self.start.file().is_some() => {
                let gone = "the configuration file is gone, the old configuration stays";
                tracing::error!("{gone}");
                self.failed("configuration", gone);
                tracing::info!("{}", summary(&done));
            }
            Ok(fresh) => drop(self.take(fresh, done, node)),
            Err(failure) => {
                self.tell(
                    "configuration",
                    failure,
                    "the configuration cannot be read, the old one stays",
                );
                // The file of the users stands on its own.
                done.extend(self.users());
                tracing::info!("{}", summary(&done));
            }
        }
    }

    /// What can be had of that configuration without a restart; `done` is what has been read already.
    pub(super) fn take(
        &mut self,
        fresh: Config,
        mut done: Vec<String>,
        node: &NodeHandle,
    ) -> Taken {
        self.faults.borrow_mut().clear();
        self.tell_changes(&fresh);
        let access = self.access(&fresh, node);
        let waits = self.waits(&fresh);
        if !waits.is_empty() {
            let keys = limited(&waits);
            tracing::warn!(keys, "changes of these keys wait for the next start");
            let because = format!("{keys} wait for the next start");
            self.audit.record(|| Event::failed(Kind::Change, "configuration", because));
        }
        // Rules may speak of what only these authenticators prove.
        let rules = access.is_some().then(|| self.rules(&fresh, node)).flatten();
        let bans = self.bans(&fresh, node);
        let limits = self.limits(&fresh, node);
        let level = format!("log level {}", fresh.settings.log.level);
        let is_new = access.is_some();
        let read = access.into_iter().flatten().chain(rules).chain(bans).chain(limits);
        done.extend(read.chain([level]));
        self.told(&done, &fresh);
        if is_new {
            self.latest = Some(fresh);
        }
        Taken { done, waits, faults: self.faults.take() }
    }

    /// The keys of that configuration that the node does not take before it is started anew.
    pub(super) fn waits(&self, fresh: &Config) -> Vec<String> {
        let mut keys = later(&self.start.settings, &fresh.settings);
        let implied = |config: &Config| config.settings.listener.is_empty();
        if implied(&self.start) && implied(fresh) && self.start.listeners() != fresh.listeners() {
            keys.push("where a node without [[listener]] listens".to_owned());
        }
        keys
    }

    /// The configuration with what was changed while the node ran left out, as it is now.
    pub(super) fn bare(&self) -> Examined {
        self.args.bare()
    }

    /// The configuration of now.
    pub(super) fn configuration(&self) -> Result<Config, Failure> {
        self.args.load()
    }

    /// What was changed by others than the node itself, and what is hidden.
    fn tell_changes(&mut self, fresh: &Config) {
        let Ok((layer, lines)) = told::lines(fresh) else { return };
        lines.iter().flat_map(told::concerns).for_each(|one| tracing::warn!("{one}"));
        if layer.version != self.version {
            self.version = layer.version;
            let keys: Vec<_> = layer.newest().map(ToString::to_string).collect();
            let (version, by, keys) = (layer.version, &layer.stamp.by, limited(&keys));
            self.done(
                "configuration",
                &format!("version {version} of the changes, by {by}: {keys}"),
            );
        }
    }

    /// Has the limits hold for whoever comes from now on, where they differ from those of now.
    fn limits(&mut self, fresh: &Config, node: &NodeHandle) -> Option<String> {
        let keys = limits_between(&self.limits, &fresh.settings);
        if keys.is_empty() {
            return None;
        }
        // Listeners that are not open are among those that wait.
        let missing = node.renew_limits(fresh.renewed_limits());
        tracing::debug!(?missing, "limits of listeners that are not open");
        self.limits = fresh.settings.clone();
        let keys = limited(&keys);
        self.done("limits", &keys);
        Some(format!("limits ({keys})"))
    }

    /// The authenticators, with their users and keys: what there is now, or nothing where the old ones stay.
    fn access(&mut self, fresh: &Config, node: &NodeHandle) -> Option<Vec<String>> {
        let count = fresh.settings.access.authenticators().len();
        let unasked = totals(node.counters()).get("stats/connections/count").copied();
        if count > 0 && !self.authenticators.any() && unasked.is_some_and(|clients| clients > 0) {
            // Their user names are what they say, and rules would go by them.
            let told = "clients are connected whom nobody has asked who they are: send them away first, or start \
                        the node anew";
            tracing::error!("the first authenticator is not taken, and the old rules stay: {told}");
            self.failed("authenticators", told);
            return None;
        }
        if count == 0 && self.authenticators.any() {
            // A file that was cut off, most likely: it must not open the door.
            tracing::error!(
                "there is no authenticator any more, the old ones and the old rules stay; to let \
                 everybody in, start the node anew"
            );
            self.failed(
                "authenticators",
                "there is none any more, the old ones and the rules stay",
            );
            return None;
        }
        let stay = "the old authenticators and the old rules stay";
        let tell = |failure| self.tell("authenticators", failure, stay);
        let seed = machine::seed().map_err(tell).ok()?;
        let secret = machine::secret().map_err(tell).ok()?;
        let office = Office { runtime: self.runtime.clone(), secret, back_ends: &Built };
        let mut told = Vec::new();
        let before = self.authenticators.users().map(UserTable::users);
        let alike = fresh.knows_users_alike(&self.authenticators);
        let users = match fresh.renewed_users(seed, before.as_deref().filter(|_| alike)) {
            None => None,
            Some((users, error)) => {
                let is_whole = error.diagnostics.is_empty();
                if !is_whole {
                    self.tell("users", error.into(), OLD_USERS);
                }
                // Where there are no old ones nobody stands in for them.
                let users = users?;
                tell_users(&users, fresh);
                told.extend(users_told(&users, is_whole));
                Some(fresh.user_table(users, self.authenticators.roster(), &office))
            }
        };
        let live = &mut self.authenticators;
        if let Err(error) = fresh.renew_authenticators(live, users, &office, seed) {
            self.tell("authenticators", error.into(), stay);
            return None;
        }
        self.accounts.renew();
        if let Some(users) = told.first() {
            self.done("users", users);
        }
        if count > 0 {
            self.done("authenticators", &counted(count, "authenticator"));
        }
        Some(told)
    }

    /// How many users there are now, where the configuration itself cannot be read.
    fn users(&self) -> Option<String> {
        let live = self.authenticators.users()?;
        let stay = |failure| self.tell("users", failure, "the old users stay");
        let seed = machine::seed().map_err(stay).ok()?;
        let config = self.latest.as_ref().unwrap_or(&self.start);
        let (users, error) = config.renewed_users(seed, Some(&live.users()))?;
        let is_whole = error.diagnostics.is_empty();
        if !is_whole {
            self.tell("users", error.into(), OLD_USERS);
        }
        let users = users?;
        let read = users_told(&users, is_whole);
        tell_users(&users, config);
        live.replace(users);
        if let Some(read) = &read {
            self.done("users", read);
        }
        read
    }

    /// How many rules there are now, if there were or are any.
    fn rules(&self, config: &Config, node: &NodeHandle) -> Option<String> {
        let rules = config.rules();
        if rules.is_none() && self.rules.any() {
            // A file that was cut off, most likely: it must not open the door.
            tracing::error!(
                "there is no rule any more, the old ones stay; \
                 to allow everything, write access.no_match = \"allow\""
            );
            self.failed("rules", "there is no rule any more, the old ones stay");
            return None;
        }
        let (any, count) = (rules.is_some(), config.settings.access.rule.len());
        let changed = self.rules.replace(rules);
        if changed {
            node.review_access();
        }
        let count = (any || changed).then(|| counted(count, "rule"));
        if let Some(count) = count.as_ref().filter(|_| changed) {
            self.done("rules", count);
        }
        count
    }

    /// How many bans there are now, if there were or are any.
    fn bans(&mut self, config: &Config, node: &NodeHandle) -> Option<String> {
        let bans = &config.settings.access.ban;
        if *bans != self.bans {
            let stay = |failure| self.tell("bans", failure, "the old bans stay");
            let seed = machine::seed().map_err(stay).ok()?;
            node.replace_bans(BansFrom::File, config.bans(seed).all().to_vec());
            self.done("bans", &counted(bans.len(), "ban"));
            self.bans.clone_from(bans);
        } else if bans.is_empty() {
            return None;
        }
        Some(counted(bans.len(), "ban"))
    }

    /// One record that names what was read, though the new level may be for errors only.
    fn told(&self, done: &[String], fresh: &Config) {
        let tell = || tracing::info!("{}", summary(done));
        let before = tracing::enabled!(Level::INFO);
        if before {
            tell();
        }
        let changed = self.log.change(&fresh.settings.log);
        match &changed {
            Ok(()) => self.done("log_level", fresh.settings.log.level.as_str()),
            Err(error) => self.failed("log_level", &chain(error)),
        }
        if let Err(error) = changed {
            tracing::error!(error = chain(&error), "the old log level stays");
        } else if !before {
            tell();
        }
    }

    /// Each mistake as one record of the log on one line, and all of them as one of the audit log.
    fn tell(&self, act: &'static str, failure: Failure, consequence: &str) {
        match failure {
            Failure::Config(ConfigError { diagnostics }) => {
                let lines: Vec<String> = diagnostics.iter().map(Diagnostic::line).collect();
                self.failed(act, &lines.join("; "));
                tell_each(lines, consequence);
            }
            other => {
                self.failed(act, &other.to_string());
                tracing::error!(error = %other, "{consequence}");
            }
        }
    }

    fn done(&self, act: &'static str, what: &str) {
        self.audit.record(|| Event::done(Kind::Change, act).because(what));
    }

    fn failed(&self, act: &'static str, why: &str) {
        self.faults.borrow_mut().push(format!("{act}: {why}"));
        self.audit.record(|| Event::failed(Kind::Change, act, why));
    }
}

/// How often files are looked at, if at all.
fn interval(config: &Config) -> Option<Duration> {
    config.settings.tls.reload_interval.get().map(plexus_config::value::Span::get)
}

pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn summary(done: &[String]) -> String {
    match done {
        [] => "nothing could be read anew".to_owned(),
        done => format!("read anew: {}", done.join(", ")),
    }
}

/// So many keys, or mistakes, are told one by one: fewer than one place may log in a second.
const TOLD_MAX: usize = 10;

fn limited(keys: &[String]) -> String {
    let first = keys.iter().take(TOLD_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match keys.len().saturating_sub(TOLD_MAX) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

pub(super) fn tell_each(mut errors: Vec<String>, consequence: &str) {
    let more = errors.split_off(errors.len().min(TOLD_MAX)).len();
    for error in errors {
        tracing::error!(error, "{consequence}");
    }
    if more > 0 {
        tracing::error!(more, "further mistakes are not shown; `plexus config check` shows them");
    }
}

#[cfg(test)]
mod tests {
    use super::{limited, summary};

    #[test]
    fn of_many_keys_some_are_named() {
        let keys = (0..12).map(|number| format!("k{number}")).collect::<Vec<_>>();
        assert!(limited(&keys).ends_with("k8, k9 and 2 more"));
    }

    #[test]
    fn that_nothing_was_read_is_said() {
        assert_eq!(summary(&[]), "nothing could be read anew");
        assert_eq!(summary(&["1 user".into(), "x".into()]), "read anew: 1 user, x");
    }
}
