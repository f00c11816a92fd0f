//! The language of the steps, one a line. `conformance/README.md` is its manual.

use crate::{
    Fields, ScriptError, Version,
    field::{parse_number, split_words},
};

/// One line of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// As written, for the report.
    pub text: String,
    /// The versions it is for.
    pub versions: Vec<Version>,
    /// Who acts; empty for a step of the runner itself.
    pub actor: String,
    /// What is done or expected.
    pub verb: Verb,
}

/// A packet by name and words.
pub type PacketWords = (String, Fields);

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    /// Sends packets with one write, or in pieces of so many bytes.
    Send {
        /// The packets.
        packets: Vec<PacketWords>,
        /// How the bytes are cut.
        cut: Cut,
    },
    /// Sends bytes that a script describes.
    SendRaw(String),
    /// Expects a packet as the next one.
    Expect {
        /// Which.
        packet: PacketWords,
        /// It may come after others, which stay for later steps.
        anywhere: bool,
        /// The connection ends after it.
        then_closed: bool,
    },
    /// Expects exactly these bytes as the next packet.
    ExpectRaw(String),
    /// Expects the end of the connection and nothing before it.
    Closed,
    /// Expects the end of the connection, whatever comes before it.
    Ends,
    /// Expects the end, in 5.0 perhaps after a CONNACK or DISCONNECT with one of these codes.
    Refused(Fields),
    /// Expects that a request is turned down: by an answer whose codes are all failures, or as by
    /// `refused`.
    Denied(Fields),
    /// Proves with a ping that nothing came.
    Nothing,
    /// Drops the connection without DISCONNECT.
    Drop,
    /// Opens the connection and sends nothing.
    Opens,
    /// CONNECT and its CONNACK; the second fields are about the CONNACK.
    Connects(Fields, Fields),
    /// SUBSCRIBE and its SUBACK.
    Subscribes(Fields, Fields),
    /// UNSUBSCRIBE and its UNSUBACK.
    Unsubscribes(Fields, Fields),
    /// PUBLISH and all that its QoS asks for.
    Publishes(Fields),
    /// A PUBLISH from the broker and all that its QoS asks for.
    Receives(Fields),
    /// DISCONNECT, and the end of the connection.
    Disconnects(Fields),
    /// A WebSocket text frame.
    TextFrame(String),
    /// A WebSocket ping; its pong is expected.
    PingFrame,
    /// A WebSocket upgrade with these headers; the answer's status and subprotocol are expected.
    Upgrades(Fields, Fields),
    /// So many seconds pass on the broker's clock.
    Elapse(u64),
    /// Captured values that must all be different and not zero.
    Differ(Vec<String>),
}

/// How the bytes of a send are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// One write, one frame.
    Whole,
    /// A write or a frame for so many bytes.
    Pieces(usize),
    /// One WebSocket message in fragments of so many bytes; over TCP the same as pieces.
    Fragments(usize),
    /// One frame without a mask; over TCP the same as whole.
    Unmasked,
}

/// Reads a line; an empty one and a comment are no step.
pub fn parse_step(line: &str) -> Result<Option<Step>, ScriptError> {
    let text = line.trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let bad = || ScriptError::BadStep(text.to_owned());
    let (versions, rest) = gate(text);
    let (actor, rest) = rest.split_once(' ').ok_or_else(bad)?;
    let rest = rest.trim();
    let own = match actor {
        "elapse" => Some(Verb::Elapse(parse_number(rest)?)),
        "differ" => Some(Verb::Differ(split_words(rest)?)),
        _ => None,
    };
    if let Some(verb) = own {
        return Ok(Some(Step { text: text.to_owned(), versions, actor: String::new(), verb }));
    }
    let (verb, words) = rest.split_once(' ').unwrap_or((rest, ""));
    let verb = parse_verb(verb, words.trim())?.ok_or_else(bad)?;
    Ok(Some(Step { text: text.to_owned(), versions, actor: actor.to_owned(), verb }))
}

fn gate(text: &str) -> (Vec<Version>, &str) {
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    match first {
        "v5" => (vec![Version::V5], rest),
        "v3" => (vec![Version::V31, Version::V311], rest),
        "v31" => (vec![Version::V31], rest),
        "v311" => (vec![Version::V311], rest),
        _ => (vec![Version::V31, Version::V311, Version::V5], text),
    }
}

