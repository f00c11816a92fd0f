//! The expecting half of a case.

use super::{Player, Stop, actor::Seen};
use crate::{Fields, Packet, Version, field::show_bytes, link::Event, matching, step::PacketWords};

impl Player {
    /// Expects a packet as the next one; over 3.x what only 5.0 says is left out.
    pub(super) fn expect(
        &mut self,
        actor: &str,
        (name, fields): &PacketWords,
        then_closed: bool,
    ) -> Result<(), Stop> {
        if self.is_said_by_closing(name, fields) {
            return if then_closed { self.closed(actor) } else { Ok(()) };
        }
        self.expect_next(actor, name, fields)?;
        if then_closed { self.closed(actor) } else { Ok(()) }
    }

    /// Older servers have no DISCONNECT, and refuse a CONNECT without a word where no return code
    /// fits.
    fn is_said_by_closing(&self, name: &str, fields: &Fields) -> bool {
        let no_code =
            fields.first("rc").is_some_and(|code| matching::connack_codes(code).is_empty());
        self.version != Version::V5 && (name == "DISCONNECT" || (name == "CONNACK" && no_code))
    }

    pub(super) fn expect_next(
        &mut self,
        actor: &str,
        name: &str,
        fields: &Fields,
    ) -> Result<Packet, Stop> {
        let packet = self.next_packet(actor)?;
        match self.compare(name, fields, &packet)? {
            None => Ok(packet),
            Some(text) => Err(text.into()),
        }
    }

    /// Expects a packet now or later; those before it stay for later steps.
    pub(super) fn expect_anywhere(
        &mut self,
        actor: &str,
        name: &str,
        fields: &Fields,
    ) -> Result<Packet, Stop> {
        let waiting = std::mem::take(&mut self.actor(actor)?.inbox);
        let mut passed = Vec::new();
        let mut found = None;
        for packet in waiting {
            if found.is_none() && self.compare(name, fields, &packet)?.is_none() {
                found = Some(packet);
            } else {
                passed.push(packet);
            }
        }
        while found.is_none() {
            let packet = self.read_packet(actor)?;
            if self.compare(name, fields, &packet)?.is_none() {
                found = Some(packet);
            } else {
                passed.push(packet);
            }
        }
        self.actor(actor)?.inbox.extend(passed);
        found.ok_or_else(|| "it did not come".to_owned().into())
    }

    fn compare(
        &mut self,
        name: &str,
        fields: &Fields,
        packet: &Packet,
    ) -> Result<Option<String>, Stop> {
        // Captures count only if everything matches.
        let mut scope = self.scope.clone();
        let difference = matching::difference(name, fields, packet, &mut scope, self.version)?;
        if difference.is_none() {
            self.scope = scope;
        }
        Ok(difference)
    }

    pub(super) fn actor(&mut self, name: &str) -> Result<&mut super::Actor, Stop> {
        self.actors.get_mut(name).ok_or_else(|| format!("{name} has no connection").into())
    }

    fn next_packet(&mut self, actor: &str) -> Result<Packet, Stop> {
        if let Some(packet) = self.actor(actor)?.inbox.pop_front() {
            return Ok(packet);
        }
        self.read_packet(actor)
    }

    fn read_packet(&mut self, actor: &str) -> Result<Packet, Stop> {
        let version = self.version;
        match self.actor(actor)?.read(version)? {
            Seen::Packet(packet) => {
                self.note_packet(actor, &packet);
                Ok(packet)
            }
            Seen::End => {
                self.note(actor, "<", "the end of the connection");
                Err("the connection ended".to_owned().into())
            }
            Seen::Silence => Err("nothing came".to_owned().into()),
        }
    }

    /// The connection ends and nothing comes before it.
    pub(super) fn closed(&mut self, actor: &str) -> Result<(), Stop> {
        let version = self.version;
        match self.actor(actor)?.next(version)? {
            Seen::End => {
                self.note(actor, "<", "the end of the connection");
                self.actor(actor)?.stop();
                Ok(())
            }
            Seen::Packet(packet) => Err(format!("{packet} came instead of the end").into()),
            Seen::Silence => Err("the connection stays open".to_owned().into()),
        }
    }

