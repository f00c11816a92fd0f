//! A workload of one's own, from a TOML file.

use std::time::Duration;

use plexus_config::value::ByteSize;
use plexus_types::{Qos, TopicFilter, TopicName};
use serde::Deserialize;

use crate::{
    amount::amount_within,
    bounds,
    pattern::{Filling, Pattern, PatternError, Place},
    plan::{Body, Group, Pace, Publishing, Role, Step, Subscribing, Workload},
    recipe::WINDOW_DEFAULT,
};

/// What the command line says about every mixed workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Time of traffic that is not measured.
    pub warm_up: Duration,
    /// Time that is measured.
    pub time: Duration,
    /// Makes usual client identifiers those of this run.
    pub run: String,
    /// The number of the first client.
    pub first: u64,
}

/// Why a file is no workload, with the place and the mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MixedError {
    /// No TOML, or keys that mean nothing.
    #[error("{0}")]
    Syntax(String),
    /// Nobody takes part.
    #[error("it has no group; write [[group]] with a role and a count")]
    Empty,
    /// A value of a group cannot be.
    #[error("group {group} (`{name}`): {what}")]
    Group {
        /// Counted from one.
        group: usize,
        /// Its name, or its role.
        name: String,
        /// What is wrong, with the mend.
        what: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    group: Vec<Written>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Option<String>,
    role: Occupation,
    count: u64,
    client_id: Option<String>,
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

/// Reads the groups of a file and lays out their steps.
pub fn mixed(text: &str, frame: &Frame) -> Result<Workload, MixedError> {
    let file: File = toml::from_str(text).map_err(|error| MixedError::Syntax(error.to_string()))?;
    if file.group.is_empty() {
        return Err(MixedError::Empty);
    }
    let mut groups = Vec::new();
    let mut before = 0;
    for (index, written) in file.group.iter().enumerate() {
        let name = written.named(index);
        let wrong = |what| MixedError::Group { group: index + 1, name: name.clone(), what };
        if groups.iter().any(|group: &Group| group.name == name) {
            return Err(wrong("another group has that name; give each one of its own".to_owned()));
        }
        groups.push(written.group(&name, before, frame).map_err(wrong)?);
        before += written.count;
        if before > bounds::CLIENTS_MAX {
            return Err(wrong(format!("more than {} clients in all", bounds::CLIENTS_MAX)));
        }
    }
    let steps = steps(&groups, frame);
    Ok(Workload { name: "mixed".to_owned(), groups, steps })
}

/// Who subscribes comes first, so that nobody publishes before they are there.
fn steps(groups: &[Group], frame: &Frame) -> Vec<Step> {
    let publishes = |group: &Group| matches!(group.role, Role::Publish(_));
    let numbered = || groups.iter().enumerate();
    let publishers: Vec<_> =
        numbered().filter(|(_, group)| publishes(group)).map(|(number, _)| number).collect();
    let others = numbered().filter(|(_, group)| !publishes(group)).map(|(number, _)| number);
    let order: Vec<_> = others.chain(publishers.iter().copied()).collect();
    let connect = |group: &usize| Step::Connect { group: *group, anew: false, measured: None };
    let leave = |group: &usize| Step::Leave { group: *group, forget: false };
    let mut steps: Vec<_> = order.iter().map(connect).collect();
    if publishers.is_empty() {
        steps.push(Step::Hold { time: frame.time, measured: Some("receive") });
    } else {
        let (warm_up, time) = (frame.warm_up, Some(frame.time));
        steps.push(Step::Publish { groups: publishers, warm_up, time, measured: Some("mixed") });
        steps.push(Step::Settle);
    }
    steps.extend(order.iter().rev().map(leave));
    steps
}

impl Written {
    fn named(&self, index: usize) -> String {
        let role = match self.role {
            Occupation::Publish => "publish",
            Occupation::Subscribe => "subscribe",
            Occupation::Connect => "connect",
        };
        self.name.clone().unwrap_or_else(|| format!("{role}-{}", index + 1))
    }

    fn group(&self, name: &str, before: u64, frame: &Frame) -> Result<Group, String> {
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
            Occupation::Publish => Role::Publish(self.publishing()?),
            Occupation::Subscribe => Role::Subscribe(self.subscribing()?),
            Occupation::Connect => {
                self.only(&[], "connects only")?;
                Role::Connect
            }
        };
        let (count, first) = (self.count as u32, frame.first);
        let id_first = first + before;
        let name = name.to_owned();
        Ok(Group { name, count, first, id_first, client_id, durable: false, role })
    }

    fn publishing(&self) -> Result<Publishing, String> {
        let known = ["topic", "qos", "retain", "rate", "window", "messages", "size", "payload"];
        self.only(&known, "publishes")?;
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
            pace,
            messages: messages.transpose()?,
            // With whom a window would have to wait is not said: acknowledgements bound it.
            awaits_delivery: matches!(pace, Pace::Window(_)),
            counted: true,
        })
    }

    fn subscribing(&self) -> Result<Subscribing, String> {
        self.only(&["filter", "filters", "shared", "qos"], "subscribes")?;
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
        Qos::new(self.qos.unwrap_or_default()).ok_or_else(|| "qos is 0, 1 or 2".to_owned())
    }

    /// Whether only those of the keys were given that mean something here.
    fn only(&self, known: &[&str], what: &str) -> Result<(), String> {
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

/// A topic whose places give topics that may be published to.
pub fn topic_pattern(text: &str) -> Result<Pattern, String> {
    let pattern = Pattern::parse(text, Place::OF_TOPIC).map_err(of("topic"))?;
    TopicName::try_from(pattern.text(&Filling { id: "id", ..Filling::default() }).as_str())
        .map_err(|error| format!("the topic `{text}` cannot be: {error}"))?;
    Ok(pattern)
}

fn of(key: &'static str) -> impl Fn(PatternError) -> String {
    move |error| format!("{key}: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Workload, MixedError> {
        let (warm_up, time) = (Duration::ZERO, Duration::from_secs(1));
        mixed(text, &Frame { warm_up, time, run: "x".to_owned(), first: 0 })
    }

    #[test]
    fn groups_are_read_and_who_subscribes_comes_first() {
        let workload = read(
            "[[group]]\nname = \"sensors\"\nrole = \"publish\"\ncount = 10\ntopic = \"s/%i\"\n\
             qos = 1\nrate = \"1k\"\nsize = \"1KiB\"\n\
             [[group]]\nrole = \"subscribe\"\ncount = 2\nfilter = \"s/+\"\nqos = 1\n",
        )
        .unwrap();
        assert_eq!(workload.audience(), [Some(2); 10]);
        let names = workload.groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>();
        assert_eq!(names, ["sensors", "subscribe-2"]);
        assert!(matches!(workload.steps.first(), Some(Step::Connect { group: 1, .. })));
        let Role::Publish(publishing) = &workload.groups[0].role else { panic!() };
        assert_eq!((publishing.pace, &publishing.body), (Pace::Rate(1_000), &Body::Stamped(1_024)));
        assert_eq!(workload.groups[1].id(0, 0), "bench-x-10");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let error = |text: &str| read(text).unwrap_err().to_string();
        assert!(error("[[group]]\nrole = \"fly\"\ncount = 1\n").contains("line 2"));
        assert_eq!(error(""), MixedError::Empty.to_string());
        let publish = "[[group]]\nrole = \"publish\"\ncount = 2\n";
        for (more, told) in [
            ("", "group 1 (`publish-1`): who publishes needs a topic"),
            ("topic = \"a/+\"\n", "the topic `a/+` cannot be"),
            ("topic = \"a\"\nfilter = \"b\"\n", "`filter` means nothing for who publishes"),
            ("topic = \"a\"\nrate = \"fast\"\n", "rate = `fast`: expected a whole number"),
            ("topic = \"a\"\nrate = 1\nwindow = 1\n", "write one of them"),
            ("topic = \"a\"\nqos = 3\n", "qos is 0, 1 or 2"),
            ("topic = \"a\"\nsize = \"1TiB\"\n", "size is at most"),
            ("topic = \"a\"\nclient_id = \"me\"\n", "put %i into it"),
            (
                "topic = \"a\"\n[[group]]\nname = \"publish-1\"\nrole = \"connect\"\ncount = 1\n",
                "group 2 (`publish-1`): another group has that name",
            ),
        ] {
            let error = error(&format!("{publish}{more}"));
            assert!(error.contains(told), "{error}");
        }
    }
}
