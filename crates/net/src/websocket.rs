//! WebSocket (RFC 6455) for both roles, without a socket: an upgrade, then frames around a byte stream.
//!
//! MQTT packets may be cut anywhere by frames ([MQTT-6.0.0-2]), so the payload of every data frame goes
//! straight on as application bytes and no frame is ever collected. Both sides send binary frames only
//! ([MQTT-6.0.0-1]) under the sub-protocol `mqtt` ([MQTT-6.0.0-3], [MQTT-6.0.0-4]).

use std::sync::Arc;

use bytes::BytesMut;

use crate::{ClientWebSocket, StreamError, WebSocketOptions, WriteQueue};

mod client;
mod decoder;
mod frame;
mod upgrade;

pub use client::{ClientRequest, ResponseFault};
pub use decoder::{Control, Decoder, Step};
pub use frame::{FrameHeader, Opcode, Role, apply_mask, decode_header, encode_header};
pub use upgrade::{Refusal, accept_key, answer};

/// The longest frame that is sent, so that a ping is answered before a long queue has left.
const FRAME_SENT_MAX: usize = 1024 * 1024;

/// The longest answer to our own upgrade request.
const RESPONSE_SIZE_MAX: usize = 8 * 1024;

/// How the peer breaks the protocol. The peer has been told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebSocketError {
    /// The upgrade request was refused.
    #[error("upgrade refused: {0}")]
    Refused(Refusal),
    /// The server's answer to our upgrade request is not the right one.
    #[error("upgrade failed: {0}")]
    Response(ResponseFault),
    /// A reserved bit or opcode is used.
    #[error("reserved bit or opcode")]
    Reserved,
    /// A client did not mask its frame, or a server did.
    #[error("wrong masking for the peer's role")]
    Masking,
    /// A length that is not encoded in the shortest way, or beyond 63 bits.
    #[error("malformed frame length")]
    Length,
    /// A control frame that is fragmented or longer than 125 bytes.
    #[error("malformed control frame")]
    Control,
    /// A continuation of nothing, or a new message inside a message.
    #[error("frames out of order")]
    Order,
    /// A close frame with half a code, a code that must not be sent, or a reason that is no UTF-8.
    #[error("malformed close frame")]
    Close,
    /// A text frame; MQTT comes in binary frames only.
    #[error("text frame where only binary frames are understood")]
    Text,
    /// A frame longer than the listener allows.
    #[error("frame too long")]
    TooLong,
}

impl WebSocketError {
    /// The status that the peer is told in the close frame.
    pub fn close_code(&self) -> u16 {
        match self {
            // [MQTT-6.0.0-1]
            Self::Text => 1003,
            Self::TooLong => 1009,
            Self::Refused(_)
            | Self::Response(_)
            | Self::Reserved
            | Self::Masking
            | Self::Length
            | Self::Control
            | Self::Order
            | Self::Close => 1002,
        }
    }
}

/// One side of a WebSocket.
#[derive(Debug)]
pub(crate) struct WebSocket {
    state: State,
    decoder: Decoder,
    /// Finished bytes for the peer, ahead of everything else: the upgrade.
    greeting: BytesMut,
    /// The payload of the latest ping that is not answered yet; an older one needs no answer.
    pong: Option<Vec<u8>>,
    /// The code of the close frame to send.
    close: Close,
    /// Bytes of the frame being sent that have not been taken from the queue.
    frame_left: usize,
    masking: Option<Masking>,
}

#[derive(Debug)]
enum State {
    /// Collecting the head of a request.
    Accepting(BytesMut, Arc<WebSocketOptions>),
    /// Collecting the head of a response.
    Asking(BytesMut, ClientRequest),
    Open,
    /// The peer has sent a close frame, or nothing that follows can be understood.
    PeerClosed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Close {
    Open,
    Owed(u16),
    Sent,
}

/// The mask of the frame that a client is sending.
#[derive(Debug)]
struct Masking {
    key: [u8; 4],
    /// Payload bytes of the frame sent so far.
    offset: usize,
}

impl WebSocket {
    pub(crate) fn server(options: Arc<WebSocketOptions>) -> Self {
        let decoder = Decoder::new(Role::Server, options.frame_size_max);
        Self::new(State::Accepting(BytesMut::new(), options), decoder)
    }

