//! Texts with places for numbers: topics, client identifiers, payloads.

use std::fmt::{self, Write as _};

use plexus_types::Instant;

use crate::stamp::Stamp;

/// Below this is every number that `%r` stands for.
pub const RANDOM_MAX: usize = 1_000_000;

/// A text with places that are filled for each client or message.
///
/// `%i` client number, `%c` client identifier, `%n` message number, `%r` random number below
/// 1,000,000, `%t` time in nanoseconds since 1970, `%s` stamp, `%%` the sign itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pattern(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Place(Place),
}

/// What a place of a [`Pattern`] stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `%i`: the number of the client.
    Client,
    /// `%c`: the identifier of the client.
    Id,
    /// `%n`: the number of the message, or of the filter.
    Message,
    /// `%r`: a random number.
    Random,
    /// `%t`: the time.
    Time,
    /// `%s`: the stamp by which messages are counted.
    Stamp,
}

/// Why a text is no pattern here, with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`%{letter}` at character {at} stands for nothing here; there are {known}")]
pub struct PatternError {
    letter: String,
    at: usize,
    known: String,
}

/// What fills the places.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filling<'a> {
    /// For `%i`.
    pub client: u64,
    /// For `%c`.
    pub id: &'a str,
    /// For `%n`.
    pub message: u64,
    /// For `%r`.
    pub random: u64,
    /// For `%t`.
    pub time: Instant,
    /// For `%s`.
    pub stamp: Option<Stamp>,
}

impl Place {
    /// Places of a client identifier.
    pub const OF_ID: &'static [Self] = &[Self::Client, Self::Random];
    /// Places of the payload of a will.
    pub const OF_WILL: &'static [Self] = &[Self::Client, Self::Id, Self::Random];
    /// Places of a topic or filter.
    pub const OF_TOPIC: &'static [Self] = &[Self::Client, Self::Id, Self::Message, Self::Random];
    /// Places of a user property: what a stamp says is read from payloads only.
    pub const OF_PROPERTY: &'static [Self] =
        &[Self::Client, Self::Id, Self::Message, Self::Random, Self::Time];
    /// Places of a payload.
    pub const OF_PAYLOAD: &'static [Self] =
        &[Self::Client, Self::Id, Self::Message, Self::Random, Self::Time, Self::Stamp];

    const fn letter(self) -> char {
        match self {
            Self::Client => 'i',
            Self::Id => 'c',
            Self::Message => 'n',
            Self::Random => 'r',
            Self::Time => 't',
            Self::Stamp => 's',
        }
    }
}

impl Pattern {
    /// Reads a pattern in which those places may stand.
    pub fn parse(text: &str, places: &[Place]) -> Result<Self, PatternError> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut letters = text.chars().zip(1..);
        while let Some((letter, at)) = letters.next() {
            if letter != '%' {
                plain.push(letter);
                continue;
            }
            let next = letters.next().map(|(letter, _)| letter);
            if next == Some('%') {
                plain.push('%');
                continue;
            }
            let place = places.iter().find(|place| Some(place.letter()) == next);
            let Some(place) = place else {
                let known = places.iter().map(|place| format!("%{}", place.letter()));
                let known = known.chain(["%%".to_owned()]).collect::<Vec<_>>().join(", ");
                let letter = next.map_or(String::new(), String::from);
                return Err(PatternError { letter, at, known });
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Place(*place));
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self(pieces))
    }

    /// The same text for everybody.
    pub fn plain(text: &str) -> Self {
        Self(vec![Piece::Text(text.to_owned())])
    }

    /// Whether that place is in it.
    pub fn has(&self, place: Place) -> bool {
        self.0.contains(&Piece::Place(place))
    }

    /// Whether two messages of one client may differ in it.
    pub fn varies(&self) -> bool {
        [Place::Message, Place::Random, Place::Time, Place::Stamp]
            .into_iter()
            .any(|place| self.has(place))
    }

    /// Appends the text.
    pub fn render(&self, filling: &Filling<'_>, out: &mut String) {
        for piece in &self.0 {
            // Writing to a string does not fail.
            let _ = match piece {
                Piece::Text(text) => out.write_str(text),
                Piece::Place(Place::Client) => write!(out, "{}", filling.client),
                Piece::Place(Place::Id) => out.write_str(filling.id),
                Piece::Place(Place::Message) => write!(out, "{}", filling.message),
                Piece::Place(Place::Random) => write!(out, "{}", filling.random),
                Piece::Place(Place::Time) => write!(out, "{}", filling.time.as_nanos()),
                Piece::Place(Place::Stamp) => match filling.stamp {
                    Some(stamp) => out.write_str(&stamp.text()),
                    None => Ok(()),
                },
            };
        }
    }

    /// The text on its own.
    pub fn text(&self, filling: &Filling<'_>) -> String {
        let mut out = String::new();
        self.render(filling, &mut out);
        out
    }

    /// The filter for everything that is published to this topic: `+` for each level with a place.
    /// With `keep_client` the levels whose only places are client numbers stay as they are.
    #[must_use]
    pub fn filter(&self, keep_client: bool) -> Self {
        let mut levels: Vec<Vec<Piece>> = vec![Vec::new()];
        for piece in &self.0 {
            let Piece::Text(text) = piece else {
                levels.last_mut().into_iter().for_each(|level| level.push(piece.clone()));
                continue;
            };
            for (number, part) in text.split('/').enumerate() {
                if number > 0 {
                    levels.push(Vec::new());
                }
                if !part.is_empty() {
                    let part = Piece::Text(part.to_owned());
                    levels.last_mut().into_iter().for_each(|level| level.push(part.clone()));
                }
            }
        }
        let is_fixed = |level: &Vec<Piece>| {
            level.iter().all(|piece| match piece {
                Piece::Text(_) => true,
                Piece::Place(place) => keep_client && *place == Place::Client,
            })
        };
        let mut pieces = Vec::new();
        for (number, level) in levels.into_iter().enumerate() {
            if number > 0 {
                pieces.push(Piece::Text("/".to_owned()));
            }
            if is_fixed(&level) {
                pieces.extend(level);
            } else {
                pieces.push(Piece::Text("+".to_owned()));
            }
        }
        Self(pieces)
    }

    /// The same behind a fixed text.
    #[must_use]
    pub fn behind(&self, text: &str) -> Self {
        let front = Piece::Text(text.to_owned());
        Self(std::iter::once(front).chain(self.0.iter().cloned()).collect())
    }
}

