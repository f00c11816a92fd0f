//! A new store from lines, in one pass: bodies are written as they come, and of a message only its
//! name and size is remembered.

mod bodies;
mod lines;
mod queue;

use std::{io::BufRead, sync::Arc};

use plexus_records::{
    Audience,
    kept::{KeptSession, Writer},
};
use plexus_recovery::Recovery;
use plexus_stdx::{HashMap, Seed};
use plexus_store::{Batch, ClockMap, Commit, Disk, Identity, Log, LogError, LogOptions};
use plexus_types::{ClientId, MessageId, TopicName};

use self::{bodies::Bodies, lines::Lines, queue::Queue};
use crate::{
    error::{Fault, ImportError},
    line::{Counts, Header, Line, MessageLine, OpenLine, QueuedLine, RetainedLine, SessionLine},
    message::{moment, placed, shared, tenant, topic, value},
};

/// The longest line that is read.
pub(crate) const LINE_BYTES_MAX: usize = 1 << 30;
/// Messages in the queue of one client.
pub(crate) const QUEUE_MAX: usize = 1 << 24;
/// The order of the lines.
pub(crate) const ORDER: &str =
    "message, open, retained, and then each session with its queued lines";
/// Bytes of records that are written at once.
const COMMIT_BYTES: usize = 1024 * 1024;

/// What a new store is, apart from what is put into it.
#[derive(Debug, Clone, Copy)]
pub struct NewStore {
    /// Its hash seed, and its name and age if the export tells none.
    pub identity: Identity,
    /// The time, in milliseconds since 1970.
    pub now_millis: u64,
    /// The size of a segment's file.
    pub segment_bytes: u64,
}

impl NewStore {
    /// With segments of the usual size.
    pub const fn new(identity: Identity, now_millis: u64) -> Self {
        Self {
            identity,
            now_millis,
            segment_bytes: LogOptions::new(identity, NO_MAP).segment_bytes,
        }
    }
}

/// The clock of a store counts from 1970.
const NO_MAP: ClockMap = ClockMap { unix_millis_at_zero: 0 };

/// What was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// How much of everything.
    pub counts: Counts,
    /// Messages among them that nothing refers to: the first start forgets them.
    pub unused: u64,
}

/// Writes a store into an empty folder. On an error what is there is no store.
pub fn import<D: Disk>(
    disk: D,
    new: NewStore,
    input: &mut dyn BufRead,
) -> Result<Imported, ImportError> {
    let mut lines = Lines::new(input, LINE_BYTES_MAX);
    let header = lines.header()?;
    let at = |fault| ImportError::Line { number: 1, fault };
    let mut importer = Importer::new(disk, adopted(&header, new).map_err(at)?)?;
    while let Some(line) = lines.next()? {
        let number = lines.number();
        let taken = importer.take(number, line);
        taken.map_err(|refusal| refusal.at(number))?;
    }
    if importer.end.is_none() {
        return Err(ImportError::Line { number: lines.number(), fault: Fault::CutOff });
    }
    Ok(importer.imported())
}

/// What the store is called, and a time that is not before anything in it.
fn adopted(header: &Header, new: NewStore) -> Result<NewStore, Fault> {
    let mut identity = new.identity;
    if let Some(store) = &header.store {
        let number = u128::from_str_radix(store, 16).ok().filter(|_| store.len() == 32);
        identity.store = number
            .ok_or_else(|| value("store", &store, "32 hexadecimal digits, or leave it out"))?;
    }
    for (field, millis) in
        [("created_millis", header.created_millis), ("newest_millis", header.newest_millis)]
    {
        millis.map(|millis| moment(field, millis)).transpose()?;
    }
    identity.created_millis = header.created_millis.unwrap_or(identity.created_millis);
    let now_millis = new.now_millis.max(header.newest_millis.unwrap_or(0));
    Ok(NewStore { identity, now_millis, ..new })
}

/// Why a line is not taken.
enum Refusal {
    Fault(Fault),
    Other(ImportError),
}

