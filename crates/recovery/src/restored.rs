//! What each shard starts with.

use std::{collections::BTreeMap, fmt, sync::Arc};

use plexus_porch::Door;
use plexus_records::{Audience, Seen};
use plexus_session::Image;
use plexus_store::{Group, SegmentNumber};
use plexus_types::{Message, MessageId};
use slab::Slab;

/// A publication in the log that may not be with all who get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Where the log has it.
    pub group: Group,
    /// Who is to get it.
    pub audience: Audience,
}

/// What the log says of the clients, topics and publications of one shard.
#[derive(Default)]
pub struct Restored {
    /// The sessions, in as many parts as they come in.
    pub sessions: Vec<Slab<RestoredSession>>,
    /// The listeners that their options and rights come from.
    pub doors: Arc<Doors>,
    /// The retained messages.
    pub retained: Vec<RestoredRetained>,
    /// Publications that may not be with all who get them.
    pub open: Vec<OpenMessage>,
    /// Open publications with the groups of this shard that have them already.
    pub served: Vec<(MessageId, Arc<str>)>,
    /// Above all keys of sessions.
    pub next_key: u64,
    /// Above all names of messages.
    pub next_message: u64,
}

impl fmt::Debug for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Restored")
            .field("sessions", &self.count())
            .field("retained", &self.retained.len())
            .field("open", &self.open.len())
            .finish_non_exhaustive()
    }
}

/// Listeners by name.
pub type Doors = BTreeMap<Arc<str>, Arc<Door>>;

/// One session.
#[derive(Debug)]
pub struct RestoredSession {
    /// Its key in the log.
    pub key: u64,
    /// The name of its listener, which is among [`Restored::doors`].
    pub listener: Arc<str>,
    /// What it is; nothing if it had ended.
    pub image: Option<Image>,
    /// Open publications that it has, or has had already, or was passed over by.
    pub seen: Option<Box<Seen>>,
    /// The segment in which its records begin.
    pub anchor: SegmentNumber,
}

/// One retained message.
#[derive(Debug, Clone)]
pub struct RestoredRetained {
    /// The message.
    pub message: Arc<Message>,
    /// The segment of its record.
    pub anchor: SegmentNumber,
}

/// A publication that is routed anew.
#[derive(Debug, Clone)]
pub struct OpenMessage {
    /// The message.
    pub message: Arc<Message>,
    /// What the log knows of it.
    pub opened: Opened,
    /// Whether its topic has been written since, so that it is not to be retained again.
    pub superseded: bool,
    /// Whether the group that it is for has it.
    pub served: bool,
}

impl Restored {
    /// How many sessions there are.
    pub fn count(&self) -> usize {
        self.sessions.iter().map(Slab::len).sum()
    }

    /// How many subscriptions they have.
    pub fn subscriptions(&self) -> usize {
        let sessions = self.sessions.iter().flatten();
        let images = sessions.filter_map(|(_, session)| session.image.as_ref());
        images.map(|image| image.subscriptions.len()).sum()
    }
}
