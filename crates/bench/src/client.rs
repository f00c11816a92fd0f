//! One MQTT client without I/O: bytes in, events and bytes out.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use plexus_types::{PacketId, ProtocolVersion, Qos, ReasonCode, Text};
use plexus_wire::{
    Ack, Connect, ConnectProperties, Decoder, Disconnect, Limits, Packet, Publish,
    PublishProperties, Subscribe, SubscribeFilter, SubscriptionOptions, UserProperties, encode,
};

use crate::error::LoadError;

/// What a client has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// Connected and, if it subscribes, subscribed.
    Ready,
    /// A message came; its payload.
    Delivered(Bytes),
    /// The publication with this sequence number was acknowledged.
    Acknowledged(u32),
}

/// Who a client is and what it subscribes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Client Identifier.
    pub(crate) id: String,
    /// Protocol version.
    pub(crate) version: ProtocolVersion,
    /// The filter that it subscribes to once connected, with the quality of service.
    pub(crate) subscription: Option<(String, Qos)>,
    /// Whether its session outlives its connection.
    pub(crate) durable: bool,
}

impl Identity {
    /// A client that subscribes to nothing and leaves nothing behind.
    pub(crate) const fn plain(id: String, version: ProtocolVersion) -> Self {
        Self { id, version, subscription: None, durable: false }
    }
}

/// A client. **Take [`Client::output`] to the wire after every call.**
#[derive(Debug)]
pub(crate) struct Client {
    identity: Identity,
    decoder: Decoder,
    input: BytesMut,
    output: BytesMut,
    packet_id: PacketId,
    unacknowledged: VecDeque<(PacketId, u32)>,
}

impl Client {
    /// A client that is about to send CONNECT.
    pub(crate) fn new(identity: Identity) -> Self {
        let connect = Connect {
            version: identity.version,
            bridge: false,
            clean_start: !identity.durable,
            keep_alive: 0,
            client_id: text(&identity.id),
            will: None,
            user_name: None,
            password: None,
            properties: ConnectProperties {
                session_expiry_interval: if identity.durable { u32::MAX } else { 0 },
                ..ConnectProperties::default()
            },
        };
        let mut client = Self {
            decoder: Decoder::client(identity.version, Limits::default()),
            identity,
            input: BytesMut::new(),
            output: BytesMut::new(),
            packet_id: PacketId::MIN,
            unacknowledged: VecDeque::new(),
        };
        client.send(&Packet::Connect(Box::new(connect)));
        client
    }

    /// What is to be written to the socket.
    pub(crate) const fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// Takes bytes from the socket.
    pub(crate) fn receive(
        &mut self,
        bytes: &[u8],
        events: &mut Vec<Event>,
    ) -> Result<(), LoadError> {
        self.input.extend_from_slice(bytes);
        while let Some(packet) =
            self.decoder.decode(&mut self.input).map_err(LoadError::Protocol)?
        {
            self.handle(packet, events)?;
        }
        Ok(())
    }

    fn handle(&mut self, packet: Packet, events: &mut Vec<Event>) -> Result<(), LoadError> {
        match packet {
            Packet::ConnAck(answer) if answer.reason.is_error() => {
                return Err(LoadError::Refused(answer.reason));
            }
            Packet::ConnAck(_) => match self.identity.subscription.clone() {
                Some((filter, qos)) => self.subscribe(&filter, qos),
                None => events.push(Event::Ready),
            },
            Packet::SubAck(answer) => {
                match answer.reasons.iter().find(|reason| reason.is_error()) {
                    Some(reason) => return Err(LoadError::Refused(*reason)),
                    None => events.push(Event::Ready),
                }
            }
            Packet::Publish(publish) => self.handle_publish(publish, events),
            Packet::PubAck(ack) | Packet::PubComp(ack) => {
                self.handle_settled(ack.packet_id, events);
            }
            Packet::PubRec(ack) => self.answer(Packet::PubRel, ack.packet_id),
            Packet::PubRel(ack) => self.answer(Packet::PubComp, ack.packet_id),
            Packet::Disconnect(_) => return Err(LoadError::Closed),
            _ => {}
        }
        Ok(())
    }

    fn handle_publish(&mut self, publish: Publish, events: &mut Vec<Event>) {
        match (publish.qos, publish.packet_id) {
            (Qos::AtLeastOnce, Some(id)) => self.answer(Packet::PubAck, id),
            (Qos::ExactlyOnce, Some(id)) => self.answer(Packet::PubRec, id),
            _ => {}
        }
        events.push(Event::Delivered(publish.payload));
    }

    fn handle_settled(&mut self, id: PacketId, events: &mut Vec<Event>) {
        // Brokers acknowledge in order, so this is nearly always the first.
        let place = self.unacknowledged.iter().position(|(open, _)| *open == id);
        if let Some((_, sequence)) = place.and_then(|place| self.unacknowledged.remove(place)) {
            events.push(Event::Acknowledged(sequence));
        }
    }

    /// Publishes message number `sequence`.
    pub(crate) fn publish(&mut self, topic: &Text, qos: Qos, payload: Vec<u8>, sequence: u32) {
        let packet_id = (qos != Qos::AtMostOnce).then(|| self.next_packet_id());
        if let Some(id) = packet_id {
            self.unacknowledged.push_back((id, sequence));
        }
        self.send(&Packet::Publish(Publish {
            dup: false,
            qos,
            retain: false,
            topic: topic.clone(),
            packet_id,
            properties: PublishProperties::default(),
            payload: payload.into(),
        }));
    }

