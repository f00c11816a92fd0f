use plexus_types::{PacketId, Qos, ReasonCode};

use super::{AckKind, Answer, Arrival, Inbound, Verdict};
use crate::LogPosition;

const ONE: Qos = Qos::AtLeastOnce;
const TWO: Qos = Qos::ExactlyOnce;
const KEPT: LogPosition = LogPosition::ZERO;

fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

fn drain(inbound: &mut Inbound, kept: LogPosition) -> Vec<(AckKind, u16, ReasonCode)> {
    std::iter::from_fn(|| inbound.next(kept))
        .map(|Answer { kind, id, reason, .. }| (kind, id.get(), reason))
        .collect()
}

/// [MQTT-4.6.0-2], [MQTT-4.6.0-3]
#[test]
fn acknowledgements_leave_in_the_order_of_the_publishes() {
    let mut inbound = Inbound::default();
    for (number, qos) in [(7, ONE), (3, TWO), (5, ONE)] {
        assert_eq!(inbound.arrive(id(number), qos, 10), Arrival::New);
    }
    inbound.settle(id(5), Verdict::SUCCESS);
    inbound.settle(id(3), Verdict::new(ReasonCode::NoMatchingSubscribers, KEPT));
    assert_eq!(drain(&mut inbound, KEPT), []);
    inbound.settle(id(7), Verdict::SUCCESS);
    assert_eq!(
        drain(&mut inbound, KEPT),
        [
            (AckKind::PubAck, 7, ReasonCode::Success),
            (AckKind::PubRec, 3, ReasonCode::NoMatchingSubscribers),
            (AckKind::PubAck, 5, ReasonCode::Success),
        ]
    );
}

#[test]
fn nothing_is_acknowledged_before_the_log_is_kept() {
    let mut inbound = Inbound::default();
    inbound.arrive(id(1), TWO, 10);
    inbound.record(id(1), LogPosition::new(4));
    inbound.settle(id(1), Verdict::new(ReasonCode::Success, LogPosition::new(3)));
    assert_eq!(drain(&mut inbound, LogPosition::new(3)), []);
    // Neither to the next connection: the repetition waits for the same record.
    inbound.lose_connection();
    assert_eq!(inbound.arrive(id(1), TWO, 10), Arrival::Duplicate);
    assert_eq!(drain(&mut inbound, LogPosition::new(3)), []);
    let kept = drain(&mut inbound, LogPosition::new(4));
    assert_eq!(kept, [(AckKind::PubRec, 1, ReasonCode::Success)]);
}

/// [MQTT-4.3.3-10], [MQTT-4.3.3-11]: the same identifier is one message until PUBREL.
#[test]
fn a_repeated_qos2_message_is_answered_and_not_handled_again() {
    let mut inbound = Inbound::default();
    assert_eq!(inbound.arrive(id(9), TWO, 10), Arrival::New);
    assert_eq!(inbound.arrive(id(9), TWO, 10), Arrival::Duplicate);
    inbound.settle(id(9), Verdict::SUCCESS);
    assert_eq!(drain(&mut inbound, KEPT).len(), 2);
    assert!(inbound.release(id(9)));
    assert!(!inbound.release(id(9)));
    assert_eq!(inbound.arrive(id(9), TWO, 10), Arrival::New);
}

#[test]
fn a_refused_qos2_message_frees_its_identifier_and_its_repetition_is_refused_too() {
    let mut inbound = Inbound::default();
    inbound.arrive(id(9), TWO, 1);
    inbound.arrive(id(9), TWO, 1);
    inbound.settle(id(9), Verdict::new(ReasonCode::NotAuthorized, KEPT));
    let refused = (AckKind::PubRec, 9, ReasonCode::NotAuthorized);
    assert_eq!(drain(&mut inbound, KEPT), [refused, refused]);
    assert_eq!(inbound.arrive(id(9), TWO, 1), Arrival::New);
}

/// [MQTT-3.3.4-7]: QoS 1 counts until PUBACK, QoS 2 until PUBREL.
#[test]
fn receive_maximum_counts_both_qualities_of_service() {
    let mut inbound = Inbound::default();
    assert_eq!(inbound.arrive(id(1), ONE, 2), Arrival::New);
    assert_eq!(inbound.arrive(id(2), TWO, 2), Arrival::New);
    assert_eq!(inbound.arrive(id(3), ONE, 2), Arrival::TooMany);
    inbound.settle(id(1), Verdict::SUCCESS);
    inbound.settle(id(2), Verdict::SUCCESS);
    assert_eq!(drain(&mut inbound, KEPT).len(), 2);
    assert_eq!(inbound.arrive(id(3), TWO, 2), Arrival::New);
    assert_eq!(inbound.arrive(id(4), ONE, 2), Arrival::TooMany);
    assert!(inbound.release(id(2)));
    assert_eq!(inbound.arrive(id(4), ONE, 2), Arrival::New);
}

#[test]
fn an_identifier_in_process_is_not_taken_for_another_quality_of_service() {
    let mut inbound = Inbound::default();
    inbound.arrive(id(1), ONE, 9);
    assert_eq!(inbound.arrive(id(1), TWO, 9), Arrival::InUse);
    inbound.arrive(id(2), TWO, 9);
    assert_eq!(inbound.arrive(id(2), ONE, 9), Arrival::InUse);
    assert!(inbound.is_taken(id(1)) && inbound.is_taken(id(2)) && !inbound.is_taken(id(3)));
}

#[test]
fn what_a_lost_connection_waited_for_is_not_answered_to_the_next() {
    let mut inbound = Inbound::default();
    inbound.arrive(id(1), ONE, 9);
    inbound.arrive(id(2), TWO, 9);
    inbound.lose_connection();
    assert_eq!(inbound.arrive(id(1), ONE, 9), Arrival::New);
    assert_eq!(inbound.arrive(id(2), TWO, 9), Arrival::Duplicate);
    // The first answers belong to the lost connection.
    inbound.settle(id(1), Verdict::new(ReasonCode::NotAuthorized, KEPT));
    assert_eq!(drain(&mut inbound, KEPT), []);
    inbound.settle(id(2), Verdict::SUCCESS);
    inbound.settle(id(1), Verdict::SUCCESS);
    assert_eq!(
        drain(&mut inbound, KEPT),
        [(AckKind::PubAck, 1, ReasonCode::Success), (AckKind::PubRec, 2, ReasonCode::Success)]
    );
}
