use plexus_types::{PacketId, Qos};

use super::{Acknowledged, Outbound, Received, Resend};
use crate::LogPosition;

const ONE: Qos = Qos::AtLeastOnce;
const TWO: Qos = Qos::ExactlyOnce;

fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

fn push<T>(outbound: &mut Outbound<T>, qos: Qos, parcel: T) -> PacketId {
    outbound.push(qos, parcel, |_| false)
}

/// [MQTT-3.3.4-9], [MQTT-4.9.0-2]: the quota is the peer's Receive Maximum, the limit is ours.
#[test]
fn room_is_the_smaller_of_quota_and_limit() {
    let mut outbound = Outbound::default();
    assert_eq!(outbound.room(3, 2), 2);
    push(&mut outbound, ONE, "a");
    push(&mut outbound, TWO, "b");
    assert_eq!((outbound.room(3, 2), outbound.room(3, 9)), (0, 1));
    assert_eq!(outbound.handle_puback(id(1)), Acknowledged::Done("a"));
    assert_eq!(outbound.room(3, 9), 2);
    assert_eq!(outbound.handle_pubrec(id(2), false), Received::Release(&mut "b", true));
    assert_eq!(outbound.room(3, 9), 2, "PUBREC does not end a delivery");
    assert_eq!(outbound.handle_pubcomp(id(2)), Acknowledged::Done("b"));
    assert_eq!(outbound.room(3, 9), 3);
}

#[test]
fn acknowledgements_of_the_wrong_kind_are_told_from_unknown_ones() {
    let mut outbound = Outbound::default();
    push(&mut outbound, ONE, "one");
    push(&mut outbound, TWO, "two");
    assert_eq!(outbound.handle_puback(id(9)), Acknowledged::Unknown);
    assert_eq!(outbound.handle_pubrec(id(9), false), Received::Unknown);
    assert_eq!(outbound.handle_puback(id(2)), Acknowledged::Mismatch);
    assert_eq!(outbound.handle_pubrec(id(1), false), Received::Mismatch);
    assert_eq!(outbound.handle_pubcomp(id(1)), Acknowledged::Mismatch);
    assert_eq!(outbound.handle_pubcomp(id(2)), Acknowledged::Mismatch, "PUBREC did not come");
    assert_eq!(outbound.len(), 2);
    assert_eq!(outbound.handle_pubrec(id(2), true), Received::Refused("two"));
    assert_eq!(outbound.handle_pubcomp(id(2)), Acknowledged::Unknown);
}

/// [MQTT-4.4.0-1], [MQTT-4.6.0-1]
#[test]
fn a_new_connection_gets_what_is_under_way_once_more_in_order() {
    let mut outbound = Outbound::default();
    for (qos, parcel) in [(ONE, "a"), (TWO, "b"), (ONE, "c"), (TWO, "d")] {
        push(&mut outbound, qos, parcel);
    }
    outbound.handle_pubrec(id(2), false);
    outbound.record(id(2), LogPosition::new(5));
    outbound.begin_connection();
    assert!(outbound.is_resending());
    assert_eq!(outbound.room(9, 9), 0, "nothing new overtakes");
    assert_eq!(outbound.resend(2), Some(Resend::Publish(id(1), &"a")));
    assert_eq!(outbound.resend(2), Some(Resend::Release(id(2), LogPosition::new(5))));
    assert_eq!(outbound.resend(2), Some(Resend::Publish(id(3), &"c")));
    assert_eq!(outbound.resend(2), None, "the quota of the new connection");
    assert_eq!(outbound.handle_pubcomp(id(2)), Acknowledged::Done("b"));
    assert_eq!(outbound.resend(2), None, "PUBREL did not count");
    assert_eq!(outbound.handle_puback(id(3)), Acknowledged::Done("c"));
    assert_eq!(outbound.resend(2), Some(Resend::Publish(id(4), &"d")));
    assert_eq!(outbound.resend(2), None);
    assert!(!outbound.is_resending());
}

#[test]
fn an_acknowledgement_may_come_before_the_message_is_sent_again() {
    let mut outbound = Outbound::default();
    push(&mut outbound, ONE, "a");
    push(&mut outbound, ONE, "b");
    outbound.begin_connection();
    assert_eq!(outbound.handle_puback(id(1)), Acknowledged::Done("a"));
    assert_eq!(outbound.resend(9), Some(Resend::Publish(id(2), &"b")));
    assert_eq!(outbound.discard(id(2)), Some("b"));
    assert_eq!((outbound.len(), outbound.room(9, 9)), (0, 9));
}

/// [MQTT-2.2.1-4]: an identifier that is in use is passed over when the numbers come round.
#[test]
fn identifiers_in_use_are_passed_over() {
    let mut outbound = Outbound::default();
    assert_eq!(push(&mut outbound, ONE, 0_u32), id(1));
    assert_eq!(push(&mut outbound, ONE, 1), id(2));
    for round in 3..=u32::from(u16::MAX) {
        let given = push(&mut outbound, ONE, round);
        assert_eq!(outbound.handle_puback(given), Acknowledged::Done(round));
    }
    assert_eq!(push(&mut outbound, ONE, 7), id(3), "1 and 2 are in use");
    assert_eq!(outbound.handle_puback(id(2)), Acknowledged::Done(1));
    assert_eq!(outbound.handle_puback(id(3)), Acknowledged::Done(7));
    assert_eq!(outbound.handle_puback(id(1)), Acknowledged::Done(0));
    assert_eq!(push(&mut outbound, ONE, 8), id(4));
    assert_eq!(outbound.handle_puback(id(4)), Acknowledged::Done(8));
}

#[test]
fn identifiers_of_requests_and_messages_do_not_meet() {
    let mut outbound = Outbound::default();
    assert_eq!(outbound.push(ONE, "a", |_| false), id(1));
    let request = outbound.next_id(|_| false);
    assert_eq!(request, id(2));
    assert_eq!(outbound.push(ONE, "b", |id| id == request), id(3));
    for _ in 0..u16::MAX - 3 {
        let given = outbound.push(ONE, "c", |id| id == request);
        assert_eq!(outbound.handle_puback(given), Acknowledged::Done("c"));
    }
    assert_eq!(outbound.push(ONE, "d", |id| id == request), id(4), "1, 2 and 3 are in use");
}
