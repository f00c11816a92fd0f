//! Sessions whose end the log has still to keep: CONNACK without Session Present promises that there is
//! none.

use std::collections::VecDeque;

use plexus_session::LogPosition;
use plexus_types::ClientId;

/// In the order of their ends. Few: those of the commits that are under way.
#[derive(Debug, Default)]
pub(in crate::shard) struct EndedSessions(VecDeque<(LogPosition, ClientId)>);

impl EndedSessions {
    pub(super) fn add(&mut self, client_id: ClientId, position: LogPosition) {
        self.0.push_back((position, client_id));
    }

    /// Up to where the log must be kept before the client has no session.
    pub(in crate::shard) fn position_of(&self, client_id: &ClientId) -> Option<LogPosition> {
        self.0.iter().rev().find(|(_, ended)| ended == client_id).map(|(position, _)| *position)
    }

    pub(super) fn forget(&mut self, kept: LogPosition) {
        while self.0.front().is_some_and(|(position, _)| *position <= kept) {
            self.0.pop_front();
        }
    }
}
