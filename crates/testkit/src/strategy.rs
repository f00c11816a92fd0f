//! Strategies that draw packets as a sender may send them.

use bytes::Bytes;
use plexus_types::{
    MessageProperties, PacketId, ProtocolVersion, Qos, ReasonCode, Text, TopicName,
};
use plexus_wire::{
    Ack, AckDetails, Auth, ConnAck, ConnAckProperties, Connect, ConnectProperties, Disconnect,
    DisconnectProperties, Packet, Publish, PublishProperties, RetainHandling, SubAck, Subscribe,
    SubscribeFilter, SubscriptionOptions, UnsubAck, Unsubscribe, UserProperties, Will,
    property::MessagePropertiesBuilder, reason_of_return_code,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::Sender;

/// Any text, mostly short.
pub fn any_text() -> impl Strategy<Value = Text> + Clone {
    "[a-z /$+#]{0,8}|\\PC{0,12}"
        .prop_map(|text| Text::try_from(text).expect("invariant: no U+0000"))
}

/// Any topic name, mostly short.
pub fn any_topic() -> impl Strategy<Value = TopicName> + Clone {
    "[a-c/]{1,8}|[^+#\0]{1,12}"
        .prop_map(|topic| TopicName::try_from(topic.as_str()).expect("invariant: a topic"))
}

/// Any packet that such a sender may send in that version, CONNECT included.
pub fn any_packet(sender: Sender, version: ProtocolVersion) -> BoxedStrategy<Packet> {
    let shared = prop_oneof![
        4 => publish(sender, version).prop_map(Packet::Publish),
        1 => ack(version, PUBLISH_REASONS).prop_map(Packet::PubAck),
        1 => ack(version, PUBLISH_REASONS).prop_map(Packet::PubRec),
        1 => ack(version, RELEASE_REASONS).prop_map(Packet::PubRel),
        1 => ack(version, RELEASE_REASONS).prop_map(Packet::PubComp),
    ];
    let client = prop_oneof![
        connect(version).prop_map(|connect| Packet::Connect(Box::new(connect))),
        subscribe(version).prop_map(|subscribe| Packet::Subscribe(Box::new(subscribe))),
        unsubscribe(version).prop_map(|unsubscribe| Packet::Unsubscribe(Box::new(unsubscribe))),
        Just(Packet::PingReq),
        disconnect(sender, version),
    ];
    let server = prop_oneof![
        connack(version).prop_map(|connack| Packet::ConnAck(Box::new(connack))),
        suback(version).prop_map(|suback| Packet::SubAck(Box::new(suback))),
        unsuback(version).prop_map(|unsuback| Packet::UnsubAck(Box::new(unsuback))),
        Just(Packet::PingResp),
    ];
    let own = if sender == Sender::Server { server.boxed() } else { client.boxed() };
    if !version.is_v5() {
        return prop_oneof![shared, own].boxed();
    }
    let ends = prop_oneof![
        disconnect(sender, version),
        auth(sender).prop_map(|auth| Packet::Auth(Box::new(auth))),
    ];
    prop_oneof![3 => shared, 3 => own, 1 => ends].boxed()
}

const PUBLISH_REASONS: &[ReasonCode] =
    &[ReasonCode::Success, ReasonCode::NoMatchingSubscribers, ReasonCode::QuotaExceeded];
const RELEASE_REASONS: &[ReasonCode] = &[ReasonCode::Success, ReasonCode::PacketIdentifierNotFound];

/// `strategy` in 5.0 and the default before, where it cannot be said.
fn since_v5<T: Default + Clone + std::fmt::Debug + 'static>(
    version: ProtocolVersion,
    strategy: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<T> {
    if version.is_v5() { strategy.boxed() } else { Just(T::default()).boxed() }
}

fn packet_id() -> impl Strategy<Value = PacketId> {
    (1..=u16::MAX).prop_map(|number| PacketId::new(number).expect("invariant: above zero"))
}

fn qos() -> impl Strategy<Value = Qos> {
    select(&[Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce][..])
}

fn binary() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..40).prop_map(Bytes::from)
}

fn users() -> impl Strategy<Value = UserProperties> {
    vec((any_text(), any_text()), 0..3).prop_map(UserProperties::from_pairs)
}

fn message_properties() -> impl Strategy<Value = MessageProperties> {
    let single = (
        option::of(any::<bool>()),
        option::of(any_text()),
        option::of(any_topic()),
        option::of(binary()),
    );
    (single, users()).prop_map(|((format, content_type, response, correlation), users)| {
        let mut builder = MessagePropertiesBuilder::new().user_properties(&users);
        if let Some(format) = format {
            builder = builder.payload_format(format);
        }
        if let Some(content_type) = content_type {
            builder = builder.content_type(content_type);
        }
        if let Some(response) = response {
            builder = builder.response_topic(response);
        }
        if let Some(correlation) = correlation {
            builder = builder.correlation_data(correlation).expect("invariant: short");
        }
        builder.build()
    })
}

