//! What is retained, and what anybody is subscribed to.

use std::{collections::BTreeSet, ops::ControlFlow, sync::Arc, sync::Mutex};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use plexus_access::is_of_node;
use plexus_api_model::{
    ApiError, Encoding, ErrorCode, Meta, Moment, Page, RetainedMessage, RetainedQuery, Route,
    RouteQuery, TenantQuery, TopicLevel, TopicPath, TreeQuery,
};
use plexus_broker::{ClientView, Question, RetainedFrom, TopicLevel as Level};
use plexus_types::{
    ClientId, Message, MessageId, MessageProperties, Qos, TenantName, TopicFilter, TopicName,
};

use super::messages;
use crate::{
    Api,
    lists::{self, Listed, Wanted},
    payload::{bounded, content_type, shown, shown_max},
    server::{Call, Reply},
};

type Answer<A> = Result<Reply<A>, ApiError>;

/// Different filters that are gathered for a page of them.
const ROUTES_MAX: usize = 100_000;
/// Levels that are asked for at a time.
const LEVELS_MAX: usize = 256;
/// Bytes of the payload that a level of the tree shows.
const PEEK: usize = 1_024;

impl Api {
    /// The tenant of that name, if one is named.
    pub(super) fn tenant(&self, name: Option<&String>) -> Result<Option<TenantName>, ApiError> {
        let Some(name) = name else { return Ok(None) };
        let known = TenantName::try_from(name.as_str()).ok();
        let known = known.filter(|name| self.node.has_tenant(name));
        let none = || ApiError::new(ErrorCode::NotFound, format!("there is no tenant `{name}`"));
        known.ok_or_else(none).map(Some)
    }

    /// The topic, as the node knows it.
    pub(super) fn topic(
        &self,
        topic: &str,
        tenant: Option<&String>,
    ) -> Result<TopicName, ApiError> {
        let own = TopicName::try_from(topic);
        let own = own.map_err(|error| ApiError::bad(format!("topic: {error}")))?;
        let tenant = self.tenant(tenant)?;
        Ok(tenant.map_or_else(|| own.clone(), |tenant| tenant.topic(&own)))
    }

    /// The filter, as the node knows it.
    pub(super) fn filter(
        &self,
        filter: &str,
        tenant: Option<&String>,
    ) -> Result<TopicFilter, ApiError> {
        let own = TopicFilter::try_from(filter);
        let own = own.map_err(|error| ApiError::bad(format!("topic: {error}")))?;
        if own.shared().is_some() {
            return Err(ApiError::bad("topic: a filter without $share"));
        }
        let tenant = self.tenant(tenant)?;
        Ok(tenant.map_or_else(|| own.clone(), |tenant| tenant.filter(&own)))
    }
}

pub(super) async fn retained(call: Call<(), RetainedQuery, ()>) -> Answer<Page<RetainedMessage>> {
    let RetainedQuery { page, limit, cursor, topic, tenant, payload_max } = call.query;
    let wanted = Listed::new(page, limit, cursor.as_deref())?;
    let most = shown_max(payload_max, 0)?;
    bounded(wanted.limit, most)?;
    let filter = call.api.filter(topic.as_deref().unwrap_or("#"), tenant.as_ref())?;
    let (mut skip, limit) = (wanted.skip, wanted.limit as usize);
    let (mut found, mut shard) = (Vec::new(), 0);
    let mut from = None;
    if let Some((number, last)) = wanted.behind {
        (shard, from) = (number, Some(last.into_boxed_str()));
    }
    let shards = call.api.node.shards();
    let mut next = None;
    'shards: while shard < shards {
        let mut place = RetainedFrom::Behind(filter.as_str().into(), from.take());
        loop {
            let part = call.api.ask(shard, |told| Question::RetainedPart(place, told)).await?;
            for message in part.messages {
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                if found.len() >= limit {
                    next = found.last().map(|(shard, last): &(u16, Arc<Message>)| {
                        Listed::text(*shard, last.topic.as_str())
                    });
                    break 'shards;
                }
                found.push((shard, message));
            }
            match part.next {
                Some(cursor) => place = RetainedFrom::Cursor(cursor),
                None => break,
            }
        }
        shard += 1;
    }
    let data = found.iter().map(|(_, message)| retained_shown(message, most)).collect();
    let meta =
        Meta { page, limit: wanted.limit, count: None, hasnext: next.is_some(), cursor: next };
    Ok(Page { data, meta }.into())
}

