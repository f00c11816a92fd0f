use plexus_session::Sequence;

use crate::error::Fault;

/// Checks that places follow each other; their numbers come round.
#[derive(Debug, Clone, Copy)]
pub(super) struct Queue {
    /// The first place and the last.
    places: Option<(Sequence, Sequence)>,
    next: Sequence,
}

impl Queue {
    pub(super) const fn new(next: Sequence) -> Self {
        Self { places: None, next }
    }

    pub(super) fn follow(&mut self, place: Sequence) -> Result<(), Fault> {
        let first = match self.places {
            Some((first, last)) if place.behind(first) <= last.behind(first) => {
                return Err(Fault::Sequence { sequence: place.get(), last: last.get() });
            }
            Some((first, _)) => first,
            None => place,
        };
        self.places = Some((first, place));
        Ok(())
    }

    pub(super) fn end(self) -> Result<(), Fault> {
        match self.places {
            Some((first, last)) if self.next.behind(first) <= last.behind(first) => {
                Err(Fault::Sequence { sequence: self.next.get(), last: last.get() })
            }
            Some(_) | None => Ok(()),
        }
    }
}
