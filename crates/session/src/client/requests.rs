//! SUBSCRIBE and UNSUBSCRIBE of a client.

use plexus_types::{Instant, PacketId, Text};
use plexus_wire::{
    Packet, SubAck, Subscribe, SubscribeFilter, UnsubAck, Unsubscribe, UserProperties,
};

use super::{Client, ClientOutput, RequestError, Ticket};

/// Requests that wait for their answer.
#[derive(Debug, Default)]
pub(super) struct Requests(Vec<Request>);

#[derive(Debug)]
struct Request {
    packet_id: PacketId,
    ticket: Ticket,
    is_subscribe: bool,
}

/// How many may wait at a time.
pub(super) const REQUESTS_MAX: u16 = 1_024;

impl Requests {
    pub(super) fn contains(&self, packet_id: PacketId) -> bool {
        self.0.iter().any(|request| request.packet_id == packet_id)
    }

    pub(super) fn clear(&mut self) -> impl Iterator<Item = Ticket> {
        self.0.drain(..).map(|request| request.ticket)
    }

    fn take(&mut self, packet_id: PacketId, is_subscribe: bool) -> Option<Ticket> {
        let at = self.0.iter().position(|request| {
            request.packet_id == packet_id && request.is_subscribe == is_subscribe
        })?;
        Some(self.0.remove(at).ticket)
    }
}

impl Client {
    /// Subscribes; only while connected.
    pub fn subscribe(
        &mut self,
        now: Instant,
        filters: Vec<SubscribeFilter>,
        subscription_id: Option<u32>,
    ) -> Result<Ticket, RequestError> {
        self.request(now, true, |packet_id| {
            let user_properties = UserProperties::default();
            let subscribe = Subscribe { packet_id, subscription_id, user_properties, filters };
            Packet::Subscribe(Box::new(subscribe))
        })
    }

    /// Unsubscribes; only while connected.
    pub fn unsubscribe(
        &mut self,
        now: Instant,
        filters: Vec<Text>,
    ) -> Result<Ticket, RequestError> {
        self.request(now, false, |packet_id| {
            let user_properties = UserProperties::default();
            Packet::Unsubscribe(Box::new(Unsubscribe { packet_id, user_properties, filters }))
        })
    }

    fn request(
        &mut self,
        now: Instant,
        is_subscribe: bool,
        packet: impl FnOnce(PacketId) -> Packet,
    ) -> Result<Ticket, RequestError> {
        self.connected()?;
        if self.requests.0.len() >= usize::from(REQUESTS_MAX) {
            return Err(RequestError::TooMany);
        }
        // [MQTT-2.2.1-3], [MQTT3-2.3.1-2]
        let packet_id = self.outbound.next_id(|id| self.requests.contains(id));
        let packet = packet(packet_id);
        if !self.takes(&packet) {
            return Err(RequestError::TooLarge);
        }
        let ticket = self.ticket();
        self.requests.0.push(Request { packet_id, ticket, is_subscribe });
        self.send(now, packet);
        Ok(ticket)
    }

    pub(super) fn on_suback(&mut self, suback: Box<SubAck>) {
        if let Some(ticket) = self.requests.take(suback.packet_id, true) {
            self.outputs.push_back(ClientOutput::Subscribed(ticket, suback));
        }
    }

    pub(super) fn on_unsuback(&mut self, unsuback: Box<UnsubAck>) {
        if let Some(ticket) = self.requests.take(unsuback.packet_id, false) {
            self.outputs.push_back(ClientOutput::Unsubscribed(ticket, unsuback));
        }
    }
}
