//! Which messages are traced. Every shard decides the same of a message, from the message alone.

use plexus_types::{Message, filter_matches};

use crate::{
    context::TraceContext,
    ids::Ids,
    options::{Follow, TraceOptions},
};

/// A message is traced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sampled {
    /// The trace that it says it belongs to, if it does.
    pub(crate) context: Option<TraceContext>,
}

/// Decides.
#[derive(Debug)]
pub(crate) struct Sampler {
    options: TraceOptions,
    ids: Ids,
}

impl Sampler {
    pub(crate) const fn new(options: TraceOptions, ids: Ids) -> Self {
        Self { options, ids }
    }

    /// Whether the message is traced. `number` is its identifier, or stands for one.
    pub(crate) fn decide(&self, message: &Message, number: u64) -> Option<Sampled> {
        let context = match self.options.follow {
            Follow::Never => None,
            Follow::Sampled | Follow::Always => TraceContext::of(&message.properties),
        };
        let is_sampled = match (context, self.options.follow) {
            (Some(context), Follow::Sampled) => context.is_sampled,
            (Some(_), Follow::Always) => true,
            (Some(_), Follow::Never) | (None, _) => {
                self.options.ratio.holds(self.ids.chance(number))
            }
        };
        (is_sampled && self.is_meant(message)).then_some(Sampled { context })
    }

    fn is_meant(&self, message: &Message) -> bool {
        let TraceOptions { topics, clients, .. } = &self.options;
        let client = message.publisher.shown();
        let is_of = clients.is_empty() || clients.iter().any(|one| one.matches(client));
        is_of && (topics.is_empty() || self.is_about(message))
    }

    fn is_about(&self, message: &Message) -> bool {
        let Ok(topic) = std::str::from_utf8(message.topic.shown()) else { return false };
        self.options.topics.iter().any(|filter| filter_matches(filter.as_str(), topic))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use bytes::Bytes;
    use plexus_access::Wildcard;
    use plexus_stdx::Seed;
    use plexus_types::{
        ClientId, Durability, Message, MessageId, MessageProperties, Qos, TenantName, Text,
        TopicFilter, TopicName,
    };
    use plexus_wire::property::MessagePropertiesBuilder;

    use super::{Sampled, Sampler};
    use crate::{
        context::TraceContext,
        ids::Ids,
        options::{Follow, Ratio, TraceOptions},
    };

    pub(crate) const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const UNSAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

    pub(crate) fn message(id: u64, topic: &str, traceparent: Option<&str>) -> Message {
        let text = |text: &str| Text::try_from(text).unwrap();
        let properties = traceparent.map_or_else(MessageProperties::default, |value| {
            let builder = MessagePropertiesBuilder::new();
            builder.user_property(&text("traceparent"), &text(value)).build()
        });
        Message {
            id: MessageId::new(id),
            topic: TopicName::try_from(topic).unwrap(),
            payload: Bytes::from_static(b"payload"),
            qos: Qos::AtLeastOnce,
            retain: false,
            properties,
            expires: None,
            durability: Durability::Memory,
            publisher: ClientId::try_from("sensor-7").unwrap(),
        }
    }

    pub(crate) fn all() -> TraceOptions {
        TraceOptions {
            ratio: Ratio::ALL,
            follow: Follow::Sampled,
            topics: Vec::new(),
            clients: Vec::new(),
        }
    }

    fn sampler(options: TraceOptions) -> Sampler {
        Sampler::new(options, Ids::new(Seed::new(7)))
    }

    fn is_sampled(options: TraceOptions, message: &Message) -> bool {
        sampler(options).decide(message, message.id.get()).is_some()
    }

    #[test]
    fn the_flag_of_the_publisher_decides_unless_it_is_not_followed() {
        let none = || TraceOptions { ratio: Ratio::billionths(0), ..all() };
        let with = |follow, options: TraceOptions| TraceOptions { follow, ..options };
        let [sampled, unsampled, silent] =
            [Some(SAMPLED), Some(UNSAMPLED), None].map(|traceparent| message(1, "a", traceparent));
        for (follow, all_of, none_of) in [
            (Follow::Sampled, [true, false, true], [true, false, false]),
            (Follow::Always, [true, true, true], [true, true, false]),
            (Follow::Never, [true, true, true], [false, false, false]),
        ] {
            let of = |options: fn() -> TraceOptions| {
                [&sampled, &unsampled, &silent].map(|one| is_sampled(with(follow, options()), one))
            };
            assert_eq!((of(all), of(none)), (all_of, none_of), "{follow:?}");
        }
        let decided = sampler(all()).decide(&sampled, 1).unwrap();
        assert_eq!(decided.context, TraceContext::parse(SAMPLED));
        let never = with(Follow::Never, all());
        assert_eq!(
            sampler(never).decide(&sampled, 1),
            Some(Sampled { context: None }),
            "the trace is not joined"
        );
        let broken = message(1, "a", Some("00-xyz"));
        assert_eq!(
            sampler(all()).decide(&broken, 1),
            Some(Sampled { context: None }),
            "as one without"
        );
    }

    #[test]
    fn a_ratio_samples_its_part_and_all_shards_the_same() {
        let options = || TraceOptions { ratio: Ratio::billionths(100_000_000), ..all() };
        let (one, other) = (sampler(options()), sampler(options()));
        let of = |sampler: &Sampler, id| sampler.decide(&message(id, "a", None), id).is_some();
        let sampled = (0..10_000).filter(|id| of(&one, *id)).count();
        assert!((850..1_150).contains(&sampled), "{sampled}");
        assert!((0..1_000).all(|id| of(&one, id) == of(&other, id)));
    }

    #[test]
    fn topics_and_clients_are_filtered() {
        let topics = |filters: &[&str]| TraceOptions {
            topics: filters.iter().map(|one| TopicFilter::try_from(*one).unwrap()).collect(),
            ..all()
        };
        let order = message(1, "orders/7/new", Some(SAMPLED));
        assert!(is_sampled(topics(&["x", "orders/+/new"]), &order));
        assert!(!is_sampled(topics(&["orders/+"]), &order), "not even where it asks for it");
        let clients = |names: &[&str]| TraceOptions {
            clients: names.iter().map(|one| Wildcard::new(one)).collect(),
            ..all()
        };
        assert!(is_sampled(clients(&["robot", "sensor-*"]), &order));
        assert!(!is_sampled(clients(&["sensor"]), &order));
        let mut of_tenant = order;
        let tenant = TenantName::try_from("acme").unwrap();
        of_tenant.topic = tenant.topic(&of_tenant.topic);
        of_tenant.publisher = tenant.client(&of_tenant.publisher);
        assert!(is_sampled(topics(&["orders/#"]), &of_tenant), "as its client knows it");
        assert!(is_sampled(clients(&["sensor-7"]), &of_tenant));
    }
}
