use std::sync::Arc;

use bytes::Bytes;
use plexus_stdx::varint::Cursor;
use plexus_types::{
    ClientId, Durability, Instant, Message, MessageId, MessageProperties, PacketId,
    ProtocolVersion, Qos, Text, TopicFilter, TopicName,
};
use plexus_wire::{RetainHandling, SubscriptionOptions};
use smallvec::SmallVec;

use super::{Given, IDS, RETAIN, SHARED};
use crate::{Change, Entry, Extras, Held, Image, Sequence, WillImage};

/// Why bytes are no record. The log's checksums make sure that they are what was written, so this
/// is another version's record, or a fault of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The record ends within a field.
    #[error("the record ends early")]
    Short,
    /// Bytes behind the last field.
    #[error("{0} bytes are left behind the record")]
    Long(usize),
    /// A kind that this version does not know.
    #[error("record kind {0:#04x} is unknown; it is of a newer version")]
    Kind(u8),
    /// A field with a value that it cannot have.
    #[error("the {0} cannot be read")]
    Field(&'static str),
}

type Read<T> = Result<T, RecordError>;

const QUEUED: u8 = 0x07;
/// Elements of a list that room is made for at once.
const RESERVED_MAX: usize = 1_024;

pub(super) fn change(record: &[u8]) -> Read<Change> {
    let mut reader = Reader(Cursor::new(record));
    let change = match reader.byte()? {
        0x01 => Change::Image(Box::new(reader.image()?)),
        0x02 => Change::Attached(reader.small()?, reader.version()?),
        0x03 => Change::Away,
        0x04 => Change::Expiry(reader.small()?),
        0x05 => Change::Subscribed(reader.held()?),
        0x06 => Change::Unsubscribed(reader.filter()?),
        QUEUED => Change::Queued(reader.entry()?, None),
        0x08 => Change::Dropped(reader.sequence()?, MessageId::NONE),
        0x09 => Change::Received(reader.sequence()?, MessageId::NONE),
        0x0a => Change::Completed(reader.sequence()?, MessageId::NONE),
        0x0b => Change::Accepted(reader.packet_id()?),
        0x0c => Change::Released(reader.packet_id()?),
        0x0d => Change::Will(reader.will()?),
        0x0e => Change::Ended(Vec::new()),
        kind => return Err(RecordError::Kind(kind)),
    };
    match reader.0.rest().len() {
        0 => Ok(change),
        left => Err(RecordError::Long(left)),
    }
}

pub(super) fn queued(record: &[u8]) -> Option<Given<'_>> {
    let mut reader = Reader(Cursor::new(record));
    if reader.byte().ok()? != QUEUED {
        return None;
    }
    reader.sequence().ok()?;
    let message = reader.message_id().ok()?;
    reader.small().ok()?;
    let bits = reader.byte().ok()?;
    if bits & IDS != 0 {
        for _ in 0..reader.number().ok()? {
            reader.small().ok()?;
        }
    }
    let group = if bits & SHARED == 0 { None } else { Some(reader.bytes().ok()?) };
    let group = group.map(std::str::from_utf8).transpose().ok()?;
    Some(Given { message, retain: bits & RETAIN != 0, group })
}

struct Reader<'a>(Cursor<'a>);

impl<'a> Reader<'a> {
    fn image(&mut self) -> Read<Image> {
        Ok(Image {
            client_id: self.client_id()?,
            user_name: self.optional(|reader| Ok(Box::from(reader.text()?.as_str())))?,
            version: self.version()?,
            expiry: self.small()?,
            away_since: self.optional(|reader| Ok(Instant::from_millis(reader.number()?)))?,
            unsent: self.optional(Self::sequence)?,
            next: self.sequence()?,
            will: self.will()?,
            subscriptions: self.list(Self::held)?,
            accepted: self.list(Self::packet_id)?,
            entries: self.entries()?.into(),
        })
    }

    fn held(&mut self) -> Read<Held> {
        const FIELD: RecordError = RecordError::Field("subscription options");
        let filter = self.filter()?;
        let bits = self.byte()?;
        let options = SubscriptionOptions {
            qos: Qos::new(bits & 0b11).ok_or(FIELD)?,
            no_local: bits & 0b100 != 0,
            retain_as_published: bits & 0b1000 != 0,
            retain_handling: match bits >> 4 {
                0 => RetainHandling::Always,
                1 => RetainHandling::IfNew,
                2 => RetainHandling::Never,
                _ => return Err(FIELD),
            },
        };
        let id = Some(self.small()?).filter(|id| *id > 0);
        Ok(Held { filter, options, id })
    }

