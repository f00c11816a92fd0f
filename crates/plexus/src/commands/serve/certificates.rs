//! The certificates of a running node: read anew when that is asked for and when their files have changed,
//! and told of before they end.

use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt, path::Path, time::Duration};

use plexus_audit::{AuditPort, Event, Kind};
use plexus_broker::NodeHandle;
use plexus_config::NodePlan;
use plexus_net::{TlsEnds, TlsOptions, TlsServer};
use plexus_pubsub::client::trouble::of_files;
use plexus_stdx::calendar::DAY;

use super::{
    lists::{self, Lists},
    reload::{counted, tell_each},
};
use crate::commands::validity::{self, now};

/// The certificates of all listeners.
#[derive(Debug)]
pub(super) struct Certificates {
    listeners: Vec<Watched>,
    /// What is fetched for them.
    lists: Lists,
    /// How often their files are looked at, if at all.
    interval: Option<Duration>,
    /// What was read anew, and what could not be, is reported there.
    audit: AuditPort,
    /// The day on which what is odd about them was told last, counted from 1970.
    told: u64,
}

/// The certificates of one listener.
#[derive(Debug)]
struct Watched {
    name: String,
    options: TlsOptions,
    /// How its files looked when they were read last.
    prints: Vec<Option<Print>>,
    /// Whether they could not be used then.
    broken: bool,
    /// When what the node goes by ends.
    ends: TlsEnds,
}

/// Which listeners are read anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    /// Those of whose files one looks otherwise than before.
    Changed,
}

impl Certificates {
    pub(super) fn new(plan: &NodePlan, interval: Option<Duration>, lists: Lists) -> Self {
        let listeners = plan.listeners.iter().filter_map(|one| {
            let options = one.net.tls.clone()?;
            // Before they are read: what changes meanwhile is noticed at the next look.
            let prints = prints(&options);
            let server = TlsServer::new(&options).ok();
            let broken = server.is_none();
            let ends = server.map(|server| server.ends()).unwrap_or_default();
            Some(Watched { name: one.name.clone(), options, prints, broken, ends })
        });
        let audit = plan.audit.clone();
        let listeners = listeners.collect();
        Self { listeners, lists, interval, audit, told: now() / DAY }
    }

    /// How often to look, if anything is looked at.
    pub(super) fn every(&self) -> Option<Duration> {
        self.interval.into_iter().chain(self.lists.every()).min()
    }

    /// Reads everything anew; says of how many listeners that could be done.
    pub(super) fn reload(&mut self, node: &NodeHandle) -> Option<String> {
        self.lists.refresh(lists::Which::All);
        let told = self.read(Which::All, node);
        self.tell_what_is_odd();
        self.show(node);
        told
    }

    /// Looks whether files have changed, and whether something is about to end.
    pub(super) fn look(&mut self, node: &NodeHandle) {
        let which = if self.lists.refresh(lists::Which::Due) { Which::All } else { Which::Changed };
        if (self.interval.is_some() || which == Which::All)
            && let Some(told) = self.read(which, node)
        {
            tracing::info!("read anew: {told}");
        }
        if now() / DAY != self.told {
            self.tell_what_is_odd();
        }
        self.show(node);
    }

    /// Has `$SYS` tell how many days are left.
    pub(super) fn show(&self, node: &NodeHandle) {
        let now = now();
        let mut values = BTreeMap::new();
        for Watched { name, ends, .. } in &self.listeners {
            let level = level(name);
            for (what, end) in [("certificate", ends.certificate), ("crl", ends.crl)] {
                let Some(end) = end else { continue };
                let left = days_left(end, now).to_string();
                values.insert(format!("listeners/{level}/{what}/days_left"), left);
            }
        }
        node.show(values);
    }

    fn tell_what_is_odd(&mut self) {
        self.told = now() / DAY;
        for concern in validity::concerns_of(self.listeners.iter().map(|one| &one.options)) {
            tracing::warn!("{concern}");
        }
    }

    fn read(&mut self, which: Which, node: &NodeHandle) -> Option<String> {
        let mut errors = Vec::new();
        let mut read = Vec::new();
        for (at, one) in self.listeners.iter_mut().enumerate() {
            let prints = prints(&one.options);
            if which == Which::Changed && prints == one.prints {
                continue;
            }
            one.prints = prints;
            // The node tells that it failed; the whole reason is to be had here.
            match TlsServer::new(&one.options) {
                Ok(server) => {
                    one.broken = false;
                    one.ends = server.ends();
                    read.push(at);
                }
                Err(error) => {
                    one.broken = true;
                    errors.push(format!("{}: {}", one.name, of_files(&error)));
                }
            }
        }
        let failures = if read.is_empty() { Vec::new() } else { node.reload_tls() };
        for (name, error) in failures {
            // What was broken before has been told.
            if let Some(one) = self.listeners.iter_mut().find(|one| one.name == name && !one.broken)
            {
                one.broken = true;
                errors.push(format!("{name}: {error}"));
            }
        }
        for error in &errors {
            self.audit.record(|| Event::failed(Kind::Change, "certificates", error));
        }
        tell_each(errors, "the old certificate stays");
        let whole = |at: &usize| self.listeners.get(*at).is_some_and(|one| !one.broken);
        let count = read.iter().filter(|at| whole(at)).count();
        (count > 0).then(|| {
            let count = counted(count, "listener");
            self.audit.record(|| Event::done(Kind::Change, "certificates").because(&*count));
            format!("certificates of {count}")
        })
    }
}

/// How a file looks from outside: another one, or one that was written to, looks otherwise.
#[derive(Debug, PartialEq, Eq)]
struct Print {
    file: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

fn prints(options: &TlsOptions) -> Vec<Option<Print>> {
    options.files().into_iter().map(|(_, file)| print_of(file)).collect()
}

/// Nothing of a file that is not there.
fn print_of(file: &Path) -> Option<Print> {
    let metadata = fs::metadata(file).ok()?;
    Some(Print {
        file: (metadata.dev(), metadata.ino()),
        size: metadata.size(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    })
}

/// The name of a listener as a level of a topic: `tls://0.0.0.0:8883` as `tls:0.0.0.0:8883`.
fn level(name: &str) -> String {
    let plain = |c: char| !c.is_control() && !matches!(c, '/' | '+' | '#');
    name.replace("://", ":").chars().map(|c| if plain(c) { c } else { '_' }).collect()
}

/// Whole days until that moment; how many ago, as a negative number, when it is over.
fn days_left(end: u64, now: u64) -> i64 {
    let days = |span: u64| i64::try_from(span / DAY).unwrap_or(i64::MAX);
    match end.checked_sub(now) {
        Some(left) => days(left),
        None => -1 - days(now - end),
    }
}

#[cfg(test)]
mod tests {
    use super::{DAY, days_left, level};

    #[test]
    fn days_are_counted_to_the_end_and_from_it() {
        let end = 100 * DAY;
        for (now, left) in [
            (end - DAY, 1),
            (end - DAY + 1, 0),
            (end, 0),
            (end + 1, -1),
            (end + DAY - 1, -1),
            (end + DAY, -2),
            (0, 100),
        ] {
            assert_eq!(days_left(end, now), left, "{now}");
        }
    }

    #[test]
    fn a_listener_is_one_level() {
        for (name, expected) in [
            ("plant", "plant"),
            ("tls://0.0.0.0:8883", "tls:0.0.0.0:8883"),
            ("wss://[::1]:8084/mqtt", "wss:[::1]:8084_mqtt"),
            ("a/+/#\n", "a_____"),
        ] {
            assert_eq!(level(name), expected);
        }
    }
}
