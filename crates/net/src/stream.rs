//! A connected byte stream with its layers: the only type that the broker drives.

use std::{io, sync::Arc};

use bytes::BytesMut;
use mio::{
    Interest, Registry, Token,
    event::{Event, Source},
};

use crate::{
    PeerAddr, ProxyProtocol, ReadBlock, Socket, StreamError, TlsClient, TlsFacts, TlsServer,
    Transport, WebSocketOptions, WriteQueue, socket::Received,
};

mod layered;

use layered::Layered;

/// A connected byte stream: application bytes above, a socket with its layers below.
///
/// Every call does bounded work and never blocks. A handshake (PROXY, TLS, WebSocket) is driven by
/// [`Self::read`] and [`Self::write`] like everything else: bytes that the layers owe the peer leave by
/// themselves as far as the socket takes them, and [`Self::wants_write`] says when some are left.
///
/// Rules for whoever drives it with an edge-triggered poll:
/// - show the stream every event of its socket ([`Self::note`]), then read until `more` is false: an
///   end that came together with the last bytes is not announced a second time;
/// - after each read, write if the queue is not empty: the handshake that held it back may be over;
/// - watch for writability while a write was not `done` or [`Self::wants_write`] is true;
/// - after an error, drop the stream: what the peer is owed has been sent as far as possible.
///
/// A stream belongs to no poll: deregister it, move it to another thread, register it there.
#[derive(Debug)]
pub struct Stream {
    kind: Kind,
    /// The poll has said that the peer's side is at its end: it will not say so again.
    ending: bool,
}

#[derive(Debug)]
enum Kind {
    Plain(Socket),
    Layered(Box<Layered>),
}

/// The layers that a listener puts on its connections, from the socket upwards.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    /// Whether a PROXY header comes first.
    pub proxy: ProxyProtocol,
    /// TLS.
    pub tls: Option<TlsServer>,
    /// WebSocket.
    pub websocket: Option<Arc<WebSocketOptions>>,
}

/// The layers of an outgoing connection.
#[derive(Debug, Clone, Default)]
pub struct ClientLayers {
    /// TLS, and the name that the server's certificate has to prove.
    pub tls: Option<(TlsClient, String)>,
    /// WebSocket.
    pub websocket: Option<ClientWebSocket>,
}

/// What an outgoing WebSocket asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientWebSocket {
    /// The `Host` of the request, with the port if it is not the scheme's own.
    pub host: String,
    /// The path of the request.
    pub path: String,
}

/// What one [`Stream::read`] brought.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Read {
    /// Application bytes appended.
    pub bytes: usize,
    /// The call ended because its budget was used up, or the end has been announced: the socket may
    /// hold more, call again.
    pub more: bool,
    /// The peer sends nothing any more. What it sent before is in the buffer.
    pub closed: bool,
}

/// What one [`Stream::write`] achieved.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flushed {
    /// The queue is empty and the socket has taken everything.
    pub done: bool,
}

/// What is known about a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The client: behind a load balancer, the one that the PROXY header names.
    pub peer: PeerAddr,
    /// The address that the client connected to: behind a load balancer, the balancer's.
    pub local: PeerAddr,
    /// What the TLS handshake agreed on, once it is over.
    pub tls: Option<TlsFacts>,
    /// What carries the bytes.
    pub transport: Transport,
}

impl Stream {
    /// The server's side of an accepted connection.
    pub fn server(socket: Socket, layers: &Layers) -> Result<Self, StreamError> {
        let plain = layers.proxy == ProxyProtocol::Off
            && layers.tls.is_none()
            && layers.websocket.is_none();
        let kind = if plain {
            Kind::Plain(socket)
        } else {
            Kind::Layered(Box::new(Layered::server(socket, layers)?))
        };
        Ok(Self { kind, ending: false })
    }

    /// The client's side of a connection that is made or being made. The first [`Self::write`] begins
    /// the handshakes.
    pub fn client(socket: Socket, layers: &ClientLayers) -> Result<Self, StreamError> {
        let plain = layers.tls.is_none() && layers.websocket.is_none();
        let kind = if plain {
            Kind::Plain(socket)
        } else {
            Kind::Layered(Box::new(Layered::client(socket, layers)?))
        };
        Ok(Self { kind, ending: false })
    }

    /// Takes notice of what a poll says about the socket. When it says that the peer has ended its
    /// side, [`Self::read`] asks for `more` until everything before the end has been read.
    pub fn note(&mut self, event: &Event) {
        self.ending |= event.is_read_closed() || event.is_error();
    }