    fn entries(&mut self) -> Read<Vec<Entry>> {
        let mut since = 0_u32;
        let mut entries = self.list(|reader| {
            let step = reader.small()?;
            Ok(Entry { since: step, ..reader.entry()? })
        })?;
        for entry in &mut entries {
            since = since.wrapping_add(entry.since);
            entry.since = since;
        }
        Ok(entries)
    }

    fn entry(&mut self) -> Read<Entry> {
        let sequence = self.sequence()?;
        let message = self.message_id()?;
        let size = self.small()?;
        let bits = self.byte()?;
        let qos = Qos::new(bits & 0b11).ok_or(RecordError::Field("quality of service"))?;
        let count = if bits & IDS == 0 { 0 } else { self.number()? };
        let subscription_ids: SmallVec<[u32; 2]> =
            (0..count).map(|_| self.small()).collect::<Read<_>>()?;
        let shared = if bits & SHARED == 0 { None } else { Some(Arc::from(self.node_text()?)) };
        let extras = Extras::new(&subscription_ids, shared);
        let (retain, released) = (bits & RETAIN != 0, bits & 0b1000 != 0);
        let since = 0;
        Ok(Entry { sequence, message, size, since, qos, retain, released, extras })
    }

    fn will(&mut self) -> Read<Option<Box<WillImage>>> {
        self.optional(|reader| {
            let topic = TopicName::new(reader.text()?).map_err(|_| RecordError::Field("topic"))?;
            let payload = Bytes::copy_from_slice(reader.bytes()?);
            let bits = reader.byte()?;
            let properties = Bytes::copy_from_slice(reader.bytes()?);
            let delay = reader.small()?;
            let lifetime = reader.optional(Self::small)?;
            let message = Message {
                id: MessageId::NONE,
                topic,
                payload,
                qos: Qos::new(bits & 0b11).ok_or(RecordError::Field("quality of service"))?,
                retain: bits & 0b100 != 0,
                properties: MessageProperties::from_checked(properties),
                expires: None,
                durability: Durability::default(),
                publisher: reader.client_id()?,
            };
            Ok(Box::new(WillImage { message, delay, lifetime }))
        })
    }

    fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<Option<T>> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(RecordError::Field("presence of a field")),
        }
    }

    fn list<T>(&mut self, read: impl Fn(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let length = self.number()?;
        // A length that lies gives no memory: what is longer grows as it is read.
        let known = usize::try_from(length).map_or(RESERVED_MAX, |length| length.min(RESERVED_MAX));
        let mut list = Vec::with_capacity(known);
        for _ in 0..length {
            list.push(read(self)?);
        }
        Ok(list)
    }

    fn client_id(&mut self) -> Read<ClientId> {
        ClientId::from_node(self.node_text()?).map_err(|_| RecordError::Field("text"))
    }

    fn filter(&mut self) -> Read<TopicFilter> {
        TopicFilter::new(self.text()?).map_err(|_| RecordError::Field("filter"))
    }

    fn version(&mut self) -> Read<ProtocolVersion> {
        match self.byte()? {
            3 => Ok(ProtocolVersion::V31),
            4 => Ok(ProtocolVersion::V311),
            5 => Ok(ProtocolVersion::V5),
            _ => Err(RecordError::Field("protocol version")),
        }
    }

    fn sequence(&mut self) -> Read<Sequence> {
        self.small().map(Sequence::new)
    }

    fn message_id(&mut self) -> Read<MessageId> {
        self.number().map(MessageId::new)
    }

    fn packet_id(&mut self) -> Read<PacketId> {
        let number = u16::try_from(self.number()?).ok();
        number.and_then(PacketId::new).ok_or(RecordError::Field("packet identifier"))
    }

    /// A name that the node has made, perhaps of a tenant.
    fn node_text(&mut self) -> Read<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| RecordError::Field("text"))
    }

    fn text(&mut self) -> Read<Text> {
        let bytes = Bytes::copy_from_slice(self.bytes()?);
        Text::new(bytes).map_err(|_| RecordError::Field("text"))
    }

    fn bytes(&mut self) -> Read<&'a [u8]> {
        let length = usize::try_from(self.number()?).map_err(|_| RecordError::Short)?;
        self.0.take(length).ok_or(RecordError::Short)
    }

    fn small(&mut self) -> Read<u32> {
        u32::try_from(self.number()?).map_err(|_| RecordError::Field("number"))
    }

    fn number(&mut self) -> Read<u64> {
        if self.0.rest().is_empty() {
            return Err(RecordError::Short);
        }
        self.0.varint().ok_or(RecordError::Field("number"))
    }

    fn byte(&mut self) -> Read<u8> {
        self.0.byte().ok_or(RecordError::Short)
    }
}
