//! A stream with at least one layer above the socket.

use bytes::BytesMut;

use super::{ClientLayers, Facts, Layers, Read};
use crate::{
    PeerAddr, ProxyProtocol, ReadBlock, Socket, StreamError, Transport, WriteQueue,
    proxy::{Header, HeaderReader},
    socket::Received,
    tls::TlsSession,
    websocket::WebSocket,
};

/// Transport bytes that are produced before the socket is asked to take them.
const PENDING_MAX: usize = 64 * 1024;

#[derive(Debug)]
pub(super) struct Layered {
    pub(super) socket: Socket,
    /// Finished bytes for the socket: ciphertext, frames, handshakes.
    pending: WriteQueue,
    /// Until the PROXY header is complete.
    proxy: Option<Box<HeaderReader>>,
    /// Client and server of the real connection, as the PROXY header gave them.
    proxied: Option<Box<(PeerAddr, PeerAddr)>>,
    tls: Option<Box<TlsSession>>,
    websocket: Option<Box<WebSocket>>,
    /// We have said that nothing follows; whatever is queued stays unsent.
    finished: bool,
}

impl Layered {
    pub(super) fn server(socket: Socket, layers: &Layers) -> Result<Self, StreamError> {
        let proxy = match layers.proxy {
            ProxyProtocol::Off => None,
            ProxyProtocol::Required => Some(Box::default()),
        };
        let tls = match &layers.tls {
            Some(tls) => Some(Box::new(tls.accept(layers.websocket.is_some())?)),
            None => None,
        };
        let websocket =
            layers.websocket.clone().map(|options| Box::new(WebSocket::server(options)));
        Ok(Self { proxy, tls, websocket, ..Self::bare(socket) })
    }

    pub(super) fn client(socket: Socket, layers: &ClientLayers) -> Result<Self, StreamError> {
        let tls = match &layers.tls {
            Some((tls, name)) => Some(Box::new(tls.connect(name, layers.websocket.is_some())?)),
            None => None,
        };
        let websocket = match &layers.websocket {
            Some(asked) => Some(Box::new(WebSocket::client(asked)?)),
            None => None,
        };
        let mut layered = Self { tls, websocket, ..Self::bare(socket) };
        if let Some(tls) = &mut layered.tls {
            tls.feed(&mut [], &mut |_| Ok(()), &mut layered.pending)?;
        }
        Ok(layered)
    }

    fn bare(socket: Socket) -> Self {
        Self {
            socket,
            pending: WriteQueue::new(),
            proxy: None,
            proxied: None,
            tls: None,
            websocket: None,
            finished: false,
        }
    }

    pub(super) fn read(
        &mut self,
        block: &mut ReadBlock,
        out: &mut BytesMut,
    ) -> Result<(Read, Received), StreamError> {
        let before = out.len();
        let space = block.space();
        let room = space.len();
        let received = self.socket.receive(space)?;
        if let Received::Bytes(count) = received {
            let input = space.get_mut(..count).unwrap_or_default();
            if let Err(error) = self.ingest(input, out) {
                self.give_up();
                return Err(error);
            }
        }
        let bytes = out.len() - before;
        let more = received == Received::Bytes(room);
        // The peer may have gone right behind its last bytes. Those count before the failure does.
        let broken = match self.flush() {
            Ok(_) => false,
            Err(error) if bytes == 0 => return Err(error),
            Err(_) => true,
        };
        let ended = received == Received::End || self.peer_has_closed();
        Ok((Read { bytes, more, closed: ended || (broken && !more) }, received))
    }

    /// Returns whether everything has left.
    pub(super) fn write(&mut self, queue: &mut WriteQueue) -> Result<bool, StreamError> {
        loop {
            if !self.flush()? {
                return Ok(false);
            }
            if queue.is_empty() || self.finished || !self.is_established() {
                return Ok(queue.is_empty());
            }
            self.produce(queue)?;
        }
    }

    pub(super) fn shutdown(&mut self) {
        if self.finished {
            return;
        }
        if let Some(websocket) = &mut self.websocket {
            websocket.close();
        }
        self.give_up();
    }

    pub(super) fn wants_write(&self) -> bool {
        let replies = self.websocket.as_ref().is_some_and(|ws| ws.has_replies());
        !self.pending.is_empty() || (replies && self.tls_is_ready())
    }

    pub(super) fn is_established(&self) -> bool {
        self.proxy.is_none()
            && self.tls_is_ready()
            && self.websocket.as_ref().is_none_or(|websocket| websocket.is_open())
    }

