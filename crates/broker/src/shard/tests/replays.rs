//! What is retained on another shard, and what is published meanwhile.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use plexus_session::Options;
use plexus_types::{Message, MessageId, Qos, ReasonCode, TopicFilter};
use plexus_wire::{Ack, Packet};

use super::{Lone, starts::message};
use crate::{
    envelope::{ClientRef, Envelope, Replayed},
    ports::ConnId,
};

/// The shard that is played by hand; it names its messages 2, 4, 6 and so on.
const OTHER: u16 = 1;

fn retained(id: u64, payload: &'static str) -> Arc<Message> {
    let payload = Bytes::from_static(payload.as_bytes());
    let message = Message::clone(&message(id, "writer"));
    Arc::new(Message { qos: Qos::AtMostOnce, retain: true, payload, ..message })
}

fn subscribed() -> Lone {
    let mut node = Lone::of(2);
    node.connect(0, "reader", 60);
    node.subscribe(0, "t");
    node
}

impl Lone {
    fn take(&mut self, envelope: Envelope) {
        self.act(|shard, turn| shard.handle_envelope(turn, OTHER, envelope));
    }

    fn publish_elsewhere(&mut self, message: Arc<Message>) {
        self.take(Envelope::Publish(message, false));
    }

    /// The other shard knows of the subscription, and has named messages up to this one.
    fn confirm(&mut self, named: u64) {
        self.take(Envelope::InterestSeen(1, MessageId::new(named)));
    }

    /// Steps of its own replays until the other shard is asked.
    fn asked(&mut self) -> (ClientRef, u64) {
        let (client, asked) = self.asked_all();
        (client, asked[0].0)
    }

    fn asked_all(&mut self) -> (ClientRef, Vec<(u64, TopicFilter)>) {
        self.pass(Duration::ZERO);
        let asked =
            std::mem::take(&mut self.desk.posted).into_iter().find_map(|(_, it)| match it {
                Envelope::Replay(request) => Some((request.client, request.asked)),
                _ => None,
            });
        asked.expect("the other shard is asked")
    }

    fn replay(&mut self, (client, replay): (ClientRef, u64), message: Arc<Message>) {
        self.answer(client, vec![(replay, vec![message])], None);
    }

    fn answer(
        &mut self,
        client: ClientRef,
        answers: Vec<(u64, Vec<Arc<Message>>)>,
        more: Option<u32>,
    ) {
        let replayed = Replayed { shard: OTHER, client, answers, more };
        self.take(Envelope::Replayed(Box::new(replayed)));
    }

    /// The walk that the other shard was told to go on with, or to end.
    fn walk_told(&mut self) -> Option<Result<u32, u32>> {
        std::mem::take(&mut self.desk.posted).into_iter().find_map(|(_, it)| match it {
            Envelope::ReplayMore(more) => Some(Ok(more.cursor)),
            Envelope::ReplayStop(cursor) => Some(Err(cursor)),
            _ => None,
        })
    }

    fn delivered(&self) -> Vec<&str> {
        let payloads = self.desk.delivered.iter().map(|outgoing| &outgoing.message.payload);
        payloads.map(|payload| std::str::from_utf8(payload).unwrap()).collect()
    }
}

#[test]
fn what_is_still_to_come_is_not_brought_before_it() {
    let mut node = subscribed();
    node.confirm(2);
    let asked = node.asked();
    node.replay(asked, retained(6, "second"));
    assert!(node.delivered().is_empty(), "the first would come behind it");
    node.publish_elsewhere(retained(4, "first"));
    node.publish_elsewhere(retained(6, "second"));
    assert_eq!(node.delivered(), ["first", "second"]);
}

#[test]
fn what_was_published_before_is_brought() {
    let mut node = subscribed();
    node.confirm(2);
    let asked = node.asked();
    node.replay(asked, retained(2, "kept"));
    assert_eq!(node.delivered(), ["kept"]);
}

#[test]
fn what_came_before_the_subscription_stood_is_not_followed_by_what_it_replaces() {
    let mut node = subscribed();
    node.publish_elsewhere(retained(4, "new"));
    node.confirm(4);
    let asked = node.asked();
    node.replay(asked, retained(2, "old"));
    assert_eq!(node.delivered(), ["new"]);
}

