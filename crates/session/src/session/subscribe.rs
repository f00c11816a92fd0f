//! SUBSCRIBE and UNSUBSCRIBE.

use plexus_types::{PacketId, Qos, ReasonCode, Text, TopicFilter};
use plexus_wire::{
    Packet, SubAck, Subscribe, SubscribeFilter, SubscriptionOptions, UnsubAck, Unsubscribe,
    UserProperties,
};

use super::Session;
use crate::{
    Action, Change, Held, LogPosition, Options, Outbox, Output, SubscribeItem, SubscribeRequest,
    UnsubscribeRequest,
    refusal::{self, Refusal},
};

/// Requests of one connection that may be with the index at a time.
const REQUESTS_MAX: u16 = 1_024;

impl Session {
    pub(super) fn on_subscribe(
        &mut self,
        subscribe: Subscribe,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let Subscribe { packet_id, subscription_id, filters, .. } = subscribe;
        let refused = self.refuses_requests(packet_id);
        let mut items = Vec::with_capacity(filters.len());
        for SubscribeFilter { filter, options } in filters {
            let options = self.granted(&filter, options);
            let filter = match refused {
                Some(reason) => Err(reason),
                None => check_filter(filter, &self.options),
            };
            if options.no_local && filter.as_ref().is_ok_and(|filter| filter.shared().is_some()) {
                // [MQTT-3.8.3-4]
                return Err(Refusal::protocol("No Local on a shared subscription"));
            }
            let is_new = filter.as_ref().is_ok_and(|filter| !self.subscriptions.contains(filter));
            items.push(SubscribeItem { filter, options, is_new });
        }
        let connection = self.connections;
        let after = LogPosition::ZERO;
        let request = SubscribeRequest { packet_id, connection, subscription_id, items, after };
        let request = Box::new(request);
        if request.items.iter().any(|item| item.filter.is_ok()) {
            self.authorize(Action::Subscribe(request), out);
        } else {
            self.send_suback(&request, out);
        }
        Ok(())
    }

    /// Subscriptions that somebody wants for the client, who has not asked: what it would ask for, to be shown to
    /// access control and to be given to [`Session::subscribe_for`]. No connection is answered.
    pub fn wanted_for(
        &self,
        filters: impl IntoIterator<Item = (TopicFilter, SubscriptionOptions)>,
    ) -> Box<SubscribeRequest> {
        let items = filters.into_iter().map(|(filter, options)| {
            let options = self.granted(filter.as_str(), options);
            let is_new = !self.subscriptions.contains(&filter);
            let shared = filter.shared().is_some();
            let filter = if options.no_local && shared {
                Err(ReasonCode::TopicFilterInvalid) // [MQTT-3.8.3-4]
            } else {
                check(&filter, &self.options)
            };
            SubscribeItem { filter, options, is_new }
        });
        let (packet_id, connection) = (PacketId::MIN, self.no_connection());
        let (items, after) = (items.collect(), LogPosition::ZERO);
        Box::new(SubscribeRequest { packet_id, connection, subscription_id: None, items, after })
    }

    /// Enters what access control has left of [`Session::wanted_for`]: the quality of service that is granted to each,
    /// or why it is refused.
    pub fn subscribe_for(
        &mut self,
        mut request: Box<SubscribeRequest>,
        out: &mut Outbox,
    ) -> Vec<Result<Qos, ReasonCode>> {
        self.enter(&mut request, out);
        let granted = |item: &SubscribeItem| match &item.filter {
            Ok(_) => Ok(item.options.qos),
            Err(reason) => Err(*reason),
        };
        let granted = request.items.iter().map(granted).collect();
        if request.items.iter().any(|item| item.filter.is_ok()) {
            out.push(Output::Subscribe(request));
        }
        granted
    }

    /// Takes subscriptions of the client back, which has not asked; whether it had each.
    pub fn unsubscribe_for(&mut self, filters: &[TopicFilter], out: &mut Outbox) -> Vec<bool> {
        let told: Vec<bool> = filters.iter().map(|filter| self.forget(filter, out)).collect();
        let had = filters.iter().zip(&told).filter(|(_, had)| **had);
        let filters: Vec<_> = had.map(|(filter, _)| filter.clone()).collect();
        if !filters.is_empty() {
            let (packet_id, connection) = (PacketId::MIN, self.no_connection());
            let (reasons, after) = (Vec::new(), self.pending.newest());
            let request = UnsubscribeRequest { packet_id, connection, filters, reasons, after };
            out.push(Output::Unsubscribe(Box::new(request)));
        }
        told
    }

