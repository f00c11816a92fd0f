//! Why: who would receive a message, what the rules say, and what has happened to a client.

use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex},
};

use plexus_access::{Act as Wanted, Explanation, Policy, Principal, Verdict};
use plexus_api_model::{
    AccessAnswer, AccessQuestion, Act, ApiError, ClientEvent, ClientPath, ClientStory, ErrorCode,
    Fate, PublishAnswer, PublishQuestion, Receiver, ReceivingGroup, Ruling, Somebody, TenantQuery,
};
use plexus_broker::{ClientView, Member, Question, SubscriberId};
use plexus_types::{ClientId, Qos, Text, TopicFilter, TopicName, filter_matches};

use super::{
    clients::{find, named, shown},
    topics::retained_of,
};
use crate::{
    Api,
    lists::locked,
    server::{Call, Reply},
};

type Answer<A> = Result<Reply<A>, ApiError>;

const RECEIVERS: u64 = 100;
const RECEIVERS_MAX: u64 = 1_000;
/// Members of a group that are named.
const MEMBERS_MAX: usize = 100;
/// Events of a client that are told.
const EVENTS_MAX: usize = 100;

pub(super) async fn access(call: Call<(), (), AccessQuestion>) -> Answer<AccessAnswer> {
    let AccessQuestion { client, action, topic, qos, retain } = call.body;
    let qos = Qos::new(qos).ok_or_else(|| ApiError::bad("qos: 0, 1 or 2"))?;
    let asked = Asked::new(action, &topic, qos, retain)?;
    let (answer, _) = ask(&call.api, &client, asked).await?;
    Ok(answer.into())
}

/// What somebody wants, with names of its own.
#[derive(Debug, Clone)]
enum Asked {
    Publish(TopicName, Qos, bool),
    Subscribe(TopicFilter, Qos),
    Receive(TopicName, Qos),
}

impl Asked {
    fn new(action: Act, topic: &str, qos: Qos, retain: bool) -> Result<Self, ApiError> {
        let wrong = |error: plexus_types::TopicError| ApiError::bad(format!("topic: {error}"));
        Ok(match action {
            Act::Publish => Self::Publish(TopicName::try_from(topic).map_err(wrong)?, qos, retain),
            Act::Subscribe => Self::Subscribe(TopicFilter::try_from(topic).map_err(wrong)?, qos),
            Act::Receive => Self::Receive(TopicName::try_from(topic).map_err(wrong)?, qos),
        })
    }

    fn explained(&self, policy: &dyn Policy, principal: &Principal) -> Explanation {
        let act = match self {
            Self::Publish(topic, qos, retain) => {
                Wanted::Publish { topic, qos: *qos, retain: *retain }
            }
            Self::Subscribe(filter, qos) => Wanted::Subscribe { filter, qos: *qos },
            Self::Receive(topic, qos) => Wanted::Receive { topic, qos: *qos },
        };
        policy.explain(principal, &act)
    }
}

fn answer(explanation: Explanation) -> AccessAnswer {
    let ruling = match explanation.verdict {
        Verdict::Allow => Ruling::Allowed,
        Verdict::Deny(_) => Ruling::Refused,
        Verdict::Later => Ruling::Asked,
    };
    AccessAnswer { ruling, because: explanation.because }
}

/// What the rules say to somebody, and whether the node knows it.
async fn ask(api: &Api, client: &Somebody, asked: Asked) -> Result<(AccessAnswer, bool), ApiError> {
    if let Some(id) = &client.clientid {
        let name = named(api, id, &TenantQuery { tenant: client.tenant.clone() })?;
        let (shard, own) = (api.node.home(&name), asked.clone());
        let look = move |client: ClientView<'_>| own.explained(client.policy(), client.principal());
        let found: Option<Explanation> = api
            .ask(shard, |told| Question::Find(name, Box::new(move |client| told(client.map(look)))))
            .await?;
        if let Some(explanation) = found {
            return Ok((answer(explanation), true));
        }
    }
    let (principal, policy) = imagined(api, client)?;
    Ok((answer(asked.explained(&*policy, &principal)), false))
}

/// Somebody who is not there, at the listener that it would come through.
fn imagined(api: &Api, client: &Somebody) -> Result<(Principal, Arc<dyn Policy>), ApiError> {
    let doors = &api.about.doors;
    let door = match &client.listener {
        Some(name) => doors.iter().find(|door| door.name == *name).ok_or_else(|| {
            ApiError::new(ErrorCode::NotFound, format!("there is no listener `{name}`"))
        })?,
        None => doors
            .first()
            .ok_or_else(|| ApiError::new(ErrorCode::NotFound, "the node has no listener"))?,
    };
    let id = client.clientid.as_deref().unwrap_or_default();
    let wrong = |what: &str, error: &dyn std::fmt::Display| {
        ApiError::bad(format!("client.{what}: {error}"))
    };
    let user_name = client.username.as_deref().map(Text::try_from).transpose();
    let principal = Principal {
        client_id: ClientId::try_from(id).map_err(|error| wrong("clientid", &error))?,
        user_name: user_name.map_err(|error| wrong("username", &error))?,
        peer: client.ip_address,
        listener: door.name.as_str().into(),
        tenant: api.tenant(client.tenant.as_ref())?,
        is_unplaced: false,
        rights: None,
    };
    Ok((principal, Arc::clone(&door.policy)))
}

