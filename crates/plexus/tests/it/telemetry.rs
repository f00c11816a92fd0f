//! What the built program tells an OpenTelemetry collector.

use std::collections::{BTreeMap, BTreeSet};

use plexus_otlp::proto::{
    AnyValueKind, ExportLogsRequest, ExportMetricsRequest, ExportTraceRequest, KeyValue, Metric,
    MetricKind, NumberValue, Resource, Span,
};
use plexus_testkit::{Heard, HttpService, Manner};
use prost::Message;

use crate::{
    api::{As, Managed},
    client::{Client, text},
    program::{Node, Place},
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A collector that takes everything.
fn collector() -> HttpService {
    HttpService::start(Manner::answer("200 OK", ""))
}

/// A configuration that tells it what these lines ask for.
fn told(collector: &HttpService, more: &str) -> String {
    format!("[telemetry]\nendpoint = \"{}\"\n{more}", collector.url())
}

fn bodies<'a, M: Message + Default>(
    heard: &'a [Heard],
    path: &'a str,
) -> impl Iterator<Item = M> + 'a {
    let there = heard.iter().filter(move |heard| heard.head.starts_with(&format!("POST {path} ")));
    there.map(|heard| M::decode(&*heard.bytes).expect("OTLP"))
}

/// Waits until what the collector has heard is enough. The runner bounds it.
fn until<T>(collector: &HttpService, enough: impl Fn(&[Heard]) -> Option<T>) -> T {
    let mut count = 1;
    loop {
        let heard = collector.heard(count);
        if let Some(found) = enough(&heard) {
            return found;
        }
        count = heard.len() + 1;
    }
}

fn spans(heard: &[Heard]) -> Vec<Span> {
    let requests = bodies::<ExportTraceRequest>(heard, "/v1/traces");
    let resources = requests.flat_map(|request| request.resource_spans);
    resources
        .inspect(|one| assert_resource(one.resource.as_ref()))
        .flat_map(|resource| resource.scope_spans)
        .flat_map(|scope| scope.spans)
        .collect()
}

fn assert_resource(resource: Option<&Resource>) {
    let attributes = &resource.expect("a resource").attributes;
    assert_eq!(value(attributes, "service.name").as_deref(), Some("plexus"));
    assert_eq!(value(attributes, "service.instance.id").as_deref(), Some("hall"));
    assert_eq!(value(attributes, "service.version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
}

fn value(attributes: &[KeyValue], key: &str) -> Option<String> {
    let attribute = attributes.iter().find(|one| one.key == key)?;
    Some(match attribute.value.as_ref()?.value.as_ref()? {
        AnyValueKind::String(text) => text.clone(),
        AnyValueKind::Bool(flag) => flag.to_string(),
        AnyValueKind::Int(number) => number.to_string(),
        AnyValueKind::Double(number) => number.to_string(),
    })
}

fn of(span: &Span, key: &str) -> String {
    value(&span.attributes, key).unwrap_or_else(|| panic!("{key} of {span:?}"))
}

fn hex(bytes: &[u8]) -> String {
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16));
    bytes.iter().flat_map(digits).flatten().collect()
}

/// Publishes at QoS 1 with these User Properties, and waits for the acknowledgement.
fn publish(client: &mut Client, topic: &str, properties: &[(&str, &str)]) {
    let pairs = properties.iter().flat_map(|(name, value)| [vec![0x26], text(name), text(value)]);
    let pairs = pairs.flatten().collect::<Vec<_>>();
    let length = u8::try_from(pairs.len()).expect("short");
    client.send(0x32, &[&text(topic)[..], &[0, 7, length], &pairs, b"payload"].concat());
    let (kind, body) = client.hear();
    assert_eq!((kind, body.get(2).copied().unwrap_or(0)), (0x40, 0), "PUBACK");
}

