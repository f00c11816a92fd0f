//! A connection that has not yet sent its CONNECT.

use std::{io, sync::Arc};

use bytes::BytesMut;
use mio::{Interest, Registry, Token, event::Event};
use plexus_net::{PeerAddr, ReadBlock, Stream, WriteQueue};
use plexus_session::{Connecting, Outbox, Output};
use plexus_types::{ClientId, ProtocolVersion, ReasonCode};
use plexus_wire::{Connect, Decoder, Limits, Packet, ProtocolError};

use super::{Guard, doors::OpenDoor};
use crate::{Arrival, Homes, Incoming};

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
    /// CONNECT is here; that shard is the client's home.
    Arrived { home: u16 },
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
    refusal: Option<ReasonCode>,
    arrival: Option<Arrival>,
    refused: bool,
}

impl Guest {
    pub(super) fn new(
        (stream, peer): (Stream, PeerAddr),
        door: Arc<OpenDoor>,
        guard: Guard,
        serial: u32,
        refusal: Option<ReasonCode>,
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
            refusal,
            arrival: None,
            refused: false,
        }
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

    /// One bounded step.
    pub(super) fn progress(&mut self, block: &mut ReadBlock, homes: &dyn Homes) -> Progress {
        let Ok(read) = self.stream.read(block, &mut self.input).map_err(|error| self.tell(&error))
        else {
            // What a handshake has to say of its failure (an alert, an HTTP status) still leaves.
            drop(self.stream.write(&mut self.queue));
            return Progress::Gone;
        };
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
            Ok(Some(Packet::Connect(connect))) => self.arrive(connect, homes),
            Ok(Some(_)) => Progress::Gone,
            Ok(None) if read.closed => Progress::Gone,
            Ok(None) if read.more => Progress::More,
            Ok(None) => Progress::Waiting,
            Err(fault) => self.reject(fault),
        }
    }

    fn arrive(&mut self, connect: Box<Connect>, homes: &dyn Homes) -> Progress {
        let (assigned, client_id) = if connect.client_id.is_empty() {
            let drawn = draw_client_id();
            (Some(drawn.clone()), drawn)
        } else {
            (None, ClientId::new(&connect.client_id))
        };
        if let Some(reason) = self.refusal {
            return self.refuse(connect, assigned, reason);
        }
        let home = homes.home(&client_id);
        let door = Arc::clone(&self.door.door);
        let peer = self.stream.client_of(self.peer).ip();
        self.arrival = Some(Arrival { connect, assigned, door, peer });
        Progress::Arrived { home }
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

    /// Why nobody came of it: a wrong port, a certificate, nonsense.
    fn tell(&self, cause: &dyn std::fmt::Display) {
        let peer = self.stream.client_of(self.peer).ip().map(tracing::field::display);
        tracing::info!(%cause, peer, listener = %self.door.name(), "connection without CONNECT");
    }

    fn refuse(
        &mut self,
        connect: Box<Connect>,
        assigned: Option<ClientId>,
        reason: ReasonCode,
    ) -> Progress {
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

    pub(super) fn into_incoming(self) -> Option<Incoming> {
        let Self { stream, decoder, input, guard, arrival, .. } = self;
        Some(Incoming { stream, decoder, rest: input, arrival: arrival?, guard })
    }
}

/// A Client Identifier that nobody can guess: whoever knows it may take the session over.
fn draw_client_id() -> ClientId {
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).expect("invariant: the system has random numbers");
    let name = format!("plexus-{:032x}", u128::from_be_bytes(random));
    ClientId::try_from(name.as_str()).expect("invariant: hexadecimal digits are valid text")
}
