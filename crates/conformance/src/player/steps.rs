//! Every step of the language, and the short forms in terms of the long ones.

use super::{Player, Stop};
use crate::{
    Fields, Step, Verb, Version,
    field::parse_number,
    link::{Event, Link},
    raw::raw_bytes,
    step::Cut,
};

impl Player {
    pub(super) fn step(&mut self, step: &Step) -> Result<(), Stop> {
        let actor = step.actor.as_str();
        match &step.verb {
            Verb::Send { packets, cut } => self.send_packets(actor, packets, *cut),
            Verb::SendRaw(script) => self.send_raw(actor, script),
            Verb::Expect { packet, anywhere: false, then_closed } => {
                self.expect(actor, packet, *then_closed)
            }
            Verb::Expect { packet: (name, fields), .. } => {
                self.expect_anywhere(actor, name, fields).map(drop)
            }
            Verb::ExpectRaw(script) => self.expect_raw(actor, script),
            Verb::Closed => self.closed(actor),
            Verb::Ends => self.ends(actor),
            Verb::Refused(fields) => self.refused(actor, fields),
            Verb::Denied(fields) => self.denied(actor, fields),
            Verb::Nothing => self.nothing(actor),
            Verb::Drop => {
                self.note(actor, ">", "drops the connection");
                self.actor(actor)?.stop();
                Ok(())
            }
            Verb::Opens => self.open(actor).map(drop),
            Verb::Connects(fields, expected) => self.connects(actor, fields, expected),
            Verb::Subscribes(fields, expected) => self.subscribes(actor, fields, expected),
            Verb::Unsubscribes(fields, expected) => self.unsubscribes(actor, fields, expected),
            Verb::Publishes(fields) => self.publishes(actor, fields),
            Verb::Receives(fields) => self.receives(actor, fields),
            Verb::Disconnects(fields) => self.disconnects(actor, fields),
            Verb::TextFrame(text) => {
                self.note(actor, ">", "a text frame");
                self.open(actor)?.link()?.send_text(text);
                Ok(())
            }
            Verb::PingFrame => self.ping_frame(actor),
            Verb::Upgrades(fields, expected) => self.upgrades(actor, fields, expected),
            Verb::Elapse(seconds) => self.elapse(*seconds),
            Verb::Differ(names) => self.differ(names),
        }
    }

    fn send_raw(&mut self, actor: &str, script: &str) -> Result<(), Stop> {
        let bytes = raw_bytes(script, &|text| self.scope.expand(text))?;
        self.note(actor, ">", &format!("hex {script}"));
        self.open(actor)?.link()?.send(&bytes, Cut::Whole);
        Ok(())
    }

    fn expect_raw(&mut self, actor: &str, script: &str) -> Result<(), Stop> {
        let wanted = raw_bytes(script, &|text| self.scope.expand(text))?;
        match self.open(actor)?.link()?.next() {
            Event::Packet(bytes) if bytes == wanted => Ok(()),
            Event::Packet(bytes) => Err(format!("{bytes:02x?} came").into()),
            other => Err(format!("{other:?} came").into()),
        }
    }

    fn connects(&mut self, actor: &str, fields: &Fields, expected: &Fields) -> Result<(), Stop> {
        self.send_packet(actor, "CONNECT", fields)?;
        self.expect_next(actor, "CONNACK", expected).map(drop)
    }

    fn subscribes(&mut self, actor: &str, fields: &Fields, expected: &Fields) -> Result<(), Stop> {
        let id = self.open(actor)?.own_id();
        let fields = with_first("id", &id, fields);
        self.send_packet(actor, "SUBSCRIBE", &fields)?;
        let mut expected = with_first("id", &id, expected);
        if expected.first("rc").is_none() {
            expected.push("rc", requested_codes(&fields));
        }
        self.expect_anywhere(actor, "SUBACK", &expected).map(drop)
    }

    fn unsubscribes(
        &mut self,
        actor: &str,
        fields: &Fields,
        expected: &Fields,
    ) -> Result<(), Stop> {
        let id = self.open(actor)?.own_id();
        self.send_packet(actor, "UNSUBSCRIBE", &with_first("id", &id, fields))?;
        self.expect_anywhere(actor, "UNSUBACK", &with_first("id", &id, expected)).map(drop)
    }

