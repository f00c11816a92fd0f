use std::{net::IpAddr, ops::ControlFlow, sync::Arc};

use plexus_access::Principal;
use plexus_api_model::{
    ApiError, Client, ClientPath, ClientQuery, ConnectionState, ErrorCode, Moment, Page,
    Subscription, SubscriptionQuery, TenantQuery,
};
use plexus_broker::{ClientView, Question};
use plexus_types::{
    ClientId, Instant, ProtocolVersion, Qos, TenantName, TopicFilter, TopicName, filter_matches,
};
use plexus_wire::SubscriptionOptions;

use crate::{
    Api,
    lists::{self, Wanted},
    server::{Call, Reply},
};

type Answer<A> = Result<Reply<A>, ApiError>;

/// Names that are asked for at a time.
const NAMES_MAX: usize = 100;

/// Clients that are disconnected by one request at most.
const KICKS_MAX: usize = 10_000;

pub(super) async fn list(call: Call<(), ClientQuery, ()>) -> Answer<Page<Client>> {
    let query = call.query;
    let wanted = Wanted::new(query.page, query.limit, query.cursor.as_deref())?;
    if is_elsewhere(&call.api, query.node.as_deref()) {
        return Ok(wanted.cut(Vec::new()).into());
    }
    let (api, choice) = (&call.api, Choice::new(query)?);
    let node: Arc<str> = api.about.name.as_str().into();
    let total = api.totals().get("stats/sessions/count").copied();
    let count = total.filter(|_| choice.is_everything());
    let offer = Arc::new(move |client: ClientView<'_>, found: &mut lists::Found<Client>| {
        if choice.takes(client) {
            found.offer((client.slot(), 0), || shown(client, &node))
        } else {
            ControlFlow::Continue(())
        }
    });
    Ok(lists::walk(api, wanted, count, offer).await?.into())
}

pub(super) async fn get(call: Call<ClientPath, TenantQuery, ()>) -> Answer<Client> {
    let node = call.api.about.name.clone();
    let found =
        find(&call.api, &call.path, &call.query, move |client| shown(client, &node)).await?;
    Ok(found.into())
}

pub(super) async fn subscriptions_of(
    call: Call<ClientPath, TenantQuery, ()>,
) -> Answer<Vec<Subscription>> {
    let node = call.api.about.name.clone();
    let all = move |client: ClientView<'_>| {
        let held = client.session().subscriptions();
        held.map(|(filter, options, _)| subscription(client, &node, &filter, options)).collect()
    };
    Ok(find::<Vec<_>>(&call.api, &call.path, &call.query, all).await?.into())
}

pub(super) async fn kick(call: Call<ClientPath, TenantQuery, ()>) -> Answer<()> {
    let client = named(&call.api, &call.path.clientid, &call.query)?;
    if kicked(&call.api, client).await? {
        Ok(().into())
    } else {
        Err(no_client(&call.path.clientid))
    }
}

pub(super) async fn kick_all(call: Call<(), TenantQuery, Vec<String>>) -> Answer<()> {
    if call.body.len() > KICKS_MAX {
        return Err(ApiError::bad(format!("the body: at most {KICKS_MAX} clients at a time")));
    }
    for client in &call.body {
        let client = named(&call.api, client, &call.query)?;
        kicked(&call.api, client).await?;
    }
    Ok(().into())
}

pub(super) async fn subscriptions(
    call: Call<(), SubscriptionQuery, ()>,
) -> Answer<Page<Subscription>> {
    let query = call.query;
    let wanted = Wanted::new(query.page, query.limit, query.cursor.as_deref())?;
    if is_elsewhere(&call.api, query.node.as_deref()) {
        return Ok(wanted.cut(Vec::new()).into());
    }
    let (api, choice) = (&call.api, Subscribed::new(query)?);
    let node: Arc<str> = api.about.name.as_str().into();
    let total = api.totals().get("stats/subscriptions/count").copied();
    let count = total.filter(|_| choice.is_everything());
    let offer = Arc::new(move |client: ClientView<'_>, found: &mut lists::Found<Subscription>| {
        if !choice.takes_client(client) {
            return ControlFlow::Continue(());
        }
        let done = found.done_of(client.slot());
        let held = (0..).zip(client.session().subscriptions()).skip(done as usize);
        for (index, (filter, options, _)) in held {
            let at = (client.slot(), index);
            if choice.takes(&filter, options) {
                found.offer(at, || subscription(client, &node, &filter, options))?;
            } else {
                found.look(at)?;
            }
        }
        ControlFlow::Continue(())
    });
    Ok(lists::walk(api, wanted, count, offer).await?.into())
}

