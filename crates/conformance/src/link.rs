//! A connection to the broker: bytes out in the cut a case asks for, whole packets in.

use std::{io, net::TcpStream, sync::Arc, time::Duration};

use rustls::ClientConfig;

use crate::{
    Fields, Transport,
    socket::{PROXY_HEADER, Socket},
    step::Cut,
    websocket::{self, Frames},
};

/// How long an expectation waits before it has failed. It bounds failure and is no measure of
/// speed.
const PATIENCE: Duration = Duration::from_secs(10);
/// Read at a time.
const CHUNK: usize = 64 * 1024;

/// Where a broker listens.
#[derive(Debug, Clone)]
pub struct Address {
    /// How bytes travel there.
    pub transport: Transport,
    /// `host:port`.
    pub host_port: String,
    /// What TLS has to know of the broker's certificate; nobody else needs it.
    pub trust: Option<Arc<ClientConfig>>,
}

/// What a connection gives next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The bytes of a packet.
    Packet(Vec<u8>),
    /// The pong of a ping frame.
    Pong,
    /// The broker ended the connection.
    End,
    /// Nothing within the bound.
    Silence,
    /// Bytes that are neither frames nor packets.
    Broken(String),
}

/// One open connection.
#[derive(Debug)]
pub(crate) struct Link {
    stream: Socket,
    frames: Option<Frames>,
    received: Vec<u8>,
}

impl Link {
    /// Connects, through all layers: the header of a proxy, the handshake of TLS, the upgrade to
    /// WebSocket.
    pub(crate) fn open(address: &Address) -> io::Result<Self> {
        let mut link = Self::open_stream(address)?;
        if address.transport == Transport::WebSocket {
            let answer = link.upgrade(address, &Fields::default())?;
            if answer.first("status") != Some("101") || answer.first("protocol") != Some("mqtt") {
                return Err(io::Error::other(format!("the upgrade was answered{answer}")));
            }
        }
        Ok(link)
    }

    /// Connects without an upgrade.
    pub(crate) fn open_stream(address: &Address) -> io::Result<Self> {
        let stream = TcpStream::connect(&address.host_port)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let stream = match address.transport {
            Transport::Tcp | Transport::WebSocket => Socket::Plain(stream),
            Transport::Proxy => Socket::plain_after(stream, PROXY_HEADER)?,
            Transport::Tls => {
                let trust = address.trust.as_ref();
                let trust = trust.ok_or_else(|| io::Error::other("no certificate to trust"))?;
                Socket::secure(stream, trust)?
            }
        };
        Ok(Self { stream, frames: None, received: Vec::new() })
    }

    /// Sends an upgrade request with these headers and reads its answer.
    pub(crate) fn upgrade(&mut self, address: &Address, words: &Fields) -> io::Result<Fields> {
        self.stream.write(websocket::request(&address.host_port, words).as_bytes())?;
        let (answer, rest) = websocket::read_answer(&mut self.stream)?;
        if answer.first("status") == Some("101") {
            self.frames = Some(Frames::new(rest));
        }
        Ok(answer)
    }

    /// Writes bytes. A broker that has closed already is not this step's failure: the next
    /// expectation tells.
    pub(crate) fn send(&mut self, bytes: &[u8], cut: Cut) {
        for part in self.parts(bytes, cut) {
            if self.stream.write(&part).is_err() {
                return;
            }
        }
    }

    fn parts(&self, bytes: &[u8], cut: Cut) -> Vec<Vec<u8>> {
        let size = match cut {
            Cut::Whole | Cut::Unmasked => bytes.len().max(1),
            Cut::Pieces(size) | Cut::Fragments(size) => size,
        };
        let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
        let last = pieces.len().saturating_sub(1);
        let framed = |(at, piece): (usize, &&[u8])| match (&self.frames, cut) {
            (None, _) => piece.to_vec(),
            (Some(_), Cut::Fragments(_)) => websocket::fragment(piece, at == 0, at == last),
            (Some(_), Cut::Unmasked) => websocket::unmasked(piece),
            (Some(_), _) => websocket::binary(piece),
        };
        pieces.iter().enumerate().map(framed).collect()
    }

    /// Sends a text frame.
    pub(crate) fn send_text(&mut self, text: &str) {
        drop(self.stream.write(&websocket::text(text)));
    }

    /// Sends a ping frame.
    pub(crate) fn send_ping(&mut self) {
        drop(self.stream.write(&websocket::ping()));
    }

    /// Ends the sending direction; what the broker still says can be read.
    pub(crate) fn finish(&mut self) {
        self.stream.finish();
    }

    /// Waits for the next packet or the end.
    pub(crate) fn next(&mut self) -> Event {
        loop {
            match packet_length(&self.received) {
                Err(text) => return Event::Broken(text),
                Ok(Some(length)) => {
                    let rest = self.received.split_off(length);
                    return Event::Packet(std::mem::replace(&mut self.received, rest));
                }
                Ok(None) => {}
            }
            if let Some(frames) = &mut self.frames {
                match frames.take(&mut self.stream, &mut self.received) {
                    websocket::Taken::Data => continue,
                    websocket::Taken::Pong => return Event::Pong,
                    websocket::Taken::Closed => return Event::End,
                    websocket::Taken::Broken(text) => return Event::Broken(text),
                    websocket::Taken::Partial => {}
                }
            }
            if let Some(event) = self.read_more() {
                return event;
            }
        }
    }

    /// Reads once; an event is given where there is nothing to read.
    fn read_more(&mut self) -> Option<Event> {
        let mut chunk = vec![0; CHUNK];
        match self.stream.read(&mut chunk) {
            Ok(0) if self.received.is_empty() => Some(Event::End),
            Ok(0) => Some(Event::Broken("the connection ended inside a packet".to_owned())),
            Ok(count) => {
                chunk.truncate(count);
                match &mut self.frames {
                    Some(frames) => frames.push(&chunk),
                    None => self.received.extend(chunk),
                }
                None
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Some(Event::Silence),
                io::ErrorKind::Interrupted => None,
                _ => Some(Event::End),
            },
        }
    }
}

/// The length of the first packet once all of it is there.
fn packet_length(bytes: &[u8]) -> Result<Option<usize>, String> {
    let mut length = 0;
    for (at, byte) in bytes.iter().skip(1).enumerate() {
        if at == 4 {
            return Err("a length of more than four bytes".to_owned());
        }
        length |= usize::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            let whole = 2 + at + length;
            return Ok((bytes.len() >= whole).then_some(whole));
        }
    }
    Ok(None)
}
