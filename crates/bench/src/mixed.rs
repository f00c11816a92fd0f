//! A workload of one's own, from a TOML file.

mod written;

use std::time::Duration;

use plexus_types::{ProtocolVersion, Qos, TopicName};

use self::written::File;
use crate::{
    bounds,
    pattern::{Filling, Pattern, PatternError, Place},
    plan::{Group, Pace, Role, Step, Workload},
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
    /// The Session Expiry Interval of all clients, in seconds.
    pub session_expiry: u32,
    /// The version that all clients speak.
    pub version: ProtocolVersion,
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
    let workload = Workload { name: "mixed".to_owned(), groups, steps };
    match waits_for_who_is_away(&workload) {
        Some((index, name, what)) => {
            Err(MixedError::Group { group: index + 1, name: name.to_owned(), what })
        }
        None => Ok(workload),
    }
}

/// A group that would wait until its messages have arrived at somebody who may not be there. Above
/// QoS 0 the acknowledgement tells when to go on.
fn waits_for_who_is_away(workload: &Workload) -> Option<(usize, &str, String)> {
    if workload.churning().is_empty() {
        return None;
    }
    let audience = workload.audience();
    let mut groups = workload.groups.iter().enumerate();
    let (index, group) = groups.find(|(index, group)| {
        let Role::Publish(publishing) = &group.role else { return false };
        let waits = publishing.qos == Qos::AtMostOnce && matches!(publishing.pace, Pace::Window(_));
        let first = workload.publisher_base(*index) as usize;
        let mut all = audience.publishers.iter().skip(first).take(group.count as usize);
        waits && all.any(|heard| heard.passing)
    })?;
    let what = "without a rate, a message of QoS 0 waits until the ones before it have arrived, and \
                who hears it comes and goes; write rate, or qos = 1";
    Some((index, &group.name, what.to_owned()))
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
    let leave = |group: &usize| {
        let forget = groups.get(*group).is_some_and(|group| group.sessions.are_kept());
        Step::Leave { group: *group, forget }
    };
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
mod tests;
