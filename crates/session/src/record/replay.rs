use plexus_types::{Instant, MessageId};

use crate::{Change, Entry, Image, Sequence, parcel::seconds};

impl Image {
    /// What the session is after that change, made at that moment; `None` when it is over.
    #[must_use]
    pub fn apply(mut self: Box<Self>, change: Change, at: Instant) -> Option<Box<Self>> {
        match change {
            Change::Image(image) => return Some(image),
            Change::Ended(_) => return None,
            Change::Attached(expiry, version) => {
                self.expiry = expiry;
                self.version = version;
                self.away_since = None;
            }
            Change::Away => self.away_since = Some(at),
            Change::Expiry(expiry) => self.expiry = expiry,
            Change::Subscribed(new) => {
                match self.subscriptions.iter_mut().find(|held| held.filter == new.filter) {
                    Some(held) => *held = new,
                    None => self.subscriptions.push(new),
                }
            }
            Change::Unsubscribed(filter) => self.subscriptions.retain(|held| held.filter != filter),
            Change::Queued(entry, _) => {
                self.next = entry.sequence.next();
                self.entries.push_back(Entry { since: seconds(at), ..entry });
            }
            Change::Dropped(sequence, _) | Change::Completed(sequence, _) => {
                if let Some(at) = self.find(sequence) {
                    self.entries.remove(at);
                }
            }
            Change::Received(sequence, _) => {
                let entry = self.find(sequence).and_then(|at| self.entries.get_mut(at));
                if let Some(entry) = entry {
                    entry.released = true;
                    entry.message = MessageId::NONE;
                }
            }
            Change::Accepted(id) => {
                if !self.accepted.contains(&id) {
                    self.accepted.push(id);
                }
            }
            Change::Released(id) => self.accepted.retain(|accepted| *accepted != id),
            Change::Will(will) => self.will = will,
        }
        Some(self)
    }

    /// What leaves a session is mostly at the front.
    fn find(&self, sequence: Sequence) -> Option<usize> {
        self.entries.iter().position(|entry| entry.sequence == sequence)
    }
}
