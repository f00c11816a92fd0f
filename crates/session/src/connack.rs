//! What server and client agree on by CONNECT and CONNACK.

use plexus_types::{ClientId, ProtocolVersion, Qos, ReasonCode, Text};
use plexus_wire::{ConnAck, ConnAckProperties, Connect, PACKET_SIZE_MAX, Packet, encoded_len};

use crate::{Admitted, Options};

/// The terms of a connection, and which of them the client must be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Keep Alive that is enforced, in seconds; zero for none.
    pub(crate) keep_alive: u16,
    /// Server Keep Alive, when it is not the client's ([MQTT-3.1.2-21], [MQTT-3.2.2-21]).
    told_keep_alive: Option<u16>,
    /// Session Expiry Interval that holds, in seconds.
    pub(crate) expiry: u32,
    /// The same, when it is not the one asked for.
    told_expiry: Option<u32>,
}

impl Terms {
    pub(crate) fn new(connect: &Connect, options: &Options) -> Self {
        let keep_alive = keep_alive(connect.keep_alive, options);
        let asked = match (connect.version.is_v5(), connect.clean_start) {
            (true, _) => connect.properties.session_expiry_interval,
            (false, true) => 0,
            (false, false) => options.session_expiry_3x,
        };
        let expiry = asked.min(options.session_expiry_max);
        Self {
            keep_alive,
            told_keep_alive: (keep_alive != connect.keep_alive).then_some(keep_alive),
            expiry,
            told_expiry: (expiry != asked).then_some(expiry),
        }
    }
}

/// [MQTT-3.2.2-22]: the client's own, unless the server has a word in it.
fn keep_alive(asked: u16, options: &Options) -> u16 {
    let wanted = options.server_keep_alive.unwrap_or(asked);
    match options.keep_alive_max {
        0 => wanted,
        cap if wanted == 0 => cap,
        cap => wanted.min(cap),
    }
}

/// The CONNACK that accepts, or `None` when the client takes no packet of that size.
pub(crate) fn accept(admitted: &Admitted, terms: &Terms, session_present: bool) -> Option<Packet> {
    let Admitted { client_id, assigned, connect, options, .. } = admitted;
    // 3.1 has no such flag: the bit is reserved there.
    let session_present = session_present && connect.version != ProtocolVersion::V31;
    let (reason, properties) = (ReasonCode::Success, ConnAckProperties::default());
    let mut connack = ConnAck { session_present, reason, properties };
    if !connect.version.is_v5() {
        return Some(Packet::ConnAck(Box::new(connack)));
    }
    let asked = &connect.properties;
    connack.properties = ConnAckProperties {
        session_expiry_interval: terms.told_expiry,
        receive_maximum: Some(options.receive_maximum),
        // [MQTT-3.2.2-9]
        maximum_qos: Some(options.maximum_qos).filter(|qos| *qos < Qos::ExactlyOnce),
        retain_available: Some(options.retain_available),
        maximum_packet_size: Some(options.packet_size_max),
        // [MQTT-3.1.3-7], [MQTT-3.2.2-16]
        assigned_client_identifier: assigned.then(|| text(client_id)).flatten(),
        topic_alias_maximum: Some(options.topic_alias_maximum),
        wildcard_subscription_available: Some(options.wildcard_available),
        subscription_identifiers_available: Some(true),
        shared_subscription_available: Some(options.shared_available),
        server_keep_alive: terms.told_keep_alive,
        // [MQTT-3.1.2-28]
        response_information: asked
            .request_response_information
            .then(|| response_information(options, client_id))
            .flatten(),
        // [MQTT-4.12.0-5], [MQTT-4.12.0-6]
        authentication_method: asked.authentication_method.clone(),
        authentication_data: asked.authentication_data.clone(),
        ..ConnAckProperties::default()
    };
    fit(connack, packet_size_max(connect))
}

/// The Maximum Packet Size of the client.
pub(crate) fn packet_size_max(connect: &Connect) -> usize {
    connect.properties.maximum_packet_size.map_or(PACKET_SIZE_MAX, |size| size as usize)
}

/// [MQTT-3.1.2-24]: first without what a client may do without, then not at all.
fn fit(mut connack: ConnAck, maximum: usize) -> Option<Packet> {
    let fits = |packet: &Packet| encoded_len(packet, ProtocolVersion::V5) <= maximum;
    let packet = Packet::ConnAck(Box::new(connack.clone()));
    if fits(&packet) {
        return Some(packet);
    }
    let properties = &mut connack.properties;
    properties.response_information = None;
    properties.subscription_identifiers_available = None;
    for available in [
        &mut properties.retain_available,
        &mut properties.wildcard_subscription_available,
        &mut properties.shared_subscription_available,
    ] {
        // Absent means available.
        *available = available.filter(|available| !available);
    }
    Some(Packet::ConnAck(Box::new(connack))).filter(fits)
}

/// The CONNACK that refuses ([MQTT-3.2.2-6]: without a session), cut down to what the client takes.
/// 3.x has no return code for a client that breaks the rules: it is only closed
/// ([MQTT3-3.2.2-6], [MQTT3-3.1.4-1]).
pub(crate) fn refuse(
    (version, maximum): (ProtocolVersion, usize),
    reason: ReasonCode,
    words: Option<Text>,
    server_reference: Option<Text>,
) -> Option<Packet> {
    if !version.is_v5() && !is_said_by_3x(reason) {
        return None;
    }
    let mut properties =
        ConnAckProperties { server_reference, reason_string: words, ..Default::default() };
    loop {
        let connack = ConnAck { session_present: false, reason, properties: properties.clone() };
        let packet = Packet::ConnAck(Box::new(connack));
        if encoded_len(&packet, version) <= maximum {
            return Some(packet);
        }
        // [MQTT-3.2.2-19]
        if properties.reason_string.take().is_none() && properties.server_reference.take().is_none()
        {
            return None;
        }
    }
}

const fn is_said_by_3x(reason: ReasonCode) -> bool {
    !matches!(
        reason,
        ReasonCode::MalformedPacket | ReasonCode::ProtocolError | ReasonCode::PacketTooLarge
    )
}

fn text(client_id: &ClientId) -> Option<Text> {
    Text::try_from(client_id.shown()).ok()
}

fn response_information(options: &Options, client_id: &ClientId) -> Option<Text> {
    let pattern = options.response_information.as_ref()?;
    Text::try_from(pattern.replace("{client_id}", client_id.shown())).ok()
}