    pub(super) fn facts(&self) -> Facts {
        let (peer, local) = match self.proxied.as_deref() {
            Some(&proxied) => proxied,
            None => (self.socket.peer(), self.socket.local()),
        };
        let tls = self.tls.as_ref().and_then(|tls| tls.facts());
        Facts { peer, local, tls, transport: self.transport() }
    }

    pub(super) fn proxied_client(&self) -> Option<PeerAddr> {
        self.proxied.as_deref().map(|(client, _)| *client)
    }

    fn transport(&self) -> Transport {
        match (&self.socket, self.tls.is_some(), self.websocket.is_some()) {
            (_, true, true) => Transport::Wss,
            (_, true, false) => Transport::Tls,
            (_, false, true) => Transport::Ws,
            (Socket::Tcp(_), false, false) => Transport::Tcp,
            (Socket::Unix(_), false, false) => Transport::Unix,
        }
    }

    fn tls_is_ready(&self) -> bool {
        self.tls.as_ref().is_none_or(|tls| tls.is_ready())
    }

    fn peer_has_closed(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.peer_closed())
            || self.websocket.as_ref().is_some_and(|websocket| websocket.peer_closed())
    }

    /// Passes socket bytes up through the layers.
    fn ingest(&mut self, mut input: &mut [u8], out: &mut BytesMut) -> Result<(), StreamError> {
        if let Some(proxy) = &mut self.proxy {
            let Some((header, used)) = proxy.feed(input)? else { return Ok(()) };
            self.proxy = None;
            if let Header::Proxied { client, server } = header {
                self.proxied = Some(Box::new((client, server)));
            }
            input = input.get_mut(used..).unwrap_or_default();
        }
        let Self { tls, websocket, pending, .. } = self;
        match tls {
            None => deliver(websocket.as_deref_mut(), input, out),
            Some(tls) => {
                let mut sink = |plain: &[u8]| deliver(websocket.as_deref_mut(), plain, out);
                tls.feed(input, &mut sink, pending)
            }
        }
    }

    /// Sends everything that is finished, then what the WebSocket layer owes; `false` when the socket
    /// takes no more. Answers are produced only for a socket that takes them, so a peer that asks
    /// without reading makes nothing grow.
    fn flush(&mut self) -> Result<bool, StreamError> {
        loop {
            if !self.socket.send(&mut self.pending)? {
                return Ok(false);
            }
            if self.finished || !self.produce_replies()? {
                return Ok(true);
            }
        }
    }

    /// Produces what the WebSocket layer owes the peer; `false` when it owes nothing.
    fn produce_replies(&mut self) -> Result<bool, StreamError> {
        let ready = self.tls_is_ready();
        let Some(websocket) = self.websocket.as_mut().filter(|ws| ready && ws.has_replies()) else {
            return Ok(false);
        };
        match &mut self.tls {
            None => websocket.take_replies(&mut self.pending)?,
            Some(tls) => {
                let mut plain = WriteQueue::new();
                websocket.take_replies(&mut plain)?;
                tls.encrypt(&mut plain, &mut self.pending, usize::MAX)?;
            }
        }
        Ok(true)
    }

    /// Moves application bytes down through the layers, as many as the socket may take at once.
    fn produce(&mut self, queue: &mut WriteQueue) -> Result<(), StreamError> {
        let Self { tls, websocket, pending, .. } = self;
        match (tls, websocket) {
            (None, None) => {
                queue.move_front(PENDING_MAX, pending);
            }
            (None, Some(websocket)) => websocket.encode(queue, pending, PENDING_MAX)?,
            (Some(tls), None) => tls.encrypt(queue, pending, PENDING_MAX)?,
            (Some(tls), Some(websocket)) => {
                let mut plain = WriteQueue::new();
                websocket.encode(queue, &mut plain, PENDING_MAX)?;
                tls.encrypt(&mut plain, pending, usize::MAX)?;
            }
        }
        Ok(())
    }

    /// Says good-bye in every layer as far as the socket takes it now.
    fn give_up(&mut self) {
        self.finished = true;
        let _best_effort = self.produce_replies();
        if let Some(tls) = &mut self.tls {
            tls.close(&mut self.pending);
        }
        let _best_effort = self.socket.send(&mut self.pending);
        self.pending.clear();
        self.socket.finish();
    }
}

/// Hands plaintext to the WebSocket layer or, without one, to the application.
fn deliver(
    websocket: Option<&mut WebSocket>,
    plain: &[u8],
    out: &mut BytesMut,
) -> Result<(), StreamError> {
    if let Some(websocket) = websocket {
        websocket.receive(plain, out)?;
    } else {
        out.extend_from_slice(plain);
    }
    Ok(())
}
