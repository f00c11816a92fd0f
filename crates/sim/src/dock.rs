//! The effects of one shard, gathered in order: the world carries them out after the call.

use std::sync::Arc;

use bytes::BytesMut;
use plexus_access::{Credentials, Policy};
use plexus_broker::{
    envelope::Envelope,
    ports::{ConnId, Fetch, Ports, Query, Ticket},
};
use plexus_session::{CloseReason, LogPosition, Outgoing};
use plexus_store::Batch;
use plexus_types::ProtocolVersion;
use plexus_wire::Packet;
use slab::Slab;

use crate::agenda::LinkNo;

/// The server's end of a connection.
#[derive(Debug)]
pub(crate) struct Conn {
    pub(crate) link: LinkNo,
    /// Bytes that the network has not taken yet.
    pub(crate) output: BytesMut,
    /// A part of the output was taken and the rest was not: the shard is told when all is gone.
    pub(crate) slow: bool,
    /// Flush, then it is over.
    pub(crate) closing: bool,
}

/// What a shard did.
#[derive(Debug)]
pub(crate) enum Effect {
    /// A packet of so many bytes.
    Said(LinkNo, Box<Packet>, usize),
    /// A PUBLISH of so many bytes.
    Delivered(LinkNo, Box<Outgoing>, usize),
    Closed(ConnId, LinkNo, CloseReason),
    Resumed(LinkNo),
    Forwarded(u16, Box<Envelope>),
    Asked(Ticket),
    AskedAbout(Query),
    /// Records of a turn for the log.
    Recorded(Batch, LogPosition),
    /// Messages are to be read from the log.
    Wanted(Fetch),
    /// Something was written to a connection that was closed before.
    WroteAfterClose(LinkNo),
}

/// The effects of one shard.
#[derive(Debug, Default)]
pub(crate) struct Dock {
    pub(crate) conns: Slab<Conn>,
    pub(crate) effects: Vec<Effect>,
}

impl Dock {
    pub(crate) fn open(&mut self, link: LinkNo) -> ConnId {
        let conn = Conn { link, output: BytesMut::new(), slow: false, closing: false };
        ConnId(self.conns.insert(conn) as u32)
    }

    pub(crate) fn conn(&mut self, id: ConnId) -> Option<&mut Conn> {
        self.conns.get_mut(id.0 as usize)
    }

    pub(crate) fn free(&mut self, id: ConnId) {
        self.conns.try_remove(id.0 as usize);
    }

    fn writable(&mut self, id: ConnId) -> Option<&mut Conn> {
        let conn = self.conns.get_mut(id.0 as usize)?;
        if conn.closing {
            self.effects.push(Effect::WroteAfterClose(conn.link));
            return None;
        }
        Some(conn)
    }
}

impl Ports for Dock {
    fn send(&mut self, conn: ConnId, packet: &Packet, version: ProtocolVersion) {
        let Some(at) = self.writable(conn) else { return };
        let before = at.output.len();
        plexus_wire::encode(packet, version, &mut at.output)
            .expect("invariant: a session sends what can be encoded");
        let effect =
            Effect::Said(at.link, Box::new(packet.clone()), at.output.len().saturating_sub(before));
        self.effects.push(effect);
    }

    fn deliver(&mut self, conn: ConnId, outgoing: &Outgoing, version: ProtocolVersion) {
        let Some(at) = self.writable(conn) else { return };
        let message = &outgoing.message;
        let head = outgoing.head();
        let before = at.output.len();
        plexus_wire::encode_publish(&head, message, version, &mut at.output);
        let size = at.output.len().saturating_sub(before);
        let effect = Effect::Delivered(at.link, Box::new(outgoing.clone()), size);
        self.effects.push(effect);
    }

    fn backlog(&self, conn: ConnId) -> usize {
        self.conns.get(conn.0 as usize).map_or(0, |at| at.output.len())
    }

    fn close(&mut self, conn: ConnId, reason: CloseReason) {
        let Some(at) = self.conns.get_mut(conn.0 as usize).filter(|at| !at.closing) else {
            return;
        };
        at.closing = true;
        self.effects.push(Effect::Closed(conn, at.link, reason));
    }

    fn resume(&mut self, conn: ConnId) {
        if let Some(at) = self.conns.get(conn.0 as usize) {
            self.effects.push(Effect::Resumed(at.link));
        }
    }

    fn forward(&mut self, shard: u16, envelope: Envelope) {
        self.effects.push(Effect::Forwarded(shard, Box::new(envelope)));
    }

    fn commit(&mut self, batch: Batch, upto: LogPosition) {
        self.effects.push(Effect::Recorded(batch, upto));
    }

    fn fetch(&mut self, fetch: Fetch) {
        self.effects.push(Effect::Wanted(fetch));
    }

    fn verify(&mut self, ticket: Ticket, _: Arc<dyn Policy>, _: Credentials) -> bool {
        self.effects.push(Effect::Asked(ticket));
        true
    }

    fn ask(&mut self, query: Query, _: Arc<dyn Policy>, _: Credentials) -> bool {
        self.effects.push(Effect::AskedAbout(query));
        true
    }
}
