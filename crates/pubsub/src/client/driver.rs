//! The event loop of one client: a [`Client`] over one stream at a time.

mod link;

use std::{collections::VecDeque, io, sync::Arc, time::Duration};

use mio::{Events, Interest, Poll, Token, Waker};
use plexus_net::{PeerAddr, ReadBlock, StreamError, Target};
use plexus_session::{Client, ClientClose, ClientOptions, ClientOutput, Incoming, Ticket};
use plexus_terminal::Failure;
use plexus_types::{Instant, ReasonCode, Text};
use plexus_wire::{
    ConnAck, Decoder, DisconnectProperties, Limits, PACKET_SIZE_MAX, Packet, SubAck, UnsubAck,
    encode,
};

use self::link::{Link, Phase};
use super::{
    clock::Clock,
    down::Down,
    endpoint::Endpoint,
    trouble::{Stage, Trouble},
};
const CONNECTION: Token = Token(0);
const WAKER: Token = Token(1);
/// How long a connection may take to stand, before CONNECT is sent.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the last bytes may take after DISCONNECT.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// What the command is told.
#[derive(Debug)]
pub enum Happening {
    /// The broker accepted the connection.
    Up(Box<ConnAck>),
    /// The connection is over; perhaps with bytes that the socket had not taken.
    Down {
        /// How it ended.
        down: Down,
        /// There were bytes that the socket had not taken.
        unsent: bool,
    },
    /// A message came.
    Message(Box<Incoming>),
    /// A message is out, or acknowledged to its end, or refused.
    Published(Ticket, ReasonCode),
    /// SUBACK came.
    Subscribed(Box<SubAck>),
    /// UNSUBACK came.
    Unsubscribed(Box<UnsubAck>),
    /// The broker has read everything that was sent before it was asked.
    Pong,
    /// Nothing more will be heard of that.
    Abandoned(Ticket),
    /// Somebody rang the waker, or the socket has taken everything.
    Woken,
}

/// One client, and one connection of it at a time.
#[derive(Debug)]
pub struct Driver {
    /// The client that speaks.
    pub client: Client,
    endpoint: Endpoint,
    clock: Clock,
    poll: Poll,
    events: Events,
    waker: Arc<Waker>,
    block: ReadBlock,
    link: Option<Link>,
    retry_at: Option<Instant>,
    targets: VecDeque<Target>,
    /// What somebody's answer at one of the addresses came to.
    telling: Option<Trouble>,
    happenings: VecDeque<Happening>,
}

