//! A connection that has not yet sent its CONNECT.

use std::{error::Error, io, net::IpAddr, sync::Arc};

use bytes::BytesMut;
use mio::{Interest, Registry, Token, event::Event};
use plexus_access::{Notice, Visitor};
use plexus_fences::Stand;
use plexus_net::{PeerAddr, ProxyProtocol, Read, ReadBlock, Stream, StreamError, WriteQueue};
use plexus_session::{Connecting, Outbox, Output};
use plexus_types::{ClientId, Instant, ProtocolVersion, ReasonCode};
use plexus_wire::{Connect, Decoder, Limits, Packet, ProtocolError};

use super::{Guard, doors::OpenDoor};
use crate::{Arrival, Fence, Homes, Incoming, Seat, Who, certificate};

/// User Properties of one packet.
const USER_PROPERTIES_MAX: u16 = 1_024;
/// Filters of one SUBSCRIBE or UNSUBSCRIBE.
const FILTERS_MAX: u16 = 10_000;

/// How far a guest has come.
pub(super) enum Progress {
    /// Nothing to do until the socket says so.
    Waiting,
    /// The work of one turn is done, there is more.
    More,
    /// The peer has left, or what it says is no MQTT.
    Gone,
    /// CONNECT is here.
    Arrived,
    /// The refusal is on its way; the peer should close.
    Refused,
}

pub(super) struct Guest {
    stream: Stream,
    peer: PeerAddr,
    registered: bool,
    decoder: Decoder,
    input: BytesMut,
    queue: WriteQueue,
    door: Arc<OpenDoor>,
    guard: Guard,
    serial: u32,
    /// When it was accepted.
    came_at: Instant,
    refusal: Option<Fence>,
    arrival: Option<Arrival>,
    home: u16,
    refused: bool,
    /// Where it stands among those who have not said CONNECT.
    pub(super) stand: Option<Stand>,
    /// Whether it has been compared with what is allowed of its place.
    pub(super) is_placed: bool,
    /// What is counted of the bytes that it holds.
    pub(super) counted_bytes: usize,
}

impl Guest {
    pub(super) fn new(
        (stream, peer): (Stream, PeerAddr),
        door: Arc<OpenDoor>,
        guard: Guard,
        (serial, came_at): (u32, Instant),
    ) -> Self {
        let limits = Limits {
            packet_size: door.door.options.packet_size_max,
            user_properties: USER_PROPERTIES_MAX,
            filters: FILTERS_MAX,
        };
        Self {
            stream,
            peer,
            registered: false,
            decoder: Decoder::server(limits),
            input: BytesMut::new(),
            queue: WriteQueue::new(),
            door,
            guard,
            serial,
            came_at,
            refusal: None,
            arrival: None,
            home: 0,
            refused: false,
            stand: None,
            is_placed: false,
            counted_bytes: 0,
        }
    }

    pub(super) fn door(&self) -> &Arc<OpenDoor> {
        &self.door
    }

    pub(super) fn came_at(&self) -> Instant {
        self.came_at
    }

