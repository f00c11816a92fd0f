//! Reading messages: what lies close together is read with one call.

use bytes::Bytes;
use plexus_types::MessageId;

use super::Log;
use crate::{Disk, LogError, StoredMessage, bodies::Place, disk::read_whole};

/// Bytes that are read at once, unless one message is larger.
const RUN_BYTES: u64 = 256 * 1024;
/// Bytes between two messages that are cheaper to read than another call is.
const GAP_BYTES: u64 = 4 * 1024;

impl<D: Disk> Log<D> {
    /// What was stored of a message.
    pub fn read(&self, body: MessageId) -> Result<StoredMessage, LogError> {
        let place = self.place(body)?;
        let mut content = vec![0; place.bytes as usize];
        self.read_content(place, &mut content)?;
        decode(body, place, &Bytes::from(content))
    }

    /// What was stored of some messages, in their order. Fails when any cannot be read.
    pub fn read_all(&self, bodies: &[MessageId]) -> Result<Vec<StoredMessage>, LogError> {
        let places = bodies.iter().map(|body| self.place(*body)).collect::<Result<Vec<_>, _>>()?;
        let (mut messages, mut run) = (Vec::with_capacity(bodies.len()), Vec::new());
        let mut rest = bodies.iter().zip(&places).peekable();
        while let Some((_, first)) = rest.peek() {
            let count = places.get(messages.len()..).map_or(1, run_length);
            let last = places.get(messages.len() + count - 1).unwrap_or(first);
            let bytes = u64::from(last.at) + u64::from(last.bytes) - u64::from(first.at);
            let begin = Place { bytes: bytes as u32, ..**first };
            run.resize(bytes as usize, 0);
            self.read_content(begin, &mut run)?;
            for (body, place) in rest.by_ref().take(count) {
                let at = (place.at - begin.at) as usize;
                let content = run.get(at..at + place.bytes as usize).unwrap_or_default();
                // Of its own: a message that is kept does not keep the others.
                messages.push(decode(*body, *place, &Bytes::copy_from_slice(content))?);
            }
        }
        Ok(messages)
    }

    fn place(&self, body: MessageId) -> Result<Place, LogError> {
        self.bodies.place(body).ok_or(LogError::Missing { body })
    }

    pub(super) fn read_content(&self, place: Place, into: &mut [u8]) -> Result<(), LogError> {
        let lost = |what| {
            let (file, offset) = (place.segment.file_name(), u64::from(place.at));
            LogError::Damaged { file, offset, what }
        };
        let segment = self.segment(place.segment).ok_or_else(|| lost("the segment is gone"))?;
        let read = read_whole(&self.disk, &segment.file, u64::from(place.at), into)
            .map_err(|error| self.io(place.segment, "read", error))?;
        if read < into.len() {
            return Err(lost("the file ends within a message"));
        }
        Ok(())
    }
}

fn decode(body: MessageId, place: Place, content: &Bytes) -> Result<StoredMessage, LogError> {
    StoredMessage::decode(body, content).map_err(|what| {
        let file = place.segment.file_name();
        LogError::Damaged { file, offset: u64::from(place.at), what }
    })
}

/// How many of the places, from the first on, one call reads: those that follow each other closely.
fn run_length(places: &[Place]) -> usize {
    let Some(first) = places.first() else { return 0 };
    let begin = u64::from(first.at);
    let mut end = begin + u64::from(first.bytes);
    let follows = |place: &&Place| {
        let (at, bytes) = (u64::from(place.at), u64::from(place.bytes));
        let is_close = place.segment == first.segment && at >= end && at - end <= GAP_BYTES;
        end = at + bytes;
        is_close && end - begin <= RUN_BYTES
    };
    1 + places.iter().skip(1).take_while(follows).count()
}
