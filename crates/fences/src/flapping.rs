use std::time::Duration;

use plexus_stdx::Seed;
use plexus_types::Instant;

use crate::{Bucket, Place, Rate, ledger::Ledger};

/// When a client flaps, and for how long it is kept out then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlappingOptions {
    /// How often it may come.
    pub connects: Rate,
    /// How long it stays out.
    pub ban: Duration,
    /// Clients that are remembered.
    pub clients_max: usize,
}

/// How often one client has come.
#[derive(Debug, Clone, Copy)]
struct Visits {
    left: Bucket,
    banned_until: Instant,
}

/// Clients that connect again and again. One is its identifier together with its place: who uses the same
/// identifier elsewhere, and who else comes from there, is not meant.
#[derive(Debug)]
pub struct Flapping {
    options: FlappingOptions,
    seed: Seed,
    clients: Ledger<Visits>,
}

impl Flapping {
    /// Nobody has come yet.
    pub fn new(options: FlappingOptions, seed: Seed) -> Self {
        Self { options, seed, clients: Ledger::new(options.clients_max, seed) }
    }

    /// Until when the client is kept out, if it is.
    pub fn banned_until(
        &self,
        now: Instant,
        client: &str,
        place: Option<Place>,
    ) -> Option<Instant> {
        let visits = self.clients.get(self.seed.hash(&(client, place)))?;
        (visits.banned_until > now).then_some(visits.banned_until)
    }

    /// The client, which is who it says, connects; until when it is kept out if that was once too often.
    pub fn note_connect(
        &mut self,
        now: Instant,
        client: &str,
        place: Option<Place>,
    ) -> Option<Instant> {
        let name = self.seed.hash(&(client, place));
        let fresh = Visits { left: Bucket::default(), banned_until: Instant::ZERO };
        let mut visits = self.clients.get(name).copied().unwrap_or(fresh);
        if visits.left.admit(self.options.connects, now) {
            self.clients.put(now, name, now, visits);
            return None;
        }
        let banned_until = now + self.options.ban;
        // It begins anew when that is over.
        let visits = Visits { left: Bucket::default(), banned_until };
        self.clients.put(now, name, banned_until, visits);
        Some(banned_until)
    }
}

#[cfg(test)]
mod tests;
