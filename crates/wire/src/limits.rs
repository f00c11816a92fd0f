use plexus_types::ProtocolVersion;

/// The largest packet that the protocol can express, in bytes, fixed header included.
pub const PACKET_SIZE_MAX: usize = 5 + crate::varint::MAX as usize;

/// The largest first packet that a server takes, in bytes: the header of CONNECT, its five fields
/// at their full length, and some properties. Nobody is known yet when it is announced.
pub const FIRST_PACKET_SIZE_MAX: usize = 330_000;

/// What a peer may ask of the decoder; each is checked before anything is allocated for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a whole packet, fixed header included.
    pub packet_size: u32,
    /// User Properties of a packet; those of a Will count for themselves.
    pub user_properties: u16,
    /// Topic Filters of a SUBSCRIBE or UNSUBSCRIBE.
    pub filters: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self { packet_size: 1024 * 1024, user_properties: 256, filters: 1024 }
    }
}

/// What decides about the meaning of bytes: version, direction and limits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope {
    pub(crate) version: ProtocolVersion,
    /// Whether a CONNECT has said so; 5.0 is assumed until then.
    pub(crate) version_known: bool,
    /// Whether the peer is the client.
    pub(crate) from_client: bool,
    pub(crate) limits: Limits,
}
