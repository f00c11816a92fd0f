use std::fmt;

use plexus_types::TopicFilter;

use crate::{Attributes, Principal};

/// The topics of a rule: a topic filter in whose levels may stand what is known of a client, such as
/// `robot/${clientid}/#`.
///
/// No question that a rule is asked is "does it match the filter as if that were a topic".
/// An allowance has to *cover* a filter that somebody wants to subscribe to: `a/+` allows `a/b`, but not
/// `a/#`, which would get `a/b/c` too. A ban has to *meet* it: who must not have `a/b` must not have
/// `a/+` either. Where each delivery is asked about it is the other way round: an allowance speaks of a
/// filter when it *allows any* of it, a ban when it *bans all* of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Pattern {
    text: Box<str>,
    levels: Box<[Level]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Level {
    Literal(Box<str>),
    /// `+`
    One,
    /// `#`, which is last.
    Rest,
    /// A level with places in it.
    Places(Box<[Part]>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(Box<str>),
    Place(Place),
}

/// What is known of a client and may stand in a pattern.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// `${clientid}`: the client identifier.
    ClientId,
    /// `${username}`: the user name.
    UserName,
    /// `${client_attrs.name}`: the attribute of that name.
    Attribute(Box<str>),
}

impl Place {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "clientid" => Some(Self::ClientId),
            "username" => Some(Self::UserName),
            _ => {
                let attribute = name.strip_prefix("client_attrs.")?;
                (!attribute.is_empty()).then(|| Self::Attribute(attribute.into()))
            }
        }
    }
}

/// Whose places are filled in.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    /// The client identifier.
    pub client_id: &'a str,
    /// The user name, if there is one.
    pub user_name: Option<&'a str>,
    /// What else was found out, if anything was.
    pub attributes: Option<&'a Attributes>,
}

impl<'a> Person<'a> {
    /// As far as it is known of who was let in.
    pub fn of(principal: &'a Principal) -> Self {
        Self {
            client_id: principal.client_id.as_str(),
            user_name: principal.user_name.as_deref(),
            attributes: principal.rights.as_deref().map(|rights| &rights.attributes),
        }
    }

    /// What stands in the place; none if it is unknown, or would be more or less than one part of a
    /// level: a client that calls itself `#` is to get nothing by it (CVE-2017-7650).
    fn fill(&self, place: &Place) -> Option<&'a str> {
        let text = match place {
            Place::ClientId => Some(self.client_id),
            Place::UserName => self.user_name,
            Place::Attribute(name) => self.attributes.and_then(|known| known.get(name)),
        };
        let plain = |text: &&str| !text.is_empty() && !text.contains(['+', '#', '/', '\0']);
        // Nor is one that calls itself `$SYS` to get what the node says of itself.
        text.filter(plain).filter(|text| !text.starts_with('$'))
    }
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Not a topic filter.
    #[error("is no topic filter: it {0}")]
    Filter(plexus_types::TopicError),
    /// A shared subscription is asked for by its filter.
    #[error("begins with `$share/`: rules are for the filter behind the group")]
    Shared,
    /// `${` without `}`.
    #[error("has `${{` without `}}`")]
    Open,
    /// Whose name ends where would be the client's to choose.
    #[error("has two places in one level: put them into levels of their own")]
    Twice,
    /// A client could make a `$` topic of it.
    #[error("has a place behind `$` in its first level")]
    Hidden,
    /// A place that nobody can fill.
    #[error(
        "has `${{{0}}}`; known are `${{clientid}}`, `${{username}}` and \
             `${{client_attrs.<name>}}`"
    )]
    Unknown(String),
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let filter = TopicFilter::try_from(text).map_err(PatternError::Filter)?;
        if filter.shared().is_some() {
            return Err(PatternError::Shared);
        }
        let mut levels = Vec::new();
        for level in text.split('/') {
            levels.push(match level {
                "+" => Level::One,
                "#" => Level::Rest,
                _ if level.contains("${") => Level::Places(parts(level)?.into()),
                _ => Level::Literal(level.into()),
            });
        }
        let places = |level: &Level| match level {
            Level::Places(parts) => parts.iter().filter(|it| matches!(it, Part::Place(_))).count(),
            _ => 0,
        };
        if levels.iter().any(|level| places(level) > 1) {
            return Err(PatternError::Twice);
        }
        if levels.first().is_some_and(|level| places(level) > 0 && text.starts_with('$'))
            && !text.starts_with("${")
        {
            return Err(PatternError::Hidden);
        }
        // No topic is empty: `#` is `+/#`, and `/#` is `/+/#`.
        if matches!(text, "#" | "/#") {
            levels.insert(levels.len() - 1, Level::One);
        }
        Ok(Self { text: text.into(), levels: levels.into() })
    }

    /// Whether something of a client stands in it.
    pub fn has_places(&self) -> bool {
        self.levels.iter().any(|level| matches!(level, Level::Places(_)))
    }

    /// Whether a topic is among those of the pattern, for an allowance: what cannot be filled in matches
    /// nothing, and neither do wildcards match the first level of `$` topics.
    pub fn allows(&self, topic: &str, person: Person<'_>) -> bool {
        let hidden = topic.starts_with('$') && matches!(self.levels.first(), Some(Level::One));
        !hidden && self.matches(topic, person, Doubt::No)
    }

    /// The same for a ban: what cannot be filled in may be anything, and `#` is everything.
    pub fn bans(&self, topic: &str, person: Person<'_>) -> bool {
        self.matches(topic, person, Doubt::Yes)
    }

    /// Whether every topic that the filter gets is allowed by the pattern.
    pub fn covers(&self, filter: &str, person: Person<'_>) -> bool {
        !self.hides_from(filter) && self.takes_in(filter, person, Doubt::No)
    }

    /// Whether every topic that the filter gets is banned by the pattern; it may say no where what a place
    /// stands for is not known.
    pub fn bans_all(&self, filter: &str, person: Person<'_>) -> bool {
        self.takes_in(filter, person, Doubt::Yes)
    }

    /// Whether some topic that the filter gets is banned by the pattern.
    pub fn meets(&self, filter: &str, person: Person<'_>) -> bool {
        self.overlaps(filter, person, Doubt::Yes)
    }

    /// Whether some topic that the filter gets is allowed by the pattern.
    pub fn allows_any(&self, filter: &str, person: Person<'_>) -> bool {
        let is_known = |part: &Part| match part {
            Part::Text(_) => true,
            Part::Place(place) => person.fill(place).is_some(),
        };
        let is_filled = |level: &Level| match level {
            Level::Places(parts) => parts.iter().all(is_known),
            Level::Literal(_) | Level::One | Level::Rest => true,
        };
        !self.hides_from(filter)
            && self.levels.iter().all(is_filled)
            && self.overlaps(filter, person, Doubt::No)
    }

    /// Whether the filter is of `$` topics, for which wildcards of an allowance do not stand.
    fn hides_from(&self, filter: &str) -> bool {
        filter.starts_with('$') && matches!(self.levels.first(), Some(Level::One))
    }

    fn takes_in(&self, filter: &str, person: Person<'_>, doubt: Doubt) -> bool {
        let mut wanted = Wanted::of(filter);
        for level in &self.levels {
            let wanted = match (level, wanted.next()) {
                (Level::Rest, _) => return true,
                (_, None | Some(Asked::Rest)) => return false,
                (_, Some(level)) => level,
            };
            let covered = match (level, wanted) {
                (Level::One, _) => true,
                (_, Asked::One | Asked::Rest) => false,
                (level, Asked::Literal(wanted)) => level.is(wanted, person, doubt),
            };
            if !covered {
                return false;
            }
        }
        wanted.next().is_none()
    }

    fn overlaps(&self, filter: &str, person: Person<'_>, doubt: Doubt) -> bool {
        let mut wanted = Wanted::of(filter);
        // Wildcards get no `$` topics.
        let hidden = matches!(filter.as_bytes().first(), Some(b'+' | b'#'));
        if hidden
            && matches!(self.levels.first(), Some(Level::Literal(level)) if level.starts_with('$'))
        {
            return false;
        }
        for level in &self.levels {
            let meets = match (level, wanted.next()) {
                (Level::Rest, _) | (_, Some(Asked::Rest)) => return true,
                (_, None) => return false,
                (_, Some(Asked::One)) => true,
                (level, Some(Asked::Literal(wanted))) => level.is(wanted, person, doubt),
            };
            if !meets {
                return false;
            }
        }
        matches!(wanted.next(), None | Some(Asked::Rest))
    }

    fn matches(&self, topic: &str, person: Person<'_>, doubt: Doubt) -> bool {
        let mut topic = topic.split('/');
        for level in &self.levels {
            match (level, topic.next()) {
                (Level::Rest, _) => return true,
                (level, Some(name)) if level.is(name, person, doubt) => {}
                _ => return false,
            }
        }
        topic.next().is_none()
    }
}

