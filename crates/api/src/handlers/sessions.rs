//! What a session has for its client, and what is subscribed for it.

use std::sync::Arc;

use plexus_api_model::{
    ApiError, ClientMessage, ClientMessageQuery, ClientPath, ErrorCode, Meta, Moment,
    NewSubscription, OldSubscription, Page, Subscription, TenantQuery,
};
use plexus_broker::{ClientView, Question};
use plexus_session::QueuedMessage;
use plexus_types::{Message, Qos, TopicFilter};
use plexus_wire::{RetainHandling, SubscriptionOptions};

use super::clients::{find, named, no_client};
use crate::{
    payload::{bounded, shown, shown_max},
    server::{Call, Reply},
};

type Answer<A> = Result<Reply<A>, ApiError>;

const MESSAGES: u64 = 100;
const MESSAGES_MAX: u64 = 1_000;
/// Filters of one request.
const FILTERS_MAX: usize = 1_000;

pub(super) async fn queue(
    call: Call<ClientPath, ClientMessageQuery, ()>,
) -> Answer<Page<ClientMessage>> {
    let count = |client: ClientView<'_>| client.session().queued().0;
    part(call, count, |client, from, most| {
        let queued = client.session().queued_messages();
        queued.skip(from).take(most).map(Held::of).collect()
    })
    .await
}

pub(super) async fn inflight(
    call: Call<ClientPath, ClientMessageQuery, ()>,
) -> Answer<Page<ClientMessage>> {
    let count = |client: ClientView<'_>| client.session().inflight_messages().count();
    part(call, count, |client, from, most| {
        let under_way = client.session().inflight_messages();
        under_way.skip(from).take(most).map(Held::of).collect()
    })
    .await
}

/// A message of a session, as it is: it is written down elsewhere than on the shard.
struct Held {
    told: ClientMessage,
    message: Option<Arc<Message>>,
}

impl Held {
    fn of(queued: QueuedMessage<'_>) -> Self {
        let told = ClientMessage {
            msgid: format!("{:016X}", queued.id().get()),
            topic: None,
            qos: queued.qos().get(),
            retain: queued.retain(),
            inserted_at: Moment::from_millis(queued.since().as_millis()),
            from_clientid: None,
            size: queued.size() as u64,
            packet_id: queued.packet_id.map(plexus_types::PacketId::get),
            received: queued.packet_id.map(|_| queued.is_received),
            payload: None,
            payload_encoding: <_>::default(),
        };
        Self { told, message: queued.message().cloned() }
    }

    fn told(self, most: usize) -> ClientMessage {
        let Self { mut told, message } = self;
        if let Some(message) = message {
            let (payload, encoding) = shown(&message.payload, most);
            told.topic = Some(message.topic.to_shown().as_str().to_owned());
            told.from_clientid = Some(message.publisher.shown().to_owned());
            told.payload = (most > 0).then_some(payload);
            told.payload_encoding = encoding;
        }
        told
    }
}

