//! Bytes on their way, and what cuts them off.

use std::time::Duration;

use bytes::Buf;
use plexus_types::Instant;
use plexus_wire::{Decoder, Limits, Packet};

use super::World;
use crate::{
    agenda::{Event, LinkNo},
    link::{Link, Pace, Peer},
};

/// How long a server takes at most to notice that a peer is gone.
const NOTICE_MAX: Duration = Duration::from_secs(90);

impl World {
    /// A new connection; the client may write at once.
    pub(super) fn open_link(
        &mut self,
        peer: Peer,
        version: plexus_types::ProtocolVersion,
    ) -> LinkNo {
        let pace = if self.calm { Pace::CALM } else { Pace::draw(&mut self.dice) };
        let limits = Limits { packet_size: self.plan.session.packet_size_max, ..Limits::default() };
        let decoders = (Decoder::server(limits), Decoder::client(version, Limits::default()));
        self.links.push(Link::new(peer, pace, decoders));
        let number = self.links.len() - 1;
        if self.is_down() {
            self.link(number).server_open = false;
            let at = self.now + self.dice.millis(0, 100);
            self.agenda.enter(at, Event::ClientLoses(number));
        }
        number
    }

    /// The client has written something.
    pub(super) fn push_up(&mut self, number: LinkNo) {
        let calm = self.calm;
        let link = self.links.get_mut(number).expect("invariant: links stay");
        if link.up_busy || link.cut {
            return;
        }
        link.up_busy = true;
        let pace = if calm { Pace::CALM } else { link.up_pace };
        let at = self.now + pace.delay(&mut self.dice);
        self.agenda.enter(at, Event::Up(number));
    }

    /// A piece arrives at the server; the end, when there is nothing more.
    pub(super) fn move_up(&mut self, number: LinkNo) {
        let calm = self.calm;
        let link = self.links.get_mut(number).expect("invariant: links stay");
        link.up_busy = false;
        if link.cut || !link.server_open {
            return;
        }
        let pace = if calm { Pace::CALM } else { link.up_pace };
        let piece = pace.piece(&mut self.dice, link.up.len());
        let bytes = link.up.split_to(piece);
        link.arrived.extend_from_slice(&bytes);
        let (more, finished) = (!link.up.is_empty(), link.finished);
        self.serve(number);
        if more {
            self.push_up(number);
        } else if finished {
            self.server_loses(number);
        }
    }

    /// The server has written something.
    pub(super) fn push_down(&mut self, number: LinkNo) {
        let calm = self.calm;
        let link = self.links.get_mut(number).expect("invariant: links stay");
        if link.down_busy || link.cut {
            return;
        }
        link.down_busy = true;
        let pace = if calm { Pace::CALM } else { link.down_pace };
        let asleep = link.actor().and_then(|actor| self.actors.get(actor));
        let until = asleep.map_or(Instant::ZERO, |actor| actor.asleep_until);
        let at = (self.now + pace.delay(&mut self.dice)).max(until);
        self.agenda.enter(at, Event::Down(number));
    }

    /// A piece of the server's output leaves it and arrives.
    pub(super) fn move_down(&mut self, number: LinkNo) {
        let (calm, limit) = (self.calm, self.plan.node.write_buffer_max);
        let link = self.links.get_mut(number).expect("invariant: links stay");
        link.down_busy = false;
        let Some((shard, id)) = link.conn.filter(|_| !link.cut && link.server_open) else { return };
        let pace = if calm { Pace::CALM } else { link.down_pace };
        let home = self.homes.get_mut(usize::from(shard)).expect("invariant: shards are numbered");
        let Some(conn) = home.dock.conn(id) else { return };
        let before = conn.output.len();
        let piece = pace.piece(&mut self.dice, before);
        if link.client_open {
            link.received.extend_from_slice(conn.output.get(..piece).unwrap_or_default());
        }
        conn.output.advance(piece);
        let empty = conn.output.is_empty();
        let tell = empty && (conn.slow || before > limit);
        conn.slow = !empty;
        let closing = conn.closing;
        self.read(number);
        if !empty {
            self.push_down(number);
        } else if closing {
            self.release(number);
            self.agenda.enter(self.now, Event::ClientLoses(number));
        } else if tell {
            self.call(shard, |shard, turn| shard.handle_flushed(turn, id));
        }
    }

    /// The client takes what has arrived.
    fn read(&mut self, number: LinkNo) {
        loop {
            let link = self.link(number);
            if !link.client_open {
                link.received.clear();
                return;
            }
            let peer = link.peer;
            let packet = match link.client.decode(&mut link.received) {
                Ok(None) => return,
                Ok(Some(packet)) => Ok(packet),
                Err(fault) => Err(fault),
            };
            let failed = packet.is_err();
            match peer {
                Peer::Actor(actor) => self.client_hears(actor, packet),
                Peer::Hostile(_) if failed => self.link(number).client_open = false,
                Peer::Hostile(_) => {}
            }
            if failed {
                self.link(number).received.clear();
                return;
            }
        }
    }

    /// The connection breaks in the middle of whatever is on its way.
    pub(super) fn cut(&mut self, number: LinkNo) {
        let (soon, late) = (self.dice.millis(0, 3_000), self.dice.chance(25));
        let noticed = if late { NOTICE_MAX } else { self.dice.millis(0, 4_000) };
        let link = self.link(number);
        if link.cut {
            return;
        }
        link.cut = true;
        self.agenda.enter(self.now + soon, Event::ClientLoses(number));
        self.agenda.enter(self.now + noticed, Event::ServerLoses(number));
        self.story.tell(self.now, &(10, number), || format!("link {number} is cut"));
    }

    /// The client forgets the connection without a word; the server is not told.
    pub(super) fn abandon(&mut self, number: LinkNo) {
        let noticed = if self.calm { Duration::ZERO } else { self.dice.millis(0, 60_000) };
        let link = self.link(number);
        link.client_open = false;
        link.cut = true;
        self.agenda.enter(self.now + noticed, Event::ServerLoses(number));
        self.story.tell(self.now, &(11, number), || format!("link {number} is abandoned"));
    }

    /// What an actor has said on older connections and was not accepted will never be.
    pub(super) fn lose_unaccepted(&mut self, peer: Peer) {
        let links = self.links.iter().enumerate();
        let lost = links.filter(|(_, it)| it.peer == peer && it.server_open && !it.accepted);
        let lost: Vec<_> = lost.map(|(number, _)| number).collect();
        for number in lost {
            self.server_loses(number);
        }
    }

    /// All connections that are broken are known to be.
    pub(super) fn notice_all(&mut self) {
        for number in 0..self.links.len() {
            if self.link(number).cut {
                self.server_loses(number);
                self.client_loses(number);
            }
        }
    }

    pub(super) fn write_up(&mut self, number: LinkNo, packet: &Packet) {
        let version = self.link(number).client.version();
        let link = self.link(number);
        plexus_wire::encode(packet, version, &mut link.up)
            .expect("invariant: a client sends what can be encoded");
        self.push_up(number);
    }
}
