use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use plexus_api_model::{ApiError, Encoding, Publication, PublicationProperties, Published};
use plexus_broker::Question;
use plexus_runtime::unix_now;
use plexus_types::{
    ClientId, Durability, Message, MessageId, MessageProperties, Qos, ReasonCode, TenantName, Text,
    TopicName,
};
use plexus_wire::property::MessagePropertiesBuilder;

use crate::{
    Api,
    server::{Call, Reply},
};

type Answer<A> = Result<Reply<A>, ApiError>;

/// Messages of one request at most.
const BULK_MAX: usize = 10_000;

/// Published, and nobody wanted it.
const ACCEPTED: u16 = 202;

pub(super) async fn publish(call: Call<(), (), Publication>) -> Answer<Published> {
    let caller = call.caller()?.name.clone();
    let message = message(&call.api, call.body, &caller)?;
    let (published, reached) = entered(&call.api, message).await?;
    Ok(if reached { published.into() } else { Reply::with(ACCEPTED, published) })
}

pub(super) async fn publish_bulk(call: Call<(), (), Vec<Publication>>) -> Answer<Vec<Published>> {
    let caller = call.caller()?.name.clone();
    if call.body.len() > BULK_MAX {
        return Err(ApiError::bad(format!("the body: at most {BULK_MAX} messages at a time")));
    }
    // All of them are looked at before the first is published.
    let mut messages = Vec::with_capacity(call.body.len());
    for (index, publication) in call.body.into_iter().enumerate() {
        let made = message(&call.api, publication, &caller);
        messages.push(
            made.map_err(|error| ApiError::bad(format!("message {index}: {}", error.message)))?,
        );
    }
    let (mut answers, mut all_reached) = (Vec::with_capacity(messages.len()), true);
    for message in messages {
        let (published, reached) = entered(&call.api, message).await?;
        all_reached &= reached;
        answers.push(published);
    }
    Ok(if all_reached { answers.into() } else { Reply::with(ACCEPTED, answers) })
}

/// Has the message enter by the door; what became of it, and whether anybody gets it.
async fn entered(api: &Api, message: Message) -> Result<(Published, bool), ApiError> {
    let shard = api.node.home(&message.publisher);
    let reason = api.ask(shard, |told| Question::Publish(Box::new(message), told)).await?;
    let is_success = reason == ReasonCode::Success;
    let published = Published {
        reason_code: (!is_success).then(|| reason.get()),
        message: (!is_success).then(|| reason.to_string()),
    };
    Ok((published, is_success))
}

fn message(api: &Api, publication: Publication, caller: &str) -> Result<Message, ApiError> {
    let Publication { topic, payload, payload_encoding, qos, retain, tenant, clientid, properties } =
        publication;
    let name = TopicName::try_from(topic.as_str());
    let mut topic = name.map_err(|error| ApiError::bad(format!("topic: {error}")))?;
    if topic.as_bytes().starts_with(b"$SYS/") {
        return Err(ApiError::bad("topic: $SYS is the node's own"));
    }
    if let Some(tenant) = tenant {
        let name =
            TenantName::try_from(tenant.as_str()).ok().filter(|name| api.node.has_tenant(name));
        let name = name.ok_or_else(|| ApiError::bad(format!("tenant: there is no `{tenant}`")))?;
        topic = name.topic(&topic);
    }
    let payload = match payload_encoding {
        Encoding::Plain => Bytes::from(payload),
        Encoding::Base64 => {
            let bytes = STANDARD.decode(&payload);
            Bytes::from(
                bytes.map_err(|error| ApiError::bad(format!("payload: no base64: {error}")))?,
            )
        }
    };
    let publisher = clientid.unwrap_or_else(|| format!("api:{caller}"));
    let publisher = ClientId::try_from(publisher.as_str());
    let publisher = publisher.map_err(|error| ApiError::bad(format!("clientid: {error}")))?;
    let properties = properties.unwrap_or_default();
    let life = properties.message_expiry_interval;
    Ok(Message {
        id: MessageId::NONE,
        topic,
        payload,
        qos: Qos::new(qos).ok_or_else(|| ApiError::bad("qos: 0, 1 or 2"))?,
        retain,
        properties: forwarded(properties)?,
        expires: life.map(|seconds| unix_now() + Duration::from_secs(seconds.into())),
        durability: Durability::default(),
        publisher,
    })
}

fn forwarded(properties: PublicationProperties) -> Result<MessageProperties, ApiError> {
    let text = |name: &str, text: &str| {
        Text::try_from(text).map_err(|error| ApiError::bad(format!("properties.{name}: {error}")))
    };
    let mut built = MessagePropertiesBuilder::new();
    match properties.payload_format_indicator {
        None => {}
        Some(indicator @ (0 | 1)) => built = built.payload_format(indicator == 1),
        Some(_) => return Err(ApiError::bad("properties.payload_format_indicator: 0 or 1")),
    }
    if let Some(kind) = properties.content_type {
        built = built.content_type(text("content_type", &kind)?);
    }
    if let Some(topic) = properties.response_topic {
        let topic = TopicName::try_from(topic.as_str());
        let wrong = |error| ApiError::bad(format!("properties.response_topic: {error}"));
        built = built.response_topic(topic.map_err(wrong)?);
    }
    if let Some(data) = properties.correlation_data {
        let wrong = |_| ApiError::bad("properties.correlation_data: at most 65,535 bytes");
        built = built.correlation_data(Bytes::from(data)).map_err(wrong)?;
    }
    for (name, value) in &properties.user_properties {
        built =
            built.user_property(&text("user_properties", name)?, &text("user_properties", value)?);
    }
    Ok(built.build())
}