    pub(super) fn serial(&self) -> u32 {
        self.serial
    }

    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.registered = true;
        self.stream.register(registry, token, Interest::READABLE | Interest::WRITABLE)
    }

    pub(super) fn note(&mut self, event: &Event) {
        self.stream.note(event);
    }

    pub(super) fn deregister(&mut self, registry: &Registry) {
        if std::mem::take(&mut self.registered) {
            // Nothing can be done about a socket that stays: it is not read here any more.
            drop(self.stream.deregister(registry));
        }
    }

    pub(super) fn is_behind_proxy(&self) -> bool {
        self.door.layers.proxy != ProxyProtocol::Off
    }

    /// Whether the address of the client is known, and not only that of a proxy.
    pub(super) fn is_address_known(&self) -> bool {
        !self.is_behind_proxy() || self.stream.client_of(self.peer) != self.peer
    }

    /// The address of the client, as far as it is known.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.stream.client_of(self.peer).ip()
    }

    /// It is one of its place as long as it lives.
    pub(super) fn sit(&mut self, seat: Seat) {
        self.guard.seat = Some(Box::new(seat));
    }

    /// Why it is only told to go.
    pub(super) fn refusal(&self) -> Option<Fence> {
        self.refusal
    }

    pub(super) fn set_refusal(&mut self, fence: Fence) {
        self.refusal = Some(fence);
    }

    /// Bytes that wait to become a CONNECT.
    pub(super) fn held_bytes(&self) -> usize {
        self.input.len()
    }

    /// Reads once; nothing if that fails.
    pub(super) fn hear(&mut self, block: &mut ReadBlock) -> Option<Read> {
        let Ok(read) =
            self.stream.read(block, &mut self.input).map_err(|error| self.tell_broken(&error))
        else {
            // What a handshake has to say of its failure (an alert, an HTTP status) still leaves.
            drop(self.stream.write(&mut self.queue));
            return None;
        };
        Some(read)
    }

    /// What follows from what was read.
    pub(super) fn progress(&mut self, read: Read) -> Progress {
        if self.stream.wants_write() || !self.queue.is_empty() {
            let Ok(_) = self.stream.write(&mut self.queue) else { return Progress::Gone };
        }
        if self.refused {
            self.input.clear();
            return match (read.closed, read.more) {
                (true, _) => Progress::Gone,
                (false, true) => Progress::More,
                (false, false) => Progress::Waiting,
            };
        }
        match self.decoder.decode(&mut self.input) {
            Ok(Some(Packet::Connect(connect))) => self.arrive(connect),
            Ok(Some(_)) => Progress::Gone,
            Ok(None) if read.closed => Progress::Gone,
            Ok(None) if read.more => Progress::More,
            Ok(None) => Progress::Waiting,
            Err(fault) => self.reject(fault),
        }
    }

    fn arrive(&mut self, connect: Box<Connect>) -> Progress {
        let assigned = connect.client_id.is_empty().then(draw_client_id);
        let door = Arc::clone(&self.door.door);
        let peer = self.address();
        let tls = self.door.tls.as_ref().and_then(|_| self.stream.facts().tls);
        let asked = tls.as_ref().and_then(|tls| tls.sni.as_deref()).map(str::to_ascii_lowercase);
        let named = asked.and_then(|name| self.door.server_names.get(&name)).cloned();
        let shown = tls.and_then(|tls| tls.peer_cert_der);
        let certificate = shown.and_then(|der| certificate::read(&der)).map(Arc::new);
        self.arrival = Some(Arrival { connect, assigned, door, peer, certificate, named });
        Progress::Arrived
    }

    /// Who it says it is, once it has said CONNECT.
    pub(super) fn who(&self) -> Option<Who<'_>> {
        let Arrival { connect, assigned, peer, door, named, .. } = self.arrival.as_ref()?;
        let tenant = door.tenant.as_ref().or(named.as_ref());
        let client = assigned.as_ref().map_or(connect.client_id.as_str(), ClientId::as_str);
        Some(Who { client, user: connect.user_name.as_deref(), peer: *peer, tenant })
    }

    /// Finds the home of the client that it is.
    pub(super) fn find_home(&mut self, homes: &dyn Homes) -> Progress {
        let Some(Arrival { connect, assigned, .. }) = &self.arrival else { return Progress::Gone };
        self.home = match assigned {
            Some(drawn) => homes.home(drawn),
            None => homes.home(&ClientId::new(&connect.client_id)),
        };
        Progress::Arrived
    }

    /// [MQTT-3.1.2-2], [MQTT-3.1.4-2]: who sent something like a CONNECT is told what was wrong with
    /// it; anything else before CONNECT just ends the connection ([MQTT-3.1.0-1],
    /// [MQTT-3.1.4-1]).
    fn reject(&mut self, fault: ProtocolError) -> Progress {
        self.tell(&fault);
        match self.decoder.refusal(&fault) {
            Some(refusal) => self.say(&refusal, self.decoder.version()),
            None => Progress::Gone,
        }
    }

    /// The connection broke before CONNECT. Whose certificate is not accepted, revoked perhaps, was somebody once.
    fn tell_broken(&self, error: &StreamError) {
        self.tell(error);
        let Some(refused) = error.refused_certificate() else { return };
        let (peer, listener) = (self.stream.client_of(self.peer).ip(), self.door.name());
        let visitor = Visitor { client: None, user: None, peer, listener, tenant: None };
        self.door.door.policy.note(visitor, Notice::TurnedAway(&refused));
    }

    /// Why nobody came of it: a wrong port, a certificate, nonsense.
    fn tell(&self, error: &dyn Error) {
        let mut cause = error.to_string();
        let mut source = error.source();
        while let Some(deeper) = source {
            cause = format!("{cause}: {deeper}");
            source = deeper.source();
        }
        let peer = self.stream.client_of(self.peer).ip().map(tracing::field::display);
        tracing::info!(cause, peer, listener = %self.door.name(), "connection without CONNECT");
    }

    /// Tells the log which fence it met.
    pub(super) fn tell_refused(&self, fence: Fence) {
        let who = self.who();
        let peer = self.address().map(tracing::field::display);
        let (client, user) = (who.map(|who| who.client), who.and_then(|who| who.user));
        let (reason, fence, listener) = (fence.reason(), fence.name(), self.door.name());
        tracing::warn!(%reason, fence, client, user, peer, listener, "client refused");
    }

    /// Answers its CONNECT with that reason.
    pub(super) fn refuse(&mut self, reason: ReasonCode) -> Progress {
        let Some(Arrival { connect, assigned, .. }) = self.arrival.take() else {
            return Progress::Gone;
        };
        let version = connect.version;
        let options = Arc::clone(&self.door.door.options);
        let mut connecting = Connecting::new(options, connect, assigned);
        let mut outbox = Outbox::new();
        connecting.refuse(reason, None, &mut outbox);
        let mut progress = Progress::Gone;
        while let Some(output) = outbox.poll() {
            if let Output::Send(packet) = output {
                progress = self.say(&packet, version);
            }
        }
        progress
    }

    fn say(&mut self, packet: &Packet, version: ProtocolVersion) -> Progress {
        let encoded = plexus_wire::encode(packet, version, self.queue.buffer());
        if encoded.is_err() || self.stream.write(&mut self.queue).is_err() {
            return Progress::Gone;
        }
        self.stream.shutdown();
        self.refused = true;
        Progress::Refused
    }

    /// Its home, and what goes there.
    pub(super) fn into_incoming(self) -> Option<(u16, Incoming)> {
        let Self { stream, decoder, input, guard, arrival, home, .. } = self;
        Some((home, Incoming { stream, decoder, rest: input, arrival: arrival?, guard }))
    }
}

/// A Client Identifier that nobody can guess: whoever knows it may take the session over.
fn draw_client_id() -> ClientId {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).expect("invariant: the system has random numbers");
    let name = format!("plexus-{:032x}", u128::from_be_bytes(random));
    ClientId::try_from(name.as_str()).expect("invariant: hexadecimal digits are valid text")
}
