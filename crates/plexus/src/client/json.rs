//! A message as one line of JSON.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::STANDARD};
use plexus_session::Incoming;
use plexus_wire::property::{MessageProperty, message_properties};
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
pub(crate) fn clock() -> SystemTime {
    SystemTime::now()
}

fn properties(message: &Incoming) -> Map<String, Value> {
    let mut object = Map::new();
    if let Some(seconds) = message.message_expiry_interval {
        object.insert("message_expiry_interval".into(), seconds.into());
    }
    if !message.subscription_ids.is_empty() {
        object.insert("subscription_identifiers".into(), json!(message.subscription_ids[..]));
    }
    let mut users = Vec::new();
    for property in message_properties(&message.properties) {
        match property {
            MessageProperty::PayloadFormat(utf8) => {
                object.insert("payload_format_indicator".into(), u8::from(utf8).into());
            }
            MessageProperty::ContentType(text) => {
                object.insert("content_type".into(), text.as_str().into());
            }
            MessageProperty::ResponseTopic(topic) => {
                object.insert("response_topic".into(), topic.as_str().into());
            }
            MessageProperty::CorrelationData(data) => {
                object.insert("correlation_data_base64".into(), STANDARD.encode(&data).into());
            }
            // A list and no object: names may come twice, and their order counts.
            MessageProperty::User(name, value) => {
                users.push(json!([name.as_str(), value.as_str()]));
            }
        }
    }
    if !users.is_empty() {
        object.insert("user_properties".into(), users.into());
    }
    object
}

/// RFC 3339 in UTC with milliseconds.
fn timestamp(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let millis = since.subsec_millis();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// The day of a time in seconds since 1970, as a person writes it.
pub(crate) fn day(seconds: u64) -> String {
    let (year, month, day) = date(seconds / 86_400);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Year, month and day of a day counted from 1970-01-01, by whole cycles of 400 years that begin
/// on the first of March, so that the leap day is the last day of a year.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (cycle, day_of_cycle) = (days / 146_097, days % 146_097);
    let leap_days = day_of_cycle / 1_460 - day_of_cycle / 36_524 + day_of_cycle / 146_096;
    let year_of_cycle = (day_of_cycle - leap_days) / 365;
    let day_of_year =
        day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = cycle * 400 + year_of_cycle + u64::from(month <= 2);
    (year, month, day)
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
    fn days_are_counted_through_leap_years() {
        let at = |seconds, millis| {
            timestamp(UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_millis(millis))
        };
        assert_eq!(at(951_782_400, 5), "2000-02-29T00:00:00.005Z");
        assert_eq!(at(1_709_251_199, 999), "2024-02-29T23:59:59.999Z");
        assert_eq!(at(1_709_251_200, 0), "2024-03-01T00:00:00.000Z");
        assert_eq!(at(4_107_542_400, 0), "2100-03-01T00:00:00.000Z");
        assert_eq!(at(1_767_225_599, 0), "2025-12-31T23:59:59.000Z");
    }
}