fn will(version: ProtocolVersion) -> impl Strategy<Value = Will> {
    let message = (any_topic(), binary(), qos(), any::<bool>());
    let extra = (any::<u32>(), option::of(any::<u32>()), message_properties());
    (message, since_v5(version, extra)).prop_map(
        |((topic, payload, qos, retain), (delay_interval, message_expiry_interval, properties))| {
            Will {
                topic,
                payload,
                qos,
                retain,
                delay_interval,
                message_expiry_interval,
                properties,
            }
        },
    )
}

fn connect_properties() -> impl Strategy<Value = ConnectProperties> {
    let numbers = (
        any::<u32>(),
        1..=u16::MAX,
        option::of(1..=u32::MAX),
        any::<u16>(),
        any::<bool>(),
        any::<bool>(),
    );
    let method = option::of((any_text(), option::of(binary())));
    (numbers, method, users()).prop_map(|(numbers, method, user_properties)| {
        let (authentication_method, data) = method.unzip();
        ConnectProperties {
            session_expiry_interval: numbers.0,
            receive_maximum: numbers.1,
            maximum_packet_size: numbers.2,
            topic_alias_maximum: numbers.3,
            request_response_information: numbers.4,
            request_problem_information: numbers.5,
            authentication_method,
            authentication_data: data.flatten(),
            user_properties,
        }
    })
}

fn connect(version: ProtocolVersion) -> impl Strategy<Value = Connect> {
    let head = (any::<bool>(), any::<bool>(), any::<u16>(), any_text());
    let user = (option::of(any_text()), option::of(binary()));
    let properties = since_v5(version, connect_properties());
    (head, option::of(will(version)), user, properties).prop_map(
        move |((bridge, clean_start, keep_alive, client_id), will, user, properties)| {
            let (user_name, password) = user;
            Connect {
                version,
                bridge: bridge && !version.is_v5(),
                clean_start,
                keep_alive,
                client_id,
                will,
                // [MQTT3-3.1.2-22]
                password: password.filter(|_| version.is_v5() || user_name.is_some()),
                user_name,
                properties,
            }
        },
    )
}

fn connack_properties() -> impl Strategy<Value = ConnAckProperties> {
    let maximum_qos = select(&[Qos::AtMostOnce, Qos::AtLeastOnce][..]);
    let numbers = (
        option::of(any::<u32>()),
        option::of(1..=u16::MAX),
        option::of(maximum_qos),
        option::of(1..=u32::MAX),
        option::of(any::<u16>()),
        option::of(any::<u16>()),
    );
    let available = || option::of(any::<bool>());
    let flags = (available(), available(), available(), available());
    let word = || option::of(any_text());
    let texts = (word(), word(), word(), word());
    let method = option::of((any_text(), option::of(binary())));
    (numbers, flags, texts, method, users()).prop_map(
        |(numbers, flags, texts, method, user_properties)| {
            let (authentication_method, data) = method.unzip();
            ConnAckProperties {
                session_expiry_interval: numbers.0,
                receive_maximum: numbers.1,
                maximum_qos: numbers.2,
                maximum_packet_size: numbers.3,
                topic_alias_maximum: numbers.4,
                server_keep_alive: numbers.5,
                retain_available: flags.0,
                wildcard_subscription_available: flags.1,
                subscription_identifiers_available: flags.2,
                shared_subscription_available: flags.3,
                assigned_client_identifier: texts.0,
                reason_string: texts.1,
                response_information: texts.2,
                server_reference: texts.3,
                authentication_method,
                authentication_data: data.flatten(),
                user_properties,
            }
        },
    )
}

fn connack(version: ProtocolVersion) -> impl Strategy<Value = ConnAck> {
    let properties = since_v5(version, connack_properties());
    (any::<bool>(), 0..6u8, properties).prop_map(move |(present, code, properties)| {
        let reason = reason_of_return_code(code).expect("invariant: below 6");
        let session_present =
            present && reason == ReasonCode::Success && version != ProtocolVersion::V31;
        ConnAck { session_present, reason, properties }
    })
}

fn publish_properties(sender: Sender) -> impl Strategy<Value = PublishProperties> {
    let ids = if sender == Sender::Server { 0..3 } else { 0..1usize };
    (
        option::of(1..=u16::MAX),
        option::of(any::<u32>()),
        vec(1..=268_435_455u32, ids),
        message_properties(),
    )
        .prop_map(|(topic_alias, message_expiry_interval, ids, forwarded)| PublishProperties {
            topic_alias,
            message_expiry_interval,
            subscription_ids: ids.into(),
            forwarded,
        })
}

fn publish(sender: Sender, version: ProtocolVersion) -> impl Strategy<Value = Publish> {
    let flags = (any::<bool>(), qos(), any::<bool>());
    let properties = since_v5(version, publish_properties(sender));
    (flags, any_topic(), any::<bool>(), packet_id(), properties, binary()).prop_map(
        |((dup, qos, retain), topic, bare, packet_id, properties, payload)| {
            let hidden = bare && properties.topic_alias.is_some();
            Publish {
                dup: dup && qos != Qos::AtMostOnce,
                qos,
                retain,
                topic: if hidden { Text::default() } else { topic.text().clone() },
                packet_id: Some(packet_id).filter(|_| qos != Qos::AtMostOnce),
                properties,
                payload,
            }
        },
    )
}

