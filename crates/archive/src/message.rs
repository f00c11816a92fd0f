//! Messages as lines: payloads as text where they are that, properties by their names.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use plexus_session::WillImage;
use plexus_store::StoredMessage;
use plexus_types::{
    ClientId, Durability, Instant, Message, MessageId, MessageProperties, Qos, TenantName, Text,
    TopicFilter, TopicName,
};
use plexus_wire::property::{MessagePropertiesBuilder, MessageProperty, message_properties};

use crate::{
    error::Fault,
    line::{MessageLine, Properties, WillLine},
};

/// What a queue counts for a message is below what a packet carries.
const SIZE_MAX: usize = 268_435_455;
/// The last moment that the node's clock can tell, in the year 2554.
const MILLIS_MAX: u64 = u64::MAX / 1_000_000;

impl MessageLine {
    pub(crate) fn of(message: &StoredMessage) -> Self {
        let (payload, payload_base64) = written(&message.payload);
        Self {
            id: message.id.get(),
            tenant: message.topic.tenant().map(str::to_owned),
            topic: message.topic.to_shown().as_str().to_owned(),
            payload,
            payload_base64,
            qos: message.qos.get(),
            retain: message.retain,
            publisher: message.publisher.shown().to_owned(),
            expires_millis: message.expires,
            properties: Properties::of(&message.properties),
        }
    }

    pub(crate) fn read(self) -> Result<Message, Fault> {
        if self.id == 0 || self.id > u64::MAX / 2 {
            return Err(value("id", &self.id, "a number from 1 to 9223372036854775807"));
        }
        let expires = self.expires_millis.map(|millis| moment("expires_millis", millis));
        let tenant = tenant(self.tenant.as_deref())?;
        let topic = topic("topic", &self.topic)?;
        let publisher = ClientId::new(&text("publisher", &self.publisher)?);
        sized(Message {
            id: MessageId::new(self.id),
            topic: placed(tenant.as_ref(), &topic),
            payload: payload(self.payload, self.payload_base64)?,
            qos: qos(self.qos)?,
            retain: self.retain,
            properties: self.properties.read()?,
            expires: expires.transpose()?,
            publisher: named(tenant.as_ref(), publisher),
            durability: Durability::Synced,
        })
    }
}

impl WillLine {
    pub(crate) fn of(will: &WillImage) -> Self {
        let (payload, payload_base64) = written(&will.message.payload);
        Self {
            topic: will.message.topic.as_str().to_owned(),
            payload,
            payload_base64,
            qos: will.message.qos.get(),
            retain: will.message.retain,
            will_delay_interval: will.delay,
            message_expiry_interval: will.lifetime,
            properties: Properties::of(&will.message.properties),
        }
    }

    /// A Will is always its own client's.
    pub(crate) fn read(self, publisher: &ClientId) -> Result<WillImage, Fault> {
        let message = sized(Message {
            id: MessageId::NONE,
            topic: topic("topic", &self.topic)?,
            payload: payload(self.payload, self.payload_base64)?,
            qos: qos(self.qos)?,
            retain: self.retain,
            properties: self.properties.read()?,
            expires: None,
            publisher: publisher.clone(),
            durability: Durability::default(),
        })?;
        Ok(WillImage {
            message,
            delay: self.will_delay_interval,
            lifetime: self.message_expiry_interval,
        })
    }
}

