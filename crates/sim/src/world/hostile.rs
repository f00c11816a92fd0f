//! Strangers: they send packets with a few bytes turned over, and listen to nothing.

use bytes::BytesMut;
use plexus_types::{PacketId, ProtocolVersion, Qos, ReasonCode, Text};
use plexus_wire::{
    Ack, Connect, ConnectProperties, Disconnect, Packet, Publish, PublishProperties, Subscribe,
    SubscribeFilter, SubscriptionOptions, Unsubscribe, UserProperties,
};

use super::World;
use crate::{
    agenda::{Event, LinkNo},
    dice::Dice,
    link::Peer,
};

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Hostile {
    dice: Dice,
    link: Option<LinkNo>,
    gone: bool,
}

impl Hostile {
    pub(super) const fn new(dice: Dice) -> Self {
        Self { dice, link: None, gone: false }
    }

    fn connect(&mut self, number: usize) -> Connect {
        let client_id = Text::try_from(format!("the-stranger-{number}").as_str());
        Connect {
            version: ProtocolVersion::V5,
            bridge: self.dice.chance(10),
            clean_start: self.dice.chance(50),
            keep_alive: 10,
            client_id: client_id.expect("invariant: plain"),
            will: None,
            user_name: None,
            password: None,
            properties: ConnectProperties {
                session_expiry_interval: 20,
                topic_alias_maximum: 3,
                receive_maximum: 2,
                ..ConnectProperties::default()
            },
        }
    }

    fn packet(&mut self) -> Packet {
        let id = PacketId::new(self.dice.between(1, 4) as u16).expect("invariant: above zero");
        let topic = self.dice.pick(&["n/alpha/x", "s/one", "x/y", "$SYS/z", "a/+", ""]);
        let ack = Ack::new(id, ReasonCode::Success);
        match self.dice.below(9) {
            0..=2 => {
                let qos = self.dice.pick(&[Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce]);
                let topic_alias = self.dice.pick(&[None, Some(1), Some(9)]);
                Packet::Publish(Publish {
                    dup: qos > Qos::AtMostOnce && self.dice.chance(20),
                    qos,
                    retain: self.dice.chance(5),
                    topic: Text::from_static(topic),
                    packet_id: (qos > Qos::AtMostOnce).then_some(id),
                    properties: PublishProperties { topic_alias, ..PublishProperties::default() },
                    payload: bytes::Bytes::from_static(b"from a stranger"),
                })
            }
            3 => {
                let filter = self.dice.pick(&["n/#", "$share/g1/s/#", "#", "$share/g9/n/+/x"]);
                let options = SubscriptionOptions { qos: Qos::ExactlyOnce, ..Default::default() };
                Packet::Subscribe(Box::new(Subscribe {
                    packet_id: id,
                    subscription_id: None,
                    user_properties: UserProperties::default(),
                    filters: vec![SubscribeFilter { filter: Text::from_static(filter), options }],
                }))
            }
            4 => Packet::Unsubscribe(Box::new(Unsubscribe {
                packet_id: id,
                user_properties: UserProperties::default(),
                filters: vec![Text::from_static("$share/g1/s/#")],
            })),
            5 => Packet::PubRel(ack),
            6 => self.dice.pick(&[Packet::PubAck(ack.clone()), Packet::PubRec(ack)]),
            7 => Packet::PubComp(ack),
            _ => self.dice.pick(&[
                Packet::PingReq,
                Packet::Disconnect(Box::new(Disconnect::new(ReasonCode::DisconnectWithWill))),
            ]),
        }
    }

    /// Turns a byte over now and then.
    fn mutate(&mut self, bytes: &mut BytesMut) {
        if !self.dice.chance(20) {
            return;
        }
        for _ in 0..self.dice.between(1, 3) {
            let (at, value) = (self.dice.below(bytes.len()), self.dice.below(256) as u8);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
    }
}

impl World {
    pub(super) fn harass(&mut self, number: usize) {
        let stranger = self.hostiles.get_mut(number).expect("invariant: strangers are numbered");
        if stranger.gone {
            return;
        }
        let link = stranger.link;
        let open = link.is_some_and(|link| {
            self.links.get(link).is_some_and(|link| link.server_open && link.client_open)
        });
        let link = match link.filter(|_| open) {
            Some(link) => link,
            None => self.intrude(number),
        };
        let stranger = self.hostiles.get_mut(number).expect("invariant: strangers are numbered");
        for _ in 0..stranger.dice.between(1, 4) {
            let packet = stranger.packet();
            let mut bytes = BytesMut::new();
            // What cannot even be encoded is not sent.
            plexus_wire::encode(&packet, ProtocolVersion::V5, &mut bytes).unwrap_or_default();
            stranger.mutate(&mut bytes);
            if let Some(link) = self.links.get_mut(link) {
                link.up.extend_from_slice(&bytes);
            }
        }
        self.push_up(link);
        let at = self.now + self.dice.millis(1, 2_000);
        self.agenda.enter(at, Event::Harass(number));
    }

    /// A new connection with a CONNECT that is perhaps none.
    fn intrude(&mut self, number: usize) -> LinkNo {
        let link = self.open_link(Peer::Hostile(number), ProtocolVersion::V5);
        let stranger = self.hostiles.get_mut(number).expect("invariant: strangers are numbered");
        stranger.link = Some(link);
        let mut bytes = BytesMut::new();
        let connect = Packet::Connect(Box::new(stranger.connect(number)));
        plexus_wire::encode(&connect, ProtocolVersion::V5, &mut bytes)
            .expect("invariant: a short CONNECT");
        stranger.mutate(&mut bytes);
        self.link(link).up = bytes;
        self.story
            .tell(self.now, &(50, number), || format!("stranger {number} comes by link {link}"));
        link
    }

    /// The strangers go away.
    pub(super) fn expel(&mut self) {
        for number in 0..self.hostiles.len() {
            let stranger = self.hostiles.get_mut(number).expect("invariant: numbered");
            stranger.gone = true;
            if let Some(link) = stranger.link.take() {
                self.abandon(link);
            }
        }
    }
}