fn ack(version: ProtocolVersion, reasons: &'static [ReasonCode]) -> impl Strategy<Value = Ack> {
    let details = (option::of(any_text()), users()).prop_map(|(reason_string, user_properties)| {
        let details = AckDetails { reason_string, user_properties };
        Some(Box::new(details)).filter(|details| **details != AckDetails::default())
    });
    let reason =
        if version.is_v5() { select(reasons).boxed() } else { Just(ReasonCode::Success).boxed() };
    (packet_id(), reason, since_v5(version, details)).prop_map(|(packet_id, reason, details)| Ack {
        packet_id,
        reason,
        details,
    })
}

fn options(version: ProtocolVersion) -> impl Strategy<Value = SubscriptionOptions> {
    let handling = [RetainHandling::Always, RetainHandling::IfNew, RetainHandling::Never];
    let extra = (any::<bool>(), any::<bool>(), 0..handling.len());
    (qos(), since_v5(version, extra)).prop_map(
        move |(qos, (no_local, retain_as_published, index))| SubscriptionOptions {
            qos,
            no_local,
            retain_as_published,
            retain_handling: handling.get(index).copied().unwrap_or_default(),
        },
    )
}

fn subscribe(version: ProtocolVersion) -> impl Strategy<Value = Subscribe> {
    let filter = (any_text(), options(version))
        .prop_map(|(filter, options)| SubscribeFilter { filter, options });
    let extra = since_v5(version, (option::of(1..=268_435_455u32), users()));
    (packet_id(), extra, vec(filter, 1..4)).prop_map(
        |(packet_id, (subscription_id, user_properties), filters)| Subscribe {
            packet_id,
            subscription_id,
            user_properties,
            filters,
        },
    )
}

fn unsubscribe(version: ProtocolVersion) -> impl Strategy<Value = Unsubscribe> {
    (packet_id(), since_v5(version, users()), vec(any_text(), 1..4)).prop_map(
        |(packet_id, user_properties, filters)| Unsubscribe { packet_id, user_properties, filters },
    )
}

fn suback(version: ProtocolVersion) -> impl Strategy<Value = SubAck> {
    const REASONS: &[ReasonCode] = &[
        ReasonCode::Success,
        ReasonCode::GrantedQos1,
        ReasonCode::GrantedQos2,
        ReasonCode::UnspecifiedError,
    ];
    let extra = since_v5(version, (option::of(any_text()), users()));
    (packet_id(), vec(select(REASONS), 1..4), extra).prop_map(
        |(packet_id, reasons, (reason_string, user_properties))| SubAck {
            packet_id,
            reasons,
            reason_string,
            user_properties,
        },
    )
}

fn unsuback(version: ProtocolVersion) -> impl Strategy<Value = UnsubAck> {
    const REASONS: &[ReasonCode] =
        &[ReasonCode::Success, ReasonCode::NoSubscriptionExisted, ReasonCode::NotAuthorized];
    let reasons = since_v5(version, vec(select(REASONS), 1..4));
    let extra = since_v5(version, (option::of(any_text()), users()));
    (packet_id(), reasons, extra).prop_map(
        |(packet_id, reasons, (reason_string, user_properties))| UnsubAck {
            packet_id,
            reasons,
            reason_string,
            user_properties,
        },
    )
}

fn disconnect(sender: Sender, version: ProtocolVersion) -> BoxedStrategy<Packet> {
    let bare = Packet::Disconnect(Box::new(Disconnect::new(ReasonCode::Success)));
    if !version.is_v5() {
        return Just(bare).boxed();
    }
    let from_server = sender == Sender::Server;
    let reasons: &[ReasonCode] = if from_server {
        &[ReasonCode::ServerBusy, ReasonCode::SessionTakenOver, ReasonCode::ServerMoved]
    } else {
        &[ReasonCode::Success, ReasonCode::DisconnectWithWill, ReasonCode::TopicNameInvalid]
    };
    let texts = (option::of(any_text()), option::of(any_text()), users());
    (select(reasons), option::of(any::<u32>()), texts)
        .prop_map(move |(reason, expiry, (reason_string, reference, user_properties))| {
            let properties = DisconnectProperties {
                session_expiry_interval: expiry.filter(|_| !from_server),
                reason_string,
                user_properties,
                server_reference: reference.filter(|_| from_server),
            };
            Packet::Disconnect(Box::new(Disconnect { reason, properties }))
        })
        .boxed()
}

fn auth(sender: Sender) -> impl Strategy<Value = Auth> {
    let reasons: &[ReasonCode] = if sender == Sender::Server {
        &[ReasonCode::Success, ReasonCode::ContinueAuthentication]
    } else {
        &[ReasonCode::ContinueAuthentication, ReasonCode::ReAuthenticate]
    };
    (select(reasons), any_text(), option::of(binary()), option::of(any_text()), users()).prop_map(
        |(reason, method, authentication_data, reason_string, user_properties)| Auth {
            reason,
            authentication_method: Some(method),
            authentication_data,
            reason_string,
            user_properties,
        },
    )
}
