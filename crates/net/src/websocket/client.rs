//! The client's side of the upgrade (RFC 6455, 4.1).

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use httparse::{EMPTY_HEADER, Response, Status};

use super::upgrade::{HEADERS_MAX, accept_key, has_token, only};

/// An upgrade request and what its answer has to prove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRequest {
    key: String,
}

/// What is wrong with the answer to an upgrade request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseFault {
    /// Longer than any answer to an upgrade.
    TooLong,
    /// No HTTP/1.1 response.
    Malformed,
    /// The server refuses by this status.
    Status(u16),
    /// The headers are not those of a WebSocket server that has read the request.
    NoUpgrade,
    /// The server does not speak the sub-protocol `mqtt`.
    Subprotocol,
}

impl fmt::Display for ResponseFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the answer is too long"),
            Self::Malformed => f.write_str("the answer is no HTTP/1.1 response"),
            Self::Status(status) => write!(f, "the server refuses by HTTP status {status}"),
            Self::NoUpgrade => f.write_str("the server does not switch to WebSocket"),
            Self::Subprotocol => f.write_str("the server does not speak the sub-protocol `mqtt`"),
        }
    }
}

impl ClientRequest {
    /// A request with this nonce, which must be fresh.
    pub fn new(nonce: [u8; 16]) -> Self {
        Self { key: STANDARD.encode(nonce) }
    }

    /// The text of the request; nothing if host or path could break out of their lines.
    pub fn encode(&self, host: &str, path: &str) -> Option<String> {
        let visible = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        if !visible(host) || !visible(path) || !path.starts_with('/') {
            return None;
        }
        // [MQTT-6.0.0-3]
        Some(format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {}\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Protocol: mqtt\r\n\r\n",
            self.key,
        ))
    }

    /// Checks the head of the answer, its empty line included.
    pub fn check(&self, head: &[u8]) -> Result<(), ResponseFault> {
        let mut headers = [EMPTY_HEADER; HEADERS_MAX];
        let mut response = Response::new(&mut headers);
        match response.parse(head) {
            Ok(Status::Complete(length)) if length == head.len() => {}
            Err(httparse::Error::TooManyHeaders) => return Err(ResponseFault::TooLong),
            Ok(_) | Err(_) => return Err(ResponseFault::Malformed),
        }
        match (response.version, response.code) {
            (Some(1), Some(101)) => {}
            (Some(1), Some(status)) => return Err(ResponseFault::Status(status)),
            _ => return Err(ResponseFault::Malformed),
        }
        let headers = &*response.headers;
        let accepted = only(headers, "Sec-WebSocket-Accept") == Some(&accept_key(&self.key));
        let upgraded = has_token(headers, "Upgrade", "websocket")
            && has_token(headers, "Connection", "upgrade");
        // An extension that was not asked for would change what frames mean.
        let extended = only(headers, "Sec-WebSocket-Extensions").is_some_and(|e| !e.is_empty());
        if !accepted || !upgraded || extended {
            return Err(ResponseFault::NoUpgrade);
        }
        match only(headers, "Sec-WebSocket-Protocol") {
            Some("mqtt") => Ok(()),
            _ => Err(ResponseFault::Subprotocol),
        }
    }
}
