//! One client with its connection.

use std::time::Duration;

use bytes::BytesMut;
use plexus_net::{Stream, WriteQueue};
use plexus_session::Client;
use plexus_types::Instant;
use plexus_wire::Decoder;

use super::{publisher::Publisher, subscriber::Subscriber};

/// How long a socket may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the broker may take to end a connection after DISCONNECT.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a client rests before it connects again after a connection that was not ended by it.
pub(super) const REST: Duration = Duration::from_millis(500);

/// A client.
#[derive(Debug)]
pub(super) struct Conn {
    pub(super) client: Client,
    pub(super) link: Option<Link>,
    pub(super) group: u16,
    /// In its group.
    pub(super) number: u32,
    pub(super) phase: Phase,
    /// It has bytes to write and is in the list of those.
    pub(super) touched: bool,
    /// Since when the phase lasts.
    pub(super) since: Instant,
    /// When its connection was due.
    pub(super) due: Instant,
    /// Its entry among the timers.
    pub(super) timer: Instant,
    /// When it leaves if it is there, or comes if it rests, by itself.
    pub(super) turn: Instant,
    /// It leaves as soon as what it has sent is acknowledged.
    pub(super) parting: bool,
    /// It connects only so that the broker forgets its session.
    pub(super) ending: bool,
    pub(super) part: Part,
}

/// How far a client is.
///
/// ```text
///  Away ──▶ Queued ──▶ Connecting ──▶ Asked ──CONNACK──▶ Standing ──SUBACK──▶ Ready
///   ▲         ▲             │ fails      │ refused          │                    │
///   │         └─ Resting ◀──┴────────────┘                  └────── Closing ◀────┘
///   └─────────────────────────────────────────────────────────────────┘
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// No connection.
    Away,
    /// None for a moment.
    Resting,
    /// None yet: it is among those that are to connect, once.
    Queued,
    /// The socket connects.
    Connecting,
    /// CONNECT is out.
    Asked,
    /// CONNACK came.
    Standing,
    /// All that was to be subscribed to is.
    Ready,
    /// DISCONNECT is out.
    Closing,
}

/// What a client does.
#[derive(Debug)]
pub(super) enum Part {
    Idle,
    Publish(Box<Publisher>),
    Subscribe(Box<Subscriber>),
}

/// What exists only while there is a connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) stream: Stream,
    pub(super) out: WriteQueue,
    /// The beginning of a packet; nothing while none is incomplete.
    pub(super) inbox: BytesMut,
    pub(super) decoder: Decoder,
}

impl Conn {
    pub(super) fn enter(&mut self, phase: Phase, now: Instant) {
        (self.phase, self.since) = (phase, now);
    }

    /// When something has to have happened.
    pub(super) fn deadline(&self) -> Instant {
        match self.phase {
            Phase::Away | Phase::Queued => Instant::FAR_FUTURE,
            Phase::Resting => self.turn,
            Phase::Connecting => self.since + CONNECT_TIMEOUT,
            Phase::Closing => self.since + CLOSE_TIMEOUT,
            Phase::Asked | Phase::Standing => {
                self.client.poll_timeout().unwrap_or(Instant::FAR_FUTURE)
            }
            Phase::Ready => self.turn.min(self.client.poll_timeout().unwrap_or(self.turn)),
        }
    }

    /// Whether CONNACK came.
    pub(super) const fn is_accepted(&self) -> bool {
        matches!(self.phase, Phase::Standing | Phase::Ready)
    }

    /// Bytes that the socket has not yet taken.
    pub(super) fn backlog(&self) -> usize {
        self.link.as_ref().map_or(0, |link| link.out.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_waits_is_small() {
        let sizes = (size_of::<Conn>(), size_of::<Client>(), size_of::<Link>());
        assert!(sizes.0 <= 1_024, "{sizes:?}");
    }
}