#[test]
fn nothing_is_expected_of_a_subscribe_of_a_connection_that_is_gone() {
    let mut node = subscribed();
    assert_eq!(node.shard.census().replays, 1);
    node.act(|shard, turn| shard.handle_lost(turn, ConnId(0)));
    node.confirm(2);
    assert_eq!(node.shard.census().replays, 0);
}

#[test]
fn many_filters_are_asked_for_in_one_step() {
    let mut node = Lone::of(2);
    node.connect(0, "reader", 60);
    let filters: Vec<_> = (0..100).map(|number| format!("t/{number}")).collect();
    let filters: Vec<_> = filters.iter().map(String::as_str).collect();
    node.subscribe_all(0, &filters, Qos::AtMostOnce);
    for number in 1..=100 {
        node.take(Envelope::InterestSeen(number, MessageId::new(2)));
    }
    let (client, asked) = node.asked_all();
    assert_eq!(asked.len(), 64);
    // It had room for the first three, and the third is not at its end.
    let (first, rest) = asked.split_at(3);
    let answers = first.iter().map(|(number, _)| (*number, vec![retained(2, "kept")]));
    node.answer(client, answers.collect(), Some(5));
    assert_eq!(node.delivered(), ["kept"; 3]);
    assert_eq!(node.walk_told(), Some(Ok(5)), "a walk is finished before others begin");
    node.answer(client, vec![(first[2].0, vec![retained(2, "last")])], None);
    assert_eq!(node.delivered().len(), 4);
    assert_eq!(node.asked_all().1.first(), rest.first(), "what was not answered is asked again");
}

#[test]
fn nobody_goes_on_with_the_walk_of_a_filter_that_was_unsubscribed_from() {
    let mut node = Lone::of(2);
    node.connect(0, "reader", 60);
    node.subscribe_all(0, &["a", "b"], Qos::AtMostOnce);
    node.confirm(2);
    node.take(Envelope::InterestSeen(2, MessageId::new(2)));
    let (client, asked) = node.asked_all();
    node.unsubscribe(0, "b");
    let answers = asked.iter().map(|(number, _)| (*number, vec![retained(2, "kept")]));
    node.answer(client, answers.collect(), Some(5));
    assert_eq!(node.delivered(), ["kept"], "the other is not subscribed to any more");
    assert_eq!(node.walk_told(), Some(Err(5)));
    assert_eq!(node.shard.census().replays, 0);
}

#[test]
fn more_than_a_queue_holds_waits_until_the_client_has_room() {
    let mut node = Lone::of(2);
    node.door.options =
        Arc::new(Options { queue_bytes_max: 64 * 1_024, inflight_max: 4, ..Options::default() });
    node.connect(0, "reader", 60);
    let filters: Vec<_> = (0..64).map(|number| format!("t/{number}")).collect();
    let filters: Vec<_> = filters.iter().map(String::as_str).collect();
    node.subscribe_all(0, &filters, Qos::AtLeastOnce);
    for number in 1..=64 {
        node.take(Envelope::InterestSeen(number, MessageId::new(2)));
    }
    let (client, asked) = node.asked_all();
    let large = Message { payload: vec![0; 8 * 1_024].into(), ..Message::clone(&retained(2, "")) };
    let large = Arc::new(Message { qos: Qos::AtLeastOnce, ..large });
    let answers = asked.iter().map(|(number, _)| (*number, vec![Arc::clone(&large)]));
    node.answer(client, answers.collect(), None);
    assert_eq!(node.delivered().len(), 4, "the window");
    assert_eq!(node.shard.census().replays, 1, "the rest waits");
    for at in 0..64 {
        let outgoing = node.desk.delivered.get(at).expect("an acknowledgement makes room");
        let ack = Ack::new(outgoing.packet_id.unwrap(), ReasonCode::Success);
        node.hear(0, Packet::PubAck(ack));
    }
    assert_eq!(node.delivered().len(), 64);
    assert_eq!(node.shard.counters().dropped_queue_full.read(), 0);
    assert_eq!(node.shard.census().replays, 0);
}
