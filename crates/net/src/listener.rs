//! Listening sockets.

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use mio::{
    Interest, Registry, Token,
    event::Source,
    net::{TcpListener, UnixListener},
};
use socket2::{Domain, Protocol, SockAddr, Type};

use crate::{BindError, BindOptions, ListenUrl, PeerAddr, Socket};

/// One listening socket. It is registered with any poll; its file, if it is a Unix socket, goes when it
/// is dropped.
#[derive(Debug)]
pub struct Listener {
    socket: Listening,
    url: ListenUrl,
}

#[derive(Debug)]
enum Listening {
    Tcp(TcpListener),
    Unix(UnixListener, #[expect(dead_code, reason = "held for its drop")] SocketFile),
}

/// A connection as it comes from a listener.
#[derive(Debug)]
pub struct Accepted {
    /// The connection, non-blocking.
    pub socket: Socket,
    /// The other end of the socket; behind a load balancer, the balancer.
    pub peer: PeerAddr,
}

impl Listener {
    /// Opens one socket for each address that the URL's host has. Either all of them are opened or
    /// none. This may wait for DNS.
    pub fn bind(url: &ListenUrl, options: &BindOptions) -> Result<Vec<Self>, BindError> {
        let backlog = check_backlog(url, options)?;
        if let Some(path) = url.unix_path() {
            let socket = bind_unix(url, path, options, backlog)?;
            return Ok(vec![Self { socket, url: url.clone() }]);
        }
        let resolved = url.resolve();
        let addresses =
            resolved.map_err(|source| BindError::Resolve { url: url.clone().into(), source })?;
        if addresses.is_empty() {
            return Err(BindError::NoAddress { url: url.clone().into() });
        }
        let open =
            |address| {
                Self::bind_tcp(url, address, options, backlog).map_err(|source| {
                    BindError::Address { url: url.clone().into(), address, source }
                })
            };
        addresses.into_iter().map(open).collect()
    }

    fn bind_tcp(
        url: &ListenUrl,
        address: SocketAddr,
        options: &BindOptions,
        backlog: i32,
    ) -> io::Result<Self> {
        let socket =
            socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // A listener that was closed a moment ago must not keep its successor out (TIME_WAIT).
        socket.set_reuse_address(true)?;
        if options.reuse_port {
            socket.set_reuse_port(true)?;
        }
        if address.is_ipv6() {
            socket.set_only_v6(options.ipv6_only)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        // What is accepted has it from here; asking for it each time costs a call each time.
        socket.set_tcp_nodelay(options.nodelay)?;
        socket.listen(backlog)?;
        let listener = TcpListener::from_std(socket.into());
        let url = url.at(listener.local_addr()?);
        Ok(Self { socket: Listening::Tcp(listener), url })
    }

    /// Takes one waiting connection. [`io::ErrorKind::WouldBlock`] says that none waits; after any
    /// other error the listener is still good, but no descriptor may be left: wait before trying again.
    pub fn accept(&self) -> io::Result<Accepted> {
        match &self.socket {
            Listening::Tcp(listener) => {
                let (stream, peer) = listener.accept()?;
                Ok(Accepted { socket: Socket::Tcp(stream), peer: peer.into() })
            }
            Listening::Unix(listener, _) => {
                let (stream, _) = listener.accept()?;
                Ok(Accepted { socket: Socket::Unix(stream), peer: PeerAddr::Unix })
            }
        }
    }

    /// The URL with the address and port where the socket really listens.
    pub fn local_url(&self) -> &ListenUrl {
        &self.url
    }

    /// The address where the socket really listens; none for a Unix socket.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        match &self.socket {
            Listening::Tcp(listener) => listener.local_addr().ok(),
            Listening::Unix(..) => None,
        }
    }
}

impl Source for Listener {
    fn register(&mut self, registry: &Registry, token: Token, on: Interest) -> io::Result<()> {
        match &mut self.socket {
            Listening::Tcp(listener) => listener.register(registry, token, on),
            Listening::Unix(listener, _) => listener.register(registry, token, on),
        }
    }

    fn reregister(&mut self, registry: &Registry, token: Token, on: Interest) -> io::Result<()> {
        match &mut self.socket {
            Listening::Tcp(listener) => listener.reregister(registry, token, on),
            Listening::Unix(listener, _) => listener.reregister(registry, token, on),
        }
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        match &mut self.socket {
            Listening::Tcp(listener) => listener.deregister(registry),
            Listening::Unix(listener, _) => listener.deregister(registry),
        }
    }
}

fn check_backlog(url: &ListenUrl, options: &BindOptions) -> Result<i32, BindError> {
    match i32::try_from(options.backlog) {
        Ok(backlog @ 1..=65_535) => Ok(backlog),
        _ => Err(BindError::Range {
            url: url.clone().into(),
            option: "bind.backlog",
            range: "1 to 65535",
        }),
    }
}

fn bind_unix(
    url: &ListenUrl,
    path: &Path,
    options: &BindOptions,
    backlog: i32,
) -> Result<Listening, BindError> {
    match open_unix(path, options, backlog) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_stale(url, path)?;
            open_unix(path, options, backlog)
        }
        result => result,
    }
    .map_err(|source| BindError::Unix { url: url.clone().into(), source })
}

fn open_unix(path: &Path, options: &BindOptions, backlog: i32) -> io::Result<Listening> {
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::unix(path)?)?;
    let file = SocketFile::of(path)?;
    // Before `listen`, so that nobody connects under the mode of the process.
    fs::set_permissions(path, fs::Permissions::from_mode(options.unix_mode & 0o777))?;
    socket.listen(backlog)?;
    Ok(Listening::Unix(UnixListener::from_std(socket.into()), file))
}

/// Removes the socket file of a process that ended without doing so. Whoever still listens there keeps
/// the path, and a file that is no socket is never touched.
fn remove_stale(url: &ListenUrl, path: &Path) -> Result<(), BindError> {
    let unix = |source| BindError::Unix { url: url.clone().into(), source };
    let metadata = fs::symlink_metadata(path).map_err(unix)?;
    if !metadata.file_type().is_socket() {
        return Err(BindError::NotASocket { url: url.clone().into() });
    }
    // Non-blocking: a listener whose backlog is full is alive and must not hold us up.
    match Socket::connect_unix(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            fs::remove_file(path).map_err(unix)
        }
        Ok(_) | Err(_) => Err(unix(io::ErrorKind::AddrInUse.into())),
    }
}

/// The file of a Unix socket, removed on drop unless another one has taken its place.
#[derive(Debug)]
struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        let (device, inode) = identity(path)?;
        Ok(Self { path: path.to_owned(), device, inode })
    }
}

/// What tells a file from another one at the same path.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = identity(&self.path).is_ok_and(|now| now == (self.device, self.inode));
        if ours {
            // A file that cannot be removed is found stale by the next listener.
            let _best_effort = fs::remove_file(&self.path);
        }
    }
}