pub(super) async fn get_retained(
    call: Call<TopicPath, TenantQuery, ()>,
) -> Answer<RetainedMessage> {
    let topic = call.api.topic(&call.path.topic, call.query.tenant.as_ref())?;
    let message = retained_of(&call.api, &topic).await?;
    let message = message.ok_or_else(|| nothing_retained(&call.path.topic))?;
    let mut answer = retained_shown(&message, 0);
    // Whole, and as EMQX has it.
    answer.payload = Some(STANDARD.encode(&message.payload));
    answer.payload_encoding = Encoding::Base64;
    Ok(answer.into())
}

pub(super) async fn delete_retained(call: Call<TopicPath, TenantQuery, ()>) -> Answer<()> {
    let caller = call.caller()?.told();
    let topic = call.api.topic(&call.path.topic, call.query.tenant.as_ref())?;
    if is_of_node(topic.shown()) {
        return Err(ApiError::bad("topic: $SYS and $events are the node's own"));
    }
    let message = retained_of(&call.api, &topic).await?;
    let message = message.ok_or_else(|| nothing_retained(&call.path.topic))?;
    let publisher = ClientId::try_from(format!("api:{caller}").as_str());
    let ended = Message {
        id: MessageId::NONE,
        topic,
        payload: Bytes::new(),
        qos: Qos::AtLeastOnce,
        retain: true,
        properties: MessageProperties::default(),
        expires: None,
        // What is kept is ended as it was kept.
        durability: message.durability,
        publisher: publisher.map_err(|error| ApiError::bad(error.to_string()))?,
    };
    messages::entered(messages::enter(&call.api, ended).await)?;
    Ok(().into())
}

/// The retained message of a topic, of the shard that owns it.
pub(super) async fn retained_of(
    api: &Api,
    topic: &TopicName,
) -> Result<Option<Arc<Message>>, ApiError> {
    let topic = topic.detached();
    api.ask(api.node.home_of_topic(&topic), |told| Question::Retained(topic, told)).await
}

fn nothing_retained(topic: &str) -> ApiError {
    ApiError::new(ErrorCode::NotFound, format!("nothing is retained at `{topic}`"))
}

fn retained_shown(message: &Message, most: usize) -> RetainedMessage {
    let (payload, payload_encoding) = shown(&message.payload, most);
    let topic = message.topic.to_shown();
    RetainedMessage {
        msgid: format!("{:016X}", message.id.get()),
        topic: topic.as_str().to_owned(),
        tenant: message.topic.tenant().map(str::to_owned),
        qos: message.qos.get(),
        from_clientid: message.publisher.shown().to_owned(),
        size: message.payload.len() as u64,
        expires_at: message.expires.map(|at| Moment::from_millis(at.as_millis())),
        payload: (most > 0).then_some(payload),
        payload_encoding,
        content_type: content_type(message),
    }
}

pub(super) async fn tree(call: Call<(), TreeQuery, ()>) -> Answer<Page<TopicLevel>> {
    let TreeQuery { parent, limit, cursor, tenant } = call.query;
    let limit = lists::limit(limit)?;
    let tenant = call.api.tenant(tenant.as_ref())?;
    if cursor.as_ref().is_some_and(|cursor| cursor.contains(['\0', '/'])) {
        return Err(ApiError::bad("cursor: it is not one that a page has given"));
    }
    let above = match &parent {
        Some(parent) => {
            // An empty first level is a level, too.
            let is_topic = parent.is_empty() || TopicName::try_from(parent.as_str()).is_ok();
            if !is_topic {
                return Err(ApiError::bad("parent: it is no topic"));
            }
            Some(parent.clone())
        }
        None => None,
    };
    let placed = match (&tenant, &above) {
        (None, above) => above.clone(),
        (Some(tenant), None) => Some(tenant_root(tenant)),
        (Some(tenant), Some(above)) => Some(format!("{}/{above}", tenant_root(tenant))),
    };
    let mut levels = Vec::<Level>::new();
    for shard in 0..call.api.node.shards() {
        let boxed = |text: Option<&String>| text.map(|text| text.as_str().into());
        let (mut last, mut left) = (boxed(cursor.as_ref()), limit as usize + 1);
        while left > 0 {
            let (parent, behind, count) = (boxed(placed.as_ref()), last, left.min(LEVELS_MAX));
            let ask = |told| Question::Levels(parent, behind, count, told);
            let part = call.api.ask(shard, ask).await?;
            left = if part.len() < count { 0 } else { left - count };
            last = part.last().map(|level| level.name.clone());
            levels.extend(part);
        }
    }
    levels.sort_by(|one, other| one.name.cmp(&other.name));
    levels.dedup_by(|later, kept| {
        let is_same = later.name == kept.name;
        if is_same {
            kept.has_more |= later.has_more;
            kept.message = kept.message.take().or_else(|| later.message.take());
        }
        is_same
    });
    let hasnext = levels.len() > limit as usize;
    levels.truncate(limit as usize);
    let cursor = levels.last().filter(|_| hasnext).map(|level| level.name.to_string());
    let data = levels.into_iter().map(|level| TopicLevel {
        topic: above
            .as_ref()
            .map_or_else(|| level.name.to_string(), |above| format!("{above}/{}", level.name)),
        name: level.name.into(),
        has_children: level.has_more,
        retained: level.message.map(|message| retained_shown(&message, PEEK)),
    });
    let data = data.collect();
    Ok(Page { data, meta: Meta { page: None, limit, count: None, hasnext, cursor } }.into())
}

