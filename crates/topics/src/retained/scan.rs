//! Where in the order of the topics can the matches of a filter stand?

use super::SEPARATOR;

/// Sorts behind all below a topic and before whatever else follows it: a place is given as
/// `topic AFTER`, and a topic that continues with this very character is not lost, as it equals or
/// follows that place.
const AFTER: u8 = SEPARATOR + 1;

/// A level of the filter.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Literal(Box<[u8]>),
    Any,
}

/// A filter, ready to be compared with keys.
#[derive(Debug)]
pub(super) struct Scan {
    parts: Vec<Part>,
    multi: bool,
}

/// What a key means for the walk.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It matches; the next key may match too.
    Match,
    /// No key before that place can match any more, the key itself not excepted.
    Seek(Vec<u8>),
    /// No further key can match.
    End,
}

impl Scan {
    pub(super) fn new(filter: &str) -> Self {
        let mut parts = Vec::new();
        let mut multi = false;
        for level in filter.split('/') {
            match level {
                "#" => multi = true,
                "+" => parts.push(Part::Any),
                literal => parts.push(Part::Literal(literal.as_bytes().into())),
            }
        }
        Self { parts, multi }
    }

    /// The least key that can match.
    pub(super) fn start(&self) -> Vec<u8> {
        let mut place = Vec::new();
        self.append_literals(&mut place, 0);
        place
    }

    /// Compares the filter with a key at or behind the last place.
    pub(super) fn step(&self, key: &[u8]) -> Step {
        if key.first() == Some(&b'$') && !matches!(self.parts.first(), Some(Part::Literal(_))) {
            // A leading wildcard does not match these topics ([MQTT-4.7.2-1]
            // [MQTT3-4.7.2-1]).
            return Step::Seek(vec![b'$' + 1]);
        }
        let mut at = 0;
        // The end of the level below the last `+`, where the walk goes on when this way is closed.
        let mut turn = None;
        for (number, part) in self.parts.iter().enumerate() {
            let Some(rest) = key.get(at..) else {
                return self.deeper(key, number);
            };
            let length = rest.iter().position(|byte| *byte == SEPARATOR).unwrap_or(rest.len());
            let level = rest.get(..length).unwrap_or_default();
            match part {
                Part::Any => turn = Some(at + length),
                Part::Literal(literal) => match level.cmp(literal) {
                    std::cmp::Ordering::Equal => {}
                    std::cmp::Ordering::Less => return self.same_level(key, at, number),
                    std::cmp::Ordering::Greater => return next_turn(key, turn),
                },
            }
            at += length + 1;
        }
        if self.multi {
            return Step::Match;
        }
        // `at` is one beyond the key's end when it has as many levels as the filter.
        if at <= key.len() { next_turn(key, turn) } else { Step::Match }
    }

    /// The key is shorter than the filter: matches stand below it.
    fn deeper(&self, key: &[u8], number: usize) -> Step {
        let mut place = key.to_vec();
        place.push(SEPARATOR);
        self.append_literals(&mut place, number);
        Step::Seek(place)
    }

    /// The level is before the one that is wanted, which may stand behind it.
    fn same_level(&self, key: &[u8], at: usize, number: usize) -> Step {
        let mut place = key.get(..at).unwrap_or_default().to_vec();
        self.append_literals(&mut place, number);
        Step::Seek(place)
    }

    /// Appends the literal levels of the filter from a level on, joined, up to the first `+`.
    fn append_literals(&self, place: &mut Vec<u8>, from: usize) {
        for (number, part) in self.parts.iter().skip(from).enumerate() {
            let Part::Literal(literal) = part else { return };
            if number > 0 {
                place.push(SEPARATOR);
            }
            place.extend_from_slice(literal);
        }
    }
}

/// Goes on behind everything below the level at the last `+`.
fn next_turn(key: &[u8], turn: Option<usize>) -> Step {
    let Some(end) = turn else { return Step::End };
    let mut place = key.get(..end).unwrap_or_default().to_vec();
    place.push(AFTER);
    Step::Seek(place)
}
