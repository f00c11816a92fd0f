//! An event, and the message that tells it.

use bytes::Bytes;
use plexus_access::Principal;
use plexus_audit::{Event, Kind, Outcome};
use plexus_broker::Sight;
use plexus_types::{
    ClientId, Durability, Instant, Message, MessageId, MessageProperties, Qos, TenantName,
    TopicFilter, TopicName, filter_matches,
};
use serde::Serialize;

use crate::{EventKind, ROOT};

/// What happened. Field names are EMQX's where it has them.
#[derive(Debug, Serialize)]
pub(crate) struct Told {
    #[serde(skip)]
    levels: &'static str,
    #[serde(skip)]
    tenant: Option<TenantName>,
    event: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    node: String,
    /// Milliseconds since 1970.
    timestamp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    clientid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peerhost: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    listener: Option<String>,
    /// The topic of a message, or a filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qos: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The message's name within the node.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_clientid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
}

/// What a report tells, if it tells anything of a client.
pub(crate) fn kind_of(event: &Event) -> Option<EventKind> {
    match (event.kind, event.act, event.outcome) {
        (Kind::Login, "connect", Outcome::Done) => Some(EventKind::Connected),
        (Kind::Login | Kind::Ban, _, Outcome::Refused) => Some(EventKind::Refused),
        (Kind::Session, "disconnect", _) => Some(EventKind::Disconnected),
        (Kind::Access, _, Outcome::Refused) => Some(EventKind::AccessRefused),
        _ => None,
    }
}

pub(crate) const fn kind_of_sight(sight: &Sight<'_>) -> Option<EventKind> {
    match sight {
        Sight::Published(..) | Sight::Kept(_) => None,
        Sight::Delivered(..) => Some(EventKind::Delivered),
        Sight::Acknowledged(..) => Some(EventKind::Acked),
        Sight::Dropped(..) => Some(EventKind::Dropped),
        Sight::Subscribed(..) => Some(EventKind::Subscribed),
        Sight::Unsubscribed(..) => Some(EventKind::Unsubscribed),
    }
}

/// Whether it is about one of these topics, and not about an event itself.
pub(crate) fn is_meant(sight: &Sight<'_>, topics: &[TopicFilter]) -> bool {
    let (Sight::Delivered(_, message, _) | Sight::Acknowledged(_, message, _)) = sight else {
        return true;
    };
    let Ok(topic) = std::str::from_utf8(message.topic.shown()) else { return false };
    !topic.starts_with(ROOT) && topics.iter().any(|filter| filter_matches(filter.as_str(), topic))
}

impl Told {
    fn blank(levels: &'static str, at: Instant) -> Self {
        Self {
            levels,
            tenant: None,
            event: levels.replace('/', "."),
            node: String::new(),
            timestamp: at.as_millis(),
            clientid: None,
            username: None,
            peerhost: None,
            listener: None,
            topic: None,
            action: None,
            qos: None,
            reason: None,
            id: None,
            from_clientid: None,
            size: None,
            count: None,
        }
    }

    pub(crate) fn lost(count: u64, at: Instant) -> Self {
        Self { count: Some(count), ..Self::blank("lost", at) }
    }

    /// So many more of the same.
    pub(crate) fn add(&mut self, more: u32) {
        self.count = Some(self.count.unwrap_or(0).saturating_add(more.into()));
    }

    pub(crate) fn of_report(kind: EventKind, event: &Event, at: Instant) -> Self {
        let who = &event.who;
        let is_access = kind == EventKind::AccessRefused;
        Self {
            tenant: who.tenant.as_deref().and_then(|name| TenantName::try_from(name).ok()),
            clientid: who.client.clone(),
            username: who.user.clone(),
            peerhost: who.peer.map(|peer| peer.to_string()),
            listener: who.listener.clone(),
            topic: event.target.clone().filter(|_| is_access),
            action: is_access.then_some(event.act),
            reason: event.because.clone(),
            ..Self::blank(kind.levels(), at)
        }
    }

