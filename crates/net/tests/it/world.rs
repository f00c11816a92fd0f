//! What the tests share: two streams driven by one poll, and certificates.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::BytesMut;
use mio::{Events, Interest, Poll, Token, event::Source as _};
use plexus_net::{
    Accepted, BindOptions, ClientLayers, Layers, ListenUrl, Listener, ReadBlock, Socket, Stream,
    StreamError, WriteQueue,
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// Nobody waits this long unless something is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// One end: a stream with everything that its driver owns.
pub(crate) struct End {
    pub(crate) stream: Stream,
    pub(crate) queue: WriteQueue,
    pub(crate) inbox: BytesMut,
    pub(crate) block: ReadBlock,
    pub(crate) closed: bool,
    pub(crate) error: Option<StreamError>,
}

impl End {
    pub(crate) fn new(stream: Stream) -> Self {
        Self {
            stream,
            queue: WriteQueue::new(),
            inbox: BytesMut::new(),
            block: ReadBlock::new(16 * 1024),
            closed: false,
            error: None,
        }
    }

    /// As the rules of `Stream` say: read until nothing is left, then write.
    pub(crate) fn drive(&mut self) {
        while !self.closed && self.error.is_none() {
            match self.stream.read(&mut self.block, &mut self.inbox) {
                Ok(read) => {
                    self.closed = read.closed;
                    if !read.more {
                        break;
                    }
                }
                Err(error) => self.error = Some(error),
            }
        }
        if self.error.is_none()
            && let Err(error) = self.stream.write(&mut self.queue)
        {
            self.error = Some(error);
        }
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.queue.buffer().extend_from_slice(bytes);
        let _later = self.stream.write(&mut self.queue);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.closed || self.error.is_some()
    }
}

/// A poll with its ends, each under its index.
pub(crate) struct World {
    pub(crate) poll: Poll,
    pub(crate) ends: Vec<End>,
}

impl World {
    pub(crate) fn new(streams: Vec<Stream>) -> Self {
        let poll = Poll::new().unwrap();
        let mut ends: Vec<End> = streams.into_iter().map(End::new).collect();
        for (at, end) in ends.iter_mut().enumerate() {
            end.stream.register(poll.registry(), Token(at), BOTH).unwrap();
        }
        Self { poll, ends }
    }

    /// Drives every end with events until `done`.
    pub(crate) fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        let mut events = Events::with_capacity(16);
        for end in &mut self.ends {
            end.drive();
        }
        while !done(self) {
            self.poll.poll(&mut events, Some(PATIENCE)).unwrap();
            assert!(!events.is_empty(), "nothing happens any more; expected {what}");
            for event in &events {
                if let Some(end) = self.ends.get_mut(event.token().0) {
                    end.stream.note(event);
                    end.drive();
                }
            }
        }
    }
}

pub(crate) fn url(text: &str) -> ListenUrl {
    text.parse().unwrap()
}

pub(crate) fn bind(text: &str) -> Listener {
    let mut listeners = Listener::bind(&url(text), &BindOptions::default()).unwrap();
    assert_eq!(listeners.len(), 1);
    listeners.remove(0)
}

pub(crate) fn address(listener: &Listener) -> SocketAddr {
    listener.local_addr().unwrap()
}

/// Waits for one connection.
pub(crate) fn accept(listener: &mut Listener) -> Accepted {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(4);
    listener.register(poll.registry(), Token(0), Interest::READABLE).unwrap();
    let accepted = loop {
        match listener.accept() {
            Ok(accepted) => break accepted,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                poll.poll(&mut events, Some(PATIENCE)).unwrap();
                assert!(!events.is_empty(), "nobody connects");
            }
            Err(error) => panic!("{error}"),
        }
    };
    listener.deregister(poll.registry()).unwrap();
    accepted
}

/// A client (0) and a server (1) over a listener at `text`.
pub(crate) fn connected(text: &str, client: &ClientLayers, server: &Layers) -> World {
    let mut listener = bind(text);
    let socket = match listener.local_url().unix_path() {
        Some(path) => Socket::connect_unix(path).unwrap(),
        None => Socket::connect(address(&listener)).unwrap(),
    };
    let accepted = accept(&mut listener);
    World::new(vec![
        Stream::client(socket, client).unwrap(),
        Stream::server(accepted.socket, server).unwrap(),
    ])
}

/// A directory of this test's own.
pub(crate) fn directory(test: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    if path.exists() {
        fs::remove_dir_all(&path).unwrap();
    }
    fs::create_dir_all(&path).unwrap();
    path
}

/// An authority whose certificate stands in `ca.pem`.
pub(crate) struct Authority {
    pub(crate) directory: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new(directory: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "authority of the tests");
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        fs::write(directory.join("ca.pem"), certificate.pem()).unwrap();
        Self { directory: directory.to_owned(), issuer: Issuer::new(params, key) }
    }

    pub(crate) fn ca_file(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    /// Writes `name.pem` and `name.key` for these subject names; returns the certificate's DER.
    pub(crate) fn issue(&self, name: &str, subjects: &[&str]) -> Vec<u8> {
        let subjects: Vec<String> = subjects.iter().map(|subject| (*subject).to_owned()).collect();
        let mut params = CertificateParams::new(subjects).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(self.cert_file(name), certificate.pem()).unwrap();
        fs::write(self.key_file(name), key.serialize_pem()).unwrap();
        certificate.der().to_vec()
    }

    pub(crate) fn cert_file(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.pem"))
    }

    pub(crate) fn key_file(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.key"))
    }
}