pub(super) async fn publish(call: Call<(), (), PublishQuestion>) -> Answer<PublishAnswer> {
    let PublishQuestion { client, topic, qos, retain, limit } = call.body;
    let api = &call.api;
    let limit = limit.unwrap_or(RECEIVERS);
    if !(1..=RECEIVERS_MAX).contains(&limit) {
        return Err(ApiError::bad(format!("limit: {limit} is not within 1 and {RECEIVERS_MAX}")));
    }
    let qos = Qos::new(qos).ok_or_else(|| ApiError::bad("qos: 0, 1 or 2"))?;
    let own = TopicName::try_from(topic.as_str());
    let own = own.map_err(|error| ApiError::bad(format!("topic: {error}")))?;
    let tenant = client.as_ref().and_then(|client| client.tenant.clone());
    let placed = api.topic(&topic, tenant.as_ref())?;
    let (publisher, publisher_known) = if let Some(client) = &client {
        ask(api, client, Asked::Publish(own.clone(), qos, retain)).await?
    } else {
        let because = "published by the API: the role is the right".to_owned();
        (AccessAnswer { ruling: Ruling::Allowed, because }, false)
    };
    let from = client.as_ref().and_then(|client| client.clientid.clone());
    let message = Arc::new(Imagined { own, placed: placed.clone(), qos, from });
    let (receivers, groups, has_more) = receivers(api, &message, limit as usize).await?;
    let mut named = Vec::with_capacity(groups.len());
    // Members are asked one by one: no more of all groups together than of the others.
    let mut left = limit as usize;
    for (filter, members) in groups {
        let one = group(api, &message, &filter, (members, left)).await?;
        left -= one.members.len();
        named.push(one);
    }
    let retained = retained_told(api, &placed, retain).await?;
    let answer =
        PublishAnswer { publisher, publisher_known, receivers, groups: named, has_more, retained };
    Ok(answer.into())
}

async fn retained_told(
    api: &Api,
    topic: &TopicName,
    retain: bool,
) -> Result<Option<String>, ApiError> {
    let before = retained_of(api, topic).await?;
    Ok(match (before, retain) {
        (None, false) => None,
        (None, true) => Some("it becomes the retained message of the topic".to_owned()),
        (Some(before), true) => Some(format!(
            "it takes the place of the retained message of {} bytes; an empty payload ends it",
            before.payload.len()
        )),
        (Some(before), false) => {
            Some(format!("the retained message of {} bytes stays", before.payload.len()))
        }
    })
}

/// A message that nobody publishes.
struct Imagined {
    /// The topic as clients know it, and as the node does.
    own: TopicName,
    placed: TopicName,
    qos: Qos,
    from: Option<String>,
}

type Groups = Vec<(Arc<str>, Vec<Member>)>;

/// Those who are subscribed themselves, the groups, and whether there are more.
async fn receivers(
    api: &Api,
    message: &Arc<Imagined>,
    limit: usize,
) -> Result<(Vec<Receiver>, Groups, bool), ApiError> {
    let found = Arc::new(Mutex::new(Vec::new()));
    let mut groups = Vec::new();
    for shard in 0..api.node.shards() {
        let mut from = Some(0);
        while let Some(slot) = from {
            let (into, message) = (Arc::clone(&found), Arc::clone(message));
            let topic = message.placed.detached();
            let visit = Box::new(move |client: ClientView<'_>| {
                locked(&into).extend(message.at(client, |filter| filter.shared().is_none()));
                ControlFlow::Continue(())
            });
            let ask = |told| Question::Receivers(topic, slot, visit, told);
            let part = api.ask(shard, ask).await?;
            if slot == 0 {
                groups.extend(part.groups);
            }
            from = part.next.filter(|_| locked(&found).len() <= limit);
        }
    }
    let mut receivers = std::mem::take(&mut *locked(&found));
    let has_more = receivers.len() > limit;
    receivers.truncate(limit);
    Ok((receivers, groups, has_more))
}

async fn group(
    api: &Api,
    message: &Arc<Imagined>,
    filter: &str,
    (mut members, most): (Vec<Member>, usize),
) -> Result<ReceivingGroup, ApiError> {
    let filter = TopicFilter::shown_of(filter).into_owned();
    let most = most.min(MEMBERS_MAX);
    let has_more = members.len() > most;
    members.truncate(most);
    let mut named = Vec::with_capacity(members.len());
    for Member { shard, subscriber: SubscriberId(slot) } in members {
        let (own, message) = (filter.clone(), Arc::clone(message));
        let look = move |client: ClientView<'_>| message.at(client, |held| held.as_str() == own);
        // Meanwhile it may have gone.
        let at: Option<Option<Receiver>> = api
            .ask(shard, |told| Question::At(slot, Box::new(move |client| told(client.map(look)))))
            .await?;
        named.extend(at.flatten());
    }
    Ok(ReceivingGroup { filter, members: named, has_more })
}

