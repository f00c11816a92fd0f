use std::sync::{Arc, atomic::AtomicBool, atomic::Ordering::Relaxed};

use plexus_access::Principal;
use plexus_porch::{Clock, Sight, Watcher};
use plexus_session::DropReason;
use plexus_stdx::Seed;
use plexus_types::{ClientId, Durability, Instant, Message, MessageId, Qos, TenantName};
use tokio::sync::mpsc;

use super::{PLACES, Seen, TOPIC_MAX, Tracer};
use crate::{
    context::TraceContext,
    ids::Ids,
    options::TraceOptions,
    proto::{AnyValueKind, Span},
    sampler::{
        Sampler,
        tests::{SAMPLED, all, message},
    },
    spans::Spans,
    tally::Tally,
};

/// A tracer, and what it hands on.
struct Traced {
    tracer: Tracer,
    next: mpsc::Receiver<Seen>,
    spans: Spans,
    tally: Arc<Tally>,
    is_over: Arc<AtomicBool>,
}

fn traced(options: TraceOptions, room: usize) -> Traced {
    let ids = Ids::new(Seed::new(7));
    let (seen, next) = mpsc::channel(room);
    let (tally, is_over) = (Arc::<Tally>::default(), Arc::<AtomicBool>::default());
    let which = (Sampler::new(options, ids), Clock::start(Instant::ZERO));
    let tracer = Tracer::new(which, seen, Arc::clone(&tally), Arc::clone(&is_over));
    Traced { tracer, next, spans: Spans::new(ids), tally, is_over }
}

impl Traced {
    fn spans(&mut self) -> Vec<Span> {
        let seen: Vec<_> = std::iter::from_fn(|| self.next.try_recv().ok()).collect();
        seen.into_iter().filter_map(|seen| self.spans.of(seen)).collect()
    }
}

fn principal(name: &str) -> Principal {
    Principal {
        client_id: ClientId::try_from(name).unwrap(),
        user_name: None,
        peer: Some([127, 0, 0, 1].into()),
        listener: "test".into(),
        tenant: None,
        is_unplaced: false,
        rights: None,
    }
}

fn text(span: &Span, key: &str) -> Option<String> {
    let value = span.attributes.iter().find(|one| one.key == key)?.value.clone()?.value?;
    match value {
        AnyValueKind::String(text) => Some(text),
        AnyValueKind::Int(number) => Some(number.to_string()),
        AnyValueKind::Bool(flag) => Some(flag.to_string()),
        AnyValueKind::Double(_) => None,
    }
}

const NOW: Instant = Instant::from_secs(1_000);

#[test]
fn a_message_is_one_trace_through_publisher_and_receivers() {
    let mut traced = traced(all(), 64);
    let (sensor, robot) = (principal("sensor-7"), principal("robot"));
    let message = message(12, "hall/lamp", Some(SAMPLED));
    let publish = Sight::Published(Some(&sensor), &message);
    assert!(traced.tracer.see(NOW, publish));
    for receiver in [&robot, &robot] {
        assert!(traced.tracer.see(NOW, Sight::Delivered(receiver, &message, Qos::AtMostOnce)));
    }
    let spans = traced.spans();
    let [publish, first, second] = &spans[..] else { panic!("{spans:?}") };
    let context = TraceContext::parse(SAMPLED).unwrap();
    assert!(spans.iter().all(|span| span.trace_id == context.trace.0));
    assert_eq!(publish.parent_span_id, context.parent.0);
    assert_eq!(first.parent_span_id, publish.span_id);
    assert_eq!(second.parent_span_id, publish.span_id);
    assert_ne!(first.span_id, second.span_id);
    assert_eq!([&*publish.name, &*first.name], ["publish", "deliver"]);
    assert_eq!([publish.kind, first.kind], [2, 4]);
    assert_eq!([publish.flags, first.flags], [0x301, 0x101]);
    assert_eq!(publish.start_time_unix_nano, NOW.as_nanos());
    assert!(publish.end_time_unix_nano >= publish.start_time_unix_nano);
    for (span, client, qos) in [(publish, "sensor-7", "1"), (first, "robot", "0")] {
        for (key, value) in [
            ("messaging.system", "mqtt"),
            ("messaging.destination.name", "hall/lamp"),
            ("messaging.client.id", client),
            ("messaging.message.body.size", "7"),
            ("messaging.message.id", "12"),
            ("network.peer.address", "127.0.0.1"),
            ("plexus.qos", qos),
            ("plexus.retain", "false"),
            ("plexus.commit", "memory"),
        ] {
            assert_eq!(text(span, key).as_deref(), Some(value), "{key}");
        }
    }
    assert_eq!(text(first, "plexus.publisher.id").as_deref(), Some("sensor-7"));
    assert_eq!(text(publish, "messaging.operation.name").as_deref(), Some("publish"));
}