/// Whether things of another node are asked for.
fn is_elsewhere(api: &Api, node: Option<&str>) -> bool {
    node.is_some_and(|node| node != api.about.name)
}

/// The name by which the node knows a client.
pub(super) fn named(api: &Api, client: &str, query: &TenantQuery) -> Result<ClientId, ApiError> {
    let own = ClientId::try_from(client).map_err(|_| no_client(client))?;
    let tenant = api.tenant(query.tenant.as_ref())?;
    Ok(tenant.map_or_else(|| own.clone(), |tenant| tenant.client(&own)))
}

pub(super) async fn find<T: Send + 'static>(
    api: &Api,
    path: &ClientPath,
    query: &TenantQuery,
    look: impl FnOnce(ClientView<'_>) -> T + Send + 'static,
) -> Result<T, ApiError> {
    let client = named(api, &path.clientid, query)?;
    let shard = api.node.home(&client);
    let found: Option<T> = api
        .ask(shard, |told| Question::Find(client, Box::new(move |client| told(client.map(look)))))
        .await?;
    found.ok_or_else(|| no_client(&path.clientid))
}

async fn kicked(api: &Api, client: ClientId) -> Result<bool, ApiError> {
    let shard = api.node.home(&client);
    api.ask(shard, |told| Question::Kick(client, told)).await
}

pub(super) fn no_client(client: &str) -> ApiError {
    ApiError::new(ErrorCode::ClientIdNotFound, format!("there is no client `{client}`"))
}

fn moment(at: Instant) -> Moment {
    Moment::from_millis(at.as_millis())
}

fn tenant_of(principal: &Principal) -> Option<String> {
    principal.tenant.as_ref().map(|tenant| tenant.as_str().to_owned())
}

fn number(version: ProtocolVersion) -> u8 {
    match version {
        ProtocolVersion::V31 => 3,
        ProtocolVersion::V311 => 4,
        ProtocolVersion::V5 => 5,
    }
}

pub(super) fn shown(client: ClientView<'_>, node: &str) -> Client {
    let (principal, session) = (client.principal(), client.session());
    let (queued, queued_bytes) = session.queued();
    let options = session.options();
    let attributes = principal.rights.as_ref().map(|rights| rights.attributes.iter());
    Client {
        clientid: principal.client_id.as_str().to_owned(),
        username: principal.user_name.as_ref().map(|name| name.as_str().to_owned()),
        tenant: tenant_of(principal),
        node: node.to_owned(),
        ip_address: principal.peer.map(|peer| peer.to_string()),
        listener: principal.listener.to_string(),
        connected: client.is_connected(),
        connected_at: client.connected_at().map(moment),
        disconnected_at: session.away_since().map(moment),
        proto_name: if session.version() == ProtocolVersion::V31 { "MQIsdp" } else { "MQTT" }
            .to_owned(),
        proto_ver: number(session.version()),
        keepalive: session.keep_alive(),
        clean_start: session.expiry() == 0,
        expiry_interval: session.expiry(),
        durable: session.is_durable(),
        client_attrs: attributes
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        subscriptions_cnt: session.subscription_count() as u64,
        subscriptions_max: options.subscriptions_max as u64,
        inflight_cnt: session.inflight() as u64,
        inflight_max: session.window_max().map_or(0, u64::from),
        mqueue_len: queued as u64,
        mqueue_max: options.queue_messages_max as u64,
        mqueue_bytes: queued_bytes as u64,
        awaiting_rel_cnt: session.unreleased() as u64,
        is_congested: client.is_congested(),
    }
}

fn subscription(
    client: ClientView<'_>,
    node: &str,
    filter: &TopicFilter,
    options: SubscriptionOptions,
) -> Subscription {
    let principal = client.principal();
    Subscription {
        clientid: principal.client_id.as_str().to_owned(),
        tenant: tenant_of(principal),
        node: node.to_owned(),
        topic: filter.as_str().to_owned(),
        qos: options.qos.get(),
        nl: u8::from(options.no_local),
        rap: u8::from(options.retain_as_published),
        rh: options.retain_handling as u8,
        durable: client.session().is_durable(),
    }
}

/// Which clients are wanted, made ready to be compared.
struct Choice {
    query: ClientQuery,
    address: Option<IpAddr>,
    search: Option<String>,
}

impl Choice {
    fn new(query: ClientQuery) -> Result<Self, ApiError> {
        let address = query.ip_address.as_deref().map(str::parse).transpose();
        let address = address.map_err(|_| ApiError::bad("ip_address: it is no address"))?;
        for (field, names) in [("clientid", &query.clientid), ("username", &query.username)] {
            if names.len() > NAMES_MAX {
                return Err(ApiError::bad(format!("{field}: at most {NAMES_MAX} of them")));
            }
        }
        let search = query.search.as_ref().map(|text| text.to_lowercase());
        Ok(Self { query, address, search })
    }

