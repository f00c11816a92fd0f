//! Many clients on one readiness loop.

use std::{
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use bytes::Buf;
use mio::{Events, Interest, Poll, Token, Waker, net::TcpStream};

use crate::{
    client::{Client, Event, Identity},
    error::LoadError,
};

/// Names a client of the fleet: the place in the order of connecting.
pub(crate) type Member = usize;

#[derive(Debug)]
struct Link {
    stream: TcpStream,
    client: Client,
    dirty: bool,
    blocked: bool,
}

/// All clients of one run.
#[derive(Debug)]
pub(crate) struct Fleet {
    address: SocketAddr,
    poll: Poll,
    readiness: Events,
    links: Vec<Option<Link>>,
    dirty: Vec<Member>,
    buffer: Vec<u8>,
    heard: Vec<Event>,
}

impl Fleet {
    const READINESS_MAX: usize = 1024;
    const READ_MAX: usize = 64 * 1024;
    const WAKER: Token = Token(usize::MAX);

    /// No clients yet.
    pub(crate) fn new(address: SocketAddr) -> Result<Self, LoadError> {
        Ok(Self {
            address,
            poll: Poll::new().map_err(LoadError::io("opening the readiness queue"))?,
            readiness: Events::with_capacity(Self::READINESS_MAX),
            links: Vec::new(),
            dirty: Vec::new(),
            buffer: vec![0; Self::READ_MAX],
            heard: Vec::new(),
        })
    }

    /// Ends a waiting [`Fleet::turn`] from another thread.
    pub(crate) fn waker(&self) -> Result<Arc<Waker>, LoadError> {
        let waker = Waker::new(self.poll.registry(), Self::WAKER);
        waker.map(Arc::new).map_err(LoadError::io("making a waker"))
    }

    /// Starts one more client.
    pub(crate) fn connect(&mut self, identity: Identity) -> Result<Member, LoadError> {
        let mut stream = TcpStream::connect(self.address).map_err(LoadError::io("connecting"))?;
        stream.set_nodelay(true).map_err(LoadError::io("setting TCP_NODELAY"))?;
        let member = self.links.len();
        self.poll
            .registry()
            .register(&mut stream, Token(member), Interest::READABLE | Interest::WRITABLE)
            .map_err(LoadError::io("registering a socket"))?;
        let client = Client::new(identity);
        self.links.push(Some(Link { stream, client, dirty: false, blocked: true }));
        Ok(member)
    }

    /// Lets a client act; what it writes leaves with the next [`Fleet::flush`].
    pub(crate) fn with(&mut self, member: Member, act: impl FnOnce(&mut Client)) {
        let Some(link) = self.links.get_mut(member).and_then(Option::as_mut) else { return };
        act(&mut link.client);
        Self::mark(&mut self.dirty, member, link);
    }

    /// How many clients there have been.
    pub(crate) const fn members(&self) -> Member {
        self.links.len()
    }

    /// Says good-bye for a client and forgets it.
    pub(crate) fn leave(&mut self, member: Member) -> Result<(), LoadError> {
        self.with(member, Client::disconnect);
        self.flush()?;
        if let Some(place) = self.links.get_mut(member) {
            *place = None;
        }
        Ok(())
    }

    /// Waits for readiness, reads what came into `events` and writes what is due.
    pub(crate) fn turn(
        &mut self,
        wait: Duration,
        events: &mut Vec<(Member, Event)>,
    ) -> Result<(), LoadError> {
        match self.poll.poll(&mut self.readiness, Some(wait)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                return Err(LoadError::io("waiting for readiness")(error));
            }
            _ => {}
        }
        for ready in &self.readiness {
            let member = ready.token().0;
            let Some(link) = self.links.get_mut(member).and_then(Option::as_mut) else { continue };
            if ready.is_writable() && link.blocked {
                link.blocked = false;
                Self::mark(&mut self.dirty, member, link);
            }
            if ready.is_readable() {
                link.read(&mut self.buffer, &mut self.heard)?;
                events.extend(self.heard.drain(..).map(|event| (member, event)));
                Self::mark(&mut self.dirty, member, link);
            }
        }
        self.flush()
    }

    /// Writes what clients have to say, one write for each.
    pub(crate) fn flush(&mut self) -> Result<(), LoadError> {
        for member in self.dirty.drain(..) {
            let Some(link) = self.links.get_mut(member).and_then(Option::as_mut) else { continue };
            link.dirty = false;
            link.write()?;
        }
        Ok(())
    }

    fn mark(dirty: &mut Vec<Member>, member: Member, link: &mut Link) {
        if !link.dirty && !link.blocked && !link.client.output().is_empty() {
            link.dirty = true;
            dirty.push(member);
        }
    }
}

impl Link {
    /// Reads until the socket is dry; a short read says so without another system call.
    fn read(&mut self, buffer: &mut [u8], events: &mut Vec<Event>) -> Result<(), LoadError> {
        loop {
            let size = match self.stream.read(buffer) {
                Ok(0) => return Err(LoadError::Closed),
                Ok(size) => size,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(LoadError::io("reading")(error)),
            };
            self.client.receive(buffer.get(..size).unwrap_or_default(), events)?;
            if size < buffer.len() {
                return Ok(());
            }
        }
    }

    fn write(&mut self) -> Result<(), LoadError> {
        while !self.client.output().is_empty() {
            match self.stream.write(self.client.output()) {
                Ok(size) => self.client.output().advance(size),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.blocked = true;
                    return Ok(());
                }
                Err(error) => return Err(LoadError::io("writing")(error)),
            }
        }
        Ok(())
    }
}
