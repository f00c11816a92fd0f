//! Sessions and their queues as lines.

use plexus_records::kept::KeptSession;
use plexus_session::{Entry, Extras, Held, Image, Sequence};
use plexus_stdx::Seed;
use plexus_types::{ClientId, MessageId, PacketId, ProtocolVersion, Qos, TenantName, TopicFilter};
use plexus_wire::{RetainHandling, SubscriptionOptions};

use crate::{
    error::Fault,
    line::{QueuedLine, SessionLine, SubscriptionLine, WillLine},
    message::{filter, moment, named, qos, shared, tenant, text, value},
};

/// The largest Subscription Identifier.
const SUBSCRIPTION_ID_MAX: u32 = 268_435_455;

impl SessionLine {
    pub(crate) fn of(session: &KeptSession) -> Self {
        let KeptSession { listener, image, seen } = session;
        Self {
            tenant: image.client_id.tenant().map(|tenant| tenant.as_str().to_owned()),
            client: image.client_id.shown().to_owned(),
            user_name: image.user_name.as_deref().map(str::to_owned),
            listener: listener.as_ref().to_owned(),
            protocol_level: image.version.level(),
            session_expiry_interval: image.expiry,
            away_since_millis: image.away_since.map(plexus_types::Instant::as_millis),
            unsent_sequence: image.unsent.map(Sequence::get),
            next_sequence: image.next.get(),
            subscriptions: image.subscriptions.iter().map(SubscriptionLine::of).collect(),
            accepted_packet_ids: image.accepted.iter().map(|id| id.get()).collect(),
            will: image.will.as_deref().map(WillLine::of),
            seen: seen.iter().map(|id| id.get()).collect(),
        }
    }

    /// The session without its queue.
    pub(crate) fn read(self) -> Result<KeptSession, Fault> {
        let client_id = ClientId::new(&text("client", &self.client)?);
        if client_id.is_empty() {
            return Err(value("client", &"empty", "the identifier of a client"));
        }
        let client_id = named(tenant(self.tenant.as_deref())?.as_ref(), client_id);
        let name = self.user_name.map(|name| text("user_name", &name)).transpose()?;
        text("listener", &self.listener)?;
        let away = self.away_since_millis.map(|millis| moment("away_since_millis", millis));
        let unsent = self.unsent_sequence.map(|number| sequence("unsent_sequence", number));
        let will = self.will.map(|will| will.read(&client_id)).transpose()?;
        let image = Image {
            user_name: name.map(|name| name.as_str().into()),
            version: version(self.protocol_level)?,
            expiry: self.session_expiry_interval,
            away_since: away.transpose()?,
            unsent: unsent.transpose()?,
            next: sequence("next_sequence", self.next_sequence)?,
            will: will.map(Box::new),
            subscriptions: subscriptions(self.subscriptions)?,
            accepted: packet_ids(self.accepted_packet_ids)?,
            entries: std::collections::VecDeque::new(),
            client_id,
        };
        Ok(KeptSession {
            listener: self.listener.into(),
            image: Box::new(image),
            seen: self.seen.into_iter().map(MessageId::new).collect(),
        })
    }
}

impl SubscriptionLine {
    fn of(held: &Held) -> Self {
        Self {
            filter: held.filter.as_str().to_owned(),
            qos: held.options.qos.get(),
            no_local: held.options.no_local,
            retain_as_published: held.options.retain_as_published,
            retain_handling: held.options.retain_handling as u8,
            subscription_identifier: held.id,
        }
    }

    fn read(self) -> Result<Held, Fault> {
        let filter = filter("filter", &self.filter)?;
        if self.no_local && filter.shared().is_some() {
            // [MQTT-3.8.3-4]
            return Err(value("no_local", &true, "false for a shared subscription"));
        }
        let retain_handling = match self.retain_handling {
            0 => RetainHandling::Always,
            1 => RetainHandling::IfNew,
            2 => RetainHandling::Never,
            other => return Err(value("retain_handling", &other, "0, 1 or 2")),
        };
        let options = SubscriptionOptions {
            qos: qos(self.qos)?,
            no_local: self.no_local,
            retain_as_published: self.retain_as_published,
            retain_handling,
        };
        let id =
            self.subscription_identifier.map(|id| subscription_id("subscription_identifier", id));
        Ok(Held { filter, options, id: id.transpose()? })
    }
}