#[test]
fn the_spans_of_a_message_join_up_from_publisher_to_subscribers() {
    let (place, collector) = (Place::new(), collector());
    let traces = "[telemetry.traces]\nenabled = true\nratio = \"100%\"\ntopics = [\"orders/#\"]\n";
    let head =
        "[node]\nname = \"hall\"\ndata_dir = \"data\"\n[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n";
    place.write("plexus.toml", &format!("{head}{}", told(&collector, traces)));
    let node = Node::start(&place, &["--set", "node.shards=3"]);
    // So many that not all of them live where the publisher does.
    let names: Vec<_> = (0..6).map(|number| format!("robot-{number}")).collect();
    let mut robots: Vec<_> = names.iter().map(|name| Client::resume(&node, name).0).collect();
    for robot in &mut robots {
        assert_eq!(robot.subscribe("#"), 1);
    }
    let mut sensor = Client::connect(&node, "sensor");
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    publish(&mut sensor, "other/1", &[("traceparent", &traceparent)]);
    publish(
        &mut sensor,
        "orders/unsampled",
        &[("traceparent", &traceparent.replace("-01", "-00"))],
    );
    publish(&mut sensor, "orders/7", &[("traceparent", &traceparent), ("a", "b")]);
    publish(&mut sensor, "orders/8", &[]);
    let of_both = 2 * (1 + robots.len() + 1);
    let all = until(&collector, |heard| Some(spans(heard)).filter(|all| all.len() >= of_both));
    assert_eq!(all.len(), of_both, "{all:#?}");
    assert!(all.iter().filter(|span| span.name != "commit").all(|span| {
        of(span, "messaging.destination.name").starts_with("orders/")
            && of(span, "plexus.qos") == "1"
    }));
    let mut by_trace = BTreeMap::<_, Vec<_>>::new();
    for span in &all {
        by_trace.entry(hex(&span.trace_id)).or_default().push(span);
    }
    assert_eq!(by_trace.len(), 2);
    for (trace, spans) in &by_trace {
        let named = |name: &str| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
        let [publish] = named("publish")[..] else { panic!("{spans:#?}") };
        let (topic, parent) = if trace == TRACE { ("orders/7", PARENT) } else { ("orders/8", "") };
        assert_eq!(
            (of(publish, "messaging.destination.name"), publish.kind),
            (topic.to_owned(), 2)
        );
        assert_eq!(hex(&publish.parent_span_id), parent);
        assert_eq!(of(publish, "messaging.client.id"), "sensor");
        assert_eq!(of(publish, "messaging.message.body.size"), "7");
        assert_eq!(of(publish, "network.peer.address"), "127.0.0.1");
        let delivered = named("deliver");
        let receivers: BTreeSet<_> =
            delivered.iter().map(|span| of(span, "messaging.client.id")).collect();
        assert_eq!(receivers, names.iter().cloned().collect());
        assert_eq!(delivered.len(), names.len());
        let commits = named("commit");
        assert_eq!(commits.len(), 1);
        for (span, kind) in
            delivered.iter().map(|it| (it, 4)).chain(commits.iter().map(|it| (it, 1)))
        {
            assert_eq!((&span.parent_span_id, span.kind), (&publish.span_id, kind), "{span:#?}");
            assert!(span.start_time_unix_nano >= publish.start_time_unix_nano, "{span:#?}");
            assert!(span.end_time_unix_nano >= span.start_time_unix_nano, "{span:#?}");
        }
    }
    let ids: BTreeSet<_> = all.iter().map(|span| &span.span_id).collect();
    assert_eq!(ids.len(), all.len(), "each has a name of its own");
    // What is forwarded is what was published.
    let mut heard = std::iter::repeat_with(|| robots[0].hear());
    let has =
        |body: &[u8], text: &str| body.windows(text.len()).any(|part| part == text.as_bytes());
    let (kind, body) = heard.find(|(_, body)| has(body, "orders/7")).expect("it comes");
    assert_eq!(kind & 0xF0, 0x30);
    assert!(has(&body, &traceparent));
    assert_eq!(node.stop().code, Some(0));
}

#[test]
fn what_waits_is_sent_at_the_end() {
    let (place, collector) = (Place::new(), collector());
    let more =
        "[telemetry.traces]\nenabled = true\nratio = \"100%\"\n[telemetry.logs]\nenabled = true\n";
    let head = "[node]\nname = \"hall\"\n[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n";
    place.write("plexus.toml", &format!("{head}{}", told(&collector, more)));
    let node = Node::start(&place, &[]);
    let mut sensor = Client::connect(&node, "sensor");
    sensor.publish("nobody/hears");
    let ended = node.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // Everything has come by now.
    let heard = collector.heard(collector.count());
    let [span] = &spans(&heard)[..] else { panic!("one span") };
    assert_eq!((&*span.name, hex(&span.parent_span_id)), ("publish", String::new()));
    let mut records = Vec::new();
    for one in bodies::<ExportLogsRequest>(&heard, "/v1/logs").flat_map(|it| it.resource_logs) {
        assert_resource(one.resource.as_ref());
        for scope in one.scope_logs {
            let target = scope.scope.expect("a module").name;
            assert!(target.starts_with("plexus"), "{target}");
            records.extend(scope.log_records);
        }
    }
    let said = |words: &str| {
        let body = |value: &plexus_otlp::proto::AnyValue| match &value.value {
            Some(AnyValueKind::String(text)) => text == words,
            _ => false,
        };
        let found = records.iter().find(|record| record.body.as_ref().is_some_and(body));
        found.unwrap_or_else(|| panic!("{words}: {records:#?}"))
    };
    assert_eq!(said("stopping").severity_number, 9);
    assert_eq!(said("stopped").severity_text, "INFO");
}

