//! Frames → application bytes and control frames.

use bytes::BytesMut;

use super::{
    WebSocketError,
    frame::{FrameHeader, HEADER_SIZE_MAX, Opcode, Role, apply_mask, decode_header},
};

/// Takes frames in any pieces. The payload of data frames goes on at once; what is held back is at most
/// a header or the payload of one control frame.
#[derive(Debug)]
pub struct Decoder {
    role: Role,
    frame_size_max: usize,
    /// A header that is not complete yet.
    header: [u8; HEADER_SIZE_MAX],
    header_size: usize,
    frame: Option<Frame>,
    /// Whether a message has begun and its last frame has not.
    in_message: bool,
    /// The payload of a control frame so far; without memory otherwise.
    control: Vec<u8>,
}

/// The frame whose payload is arriving.
#[derive(Debug, Clone, Copy)]
struct Frame {
    opcode: Opcode,
    mask: [u8; 4],
    length: usize,
    received: usize,
}

/// A complete control frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    /// The peer asks for a pong with this payload.
    Ping(Vec<u8>),
    /// The peer answers.
    Pong,
    /// The peer sends nothing any more, for this reason.
    Close(Option<u16>),
}

/// What one [`Decoder::feed`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Bytes of the input that are done with; at least one.
    pub used: usize,
    /// A control frame that is complete.
    pub control: Option<Control>,
}

impl Decoder {
    /// A decoder of what the peer of `role` sends.
    pub fn new(role: Role, frame_size_max: u32) -> Self {
        Self {
            role,
            frame_size_max: frame_size_max as usize,
            header: [0; HEADER_SIZE_MAX],
            header_size: 0,
            frame: None,
            in_message: false,
            control: Vec::new(),
        }
    }

    /// Takes the front of `input`: up to the end of a header, of a frame or of `input`.
    pub fn feed(&mut self, input: &[u8], out: &mut BytesMut) -> Result<Step, WebSocketError> {
        let Some(frame) = &mut self.frame else { return self.feed_header(input) };
        let count = input.len().min(frame.length - frame.received);
        let payload = input.get(..count).unwrap_or_default();
        if frame.opcode.is_control() {
            let start = self.control.len();
            self.control.extend_from_slice(payload);
            let fresh = self.control.get_mut(start..).unwrap_or_default();
            apply_mask(fresh, frame.mask, frame.received);
        } else {
            let start = out.len();
            out.extend_from_slice(payload);
            let fresh = out.get_mut(start..).unwrap_or_default();
            apply_mask(fresh, frame.mask, frame.received);
        }
        frame.received += count;
        Ok(Step { used: count, control: self.finish()? })
    }

    fn feed_header(&mut self, input: &[u8]) -> Result<Step, WebSocketError> {
        let before = self.header_size;
        for (place, byte) in self.header.iter_mut().skip(before).zip(input) {
            *place = *byte;
            self.header_size += 1;
        }
        let known = self.header.get(..self.header_size).unwrap_or_default();
        let Some((header, size)) = decode_header(known)? else {
            return Ok(Step { used: self.header_size - before, control: None });
        };
        self.header_size = 0;
        self.begin(&header)?;
        Ok(Step { used: size - before, control: self.finish()? })
    }

    /// Checks what a header means here.
    fn begin(&mut self, header: &FrameHeader) -> Result<(), WebSocketError> {
        // RFC 6455, 5.1: a server closes on an unmasked frame, a client on a masked one.
        if header.mask.is_some() != (self.role == Role::Server) {
            return Err(WebSocketError::Masking);
        }
        if header.length > self.frame_size_max {
            return Err(WebSocketError::TooLong);
        }
        match (header.opcode, self.in_message) {
            // [MQTT-6.0.0-1]
            (Opcode::Text, _) => return Err(WebSocketError::Text),
            (Opcode::Binary, true) | (Opcode::Continuation, false) => {
                return Err(WebSocketError::Order);
            }
            (Opcode::Binary | Opcode::Continuation, _) => self.in_message = !header.fin,
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) => {}
        }
        self.frame = Some(Frame {
            opcode: header.opcode,
            mask: header.mask.unwrap_or_default(),
            length: header.length,
            received: 0,
        });
        Ok(())
    }

    /// Ends the frame if its payload is complete.
    fn finish(&mut self) -> Result<Option<Control>, WebSocketError> {
        let Some(frame) = self.frame.take_if(|frame| frame.received == frame.length) else {
            return Ok(None);
        };
        let payload = std::mem::take(&mut self.control);
        match frame.opcode {
            Opcode::Ping => Ok(Some(Control::Ping(payload))),
            Opcode::Pong => Ok(Some(Control::Pong)),
            Opcode::Close => Ok(Some(Control::Close(close_code(&payload)?))),
            Opcode::Binary | Opcode::Continuation | Opcode::Text => Ok(None),
        }
    }
}

fn close_code(payload: &[u8]) -> Result<Option<u16>, WebSocketError> {
    if payload.is_empty() {
        return Ok(None);
    }
    let (code, reason) = payload.split_first_chunk::<2>().ok_or(WebSocketError::Close)?;
    let code = u16::from_be_bytes(*code);
    let sendable = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
    if sendable && std::str::from_utf8(reason).is_ok() {
        Ok(Some(code))
    } else {
        Err(WebSocketError::Close)
    }
}