impl QueuedLine {
    pub(crate) fn of(client: &ClientId, entry: &Entry) -> Self {
        let message = Some(entry.message.get()).filter(|id| *id > 0 && !entry.released);
        Self {
            client: client.shown().to_owned(),
            sequence: entry.sequence.get(),
            message,
            qos: entry.qos.get(),
            retain: entry.retain,
            since_seconds: entry.since,
            subscription_identifiers: entry.extras.subscription_ids().to_vec(),
            group: entry.extras.shared().map(|it| TopicFilter::shown_of(it).into_owned()),
        }
    }

    /// The entry of a session of that tenant; `size` tells the bytes of a message, if it is in the file.
    pub(crate) fn read(
        self,
        tenant: Option<&TenantName>,
        size: impl FnOnce(u64) -> Option<u32>,
    ) -> Result<Entry, Fault> {
        let qos = match qos(self.qos)? {
            Qos::AtMostOnce => return Err(value("qos", &0, "1 or 2: nothing else is kept")),
            qos => qos,
        };
        if self.message.is_none() && qos != Qos::ExactlyOnce {
            return Err(Fault::Released);
        }
        let size = match self.message {
            Some(id) => size(id).ok_or(Fault::Missing(id))?,
            None => 0,
        };
        let ids = self.subscription_identifiers.into_iter();
        let ids = ids.map(|id| subscription_id("subscription_identifiers", id));
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        let group =
            self.group.as_deref().map(|group| shared("group", tenant, group)).transpose()?;
        Ok(Entry {
            sequence: sequence("sequence", self.sequence)?,
            message: self.message.map_or(MessageId::NONE, MessageId::new),
            size,
            qos,
            retain: self.retain,
            released: self.message.is_none(),
            since: self.since_seconds,
            extras: Extras::new(&ids, group),
        })
    }
}

fn version(level: u8) -> Result<ProtocolVersion, Fault> {
    [ProtocolVersion::V31, ProtocolVersion::V311, ProtocolVersion::V5]
        .into_iter()
        .find(|version| version.level() == level)
        .ok_or_else(|| value("protocol_level", &level, "3 for MQTT 3.1, 4 for 3.1.1 or 5 for 5.0"))
}

fn sequence(field: &'static str, number: u32) -> Result<Sequence, Fault> {
    let sequence = Sequence::new(number);
    if sequence.get() != number {
        return Err(value(field, &number, "a number below 4294901760"));
    }
    Ok(sequence)
}

fn subscription_id(field: &'static str, id: u32) -> Result<u32, Fault> {
    if id == 0 || id > SUBSCRIPTION_ID_MAX {
        return Err(value(field, &id, "numbers from 1 to 268435455"));
    }
    Ok(id)
}

fn subscriptions(lines: Vec<SubscriptionLine>) -> Result<Vec<Held>, Fault> {
    let mut filters = Seed::new(lines.len() as u64).set();
    let mut held = Vec::with_capacity(lines.len());
    for line in lines {
        let one = line.read()?;
        if !filters.insert(one.filter.clone()) {
            return Err(value("filter", &format!("\"{}\" twice", one.filter), "each filter once"));
        }
        held.push(one);
    }
    Ok(held)
}

fn packet_ids(numbers: Vec<u16>) -> Result<Vec<PacketId>, Fault> {
    const FIELD: &str = "accepted_packet_ids";
    let mut seen = numbers.clone();
    seen.sort_unstable();
    seen.dedup();
    if seen.len() < numbers.len() {
        return Err(value(FIELD, &"a list with doubles", "each identifier once"));
    }
    numbers
        .into_iter()
        .map(|id| PacketId::new(id).ok_or_else(|| value(FIELD, &id, "numbers from 1 to 65535")))
        .collect()
}