    /// The connection ends. A client of 5.0 may be told why: by CONNACK before it was accepted, by
    /// DISCONNECT afterwards, never the other way round.
    pub(super) fn refused(&mut self, actor: &str, codes: &Fields) -> Result<(), Stop> {
        let version = self.version;
        let name = if self.actor(actor)?.connected { "DISCONNECT" } else { "CONNACK" };
        match self.actor(actor)?.next(version)? {
            Seen::Packet(packet) if version == Version::V5 => {
                self.note_packet(actor, &packet);
                match self.compare(name, codes, &packet)? {
                    None => self.closed(actor),
                    Some(text) => Err(text.into()),
                }
            }
            Seen::Packet(packet) => Err(format!("{packet} came instead of the end").into()),
            Seen::Silence => Err("the connection stays open".to_owned().into()),
            Seen::End => {
                self.note(actor, "<", "the end of the connection");
                self.actor(actor)?.stop();
                Ok(())
            }
        }
    }

    /// A request is turned down, by its answer or by the end of the connection. Which of the two is
    /// left open where the specification leaves it open.
    pub(super) fn denied(&mut self, actor: &str, fields: &Fields) -> Result<(), Stop> {
        let version = self.version;
        let Seen::Packet(packet) = self.actor(actor)?.next(version)? else {
            return self.refused(actor, &Fields::default());
        };
        if !matches!(packet.name, "SUBACK" | "UNSUBACK") {
            self.actor(actor)?.inbox.push_front(packet);
            let mut any_code = Fields::default();
            any_code.push("rc", "0x81|0x82|0x87|0x8f|0x97|0x9e|0xa2");
            return self.refused(actor, &any_code);
        }
        self.note_packet(actor, &packet);
        let codes = packet.fields.first("rc").unwrap_or_default();
        let failed = |code: &str| code.parse::<u8>().is_ok_and(|code| code >= 0x80);
        if !codes.is_empty() && !codes.split(',').all(failed) {
            return Err(format!("{packet} came, and grants").into());
        }
        let mut expected = fields.clone();
        expected.push("rc", codes);
        match self.compare(packet.name, &expected, &packet)? {
            None => Ok(()),
            Some(text) => Err(text.into()),
        }
    }

    /// The connection ends, whatever comes before it: bytes in the form of another version too.
    pub(super) fn ends(&mut self, actor: &str) -> Result<(), Stop> {
        while !self.actor(actor)?.ended {
            match self.actor(actor)?.link()?.next() {
                Event::End => break,
                Event::Packet(bytes) => self.note(actor, "<", &show_bytes(&bytes)),
                Event::Silence => return Err("the connection stays open".to_owned().into()),
                Event::Pong => {}
                Event::Broken(reason) => return Err(reason.into()),
            }
        }
        self.note(actor, "<", "the end of the connection");
        self.actor(actor)?.stop();
        Ok(())
    }

    /// Proves that nothing is on its way. The other actors are pinged first, so that the broker has
    /// taken in what they sent; then this actor is pinged twice, because a delivery that was handed
    /// over during the turn of the first answer is written before the second.
    pub(super) fn nothing(&mut self, actor: &str) -> Result<(), Stop> {
        let others: Vec<String> = self
            .actors
            .iter()
            .filter(|(name, other)| name.as_str() != actor && other.connected && !other.ended)
            .map(|(name, _)| name.clone())
            .collect();
        for name in others {
            self.ping(&name)?;
        }
        self.ping(actor)?;
        self.ping(actor)?;
        match self.actor(actor)?.inbox.front() {
            None => Ok(()),
            Some(packet) => Err(format!("{packet} came").into()),
        }
    }

    /// One PINGREQ and its PINGRESP; what comes between stays in the inbox.
    fn ping(&mut self, actor: &str) -> Result<(), Stop> {
        self.send_packet(actor, "PINGREQ", &Fields::default())?;
        let version = self.version;
        loop {
            match self.actor(actor)?.read(version)? {
                Seen::Packet(packet) => {
                    self.note_packet(actor, &packet);
                    if packet.name == "PINGRESP" {
                        return Ok(());
                    }
                    self.actor(actor)?.inbox.push_back(packet);
                }
                // The end stays to be asked for.
                Seen::End => return Ok(()),
                Seen::Silence => return Err("PINGREQ was not answered".to_owned().into()),
            }
        }
    }
}