    fn is_everything(&self) -> bool {
        let ClientQuery { page, limit, cursor, .. } = self.query.clone();
        self.query == ClientQuery { page, limit, cursor, ..ClientQuery::default() }
    }

    fn takes(&self, client: ClientView<'_>) -> bool {
        let (principal, session) = (client.principal(), client.session());
        let ClientQuery { clientid, username, like_clientid, like_username, .. } = &self.query;
        let id = principal.client_id.as_str();
        let user = principal.user_name.as_deref();
        let fits = |wanted: &Option<String>, is: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| is == Some(wanted))
        };
        let has = |part: &Option<String>, text: Option<&str>| {
            part.as_ref().is_none_or(|part| text.is_some_and(|text| text.contains(part.as_str())))
        };
        (clientid.is_empty() || clientid.iter().any(|wanted| wanted == id))
            && (username.is_empty() || username.iter().any(|wanted| Some(wanted.as_str()) == user))
            && has(like_clientid, Some(id))
            && has(like_username, user)
            && self.address.is_none_or(|address| principal.peer == Some(address))
            && fits(&self.query.listener, Some(&principal.listener))
            && fits(&self.query.tenant, principal.tenant.as_ref().map(TenantName::as_str))
            && self
                .query
                .conn_state
                .is_none_or(|state| (state == ConnectionState::Connected) == client.is_connected())
            && self.query.proto_ver.is_none_or(|version| version == number(session.version()))
            && self.query.clean_start.is_none_or(|clean| clean == (session.expiry() == 0))
            && self.search.as_ref().is_none_or(|search| mentions(principal, search))
    }
}

/// Whether the text, in small letters, stands in anything that a client is known by.
fn mentions(principal: &Principal, search: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(search);
    let attributes = principal.rights.iter().flat_map(|rights| rights.attributes.iter());
    has(principal.client_id.as_str())
        || principal.user_name.as_deref().is_some_and(has)
        || has(&principal.listener)
        || principal.tenant.as_ref().is_some_and(|tenant| has(tenant.as_str()))
        || principal.peer.is_some_and(|peer| has(&peer.to_string()))
        || attributes.into_iter().any(|(name, value)| has(name) || has(value))
}

/// Whether the topic meets the filter, which may be that of a group.
fn matches(filter: &TopicFilter, topic: &TopicName) -> bool {
    TopicFilter::try_from(filter.matched()).is_ok_and(|own| filter_matches(&own, topic))
}

/// Which subscriptions are wanted, made ready to be compared.
struct Subscribed {
    query: SubscriptionQuery,
    qos: Option<Qos>,
    topic: Option<TopicName>,
}

impl Subscribed {
    fn new(query: SubscriptionQuery) -> Result<Self, ApiError> {
        let qos = query.qos.map(|qos| Qos::new(qos).ok_or_else(|| ApiError::bad("qos: 0, 1 or 2")));
        let topic = query.match_topic.as_deref().map(TopicName::try_from).transpose();
        let topic = topic.map_err(|error| ApiError::bad(format!("match_topic: {error}")))?;
        Ok(Self { qos: qos.transpose()?, topic, query })
    }

    fn is_everything(&self) -> bool {
        let SubscriptionQuery { page, limit, cursor, .. } = self.query.clone();
        self.query == SubscriptionQuery { page, limit, cursor, ..SubscriptionQuery::default() }
    }

    fn takes_client(&self, client: ClientView<'_>) -> bool {
        let principal = client.principal();
        let SubscriptionQuery { clientid, tenant, .. } = &self.query;
        clientid.as_ref().is_none_or(|wanted| wanted == principal.client_id.as_str())
            && tenant.as_ref().is_none_or(|wanted| tenant_of(principal).as_ref() == Some(wanted))
    }

    fn takes(&self, filter: &TopicFilter, options: SubscriptionOptions) -> bool {
        let SubscriptionQuery { topic, share_group, .. } = &self.query;
        let group =
            || filter.as_str().strip_prefix("$share/").and_then(|rest| rest.split_once('/'));
        topic.as_ref().is_none_or(|wanted| wanted == filter.as_str())
            && self.qos.is_none_or(|qos| qos == options.qos)
            && share_group
                .as_ref()
                .is_none_or(|wanted| group().is_some_and(|(name, _)| name == wanted))
            && self.topic.as_ref().is_none_or(|topic| matches(filter, topic))
    }
}
