//! The header of a frame.
//!
//! ```text
//! |FIN|RSV 3|opcode 4| MASK |length 7| length 16 or 64, if 126 or 127 | mask 32, if MASK | payload …
//! ```

use bytes::{BufMut, BytesMut};

use super::WebSocketError;

/// Which side we are on: a server receives masked frames, a client unmasked ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// We accepted the connection.
    Server,
    /// We made the connection.
    Client,
}

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opcode {
    /// The next part of a message.
    Continuation,
    /// The first part of a text message.
    Text,
    /// The first part of a binary message.
    Binary,
    /// The sender sends nothing any more.
    Close,
    /// Asks for a pong.
    Ping,
    /// Answers a ping, or comes unasked.
    Pong,
}

impl Opcode {
    fn from_bits(bits: u8) -> Result<Self, WebSocketError> {
        match bits {
            0x0 => Ok(Self::Continuation),
            0x1 => Ok(Self::Text),
            0x2 => Ok(Self::Binary),
            0x8 => Ok(Self::Close),
            0x9 => Ok(Self::Ping),
            0xA => Ok(Self::Pong),
            _ => Err(WebSocketError::Reserved),
        }
    }

    fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }

    /// Whether the frame is no part of a message.
    pub fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// The header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// Whether the frame is the last of its message.
    pub fin: bool,
    /// What the frame is.
    pub opcode: Opcode,
    /// What the payload is masked with, if it is.
    pub mask: Option<[u8; 4]>,
    /// Bytes of payload.
    pub length: usize,
}

/// The longest header: flags, length, long length, mask.
pub(super) const HEADER_SIZE_MAX: usize = 14;

/// In place of a short length: 16 bits follow.
const LONG: u8 = 0x7E;

/// In place of a short length: 64 bits follow.
const VERY_LONG: u8 = 0x7F;

/// The longest payload of a control frame.
const CONTROL_SIZE_MAX: usize = 125;

/// Reads a header from the front of `bytes`: the header and its size, or nothing when bytes are
/// missing. What the first bytes already show to be wrong is not waited for.
pub fn decode_header(bytes: &[u8]) -> Result<Option<(FrameHeader, usize)>, WebSocketError> {
    const RESERVED: u8 = 0x70;
    let Some(&flags) = bytes.first() else { return Ok(None) };
    if flags & RESERVED != 0 {
        return Err(WebSocketError::Reserved);
    }
    let (fin, opcode) = (flags & 0x80 != 0, Opcode::from_bits(flags & 0x0F)?);
    if opcode.is_control() && !fin {
        return Err(WebSocketError::Control);
    }
    let Some(&second) = bytes.get(1) else { return Ok(None) };
    let Some((length, size)) = decode_length(second & 0x7F, bytes.get(2..).unwrap_or_default())?
    else {
        return Ok(None);
    };
    if opcode.is_control() && length > CONTROL_SIZE_MAX {
        return Err(WebSocketError::Control);
    }
    if second & 0x80 == 0 {
        return Ok(Some((FrameHeader { fin, opcode, mask: None, length }, 2 + size)));
    }
    let mask = bytes.get(2 + size..).and_then(|rest| rest.first_chunk::<4>());
    Ok(mask.map(|mask| (FrameHeader { fin, opcode, mask: Some(*mask), length }, 6 + size)))
}

/// The length and the size of its long form. Only the shortest form is right (RFC 6455, 5.2).
fn decode_length(short: u8, rest: &[u8]) -> Result<Option<(usize, usize)>, WebSocketError> {
    match short {
        LONG => {
            let Some(bytes) = rest.first_chunk::<2>() else { return Ok(None) };
            match u16::from_be_bytes(*bytes) {
                ..=125 => Err(WebSocketError::Length),
                length => Ok(Some((usize::from(length), 2))),
            }
        }
        VERY_LONG => {
            let Some(bytes) = rest.first_chunk::<8>() else { return Ok(None) };
            let length = u64::from_be_bytes(*bytes);
            if u16::try_from(length).is_ok() || i64::try_from(length).is_err() {
                return Err(WebSocketError::Length);
            }
            let length = usize::try_from(length).map_err(|_| WebSocketError::TooLong)?;
            Ok(Some((length, 8)))
        }
        length => Ok(Some((usize::from(length), 0))),
    }
}

/// Appends a header to `out`.
pub fn encode_header(header: &FrameHeader, out: &mut BytesMut) {
    let FrameHeader { fin, opcode, mask, length } = *header;
    out.put_u8(if fin { 0x80 } else { 0 } | opcode.bits());
    let masked = if mask.is_some() { 0x80 } else { 0 };
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ ..=125), _) => out.put_u8(masked | length),
        (_, Ok(length)) => {
            out.put_u8(masked | LONG);
            out.put_u16(length);
        }
        _ => {
            out.put_u8(masked | VERY_LONG);
            out.put_u64(length as u64);
        }
    }
    if let Some(mask) = mask {
        out.put_slice(&mask);
    }
}

/// Masks or unmasks `payload`, which begins `offset` bytes behind the beginning of the frame's payload.
pub fn apply_mask(payload: &mut [u8], mask: [u8; 4], offset: usize) {
    let mut mask = mask;
    mask.rotate_left(offset % 4);
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip([a, b, c, d, a, b, c]) {
        *byte ^= key;
    }
}