impl Imagined {
    /// What becomes of it at a client, by those subscriptions that are counted; nothing if there are none.
    fn at(
        &self,
        client: ClientView<'_>,
        counts: impl Fn(&TopicFilter) -> bool,
    ) -> Option<Receiver> {
        let (principal, session) = (client.principal(), client.session());
        let is_own = self.from.as_deref() == Some(principal.client_id.as_str());
        let (mut filters, mut highest, mut wanted) = (Vec::new(), Qos::AtMostOnce, false);
        for (filter, options, _) in session.subscriptions() {
            if !counts(&filter) || !filter_matches(filter.matched(), &self.own) {
                continue;
            }
            highest = highest.max(options.qos);
            wanted |= !(options.no_local && is_own);
            filters.push(filter.as_str().to_owned());
        }
        if filters.is_empty() {
            return None;
        }
        let qos = self.qos.min(highest);
        let refusal = client.policy().filters_deliveries(principal).then(|| {
            let act = Wanted::Receive { topic: &self.own, qos };
            client.policy().explain(principal, &act)
        });
        let refusal = refusal.filter(|explanation| explanation.verdict != Verdict::Allow);
        let fate = match &refusal {
            Some(_) => Fate::Refused,
            None if !wanted => Fate::NoLocal,
            None => fate(client, qos),
        };
        Some(Receiver {
            clientid: principal.client_id.as_str().to_owned(),
            tenant: principal.tenant.as_ref().map(|tenant| tenant.as_str().to_owned()),
            filters,
            qos: qos.get(),
            fate,
            because: refusal.map(|explanation| explanation.because),
        })
    }
}

/// What the session does with one more message.
fn fate(client: ClientView<'_>, qos: Qos) -> Fate {
    let session = client.session();
    let (queued, bytes) = session.queued();
    let window = usize::from(session.window_max().unwrap_or(0));
    let has_window = qos == Qos::AtMostOnce || session.inflight() < window;
    if client.is_connected() && !client.is_congested() && queued == 0 && has_window {
        return Fate::Sent;
    }
    let options = session.options();
    if !client.is_connected() && qos == Qos::AtMostOnce && !options.queue_qos0_offline {
        return Fate::Offline;
    }
    if queued >= options.queue_messages_max || bytes >= options.queue_bytes_max {
        return Fate::QueueFull;
    }
    Fate::Queued
}

pub(super) async fn client(call: Call<ClientPath, TenantQuery, ()>) -> Answer<ClientStory> {
    let node = call.api.about.name.clone();
    let found = find(&call.api, &call.path, &call.query, move |client| shown(client, &node)).await;
    let client = match found {
        Ok(client) => Some(client),
        Err(error) if error.code == ErrorCode::ClientIdNotFound => None,
        Err(error) => return Err(error),
    };
    let (id, tenant) = (&call.path.clientid, call.query.tenant.as_deref());
    let mine = |event: &ClientEvent| {
        event.clientid.as_ref() == Some(id) && event.tenant.as_deref() == tenant
    };
    let events = call.api.chronicle.last(EVENTS_MAX, mine);
    let told = told(client.as_ref().map(|client| client.connected), &events);
    Ok(ClientStory { client, told, events }.into())
}

fn told(connected: Option<bool>, events: &[ClientEvent]) -> String {
    let last = events.iter().find(|event| {
        matches!(event.event.as_str(), "disconnect" | "end")
            || (event.kind == "login" || event.kind == "ban") && event.outcome == "refused"
    });
    let why = last.map(|event| {
        let because = event.because.as_deref().unwrap_or("no reason is known");
        match (event.event.as_str(), event.outcome.as_str()) {
            ("disconnect", _) => format!("disconnected at {}: {because}", event.at),
            ("end", _) => format!("its session ended at {}: {because}", event.at),
            _ => format!("turned away at {}: {because}", event.at),
        }
    });
    match (connected, why) {
        (Some(true), None) => "connected".to_owned(),
        (Some(true), Some(why)) => format!("connected; before that {why}"),
        (Some(false), None) => "not connected; its session waits for it".to_owned(),
        (Some(false), Some(why)) => format!("not connected, its session waits for it; {why}"),
        (None, Some(why)) => format!("not there, and it has no session; {why}"),
        (None, None) => "not there, it has no session, and nothing is remembered of it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn whoever_was_never_there_has_no_story() {
        assert!(told(None, &[]).contains("nothing is remembered"));
        assert_eq!(told(Some(true), &[]), "connected");
    }
}
