//! The groups as they are written, and what cannot be.

use std::{collections::BTreeMap, time::Duration};

use plexus_config::value::{ByteSize, Span};
use plexus_types::{Qos, Text, TopicFilter};
use serde::Deserialize;

use super::{Filling, Frame, Pattern, Place, of, topic_pattern};
use crate::{
    amount::amount_within,
    bounds,
    plan::{
        Body, Churn, Group, Pace, PropertyError, Publishing, Role, Sessions, Subscribing,
        UserProperty, Will,
    },
    recipe::WINDOW_DEFAULT,
};

/// The key of user properties.
const PROPERTIES: &str = "user_properties";
/// How long a client that comes and goes is away where nothing is said.
const AWAY_USUAL: Duration = Duration::from_millis(500);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    #[serde(default)]
    pub(super) group: Vec<Written>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    name: Option<String>,
    role: Occupation,
    pub(super) count: u64,
    client_id: Option<String>,
    clean_start: Option<bool>,
    session_expiry: Option<Span>,
    churn: Option<WrittenChurn>,
    will: Option<WrittenWill>,
    topic: Option<String>,
    filter: Option<String>,
    filters: Option<u64>,
    shared: Option<String>,
    qos: Option<u8>,
    retain: Option<bool>,
    rate: Option<Amount>,
    window: Option<u64>,
    messages: Option<Amount>,
    size: Option<ByteSize>,
    payload: Option<String>,
    user_properties: Option<BTreeMap<String, Values>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Several(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenChurn {
    stay: Option<Span>,
    away: Option<Span>,
    leave: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenWill {
    topic: Option<String>,
    payload: Option<String>,
    qos: Option<u8>,
    retain: Option<bool>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Occupation {
    Publish,
    Subscribe,
    Connect,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Amount {
    Number(u64),
    Text(String),
}

impl Written {
    pub(super) fn named(&self, index: usize) -> String {
        let role = match self.role {
            Occupation::Publish => "publish",
            Occupation::Subscribe => "subscribe",
            Occupation::Connect => "connect",
        };
        self.name.clone().unwrap_or_else(|| format!("{role}-{}", index + 1))
    }

    pub(super) fn group(&self, name: &str, before: u64, frame: &Frame) -> Result<Group, String> {
        if !(1..=bounds::CLIENTS_MAX).contains(&self.count) {
            return Err(format!("count is from 1 to {}", bounds::CLIENTS_MAX));
        }
        let usual = || format!("bench-{}-%i", frame.run);
        let client_id = self.client_id.clone().unwrap_or_else(usual);
        let client_id = Pattern::parse(&client_id, Place::OF_ID).map_err(of("client_id"))?;
        if self.count > 1 && !client_id.has(Place::Client) {
            return Err("all clients would have the same client_id; put %i into it".to_owned());
        }
        let role = match self.role {
            Occupation::Publish => Role::Publish(self.publishing(frame)?),
            Occupation::Subscribe => Role::Subscribe(self.subscribing()?),
            Occupation::Connect => {
                self.takes_only(&[], "connects only")?;
                Role::Connect
            }
        };
        let sessions = self.sessions(frame)?;
        let churn = self.churn(sessions, frame, &role)?;
        Ok(Group {
            name: name.to_owned(),
            count: self.count as u32,
            first: frame.first,
            id_first: frame.first + before,
            client_id,
            sessions,
            churn,
            will: self.will.as_ref().map(WrittenWill::read).transpose()?,
            role,
        })
    }

    fn sessions(&self, frame: &Frame) -> Result<Sessions, String> {
        let (clean_start, expiry) = match (self.clean_start, self.session_expiry) {
            (None, None) => return Ok(Sessions::Asked),
            (Some(true), None) => return Ok(Sessions::Clean),
            (Some(true), Some(_)) if !frame.version.is_v5() => {
                return Err("before MQTT 5.0 a session with clean_start = true ends with its \
                            connection; leave out clean_start, or session_expiry, or -V"
                    .to_owned());
            }
            (clean_start, expiry) => (clean_start.unwrap_or_default(), expiry),
        };
        let seconds = |expiry: Span| {
            let seconds = expiry.whole_secs().and_then(|seconds| u32::try_from(seconds).ok());
            seconds.filter(|seconds| *seconds > 0).ok_or_else(|| {
                format!(
                    "session_expiry is whole seconds, from 1s on, and not `{expiry}`; for sessions that \
                     end with their connection leave it out, and clean_start"
                )
            })
        };
        Ok(Sessions::Kept { clean_start, expiry: expiry.map(seconds).transpose()? })
    }

    fn churn(
        &self,
        sessions: Sessions,
        frame: &Frame,
        role: &Role,
    ) -> Result<Option<Churn>, String> {
        let Some(written) = &self.churn else { return Ok(None) };
        let stay = written.stay.ok_or("churn needs a stay; write churn = { stay = \"2s\" }")?;
        if stay.get().is_zero() {
            return Err("churn: stay is more than 0s; for clients that connect and leave at once \
                        there is `plexus bench churn`"
                .to_owned());
        }
        let drops = match written.leave.as_deref() {
            None | Some("clean") => false,
            Some("drop") => true,
            Some(other) => {
                return Err(format!("churn: leave is \"clean\" or \"drop\", and not `{other}`"));
            }
        };
        let away = written.away.map_or(AWAY_USUAL, Span::get);
        let expiry = sessions.expiry(frame.session_expiry).unwrap_or_default();
        let expiry = Duration::from_secs(expiry.into());
        match sessions {
            Sessions::Kept { .. } if frame.version.is_v5() && away >= expiry => {
                let expiry = expiry.as_secs();
                return Err(format!(
                    "churn: after {expiry} s of session_expiry the broker forgets a session, and away \
                     is not shorter; write a shorter away, or a longer session_expiry"
                ));
            }
            Sessions::Kept { .. } => {}
            Sessions::Asked | Sessions::Clean => {
                let twice =
                    matches!(role, Role::Publish(publishing) if publishing.qos == Qos::ExactlyOnce);
                if twice && drops {
                    return Err("churn: without a session that is kept, messages of QoS 2 whose \
                                connection drops would be sent again as new ones; write \
                                session_expiry = \"1h\", leave = \"clean\", or qos = 1"
                        .to_owned());
                }
            }
        }
        Ok(Some(Churn { stay: stay.get(), away, drops }))
    }

    fn publishing(&self, frame: &Frame) -> Result<Publishing, String> {
        let known =
            ["topic", "qos", "retain", "rate", "window", "messages", "size", "payload", PROPERTIES];
        self.takes_only(&known, "publishes")?;
        let topic = self.topic.as_deref().ok_or("who publishes needs a topic")?;
        let topic = topic_pattern(topic)?;
        let pace = match (&self.rate, self.window) {
            (Some(_), Some(_)) => return Err("a rate and a window; write one of them".to_owned()),
            (Some(rate), None) => Pace::Rate(rate.within("rate", bounds::RATE_MAX)?),
            (None, Some(window)) if (1..=bounds::WINDOW_MAX).contains(&window) => {
                Pace::Window(window as u32)
            }
            (None, Some(_)) => return Err(format!("window is from 1 to {}", bounds::WINDOW_MAX)),
            (None, None) => Pace::Window(WINDOW_DEFAULT),
        };
        let body = match (&self.payload, self.size) {
            (Some(_), Some(_)) => {
                return Err("a size and a payload; write one of them".to_owned());
            }
            (Some(text), None) => {
                Body::Template(Pattern::parse(text, Place::OF_PAYLOAD).map_err(of("payload"))?)
            }
            (None, size) => {
                let size = size.map_or(bounds::SIZE_DEFAULT, ByteSize::get);
                if size > bounds::SIZE_MAX {
                    return Err(format!("size is at most {} bytes", bounds::SIZE_MAX));
                }
                Body::of_size(size as usize)
            }
        };
        let messages = self.messages.as_ref();
        let messages = messages.map(|number| number.within("messages", bounds::MESSAGES_MAX));
        Ok(Publishing {
            topic,
            topics: None,
            qos: self.qos()?,
            retain: self.retain.unwrap_or_default(),
            body,
            user_properties: self.user_properties(frame)?,
            pace,
            messages: messages.transpose()?,
            // With whom a window would have to wait is not said: acknowledgements bound it.
            awaits_delivery: matches!(pace, Pace::Window(_)),
            counted: true,
        })
    }

    fn user_properties(&self, frame: &Frame) -> Result<Vec<UserProperty>, String> {
        let Some(written) = &self.user_properties else { return Ok(Vec::new()) };
        if !frame.version.is_v5() {
            return Err(format!("{PROPERTIES} need MQTT 5.0; leave them out, or -V"));
        }
        let mut found = Vec::new();
        for (name, values) in written {
            let values = match values {
                Values::One(value) => std::slice::from_ref(value),
                Values::Several(values) => values,
            };
            let properties = values.iter().map(|value| UserProperty::new(name, value));
            let before = found.len();
            for property in properties {
                found.push(property.map_err(|error| match error {
                    PropertyError::Shape => format!("{PROPERTIES}: a name is empty; write one"),
                    error => format!("{PROPERTIES}: {name}: {error}"),
                })?);
            }
            if found.len() == before {
                return Err(format!(
                    "{PROPERTIES}: {name} has no value; write one, or leave it out"
                ));
            }
        }
        if found.is_empty() {
            return Err(format!(
                "{PROPERTIES} has none; write {{ name = \"value\" }}, or leave it out"
            ));
        }
        Ok(found)
    }

    fn subscribing(&self) -> Result<Subscribing, String> {
        self.takes_only(&["filter", "filters", "shared", "qos"], "subscribes")?;
        let filter = self.filter.as_deref().ok_or("who subscribes needs a filter")?;
        let pattern = Pattern::parse(filter, Place::OF_TOPIC).map_err(of("filter"))?;
        TopicFilter::try_from(pattern.text(&Filling::default()).as_str())
            .map_err(|error| format!("the filter `{filter}` cannot be: {error}"))?;
        let each = self.filters.unwrap_or(1);
        if !(1..=bounds::FILTERS_MAX).contains(&each) {
            return Err(format!("filters is from 1 to {}", bounds::FILTERS_MAX));
        }
        if each > 1 && !pattern.has(Place::Message) {
            return Err("more than one filter needs %n in it".to_owned());
        }
        Ok(Subscribing {
            filter: pattern,
            each: each as u32,
            qos: self.qos()?,
            shared: self.shared.clone(),
            per_packet: bounds::PER_PACKET_DEFAULT,
            window: 1,
            at_once: true,
        })
    }

    fn qos(&self) -> Result<Qos, String> {
        quality(self.qos)
    }

    /// Whether only those of the keys were given that mean something here.
    fn takes_only(&self, known: &[&str], what: &str) -> Result<(), String> {
        let given = [
            ("topic", self.topic.is_some()),
            ("filter", self.filter.is_some()),
            ("filters", self.filters.is_some()),
            ("shared", self.shared.is_some()),
            ("qos", self.qos.is_some()),
            ("retain", self.retain.is_some()),
            ("rate", self.rate.is_some()),
            ("window", self.window.is_some()),
            ("messages", self.messages.is_some()),
            ("size", self.size.is_some()),
            ("payload", self.payload.is_some()),
            (PROPERTIES, self.user_properties.is_some()),
        ];
        let odd = given.into_iter().find(|(key, given)| *given && !known.contains(key));
        match odd {
            Some((key, _)) => Err(format!("`{key}` means nothing for who {what}; leave it out")),
            None => Ok(()),
        }
    }
}

impl Amount {
    fn within(&self, key: &str, most: u64) -> Result<u64, String> {
        let text = match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        };
        amount_within(&text, 1, most).map_err(|error| format!("{key} = `{text}`: {error}"))
    }
}

impl WrittenWill {
    fn read(&self) -> Result<Will, String> {
        let within = |error| format!("will: {error}");
        let topic = self.topic.as_deref();
        let topic = topic.ok_or("will needs a topic; write will = { topic = \"gone/%i\" }")?;
        let topic = topic_pattern(topic).map_err(within)?;
        if topic.has(Place::Message) {
            return Err(within(
                "a client has one will, and %n means nothing in its topic; leave it out".to_owned(),
            ));
        }
        let payload = self.payload.as_deref().unwrap_or_default();
        let payload = Pattern::parse(payload, Place::OF_WILL).map_err(of("payload"));
        let payload = payload.map_err(within)?;
        let longest = Filling { client: u64::MAX, random: u64::MAX, ..Filling::default() };
        if payload.text(&longest).len() > Text::LENGTH_MAX {
            let most = Text::LENGTH_MAX;
            return Err(within(format!("payload is at most {most} bytes")));
        }
        let qos = quality(self.qos).map_err(within)?;
        Ok(Will { topic, payload, qos, retain: self.retain.unwrap_or_default() })
    }
}

fn quality(qos: Option<u8>) -> Result<Qos, String> {
    Qos::new(qos.unwrap_or_default()).ok_or_else(|| "qos is 0, 1 or 2".to_owned())
}
