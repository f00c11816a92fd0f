//! The tenants of a node: their limits, and what is counted of each.

use std::{collections::BTreeMap, sync::Arc};

use plexus_types::TenantName;

use crate::{Pace, Pool, Quota, counters::TenantCounters};

/// A tenant, as the configuration makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantOptions {
    /// Its name; unique in the node.
    pub name: TenantName,
    /// Connections of its clients.
    pub connections_max: usize,
    /// Its sessions, connected or not.
    pub sessions_max: usize,
    /// Subscriptions of all its sessions.
    pub subscriptions_max: usize,
    /// Its retained messages.
    pub retained_max: usize,
    /// Bytes of topic, payload and properties of all of them.
    pub retained_bytes_max: usize,
    /// What its clients may publish together in a time.
    pub pace: Pace,
}

impl TenantOptions {
    /// A tenant without limits of its own.
    pub const fn new(name: TenantName) -> Self {
        let free = usize::MAX;
        Self {
            name,
            connections_max: free,
            sessions_max: free,
            subscriptions_max: free,
            retained_max: free,
            retained_bytes_max: free,
            pace: Pace { messages: None, bytes: None },
        }
    }
}

/// A tenant of a running node.
#[derive(Debug)]
pub struct Tenant {
    /// What it may.
    pub options: TenantOptions,
    /// What its clients publish together, where that is limited.
    pub pool: Option<Arc<Pool>>,
    /// What is counted of it, by shard.
    counters: Vec<TenantCounters>,
}

impl Tenant {
    /// Its name.
    pub const fn name(&self) -> &TenantName {
        &self.options.name
    }

    /// What that shard counts of it.
    pub fn counters(&self, shard: u16) -> &TenantCounters {
        self.counters.get(usize::from(shard)).expect("invariant: one a shard")
    }

    /// What all shards have counted. Each counts its own, so that those that decide at the same moment may
    /// exceed a limit by one each.
    pub fn total(&self, of: impl Fn(&TenantCounters) -> u64) -> u64 {
        self.counters.iter().map(of).fold(0, u64::wrapping_add)
    }

    /// Each number with the levels under which `$SYS` shows it.
    pub fn totals(&self) -> BTreeMap<&'static str, u64> {
        let mut totals = BTreeMap::<&str, u64>::new();
        for (levels, value) in self.counters.iter().flat_map(TenantCounters::read) {
            let total = totals.entry(levels).or_default();
            *total = total.wrapping_add(value);
        }
        totals
    }
}

/// All tenants of a node.
#[derive(Debug, Default)]
pub struct Tenants(BTreeMap<TenantName, Arc<Tenant>>);

impl Tenants {
    /// These tenants, counted by so many shards.
    pub fn new(options: &[TenantOptions], shards: u16) -> Self {
        let tenants = options.iter().map(|options| {
            let counters = (0..shards).map(|_| TenantCounters::default()).collect();
            let pool = Pool::new(Quota { pace: options.pace, ..Quota::default() });
            let tenant = Tenant { options: options.clone(), pool, counters };
            (options.name.clone(), Arc::new(tenant))
        });
        Self(tenants.collect())
    }

    /// The tenant of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Tenant>> {
        self.0.get(name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Tenant>> {
        self.0.values()
    }
}
