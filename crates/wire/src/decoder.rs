use bytes::{Buf, Bytes, BytesMut};
use plexus_types::{PacketId, ProtocolVersion, ReasonCode};

use crate::{
    Ack, Auth, ConnAck, ConnAckProperties, Connect, Disconnect, FIRST_PACKET_SIZE_MAX, Limits,
    Packet, PacketType, ProtocolError, Publish, SubAck, Subscribe, UnsubAck, Unsubscribe,
    frame::FixedHeader, limits::Scope, reader::Reader,
};

/// A packet, or that more bytes are needed.
type Decoded = Result<Option<Packet>, ProtocolError>;

/// Cuts packets out of a stream of bytes, whatever the pieces in which the stream arrives
/// ([MQTT-4.2.0-1] [MQTT3-7.1.1-1]). It holds version, direction and limits, no bytes: the
/// caller keeps the buffer, and nothing is allocated because a peer announces something.
///
/// After an error the stream is lost and the connection has to end.
#[derive(Debug, Clone)]
pub struct Decoder {
    scope: Scope,
    before_connect: bool,
}

impl Decoder {
    /// The server's side: the first packet has to be CONNECT, which decides the version.
    pub const fn server(limits: Limits) -> Self {
        let version = ProtocolVersion::V5;
        let scope = Scope { version, version_known: false, from_client: true, limits };
        Self { scope, before_connect: true }
    }

    /// The client's side: the version is the one of its own CONNECT.
    pub const fn client(version: ProtocolVersion, limits: Limits) -> Self {
        let scope = Scope { version, version_known: true, from_client: false, limits };
        Self { scope, before_connect: false }
    }

    /// The version of the connection. On the server's side it is known after CONNECT, or, when that
    /// is refused, it is the version in which [`Decoder::refusal`] is to be written.
    pub const fn version(&self) -> ProtocolVersion {
        self.scope.version
    }

    /// What a client is answered whose CONNECT is refused with `error`; `None` for nothing. Before
    /// 5.0 only an unknown protocol level has an answer ([MQTT3-3.1.2-2]) and every other fault
    /// closes in silence ([MQTT3-3.1.4-1] [MQTT3-3.2.2-6]).
    pub fn refusal(&self, error: &ProtocolError) -> Option<Packet> {
        let unsupported = matches!(error, ProtocolError::UnsupportedVersion { .. });
        let answered = self.scope.version.is_v5() || unsupported;
        if !self.before_connect || !self.scope.version_known || !answered {
            return None;
        }
        Some(Packet::ConnAck(Box::new(ConnAck {
            session_present: false, // [MQTT-3.2.2-6] [MQTT3-3.2.2-4]
            reason: error.reason_code(),
            properties: ConnAckProperties::default(),
        })))
    }

    /// Changes the largest packet that is accepted from now on.
    pub const fn set_packet_size(&mut self, bytes: u32) {
        self.scope.limits.packet_size = bytes;
    }

