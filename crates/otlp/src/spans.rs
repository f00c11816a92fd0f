//! Spans of what shards have shown, by the semantic conventions for messaging. A message has a span `publish`, and
//! below it one span `deliver` for each time that it is written to a client, and one `commit` where it is kept.

use std::net::IpAddr;

use plexus_types::{ClientId, Durability, TenantName};

use crate::{
    context::{SpanId, TraceId},
    ids::Ids,
    proto::{AnyValueKind, KeyValue, Span},
    tracer::{About, Act, PLACES, Receiver, Seen, place_of},
};

/// A shard takes the message, and the client waits for it.
const SERVER: i32 = 2;
/// Somebody is sent something, and nobody waits.
const PRODUCER: i32 = 4;
const INTERNAL: i32 = 1;
/// Sampled, and it is known where the parent is.
const FLAGS: u32 = 0x101;
/// The parent is elsewhere.
const REMOTE: u32 = 0x200;

/// Bytes of a name that a client has chosen, as far as it is told.
const NAME_MAX: usize = 1_024;

/// Makes spans.
pub(crate) struct Spans {
    ids: Ids,
    /// The traces of messages that may have to be kept, each at its place.
    unkept: Vec<(u64, TraceId)>,
    made: u64,
}

impl Spans {
    pub(crate) fn new(ids: Ids) -> Self {
        Self { ids, unkept: vec![(0, TraceId([0; 16])); PLACES], made: 0 }
    }

    /// The span of that. None of what is kept when its message is not known any more.
    pub(crate) fn of(&mut self, seen: Seen) -> Option<Span> {
        let Seen { message, begun, ended, act } = seen;
        let own = self.ids.publish(message);
        self.made += 1;
        let other = self.ids.other(&(message, ended.as_nanos(), self.made));
        let span = match act {
            Act::Published(about) => {
                let trace = self.trace(message, &about);
                if about.durability.is_kept()
                    && let Some(place) = self.unkept.get_mut(place_of(message))
                {
                    *place = (message, trace);
                }
                let parent = about.context.map(|context| context.parent);
                let flags = if parent.is_some() { FLAGS | REMOTE } else { FLAGS };
                let attributes = published(message, &about);
                Span {
                    name: "publish".into(),
                    kind: SERVER,
                    flags,
                    attributes,
                    ..span(trace, own, parent)
                }
            }
            Act::Delivered(about, receiver) => {
                let trace = self.trace(message, &about);
                let attributes = delivered(message, &about, &receiver);
                let span = span(trace, other, Some(own));
                Span { name: "deliver".into(), kind: PRODUCER, attributes, ..span }
            }
            Act::Kept => {
                let known = self.unkept.get(place_of(message));
                let (_, trace) = *known.filter(|(known, _)| *known == message)?;
                let attributes = vec![KeyValue::text("messaging.system", "mqtt"), id(message)];
                let span = span(trace, other, Some(own));
                Span { name: "commit".into(), kind: INTERNAL, attributes, ..span }
            }
        };
        let (start_time_unix_nano, end_time_unix_nano) = (begun.as_nanos(), ended.as_nanos());
        Some(Span { start_time_unix_nano, end_time_unix_nano, ..span })
    }

    fn trace(&self, message: u64, about: &About) -> TraceId {
        about.context.map_or_else(|| self.ids.trace(message), |context| context.trace)
    }
}

fn span(trace: TraceId, own: SpanId, parent: Option<SpanId>) -> Span {
    Span {
        trace_id: trace.0.to_vec(),
        span_id: own.0.to_vec(),
        parent_span_id: parent.map(|parent| parent.0.to_vec()).unwrap_or_default(),
        flags: FLAGS,
        ..Span::default()
    }
}

fn id(message: u64) -> KeyValue {
    KeyValue::text("messaging.message.id", message.to_string())
}

fn published(message: u64, about: &About) -> Vec<KeyValue> {
    let mut all = of_message(message, about, ("publish", "receive"));
    all.extend(of_client(&about.publisher, about.peer));
    all.push(KeyValue::number("plexus.qos", about.qos.get().into()));
    all
}

fn delivered(message: u64, about: &About, receiver: &Receiver) -> Vec<KeyValue> {
    let mut all = of_message(message, about, ("deliver", "send"));
    all.extend(of_client(&receiver.client, receiver.peer));
    all.push(KeyValue::number("plexus.qos", receiver.qos.get().into()));
    all.push(KeyValue::text("plexus.publisher.id", cut(about.publisher.shown())));
    all
}

fn of_message(message: u64, about: &About, (name, kind): (&str, &str)) -> Vec<KeyValue> {
    let durability = match about.durability {
        Durability::Memory => "memory",
        Durability::Written => "os",
        Durability::Synced => "fsync",
    };
    vec![
        KeyValue::text("messaging.system", "mqtt"),
        KeyValue::text("messaging.operation.name", name),
        KeyValue::text("messaging.operation.type", kind),
        KeyValue::text("messaging.destination.name", about.topic.as_str()),
        KeyValue::number("messaging.message.body.size", about.size as u64),
        id(message),
        KeyValue::new("plexus.retain", AnyValueKind::Bool(about.retain)),
        KeyValue::text("plexus.commit", durability),
    ]
}

fn of_client(client: &ClientId, peer: Option<IpAddr>) -> impl Iterator<Item = KeyValue> {
    let tenant = client.tenant();
    let tenant = tenant.as_ref().map(TenantName::as_str);
    let tenant = tenant.map(|name| KeyValue::text("plexus.tenant", name));
    let peer = peer.map(|peer| KeyValue::text("network.peer.address", peer.to_string()));
    let client = KeyValue::text("messaging.client.id", cut(client.shown()));
    std::iter::once(client).chain(tenant).chain(peer)
}

/// As much of a text as is told.
fn cut(text: &str) -> &str {
    let end = text.floor_char_boundary(NAME_MAX);
    text.get(..end).unwrap_or_default()
}
