//! The fences of the file, as a node takes them.

use std::{num::NonZeroU64, sync::Arc};

use plexus_broker::{FenceOptions, Pace, Quota};
use plexus_fences::{Ban, Bans, FlappingOptions, LockoutOptions, Rate, Subject};
use plexus_stdx::Seed;
use plexus_types::Instant;

use crate::{load::Config, report::Diagnostic, settings::BanSettings};

/// More of them are better kept where they come from.
const BANS_MAX: usize = 100_000;
/// Each newcomer is compared with each of those that have `*` in them.
const WILDCARDS_MAX: usize = 1_000;
/// What is remembered of failed log-ins and of flapping clients, of each kind some 6 MB at most.
const REMEMBERED_MAX: usize = 65_536;

impl Config {
    /// Who is banned.
    pub fn bans(&self, seed: Seed) -> Bans {
        let all = self.settings.access.ban.iter().filter_map(ban).collect();
        Bans::new(all, seed)
    }

    pub(crate) fn fences(&self, seed: Seed) -> FenceOptions {
        let (limits, access) = (&self.settings.limits, &self.settings.access);
        FenceOptions {
            bans: Arc::new(self.bans(seed)),
            lockout: self.lockout(),
            flapping: access.flapping.connects.get().map(|connects| FlappingOptions {
                connects,
                ban: access.flapping.ban.get(),
                clients_max: REMEMBERED_MAX,
            }),
            connections_of_user_max: limits.max_connections_per_user as usize,
            connections_of_place_max: limits.max_connections_per_address as usize,
            quota_of_user: Quota {
                pace: Pace {
                    messages: limits.max_message_rate_per_user.get(),
                    bytes: limits.max_byte_rate_per_user.get(),
                },
                subscriptions_max: NonZeroU64::new(limits.max_subscriptions_per_user),
            },
            quota_of_place: Quota {
                pace: Pace {
                    messages: limits.max_message_rate_per_address.get(),
                    bytes: limits.max_byte_rate_per_address.get(),
                },
                subscriptions_max: NonZeroU64::new(limits.max_subscriptions_per_address),
            },
            connection_rate: limits.max_connection_rate.get(),
            connection_rate_of_place: limits.max_connection_rate_per_address.get(),
            handshakes_of_place_max: limits.max_handshakes_per_address as usize,
            handshake_bytes_max: limits.max_handshake_bytes.as_usize(),
        }
    }

    fn lockout(&self) -> Option<LockoutOptions> {
        let lockout = &self.settings.access.lockout;
        let free = lockout.failures.get()?;
        let endless = || Rate::new(NonZeroU64::MAX, free.per());
        Some(LockoutOptions {
            free,
            free_of_place: lockout.failures_per_address.get().unwrap_or_else(endless),
            free_of_user: lockout.failures_per_user.get().unwrap_or_else(endless),
            first: lockout.first.get(),
            longest: lockout.longest.get(),
            entries_max: REMEMBERED_MAX,
        })
    }

    /// The mistakes in bans and lock-out that their types let pass.
    pub(crate) fn mistakes_in_fences(&self) -> Vec<Diagnostic> {
        let access = &self.settings.access;
        let mut found = Vec::new();
        let wild = access
            .ban
            .iter()
            .filter(|ban| has_star(ban.client.as_ref()) || has_star(ban.user.as_ref()));
        for (count, most, what) in
            [(access.ban.len(), BANS_MAX, ""), (wild.count(), WILDCARDS_MAX, " with `*`")]
        {
            if count > most {
                let help = format!("use at most {most}, with networks in place of addresses");
                let message = format!("{count} bans{what}");
                found.push(self.mistake(&["access", "ban"], message).with_help(help));
            }
        }
        for (index, ban) in access.ban.iter().enumerate() {
            let given = [ban.client.is_some(), ban.user.is_some(), ban.network.is_some()];
            let message = match given.into_iter().filter(|given| *given).count() {
                0 => "the ban is of nobody",
                1 => continue,
                _ => "the ban is of more than one",
            };
            let path = ["access", "ban", &index.to_string()];
            let help =
                "write one of client, user and network, and another [[access.ban]] for another";
            found.push(self.mistake(&path, message).with_help(help));
        }
        if access.lockout.first > access.lockout.longest {
            let help = "set access.lockout.first at or below access.lockout.longest";
            let path = ["access", "lockout", "first"];
            found.push(
                self.mistake(&path, "the first wait is longer than the longest").with_help(help),
            );
        }
        found
    }
}

fn has_star(name: Option<&String>) -> bool {
    name.is_some_and(|name| name.contains('*'))
}

fn ban(settings: &BanSettings) -> Option<Ban> {
    let BanSettings { client, user, tenant, network, reason, until } = settings;
    let named = |name: &str| match tenant {
        Some(tenant) => tenant.get().place(name).into(),
        None => name.into(),
    };
    let subject = match (client, user, network) {
        (Some(client), ..) => Subject::Client(named(client)),
        (_, Some(user), _) => Subject::User(named(user)),
        (.., Some(network)) => Subject::Network(network.get()),
        (None, None, None) => return None,
    };
    let until = until.map(|moment| Instant::from_secs(moment.secs()));
    Some(Ban { subject, reason: reason.as_str().into(), until })
}

#[cfg(test)]
mod tests;
