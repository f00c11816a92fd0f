//! A connected socket and who is at its other end.

use std::{
    fmt, io,
    io::{IoSlice, Read as _, Write as _},
    net::{IpAddr, Shutdown, SocketAddr},
    path::Path,
};

use mio::{
    Interest, Registry, Token,
    event::Source,
    net::{TcpStream, UnixStream},
};

use crate::WriteQueue;

/// Who is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeerAddr {
    /// An address and port; an IPv4 address that came over an IPv6 socket is given as IPv4.
    Ip(SocketAddr),
    /// A process on this machine, over a Unix socket.
    Unix,
    /// The socket had already failed when it was asked.
    Unknown,
}

impl PeerAddr {
    /// The address without the port, where there is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(address) => Some(address.ip()),
            Self::Unix | Self::Unknown => None,
        }
    }
}

impl From<SocketAddr> for PeerAddr {
    fn from(address: SocketAddr) -> Self {
        Self::Ip(SocketAddr::new(address.ip().to_canonical(), address.port()))
    }
}

impl fmt::Display for PeerAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Unix => f.write_str("unix"),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// A non-blocking socket that is connected or about to be.
#[derive(Debug)]
pub enum Socket {
    /// TCP.
    Tcp(TcpStream),
    /// A Unix domain socket.
    Unix(UnixStream),
}

/// What one attempt to receive brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing now.
    Nothing,
    /// Nothing any more: the peer has closed its side.
    End,
}

impl Socket {
    /// Begins to connect; the socket becomes writable when it is connected or has failed.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self::Tcp(stream))
    }

    /// The same from an address of this machine. Each address has ports of its own, so that a process
    /// with many connections to one place is not held to those of one address.
    pub fn connect_from(source: IpAddr, address: SocketAddr) -> io::Result<Self> {
        let socket = socket2::Socket::new(
            socket2::Domain::for_address(address),
            socket2::Type::STREAM.nonblocking(),
            Some(socket2::Protocol::TCP),
        )?;
        socket.bind(&SocketAddr::new(source, 0).into())?;
        match socket.connect(&address.into()) {
            Err(error) if !is_under_way(&error) => return Err(error),
            Ok(()) | Err(_) => {}
        }
        socket.set_tcp_nodelay(true)?;
        Ok(Self::from(std::net::TcpStream::from(socket)))
    }

    /// Connects to a Unix socket.
    pub fn connect_unix(path: &Path) -> io::Result<Self> {
        Ok(Self::Unix(UnixStream::connect(path)?))
    }

    /// The address of the other end, asked of the system.
    pub fn peer(&self) -> PeerAddr {
        match self {
            Self::Tcp(stream) => stream.peer_addr().map_or(PeerAddr::Unknown, PeerAddr::from),
            Self::Unix(_) => PeerAddr::Unix,
        }
    }

    /// The address of this end, asked of the system.
    pub fn local(&self) -> PeerAddr {
        match self {
            Self::Tcp(stream) => stream.local_addr().map_or(PeerAddr::Unknown, PeerAddr::from),
            Self::Unix(_) => PeerAddr::Unix,
        }
    }

    /// Why connecting failed, once; nothing while it goes well.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        match self {
            Self::Tcp(stream) => stream.take_error(),
            Self::Unix(stream) => stream.take_error(),
        }
    }

    pub(crate) fn receive(&mut self, space: &mut [u8]) -> io::Result<Received> {
        loop {
            let result = match self {
                Self::Tcp(stream) => stream.read(space),
                Self::Unix(stream) => stream.read(space),
            };
            match result {
                Ok(0) => return Ok(Received::End),
                Ok(count) => return Ok(Received::Bytes(count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Received::Nothing);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes what waits until it is gone (`true`) or the socket takes no more (`false`).
    pub(crate) fn send(&mut self, queue: &mut WriteQueue) -> io::Result<bool> {
        /// Enough for a burst of payloads, small enough for the stack.
        const SLICES: usize = 64;
        while !queue.is_empty() {
            let result = if let Some(bytes) = queue.whole() {
                match self {
                    Self::Tcp(stream) => stream.write(bytes),
                    Self::Unix(stream) => stream.write(bytes),
                }
            } else {
                let mut slices = [IoSlice::new(&[]); SLICES];
                let used = queue.slices(&mut slices);
                let slices = slices.get(..used).unwrap_or_default();
                match self {
                    Self::Tcp(stream) => stream.write_vectored(slices),
                    Self::Unix(stream) => stream.write_vectored(slices),
                }
            };
            match result {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => queue.advance(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Tells the peer that nothing follows. Best effort: a socket that has failed needs no telling.
    pub(crate) fn finish(&self) {
        let _best_effort = match self {
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Self::Unix(stream) => stream.shutdown(Shutdown::Write),
        };
    }
}

/// Whether a connection that does not stand yet has begun.
fn is_under_way(error: &io::Error) -> bool {
    /// EINPROGRESS, as Linux and the BSDs number it; the standard library has no name for it.
    const IN_PROGRESS: [i32; 2] = [115, 36];
    error.kind() == io::ErrorKind::WouldBlock
        || error.raw_os_error().is_some_and(|code| IN_PROGRESS.contains(&code))
}

impl From<std::net::TcpStream> for Socket {
    /// The stream must be non-blocking already.
    fn from(stream: std::net::TcpStream) -> Self {
        Self::Tcp(TcpStream::from_std(stream))
    }
}

impl From<std::os::unix::net::UnixStream> for Socket {
    /// The stream must be non-blocking already.
    fn from(stream: std::os::unix::net::UnixStream) -> Self {
        Self::Unix(UnixStream::from_std(stream))
    }
}

impl Source for Socket {
    fn register(&mut self, registry: &Registry, token: Token, on: Interest) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.register(registry, token, on),
            Self::Unix(stream) => stream.register(registry, token, on),
        }
    }

    fn reregister(&mut self, registry: &Registry, token: Token, on: Interest) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.reregister(registry, token, on),
            Self::Unix(stream) => stream.reregister(registry, token, on),
        }
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.deregister(registry),
            Self::Unix(stream) => stream.deregister(registry),
        }
    }
}
