//! The server's side of the upgrade (RFC 6455, 4.2).

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use httparse::{EMPTY_HEADER, Header, Request, Status};
use sha1::{Digest, Sha1};

use crate::WebSocketOptions;

/// Header lines of a request or response that are accepted.
pub(super) const HEADERS_MAX: usize = 64;

/// The sub-protocols that are spoken; `mqttv3.1` is what clients of MQTT 3.1 used to offer.
pub(super) const SUBPROTOCOLS: [&str; 2] = ["mqtt", "mqttv3.1"];

/// Why an upgrade request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Longer than the listener allows, or too many header lines.
    TooLong,
    /// No HTTP/1.1 request, or one that lacks what an upgrade needs.
    Malformed,
    /// Another path than the listener's.
    Path,
    /// Another method than GET.
    Method,
    /// A request that asks for no WebSocket.
    NoUpgrade,
    /// Another version than 13.
    Version,
    /// The sub-protocol `mqtt` is not offered ([MQTT-6.0.0-3]).
    Subprotocol,
}

impl Refusal {
    /// The HTTP status that the client is told.
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed | Self::Subprotocol => 400,
            Self::Path => 404,
            Self::Method => 405,
            Self::NoUpgrade | Self::Version => 426,
            Self::TooLong => 431,
        }
    }

    fn line(self) -> &'static str {
        match self.status() {
            400 => "400 Bad Request",
            404 => "404 Not Found",
            405 => "405 Method Not Allowed",
            426 => "426 Upgrade Required",
            _ => "431 Request Header Fields Too Large",
        }
    }

    fn extra(self) -> &'static str {
        match self {
            Self::Method => "Allow: GET\r\n",
            Self::NoUpgrade => "Upgrade: websocket\r\n",
            Self::Version => "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
            Self::TooLong | Self::Malformed | Self::Path | Self::Subprotocol => "",
        }
    }

    /// The whole answer.
    pub(super) fn response(self) -> String {
        let body = format!("{self}\n");
        format!(
            "HTTP/1.1 {}\r\n{}Content-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.line(),
            self.extra(),
            body.len(),
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the request is too long",
            Self::Malformed => "not a WebSocket upgrade request",
            Self::Path => "nothing is served at this path",
            Self::Method => "a WebSocket is opened by GET",
            Self::NoUpgrade => "only WebSocket is served here",
            Self::Version => "only version 13 of WebSocket is spoken",
            Self::Subprotocol => "offer the sub-protocol `mqtt`",
        })
    }
}

/// Answers the head of a request, its empty line included: with the whole response, or with the reason
/// for a refusal.
pub fn answer(head: &[u8], options: &WebSocketOptions) -> Result<String, Refusal> {
    let mut headers = [EMPTY_HEADER; HEADERS_MAX];
    let mut request = Request::new(&mut headers);
    match request.parse(head) {
        Ok(Status::Complete(length)) if length == head.len() => {}
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::TooLong),
        Ok(_) | Err(_) => return Err(Refusal::Malformed),
    }
    if request.version != Some(1) {
        return Err(Refusal::Malformed);
    }
    let target = request.path.unwrap_or_default();
    if target.split('?').next() != Some(options.path.as_str()) {
        return Err(Refusal::Path);
    }
    if request.method != Some("GET") {
        return Err(Refusal::Method);
    }
    let headers = &*request.headers;
    if !has_token(headers, "Upgrade", "websocket") || !has_token(headers, "Connection", "upgrade") {
        return Err(Refusal::NoUpgrade);
    }
    if only(headers, "Sec-WebSocket-Version") != Some("13") {
        return Err(Refusal::Version);
    }
    if only(headers, "Host").is_none() || has_body(headers) {
        return Err(Refusal::Malformed);
    }
    let key = only(headers, "Sec-WebSocket-Key").filter(|key| is_nonce(key));
    let key = key.ok_or(Refusal::Malformed)?;
    let subprotocol = choose_subprotocol(headers);
    if subprotocol.is_none() && options.subprotocol_required {
        return Err(Refusal::Subprotocol);
    }
    // [MQTT-6.0.0-4]: exactly one sub-protocol in the answer.
    let subprotocol =
        subprotocol.map_or(String::new(), |name| format!("Sec-WebSocket-Protocol: {name}\r\n"));
    Ok(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n{subprotocol}\r\n",
        accept_key(key),
    ))
}

/// What proves that a server has read the key (RFC 6455, 4.2.2).
pub fn accept_key(key: &str) -> String {
    const SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let mut hash = Sha1::new();
    hash.update(key.as_bytes());
    hash.update(SUFFIX.as_bytes());
    STANDARD.encode(hash.finalize())
}

/// The first of the client's offers that is spoken here, in the client's order.
fn choose_subprotocol(headers: &[Header<'_>]) -> Option<&'static str> {
    let offers = values(headers, "Sec-WebSocket-Protocol").flat_map(|value| value.split(','));
    let known = |offer: &str| SUBPROTOCOLS.into_iter().find(|known| *known == offer.trim());
    offers.map(known).find_map(|known| known)
}

/// The texts of all headers of this name.
pub(super) fn values<'a>(
    headers: &'a [Header<'_>],
    name: &'a str,
) -> impl Iterator<Item = &'a str> {
    headers
        .iter()
        .filter(move |header| header.name.eq_ignore_ascii_case(name))
        .map(|header| std::str::from_utf8(header.value).unwrap_or_default().trim())
}

/// The text of the one header of this name.
pub(super) fn only<'a>(headers: &'a [Header<'_>], name: &'a str) -> Option<&'a str> {
    let mut values = values(headers, name);
    values.next().filter(|_| values.next().is_none())
}

/// Whether a list of words, in one header line or several, holds this one.
pub(super) fn has_token(headers: &[Header<'_>], name: &str, token: &str) -> bool {
    values(headers, name)
        .flat_map(|value| value.split(','))
        .any(|word| word.trim().eq_ignore_ascii_case(token))
}

fn has_body(headers: &[Header<'_>]) -> bool {
    values(headers, "Content-Length").any(|length| length != "0")
        || values(headers, "Transfer-Encoding").next().is_some()
}

/// A key is 16 bytes in Base64.
fn is_nonce(key: &str) -> bool {
    STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16)
}
