//! What SIGHUP reads anew: certificates, users, rules, the log level. Whatever is wrong leaves the old in
//! its place.

use plexus_access::Users;
use plexus_admission::UserTable;
use plexus_broker::NodeHandle;
use plexus_config::{Config, ConfigError, Diagnostic, LiveRules, NodePlan, Settings};
use plexus_net::{TlsOptions, TlsServer};
use toml::{Table, Value};
use tracing::Level;

use super::ServeArgs;
use crate::{
    client::trouble::of_files,
    commands::validity,
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
    certificates: Vec<(String, TlsOptions)>,
}

/// Says how many users whoever reads the file could soon speak for.
fn tell_weak(users: &Users) {
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
        let listeners = plan.listeners.iter();
        let certificates =
            listeners.filter_map(|one| Some((one.name.clone(), one.net.tls.clone()?))).collect();
        let (args, start) = (args.clone(), start.clone());
        let (users, rules) = (plan.users.clone(), plan.rules.clone());
        Self { args, start, latest: None, log, users, rules, certificates }
    }

    pub(super) fn run(&mut self, node: &NodeHandle) {
        let mut done = Vec::new();
        done.extend(self.certificates(node));
        match self.args.load() {
            Ok(fresh) if fresh.file().is_none() && self.start.file().is_some() => {
                tracing::error!("the configuration file is gone, the old configuration stays");
                tracing::info!("{}", summary(&done));
            }
            Ok(fresh) => {
                let users = self.users(&fresh);
                let keys = later(&self.start.settings, &fresh.settings);
                if !keys.is_empty() {
                    let keys = limited(&keys);
                    tracing::warn!(keys, "changes of these keys wait for the next start");
                }
                let rules = self.rules(&fresh, node);
                let level = format!("log level {}", fresh.settings.log.level);
                done.extend(users.clone().into_iter().chain(rules).chain([level]));
                self.told(&done, &fresh);
                if users.is_some() {
                    self.latest = Some(fresh);
                }
            }
            Err(failure) => {
                tell(failure, "the configuration cannot be read, the old one stays");
                // The file of the users stands on its own.
                done.extend(self.users(self.latest.as_ref().unwrap_or(&self.start)));
                tracing::info!("{}", summary(&done));
            }
        }
    }

    /// The certificates of how many listeners could be read.
    fn certificates(&self, node: &NodeHandle) -> Option<String> {
        let mut failed = Vec::new();
        let mut errors = Vec::new();
        for (listener, options) in &self.certificates {
            // The node tells that it failed; the whole reason is to be had here.
            if let Err(error) = TlsServer::new(options) {
                errors.push(format!("{listener}: {}", of_files(&error)));
                failed.push(listener.clone());
            }
        }
        for (listener, error) in node.reload_tls() {
            if !failed.contains(&listener) {
                errors.push(format!("{listener}: {error}"));
                failed.push(listener);
            }
        }
        tell_each(errors, "the old certificate stays");
        for concern in validity::concerns_of(self.certificates.iter().map(|(_, tls)| tls)) {
            tracing::warn!("{concern}");
        }
        let count = self.certificates.len().saturating_sub(failed.len());
        (count > 0).then(|| format!("certificates of {}", counted(count, "listener")))
    }

    /// How many users there are now.
    fn users(&self, config: &Config) -> Option<String> {
        let seed = machine::seed().map_err(|failure| tell(failure, "the old users stay")).ok()?;
        let fresh = config.users(seed).map_err(Failure::from);
        let fresh = fresh.map_err(|failure| tell(failure, "the old users stay")).ok()?;
        match (&self.users, fresh) {
            (Some(live), Some(users)) => {
                let count = users.len();
                tell_weak(&users);
                live.replace(users);
                Some(counted(count, "user"))
            }
            (None, Some(_)) | (Some(_), None) => {
                tracing::warn!("whether there are users at all changes only at the next start");
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
            return None;
        }
        let (any, count) = (rules.is_some(), config.settings.access.rule.len());
        let changed = self.rules.replace(rules);
        if changed {
            node.review_access();
        }
        (any || changed).then(|| counted(count, "rule"))
    }

    /// One record that names what was read, though the new level may be for errors only.
    fn told(&self, done: &[String], fresh: &Config) {
        let tell = || tracing::info!("{}", summary(done));
        let before = tracing::enabled!(Level::INFO);
        if before {
            tell();
        }
        if let Err(error) = self.log.change(&fresh.settings.log) {
            tracing::error!(error = chain(&error), "the old log level stays");
        } else if !before {
            tell();
        }
    }
}

fn counted(count: usize, what: &str) -> String {
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

/// Each mistake as one record on one line.
fn tell(failure: Failure, consequence: &str) {
    match failure {
        Failure::Config(ConfigError { diagnostics }) => {
            tell_each(diagnostics.iter().map(Diagnostic::line).collect(), consequence);
        }
        other => tracing::error!(error = %other, "{consequence}"),
    }
}

fn tell_each(mut errors: Vec<String>, consequence: &str) {
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
