use plexus_types::{Instant, MessageId};

use crate::{Change, Entry, Image, Sequence, parcel::seconds};

/// Subscriptions up to which the list grows by single places.
const FEW: usize = 8;
/// Entries from which on the memory for them doubles: what is read stays as it is when the session is
/// restored, and most sessions have few.
const MANY: usize = 1_024;

impl Image {
    /// Makes that change of that moment; false when the session is over.
    #[must_use]
    pub fn apply(&mut self, change: Change, at: Instant) -> bool {
        match change {
            Change::Image(image) => *self = *image,
            Change::Ended(_) => return false,
            Change::Attached(expiry, version) => {
                self.expiry = expiry;
                self.version = version;
                (self.away_since, self.unsent) = (None, None);
            }
            Change::Away => (self.away_since, self.unsent) = (Some(at), Some(self.next)),
            Change::Expiry(expiry) => self.expiry = expiry,
            Change::Subscribed(new) => {
                let held = &mut self.subscriptions;
                if let Some(known) = held.iter_mut().find(|known| known.filter == new.filter) {
                    *known = new;
                } else {
                    if held.len() < FEW {
                        held.reserve_exact(1);
                    }
                    held.push(new);
                }
            }
            Change::Unsubscribed(filter) => self.subscriptions.retain(|held| held.filter != filter),
            Change::Queued(entry, _) => {
                self.next = entry.sequence.next();
                let entries = &mut self.entries;
                if entries.len() == entries.capacity() && entries.len() < MANY {
                    entries.reserve_exact((entries.len() / 4).max(2));
                }
                entries.push_back(Entry { since: seconds(at), ..entry });
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
        true
    }

    /// What leaves a session is mostly at the front.
    fn find(&self, sequence: Sequence) -> Option<usize> {
        self.entries.iter().position(|entry| entry.sequence == sequence)
    }
}