/// Below which the topics of a tenant stand.
fn tenant_root(tenant: &TenantName) -> String {
    let below = TopicName::from_checked("x");
    let placed = tenant.topic(&below);
    placed.as_str().strip_suffix("/x").unwrap_or_default().to_owned()
}

pub(super) async fn routes(call: Call<(), RouteQuery, ()>) -> Answer<Page<Route>> {
    let RouteQuery { page, limit, topic, node } = call.query;
    let wanted = Wanted::new(page, limit, None)?;
    if node.is_some_and(|node| node != call.api.about.name) {
        return Ok(wanted.cut(Vec::new()).into());
    }
    let filters =
        filters(&call.api, move |filter, _| topic.as_ref().is_none_or(|wanted| wanted == filter));
    Ok(wanted.cut(filters.await?).into())
}

pub(super) async fn route(call: Call<TopicPath, TenantQuery, ()>) -> Answer<Vec<Route>> {
    let tenant = call.api.tenant(call.query.tenant.as_ref())?;
    let topic = call.path.topic.clone();
    let found = filters(&call.api, move |filter, whose| {
        filter == topic && whose == tenant.as_ref().map(TenantName::as_str)
    });
    let found = found.await?;
    if found.is_empty() {
        let message = format!("nobody is subscribed to `{}`", call.path.topic);
        return Err(ApiError::new(ErrorCode::NotFound, message));
    }
    Ok(found.into())
}

/// The different filters of all clients that are wanted, in order.
async fn filters(
    api: &Api,
    takes: impl Fn(&str, Option<&str>) -> bool + Send + Sync + 'static,
) -> Result<Vec<Route>, ApiError> {
    let found = Arc::new(Mutex::new(BTreeSet::<(String, Option<String>)>::new()));
    let into = Arc::clone(&found);
    let look = move |client: ClientView<'_>, walk: &mut lists::Found<()>| {
        let tenant = client.principal().tenant.as_ref().map(TenantName::as_str);
        let done = walk.done_of(client.slot());
        let held = (0..).zip(client.session().subscriptions()).skip(done as usize);
        let mut into = lists::locked(&into);
        for (index, (filter, ..)) in held {
            walk.look((client.slot(), index))?;
            let filter = filter.matched();
            if into.len() <= ROUTES_MAX && takes(filter, tenant) {
                into.insert((filter.to_owned(), tenant.map(str::to_owned)));
            }
        }
        ControlFlow::Continue(())
    };
    lists::walk(api, Wanted::whole(), None, Arc::new(look)).await?;
    let found = std::mem::take(&mut *lists::locked(&found));
    if found.len() > ROUTES_MAX {
        let message = format!(
            "there are more than {ROUTES_MAX} filters; /subscriptions lists all of them by cursor"
        );
        return Err(ApiError::bad(message));
    }
    let node = &api.about.name;
    let routes = found.into_iter();
    Ok(routes.map(|(topic, tenant)| Route { topic, tenant, node: node.clone() }).collect())
}