#[test]
fn metrics_are_those_of_the_api() {
    let (place, collector) = (Place::new(), collector());
    let more = "[telemetry.metrics]\nenabled = true\ninterval = \"1s\"\n";
    let head = "[node]\nname = \"hall\"\n";
    let managed = Managed::start_with(&place, &format!("{head}{}", told(&collector, more)), &[]);
    let mut sensor = Client::connect(&managed.node, "sensor");
    for _ in 0..3 {
        sensor.publish("a");
    }
    let number = |metrics: &[Metric], name: &str| {
        let metric = metrics.iter().find(|metric| metric.name == name)?;
        let point = match metric.data.as_ref()? {
            MetricKind::Sum(sum) => {
                assert!(sum.is_monotonic && sum.aggregation_temporality == 2);
                sum.data_points.first()
            }
            MetricKind::Gauge(gauge) => gauge.data_points.first(),
            MetricKind::Histogram(_) => None,
        };
        let point = point?;
        assert!(
            point.time_unix_nano >= point.start_time_unix_nano && point.start_time_unix_nano > 0
        );
        match point.value.as_ref()? {
            NumberValue::Int(number) => Some(*number),
            NumberValue::Double(_) => None,
        }
    };
    let metrics = until(&collector, |heard| {
        let last = bodies::<ExportMetricsRequest>(heard, "/v1/metrics").last()?;
        let [resource] = &last.resource_metrics[..] else { panic!("one resource") };
        assert_resource(resource.resource.as_ref());
        let metrics = resource.scope_metrics.first()?.metrics.clone();
        (number(&metrics, "plexus.messages.received") == Some(3)).then_some(metrics)
    });
    assert_eq!(number(&metrics, "plexus.messages.dropped.no_subscribers"), Some(3));
    assert_eq!(number(&metrics, "plexus.connections"), Some(1));
    assert!(number(&metrics, "plexus.memory.resident.bytes") > Some(0));
    assert!(number(&metrics, "plexus.telemetry.points.sent") > Some(0));
    let (status, page) = managed.ask_for(As::Token(&managed.admin), "GET", "/metrics", None);
    assert_eq!(status, 200);
    let of_api: BTreeSet<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .map(|(name, _)| name.to_owned())
        .collect();
    let of_otlp: BTreeSet<_> = metrics
        .iter()
        .map(|metric| {
            let name = metric.name.replace('.', "_");
            let grows = matches!(&metric.data, Some(MetricKind::Sum(_)));
            if grows { format!("{name}_total") } else { name }
        })
        .collect();
    assert_eq!(of_api, of_otlp);
}

#[test]
fn a_dead_collector_slows_nobody_and_is_told_once() {
    let (place, service) = (Place::new(), collector());
    let more = "[telemetry.traces]\nenabled = true\nratio = \"100%\"\n[telemetry.metrics]\nenabled = true\ninterval = \"1s\"\n[telemetry.logs]\nenabled = true\n";
    let head = "[log]\nlevel = \"debug\"\n[[listener]]\nurl = \"tcp://127.0.0.1:0\"\n";
    place.write("plexus.toml", &format!("{head}{}", told(&service, more)));
    let _dead = service.kill();
    let mut node = Node::start(&place, &[]);
    node.record("does not take them");
    let (mut sensor, mut robot) =
        (Client::connect(&node, "sensor"), Client::connect(&node, "robot"));
    assert_eq!(robot.subscribe("b"), 1);
    // More than may wait.
    for _ in 0..10_000 {
        sensor.publish("a");
    }
    sensor.publish("b");
    assert_eq!(robot.receive().0, "b");
    let ended = node.stop();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = ended.stderr.lines().filter(|line| line.contains("does not take them"));
    let told: Vec<_> = told.collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("cannot be reached"), "{told:?}");
}

#[test]
fn mistakes_are_told_with_their_place_and_mend() {
    let place = Place::new();
    place.write(
        "plexus.toml",
        "[telemetry]\nendpoint = \"http://localhost:4318/v1/traces\"\nheaders = { \"a b\" = \"hunter2\" }\n[telemetry.logs]\nenabled = true\n",
    );
    let said = place.run(["config", "check"]).failed(3);
    assert!(said.contains("plexus.toml:2") && said.contains("leave `/v1/…` out"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    place.write(
        "plexus.toml",
        "[telemetry]\nendpoint = \"http://localhost:4318\"\nheaders = { \"a b\" = \"hunter2\" }\n[telemetry.logs]\nenabled = true\n",
    );
    let said = place.run(["config", "check"]).failed(3);
    assert!(said.contains("`a b` is no name of a header"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}
