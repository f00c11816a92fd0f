//! Plays one case: every actor is a connection, every step acts or compares.

mod actor;
mod expect;
mod steps;

use std::collections::BTreeMap;

use self::actor::Actor;
use crate::{
    Address, Case, Failure, Fields, Packet, ScriptError, Version, encode::encode, link::Link,
    scope::Scope, step::Cut,
};

/// Why a step did not hold.
#[derive(Debug)]
enum Stop {
    Script(ScriptError),
    Reason(String),
}

impl From<ScriptError> for Stop {
    fn from(error: ScriptError) -> Self {
        Self::Script(error)
    }
}

impl From<String> for Stop {
    fn from(reason: String) -> Self {
        Self::Reason(reason)
    }
}

/// Plays a case in one version over one transport. `prefix` keeps its names apart from every other
/// run's.
pub fn play(case: &Case, address: &Address, version: Version, prefix: &str) -> Result<(), Failure> {
    let mut player = Player::new(address.clone(), version, prefix);
    for step in &case.steps {
        if !step.versions.contains(&version) {
            continue;
        }
        if let Err(stop) = player.step(step) {
            let reason = match stop {
                Stop::Script(error) => format!("the case cannot be played: {error}"),
                Stop::Reason(reason) => reason,
            };
            return Err(Failure {
                reason: format!("{}: {reason}", step.text),
                transcript: player.transcript,
            });
        }
    }
    Ok(())
}

/// One run.
#[derive(Debug)]
struct Player {
    address: Address,
    version: Version,
    scope: Scope,
    actors: BTreeMap<String, Actor>,
    transcript: String,
}

impl Player {
    fn new(address: Address, version: Version, prefix: &str) -> Self {
        Self {
            address,
            version,
            scope: Scope::new(prefix.to_owned()),
            actors: BTreeMap::new(),
            transcript: String::new(),
        }
    }

    fn note(&mut self, actor: &str, sign: &str, text: &str) {
        for part in ["    ", actor, " ", sign, " ", text, "\n"] {
            self.transcript.push_str(part);
        }
    }

    /// The actor, with an open connection.
    fn open(&mut self, name: &str) -> Result<&mut Actor, Stop> {
        let actor = self.actors.entry(name.to_owned()).or_default();
        if actor.link.is_none() {
            let link = Link::open(&self.address)
                .map_err(|error| format!("the connection cannot be opened: {error}"))?;
            actor.start(link);
        }
        Ok(actor)
    }

    /// Sends one packet, its words in full already.
    fn send_packet(&mut self, actor: &str, name: &str, fields: &Fields) -> Result<(), Stop> {
        self.send_packets(actor, &[(name.to_owned(), fields.clone())], Cut::Whole)
    }

    fn send_packets(
        &mut self,
        actor: &str,
        packets: &[(String, Fields)],
        cut: Cut,
    ) -> Result<(), Stop> {
        let mut bytes = Vec::new();
        for (name, fields) in packets {
            let mut fields = self.scope.resolve(fields)?;
            if name == "CONNECT" && fields.first("client_id").is_none() {
                fields.push("client_id", self.scope.value("client_id", actor)?);
            }
            bytes.extend(encode(name, &fields, self.version)?);
            self.note(actor, ">", &format!("{name}{fields}"));
        }
        self.open(actor)?.link()?.send(&bytes, cut);
        Ok(())
    }

    /// Tells of a packet that came.
    fn note_packet(&mut self, actor: &str, packet: &Packet) {
        self.note(actor, "<", &packet.to_string());
    }
}