impl Refusal {
    fn at(self, number: u64) -> ImportError {
        match self {
            Self::Fault(fault) => ImportError::Line { number, fault },
            Self::Other(error) => error,
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<LogError> for Refusal {
    fn from(error: LogError) -> Self {
        Self::Other(error.into())
    }
}

/// The parts of a file, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Messages,
    Open,
    Retained,
    Sessions,
    End,
}

impl Part {
    const fn name(self) -> &'static str {
        match self {
            Self::Messages => "message",
            Self::Open => "open",
            Self::Retained => "retained",
            Self::Sessions => "session",
            Self::End => "end",
        }
    }
}

struct Importer<D: Disk> {
    log: Log<D>,
    batch: Batch,
    writer: Writer,
    now_millis: u64,
    part: Part,
    counts: Counts,
    bodies: Bodies,
    /// Open publications with the lines that name them.
    opened: HashMap<u64, u64>,
    /// Those that are not to stand before the retained messages, or these would supersede them.
    current: Vec<(TopicName, OpenMessage)>,
    topics: HashMap<Box<str>, u64>,
    clients: HashMap<ClientId, u64>,
    session: Option<(KeptSession, Queue)>,
    end: Option<Counts>,
}

/// A publication that a start of the new store routes.
struct OpenMessage {
    id: MessageId,
    audience: Audience,
    served: Vec<Arc<str>>,
}

impl<D: Disk> Importer<D> {
    fn new(disk: D, new: NewStore) -> Result<Self, ImportError> {
        let NewStore { identity, now_millis, segment_bytes } = new;
        let seed = Seed::new(identity.hash_seed);
        let options = LogOptions { segment_bytes, ..LogOptions::new(identity, NO_MAP) };
        let mut log = Log::open(disk, options, &mut Recovery::new(seed))?;
        log.set_references(std::iter::empty()).expect("invariant: nothing refers to anything yet");
        Ok(Self {
            log,
            batch: Batch::new(),
            writer: Writer::new(seed),
            now_millis,
            part: Part::Messages,
            counts: Counts::default(),
            bodies: Bodies::default(),
            opened: seed.derive(1).map(),
            current: Vec::new(),
            topics: seed.derive(2).map(),
            clients: seed.derive(3).map(),
            session: None,
            end: None,
        })
    }

    fn take(&mut self, number: u64, line: Line) -> Result<(), Refusal> {
        if self.end.is_some() {
            return Err(Fault::BehindEnd.into());
        }
        match line {
            Line::Message(line) => self.message(line),
            Line::Open(line) => self.open(number, line),
            Line::Retained(line) => self.retained(number, line),
            Line::Session(line) => self.begin_session(number, line),
            Line::Queued(line) => self.queued(line),
            Line::End(told) => self.finish(told),
        }
    }

    /// A line of that part has come: what the parts before it have left is written.
    fn enter(&mut self, part: Part) -> Result<(), Refusal> {
        if part < self.part {
            return Err(Fault::Order { found: part.name(), after: self.part.name() }.into());
        }
        if self.part == Part::Messages && part > self.part {
            // Topics are looked up in the log from here on.
            self.commit(Commit::Written)?;
        }
        if part > Part::Retained {
            for (topic, open) in std::mem::take(&mut self.current) {
                self.write_open(&topic, open);
            }
        }
        self.part = part;
        Ok(())
    }

    fn message(&mut self, line: MessageLine) -> Result<(), Refusal> {
        self.enter(Part::Messages)?;
        let message = line.read()?;
        self.bodies.add(message.id.get(), message.size() as u32)?;
        self.counts.messages += 1;
        self.batch.hold(&Arc::new(message));
        self.commit_some()
    }

    fn open(&mut self, number: u64, line: OpenLine) -> Result<(), Refusal> {
        self.enter(Part::Open)?;
        let OpenLine { message, group, superseded, served } = line;
        let topic = self.topic_of(message)?;
        let tenant = tenant(topic.tenant())?;
        let tenant = tenant.as_ref();
        self.opened.entry(message).or_insert(number); // It may be open for several groups.
        let audience = match group {
            None => Audience::Subscribers,
            Some(group) => Audience::Group(shared("group", tenant, &group)?),
        };
        let served = served.iter().map(|filter| shared("served", tenant, filter));
        let served = served.collect::<Result<_, _>>()?;
        let open = OpenMessage { id: MessageId::new(message), audience, served };
        if superseded {
            self.write_open(&topic, open);
            self.writer.deleted(&mut self.batch, &topic);
        } else {
            self.current.push((topic, open));
        }
        self.counts.open += 1;
        self.commit_some()
    }

    fn write_open(&mut self, topic: &TopicName, open: OpenMessage) {
        let OpenMessage { id, audience, served } = open;
        self.writer.open(&mut self.batch, topic, id, audience);
        for filter in served {
            self.writer.taken(&mut self.batch, topic, id, filter);
        }
    }

