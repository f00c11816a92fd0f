//! Who a message's trace belongs to: `traceparent` of W3C Trace Context, in a User Property. It is the word of a
//! stranger, and read to the letter.

use plexus_types::MessageProperties;
use plexus_wire::property::{MessageProperty, message_properties};

/// The name of the User Property.
const PROPERTY: &str = "traceparent";
/// Properties of a message that are looked at.
const PROPERTIES_MAX: usize = 64;
/// Characters of version 00.
const LENGTH: usize = 55;

/// Names a trace; never all zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TraceId(pub(crate) [u8; 16]);

/// Names a span within a trace; never all zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SpanId(pub(crate) [u8; 8]);

/// What a publisher says of the trace that its message belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceContext {
    pub(crate) trace: TraceId,
    pub(crate) parent: SpanId,
    /// Whether the publisher records its own part.
    pub(crate) is_sampled: bool,
}

impl TraceContext {
    /// Reads `version-trace-parent-flags` in lower-case hexadecimal digits. Of a later version than 00 it takes what it
    /// knows, as the specification has it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let [version] = hex(bytes.get(..2)?)?;
        let is_long_enough = match version {
            0x00 => bytes.len() == LENGTH,
            0xFF => false,
            _ => bytes.len() == LENGTH || bytes.get(LENGTH) == Some(&b'-'),
        };
        let is_cut = [2, 35, 52].iter().all(|at| bytes.get(*at) == Some(&b'-'));
        if !is_long_enough || !is_cut {
            return None;
        }
        let trace = hex(bytes.get(3..35)?).filter(|id| *id != [0; 16])?;
        let parent = hex(bytes.get(36..52)?).filter(|id| *id != [0; 8])?;
        let [flags] = hex(bytes.get(53..LENGTH)?)?;
        Some(Self { trace: TraceId(trace), parent: SpanId(parent), is_sampled: flags & 1 == 1 })
    }

    /// That of a message, if it has exactly one. Two that differ would be two truths.
    pub(crate) fn of(properties: &MessageProperties) -> Option<Self> {
        if properties.is_empty() {
            return None;
        }
        let named = message_properties(properties).take(PROPERTIES_MAX);
        let mut named = named.filter_map(|property| match property {
            MessageProperty::User(name, value) if name.as_str() == PROPERTY => Some(value),
            _ => None,
        });
        let value = named.next()?;
        if named.next().is_some() { None } else { Self::parse(value.as_str()) }
    }
}

/// So many bytes of lower-case digits, which have to be exactly as many as that takes.
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if digits.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

const fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use plexus_types::{MessageProperties, Text};
    use plexus_wire::property::MessagePropertiesBuilder;
    use proptest::prelude::*;

    use super::{SpanId, TraceContext, TraceId};

    const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn text(text: &str) -> Text {
        Text::try_from(text).unwrap()
    }

    fn message(values: &[(&str, &str)]) -> MessageProperties {
        let builder = MessagePropertiesBuilder::new();
        let all = values
            .iter()
            .fold(builder, |it, (name, value)| it.user_property(&text(name), &text(value)));
        all.build()
    }

    #[test]
    fn the_example_of_the_specification_is_read() {
        let context = TraceContext::parse(SAMPLED).unwrap();
        let trace = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128;
        assert_eq!(context.trace, TraceId(trace.to_be_bytes()));
        assert_eq!(context.parent, SpanId(0x00f0_67aa_0ba9_02b7_u64.to_be_bytes()));
        assert!(context.is_sampled);
        assert!(!TraceContext::parse(&SAMPLED.replace("-01", "-00")).unwrap().is_sampled);
        assert!(!TraceContext::parse(&SAMPLED.replace("-01", "-02")).unwrap().is_sampled);
        assert!(TraceContext::parse(&SAMPLED.replace("-01", "-ff")).unwrap().is_sampled);
    }

    /// The cases of the test suite of W3C Trace Context for `traceparent`.
    #[test]
    fn what_is_malformed_is_nobodys_trace() {
        for wrong in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-brings",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "0x-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "000-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-.bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e47366-00f067aa0ba902b7-01",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-.1",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
            "00-4bf92f3577b34da6a3ce929d0e0e473\u{e9}-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(wrong), None, "{wrong}");
        }
        for later in ["cc-", "01-"] {
            let later = SAMPLED.replacen("00-", later, 1);
            assert!(TraceContext::parse(&later).is_some(), "{later}");
            assert!(TraceContext::parse(&format!("{later}-more")).is_some(), "{later}-more");
            assert_eq!(TraceContext::parse(&format!("{later}m")), None, "{later}m");
        }
    }

    #[test]
    fn a_message_has_one_traceparent_or_none() {
        let context = TraceContext::parse(SAMPLED);
        assert_eq!(TraceContext::of(&MessageProperties::default()), None);
        let among = message(&[("a", "b"), ("traceparent", SAMPLED), ("tracestate", "x=1")]);
        assert_eq!(TraceContext::of(&among), context);
        assert_eq!(TraceContext::of(&message(&[("Traceparent", SAMPLED)])), None);
        let twice = message(&[("traceparent", SAMPLED), ("traceparent", SAMPLED)]);
        assert_eq!(TraceContext::of(&twice), None);
        let mut late = vec![("a", "b"); 64];
        late.push(("traceparent", SAMPLED));
        assert_eq!(TraceContext::of(&message(&late)), None, "it is not looked for for ever");
        assert_eq!(TraceContext::of(&message(&late[1..])), context);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in ".{0,80}") {
            let _: Option<TraceContext> = TraceContext::parse(&text);
        }

        #[test]
        fn what_is_well_formed_is_read(trace in 1_u128.., parent in 1_u64.., flags: u8) {
            let text = format!("00-{trace:032x}-{parent:016x}-{flags:02x}");
            let context = TraceContext::parse(&text).unwrap();
            prop_assert_eq!(context.trace.0, trace.to_be_bytes());
            prop_assert_eq!(context.parent.0, parent.to_be_bytes());
            prop_assert_eq!(context.is_sampled, flags % 2 == 1);
        }
    }
}
