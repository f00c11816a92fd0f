//! What SIGHUP reads anew: certificates, users, the log level. Whatever is wrong leaves the old in
//! its place.

use plexus_broker::NodeHandle;
use plexus_config::{Config, ConfigError, LiveUsers, NodePlan, Settings};
use plexus_net::{TlsOptions, TlsServer};
use tracing::Level;

use super::ServeArgs;
use crate::{
    commands::validity,
    failure::{Failure, chain},
    log::LogHandle,
    machine,
};

/// What a running node keeps of its start.
pub(super) struct Reload<'a> {
    args: &'a ServeArgs,
    /// What the node was started with.
    start: &'a Config,
    /// What the users of now were read by, if that is another.
    latest: Option<Config>,
    log: &'a LogHandle,
    users: Option<LiveUsers>,
    certificates: Vec<(String, TlsOptions)>,
}

impl<'a> Reload<'a> {
    pub(super) fn new(
        args: &'a ServeArgs,
        start: &'a Config,
        plan: &NodePlan,
        log: &'a LogHandle,
    ) -> Self {
        let listeners = plan.listeners.iter();
        let certificates =
            listeners.filter_map(|one| Some((one.name.clone(), one.net.tls.clone()?))).collect();
        Self { args, start, latest: None, log, users: plan.users.clone(), certificates }
    }

    pub(super) fn run(&mut self, node: &NodeHandle) {
        let mut done = Vec::new();
        done.extend(self.certificates(node));
        match self.args.load() {
            Ok(fresh) => {
                let users = self.users(&fresh);
                if only_later(&self.start.settings, &fresh.settings) {
                    tracing::warn!("other changes of the configuration wait for the next start");
                }
                let level = format!("log level {}", fresh.settings.log.level);
                done.extend(users.clone().into_iter().chain([level]));
                self.told(&done, &fresh);
                if users.is_some() {
                    self.latest = Some(fresh);
                }
            }
            Err(failure) => {
                tell(failure, "the configuration cannot be read, the old one stays");
                // The file of the users stands on its own.
                done.extend(self.users(self.latest.as_ref().unwrap_or(self.start)));
                tracing::info!("read anew: {}", done.join(", "));
            }
        }
    }

    /// The certificates of how many listeners could be read.
    fn certificates(&self, node: &NodeHandle) -> Option<String> {
        let mut failed = Vec::new();
        for (listener, options) in &self.certificates {
            // The node tells that it failed; the whole reason is to be had here.
            if let Err(error) = TlsServer::new(options) {
                tracing::error!(listener, error = chain(&error), "the old certificate stays");
                failed.push(listener.clone());
            }
        }
        for (listener, error) in node.reload_tls() {
            if !failed.contains(&listener) {
                tracing::error!(listener, error, "the old certificate stays");
                failed.push(listener);
            }
        }
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

    /// One record that names what was read, though the new level may be for errors only.
    fn told(&self, done: &[String], fresh: &Config) {
        let tell = || tracing::info!("read anew: {}", done.join(", "));
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

/// Whether something has changed that is read at the start only.
fn only_later(old: &Settings, new: &Settings) -> bool {
    let mut alike = new.clone();
    alike.log.level = old.log.level.clone();
    alike.access.users_file.clone_from(&old.access.users_file);
    alike.access.users.clone_from(&old.access.users);
    alike != *old
}

/// Each mistake as one record on one line.
fn tell(failure: Failure, consequence: &str) {
    match failure {
        Failure::Config(ConfigError { diagnostics }) => {
            for diagnostic in diagnostics {
                tracing::error!(error = diagnostic.line(), "{consequence}");
            }
        }
        other => tracing::error!(error = %other, "{consequence}"),
    }
}

#[cfg(test)]
mod tests {
    use plexus_config::Settings;

    use super::only_later;

    #[test]
    fn a_change_that_needs_a_start_is_seen() {
        let old = Settings::default();
        let mut new = old.clone();
        new.log.level = "debug".parse().unwrap();
        new.access.users_file = Some("users".into());
        assert!(!only_later(&old, &new));
        new.mqtt.maximum_qos = 1;
        assert!(only_later(&old, &new));
    }
}