impl Driver {
    /// A client that will connect there.
    pub fn new(endpoint: Endpoint, options: ClientOptions) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::because("cannot set up the connection", &error);
        let poll = Poll::new().map_err(failed)?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER).map_err(failed)?);
        Ok(Self {
            client: Client::new(options),
            endpoint,
            clock: Clock::start(),
            poll,
            events: Events::with_capacity(8),
            waker,
            block: ReadBlock::new(ReadBlock::SIZE_DEFAULT),
            link: None,
            retry_at: Some(Instant::ZERO),
            targets: VecDeque::new(),
            telling: None,
            happenings: VecDeque::new(),
        })
    }

    pub(crate) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Rings the loop from another thread.
    pub(crate) fn waker(&self) -> Arc<Waker> {
        Arc::clone(&self.waker)
    }

    /// Whether everything that happened so far has been told.
    pub(crate) fn is_told(&self) -> bool {
        self.happenings.is_empty()
    }

    /// Where the connection leads, as far as it stands.
    pub fn target(&self) -> Option<Target> {
        match self.link.as_ref()?.stream.facts().peer {
            PeerAddr::Ip(address) => Some(Target::Address(address)),
            PeerAddr::Unix => Some(Target::Unix((&self.endpoint.host).into())),
            PeerAddr::Unknown => None,
        }
    }

    /// Bytes that the socket has not yet taken.
    pub(crate) fn backlog(&self) -> usize {
        self.link.as_ref().map_or(0, Link::backlog)
    }

    /// Connects again after that time.
    pub(crate) fn reconnect(&mut self, wait: Duration) {
        self.retry_at = Some(self.now() + wait);
    }

    /// The next thing that happens, or nothing until `deadline`.
    pub fn next(&mut self, deadline: Instant) -> Result<Option<Happening>, Failure> {
        loop {
            self.work();
            if let Some(happening) = self.happenings.pop_front() {
                return Ok(Some(happening));
            }
            let now = self.now();
            if now >= deadline {
                return Ok(None);
            }
            self.wait(deadline.saturating_since(now))?;
        }
    }

    /// Says DISCONNECT and waits until everything has left, for a short time; whether the broker
    /// seems to have read it all.
    pub fn finish(&mut self, session_expiry: Option<u32>) -> Result<bool, Failure> {
        let properties =
            DisconnectProperties { session_expiry_interval: session_expiry, ..Default::default() };
        let now = self.now();
        self.client.disconnect(now, ReasonCode::Success, properties);
        self.retry_at = None;
        let deadline = now + CLOSE_TIMEOUT;
        let mut whole = true;
        while (self.link.is_some() || !self.is_told()) && self.now() < deadline {
            // What comes now is not acknowledged and thus comes again where that matters.
            match self.next(deadline)? {
                Some(Happening::Down { unsent, .. }) => whole &= !unsent,
                Some(_) => {}
                None => break,
            }
        }
        Ok(whole)
    }

    /// Ends the session that a broker of 3.x keeps: a clean one replaces it and ends. Afterwards the
    /// client is a new one, which is not connected.
    pub(crate) fn forget(&mut self) -> Result<(), Failure> {
        let options = self.client.options().clone();
        let clean = ClientOptions { clean_start: true, will: None, ..options.clone() };
        self.client = Client::new(clean);
        let forgotten = self.replace_session();
        self.link = None;
        self.happenings.clear();
        self.client = Client::new(options);
        forgotten
    }

    fn replace_session(&mut self) -> Result<(), Failure> {
        self.link = None;
        self.happenings.clear();
        self.reconnect(Duration::ZERO);
        let deadline = self.now() + CLOSE_TIMEOUT;
        loop {
            match self.next(deadline)? {
                Some(Happening::Up(_)) => return self.finish(None).map(drop),
                // Nobody is there who could forget it now.
                Some(Happening::Down { .. }) | None => return Ok(()),
                Some(_) => {}
            }
        }
    }

    /// Everything that can be done without waiting.
    fn work(&mut self) {
        let now = self.now();
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.connect(now);
        }
        if self.client.poll_timeout().is_some_and(|at| at <= now) {
            self.client.handle_timeout(now);
        }
        let Some(mut link) = self.link.take() else { return };
        let waited = link.backlog() > 0;
        let turned = self.turn(now, &mut link);
        if waited && link.backlog() == 0 {
            self.happenings.push_back(Happening::Woken);
        }
        match turned {
            Ok(None) => self.link = Some(link),
            Ok(Some(down)) => self.lost(now, &link, down),
            Err(trouble) => self.lost(now, &link, Down::Lost(trouble)),
        }
    }

    fn wait(&mut self, longest: Duration) -> Result<(), Failure> {
        let now = self.now();
        let until = |at: Option<Instant>| at.map(|at| at.saturating_since(now));
        let link = self.link.as_ref().and_then(Link::deadline);
        let more = self.link.as_ref().is_some_and(|link| link.readable);
        let due = [until(self.retry_at), until(self.client.poll_timeout()), until(link)];
        let timeout = due.into_iter().flatten().fold(longest, Duration::min);
        let timeout = if more { Duration::ZERO } else { timeout };
        match self.poll.poll(&mut self.events, Some(timeout)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                return Err(Failure::because("cannot wait for the connection", &error));
            }
            Ok(()) | Err(_) => {}
        }
        for event in &self.events {
            match event.token() {
                WAKER => self.happenings.push_back(Happening::Woken),
                _ => {
                    if let Some(link) = &mut self.link {
                        link.stream.note(event);
                        link.readable = true;
                    }
                }
            }
        }
        Ok(())
    }

    fn connect(&mut self, now: Instant) {
        if self.targets.is_empty() {
            match self.endpoint.resolve() {
                Ok(targets) => self.targets = targets.into(),
                Err(error) => return self.gone(Trouble::unknown_host(&self.endpoint, &error)),
            }
        }
        let Some(target) = self.targets.pop_front() else {
            return self.gone(Trouble::no_address(&self.endpoint));
        };
        match self.open(now, &target) {
            Ok(link) => self.link = Some(link),
            Err(trouble) => self.failed(now, trouble, false),
        }
    }

    fn open(&self, now: Instant, target: &Target) -> Result<Link, Trouble> {
        let failed = |error| Trouble::of_stream(&self.endpoint, &error, Stage::Asked);
        let mut stream = target.open(None, &self.endpoint.layers()).map_err(failed)?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        let registered = stream.register(self.poll.registry(), CONNECTION, interest);
        registered.map_err(|error| failed(error.into()))?;
        let limits = Limits {
            packet_size: PACKET_SIZE_MAX as u32,
            user_properties: u16::MAX,
            ..Limits::default()
        };
        let decoder = Decoder::client(self.client.version(), limits);
        Ok(Link::new(stream, decoder, now + CONNECT_TIMEOUT))
    }

    /// One address failed: the next one is tried at once, and after the last one it is told. Where
    /// somebody answered says more than where nobody did.
    fn failed(&mut self, now: Instant, trouble: Trouble, standing: bool) {
        let telling = if standing { Some(trouble.clone()) } else { None };
        self.telling = self.telling.take().or(telling);
        if self.targets.is_empty() {
            let trouble = self.telling.take().unwrap_or(trouble);
            self.gone(trouble);
        } else {
            self.retry_at = Some(now);
        }
    }

    fn gone(&mut self, trouble: Trouble) {
        let down = Down::Lost(trouble);
        self.happenings.push_back(Happening::Down { down, unsent: false });
    }

    fn trouble(&self, link: &Link, error: &StreamError) -> Trouble {
        Trouble::of_stream(&self.endpoint, error, link.stage())
    }

    /// Reads, decides and writes; says why when the connection is over.
    fn turn(&mut self, now: Instant, link: &mut Link) -> Result<Option<Down>, Trouble> {
        if let Phase::Connecting(deadline) = link.phase {
            let failed = |error| Trouble::of_io(&self.endpoint, &error, Stage::Asked);
            if let Some(error) = link.stream.take_error().map_err(failed)? {
                return Err(failed(error));
            }
            if link.stream.facts().peer == PeerAddr::Unknown {
                let late = now >= deadline;
                return if late { Err(Trouble::no_way(&self.endpoint)) } else { Ok(None) };
            }
            link.phase = Phase::Speaking;
            self.client.connect(now);
        }
        self.pump(now, link);
        let closed = self.read(now, link).and_then(|closed| self.write(link).map(|()| closed));
        if let Phase::Closing(down, deadline) = &link.phase {
            let (down, late) = (down.clone(), now >= *deadline);
            link.cut |= closed.is_err();
            return Ok(link.close(closed.unwrap_or(true) || late, down));
        }
        if closed? {
            let said = link.said.take();
            let gone = || Down::Lost(Trouble::closed(&self.endpoint, link.stage()));
            return Ok(Some(said.unwrap_or_else(gone)));
        }
        Ok(None)
    }

    fn read(&mut self, now: Instant, link: &mut Link) -> Result<bool, Trouble> {
        let read = link.stream.read(&mut self.block, &mut link.inbox);
        let read = read.map_err(|error| self.trouble(link, &error))?;
        link.readable = read.more;
        if let Some(first) = link.inbox.first().filter(|_| !link.heard) {
            // Another protocol is called by its name before its bytes are taken for packets.
            if let Some(trouble) = Trouble::of_stranger(&self.endpoint, *first) {
                return Err(trouble);
            }
            link.heard = true;
        }
        let mut whole = true;
        while whole && !matches!(link.phase, Phase::Closing(..)) {
            let packet = match link.decoder.decode(&mut link.inbox) {
                Ok(Some(packet)) => Ok(packet),
                Ok(None) => return Ok(read.closed),
                Err(error) => Err(error),
            };
            whole = packet.is_ok();
            self.client.handle_packet(now, packet);
            self.pump(now, link);
        }
        // What comes behind the end is not looked at.
        link.inbox.clear();
        Ok(read.closed)
    }

    fn write(&self, link: &mut Link) -> Result<(), Trouble> {
        // What the socket does not take waits for the event that says that it takes more.
        let written = link.stream.write(&mut link.out);
        written.map(drop).map_err(|error| self.trouble(link, &error))
    }

    /// Carries out what the client wants.
    fn pump(&mut self, now: Instant, link: &mut Link) {
        while let Some(output) = self.client.poll_output() {
            match output {
                ClientOutput::Send(packet) => {
                    link.pings += u32::from(packet == Packet::PingReq);
                    let encoded = encode(&packet, self.client.version(), link.out.buffer());
                    encoded.expect("invariant: the client makes packets of its version");
                }
                ClientOutput::Close(close) => {
                    let said = link.said.take();
                    let down = said.unwrap_or_else(|| self.closed(close, link.stage()));
                    link.phase = Phase::Closing(down, now + CLOSE_TIMEOUT);
                }
                ClientOutput::Refused(connack) => {
                    let text = shown(connack.properties.reason_string.as_ref());
                    link.said = Some(Down::Refused { reason: connack.reason, text });
                }
                ClientOutput::Disconnected(disconnect) => {
                    let text = shown(disconnect.properties.reason_string.as_ref());
                    link.said = Some(Down::ByServer { reason: disconnect.reason, text });
                }
                ClientOutput::Connected(connack) => {
                    link.accepted = true;
                    // The next attempt begins with the first address again.
                    self.targets.clear();
                    self.telling = None;
                    self.happenings.push_back(Happening::Up(connack));
                }
                ClientOutput::Pong => {
                    // The answer to an earlier ping says nothing about what came behind that.
                    link.pings = link.pings.saturating_sub(1);
                    if link.pings == 0 {
                        self.happenings.push_back(Happening::Pong);
                    }
                }
                other => self.tell(other),
            }
        }
    }

    fn tell(&mut self, output: ClientOutput) {
        let happening = match output {
            ClientOutput::Message(message) => Happening::Message(message),
            ClientOutput::Published { ticket, reason } => Happening::Published(ticket, reason),
            ClientOutput::Subscribed(_, suback) => Happening::Subscribed(suback),
            ClientOutput::Unsubscribed(_, unsuback) => Happening::Unsubscribed(unsuback),
            ClientOutput::Abandoned(ticket) => Happening::Abandoned(ticket),
            // No authentication method is offered, so none is asked for.
            ClientOutput::Authentication(_)
            | ClientOutput::Connected(_)
            | ClientOutput::Pong
            | ClientOutput::Send(_)
            | ClientOutput::Refused(_)
            | ClientOutput::Disconnected(_)
            | ClientOutput::Close(_) => return,
        };
        self.happenings.push_back(happening);
    }

    fn lost(&mut self, now: Instant, link: &Link, down: Down) {
        let standing = !matches!(link.phase, Phase::Connecting(_));
        self.client.handle_connection_lost(now);
        while let Some(output) = self.client.poll_output() {
            self.tell(output);
        }
        match down {
            // Nobody there, or nobody who speaks TLS: the next address may do better.
            Down::Lost(trouble)
                if !link.accepted && (!standing || !link.stream.is_established()) =>
            {
                self.failed(now, trouble, standing);
            }
            down => {
                let unsent = link.backlog() > 0 || link.is_cut();
                self.happenings.push_back(Happening::Down { down, unsent });
            }
        }
    }

    fn closed(&self, close: ClientClose, stage: Stage) -> Down {
        match close {
            ClientClose::Wanted => Down::Wanted,
            ClientClose::ByServer(reason) => Down::ByServer { reason, text: None },
            ClientClose::Fault(reason) => Down::Fault(reason),
            ClientClose::Silence => Down::Lost(Trouble::silence(&self.endpoint, stage)),
        }
    }
}

fn shown(text: Option<&Text>) -> Option<String> {
    text.map(|text| text.as_str().escape_debug().to_string())
}