    fn retained(&mut self, number: u64, line: RetainedLine) -> Result<(), Refusal> {
        self.enter(Part::Retained)?;
        let RetainedLine { tenant: of, topic: name, message } = line;
        let name = placed(tenant(of.as_deref())?.as_ref(), &topic("topic", &name)?);
        let stored = self.stored(message)?;
        if stored.topic != name {
            let topic = stored.topic.to_shown().as_str().to_owned();
            return Err(Fault::OtherTopic { message, topic }.into());
        }
        if stored.payload.is_empty() {
            return Err(Fault::Deletes(message).into());
        }
        if let Some(first) = self.topics.insert(name.as_str().into(), number) {
            let what = format!("the retained message of \"{}\"", name.to_shown());
            return Err(Fault::Twice { what, first }.into());
        }
        self.writer.retained(&mut self.batch, &name, MessageId::new(message));
        self.counts.retained += 1;
        self.commit_some()
    }

    fn begin_session(&mut self, number: u64, line: SessionLine) -> Result<(), Refusal> {
        self.enter(Part::Sessions)?;
        self.end_session()?;
        let session = line.read()?;
        let client = session.image.client_id.clone();
        if let Some(first) = self.clients.insert(client.clone(), number) {
            let what = format!("client \"{}\"", client.shown());
            return Err(Fault::Twice { what, first }.into());
        }
        if let Some(id) = session.seen.iter().find(|id| !self.opened.contains_key(&id.get())) {
            return Err(value("seen", &id.get(), "messages that have an `open` line").into());
        }
        let queue = Queue::new(session.image.next);
        self.session = Some((session, queue));
        self.counts.sessions += 1;
        Ok(())
    }

    fn queued(&mut self, line: QueuedLine) -> Result<(), Refusal> {
        self.enter(Part::Sessions)?;
        let own = |(session, _): &&mut (KeptSession, Queue)| {
            session.image.client_id.shown() == line.client
        };
        let Some((session, queue)) = self.session.as_mut().filter(own) else {
            return Err(Fault::Stranger { client: line.client }.into());
        };
        let bodies = &mut self.bodies;
        let tenant = session.image.client_id.tenant();
        let entry = line.read(tenant.as_ref(), |id| bodies.refer(id))?;
        queue.follow(entry.sequence)?;
        if session.image.entries.len() >= QUEUE_MAX {
            return Err(Fault::Queue.into());
        }
        session.image.entries.push_back(entry);
        self.counts.queued += 1;
        Ok(())
    }

    fn end_session(&mut self) -> Result<(), Refusal> {
        let Some((session, queue)) = self.session.take() else { return Ok(()) };
        queue.end()?;
        self.writer.session(&mut self.batch, session);
        self.commit_some()
    }

    fn finish(&mut self, told: Counts) -> Result<(), Refusal> {
        self.end_session()?;
        self.enter(Part::End)?;
        let found = self.counts;
        for (what, found, told) in [
            ("messages", found.messages, told.messages),
            ("open publications", found.open, told.open),
            ("retained messages", found.retained, told.retained),
            ("sessions", found.sessions, told.sessions),
            ("queued messages", found.queued, told.queued),
        ] {
            if found != told {
                return Err(Fault::Count { what, found, told }.into());
            }
        }
        self.commit(Commit::Synced)?;
        self.close()?;
        self.end = Some(told);
        Ok(())
    }

    fn stored(&mut self, message: u64) -> Result<plexus_store::StoredMessage, Refusal> {
        self.bodies.refer(message).ok_or(Fault::Missing(message))?;
        Ok(self.log.read(MessageId::new(message))?)
    }

    fn topic_of(&mut self, message: u64) -> Result<TopicName, Refusal> {
        // Of its own bytes: the rest of the message is not kept in memory.
        Ok(self.stored(message)?.topic.detached())
    }

    fn commit_some(&mut self) -> Result<(), Refusal> {
        if self.batch.bytes() >= COMMIT_BYTES { self.commit(Commit::Written) } else { Ok(()) }
    }

    fn commit(&mut self, mode: Commit) -> Result<(), Refusal> {
        self.batch.mode(mode);
        self.log.commit(self.now_millis, &[&self.batch])?;
        self.batch.clear();
        Ok(())
    }

    /// Everything may be in one commit: damage to it must not pass for what was never kept. A full disk
    /// has all that counts.
    fn close(&mut self) -> Result<(), Refusal> {
        match self.log.close(self.now_millis) {
            Ok(()) | Err(LogError::Full { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn imported(&self) -> Imported {
        Imported { counts: self.counts, unused: self.bodies.unused() }
    }
}
