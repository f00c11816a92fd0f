//! One actor: a connection, and what came over it before it was asked for.

use std::collections::VecDeque;

use super::Stop;
use crate::{
    Packet, Version, decode,
    link::{Event, Link},
};

/// Identifiers the player chooses begin here, above those that cases write.
const FIRST_OWN_ID: u16 = 1000;

/// What an actor sees next.
#[derive(Debug)]
pub(super) enum Seen {
    Packet(Packet),
    End,
    Silence,
}

#[derive(Debug, Default)]
pub(super) struct Actor {
    pub(super) link: Option<Link>,
    /// Packets that came while another was looked for.
    pub(super) inbox: VecDeque<Packet>,
    /// The connection has ended and nobody has asked yet.
    pub(super) ended: bool,
    /// An accepting CONNACK has come.
    pub(super) connected: bool,
    used_ids: u16,
}

impl Actor {
    /// Begins with a new connection.
    pub(super) fn start(&mut self, link: Link) {
        self.link = Some(link);
        self.inbox.clear();
        self.ended = false;
        self.connected = false;
    }

    /// Forgets the connection; dropping the socket closes it.
    pub(super) fn stop(&mut self) {
        self.link = None;
        self.inbox.clear();
        self.connected = false;
    }

    pub(super) fn link(&mut self) -> Result<&mut Link, Stop> {
        self.link.as_mut().ok_or_else(|| Stop::from("there is no connection".to_owned()))
    }

    /// A packet identifier no case uses.
    pub(super) fn own_id(&mut self) -> String {
        self.used_ids += 1;
        (FIRST_OWN_ID + self.used_ids).to_string()
    }

    /// The next packet, first from the inbox.
    pub(super) fn next(&mut self, version: Version) -> Result<Seen, Stop> {
        match self.inbox.pop_front() {
            Some(packet) => Ok(Seen::Packet(packet)),
            None => self.read(version),
        }
    }

    /// The next packet from the connection.
    pub(super) fn read(&mut self, version: Version) -> Result<Seen, Stop> {
        if self.ended {
            return Ok(Seen::End);
        }
        match self.link()?.next() {
            Event::Packet(bytes) => {
                let packet = decode(&bytes, version)
                    .map_err(|reason| format!("{reason}: {}", crate::field::show_bytes(&bytes)))?;
                let accepted = packet.name == "CONNACK" && packet.fields.first("rc") == Some("0");
                self.connected |= accepted;
                Ok(Seen::Packet(packet))
            }
            Event::Pong => Err("an unexpected pong frame".to_owned().into()),
            Event::End => {
                self.ended = true;
                Ok(Seen::End)
            }
            Event::Silence => Ok(Seen::Silence),
            Event::Broken(reason) => Err(reason.into()),
        }
    }
}