impl Properties {
    /// Those of a message.
    pub fn of(properties: &MessageProperties) -> Self {
        let mut named = Self::default();
        for property in message_properties(properties) {
            match property {
                MessageProperty::PayloadFormat(utf8) => {
                    named.payload_format_indicator = Some(u8::from(utf8));
                }
                MessageProperty::ContentType(text) => {
                    named.content_type = Some(text.as_str().to_owned());
                }
                MessageProperty::ResponseTopic(topic) => {
                    named.response_topic = Some(topic.as_str().to_owned());
                }
                MessageProperty::CorrelationData(data) => {
                    named.correlation_data_base64 = Some(STANDARD.encode(&data));
                }
                MessageProperty::User(name, value) => {
                    named
                        .user_properties
                        .push((name.as_str().to_owned(), value.as_str().to_owned()));
                }
            }
        }
        named
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn read(self) -> Result<MessageProperties, Fault> {
        let mut built = MessagePropertiesBuilder::new();
        match self.payload_format_indicator {
            None => {}
            Some(flag @ 0..=1) => built = built.payload_format(flag == 1),
            Some(other) => return Err(value("payload_format_indicator", &other, "0 or 1")),
        }
        if let Some(content_type) = self.content_type {
            built = built.content_type(text("content_type", &content_type)?);
        }
        if let Some(response) = self.response_topic {
            built = built.response_topic(topic("response_topic", &response)?);
        }
        if let Some(data) = self.correlation_data_base64 {
            let data = decode("correlation_data_base64", &data)?;
            let bytes = data.len();
            built = built.correlation_data(data).map_err(|_| {
                let found = format!("{bytes} bytes long");
                Fault::Value { field: "correlation_data_base64", found, wanted: "at most 65535" }
            })?;
        }
        for (name, value) in &self.user_properties {
            let (name, value) = (text("user_properties", name)?, text("user_properties", value)?);
            built = built.user_property(&name, &value);
        }
        Ok(built.build())
    }
}

fn sized(message: Message) -> Result<Message, Fault> {
    if message.size() > SIZE_MAX {
        return Err(Fault::Size(message.size()));
    }
    Ok(message)
}

/// A payload as text, if it is text that a person can read in the line; otherwise as base64.
fn written(payload: &[u8]) -> (Option<String>, Option<String>) {
    let readable = |text: &&str| !text.chars().any(|c| c.is_control() && !"\n\r\t".contains(c));
    match std::str::from_utf8(payload).ok().filter(readable) {
        Some(text) => (Some(text.to_owned()), None),
        None => (None, Some(STANDARD.encode(payload))),
    }
}

fn payload(text: Option<String>, base64: Option<String>) -> Result<Bytes, Fault> {
    match (text, base64) {
        (Some(text), None) => Ok(Bytes::from(text)),
        (None, Some(encoded)) => decode("payload_base64", &encoded),
        (Some(_), Some(_)) | (None, None) => Err(Fault::Payload),
    }
}

fn decode(field: &'static str, encoded: &str) -> Result<Bytes, Fault> {
    let decoded = STANDARD.decode(encoded);
    decoded.map(Bytes::from).map_err(|problem| Fault::Base64 { field, problem })
}

pub(crate) fn value(field: &'static str, found: &dyn ToString, wanted: &'static str) -> Fault {
    Fault::Value { field, found: found.to_string(), wanted }
}

pub(crate) fn qos(number: u8) -> Result<Qos, Fault> {
    Qos::new(number).ok_or_else(|| value("qos", &number, "0, 1 or 2"))
}

pub(crate) fn moment(field: &'static str, millis: u64) -> Result<Instant, Fault> {
    if millis > MILLIS_MAX {
        return Err(value(field, &millis, "milliseconds since 1970, before the year 2554"));
    }
    Ok(Instant::from_millis(millis))
}

pub(crate) fn text(field: &'static str, found: &str) -> Result<Text, Fault> {
    Text::try_from(found).map_err(|problem| Fault::Text { field, problem })
}

/// The tenant that a line speaks of.
pub(crate) fn tenant(found: Option<&str>) -> Result<Option<TenantName>, Fault> {
    let name = found.map(|name| (name, TenantName::try_from(name)));
    let name = name.map(|(found, name)| {
        name.map_err(|_| value("tenant", &found, "1 to 64 letters, digits, `_` and `-`"))
    });
    name.transpose()
}

/// The topic as one of the tenant.
pub(crate) fn placed(tenant: Option<&TenantName>, topic: &TopicName) -> TopicName {
    tenant.map_or_else(|| topic.clone(), |tenant| tenant.topic(topic))
}

/// The client as one of the tenant. What nobody has published is nobody's.
pub(crate) fn named(tenant: Option<&TenantName>, client: ClientId) -> ClientId {
    match tenant.filter(|_| !client.is_empty()) {
        Some(tenant) => tenant.client(&client),
        None => client,
    }
}

pub(crate) fn topic(field: &'static str, found: &str) -> Result<TopicName, Fault> {
    TopicName::try_from(found).map_err(|problem| not_a_topic(field, found, problem))
}

pub(crate) fn filter(field: &'static str, found: &str) -> Result<TopicFilter, Fault> {
    TopicFilter::try_from(found).map_err(|problem| not_a_topic(field, found, problem))
}

fn not_a_topic(field: &'static str, found: &str, problem: plexus_types::TopicError) -> Fault {
    const SHOWN_MAX: usize = 60;
    let found = found.chars().take(SHOWN_MAX).collect();
    Fault::Topic { field, found, problem }
}

/// The whole filter of a shared group.
pub(crate) fn shared(
    field: &'static str,
    tenant: Option<&TenantName>,
    group: &str,
) -> Result<Arc<str>, Fault> {
    let whole = filter(field, group)?;
    match whole.shared() {
        Some(_) => Ok(match tenant {
            Some(tenant) => tenant.filter(&whole).as_str().into(),
            None => group.into(),
        }),
        None => Err(value(field, &group, "the filter of a shared group, $share/<name>/<filter>")),
    }
}
