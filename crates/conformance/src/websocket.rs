//! The client's side of RFC 6455, as far as the cases need it.

use std::io;

use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};

use crate::{Fields, socket::Socket};

const KEY: &str = "cGxleHVzLWNvbmZvcm1hbg==";
const ACCEPT_SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const MASK: [u8; 4] = [0x5A, 0x12, 0xE7, 0x31];
/// An answer's head is never longer.
const HEAD_MAX: usize = 16 * 1024;
/// A frame from the broker is never longer.
const FRAME_MAX: u64 = 64 * 1024 * 1024;

/// The upgrade request. The words may set `path`, `protocol` (`none` leaves it out) and `version`.
pub(crate) fn request(host: &str, words: &Fields) -> String {
    let path = words.first("path").unwrap_or("/mqtt");
    let version = words.first("version").unwrap_or("13");
    let protocol = match words.first("protocol").unwrap_or("mqtt") {
        "none" => String::new(),
        protocol => format!("Sec-WebSocket-Protocol: {protocol}\r\n"),
    };
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: {version}\r\n{protocol}\r\n"
    )
}

/// Reads the answer's head: `status`, `protocol` where one was selected, and `accept=wrong` where
/// the key was not answered as it must be. Bytes behind the head are given back.
pub(crate) fn read_answer(stream: &mut Socket) -> io::Result<(Fields, Vec<u8>)> {
    let mut head = Vec::new();
    let end = loop {
        if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        let mut chunk = [0; 1024];
        let count = stream.read(&mut chunk)?;
        if count == 0 || head.len() > HEAD_MAX {
            return Ok((closed_answer(), Vec::new()));
        }
        head.extend(chunk.iter().take(count));
    };
    let rest = head.split_off(end);
    Ok((answer_fields(&String::from_utf8_lossy(&head)), rest))
}

fn closed_answer() -> Fields {
    Fields::parse(&["status=closed".to_owned()])
}

fn answer_fields(head: &str) -> Fields {
    let mut fields = Fields::default();
    fields.push("status", head.split(' ').nth(1).unwrap_or_default());
    let mut accepted = false;
    for line in head.lines().skip(1) {
        let Some((name, value)) = line.split_once(':') else { continue };
        match name.to_ascii_lowercase().as_str() {
            "sec-websocket-protocol" => fields.push("protocol", value.trim()),
            "sec-websocket-accept" => accepted = value.trim() == accept_key(),
            _ => {}
        }
    }
    if fields.first("status") == Some("101") && !accepted {
        fields.push("accept", "wrong");
    }
    fields
}

fn accept_key() -> String {
    STANDARD.encode(Sha1::digest(format!("{KEY}{ACCEPT_SUFFIX}")))
}

/// A whole binary message.
pub(crate) fn binary(payload: &[u8]) -> Vec<u8> {
    frame(0x82, payload)
}

/// A text frame.
pub(crate) fn text(payload: &str) -> Vec<u8> {
    frame(0x81, payload.as_bytes())
}

/// A ping frame.
pub(crate) fn ping() -> Vec<u8> {
    frame(0x89, b"are you there")
}

/// A part of a binary message.
pub(crate) fn fragment(payload: &[u8], first: bool, last: bool) -> Vec<u8> {
    let finished = if last { 0x80 } else { 0 };
    let kind = if first { 0x02 } else { 0x00 };
    frame(finished | kind, payload)
}

/// A binary message without the mask that a client must use.
pub(crate) fn unmasked(payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x82];
    push_length(payload.len(), 0, &mut bytes);
    bytes.extend(payload);
    bytes
}

fn frame(first_byte: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first_byte];
    push_length(payload.len(), 0x80, &mut bytes);
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

fn push_length(length: usize, mask_bit: u8, bytes: &mut Vec<u8>) {
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 126 => bytes.push(mask_bit | short),
        (_, Ok(two)) => {
            bytes.push(mask_bit | 0x7E);
            bytes.extend(two.to_be_bytes());
        }
        _ => {
            bytes.push(mask_bit | 0x7F);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
}

/// Bytes that came and are not yet read as frames.
#[derive(Debug)]
pub(crate) struct Frames {
    bytes: Vec<u8>,
}

/// What the next frame was.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Its payload was added.
    Data,
    /// The answer to a ping.
    Pong,
    /// The broker says goodbye.
    Closed,
    /// Something no broker may send.
    Broken(String),
    /// More bytes are needed.
    Partial,
}

impl Frames {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// Takes one frame; the payload of a data frame is added to `data`, a ping is answered.
    pub(crate) fn take(&mut self, stream: &mut Socket, data: &mut Vec<u8>) -> Taken {
        let Some((first_byte, header, length)) = self.header() else { return Taken::Partial };
        if length > FRAME_MAX {
            return Taken::Broken("a WebSocket frame that is too long".to_owned());
        }
        let end = header + length as usize;
        if self.bytes.len() < end {
            return Taken::Partial;
        }
        let rest = self.bytes.split_off(end);
        let payload = std::mem::replace(&mut self.bytes, rest).split_off(header);
        match first_byte & 0x0F {
            0x0 | 0x2 => {
                data.extend(payload);
                Taken::Data
            }
            0x8 => Taken::Closed,
            0x9 => {
                drop(stream.write(&frame(0x8A, &payload)));
                Taken::Data
            }
            0xA => Taken::Pong,
            kind => Taken::Broken(format!("a WebSocket frame of kind {kind:#x}")),
        }
    }

    /// First byte, length of the header, length of the payload.
    fn header(&self) -> Option<(u8, usize, u64)> {
        let number = |from: usize, to: usize| {
            let bytes = self.bytes.get(from..to)?;
            Some(bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))
        };
        let first_byte = *self.bytes.first()?;
        match self.bytes.get(1)? {
            126 => Some((first_byte, 4, number(2, 4)?)),
            127 => Some((first_byte, 10, number(2, 10)?)),
            short if *short < 126 => Some((first_byte, 2, u64::from(*short))),
            // A masked frame from a server is an error; as a length beyond the bound it is told as
            // one.
            _ => Some((first_byte, 2, u64::MAX)),
        }
    }
}
