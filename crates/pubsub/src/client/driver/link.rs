use bytes::BytesMut;
use plexus_net::{Stream, Transport, WriteQueue};
use plexus_types::Instant;
use plexus_wire::Decoder;

use crate::client::{down::Down, trouble::Stage};

/// A connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) stream: Stream,
    pub(super) out: WriteQueue,
    pub(super) inbox: BytesMut,
    pub(super) decoder: Decoder,
    pub(super) phase: Phase,
    /// What the broker said before it closed.
    pub(super) said: Option<Down>,
    /// The socket may hold more than was read.
    pub(super) readable: bool,
    /// The other side has said something.
    pub(super) heard: bool,
    /// CONNACK has come and said yes.
    pub(super) accepted: bool,
    /// The socket failed while the last bytes left.
    pub(super) cut: bool,
    /// PINGREQs without an answer.
    pub(super) pings: u32,
}

#[derive(Debug)]
pub(super) enum Phase {
    /// The socket connects.
    Connecting(Instant),
    /// CONNECT is out.
    Speaking,
    /// The last bytes leave.
    Closing(Down, Instant),
}

impl Link {
    pub(super) fn new(stream: Stream, decoder: Decoder, deadline: Instant) -> Self {
        Self {
            stream,
            out: WriteQueue::new(),
            inbox: BytesMut::new(),
            decoder,
            phase: Phase::Connecting(deadline),
            said: None,
            readable: false,
            heard: false,
            accepted: false,
            cut: false,
            pings: 0,
        }
    }

    /// Whether the other side closed without having read everything: the system then resets the
    /// connection. With layers that proves nothing, because their good-bye comes behind DISCONNECT.
    pub(super) fn is_cut(&self) -> bool {
        self.cut && matches!(self.stream.facts().transport, Transport::Tcp | Transport::Unix)
    }

    /// How far it came.
    pub(super) fn stage(&self) -> Stage {
        if self.accepted {
            return Stage::Up;
        }
        if self.stream.is_established() {
            return Stage::Asked;
        }
        let facts = self.stream.facts();
        match facts.transport {
            Transport::Tls | Transport::Wss if facts.tls.is_none() => Stage::Tls,
            Transport::Ws | Transport::Wss => Stage::WebSocket,
            Transport::Tls | Transport::Tcp | Transport::Unix => Stage::Asked,
        }
    }

    /// Bytes that the socket has not yet taken, those inside TLS and WebSocket counted as one.
    pub(super) fn backlog(&self) -> usize {
        self.out.len() + usize::from(self.stream.wants_write())
    }

    /// When something has to have happened.
    pub(super) const fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Connecting(deadline) | Phase::Closing(_, deadline) => Some(deadline),
            Phase::Speaking => None,
        }
    }

    /// The last steps of a connection; says why it is over when they are done. After DISCONNECT the
    /// broker's end is waited for: closing at once, with bytes unread, could destroy what is on its way.
    pub(super) fn close(&mut self, over: bool, down: Down) -> Option<Down> {
        let flushed = self.backlog() == 0;
        if flushed || over {
            self.stream.shutdown();
        }
        (over || (flushed && down != Down::Wanted)).then_some(down)
    }
}
