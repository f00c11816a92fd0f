//! A store as lines: bodies first, then what refers to them, so that a reader never has to wait.

use std::io::{self, Write};

use plexus_records::{
    Audience,
    kept::{Kept, KeptOpen, KeptSession, Writer},
};
use plexus_recovery::Recovery;
use plexus_stdx::Seed;
use plexus_store::{Disk, tools::Reader};
use plexus_types::{MessageId, TopicFilter, TopicName};
use serde::Serialize;

use crate::{
    error::ExportError,
    line::{
        Counts, FORMAT, Header, Line, MessageLine, OpenLine, QueuedLine, RetainedLine, SessionLine,
        VERSION,
    },
};

/// Writes everything that a node would start with. The bodies of messages are read one by one; the
/// rest is in memory as it is in a node's.
pub fn export<D: Disk>(
    disk: D,
    written_millis: u64,
    out: &mut dyn Write,
) -> Result<Counts, ExportError> {
    let (reader, recovery) = opened(disk, Seed::new(written_millis))?;
    let identity = reader.identity();
    let mut bodies: Vec<MessageId> = recovery.references().collect();
    bodies.sort_unstable();
    bodies.dedup();
    let mut lines = Lines { out, counts: Counts::default() };
    lines.put(&Header {
        format: FORMAT.to_owned(),
        version: VERSION,
        store: Some(format!("{:032x}", identity.store)),
        created_millis: Some(identity.created_millis),
        newest_millis: Some(reader.newest_millis()),
        written_millis: Some(written_millis),
    })?;
    for id in bodies {
        lines.message(MessageLine::of(&reader.read(id)?))?;
    }
    let Kept { sessions, retained, open } = recovery.into_kept();
    for open in open {
        let topic = reader.read(open.message)?.topic;
        lines.open(open, &topic)?;
    }
    for (topic, message) in retained {
        lines.retained(&TopicName::from_checked(&topic), message)?;
    }
    for session in sessions {
        lines.session(&session)?;
    }
    let counts = lines.counts;
    lines.put(&Line::End(counts))?;
    lines.out.flush().map_err(ExportError::Write)?;
    Ok(counts)
}

/// A store as a start would find it.
pub(crate) fn opened<D: Disk>(disk: D, seed: Seed) -> Result<(Reader<D>, Recovery), ExportError> {
    let mut recovery = Recovery::new(seed);
    let mut reader = Reader::open(disk, &mut recovery)?;
    if let Err(missing) = reader.set_references(recovery.references()) {
        if reader.recovered().holes == 0 {
            return Err(missing.into());
        }
        // What a repair has lost a start goes on without, too.
        let writer = Writer::new(Seed::new(reader.identity().hash_seed));
        recovery.forget(&missing.bodies, &writer, &mut Vec::new());
        reader.set_references(recovery.references())?;
    }
    Ok((reader, recovery))
}

struct Lines<'a> {
    out: &'a mut dyn Write,
    counts: Counts,
}

impl Lines<'_> {
    fn message(&mut self, message: MessageLine) -> Result<(), ExportError> {
        self.counts.messages += 1;
        self.put(&Line::Message(message))
    }

    fn open(&mut self, open: KeptOpen, topic: &str) -> Result<(), ExportError> {
        self.counts.open += 1;
        let KeptOpen { message, audience, written, served } = open;
        let group = match audience {
            Audience::Subscribers => None,
            Audience::Group(filter) => Some(TopicFilter::shown_of(&filter).into_owned()),
        };
        let superseded = written.contains(topic);
        let served = served.iter().map(|it| TopicFilter::shown_of(it).into_owned()).collect();
        self.put(&Line::Open(OpenLine { message: message.get(), group, superseded, served }))
    }

    fn retained(&mut self, topic: &TopicName, message: MessageId) -> Result<(), ExportError> {
        self.counts.retained += 1;
        let tenant = topic.tenant().map(str::to_owned);
        let topic = topic.to_shown().as_str().to_owned();
        self.put(&Line::Retained(RetainedLine { tenant, topic, message: message.get() }))
    }

    fn session(&mut self, session: &KeptSession) -> Result<(), ExportError> {
        self.counts.sessions += 1;
        self.put(&Line::Session(SessionLine::of(session)))?;
        let client = &session.image.client_id;
        for entry in &session.image.entries {
            self.counts.queued += 1;
            self.put(&Line::Queued(QueuedLine::of(client, entry)))?;
        }
        Ok(())
    }

    fn put(&mut self, line: &impl Serialize) -> Result<(), ExportError> {
        let written = serde_json::to_writer(&mut *self.out, line).map_err(io::Error::from);
        written.and_then(|()| self.out.write_all(b"\n")).map_err(ExportError::Write)
    }
}
