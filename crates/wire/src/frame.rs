use crate::{ProtocolError, varint};

/// The type of a packet: the upper four bits of its first byte, section 2.1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum PacketType {
    /// CONNECT.
    Connect = 1,
    /// CONNACK.
    ConnAck = 2,
    /// PUBLISH.
    Publish = 3,
    /// PUBACK.
    PubAck = 4,
    /// PUBREC.
    PubRec = 5,
    /// PUBREL.
    PubRel = 6,
    /// PUBCOMP.
    PubComp = 7,
    /// SUBSCRIBE.
    Subscribe = 8,
    /// SUBACK.
    SubAck = 9,
    /// UNSUBSCRIBE.
    Unsubscribe = 10,
    /// UNSUBACK.
    UnsubAck = 11,
    /// PINGREQ.
    PingReq = 12,
    /// PINGRESP.
    PingResp = 13,
    /// DISCONNECT.
    Disconnect = 14,
    /// AUTH.
    Auth = 15,
}

impl PacketType {
    /// The type of that number; 0 is reserved.
    pub const fn new(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Connect,
            2 => Self::ConnAck,
            3 => Self::Publish,
            4 => Self::PubAck,
            5 => Self::PubRec,
            6 => Self::PubRel,
            7 => Self::PubComp,
            8 => Self::Subscribe,
            9 => Self::SubAck,
            10 => Self::Unsubscribe,
            11 => Self::UnsubAck,
            12 => Self::PingReq,
            13 => Self::PingResp,
            14 => Self::Disconnect,
            15 => Self::Auth,
            _ => return None,
        })
    }

    /// The name that the specification writes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connect => "CONNECT",
            Self::ConnAck => "CONNACK",
            Self::Publish => "PUBLISH",
            Self::PubAck => "PUBACK",
            Self::PubRec => "PUBREC",
            Self::PubRel => "PUBREL",
            Self::PubComp => "PUBCOMP",
            Self::Subscribe => "SUBSCRIBE",
            Self::SubAck => "SUBACK",
            Self::Unsubscribe => "UNSUBSCRIBE",
            Self::UnsubAck => "UNSUBACK",
            Self::PingReq => "PINGREQ",
            Self::PingResp => "PINGRESP",
            Self::Disconnect => "DISCONNECT",
            Self::Auth => "AUTH",
        }
    }

    /// The first byte of such a packet with the flags that section 2.1.3 lists.
    pub(crate) const fn first_byte(self) -> u8 {
        let flags = match self {
            Self::PubRel | Self::Subscribe | Self::Unsubscribe => 0b0010,
            _ => 0,
        };
        (self as u8) << 4 | flags
    }
}

/// The fixed header, section 2.1.
///
/// ```text
/// bit     7 6 5 4        3 2 1 0
/// byte 1  packet type    flags
/// byte 2… remaining length, 1 to 4 bytes
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FixedHeader {
    pub(crate) packet_type: PacketType,
    pub(crate) flags: u8,
    /// Bytes of the fixed header itself.
    pub(crate) length: usize,
    /// Bytes that follow it.
    pub(crate) remaining: usize,
}

impl FixedHeader {
    /// The header behind a first byte that is already checked; `None` when it is not all there.
    pub(crate) fn read(
        packet_type: PacketType,
        bytes: &[u8],
    ) -> Result<Option<Self>, ProtocolError> {
        let Some((first, rest)) = bytes.split_first() else { return Ok(None) };
        let Some((remaining, length)) = varint::read(rest)? else { return Ok(None) };
        let remaining = remaining as usize;
        Ok(Some(Self { packet_type, flags: first & 0x0F, length: length + 1, remaining }))
    }

    /// Bytes of the whole packet.
    pub(crate) const fn total(&self) -> usize {
        self.length + self.remaining
    }

    /// Whether the remaining length uses the fewest bytes.
    pub(crate) const fn is_minimal(&self) -> bool {
        self.length == 1 + varint::len(self.remaining as u32)
    }
}