    pub(crate) fn of_sight(kind: EventKind, sight: &Sight<'_>, at: Instant) -> Self {
        let blank = Self::blank(kind.levels(), at);
        match *sight {
            Sight::Published(..) | Sight::Kept(_) => blank,
            Sight::Delivered(principal, message, qos)
            | Sight::Acknowledged(principal, message, qos) => Self {
                topic: Some(message.topic.to_shown().as_str().to_owned()),
                qos: Some(qos.get()),
                id: Some(format!("{:016X}", message.id.get())),
                from_clientid: Some(message.publisher.shown().to_owned()),
                size: Some(message.payload.len()),
                ..blank.of(principal)
            },
            Sight::Dropped(principal, reason, count) => Self {
                reason: Some(reason.word().to_owned()),
                count: Some(count.into()),
                ..blank.of(principal)
            },
            Sight::Subscribed(principal, filter, qos) => Self {
                topic: Some(filter.as_str().to_owned()),
                qos: Some(qos.get()),
                ..blank.of(principal)
            },
            Sight::Unsubscribed(principal, filter) => {
                Self { topic: Some(filter.as_str().to_owned()), ..blank.of(principal) }
            }
        }
    }

    fn of(self, principal: &Principal) -> Self {
        Self {
            tenant: principal.tenant.clone(),
            clientid: Some(principal.client_id.shown().to_owned()),
            username: principal.user_name.as_deref().map(str::to_owned),
            peerhost: principal.peer.map(|peer| peer.to_string()),
            listener: Some(principal.listener.to_string()),
            ..self
        }
    }

    /// The message that tells it to those of the same tenant.
    pub(crate) fn message(mut self, node: &str) -> Option<Message> {
        node.clone_into(&mut self.node);
        let own = TopicName::try_from(format!("{ROOT}{}", self.levels).as_str()).ok()?;
        let topic = self.tenant.as_ref().map_or_else(|| own.clone(), |tenant| tenant.topic(&own));
        Some(Message {
            id: MessageId::NONE,
            topic,
            payload: Bytes::from(serde_json::to_vec(&self).ok()?),
            qos: Qos::AtMostOnce,
            retain: false,
            properties: MessageProperties::default(),
            expires: None,
            durability: Durability::default(),
            publisher: ClientId::try_from("$events").ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use plexus_audit::{Event, Kind, Who};
    use plexus_types::Instant;
    use serde_json::Value;

    use super::{Told, kind_of};
    use crate::EventKind;

    fn robot(tenant: Option<&str>) -> Who {
        let tenant = tenant.map(str::to_owned);
        Who { client: Some("robot".to_owned()), tenant, ..Who::default() }
    }

    #[test]
    fn reports_are_told_by_their_kind_with_what_is_known() {
        let refused = Event::refused(Kind::Access, "publish", robot(None), "rule `x`").on("a/b");
        for (event, kind) in [
            (Event::logged_in(robot(None)), Some(EventKind::Connected)),
            (Event::login_refused(robot(None), "Banned"), Some(EventKind::Refused)),
            (Event::disconnected(robot(None), "keep alive"), Some(EventKind::Disconnected)),
            (refused.clone(), Some(EventKind::AccessRefused)),
            (Event::renewed(robot(None)), None),
            (Event::done(Kind::Admin, "ban"), None),
        ] {
            assert_eq!(kind_of(&event), kind, "{event:?}");
        }
        let at = Instant::from_millis(1_000);
        let told = Told::of_report(EventKind::AccessRefused, &refused, at);
        let message = told.message("n1").unwrap();
        assert_eq!(message.topic.as_str(), "$events/access/refused");
        let payload: Value = serde_json::from_slice(&message.payload).unwrap();
        assert_eq!(
            payload.to_string(),
            r#"{"action":"publish","clientid":"robot","event":"access.refused","node":"n1","reason":"rule `x`","timestamp":1000,"topic":"a/b"}"#
        );
    }

    #[test]
    fn what_happens_to_clients_of_a_tenant_is_told_to_them_only() {
        let event = Event::logged_in(robot(Some("acme")));
        let told = Told::of_report(EventKind::Connected, &event, Instant::from_millis(0));
        let message = told.message("n1").unwrap();
        assert_eq!(message.topic.tenant(), Some("acme"));
        assert_eq!(message.topic.to_shown().as_str(), "$events/client/connected");
    }
}
