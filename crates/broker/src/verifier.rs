//! Checks passwords off the shards: a hash that is slow for an attacker is slow for us too.

use std::sync::{
    Arc,
    mpsc::{Receiver, SyncSender},
};

use plexus_access::{Credentials, Policy};
use plexus_links::Bell;
use plexus_porch::{Clock, Fences, Who};

use crate::{ports::Ticket, reactor::Control};

/// Checks that may wait; beyond it a client is told that the server is busy.
pub(crate) const QUEUE: usize = 1_024;

/// A check to be made.
pub(crate) struct Job {
    pub(crate) shard: u16,
    pub(crate) ticket: Ticket,
    pub(crate) policy: Arc<dyn Policy>,
    pub(crate) credentials: Credentials,
}

/// The way back to each shard.
pub(crate) type Returns = Vec<(SyncSender<Control>, Bell)>;

/// Runs until every shard has dropped its sender.
pub(crate) fn run(jobs: &Receiver<Job>, returns: &Returns, fences: &Fences, clock: Clock) {
    while let Ok(job) = jobs.recv() {
        let Job { policy, credentials, .. } = &job;
        let who = Who {
            client: credentials.client_id.as_str(),
            user: credentials.user_name.as_deref(),
            peer: credentials.peer,
        };
        let verdict = match fences.ask_lockout(clock.now(), who) {
            Ok(()) => {
                let verdict = policy.verify(credentials);
                fences.note_verdict(clock.now(), who, verdict);
                verdict
            }
            Err(fence) => Err(fence.reason()),
        };
        if let Some((sender, bell)) = returns.get(usize::from(job.shard))
            && sender.send(Control::Verified(job.ticket, verdict)).is_ok()
        {
            bell.ring();
        }
    }
}