async fn part(
    call: Call<ClientPath, ClientMessageQuery, ()>,
    count: impl FnOnce(ClientView<'_>) -> usize + Send + 'static,
    walk: impl FnOnce(ClientView<'_>, usize, usize) -> Vec<Held> + Send + 'static,
) -> Answer<Page<ClientMessage>> {
    let ClientMessageQuery { tenant, limit, cursor, payload_max } = call.query;
    let limit = limit.unwrap_or(MESSAGES);
    if !(1..=MESSAGES_MAX).contains(&limit) {
        return Err(ApiError::bad(format!("limit: {limit} is not within 1 and {MESSAGES_MAX}")));
    }
    let most = shown_max(payload_max, 0)?;
    bounded(limit, most)?;
    let begin = match cursor.as_deref() {
        None | Some("none") => 0,
        Some(text) => text.parse::<u32>().map_err(|_| {
            ApiError::bad("cursor: it is not one that a page has given; `none` begins anew")
        })?,
    };
    let look = move |client: ClientView<'_>| {
        (walk(client, begin as usize, limit as usize), count(client) as u64)
    };
    let query = TenantQuery { tenant };
    let (held, count) = find(&call.api, &call.path, &query, look).await?;
    let next = Some(u64::from(begin) + limit).filter(|next| *next < count);
    let meta = Meta {
        page: None,
        limit,
        count: Some(count),
        hasnext: next.is_some(),
        cursor: next.map(|next| next.to_string()),
    };
    Ok(Page { data: held.into_iter().map(|held| held.told(most)).collect(), meta }.into())
}

pub(super) async fn subscribe(
    mut call: Call<ClientPath, TenantQuery, NewSubscription>,
) -> Answer<Subscription> {
    let wanted = vec![std::mem::replace(&mut call.body, blank())];
    let (mut granted, refused) = subscribed(&call, wanted).await?;
    match (granted.pop(), refused) {
        (Some(subscription), _) => Ok(subscription.into()),
        (None, Some(error)) => Err(error),
        (None, None) => Err(no_client(&call.path.clientid)),
    }
}

fn blank() -> NewSubscription {
    NewSubscription { topic: String::new(), qos: 0, nl: 0, rap: 0, rh: 0 }
}

pub(super) async fn subscribe_all(
    mut call: Call<ClientPath, TenantQuery, Vec<NewSubscription>>,
) -> Answer<Vec<Subscription>> {
    let wanted = std::mem::take(&mut call.body);
    let (granted, refused) = subscribed(&call, wanted).await?;
    match refused {
        Some(error) if granted.is_empty() => Err(error),
        _ => Ok(granted.into()),
    }
}

/// What is granted, and the first that is not.
async fn subscribed<B>(
    call: &Call<ClientPath, TenantQuery, B>,
    wanted: Vec<NewSubscription>,
) -> Result<(Vec<Subscription>, Option<ApiError>), ApiError> {
    if wanted.len() > FILTERS_MAX {
        return Err(ApiError::bad(format!("the body: at most {FILTERS_MAX} filters at a time")));
    }
    let mut filters = Vec::with_capacity(wanted.len());
    for one in &wanted {
        let filter = filter_of(&one.topic)?;
        filters.push((filter, options(one)?));
    }
    let client = named(&call.api, &call.path.clientid, &call.query)?;
    let shard = call.api.node.home(&client);
    let asked = filters.clone();
    let granted = call.api.ask(shard, |told| Question::Subscribe(client, asked, told)).await?;
    let granted = granted.ok_or_else(|| no_client(&call.path.clientid))?;
    let kept = find(&call.api, &call.path, &call.query, |client| client.session().is_durable());
    // It may have gone meanwhile, and what it had with it.
    let durable = kept.await.unwrap_or(false);
    let (mut subscriptions, mut refused) = (Vec::new(), None);
    for ((filter, options), granted) in filters.into_iter().zip(granted) {
        match granted {
            Ok(qos) => subscriptions.push(Subscription {
                clientid: call.path.clientid.clone(),
                tenant: call.query.tenant.clone(),
                node: call.api.about.name.clone(),
                topic: filter.as_str().to_owned(),
                qos: qos.get(),
                nl: u8::from(options.no_local),
                rap: u8::from(options.retain_as_published),
                rh: options.retain_handling as u8,
                durable,
            }),
            Err(reason) => {
                refused.get_or_insert_with(|| {
                    let message = format!("`{}` is not granted: {reason}", filter.as_str());
                    ApiError::new(ErrorCode::NotGranted, message)
                });
            }
        }
    }
    Ok((subscriptions, refused))
}

fn filter_of(topic: &str) -> Result<TopicFilter, ApiError> {
    TopicFilter::try_from(topic).map_err(|error| ApiError::bad(format!("topic `{topic}`: {error}")))
}

fn options(wanted: &NewSubscription) -> Result<SubscriptionOptions, ApiError> {
    let flag = |name: &str, value: u8| match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(ApiError::bad(format!("{name}: 0 or 1"))),
    };
    Ok(SubscriptionOptions {
        qos: Qos::new(wanted.qos).ok_or_else(|| ApiError::bad("qos: 0, 1 or 2"))?,
        no_local: flag("nl", wanted.nl)?,
        retain_as_published: flag("rap", wanted.rap)?,
        retain_handling: match wanted.rh {
            0 => RetainHandling::Always,
            1 => RetainHandling::IfNew,
            2 => RetainHandling::Never,
            _ => return Err(ApiError::bad("rh: 0, 1 or 2")),
        },
    })
}

pub(super) async fn unsubscribe(
    call: Call<ClientPath, TenantQuery, OldSubscription>,
) -> Answer<()> {
    let filters = vec![filter_of(&call.body.topic)?];
    unsubscribed(&call, filters).await
}

pub(super) async fn unsubscribe_all(
    call: Call<ClientPath, TenantQuery, Vec<OldSubscription>>,
) -> Answer<()> {
    if call.body.len() > FILTERS_MAX {
        return Err(ApiError::bad(format!("the body: at most {FILTERS_MAX} filters at a time")));
    }
    let filters = call.body.iter().map(|one| filter_of(&one.topic)).collect::<Result<_, _>>()?;
    unsubscribed(&call, filters).await
}

async fn unsubscribed<B>(
    call: &Call<ClientPath, TenantQuery, B>,
    filters: Vec<TopicFilter>,
) -> Answer<()> {
    let client = named(&call.api, &call.path.clientid, &call.query)?;
    let shard = call.api.node.home(&client);
    let had = call.api.ask(shard, |told| Question::Unsubscribe(client, filters, told)).await?;
    had.map(|_| ().into()).ok_or_else(|| no_client(&call.path.clientid))
}
