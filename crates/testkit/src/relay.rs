use std::{
    io::{self, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

/// What a [`Relay`] does with what comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conduct {
    /// It hands on both ways.
    Passes,
    /// It takes what comes, and neither hands it on nor answers.
    Deaf,
    /// It hands on until a client says `cue`; then it answers `says` itself, and closes. An empty cue is
    /// said by whoever connects.
    Lies {
        /// What has to be in one piece of what a client says.
        cue: &'static [u8],
        /// The answer.
        says: Vec<u8>,
    },
}

/// Stands on loopback between a node and a server: it makes the server deaf, lying, dead and back again for
/// the node alone, and at once.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    door: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    conduct: Conduct,
    is_open: bool,
    /// Both sides of all connections.
    streams: Vec<TcpStream>,
    /// How many have connected.
    count: usize,
}

impl Relay {
    /// To the server at that port of loopback.
    pub fn to(port: u16) -> Self {
        let state =
            State { conduct: Conduct::Passes, is_open: true, streams: Vec::new(), count: 0 };
        let server = SocketAddr::from(([127, 0, 0, 1], port));
        let shared = Arc::new(Shared { server, state: Mutex::new(state) });
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let (address, door) = Self::open(address, &shared);
        Self { address, shared, door: Some(door) }
    }

    fn open(address: SocketAddr, shared: &Arc<Shared>) -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind(address).expect("a port of loopback");
        let address = listener.local_addr().expect("bound");
        let shared = Arc::clone(shared);
        let door = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if !shared.lock().is_open {
                    break;
                }
                let shared = Arc::clone(&shared);
                drop(thread::spawn(move || drop(shared.serve(stream))));
            }
        });
        (address, door)
    }

    /// Where it is.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Does that from now on, on the connections that there are as well.
    pub fn set(&self, conduct: Conduct) {
        self.shared.lock().conduct = conduct;
    }

    /// How many have connected.
    pub fn count(&self) -> usize {
        self.shared.lock().count
    }

    /// Breaks all connections, and nobody is there any more.
    pub fn kill(&mut self) {
        self.shared.lock().is_open = false;
        // Wakes the door, which sees that it is closed.
        drop(TcpStream::connect(self.address));
        if let Some(door) = self.door.take() {
            drop(door.join());
        }
        for stream in self.shared.lock().streams.drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }

    /// It is there again, where it was.
    pub fn again(&mut self) {
        assert!(self.door.is_none(), "it has been killed");
        self.shared.lock().is_open = true;
        let (_, door) = Self::open(self.address, &self.shared);
        self.door = Some(door);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if self.door.is_some() {
            self.kill();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        let server = TcpStream::connect(self.server)?;
        let conduct = {
            let mut state = self.lock();
            state.count += 1;
            state.streams.extend([client.try_clone()?, server.try_clone()?]);
            state.conduct.clone()
        };
        if let Conduct::Lies { cue: b"", says } = conduct {
            return lie(&client, &server, &says);
        }
        let (from, to) = (server.try_clone()?, client.try_clone()?);
        let shared = Arc::clone(self);
        drop(thread::spawn(move || drop(shared.hand_on(from, to, false))));
        self.hand_on(client, server, true)
    }

    fn hand_on(&self, mut from: TcpStream, mut to: TcpStream, asks: bool) -> io::Result<()> {
        let mut some = [0; 16 * 1_024];
        loop {
            let length = from.read(&mut some)?;
            let piece = some.get(..length).unwrap_or_default();
            if piece.is_empty() {
                return to.shutdown(Shutdown::Both);
            }
            let conduct = self.lock().conduct.clone();
            match conduct {
                Conduct::Deaf => {}
                Conduct::Lies { cue, says }
                    if asks && piece.windows(cue.len().max(1)).any(|at| at == cue) =>
                {
                    return lie(&from, &to, &says);
                }
                Conduct::Passes | Conduct::Lies { .. } => to.write_all(piece)?,
            }
        }
    }
}

/// Says that to the client, and that was it.
fn lie(mut client: &TcpStream, server: &TcpStream, says: &[u8]) -> io::Result<()> {
    client.write_all(says)?;
    client.shutdown(Shutdown::Write)?;
    server.shutdown(Shutdown::Both)
}
