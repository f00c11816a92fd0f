//! What the living state would take in the log if it were written anew, about: the log cleans by it.

use plexus_session::{Change, Session};

/// The image of a session apart from what it holds.
const SESSION_BYTES: u32 = 64;
/// A message that is under way or waits, in an image.
const ENTRY_BYTES: u32 = 24;
/// A retained topic's record apart from its name.
const TOPIC_BYTES: i64 = 8;

/// What the log has been told of one session.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::shard) struct Weight {
    bytes: u32,
    entries: u32,
}

impl Weight {
    /// By how much a change makes the session's image larger; the session has made it already.
    pub(super) fn note(&mut self, change: &Change, session: &Session) -> i64 {
        match change {
            Change::Image(image) => self.entries = image.entries.len() as u32,
            Change::Queued(..) => self.entries += 1,
            Change::Dropped(..) | Change::Completed(..) => {
                self.entries = self.entries.saturating_sub(1);
            }
            Change::Attached(..)
            | Change::Away
            | Change::Expiry(_)
            | Change::Subscribed(_)
            | Change::Unsubscribed(_)
            | Change::Received(..)
            | Change::Accepted(_)
            | Change::Released(_)
            | Change::Will(_)
            | Change::Ended(_) => {}
        }
        let bytes = if matches!(change, Change::Ended(_)) { 0 } else { self.of(session) };
        i64::from(bytes) - i64::from(std::mem::replace(&mut self.bytes, bytes))
    }

    /// The same for a session from the log, of which the log has been told nothing yet.
    pub(super) fn restore(&mut self, entries: usize, session: &Session) -> i64 {
        self.entries = entries as u32;
        self.bytes = self.of(session);
        i64::from(self.bytes)
    }

    fn of(self, session: &Session) -> u32 {
        let subscriptions = session.subscription_bytes() as u32;
        SESSION_BYTES + subscriptions + self.entries.saturating_mul(ENTRY_BYTES)
    }
}

/// What a retained topic takes.
pub(super) fn of_topic(topic: &str) -> i64 {
    i64::try_from(topic.len()).unwrap_or(i64::MAX / 2) + TOPIC_BYTES
}