    pub(crate) fn client(asked: &ClientWebSocket) -> Result<Self, StreamError> {
        let mut nonce = [0; 16];
        fill_random(&mut nonce)?;
        let request = ClientRequest::new(nonce);
        let greeting = request
            .encode(&asked.host, &asked.path)
            .ok_or_else(|| StreamError::ServerName(format!("{}{}", asked.host, asked.path)))?;
        let decoder = Decoder::new(Role::Client, WebSocketOptions::default().frame_size_max);
        let mut websocket = Self::new(State::Asking(BytesMut::new(), request), decoder);
        websocket.greeting = BytesMut::from(greeting.as_bytes());
        websocket.masking = Some(Masking { key: [0; 4], offset: 0 });
        Ok(websocket)
    }

    fn new(state: State, decoder: Decoder) -> Self {
        let (greeting, close) = (BytesMut::new(), Close::Open);
        Self { state, decoder, greeting, pong: None, close, frame_left: 0, masking: None }
    }

    /// Takes transport bytes and appends the application bytes in them to `out`. After an error the
    /// peer is owed an answer ([`Self::take_replies`]) and nothing more is understood.
    pub(crate) fn receive(
        &mut self,
        input: &[u8],
        out: &mut BytesMut,
    ) -> Result<(), WebSocketError> {
        let result = match self.upgrade(input) {
            Ok(used) => self.decode(input.get(used..).unwrap_or_default(), out),
            Err(error) => Err(error),
        };
        if let Err(error) = &result {
            if self.is_open() && self.close == Close::Open {
                self.close = Close::Owed(error.close_code());
            }
            self.state = State::PeerClosed;
        }
        result
    }

    /// Whether frames may be sent.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::Open) && self.close == Close::Open
    }

    /// Whether the peer has ended its side.
    pub(crate) fn peer_closed(&self) -> bool {
        matches!(self.state, State::PeerClosed)
    }

    /// Whether an upgrade, a pong or a close frame can be sent now.
    pub(crate) fn has_replies(&self) -> bool {
        let frames = self.pong.is_some() || matches!(self.close, Close::Owed(_));
        !self.greeting.is_empty() || (frames && self.frame_left == 0 && self.close != Close::Sent)
    }

    /// Moves what [`Self::has_replies`] speaks of behind `out`.
    pub(crate) fn take_replies(&mut self, out: &mut WriteQueue) -> Result<(), StreamError> {
        let greeting = std::mem::take(&mut self.greeting);
        out.buffer().extend_from_slice(&greeting);
        if self.frame_left > 0 || self.close == Close::Sent {
            return Ok(());
        }
        if let Some(payload) = self.pong.take() {
            self.encode_control(Opcode::Pong, &payload, out)?;
        }
        if let Close::Owed(code) = self.close {
            self.encode_control(Opcode::Close, &code.to_be_bytes(), out)?;
            self.close = Close::Sent;
        }
        Ok(())
    }

    /// Moves at most `limit` application bytes from `queue` to `out`, in frames. One frame is opened
    /// around everything that waits; large payloads are not copied unless they are masked.
    pub(crate) fn encode(
        &mut self,
        queue: &mut WriteQueue,
        out: &mut WriteQueue,
        limit: usize,
    ) -> Result<(), StreamError> {
        if self.frame_left == 0 {
            let length = queue.len().min(FRAME_SENT_MAX);
            let mask = self.fresh_mask()?;
            // [MQTT-6.0.0-1]
            let header = FrameHeader { fin: true, opcode: Opcode::Binary, mask, length };
            encode_header(&header, out.buffer());
            self.frame_left = length;
        }
        let count = self.frame_left.min(limit);
        self.frame_left -= match &mut self.masking {
            None => queue.move_front(count, out),
            Some(masking) => masking.apply(queue, count, out),
        };
        Ok(())
    }

    /// Ends our side with a close frame, unless it stands inside of another frame.
    pub(crate) fn close(&mut self) {
        const NORMAL: u16 = 1000;
        if self.is_open() {
            self.close = Close::Owed(NORMAL);
        }
    }

