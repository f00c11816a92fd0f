//! Records as tests tell them.

use plexus_records::{Audience, Record};
use plexus_session::{Change, Extras, Image, Sequence};
use plexus_types::{ClientId, MessageId, ProtocolVersion, Qos};

/// A record of a group, with the segment that it stands in.
pub type Told = (u64, u16, Record);

/// The group that messages are given back to.
pub const SHARED: &str = "$share/g/a/+";

/// The image of a session.
pub fn image(client: u64) -> Image {
    Image {
        client_id: ClientId::try_from(format!("client-{client}").as_str())
            .expect("invariant: short and plain"),
        user_name: None,
        version: ProtocolVersion::V5,
        expiry: 100,
        away_since: None,
        unsent: None,
        next: Sequence::default(),
        will: None,
        subscriptions: Vec::new(),
        accepted: Vec::new(),
        entries: [].into(),
    }
}

/// A session begins.
pub fn begun(group: u16, key: u64) -> [Told; 2] {
    let image = Change::Image(Box::new(image(key)));
    [(1, group, Record::Listener(key, "tcp".into())), (1, group, Record::Session(key, image))]
}

/// A message waits for it.
pub fn queued(group: u16, key: u64, message: u64) -> Told {
    let entry = plexus_session::Entry {
        sequence: Sequence::new(message as u32),
        message: MessageId::new(message),
        size: 10,
        since: 0,
        qos: Qos::AtLeastOnce,
        retain: false,
        released: false,
        extras: Extras::default(),
    };
    (1, group, Record::Session(key, Change::Queued(entry, None)))
}

/// A message is offered to its group again.
pub fn given_back(message: u64) -> Told {
    (1, 5, Record::Open(MessageId::new(message), Audience::Group(SHARED.into())))
}

/// A message is on its way.
pub fn opened(message: u64) -> Told {
    (1, 5, Record::Open(MessageId::new(message), Audience::Subscribers))
}

/// A topic keeps a message.
pub fn retained(message: u64, topic: &str) -> Told {
    (1, 9, Record::Retained(MessageId::new(message), topic.into()))
}
