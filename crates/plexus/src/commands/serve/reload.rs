//! What SIGHUP reads anew: certificates, users, rules, bans, the log level. Whatever is wrong leaves the old in
//! its place.

use std::time::Duration;

use plexus_admission::{UserBook, UserTable};
use plexus_audit::{AuditPort, Event, Kind};
use plexus_broker::NodeHandle;
use plexus_config::{
    Config, ConfigError, Diagnostic, LiveRules, NodePlan, Settings, settings::BanSettings,
};
use toml::{Table, Value};
use tracing::Level;

use super::{ServeArgs, certificates::Certificates};
use crate::{
    failure::{Failure, chain},
    log::LogHandle,
    machine,
};

/// What a running node keeps of its start.
pub(super) struct Reload {
    args: ServeArgs,
    /// What the node was started with.
    start: Config,
    /// What the users of now were read by, if that is another.
    latest: Option<Config>,
    log: LogHandle,
    users: Option<UserTable>,
    rules: LiveRules,
    bans: Vec<BanSettings>,
    certificates: Certificates,
    /// What was read anew, and what could not be, is reported there.
    audit: AuditPort,
}

/// How often certificates are looked at for their end when their files are left to SIGHUP.
const HOUR: Duration = Duration::from_hours(1);

/// Says how many users whoever reads the file could soon speak for.
fn tell_weak(users: &UserBook) {
    let count = users.weak();
    if count > 0 {
        let users = counted(count, "user");
        tracing::warn!(
            "{users} with a weak stored password (SHA); `plexus passwd --check <file>` says who"
        );
    }
}

impl Reload {
    pub(super) fn new(args: &ServeArgs, start: &Config, plan: &NodePlan, log: LogHandle) -> Self {
        if let Some(users) = &plan.users {
            tell_weak(&users.users());
        }
        let certificates = Certificates::new(plan, interval(start));
        let (args, start) = (args.clone(), start.clone());
        let (users, rules) = (plan.users.clone(), plan.rules.clone());
        let bans = start.settings.access.ban.clone();
        let audit = plan.audit.clone();
        Self { args, start, latest: None, log, users, rules, bans, certificates, audit }
    }

    /// How often [`Self::look`] is due.
    pub(super) fn every(&self) -> Duration {
        interval(&self.start).unwrap_or(HOUR)
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
        let mut done = Vec::new();
        done.extend(self.certificates.reload(node));
        match self.args.load() {
            Ok(fresh) if fresh.file().is_none() && self.start.file().is_some() => {
                let gone = "the configuration file is gone, the old configuration stays";
                tracing::error!("{gone}");
                self.failed("configuration", gone);
                tracing::info!("{}", summary(&done));
            }
            Ok(fresh) => {
                let users = self.users(&fresh);
                let keys = later(&self.start.settings, &fresh.settings);
                if !keys.is_empty() {
                    let keys = limited(&keys);
                    tracing::warn!(keys, "changes of these keys wait for the next start");
                    self.failed("configuration", &format!("{keys} wait for the next start"));
                }
                let rules = self.rules(&fresh, node);
                let bans = self.bans(&fresh, node);
                let level = format!("log level {}", fresh.settings.log.level);
                done.extend(users.clone().into_iter().chain(rules).chain(bans).chain([level]));
                self.told(&done, &fresh);
                if users.is_some() {
                    self.latest = Some(fresh);
                }
            }
            Err(failure) => {
                self.tell(
                    "configuration",
                    failure,
                    "the configuration cannot be read, the old one stays",
                );
                // The file of the users stands on its own.
                done.extend(self.users(self.latest.as_ref().unwrap_or(&self.start)));
                tracing::info!("{}", summary(&done));
            }
        }
    }

    /// How many users there are now.
    fn users(&self, config: &Config) -> Option<String> {
        let stay = |failure| self.tell("users", failure, "the old users stay");
        let seed = machine::seed().map_err(stay).ok()?;
        let fresh = config.users(seed).map_err(Failure::from);
        let fresh = fresh.map_err(stay).ok()?;
        match (&self.users, fresh) {
            (Some(live), Some(users)) => {
                let count = counted(users.len(), "user");
                tell_weak(&users);
                live.replace(users);
                self.done("users", &count);
                Some(count)
            }
            (None, Some(_)) | (Some(_), None) => {
                let waits = "whether there are users at all changes only at the next start";
                tracing::warn!("{waits}");
                self.failed("users", waits);
                None
            }
            (None, None) => None,
        }
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
            node.replace_bans(config.bans(seed));
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

/// The keys whose change is read at the start only.
fn later(old: &Settings, new: &Settings) -> Vec<String> {
    let mut alike = new.clone();
    alike.log.level = old.log.level.clone();
    alike.access.users_file.clone_from(&old.access.users_file);
    alike.access.users.clone_from(&old.access.users);
    alike.access.rule.clone_from(&old.access.rule);
    alike.access.no_match = old.access.no_match;
    alike.access.ban.clone_from(&old.access.ban);
    let users_of = |name: &_| old.access.tenant.iter().find(|tenant| tenant.name == *name);
    for tenant in &mut alike.access.tenant {
        let before = users_of(&tenant.name).and_then(|before| before.users_file.clone());
        if let Some(before) = before.filter(|_| tenant.users_file.is_some()) {
            tenant.users_file = Some(before);
        }
    }
    let tree = |settings: &Settings| Table::try_from(settings).unwrap_or_default();
    let mut keys = Vec::new();
    differences("", &tree(old), &tree(&alike), &mut keys);
    keys
}

fn differences(prefix: &str, old: &Table, new: &Table, keys: &mut Vec<String>) {
    let added = new.keys().filter(|key| !old.contains_key(*key));
    for key in old.keys().chain(added) {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match (old.get(key), new.get(key)) {
            (Some(Value::Table(old)), Some(Value::Table(new))) => {
                differences(&path, old, new, keys);
            }
            (old, new) if old != new => keys.push(path),
            _ => {}
        }
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
    use plexus_config::Settings;

    use super::{later, limited, summary};

    #[test]
    fn the_changes_that_need_a_start_are_named() {
        let old = Settings::default();
        let mut new = old.clone();
        new.log.level = "debug".parse().unwrap();
        new.access.users_file = Some("users".into());
        assert_eq!(later(&old, &new), [""; 0]);
        new.mqtt.maximum_qos = 1;
        new.node.data_dir = Some("data".into());
        assert_eq!(later(&old, &new), ["mqtt.maximum_qos", "node.data_dir"]);
        let keys = (0..12).map(|number| format!("k{number}")).collect::<Vec<_>>();
        assert!(limited(&keys).ends_with("k8, k9 and 2 more"));
    }

    #[test]
    fn that_nothing_was_read_is_said() {
        assert_eq!(summary(&[]), "nothing could be read anew");
        assert_eq!(summary(&["1 user".into(), "x".into()]), "read anew: 1 user, x");
    }
}