    /// Says good-bye.
    pub(crate) fn disconnect(&mut self) {
        self.send(&Packet::Disconnect(Box::new(Disconnect::new(ReasonCode::Success))));
    }

    fn subscribe(&mut self, filter: &str, qos: Qos) {
        let options = SubscriptionOptions { qos, ..SubscriptionOptions::default() };
        let packet_id = self.next_packet_id();
        self.send(&Packet::Subscribe(Box::new(Subscribe {
            packet_id,
            subscription_id: None,
            user_properties: UserProperties::default(),
            filters: vec![SubscribeFilter { filter: text(filter), options }],
        })));
    }

    fn answer(&mut self, kind: fn(Ack) -> Packet, id: PacketId) {
        self.send(&kind(Ack::new(id, ReasonCode::Success)));
    }

    fn send(&mut self, packet: &Packet) {
        encode(packet, self.identity.version, &mut self.output)
            .expect("invariant: the generator's own packets fit every limit of the format");
    }

    const fn next_packet_id(&mut self) -> PacketId {
        let id = self.packet_id;
        self.packet_id = id.next();
        id
    }
}

/// Identifiers, topics and filters are made by the generator itself and are short ASCII.
pub(crate) fn text(made: &str) -> Text {
    Text::try_from(made).expect("invariant: the generator's own names are valid UTF-8 text")
}

#[cfg(test)]
mod tests {
    use plexus_wire::{ConnAck, ConnAckProperties, SubAck};

    use super::*;

    const VERSION: ProtocolVersion = ProtocolVersion::V311;

    fn client(subscription: Option<(String, Qos)>) -> Client {
        Client::new(Identity { subscription, ..Identity::plain("c".to_owned(), VERSION) })
    }

    /// What the client has written, as a server reads it.
    fn said(client: &mut Client, server: &mut Decoder) -> Vec<Packet> {
        let mut bytes = client.output().split();
        let next = || server.decode(&mut bytes).expect("the client speaks MQTT");
        std::iter::from_fn(next).collect()
    }

    fn tell(client: &mut Client, packet: &Packet) -> Result<Vec<Event>, LoadError> {
        let (mut bytes, mut events) = (BytesMut::new(), Vec::new());
        encode(packet, VERSION, &mut bytes).expect("the packet is small");
        client.receive(&bytes, &mut events).map(|()| events)
    }

    fn answer(reason: ReasonCode) -> Packet {
        let properties = ConnAckProperties::default();
        Packet::ConnAck(Box::new(ConnAck { session_present: false, reason, properties }))
    }

    fn connected(subscription: Option<(String, Qos)>) -> (Client, Decoder) {
        let (mut client, mut server) = (client(subscription), Decoder::server(Limits::default()));
        assert!(matches!(said(&mut client, &mut server).as_slice(), [Packet::Connect(_)]));
        tell(&mut client, &answer(ReasonCode::Success)).expect("it is welcome");
        (client, server)
    }

    #[test]
    fn a_subscriber_is_ready_when_it_has_subscribed() {
        let (mut client, mut server) = connected(Some(("load/+".to_owned(), Qos::AtLeastOnce)));
        let packets = said(&mut client, &mut server);
        let [Packet::Subscribe(subscribe)] = packets.as_slice() else { panic!("{packets:?}") };
        let granted = Packet::SubAck(Box::new(SubAck {
            packet_id: subscribe.packet_id,
            reasons: vec![ReasonCode::granted(Qos::AtLeastOnce)],
            reason_string: None,
            user_properties: UserProperties::default(),
        }));
        assert_eq!(tell(&mut client, &granted).expect("granted"), [Event::Ready]);
    }

    #[test]
    fn a_refusal_is_an_error() {
        let mut client = client(None);
        let error = tell(&mut client, &answer(ReasonCode::NotAuthorized)).expect_err("refused");
        assert!(matches!(error, LoadError::Refused(ReasonCode::NotAuthorized)), "{error}");
    }

    #[test]
    fn an_acknowledgement_names_the_message() {
        let (mut client, mut server) = connected(None);
        for sequence in [10, 11] {
            client.publish(&text("load/0"), Qos::AtLeastOnce, vec![0; 16], sequence);
        }
        let packets = said(&mut client, &mut server);
        let [_, Packet::Publish(Publish { packet_id: Some(id), .. })] = packets.as_slice() else {
            panic!("{packets:?}")
        };
        let ack = Packet::PubAck(Ack::new(*id, ReasonCode::Success));
        assert_eq!(tell(&mut client, &ack).expect("known"), [Event::Acknowledged(11)]);
        assert_eq!(tell(&mut client, &ack).expect("told twice"), []);
    }

    #[test]
    fn a_delivery_of_qos_1_is_acknowledged() {
        let (mut client, mut server) = connected(None);
        let delivery = Packet::Publish(Publish {
            dup: false,
            qos: Qos::AtLeastOnce,
            retain: false,
            topic: text("load/0"),
            packet_id: PacketId::new(5),
            properties: PublishProperties::default(),
            payload: Bytes::from_static(b"payload"),
        });
        let events = tell(&mut client, &delivery).expect("taken");
        assert_eq!(events, [Event::Delivered(Bytes::from_static(b"payload"))]);
        let acks = said(&mut client, &mut server);
        assert!(matches!(acks.as_slice(), [Packet::PubAck(ack)] if ack.packet_id.get() == 5));
    }
}
