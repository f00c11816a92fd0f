use std::{future::Future, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use plexus_access::is_of_node;
use plexus_api_model::{
    ApiError, Encoding, ErrorCode, Publication, PublicationProperties, Published,
};
use plexus_broker::Question;
use plexus_runtime::unix_now;
use plexus_types::{
    ClientId, Durability, Message, MessageId, MessageProperties, Qos, ReasonCode, Text, TopicName,
};
use plexus_wire::property::MessagePropertiesBuilder;
use tokio::sync::oneshot;

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
    let caller = call.caller()?.told();
    let message = message(&call.api, call.body, &caller)?;
    let reason = entered(enter(&call.api, message).await)?;
    Ok(Reply::with(status(reason), published(reason)))
}

/// What became of a message that was taken.
pub(super) fn entered(reason: ReasonCode) -> Result<ReasonCode, ApiError> {
    match reason {
        ReasonCode::Success | ReasonCode::NoMatchingSubscribers => Ok(reason),
        refused => {
            Err(ApiError::new(ErrorCode::ServiceUnavailable, format!("not taken: {refused}")))
        }
    }
}

pub(super) async fn publish_bulk(call: Call<(), (), Vec<Publication>>) -> Answer<Vec<Published>> {
    let caller = call.caller()?.told();
    if call.body.len() > BULK_MAX {
        return Err(ApiError::bad(format!("the body: at most {BULK_MAX} messages at a time")));
    }
    // All of them are looked at before the first is published.
    let mut messages = Vec::with_capacity(call.body.len());
    for (index, publication) in call.body.into_iter().enumerate() {
        let made = message(&call.api, publication, &caller);
        let wrong = |error: ApiError| ApiError::bad(format!("message {index}: {}", error.message));
        messages.push(made.map_err(wrong)?);
    }
    // They enter in their order, and are kept together.
    let entering: Vec<_> = messages.into_iter().map(|message| enter(&call.api, message)).collect();
    let (mut answers, mut worst) = (Vec::with_capacity(entering.len()), 200);
    for reason in entering {
        let reason = reason.await;
        worst = worst.max(status(reason));
        answers.push(published(reason));
    }
    Ok(Reply::with(worst, answers))
}

/// The status for what became of a message.
fn status(reason: ReasonCode) -> u16 {
    match reason {
        ReasonCode::Success => 200,
        ReasonCode::NoMatchingSubscribers => ACCEPTED,
        _ => ErrorCode::ServiceUnavailable.status(),
    }
}

fn published(reason: ReasonCode) -> Published {
    let is_success = reason == ReasonCode::Success;
    Published {
        reason_code: (!is_success).then(|| reason.get()),
        message: (!is_success).then(|| reason.to_string()),
    }
}

/// Has the message enter by the door, at once; yields what becomes of it. A node that has too much to do takes nothing.
///
/// It enters where its topic is at home: messages of a topic stay in their order, and who asks for what is retained
/// after the answer sees it.
pub(super) fn enter(api: &Api, message: Message) -> impl Future<Output = ReasonCode> + use<> {
    let shard = api.node.home_of_topic(&message.topic);
    let (tell, told) = oneshot::channel();
    let answer = Box::new(move |reason| {
        // Nobody may wait for it any more.
        let _: Result<(), ReasonCode> = tell.send(reason);
    });
    // Without room the question is dropped, and with it who would tell.
    drop(api.node.ask(shard, Question::Publish(Box::new(message), answer)));
    async move { told.await.unwrap_or(ReasonCode::ServerBusy) }
}

fn message(api: &Api, publication: Publication, caller: &str) -> Result<Message, ApiError> {
    let Publication { topic, payload, payload_encoding, qos, retain, tenant, clientid, properties } =
        publication;
    let name = TopicName::try_from(topic.as_str());
    let mut topic = name.map_err(|error| ApiError::bad(format!("topic: {error}")))?;
    if is_of_node(topic.as_bytes()) {
        return Err(ApiError::bad("topic: $SYS and $events are the node's own"));
    }
    if let Some(tenant) = api.tenant(tenant.as_ref())? {
        topic = tenant.topic(&topic);
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
    let message = Message {
        id: MessageId::NONE,
        topic,
        payload,
        qos: Qos::new(qos).ok_or_else(|| ApiError::bad("qos: 0, 1 or 2"))?,
        retain,
        properties: forwarded(properties)?,
        expires: life.map(|seconds| unix_now() + Duration::from_secs(seconds.into())),
        durability: Durability::default(),
        publisher,
    };
    match plexus_session::objection(&message, &api.about.allowed) {
        Some((reason, words)) => Err(ApiError::bad(format!("{words} ({reason})"))),
        None => Ok(message),
    }
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
