//! One network connection: bytes both ways, in pieces and late, until something cuts it.

use std::time::Duration;

use bytes::BytesMut;
use plexus_broker::ports::ConnId;
use plexus_wire::Decoder;

use crate::{agenda::ActorNo, dice::Dice};

/// Who is at the client's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Actor(ActorNo),
    Hostile(usize),
}

/// How fast bytes move: after such a time a piece of at most such a size arrives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    delay_max_micros: usize,
    piece_max: usize,
}

impl Pace {
    /// Everything arrives at once, soon.
    pub(crate) const CALM: Self = Self { delay_max_micros: 1_000, piece_max: 1 << 20 };

    pub(crate) fn draw(dice: &mut Dice) -> Self {
        Self {
            delay_max_micros: dice.pick(&[500, 5_000, 50_000]),
            piece_max: dice.pick(&[1, 7, 100, 4_000, 4_000]),
        }
    }

    /// Of a reader that takes its time.
    pub(crate) const SLOW: Self = Self { delay_max_micros: 400_000, piece_max: 40 };

    pub(crate) fn delay(self, dice: &mut Dice) -> Duration {
        dice.micros(50, self.delay_max_micros.max(50))
    }

    pub(crate) fn piece(self, dice: &mut Dice, waiting: usize) -> usize {
        dice.between(1, self.piece_max).min(waiting)
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) peer: Peer,
    pub(crate) up_pace: Pace,
    pub(crate) down_pace: Pace,
    /// Bytes that the client has written.
    pub(crate) up: BytesMut,
    /// Bytes that have arrived at the server.
    pub(crate) arrived: BytesMut,
    /// Bytes that have arrived at the client.
    pub(crate) received: BytesMut,
    pub(crate) server: Decoder,
    pub(crate) client: Decoder,
    /// Where the server keeps it, once CONNECT was read.
    pub(crate) conn: Option<(u16, ConnId)>,
    /// Whether the server has accepted CONNECT.
    pub(crate) accepted: bool,
    /// Whether it has been seen that the client lost it.
    pub(crate) detached: bool,
    /// Whether the server's end is open.
    pub(crate) server_open: bool,
    /// Whether the client listens.
    pub(crate) client_open: bool,
    /// Nothing follows what the client has written.
    pub(crate) finished: bool,
    /// Nothing moves any more.
    pub(crate) cut: bool,
    /// A piece is on its way.
    pub(crate) up_busy: bool,
    pub(crate) down_busy: bool,
}

impl Link {
    pub(crate) fn new(peer: Peer, pace: Pace, (server, client): (Decoder, Decoder)) -> Self {
        Self {
            peer,
            up_pace: pace,
            down_pace: pace,
            up: BytesMut::new(),
            arrived: BytesMut::new(),
            received: BytesMut::new(),
            server,
            client,
            conn: None,
            accepted: false,
            detached: false,
            server_open: true,
            client_open: true,
            finished: false,
            cut: false,
            up_busy: false,
            down_busy: false,
        }
    }

    pub(crate) const fn actor(&self) -> Option<ActorNo> {
        match self.peer {
            Peer::Actor(actor) => Some(actor),
            Peer::Hostile(_) => None,
        }
    }

    pub(crate) fn is_still(&self) -> bool {
        !self.server_open || (self.up.is_empty() && self.arrived.is_empty() && !self.cut)
    }
}
