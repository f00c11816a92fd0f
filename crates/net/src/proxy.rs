//! The PROXY protocol, versions 1 and 2: who the client behind a load balancer is.
//!
//! ```text
//! v1  PROXY TCP4 192.0.2.1 198.51.100.7 56324 1883\r\n          at most 107 bytes
//! v2  0D 0A 0D 0A 00 0D 0A 51 55 49 54 0A | 2 command | family | length (2) | addresses | extras
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::PeerAddr;

/// The longest header that is accepted, extras of version 2 included.
pub const HEADER_SIZE_MAX: usize = 4096;

const SIGNATURE_V1: &[u8] = b"PROXY ";
const SIGNATURE_V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// The longest line of version 1, its end included.
const LINE_SIZE_MAX: usize = 107;

/// The part of version 2 that is always there.
const FIXED_SIZE: usize = 16;

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// The balancer speaks for itself (a health check) or does not know the client: the addresses of
    /// the socket are the true ones.
    Direct,
    /// The balancer passes a client on.
    Proxied {
        /// The client.
        client: PeerAddr,
        /// Where the client connected to.
        server: PeerAddr,
    },
}

/// Why bytes are no PROXY header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// They begin like neither version.
    #[error("no PROXY header where one is required")]
    Missing,
    /// Longer than [`HEADER_SIZE_MAX`], or a line of version 1 longer than 107 bytes.
    #[error("header too long")]
    TooLong,
    /// A line of version 1 that does not say what it must.
    #[error("malformed header of version 1")]
    Line,
    /// A version or command that does not exist.
    #[error("unknown version or command")]
    Command,
    /// An address family or a transport that cannot carry MQTT here.
    #[error("unsupported address family or transport")]
    Family,
    /// Shorter than its addresses.
    #[error("header shorter than its addresses")]
    Truncated,
}

/// Reads a header from the front of `bytes`: what it says and how long it is, or nothing when bytes are
/// missing.
pub fn parse(bytes: &[u8]) -> Result<Option<(Header, usize)>, ProxyError> {
    if begins(bytes, SIGNATURE_V2) {
        return parse_v2(bytes);
    }
    if begins(bytes, SIGNATURE_V1) {
        return parse_v1(bytes);
    }
    Err(ProxyError::Missing)
}

/// Whether `bytes` begin with `signature`, as far as they go.
fn begins(bytes: &[u8], signature: &[u8]) -> bool {
    bytes.iter().zip(signature).all(|(byte, expected)| byte == expected)
}

fn parse_v1(bytes: &[u8]) -> Result<Option<(Header, usize)>, ProxyError> {
    let window = bytes.get(..LINE_SIZE_MAX).unwrap_or(bytes);
    let Some(end) = window.windows(2).position(|pair| pair == b"\r\n") else {
        return if window.len() < LINE_SIZE_MAX { Ok(None) } else { Err(ProxyError::TooLong) };
    };
    let line = window.get(SIGNATURE_V1.len()..end).ok_or(ProxyError::Line)?;
    let line = std::str::from_utf8(line).map_err(|_| ProxyError::Line)?;
    Ok(Some((parse_line(line)?, end + 2)))
}

fn parse_line(line: &str) -> Result<Header, ProxyError> {
    let mut words = line.split(' ');
    let mut word = || words.next().ok_or(ProxyError::Line);
    let family = word()?;
    if family == "UNKNOWN" {
        return Ok(Header::Direct);
    }
    let (client, server) = (word()?, word()?);
    let (client_port, server_port) = (word()?, word()?);
    if words.next().is_some() {
        return Err(ProxyError::Line);
    }
    Ok(Header::Proxied {
        client: parse_peer(family, client, client_port)?,
        server: parse_peer(family, server, server_port)?,
    })
}

fn parse_peer(family: &str, address: &str, port: &str) -> Result<PeerAddr, ProxyError> {
    let ip = match family {
        "TCP4" => address.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        "TCP6" => address.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => return Err(ProxyError::Family),
    };
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.parse().ok().filter(|_| digits);
    match (ip, port) {
        (Some(ip), Some(port)) => Ok(SocketAddr::new(ip, port).into()),
        _ => Err(ProxyError::Line),
    }
}

fn parse_v2(bytes: &[u8]) -> Result<Option<(Header, usize)>, ProxyError> {
    let rest = bytes.get(SIGNATURE_V2.len()..).unwrap_or_default();
    // Refused as early as it is seen: a stray peer is not waited for.
    let proxied = match rest.first() {
        None => return Ok(None),
        Some(0x20) => false,
        Some(0x21) => true,
        Some(_) => return Err(ProxyError::Command),
    };
    let &[_, family, high, low, ref body @ ..] = rest else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if FIXED_SIZE + length > HEADER_SIZE_MAX {
        return Err(ProxyError::TooLong);
    }
    let Some(body) = body.get(..length) else { return Ok(None) };
    let header = if proxied { parse_addresses(family, body)? } else { Header::Direct };
    Ok(Some((header, FIXED_SIZE + length)))
}

/// The addresses at the front of `body`; the extras behind them (TLV) are none of our business.
fn parse_addresses(family: u8, body: &[u8]) -> Result<Header, ProxyError> {
    const UNIX_SIZE: usize = 2 * 108;
    let (client, server) = match family {
        0x00 => return Ok(Header::Direct),
        0x11 => read_ip_pair::<4>(body)?,
        0x21 => read_ip_pair::<16>(body)?,
        0x31 if body.len() >= UNIX_SIZE => (PeerAddr::Unix, PeerAddr::Unix),
        0x31 => return Err(ProxyError::Truncated),
        _ => return Err(ProxyError::Family),
    };
    Ok(Header::Proxied { client, server })
}

/// Two addresses of `N` bytes, then their ports.
fn read_ip_pair<const N: usize>(body: &[u8]) -> Result<(PeerAddr, PeerAddr), ProxyError>
where
    IpAddr: From<[u8; N]>,
{
    let (client, rest) = body.split_first_chunk::<N>().ok_or(ProxyError::Truncated)?;
    let (server, rest) = rest.split_first_chunk::<N>().ok_or(ProxyError::Truncated)?;
    let (ports, _) = rest.split_first_chunk::<4>().ok_or(ProxyError::Truncated)?;
    let [p, q, r, s] = *ports;
    let peer = |ip: [u8; N], port| PeerAddr::from(SocketAddr::new(ip.into(), port));
    Ok((peer(*client, u16::from_be_bytes([p, q])), peer(*server, u16::from_be_bytes([r, s]))))
}

/// Collects a header that arrives in pieces, within [`HEADER_SIZE_MAX`].
#[derive(Debug, Default)]
pub struct HeaderReader {
    bytes: Vec<u8>,
}

impl HeaderReader {
    /// Takes what arrived; returns the header once it is complete, and how many bytes of `input`
    /// belonged to it.
    pub fn feed(&mut self, input: &[u8]) -> Result<Option<(Header, usize)>, ProxyError> {
        if self.bytes.is_empty()
            && let Some(complete) = parse(input)?
        {
            return Ok(Some(complete));
        }
        let before = self.bytes.len();
        let room = HEADER_SIZE_MAX.saturating_sub(before).min(input.len());
        self.bytes.extend_from_slice(input.get(..room).unwrap_or_default());
        let found = parse(&self.bytes)?;
        Ok(found.map(|(header, length)| (header, length - before)))
    }
}

#[cfg(test)]
mod tests;