/// Whether what is not known counts as the same.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doubt {
    Yes,
    No,
}

/// A level of a filter that somebody wants.
enum Asked<'a> {
    Literal(&'a str),
    One,
    Rest,
}

/// The levels of a filter, as a pattern has them.
struct Wanted<'a> {
    levels: std::str::Split<'a, char>,
    rest: bool,
}

impl<'a> Wanted<'a> {
    fn of(filter: &'a str) -> Self {
        match filter {
            "#" => Self { levels: "+".split('/'), rest: true },
            "/#" => Self { levels: "/+".split('/'), rest: true },
            _ => Self { levels: filter.split('/'), rest: false },
        }
    }

    fn next(&mut self) -> Option<Asked<'a>> {
        match self.levels.next() {
            Some("+") => Some(Asked::One),
            Some("#") => Some(Asked::Rest),
            Some(level) => Some(Asked::Literal(level)),
            None => std::mem::take(&mut self.rest).then_some(Asked::Rest),
        }
    }
}

impl Level {
    /// Whether it is a level of that name.
    fn is(&self, name: &str, person: Person<'_>, doubt: Doubt) -> bool {
        match self {
            Self::Literal(text) => **text == *name,
            Self::One | Self::Rest => true,
            Self::Places(parts) => {
                let mut rest = name;
                for part in parts {
                    let text = match part {
                        Part::Text(text) => text,
                        Part::Place(place) => match person.fill(place) {
                            Some(text) => text,
                            None => return doubt == Doubt::Yes,
                        },
                    };
                    match rest.strip_prefix(text) {
                        Some(after) => rest = after,
                        None => return false,
                    }
                }
                rest.is_empty()
            }
        }
    }
}

fn parts(level: &str) -> Result<Vec<Part>, PatternError> {
    let mut parts = Vec::new();
    let mut rest = level;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').ok_or(PatternError::Open)?;
        let place = Place::parse(name).ok_or_else(|| PatternError::Unknown(name.to_owned()))?;
        if !before.is_empty() {
            parts.push(Part::Text(before.into()));
        }
        parts.push(Part::Place(place));
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.into()));
    }
    Ok(parts)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({})", self.text)
    }
}

#[cfg(test)]
mod tests;
