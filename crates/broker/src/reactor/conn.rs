//! One connection as the loop sees it.

use std::sync::Arc;

use bytes::BytesMut;
use plexus_net::{Stream, WriteQueue};
use plexus_porch::{Guard, Meter, MeterOptions};
use plexus_types::Instant;
use plexus_wire::Decoder;

/// A connection that only waits owns nothing beyond this.
pub(super) struct Conn {
    pub(super) stream: Stream,
    pub(super) decoder: Decoder,
    /// Input that is not yet a packet, or that must wait; seldom any.
    pub(super) input: Option<Box<BytesMut>>,
    pub(super) queue: WriteQueue,
    pub(super) stage: Stage,
    /// Which closing it is, so that its deadline does not end a later connection.
    pub(super) generation: u32,
    /// Whether it stands in the list of those with input.
    pub(super) ready: bool,
    /// Whether it stands in the list of those whose PUBLISH waits.
    pub(super) held: bool,
    /// Whether it stands in the list of those with output.
    pub(super) dirty: bool,
    /// Whether the shard is to be told when the output has drained.
    pub(super) slow: bool,
    /// Whether it stands in the list of those whose end was seen.
    pub(super) departing: bool,
    /// Whether the client has said its last: DISCONNECT.
    pub(super) parted: bool,
    /// What it may publish in a time; most have no such limit.
    pub(super) metered: Option<Box<Metered>>,
    _guard: Guard,
}

/// What a connection has published that has a limit.
pub(super) struct Metered {
    pub(super) meter: Meter,
    /// Until when its next PUBLISH waits; none if it does not.
    pub(super) paced_until: Option<Instant>,
}

impl Metered {
    pub(super) fn new(options: &Arc<MeterOptions>) -> Self {
        Self { meter: Meter::new(Arc::clone(options)), paced_until: None }
    }
}

/// ```text
/// Open ──close──▶ Flushing ──all written──▶ Lingering ──end of input──▶ removed
///                     ├──────────────── deadline ───────────┴─────────▶ removed
///                     └─all written, the client has said its last─────▶ removed
/// ```
/// Lingering reads what the peer had still sent and throws it away: a socket closed over unread input
/// resets the connection, and the peer might lose the last packet that says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Open,
    Flushing(Instant),
    Lingering(Instant),
}

/// What became of an attempt to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    All,
    Part,
    Failed,
}

impl Conn {
    pub(super) fn new(stream: Stream, decoder: Decoder, input: BytesMut, guard: Guard) -> Self {
        Self {
            stream,
            decoder,
            input: (!input.is_empty()).then(|| Box::new(input)),
            queue: WriteQueue::new(),
            stage: Stage::Open,
            generation: 0,
            ready: false,
            held: false,
            dirty: false,
            slow: false,
            departing: false,
            parted: false,
            metered: None,
            _guard: guard,
        }
    }

    pub(super) fn is_closing(&self) -> bool {
        self.stage != Stage::Open
    }
}