    /// Receives once, at most what `block` has space for, and appends the application bytes to `out`.
    /// Over plain TCP a large read becomes `out` without a copy.
    pub fn read(&mut self, block: &mut ReadBlock, out: &mut BytesMut) -> Result<Read, StreamError> {
        let (mut read, received) = match &mut self.kind {
            Kind::Plain(socket) => read_plain(socket, block, out)?,
            Kind::Layered(layered) => layered.read(block, out)?,
        };
        // A socket at its end is never out of bytes without saying so: the announcement was none.
        self.ending &= received != Received::Nothing;
        read.more |= self.ending && !read.closed;
        Ok(read)
    }

    /// Sends what the layers owe the peer, then what `queue` holds, until the socket takes no more.
    /// What waits for a handshake stays in the queue.
    pub fn write(&mut self, queue: &mut WriteQueue) -> Result<Flushed, StreamError> {
        match &mut self.kind {
            Kind::Plain(socket) => Ok(Flushed { done: socket.send(queue)? }),
            Kind::Layered(layered) => Ok(Flushed { done: layered.write(queue)? }),
        }
    }

    /// Ends the stream from this side: WebSocket close frame, TLS close_notify, end of the socket's
    /// sending side, as far as the socket takes them now. What still waits in a queue is not sent.
    pub fn shutdown(&mut self) {
        match &mut self.kind {
            Kind::Plain(socket) => socket.finish(),
            Kind::Layered(layered) => layered.shutdown(),
        }
    }

    /// The same when the socket is closed next, which says by itself that nothing follows.
    pub fn finish(&mut self) {
        match &mut self.kind {
            Kind::Plain(_) => {}
            Kind::Layered(layered) => layered.shutdown(),
        }
    }

    /// Registers with a poll.
    pub fn register(&mut self, registry: &Registry, token: Token, on: Interest) -> io::Result<()> {
        self.socket_mut().register(registry, token, on)
    }

    /// Changes what a poll watches for.
    pub fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        on: Interest,
    ) -> io::Result<()> {
        self.socket_mut().reregister(registry, token, on)
    }

    /// Leaves a poll, to be registered with another.
    pub fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.socket_mut().deregister(registry)
    }

    /// Whether the layers hold bytes that the socket did not take.
    pub fn wants_write(&self) -> bool {
        match &self.kind {
            Kind::Plain(_) => false,
            Kind::Layered(layered) => layered.wants_write(),
        }
    }

    /// Whether every handshake of the layers is over.
    pub fn is_established(&self) -> bool {
        match &self.kind {
            Kind::Plain(_) => true,
            Kind::Layered(layered) => layered.is_established(),
        }
    }

    /// What is known about the connection now.
    pub fn facts(&self) -> Facts {
        match &self.kind {
            Kind::Plain(socket) => Facts {
                peer: socket.peer(),
                local: socket.local(),
                tls: None,
                transport: match socket {
                    Socket::Tcp(_) => Transport::Tcp,
                    Socket::Unix(_) => Transport::Unix,
                },
            },
            Kind::Layered(layered) => layered.facts(),
        }
    }

    /// The client of a connection that was accepted from that peer: behind a load balancer, the one that
    /// the PROXY header names.
    pub fn client_of(&self, accepted: PeerAddr) -> PeerAddr {
        match &self.kind {
            Kind::Plain(_) => accepted,
            Kind::Layered(layered) => layered.proxied_client().unwrap_or(accepted),
        }
    }

    /// Why connecting failed, once; nothing while it goes well. For the client's side, after the first
    /// event.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        match &self.kind {
            Kind::Plain(socket) => socket.take_error(),
            Kind::Layered(layered) => layered.socket.take_error(),
        }
    }

    fn socket_mut(&mut self) -> &mut Socket {
        match &mut self.kind {
            Kind::Plain(socket) => socket,
            Kind::Layered(layered) => &mut layered.socket,
        }
    }
}

fn read_plain(
    socket: &mut Socket,
    block: &mut ReadBlock,
    out: &mut BytesMut,
) -> Result<(Read, Received), StreamError> {
    let space = block.space();
    let room = space.len();
    let received = socket.receive(space)?;
    let read = match received {
        Received::Bytes(count) => {
            block.take(count, out);
            Read { bytes: count, more: count == room, closed: false }
        }
        Received::Nothing => Read::default(),
        Received::End => Read { closed: true, ..Read::default() },
    };
    Ok((read, received))
}