/// As it is written.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => f.write_str(&text.replace('%', "%%")),
            Piece::Place(place) => write!(f, "%{}", place.letter()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text, Place::OF_PAYLOAD).unwrap()
    }

    #[test]
    fn places_are_filled() {
        let filling = Filling {
            client: 7,
            id: "me",
            message: 3,
            random: 42,
            time: Instant::from_nanos(5),
            stamp: None,
        };
        assert_eq!(pattern("%i/%c/%n/%r/%t/100%%").text(&filling), "7/me/3/42/5/100%");
        assert_eq!(pattern("").text(&filling), "");
        let stamp = Stamp { publisher: 1, sequence: 2, due: Instant::from_nanos(3) };
        let text = pattern("{\"s\":\"%s\"}").text(&Filling { stamp: Some(stamp), ..filling });
        assert_eq!(Stamp::find(text.as_bytes()), Some(stamp));
    }

    #[test]
    fn a_pattern_is_shown_as_it_was_written() {
        for text in ["%i/%c/%n/%r/%t/100%%", "{\"s\":\"%s\"}", "plain", ""] {
            assert_eq!(pattern(text).to_string(), text);
        }
    }

    #[test]
    fn an_unknown_place_is_shown() {
        let error = Pattern::parse("a/%x", Place::OF_TOPIC).unwrap_err().to_string();
        assert_eq!(
            error,
            "`%x` at character 3 stands for nothing here; there are %i, %c, %n, %r, %%"
        );
        assert!(
            Pattern::parse("ü%", Place::OF_ID)
                .unwrap_err()
                .to_string()
                .contains("`%` at character 2")
        );
        assert!(Pattern::parse("%t", Place::OF_TOPIC).is_err());
    }

    #[test]
    fn a_filter_has_a_wildcard_where_the_topic_varies() {
        for (topic, all, own) in [
            ("bench/%i", "bench/+", "bench/7"),
            ("a/x%n/%i/z", "a/+/+/z", "a/+/7/z"),
            ("a", "a", "a"),
            ("/%i/", "/+/", "/7/"),
            ("a/%i-%r", "a/+", "a/+"),
            ("site%i/%c", "+/+", "site7/+"),
        ] {
            let filling = Filling { client: 7, ..Filling::default() };
            let topic = pattern(topic);
            assert_eq!(topic.filter(false).text(&filling), all);
            assert_eq!(topic.filter(true).text(&filling), own);
        }
        assert_eq!(
            pattern("a/%i").filter(false).behind("$share/g/").text(&Filling::default()),
            "$share/g/a/+"
        );
    }

    #[test]
    fn what_varies_from_message_to_message_is_known() {
        for (text, varies) in [("a/%i/%c", false), ("%n", true), ("%r", true), ("%t", true)] {
            assert_eq!(pattern(text).varies(), varies, "{text}");
        }
    }
}
