//! A message as one line of JSON.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::STANDARD};
use plexus_archive::Properties;
use plexus_session::Incoming;
use plexus_stdx::calendar;
use serde_json::{Map, Value, json};

/// The message with everything that came with it; a payload that is no UTF-8 is given in base64.
pub(crate) fn message(message: &Incoming, time: SystemTime) -> Value {
    let mut object = Map::new();
    object.insert("time".into(), timestamp(time).into());
    object.insert("topic".into(), message.topic.as_str().into());
    object.insert("qos".into(), message.qos.get().into());
    object.insert("retain".into(), message.retain.into());
    object.insert("dup".into(), message.dup.into());
    match std::str::from_utf8(&message.payload) {
        Ok(text) => object.insert("payload".into(), text.into()),
        Err(_) => object.insert("payload_base64".into(), STANDARD.encode(&message.payload).into()),
    };
    let properties = properties(message);
    if !properties.is_empty() {
        object.insert("properties".into(), properties.into());
    }
    object.into()
}

/// The time on the clock that a person sees.
#[expect(
    clippy::disallowed_methods,
    reason = "the line says when a person's clock saw the message"
)]
pub fn clock() -> SystemTime {
    SystemTime::now()
}

fn properties(message: &Incoming) -> Map<String, Value> {
    let mut object = match json!(Properties::of(&message.properties)) {
        Value::Object(object) => object,
        _ => Map::new(),
    };
    if let Some(seconds) = message.message_expiry_interval {
        object.insert("message_expiry_interval".into(), seconds.into());
    }
    if !message.subscription_ids.is_empty() {
        object.insert("subscription_identifiers".into(), json!(message.subscription_ids[..]));
    }
    object
}

/// RFC 3339 in UTC with milliseconds.
fn timestamp(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let (moment, millis) = (since.as_secs(), since.subsec_millis());
    format!("{}T{}.{millis:03}Z", calendar::day(moment), calendar::time(moment))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use bytes::Bytes;
    use plexus_session::Incoming;
    use plexus_types::{MessageProperties, Qos, Text, TopicName};
    use plexus_wire::property::MessagePropertiesBuilder;

    use super::{message, timestamp};

    fn incoming(payload: &'static [u8], properties: MessageProperties) -> Incoming {
        Incoming {
            topic: TopicName::try_from("a/b").unwrap(),
            payload: Bytes::from_static(payload),
            qos: Qos::AtLeastOnce,
            retain: true,
            dup: false,
            packet_id: None,
            message_expiry_interval: None,
            subscription_ids: [7, 9].into_iter().collect(),
            properties,
        }
    }

    #[test]
    fn a_message_is_one_object_with_all_that_came() {
        let (name, value) = (Text::from_static("k"), Text::from_static("v"));
        let properties = MessagePropertiesBuilder::new()
            .payload_format(true)
            .content_type(Text::from_static("text/plain"))
            .user_property(&name, &value)
            .user_property(&name, &value)
            .build();
        let shown = message(&incoming(b"hi\n", properties), UNIX_EPOCH).to_string();
        assert_eq!(
            shown,
            "{\"dup\":false,\"payload\":\"hi\\n\",\"properties\":{\"content_type\":\"text/plain\",\
             \"payload_format_indicator\":1,\"subscription_identifiers\":[7,9],\
             \"user_properties\":[[\"k\",\"v\"],[\"k\",\"v\"]]},\"qos\":1,\"retain\":true,\
             \"time\":\"1970-01-01T00:00:00.000Z\",\"topic\":\"a/b\"}"
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_given_in_base64() {
        let shown = message(&incoming(b"\xFF\x00", MessageProperties::default()), UNIX_EPOCH);
        assert_eq!(shown["payload_base64"], "/wA=");
        assert!(shown.get("payload").is_none());
    }

    #[test]
    fn the_time_has_milliseconds() {
        let time = UNIX_EPOCH + Duration::from_millis(951_782_400_005);
        assert_eq!(timestamp(time), "2000-02-29T00:00:00.005Z");
    }
}