    /// A name that no connection has now.
    const fn no_connection(&self) -> u32 {
        self.connections.wrapping_sub(1)
    }

    /// What access control said of a SUBSCRIBE.
    pub(super) fn decide_subscribe(
        &mut self,
        mut request: Box<SubscribeRequest>,
        verdict: Result<(), ReasonCode>,
        out: &mut Outbox,
    ) {
        if let Err(reason) = verdict {
            request.items.iter_mut().for_each(|item| item.filter = Err(reason));
        }
        self.enter(&mut request, out);
        if request.items.iter().any(|item| item.filter.is_ok()) {
            self.requests += 1;
            out.push(Output::Subscribe(request));
        } else {
            self.send_suback(&request, out);
        }
    }

    /// Makes subscriptions of the items that are not refused.
    fn enter(&mut self, request: &mut SubscribeRequest, out: &mut Outbox) {
        let subscription_id = request.subscription_id;
        for item in &mut request.items {
            let Ok(filter) = item.filter.clone() else { continue };
            if !self.subscriptions.contains(&filter)
                && self.subscriptions.len() >= self.options.subscriptions_max
            {
                item.filter = Err(ReasonCode::QuotaExceeded);
                continue;
            }
            let subscription = Held { filter, options: item.options, id: subscription_id };
            if self.is_durable() {
                request.after = self.record(Change::Subscribed(subscription.clone()), out);
            }
            // [MQTT-3.8.4-3], [MQTT3-3.8.4-3]
            item.is_new = self.subscriptions.insert(&subscription);
        }
    }

    /// The index has the items: SUBACK ([MQTT-3.8.4-1], [MQTT3-3.8.4-1]). An item that is marked as
    /// refused is told so; it stays.
    #[expect(clippy::needless_pass_by_value, reason = "the request comes back as it went out")]
    pub fn handle_subscribed(
        &mut self,
        _now: plexus_types::Instant,
        request: Box<SubscribeRequest>,
        out: &mut Outbox,
    ) {
        if self.is_awaited(request.connection) {
            self.send_suback(&request, out);
        }
    }

    /// Nothing new comes for the filters; what waits or is under way stays ([MQTT-3.10.4-2],
    /// [MQTT-3.10.4-3], [MQTT3-3.10.4-2], [MQTT3-3.10.4-3]).
    pub(super) fn on_unsubscribe(&mut self, unsubscribe: Unsubscribe, out: &mut Outbox) {
        let Unsubscribe { packet_id, filters, .. } = unsubscribe;
        let refused = self.refuses_requests(packet_id);
        let (mut had, mut reasons) = (Vec::new(), Vec::with_capacity(filters.len()));
        for filter in filters {
            reasons.push(match (refused, TopicFilter::new(filter)) {
                (Some(reason), _) => reason,
                (None, Err(_)) => ReasonCode::TopicFilterInvalid,
                (None, Ok(filter)) if self.forget(&filter, out) => {
                    had.push(filter);
                    ReasonCode::Success
                }
                (None, Ok(_)) => ReasonCode::NoSubscriptionExisted,
            });
        }
        // Where there is no subscription any more, that there is none may not be kept yet.
        let after = self.pending.newest();
        if had.is_empty() {
            return self.send_unsuback(packet_id, reasons, after, out);
        }
        self.requests += 1;
        let connection = self.connections;
        let request = UnsubscribeRequest { packet_id, connection, filters: had, reasons, after };
        out.push(Output::Unsubscribe(Box::new(request)));
    }

    /// The filters are out of the index: UNSUBACK ([MQTT-3.10.4-4]).
    #[expect(clippy::boxed_local, reason = "the request comes back as it went out")]
    pub fn handle_unsubscribed(
        &mut self,
        _now: plexus_types::Instant,
        request: Box<UnsubscribeRequest>,
        out: &mut Outbox,
    ) {
        if self.is_awaited(request.connection) {
            self.send_unsuback(request.packet_id, request.reasons, request.after, out);
        }
    }