fn parse_verb(verb: &str, words: &str) -> Result<Option<Verb>, ScriptError> {
    Ok(Some(match verb {
        ">" => Verb::Send { packets: packets(words)?, cut: Cut::Whole },
        "pieces" | "fragments" | "unmasked" => cut_send(verb, words)?,
        "hex" => Verb::SendRaw(words.to_owned()),
        "<hex" => Verb::ExpectRaw(words.to_owned()),
        "<" | "<*" => {
            let then_closed = words.ends_with(" then closed");
            let words = words.strip_suffix(" then closed").unwrap_or(words);
            Verb::Expect { packet: packet(words)?, anywhere: verb == "<*", then_closed }
        }
        "closed" => Verb::Closed,
        "ends" => Verb::Ends,
        "refused" => Verb::Refused(fields(words)?),
        "denied" => Verb::Denied(fields(words)?),
        "nothing" => Verb::Nothing,
        "drops" => Verb::Drop,
        "opens" => Verb::Opens,
        "connects" | "subscribes" | "unsubscribes" | "upgrades" => {
            let (done, expected) = words.split_once("->").unwrap_or((words, ""));
            let (done, expected) = (fields(done)?, fields(expected)?);
            match verb {
                "connects" => Verb::Connects(done, expected),
                "subscribes" => Verb::Subscribes(done, expected),
                "unsubscribes" => Verb::Unsubscribes(done, expected),
                _ => Verb::Upgrades(done, expected),
            }
        }
        "publishes" => Verb::Publishes(fields(words)?),
        "receives" => Verb::Receives(fields(words)?),
        "disconnects" => Verb::Disconnects(fields(words)?),
        "text" => Verb::TextFrame(split_words(words)?.concat()),
        "pings-frame" => Verb::PingFrame,
        _ => return Ok(None),
    }))
}

/// `pieces 1 > …`, `fragments 3 > …`, `unmasked > …`.
fn cut_send(verb: &str, words: &str) -> Result<Verb, ScriptError> {
    let bad = || ScriptError::BadStep(words.to_owned());
    let (size, rest) = words.split_once('>').ok_or_else(bad)?;
    let size = size.trim();
    let cut = match verb {
        "pieces" => Cut::Pieces(parse_number(size)?.max(1) as usize),
        "fragments" => Cut::Fragments(parse_number(size)?.max(1) as usize),
        _ => Cut::Unmasked,
    };
    Ok(Verb::Send { packets: packets(rest)?, cut })
}

fn packets(words: &str) -> Result<Vec<PacketWords>, ScriptError> {
    words.split("&&").map(packet).collect()
}

fn packet(words: &str) -> Result<PacketWords, ScriptError> {
    let words = split_words(words)?;
    let (name, rest) = words
        .split_first()
        .ok_or_else(|| ScriptError::BadStep("a packet is missing".to_owned()))?;
    let fields = Fields::parse(rest);
    crate::packet::check_fields(name, &fields)?;
    Ok((name.clone(), fields))
}

fn fields(words: &str) -> Result<Fields, ScriptError> {
    Ok(Fields::parse(&split_words(words)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_steps() {
        let step = parse_step("v5 a < DISCONNECT rc=0x82 then closed").unwrap().unwrap();
        assert_eq!((step.actor.as_str(), step.versions.len()), ("a", 1));
        assert!(matches!(step.verb, Verb::Expect { then_closed: true, anywhere: false, .. }));
        let step = parse_step("a pieces 1 > PINGREQ && PINGREQ").unwrap().unwrap();
        assert!(
            matches!(step.verb, Verb::Send { packets, cut: Cut::Pieces(1) } if packets.len() == 2)
        );
        assert_eq!(parse_step("elapse 2").unwrap().unwrap().verb, Verb::Elapse(2));
        assert_eq!(parse_step("  # a comment").unwrap(), None);
        for wrong in ["a", "a sings", "a > PUBLISCH topic=t", "a > PUBLISH topik=t"] {
            assert!(parse_step(wrong).is_err(), "{wrong}");
        }
    }
}