    /// Returns how many bytes of `input` belonged to the upgrade.
    fn upgrade(&mut self, input: &[u8]) -> Result<usize, WebSocketError> {
        let (head, limit) = match &mut self.state {
            State::Accepting(head, options) => (head, options.header_size_max as usize),
            State::Asking(head, _) => (head, RESPONSE_SIZE_MAX),
            State::Open | State::PeerClosed => return Ok(0),
        };
        let before = head.len();
        let room = limit.saturating_sub(before).min(input.len());
        head.extend_from_slice(input.get(..room).unwrap_or_default());
        let searched = before.saturating_sub(HEAD_END.len() - 1);
        let tail = head.get(searched..).unwrap_or_default();
        let end = tail.windows(HEAD_END.len()).position(|window| window == HEAD_END);
        let end = end.map(|at| searched + at + HEAD_END.len());
        if end.is_none() && head.len() < limit {
            return Ok(input.len());
        }
        match std::mem::replace(&mut self.state, State::Open) {
            State::Accepting(head, options) => {
                let request = end.and_then(|end| head.get(..end));
                let answer = request.map_or(Err(Refusal::TooLong), |head| answer(head, &options));
                let (text, result) = match answer {
                    Ok(response) => (response, Ok(())),
                    Err(refusal) => (refusal.response(), Err(refusal)),
                };
                self.greeting.extend_from_slice(text.as_bytes());
                if let Err(refusal) = result {
                    self.close = Close::Sent;
                    return Err(WebSocketError::Refused(refusal));
                }
            }
            State::Asking(head, request) => {
                let response = end.and_then(|end| head.get(..end));
                let checked = response.map_or(Err(ResponseFault::TooLong), |h| request.check(h));
                if let Err(fault) = checked {
                    self.close = Close::Sent;
                    return Err(WebSocketError::Response(fault));
                }
            }
            State::Open | State::PeerClosed => {}
        }
        Ok(end.unwrap_or_default() - before)
    }

    fn decode(&mut self, mut input: &[u8], out: &mut BytesMut) -> Result<(), WebSocketError> {
        while !input.is_empty() && matches!(self.state, State::Open) {
            let Step { used, control } = self.decoder.feed(input, out)?;
            input = input.get(used..).unwrap_or_default();
            match control {
                Some(Control::Ping(payload)) => self.pong = Some(payload),
                Some(Control::Close(code)) => {
                    if self.close == Close::Open {
                        // The answer repeats the code; a close without one is answered by "normal".
                        self.close = Close::Owed(code.unwrap_or(1000));
                    }
                    self.state = State::PeerClosed;
                }
                Some(Control::Pong) | None => {}
            }
        }
        Ok(())
    }

    fn encode_control(
        &mut self,
        opcode: Opcode,
        payload: &[u8],
        out: &mut WriteQueue,
    ) -> Result<(), StreamError> {
        let mask = self.fresh_mask()?;
        let header = FrameHeader { fin: true, opcode, mask, length: payload.len() };
        let buffer = out.buffer();
        encode_header(&header, buffer);
        let start = buffer.len();
        buffer.extend_from_slice(payload);
        if let Some(key) = mask {
            apply_mask(buffer.get_mut(start..).unwrap_or_default(), key, 0);
        }
        Ok(())
    }

    /// For a client, the mask of the next frame: fresh and unpredictable (RFC 6455, 5.3).
    fn fresh_mask(&mut self) -> Result<Option<[u8; 4]>, StreamError> {
        let Some(masking) = &mut self.masking else { return Ok(None) };
        fill_random(&mut masking.key)?;
        masking.offset = 0;
        Ok(Some(masking.key))
    }
}

impl Masking {
    fn apply(&mut self, queue: &mut WriteQueue, count: usize, out: &mut WriteQueue) -> usize {
        let buffer = out.buffer();
        let start = buffer.len();
        queue.gather(count, buffer);
        let masked = buffer.get_mut(start..).unwrap_or_default();
        let count = masked.len();
        apply_mask(masked, self.key, self.offset);
        self.offset += count;
        count
    }
}

const HEAD_END: &[u8] = b"\r\n\r\n";

/// Random bytes of the cryptography provider, which a peer cannot foresee.
fn fill_random(bytes: &mut [u8]) -> Result<(), StreamError> {
    let random = rustls::crypto::aws_lc_rs::default_provider().secure_random;
    random.fill(bytes).map_err(|_| rustls::Error::FailedToGetRandomBytes.into())
}

#[cfg(test)]
mod tests;