    fn publishes(&mut self, actor: &str, fields: &Fields) -> Result<(), Stop> {
        let qos = fields.number("qos", 0)?;
        let mut fields = fields.clone();
        if qos > 0 && fields.first("id").is_none() {
            let id = self.open(actor)?.own_id();
            fields.push("id", id);
        }
        self.send_packet(actor, "PUBLISH", &fields)?;
        let id = id_only(fields.first("id").unwrap_or_default());
        match qos {
            0 => Ok(()),
            1 => self.expect_anywhere(actor, "PUBACK", &id).map(drop),
            _ => {
                self.expect_anywhere(actor, "PUBREC", &id)?;
                self.send_packet(actor, "PUBREL", &id)?;
                self.expect_anywhere(actor, "PUBCOMP", &id).map(drop)
            }
        }
    }

    fn receives(&mut self, actor: &str, fields: &Fields) -> Result<(), Stop> {
        let packet = self.expect_next(actor, "PUBLISH", fields)?;
        let id = id_only(packet.fields.first("id").unwrap_or_default());
        match packet.fields.first("qos") {
            Some("1") => self.send_packet(actor, "PUBACK", &id),
            Some("2") => {
                self.send_packet(actor, "PUBREC", &id)?;
                self.expect_anywhere(actor, "PUBREL", &id)?;
                self.send_packet(actor, "PUBCOMP", &id)
            }
            _ => Ok(()),
        }
    }

    /// The broker has taken the DISCONNECT in once it has closed too.
    fn disconnects(&mut self, actor: &str, fields: &Fields) -> Result<(), Stop> {
        self.send_packet(actor, "DISCONNECT", fields)?;
        self.actor(actor)?.link()?.finish();
        self.ends(actor)
    }

    fn ping_frame(&mut self, actor: &str) -> Result<(), Stop> {
        let link = self.open(actor)?.link()?;
        link.send_ping();
        match link.next() {
            Event::Pong => Ok(()),
            other => Err(format!("{other:?} came instead of a pong").into()),
        }
    }

    fn upgrades(&mut self, actor: &str, fields: &Fields, expected: &Fields) -> Result<(), Stop> {
        let failed = |error: std::io::Error| format!("the upgrade failed: {error}");
        let mut link = Link::open_stream(&self.address).map_err(failed)?;
        let answer = link.upgrade(&self.address, fields).map_err(failed)?;
        self.note(actor, "<", &format!("the upgrade is answered{answer}"));
        for field in expected.iter() {
            let came = answer.first(&field.key).unwrap_or("none");
            if !field.value.split('|').any(|wanted| wanted == came) {
                return Err(format!("{}={came} came", field.key).into());
            }
        }
        self.actors.entry(actor.to_owned()).or_default().start(link);
        Ok(())
    }

    fn differ(&mut self, names: &[String]) -> Result<(), Stop> {
        let mut seen = vec!["0".to_owned()];
        for name in names {
            let value = self.scope.value("id", &format!("${name}"))?;
            if seen.contains(&value) {
                return Err(format!("{name}={value} is zero or taken").into());
            }
            seen.push(value);
        }
        Ok(())
    }

    /// Lets the broker's own clock run: a will with this delay is armed, and waited for.
    fn elapse(&mut self, seconds: u64) -> Result<(), Stop> {
        let mut clock = Self::new(self.address.clone(), Version::V5, "");
        clock.scope = self.scope.clone();
        let word = |text: &str| Fields::parse(&crate::field::split_words(text).unwrap_or_default());
        clock.connects("watcher", &word("client_id=watcher"), &Fields::default())?;
        clock.subscribes("watcher", &word("filter=clock"), &Fields::default())?;
        let bell = format!(
            "client_id=bell session_expiry={} will_topic=clock will_delay={seconds}",
            seconds + 60
        );
        clock.connects("bell", &word(&bell), &Fields::default())?;
        clock.actor("bell")?.stop();
        let rung = word("topic=clock payload=will");
        loop {
            match clock.expect_next("watcher", "PUBLISH", &rung) {
                Err(Stop::Reason(text)) if text == "nothing came" && seconds > 8 => {}
                other => return other.map(drop),
            }
        }
    }
}

fn with_first(key: &str, value: &str, fields: &Fields) -> Fields {
    if fields.first(key).is_some() {
        return fields.clone();
    }
    let mut all = Fields::default();
    all.push(key, value);
    for field in fields.iter() {
        all.push(&field.key, field.value.as_str());
    }
    all
}

fn id_only(id: &str) -> Fields {
    let mut fields = Fields::default();
    fields.push("id", id);
    fields
}

/// The granted QoS of every filter is the requested one.
fn requested_codes(fields: &Fields) -> String {
    let mut codes: Vec<u64> = Vec::new();
    for field in fields.iter() {
        match field.key.as_str() {
            "filter" => codes.push(0),
            "qos" => {
                if let Some(code) = codes.last_mut() {
                    *code = parse_number(&field.value).unwrap_or_default();
                }
            }
            _ => {}
        }
    }
    codes.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}
