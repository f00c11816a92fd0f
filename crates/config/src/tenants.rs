//! The tenants of the file, as a node takes them.

use std::{collections::BTreeMap, sync::Arc};

use plexus_broker::{Pace, TenantOptions};
use plexus_types::TenantName;

use crate::{
    load::Config,
    report::Diagnostic,
    settings::TenantSettings,
    value::{ByteSize, RateText, TenantText},
};

/// Each has numbers of its own under `$SYS`, and counters on every shard.
const TENANTS_MAX: usize = 1_000;
const SERVER_NAMES_MAX: usize = 100;

impl Config {
    pub(crate) fn tenants(&self) -> Vec<TenantOptions> {
        self.settings.access.tenant.iter().map(tenant).collect()
    }

    /// The tenants by the server names that clients ask for.
    pub(crate) fn server_names(&self) -> Arc<BTreeMap<String, TenantName>> {
        let tenants = self.settings.access.tenant.iter();
        let names = tenants.flat_map(|tenant| {
            let lower = tenant.server_names.iter().map(|name| name.to_ascii_lowercase());
            lower.map(|name| (name, tenant.name.get().clone()))
        });
        Arc::new(names.collect())
    }

    /// The mistakes in them that their types let pass.
    pub(crate) fn mistakes_in_tenants(&self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        let tenants = &self.settings.access.tenant;
        if tenants.len() > TENANTS_MAX {
            let message = format!("{} tenants", tenants.len());
            let help = format!("use at most {TENANTS_MAX} on one node");
            found.push(self.mistake(&["access", "tenant"], message).with_help(help));
        }
        for (index, tenant) in tenants.iter().enumerate() {
            let number = index.to_string();
            let mut add = |key: &str, message: String, help: &str| {
                let path = ["access", "tenant", &number, key];
                found.push(self.mistake(&path, message).with_help(help));
            };
            let mut before = tenants.iter().take(index);
            if before.any(|other| other.name == tenant.name) {
                add("name", format!("a second tenant `{}`", tenant.name), "use another name");
            }
            if tenant.server_names.len() > SERVER_NAMES_MAX {
                let message = format!("{} server names", tenant.server_names.len());
                add("server_names", message, "use at most 100");
            }
            for (at, name) in tenant.server_names.iter().enumerate() {
                let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
                if name.is_empty() || name.len() > 253 || !name.chars().all(is_name) {
                    let message = format!("`{name}` is no server name");
                    add("server_names", message, "write a DNS name such as \"acme.example.com\"");
                }
                let mine = tenant.server_names.iter().take(at);
                let earlier = tenants.iter().take(index).flat_map(|other| &other.server_names);
                if mine.chain(earlier).any(|other| other.eq_ignore_ascii_case(name)) {
                    let message = format!("a second time the server name `{name}`");
                    add("server_names", message, "one server name asks for one tenant");
                }
            }
        }
        found.extend(self.mistakes_about_tenants());
        found
    }

    /// Tenants that rules, bans and listeners speak of and that there are not.
    fn mistakes_about_tenants(&self) -> Vec<Diagnostic> {
        let access = &self.settings.access;
        let of_rules = access.rule.iter().map(|rule| &rule.tenant).enumerate();
        let of_bans = access.ban.iter().map(|ban| &ban.tenant).enumerate();
        let listeners = self.settings.listener.iter().enumerate();
        let listeners = listeners.map(|(index, listener)| (self.number(index), &listener.tenant));
        let said = of_rules
            .map(|(at, tenant)| (vec!["access", "rule"], at, tenant))
            .chain(of_bans.map(|(at, tenant)| (vec!["access", "ban"], at, tenant)))
            .chain(listeners.map(|(at, tenant)| (vec!["listener"], at, tenant)));
        let known = |name: &TenantText| access.tenant.iter().any(|tenant| tenant.name == *name);
        let mut found = Vec::new();
        for (mut path, at, tenant) in said {
            let Some(name) = tenant.as_ref().filter(|name| !known(name)) else { continue };
            let at = at.to_string();
            path.extend([at.as_str(), "tenant"]);
            let message = format!("no tenant is called `{name}`");
            let help = format!("add [[access.tenant]] with name = \"{name}\"");
            found.push(self.mistake(&path, message).with_help(help));
        }
        for (index, ban) in access.ban.iter().enumerate() {
            if ban.network.is_some() && ban.tenant.is_some() {
                let path = ["access", "ban", &index.to_string(), "tenant"];
                let help = "leave it out: a network is banned from the whole node";
                found.push(self.mistake(&path, "a network is no tenant's").with_help(help));
            }
        }
        found
    }
}

fn tenant(settings: &TenantSettings) -> TenantOptions {
    let most = |number: Option<u32>| number.map_or(usize::MAX, |number| number as usize);
    TenantOptions {
        connections_max: most(settings.max_connections),
        sessions_max: most(settings.max_sessions),
        subscriptions_max: most(settings.max_subscriptions),
        retained_max: most(settings.max_retained_messages),
        retained_bytes_max: settings.max_retained_bytes.map_or(usize::MAX, ByteSize::as_usize),
        pace: Pace {
            messages: settings.max_total_message_rate.and_then(RateText::get),
            bytes: settings.max_total_byte_rate.and_then(RateText::get),
        },
        ..TenantOptions::new(settings.name.get().clone())
    }
}

#[cfg(test)]
mod tests;
