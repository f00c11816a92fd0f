use plexus_session::{Options, QueuePolicy};
use plexus_types::{Qos, Text};

use crate::{
    settings::{MqttSettings, QueueFull},
    value::SpanOrNever,
};

/// The checked settings as the session takes them.
pub(crate) fn options(mqtt: &MqttSettings) -> Options {
    Options {
        durable: false,
        receive_maximum: mqtt.receive_maximum.get(),
        packet_size_max: u32::try_from(mqtt.max_packet_size.get()).unwrap_or(u32::MAX),
        topic_alias_maximum: mqtt.topic_alias_maximum,
        outbound_alias_maximum: mqtt.outbound_topic_alias_maximum,
        inflight_max: mqtt.max_inflight.get(),
        queue_messages_max: mqtt.max_queue_messages as usize,
        queue_bytes_max: mqtt.max_queue_bytes.as_usize(),
        queue_seconds_max: seconds(mqtt.max_queue_age).map_or(u32::MAX, long),
        queue_policy: match mqtt.queue_policy {
            QueueFull::DropOldest => QueuePolicy::DropOldest,
            QueueFull::DropNewest => QueuePolicy::DropNewest,
            QueueFull::Disconnect => QueuePolicy::Disconnect,
        },
        queue_qos0_offline: mqtt.queue_qos0_offline,
        server_keep_alive: seconds(mqtt.server_keep_alive).map(word),
        keep_alive_max: seconds(mqtt.max_keep_alive).map_or(0, word),
        session_expiry_max: seconds(mqtt.max_session_expiry).map_or(u32::MAX, long),
        session_expiry_3x: long(mqtt.session_expiry_3x.get().as_secs()),
        subscriptions_max: mqtt.max_subscriptions as usize,
        topic_levels_max: mqtt.max_topic_levels.into(),
        topic_length_max: mqtt.max_topic_length.into(),
        client_id_length_max: mqtt.max_client_id_length.into(),
        retain_available: mqtt.retain_available,
        wildcard_available: mqtt.wildcard_available,
        shared_available: mqtt.shared_available,
        maximum_qos: Qos::new(mqtt.maximum_qos).unwrap_or(Qos::ExactlyOnce),
        validate_payload_format: mqtt.validate_payload_format,
        response_information: response_information(&mqtt.response_information),
    }
}

/// The check has let whole seconds through only.
fn seconds(span: SpanOrNever) -> Option<u64> {
    span.get().map(|span| span.get().as_secs())
}

fn word(seconds: u64) -> u16 {
    u16::try_from(seconds).unwrap_or(u16::MAX)
}

/// The highest number means "never", so the longest time is one below it.
fn long(seconds: u64) -> u32 {
    u32::try_from(seconds).unwrap_or(u32::MAX).min(u32::MAX - 1)
}

fn response_information(text: &str) -> Option<Text> {
    if text.is_empty() { None } else { Text::try_from(text).ok() }
}
