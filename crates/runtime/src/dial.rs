//! How hosts of others are found and reached.

use std::{
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    sync::Arc,
    thread,
};

use tokio::{
    net::TcpStream,
    sync::{Semaphore, oneshot},
};

/// Names that are looked for at the same time, by all of the node.
const LOOKUPS_MAX: usize = 8;

/// Looks for hosts on threads of its own: the system's search blocks for as long as its servers are dead, and what
/// computes is not to wait for that.
#[derive(Debug, Clone)]
pub(crate) struct Lookups(Arc<Semaphore>);

impl Default for Lookups {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(LOOKUPS_MAX)))
    }
}

impl Lookups {
    /// The addresses of a host, which may be one itself.
    pub(crate) async fn find(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let literal = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Ok(address) = literal.unwrap_or(host).parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let permit = Arc::clone(&self.0).acquire_owned().await.map_err(io::Error::other)?;
        let (reply, found) = oneshot::channel();
        let host = host.to_owned();
        thread::Builder::new().name("lookup".to_owned()).spawn(move || {
            let addresses = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
            // Whoever gave up meanwhile does not want to know.
            drop(reply.send(addresses));
            drop(permit);
        })?;
        found.await.map_err(io::Error::other)?
    }

    /// A connection to that host: to the first of its addresses that takes one.
    pub(crate) async fn dial(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        let mut failure = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in self.find(host, port).await? {
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use crate::Runtime;

    #[test]
    fn hosts_are_found_and_reached_by_name_and_address() {
        let runtime = Runtime::start(1).unwrap();
        let handle = runtime.handle();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        handle.wait_for(async {
            let found = handle.look_up("[::1]", 7).await.unwrap();
            assert_eq!(found, ["[::1]:7".parse().unwrap()]);
            assert!(!handle.look_up("localhost", 7).await.unwrap().is_empty());
            assert!(handle.look_up("no such host", 7).await.is_err());
            for host in ["127.0.0.1", "localhost"] {
                let stream = handle.dial(host, port).await.unwrap();
                assert_eq!(stream.peer_addr().unwrap().port(), port);
            }
            drop(listener);
            assert!(handle.dial("127.0.0.1", port).await.is_err());
        });
    }
}
