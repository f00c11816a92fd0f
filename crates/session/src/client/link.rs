//! The connection of a client: what the server allows, and whether it lives.

use std::time::Duration;

use plexus_types::{Instant, ProtocolVersion, Qos};
use plexus_wire::{ConnAck, PACKET_SIZE_MAX, Packet, encoded_len};

use super::ClientOptions;
use crate::aliases::{AliasesIn, AliasesOut};

/// What lives and dies with one connection of a client.
#[derive(Debug)]
pub(super) struct Link {
    /// CONNACK has come.
    pub(super) accepted: bool,
    pub(super) clean: bool,
    pub(super) aliases_in: AliasesIn,
    pub(super) aliases_out: AliasesOut,
    /// Receive Maximum of the server.
    pub(super) receive_maximum: u16,
    pub(super) maximum_qos: Qos,
    pub(super) retain_available: bool,
    packet_size_max: usize,
    keep_alive: u16,
    response_timeout: u16,
    said: Instant,
    /// When the server must have answered CONNECT or PINGREQ.
    answer_due: Instant,
}

impl Link {
    pub(super) fn new(now: Instant, clean: bool, options: &ClientOptions) -> Self {
        let mut link = Self {
            accepted: false,
            clean,
            aliases_in: AliasesIn::default(),
            aliases_out: AliasesOut::default(),
            receive_maximum: u16::MAX,
            maximum_qos: Qos::ExactlyOnce,
            retain_available: true,
            packet_size_max: PACKET_SIZE_MAX,
            keep_alive: options.keep_alive,
            response_timeout: options.response_timeout,
            said: now,
            answer_due: Instant::FAR_FUTURE,
        };
        link.expect_answer(now);
        link
    }

    /// Takes over what CONNACK says.
    pub(super) fn accept(&mut self, connack: &ConnAck, options: &ClientOptions) {
        let properties = &connack.properties;
        self.accepted = true;
        self.answer_due = Instant::FAR_FUTURE;
        let aliases = properties.topic_alias_maximum.unwrap_or(0);
        // [MQTT-3.2.2-17], [MQTT-3.2.2-18]
        self.aliases_out = AliasesOut::new(aliases.min(options.outbound_alias_maximum));
        self.receive_maximum = properties.receive_maximum.unwrap_or(u16::MAX);
        self.maximum_qos = properties.maximum_qos.unwrap_or(Qos::ExactlyOnce);
        self.retain_available = properties.retain_available.unwrap_or(true);
        self.packet_size_max =
            properties.maximum_packet_size.map_or(PACKET_SIZE_MAX, |size| size as usize);
        // [MQTT-3.1.2-21], [MQTT-3.2.2-21]
        self.keep_alive = properties.server_keep_alive.unwrap_or(self.keep_alive);
    }

    /// Whether the server takes a packet of that size ([MQTT-3.2.2-15]).
    pub(super) fn takes(&self, packet: &Packet, version: ProtocolVersion) -> bool {
        encoded_len(packet, version) <= self.packet_size_max
    }

    /// How many bytes larger a packet may be; `None` if it is too large as it is.
    pub(super) fn spare(&self, packet: &Packet, version: ProtocolVersion) -> Option<usize> {
        self.packet_size_max.checked_sub(encoded_len(packet, version))
    }

    /// A packet was sent.
    pub(super) fn say(&mut self, now: Instant) {
        self.said = now;
    }

    /// CONNECT or PINGREQ was sent.
    pub(super) fn expect_answer(&mut self, now: Instant) {
        if self.response_timeout > 0 && self.answer_due == Instant::FAR_FUTURE {
            self.answer_due = now + Duration::from_secs(u64::from(self.response_timeout));
        }
    }

    /// A packet came: the server is there. Before CONNACK another answer is due.
    pub(super) fn hear(&mut self, now: Instant) {
        self.answer_due = Instant::FAR_FUTURE;
        if !self.accepted {
            self.expect_answer(now);
        }
    }

    pub(super) fn is_silent(&self, now: Instant) -> bool {
        self.answer_due <= now
    }

    /// When PINGREQ is due ([MQTT-3.1.2-20], [MQTT3-3.1.2-23]).
    pub(super) fn ping_due(&self) -> Instant {
        if self.keep_alive == 0 || !self.accepted {
            return Instant::FAR_FUTURE;
        }
        self.said + Duration::from_secs(u64::from(self.keep_alive))
    }

    pub(super) fn deadline(&self) -> Instant {
        self.ping_due().min(self.answer_due)
    }
}