#[test]
fn a_message_without_a_trace_begins_one_that_every_shard_knows() {
    let (mut one, mut other) = (traced(all(), 64), traced(all(), 64));
    let message = message(12, "a", None);
    one.tracer.see(NOW, Sight::Published(None, &message));
    other.tracer.see(NOW, Sight::Delivered(&principal("robot"), &message, Qos::AtLeastOnce));
    let (publish, deliver) = (one.spans().remove(0), other.spans().remove(0));
    assert_eq!(publish.trace_id, deliver.trace_id);
    assert_eq!(deliver.parent_span_id, publish.span_id);
    assert!(publish.parent_span_id.is_empty());
    assert_eq!(publish.flags, 0x101);
}

#[test]
fn what_nobody_hears_has_a_trace_each() {
    let mut traced = traced(all(), 64);
    let message = message(0, "a", None);
    for _ in 0..3 {
        traced.tracer.see(NOW, Sight::Published(None, &message));
    }
    let mut traces: Vec<_> = traced.spans().into_iter().map(|span| span.trace_id).collect();
    traces.dedup();
    assert_eq!(traces.len(), 3);
}

#[test]
fn what_is_kept_is_told_of_what_is_traced_alone() {
    let mut traced = traced(all(), 64);
    let kept = |id, traceparent| Message {
        durability: Durability::Synced,
        ..message(id, "a", traceparent)
    };
    let (first, second) = (kept(5, Some(SAMPLED)), kept(5 + PLACES as u64, None));
    traced.tracer.see(NOW, Sight::Published(None, &first));
    traced.tracer.see(NOW, Sight::Kept(MessageId::new(6)));
    traced.tracer.see(NOW, Sight::Kept(first.id));
    traced.tracer.see(NOW, Sight::Kept(first.id));
    let spans = traced.spans();
    let [publish, commit] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!((&*commit.name, commit.kind), ("commit", 1));
    assert_eq!((&commit.trace_id, &commit.parent_span_id), (&publish.trace_id, &publish.span_id));
    // One takes the place of the other, and is told.
    traced.tracer.see(NOW, Sight::Published(None, &first));
    traced.tracer.see(NOW, Sight::Published(None, &second));
    traced.tracer.see(NOW, Sight::Kept(first.id));
    traced.tracer.see(NOW, Sight::Kept(second.id));
    let names: Vec<_> = traced.spans().into_iter().map(|span| (span.name, span.trace_id)).collect();
    assert_eq!(names.len(), 3);
    assert_eq!(names[2], ("commit".to_owned(), names[1].1.clone()));
}

#[test]
fn what_finds_no_room_is_counted_and_costs_no_more() {
    let mut traced = traced(all(), 2);
    for id in 1..=5 {
        assert!(traced.tracer.see(NOW, Sight::Published(None, &message(id, "a", None))));
    }
    assert_eq!((traced.spans().len(), traced.tally.read()), (2, [0, 3, 0]));
}

#[test]
fn names_are_cut_and_tenants_told_apart() {
    let mut traced = traced(all(), 4);
    let tenant = TenantName::try_from("acme").unwrap();
    let mut message = message(1, &"x".repeat(2 * TOPIC_MAX), None);
    message.topic = tenant.topic(&message.topic);
    message.publisher = tenant.client(&message.publisher);
    traced.tracer.see(NOW, Sight::Published(None, &message));
    let span = traced.spans().remove(0);
    assert_eq!(text(&span, "messaging.destination.name"), Some("x".repeat(TOPIC_MAX)));
    assert_eq!(text(&span, "messaging.client.id").as_deref(), Some("sensor-7"));
    assert_eq!(text(&span, "plexus.tenant").as_deref(), Some("acme"));
}

#[test]
fn it_comes_to_an_end_and_looks_at_nothing_else() {
    let mut traced = traced(all(), 4);
    let robot = principal("robot");
    assert!(traced.tracer.see(NOW, Sight::Dropped(&robot, DropReason::QueueFull, 1)));
    assert!(traced.spans().is_empty() && !traced.tracer.is_over());
    traced.is_over.store(true, Relaxed);
    assert!(traced.tracer.is_over());
    assert!(!traced.tracer.see(NOW, Sight::Published(None, &message(1, "a", None))));
}