    /// Takes one whole packet off the front of `buffer`. `Ok(None)`: more bytes are needed, and
    /// nothing was taken.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Packet>, ProtocolError> {
        let Some(header) = self.whole(buffer)? else { return Ok(None) };
        if let Some(id) = bare_packet_id(header, buffer) {
            buffer.advance(header.total());
            return bare_ack(header.packet_type, id);
        }
        let block = buffer.split_to(header.total()).freeze();
        self.packet(header, &block)
    }

    /// The same on a block that others may share: topic and payload are slices of it.
    pub fn decode_block(&mut self, block: &mut Bytes) -> Result<Option<Packet>, ProtocolError> {
        let Some(header) = self.whole(block)? else { return Ok(None) };
        let packet = match bare_packet_id(header, block) {
            Some(id) => bare_ack(header.packet_type, id),
            None => self.packet(header, block),
        };
        block.advance(header.total());
        packet
    }

    /// How many bytes the packet at the front has in total, once its fixed header is there.
    pub fn needed(&self, bytes: &[u8]) -> Result<Option<usize>, ProtocolError> {
        Ok(self.header(bytes)?.map(|header| header.total()))
    }

    /// The header of the packet at the front if all of the packet is there.
    fn whole(&self, bytes: &[u8]) -> Result<Option<FixedHeader>, ProtocolError> {
        Ok(self.header(bytes)?.filter(|header| header.total() <= bytes.len()))
    }

    /// The checked header at the front; what the first byte tells is decided on the first byte.
    fn header(&self, bytes: &[u8]) -> Result<Option<FixedHeader>, ProtocolError> {
        let Some(first) = bytes.first() else { return Ok(None) };
        let packet_type = self.packet_type(*first)?;
        let Some(header) = FixedHeader::read(packet_type, bytes)? else { return Ok(None) };
        let mut size_max = self.scope.limits.packet_size as usize;
        if self.before_connect {
            size_max = size_max.min(FIRST_PACKET_SIZE_MAX);
        } else if self.scope.version.is_v5() && !header.is_minimal() {
            return Err(ProtocolError::NotMinimal); // [MQTT-1.5.5-1]
        }
        if header.total() > size_max {
            return Err(ProtocolError::PacketTooLarge); // [MQTT-3.2.2-15]
        }
        Ok(Some(header))
    }

    fn packet_type(&self, first: u8) -> Result<PacketType, ProtocolError> {
        let packet_type = PacketType::new(first >> 4);
        if self.before_connect && packet_type != Some(PacketType::Connect) {
            return Err(ProtocolError::FirstNotConnect); // [MQTT-3.1.0-1] [MQTT3-3.1.0-1]
        }
        let packet_type = packet_type.ok_or(ProtocolError::ReservedType)?;
        self.check_direction(packet_type)?;
        self.check_flags(packet_type, first & 0x0F)?;
        Ok(packet_type)
    }

    fn check_direction(&self, packet_type: PacketType) -> Result<(), ProtocolError> {
        let from_client = self.scope.from_client;
        let v5 = self.scope.version.is_v5();
        let expected = match packet_type {
            PacketType::Connect if from_client && !self.before_connect => {
                return Err(ProtocolError::SecondConnect); // [MQTT-3.1.0-2] [MQTT3-3.1.0-2]
            }
            PacketType::Connect
            | PacketType::Subscribe
            | PacketType::Unsubscribe
            | PacketType::PingReq => from_client,
            PacketType::ConnAck
            | PacketType::SubAck
            | PacketType::UnsubAck
            | PacketType::PingResp => !from_client,
            PacketType::Disconnect => from_client || v5,
            PacketType::Auth if !v5 => return Err(ProtocolError::ReservedType),
            PacketType::Publish
            | PacketType::PubAck
            | PacketType::PubRec
            | PacketType::PubRel
            | PacketType::PubComp
            | PacketType::Auth => true,
        };
        if expected { Ok(()) } else { Err(ProtocolError::WrongDirection) }
    }

    fn check_flags(&self, packet_type: PacketType, flags: u8) -> Result<(), ProtocolError> {
        // 3.1 marks a repeated PUBREL, SUBSCRIBE or UNSUBSCRIBE by DUP.
        let repeated = self.scope.version == ProtocolVersion::V31 && flags & 0b0111 == 0b0010;
        let error = match packet_type {
            PacketType::Publish => return Publish::check_flags(flags, self.scope.version),
            PacketType::PubRel if !repeated => ProtocolError::PubRelFlags, // [MQTT-3.6.1-1]
            PacketType::Subscribe if !repeated => ProtocolError::SubscribeFlags, // [MQTT-3.8.1-1]
            PacketType::Unsubscribe if !repeated => ProtocolError::UnsubscribeFlags, // [MQTT-3.10.1-1]
            PacketType::PubRel | PacketType::Subscribe | PacketType::Unsubscribe => return Ok(()),
            PacketType::Disconnect => ProtocolError::DisconnectFlags, // [MQTT-3.14.1-1]
            PacketType::Auth => ProtocolError::AuthFlags,             // [MQTT-3.15.1-1]
            PacketType::Connect
            | PacketType::ConnAck
            | PacketType::PubAck
            | PacketType::PubRec
            | PacketType::PubComp
            | PacketType::SubAck
            | PacketType::UnsubAck
            | PacketType::PingReq
            | PacketType::PingResp => ProtocolError::ReservedFlags, // [MQTT-2.1.3-1]
        };
        if flags == packet_type.first_byte() & 0x0F { Ok(()) } else { Err(error) }
    }

    /// The packet behind `header`, which is whole at the front of `block`.
    fn packet(&mut self, header: FixedHeader, block: &Bytes) -> Decoded {
        let mut reader = Reader::new(block, header.length, header.total());
        let reader = &mut reader;
        let scope = &mut self.scope;
        let packet = match header.packet_type {
            PacketType::Connect => {
                let connect = Connect::decode(reader, scope)?;
                if scope.version.is_v5() && !header.is_minimal() {
                    return Err(ProtocolError::NotMinimal); // [MQTT-1.5.5-1]
                }
                self.before_connect = false;
                Packet::Connect(Box::new(connect))
            }
            PacketType::ConnAck => Packet::ConnAck(Box::new(ConnAck::decode(reader, scope)?)),
            PacketType::Publish => {
                // The payload is all the rest, so nothing can trail. Returned where it is made: a
                // packet is large and this one is the most frequent.
                return Ok(Some(Packet::Publish(Publish::decode(header.flags, reader, scope)?)));
            }
            PacketType::PubAck => Packet::PubAck(Ack::decode(PacketType::PubAck, reader, scope)?),
            PacketType::PubRec => Packet::PubRec(Ack::decode(PacketType::PubRec, reader, scope)?),
            PacketType::PubRel => Packet::PubRel(Ack::decode(PacketType::PubRel, reader, scope)?),
            PacketType::PubComp => {
                Packet::PubComp(Ack::decode(PacketType::PubComp, reader, scope)?)
            }
            PacketType::Subscribe => Packet::Subscribe(Box::new(Subscribe::decode(reader, scope)?)),
            PacketType::SubAck => Packet::SubAck(Box::new(SubAck::decode(reader, scope)?)),
            PacketType::Unsubscribe => {
                Packet::Unsubscribe(Box::new(Unsubscribe::decode(reader, scope)?))
            }
            PacketType::UnsubAck => Packet::UnsubAck(Box::new(UnsubAck::decode(reader, scope)?)),
            PacketType::PingReq => Packet::PingReq,
            PacketType::PingResp => Packet::PingResp,
            PacketType::Disconnect => {
                Packet::Disconnect(Box::new(Disconnect::decode(reader, scope)?))
            }
            PacketType::Auth => Packet::Auth(Box::new(Auth::decode(reader, scope)?)),
        };
        reader.finish()?;
        Ok(Some(packet))
    }
}

/// The identifier of an acknowledgement that is nothing else, where it stands: the frequent case.
fn bare_packet_id(header: FixedHeader, bytes: &[u8]) -> Option<u16> {
    let acknowledges = matches!(
        header.packet_type,
        PacketType::PubAck | PacketType::PubRec | PacketType::PubRel | PacketType::PubComp
    );
    let body = bytes.get(header.length..header.total()).filter(|_| acknowledges)?;
    body.try_into().ok().map(u16::from_be_bytes)
}

fn bare_ack(packet_type: PacketType, id: u16) -> Decoded {
    // [MQTT-2.2.1-3] [MQTT3-2.3.1-1]
    let id = PacketId::new(id).ok_or(ProtocolError::PacketIdZero)?;
    let ack = Ack::new(id, ReasonCode::Success);
    Ok(Some(match packet_type {
        PacketType::PubAck => Packet::PubAck(ack),
        PacketType::PubRec => Packet::PubRec(ack),
        PacketType::PubRel => Packet::PubRel(ack),
        _ => Packet::PubComp(ack),
    }))
}