    /// Whether the connection that asked is still there.
    pub fn awaits(&self, request: &SubscribeRequest) -> bool {
        self.is_connected() && request.connection == self.connections
    }

    /// A request comes back from the index; says whether its connection is still there.
    fn is_awaited(&mut self, connection: u32) -> bool {
        let awaited = self.is_connected() && connection == self.connections;
        self.requests = self.requests.saturating_sub(u16::from(awaited));
        awaited
    }

    /// [MQTT-3.10.4-1], [MQTT3-3.10.4-1]
    fn forget(&mut self, filter: &TopicFilter, out: &mut Outbox) -> bool {
        let had = self.subscriptions.remove(filter);
        if had && self.is_durable() {
            let position = self.record(Change::Unsubscribed(filter.detached()), out);
            self.pending.note_record(position);
        }
        had
    }

    fn refuses_requests(&self, packet_id: PacketId) -> Option<ReasonCode> {
        if self.version.is_v5() && self.inbound.is_taken(packet_id) {
            return Some(ReasonCode::PacketIdentifierInUse); // [MQTT-2.2.1-3]
        }
        (self.requests >= REQUESTS_MAX).then_some(ReasonCode::QuotaExceeded)
    }

    /// [MQTT-3.2.2-10]: any quality of service may be asked for, no more than there is is granted.
    fn granted(&self, filter: &str, mut options: SubscriptionOptions) -> SubscriptionOptions {
        options.qos = options.qos.min(self.options.maximum_qos);
        let bridge = self.connection().is_some_and(|connection| connection.bridge);
        if bridge && !filter.starts_with("$share/") {
            options.no_local = true;
            options.retain_as_published = true;
        }
        options
    }

    /// One answer, filter by filter: [MQTT-2.2.1-6], [MQTT-3.8.4-2], [MQTT-3.8.4-5],
    /// [MQTT-3.8.4-6], [MQTT-3.8.4-7], [MQTT-3.9.3-1], [MQTT3-2.3.1-7], [MQTT3-3.8.4-2],
    /// [MQTT3-3.8.4-4], [MQTT3-3.8.4-5].
    fn send_suback(&mut self, request: &SubscribeRequest, out: &mut Outbox) {
        let reason = |item: &SubscribeItem| match item.filter {
            Ok(_) => ReasonCode::granted(item.options.qos),
            Err(reason) => refusal::of_subscribe(reason), // [MQTT-3.9.3-2]
        };
        let suback = SubAck {
            packet_id: request.packet_id,
            reasons: request.items.iter().map(reason).collect(),
            reason_string: None,
            user_properties: UserProperties::default(),
        };
        self.send_after(request.after, Packet::SubAck(Box::new(suback)), out);
    }

    /// One answer, whatever was there: [MQTT-3.10.4-5], [MQTT-3.10.4-6], [MQTT-3.11.3-1],
    /// [MQTT3-3.10.4-4], [MQTT3-3.10.4-5], [MQTT3-3.10.4-6].
    fn send_unsuback(
        &mut self,
        packet_id: PacketId,
        reasons: Vec<ReasonCode>,
        after: LogPosition,
        out: &mut Outbox,
    ) {
        let unsuback = UnsubAck {
            packet_id,
            reasons,
            reason_string: None,
            user_properties: UserProperties::default(),
        };
        self.send_after(after, Packet::UnsubAck(Box::new(unsuback)), out);
    }
}

fn check_filter(filter: Text, options: &Options) -> Result<TopicFilter, ReasonCode> {
    check(&TopicFilter::new(filter).map_err(|_| ReasonCode::TopicFilterInvalid)?, options)
}

fn check(filter: &TopicFilter, options: &Options) -> Result<TopicFilter, ReasonCode> {
    if filter.as_bytes().len() > options.topic_length_max
        || filter.levels() > options.topic_levels_max
    {
        return Err(ReasonCode::TopicFilterInvalid);
    }
    if filter.shared().is_some() && !options.shared_available {
        return Err(ReasonCode::SharedSubscriptionsNotSupported);
    }
    if filter.has_wildcard() && !options.wildcard_available {
        return Err(ReasonCode::WildcardSubscriptionsNotSupported); // [MQTT3-3.8.3-2]
    }
    // A copy of its own: session and index must not keep the packet alive.
    Ok(filter.detached())
}
