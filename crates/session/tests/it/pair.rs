//! A client and a session over a pipe of bytes that can break at any packet.

use std::{collections::VecDeque, time::Duration};

use bytes::{Bytes, BytesMut};
use plexus_session::{
    Client, ClientClose, ClientOptions, ClientOutput, Incoming, Options, PublishRequest,
};
use plexus_types::{Qos, ReasonCode, TopicName};
use plexus_wire::{Decoder, Limits, Packet, encode};

use crate::shell::Shell;

pub(crate) struct Pair {
    pub(crate) shell: Shell,
    pub(crate) client: Client,
    /// Frames towards the server.
    upwards: VecDeque<Bytes>,
    connect_on_its_way: bool,
    up: Decoder,
    down: Decoder,
    /// Messages that came to the client.
    pub(crate) received: Vec<Incoming>,
    /// Everything else that the client told, but `Send`.
    pub(crate) told: Vec<ClientOutput>,
    /// What the session's side told.
    pub(crate) story: Vec<String>,
}

impl Pair {
    pub(crate) fn new(options: Options, client: ClientOptions) -> Self {
        Self {
            shell: Shell::new(options),
            up: Decoder::server(Limits::default()),
            down: Decoder::client(client.version, Limits::default()),
            client: Client::new(client),
            upwards: VecDeque::new(),
            connect_on_its_way: false,
            received: Vec::new(),
            told: Vec::new(),
            story: Vec::new(),
        }
    }

    /// Both connected and quiet.
    pub(crate) fn connected(client: ClientOptions) -> Self {
        let mut pair = Self::new(Options::default(), client);
        pair.connect();
        pair.drive();
        assert!(pair.client.is_connected());
        pair
    }

    pub(crate) fn connect(&mut self) {
        if !self.client.is_offline() {
            return;
        }
        self.upwards.clear();
        self.connect_on_its_way = true;
        self.up = Decoder::server(Limits::default());
        self.down = Decoder::client(self.client.version(), Limits::default());
        self.client.connect(self.shell.now);
        self.take_client_outputs();
    }

    /// The connection breaks; what is on its way is lost.
    pub(crate) fn lose_connection(&mut self) {
        self.upwards.clear();
        self.story.extend(self.shell.lose_connection());
        self.client.handle_connection_lost(self.shell.now);
        self.take_client_outputs();
    }

    /// The node crashes and comes back; what is on its way is lost.
    pub(crate) fn crash(&mut self) {
        self.upwards.clear();
        self.shell.crash();
        self.client.handle_connection_lost(self.shell.now);
        self.take_client_outputs();
    }

    /// One packet arrives at the server; says whether there was one.
    pub(crate) fn step_up(&mut self) -> bool {
        let Some(frame) = self.upwards.pop_front() else { return false };
        let mut buffer = BytesMut::from(&frame[..]);
        let packet = self.up.decode(&mut buffer);
        let packet = packet.map(|packet| packet.expect("a whole packet")).unwrap();
        match packet {
            Packet::Connect(connect) => {
                // What the server wrote until now went into the old connection.
                self.shell.frames.clear();
                self.connect_on_its_way = false;
                self.story.extend(self.shell.connect(*connect));
            }
            packet => self.story.extend(self.shell.packet(packet)),
        }
        true
    }

    /// One packet arrives at the client; says whether there was one.
    pub(crate) fn step_down(&mut self) -> bool {
        let Some(frame) = self.shell.frames.pop_front() else { return false };
        if self.connect_on_its_way {
            return true;
        }
        let mut buffer = BytesMut::from(&frame[..]);
        let packet = self.down.decode(&mut buffer).map(|packet| packet.expect("a whole packet"));
        self.client.handle_packet(self.shell.now, packet);
        self.take_client_outputs();
        true
    }

    /// Until nothing is on its way.
    pub(crate) fn drive(&mut self) {
        while self.step_up() || self.step_down() {}
    }

    pub(crate) fn act<T>(
        &mut self,
        call: impl FnOnce(&mut Client, plexus_types::Instant) -> T,
    ) -> T {
        let result = call(&mut self.client, self.shell.now);
        self.take_client_outputs();
        result
    }

    pub(crate) fn publish(&mut self, payload: &str, qos: u8) {
        let topic = TopicName::try_from("up").unwrap();
        let payload = Bytes::copy_from_slice(payload.as_bytes());
        let request = PublishRequest::new(topic, payload, Qos::new(qos).unwrap());
        self.act(|client, now| client.publish(now, request)).unwrap();
    }

    /// Lets time pass for both sides, in steps of a second.
    pub(crate) fn advance(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.story.extend(self.shell.advance(1));
            let now = self.shell.now;
            if self.client.poll_timeout().is_some_and(|due| due <= now) {
                self.act(Client::handle_timeout);
            }
            self.drive();
        }
        self.shell.now = self.shell.now + Duration::ZERO;
    }

    pub(crate) fn payloads(&self) -> Vec<&str> {
        self.received.iter().map(|message| std::str::from_utf8(&message.payload).unwrap()).collect()
    }

    pub(crate) fn entered(&self) -> Vec<&str> {
        let entered = self.shell.entered.iter();
        entered.map(|message| std::str::from_utf8(&message.payload).unwrap()).collect()
    }

    /// How many messages were told to be published with that reason.
    pub(crate) fn published(&self, wanted: ReasonCode) -> usize {
        let told = self.told.iter();
        told.filter(
            |told| matches!(told, ClientOutput::Published { reason, .. } if *reason == wanted),
        )
        .count()
    }

    pub(crate) fn closes(&self) -> Vec<ClientClose> {
        let closes = self.told.iter().filter_map(|told| match told {
            ClientOutput::Close(reason) => Some(*reason),
            _ => None,
        });
        closes.collect()
    }

    fn take_client_outputs(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                ClientOutput::Send(packet) => {
                    let mut buffer = BytesMut::new();
                    encode(&packet, self.client.version(), &mut buffer).unwrap();
                    self.upwards.push_back(buffer.freeze());
                }
                ClientOutput::Message(message) => self.received.push(*message),
                ClientOutput::Close(reason) => {
                    self.told.push(ClientOutput::Close(reason));
                    // What was written still arrives; then the server sees the end.
                    while self.step_up() {}
                    self.story.extend(self.shell.lose_connection());
                }
                output => self.told.push(output),
            }
        }
    }
}

/// Options of a 5.0 client whose session lasts.
pub(crate) fn lasting() -> ClientOptions {
    let mut options = ClientOptions { client_id: crate::shell::text("c"), ..Default::default() };
    options.properties.session_expiry_interval = 3_600;
    options.keep_alive = 0;
    options
}
