//! What a shard holds, counted: for tests that want to know whether anything stays behind.

use plexus_session::Session;
use plexus_types::{ClientId, TenantName};

use super::{Occupant, Shard};
use crate::ports::ConnId;

/// Everything that a shard keeps of clients, alive or gone. All zero after the last has left and
/// every deadline has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// Connections that somebody uses.
    pub connections: usize,
    /// Sessions, connected or not.
    pub sessions: usize,
    /// Subscriptions in the index.
    pub subscriptions: usize,
    /// Shared groups that this shard owns.
    pub groups: usize,
    /// Memberships of those groups.
    pub members: usize,
    /// Beginnings of topics in which any shard is interested.
    pub interests: usize,
    /// Retained messages.
    pub retained: usize,
    /// Deadlines of retained messages.
    pub retained_deadlines: usize,
    /// Walks over retained messages that are not finished.
    pub walks: usize,
    /// Clients that wait for retained messages.
    pub replays: usize,
    /// Wills that somebody elsewhere is asked about.
    pub wills: usize,
    /// Answers that wait for other shards.
    pub awaiting: usize,
    /// Deadlines of clients.
    pub deadlines: usize,
    /// Effects and work that were left undone.
    pub undone: usize,
}

impl Shard {
    /// Counts what is there.
    pub fn census(&self) -> Census {
        let in_use = |occupant: &&Occupant| !matches!(occupant, Occupant::Nobody);
        Census {
            connections: self.occupants.0.iter().filter(in_use).count(),
            sessions: self.clients.len(),
            subscriptions: self.index.subscriptions(),
            groups: self.groups.groups(),
            members: self.groups.members(),
            interests: self.interest.len(),
            retained: self.retained.len(),
            retained_deadlines: self.retained.deadlines(),
            walks: self.cursors.len(),
            replays: self.clients.replaying(),
            wills: self.wills.len(),
            awaiting: self.awaiting.len(),
            deadlines: self.timers.len(),
            undone: self.work.len() + usize::from(self.outbox.has_more()),
        }
    }

    /// The connection of a client of this shard.
    pub fn connection_of(&self, client: &ClientId) -> Option<ConnId> {
        self.clients.get(self.clients.find(client)?)?.conn
    }

    /// The connections of all clients that call themselves so, of that tenant, or of any where it is not known
    /// yet whose client it is.
    pub fn connections_of(&self, client: &ClientId, tenant: Option<&TenantName>) -> Vec<ConnId> {
        if let Some(tenant) = tenant {
            return self.connection_of(&tenant.client(client)).into_iter().collect();
        }
        let tenants = self.context.tenants.iter();
        let theirs = tenants.filter_map(|it| self.connection_of(&it.name().client(client)));
        self.connection_of(client).into_iter().chain(theirs).collect()
    }

    /// The session of a client of this shard, with a number that no later session of its slot has.
    pub fn session(&self, client: &ClientId) -> Option<(u32, &Session)> {
        let slot = self.clients.find(client)?;
        self.clients.get(slot).map(|found| (found.serial, &found.session))
    }
}
