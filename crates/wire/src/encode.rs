use bytes::{BufMut, BytesMut};
use plexus_types::ProtocolVersion;

use crate::{
    Packet, PacketType,
    publish_head::Parts,
    sink::{Counter, Sink},
    varint,
};

/// Why a packet cannot be said on the wire. Nothing of it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The remaining length would be above 268,435,455.
    #[error("the packet is larger than 268,435,455 bytes")]
    PacketTooLarge,
    /// Binary data of more than 65,535 bytes.
    #[error("a field is longer than 65,535 bytes")]
    FieldTooLong,
    /// AUTH before 5.0.
    #[error("this version has no such packet")]
    NotInVersion,
    /// A PUBLISH above QoS 0 without an identifier, or of QoS 0 with one ([MQTT-2.2.1-2]).
    #[error("a PUBLISH has a packet identifier exactly when its QoS is above 0")]
    PacketId,
}

/// Size of the packet on the wire in that version.
pub fn encoded_len(packet: &Packet, version: ProtocolVersion) -> usize {
    let remaining = match packet {
        Packet::Publish(publish) => Parts::of_packet(publish, version).sizes().remaining,
        _ => count(packet, version).length,
    };
    remaining + 1 + u32::try_from(remaining).map_or(4, varint::len)
}

/// Appends the packet.
pub fn encode(
    packet: &Packet,
    version: ProtocolVersion,
    buffer: &mut BytesMut,
) -> Result<(), EncodeError> {
    match packet {
        Packet::Publish(publish) => {
            if publish.packet_id.is_some() != (publish.qos.get() > 0) {
                return Err(EncodeError::PacketId); // [MQTT-2.2.1-2]
            }
            let parts = Parts::of_packet(publish, version);
            let sizes = parts.sizes();
            buffer.reserve(check_size(sizes.remaining)? as usize + 5);
            parts.write_head(sizes, buffer);
            buffer.put_slice(&publish.payload);
            return Ok(());
        }
        Packet::Auth(_) if !version.is_v5() => return Err(EncodeError::NotInVersion),
        _ => {}
    }
    let Counter { length, overlong } = count(packet, version);
    if overlong {
        return Err(EncodeError::FieldTooLong);
    }
    let remaining = check_size(length)?;
    buffer.reserve(length + 5);
    buffer.put_u8(packet.packet_type().first_byte());
    buffer.varint(remaining);
    let before = buffer.len();
    write(packet, version, buffer);
    debug_assert_eq!(buffer.len() - before, length, "counted and written alike");
    Ok(())
}

/// The remaining length as a number that the fixed header can hold.
fn check_size(remaining: usize) -> Result<u32, EncodeError> {
    match u32::try_from(remaining) {
        Ok(remaining) if remaining <= varint::MAX => Ok(remaining),
        _ => Err(EncodeError::PacketTooLarge),
    }
}

fn count(packet: &Packet, version: ProtocolVersion) -> Counter {
    let mut counter = Counter::default();
    write(packet, version, &mut counter);
    counter
}

/// Writes all that follows the fixed header; PUBLISH has its own way.
fn write(packet: &Packet, version: ProtocolVersion, sink: &mut dyn Sink) {
    match packet {
        Packet::Connect(connect) => connect.write(sink),
        Packet::ConnAck(connack) => connack.write(version, sink),
        Packet::Publish(_) => unreachable!("sized and written by its parts"),
        Packet::PubAck(ack) | Packet::PubRec(ack) | Packet::PubRel(ack) | Packet::PubComp(ack) => {
            ack.write(version, sink);
        }
        Packet::Subscribe(subscribe) => subscribe.write(version, sink),
        Packet::SubAck(suback) => suback.write(version, sink),
        Packet::Unsubscribe(unsubscribe) => unsubscribe.write(version, sink),
        Packet::UnsubAck(unsuback) => unsuback.write(version, sink),
        Packet::PingReq | Packet::PingResp => {}
        Packet::Disconnect(disconnect) => disconnect.write(version, sink),
        Packet::Auth(auth) => auth.write(sink),
    }
}

impl Packet {
    /// The type of the packet.
    pub const fn packet_type(&self) -> PacketType {
        match self {
            Self::Connect(_) => PacketType::Connect,
            Self::ConnAck(_) => PacketType::ConnAck,
            Self::Publish(_) => PacketType::Publish,
            Self::PubAck(_) => PacketType::PubAck,
            Self::PubRec(_) => PacketType::PubRec,
            Self::PubRel(_) => PacketType::PubRel,
            Self::PubComp(_) => PacketType::PubComp,
            Self::Subscribe(_) => PacketType::Subscribe,
            Self::SubAck(_) => PacketType::SubAck,
            Self::Unsubscribe(_) => PacketType::Unsubscribe,
            Self::UnsubAck(_) => PacketType::UnsubAck,
            Self::PingReq => PacketType::PingReq,
            Self::PingResp => PacketType::PingResp,
            Self::Disconnect(_) => PacketType::Disconnect,
            Self::Auth(_) => PacketType::Auth,
        }
    }
}
