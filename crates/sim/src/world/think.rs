//! What clients do with their time.

use bytes::Bytes;
use plexus_session::PublishRequest;
use plexus_types::{Qos, ReasonCode, TopicName};
use plexus_wire::DisconnectProperties;

use super::World;
use crate::{
    agenda::{ActorNo, Event},
    history::Sent,
    link::Pace,
};

const NORMAL: [&str; 4] = ["n/alpha/x", "n/alpha/y", "n/beta/x", "n/beta/a-rather-long-topic"];
const SHARED: [&str; 2] = ["s/one", "s/two/and-some-more"];

impl World {
    /// An actor has an idea.
    pub(super) fn think(&mut self, number: ActorNo) {
        let now = self.now;
        let actor = self.actor(number);
        if actor.gone {
            return;
        }
        if actor.asleep_until > now {
            let until = actor.asleep_until;
            self.agenda.enter(until, Event::Think(number));
            return;
        }
        if actor.is_witness || self.calm {
            if self.actor(number).client.is_offline() {
                self.connect(number);
            }
        } else if self.steps > 0 {
            self.steps -= 1;
            if self.actor(number).client.is_offline() {
                self.think_offline(number);
            } else {
                self.think_online(number);
            }
        } else {
            self.settled = true;
        }
        let pause = if self.calm { 100 } else { self.dice.pick(&[3, 100, 1_000, 1_000, 4_000]) };
        let at = self.now + self.dice.millis(1, pause);
        self.agenda.enter(at, Event::Think(number));
    }

    fn think_offline(&mut self, number: ActorNo) {
        match self.dice.below(100) {
            0..=69 => self.connect(number),
            70..=79 => self.rebirth(number),
            80..=91 => self.publish_some(number),
            _ => {}
        }
    }

    fn think_online(&mut self, number: ActorNo) {
        let faults = self.plan.faults;
        if self.dice.chance(faults.cuts) {
            if let Some(link) = self.actor(number).link {
                self.cut(link);
            }
            return;
        }
        if self.dice.chance(faults.laziness) {
            return self.laze(number);
        }
        match self.dice.below(100) {
            0..=59 => self.publish_some(number),
            60..=76 => {
                let wish = self.actor(number).wish();
                self.subscribe(number, wish);
            }
            77..=83 => {
                let wishes = self.actor(number).wishes.len();
                let wish = self.dice.below(wishes);
                self.unsubscribe(number, wish);
            }
            84..=88 => self.say_goodbye(number),
            89..=92 => self.connect(number),
            93 => self.rebirth(number),
            _ => {}
        }
    }

    /// The client reads nothing for a while, or little by little from now on.
    fn laze(&mut self, number: ActorNo) {
        let until = self.now + self.dice.millis(10, 9_000);
        let sleeps = self.dice.chance(50);
        let actor = self.actor(number);
        let Some(link) = actor.link else { return };
        if sleeps {
            actor.asleep_until = until;
            self.story
                .tell(self.now, &(40, number), || format!("c{number} sleeps until {until:?}"));
        } else {
            self.link(link).down_pace = Pace::SLOW;
            self.story.tell(self.now, &(41, number), || format!("c{number} reads slowly"));
        }
    }

    /// Forgets everything and begins anew, without a word to the server.
    fn rebirth(&mut self, number: ActorNo) {
        if let Some(link) = self.actor(number).link.take() {
            self.abandon(link);
        }
        self.lose_unaccepted(crate::link::Peer::Actor(number));
        let actor = self.actor(number);
        actor.client.handle_connection_lost(plexus_types::Instant::ZERO);
        self.be_born(number);
    }

    /// Says DISCONNECT: with or without Will, with or without another expiry.
    pub(super) fn say_goodbye(&mut self, number: ActorNo) {
        let (with_will, change) = (self.dice.chance(25), self.dice.chance(30));
        let expiry = self.dice.pick(&[0, 2, 100]);
        let now = self.now;
        let actor = self.actor(number);
        let v5 = actor.client.version().is_v5() && actor.client.is_connected();
        let reason =
            if v5 && with_will { ReasonCode::DisconnectWithWill } else { ReasonCode::Success };
        // From zero it must not be raised.
        let session_expiry_interval = (v5 && change && actor.expiry > 0).then_some(expiry);
        let properties =
            DisconnectProperties { session_expiry_interval, ..DisconnectProperties::default() };
        self.story.tell(now, &(42, number), || format!("c{number} says good-bye: {reason}"));
        self.actor(number).client.disconnect(now, reason, properties);
        self.drain(number);
    }

    fn publish_some(&mut self, number: ActorNo) {
        for _ in 0..self.dice.pick(&[1, 1, 2, 8, 25]) {
            self.publish_one(number);
        }
    }

    fn publish_one(&mut self, number: ActorNo) {
        let qos = self.dice.pick(&[Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce]);
        // Before 5.0 a client cannot know what is too large for the server.
        let padding_max = if self.is_v5(number) || self.plan.is_lossless() { 900 } else { 50 };
        let padding = self.dice.pick(&[0, 0, 10, 10, 50, 900]).min(padding_max);
        let retain = self.plan.session.retain_available && self.dice.chance(20);
        let topic = match (retain, self.dice.below(10)) {
            (true, 0..=1) => "r/m/0".to_owned(),
            (true, _) => format!("r/{number}/{}", self.dice.below(2)),
            (false, 0..=2) => self.dice.pick(&SHARED).to_owned(),
            (false, _) => self.dice.pick(&NORMAL).to_owned(),
        };
        if retain && self.dice.chance(25) {
            return self.delete_retained(number, &topic, qos);
        }
        let expiry = self.dice.pick(&[None, Some(1), Some(8)]);
        let expiry = expiry.filter(|_| !self.plan.is_lossless());
        let message = self.history.next_number();
        let composed = self.compose(number, topic, qos, padding);
        let sent = Sent { retain, may_expire: expiry.is_some(), ..composed };
        let request = PublishRequest {
            retain,
            message_expiry_interval: expiry.filter(|_| self.is_v5(number)),
            ..PublishRequest::new(name(&sent.topic), sent.payload.clone(), qos)
        };
        self.story.tell(self.now, &(43, number, message), || {
            let (topic, qos) = (&sent.topic, qos.get());
            format!("c{number} publishes {message} on {topic} QoS {qos}")
        });
        self.history.add(sent);
        let now = self.now;
        let actor = self.actor(number);
        if let Ok(ticket) = actor.client.publish(now, request) {
            actor.tickets.insert(ticket, message);
        }
        self.drain(number);
    }

    /// An empty payload deletes what is kept.
    pub(super) fn delete_retained(&mut self, number: ActorNo, topic: &str, qos: Qos) {
        let request =
            PublishRequest { retain: true, ..PublishRequest::new(name(topic), Bytes::new(), qos) };
        self.story.tell(self.now, &(44, number), || format!("c{number} deletes {topic}"));
        let now = self.now;
        // What cannot even be queued is simply not said.
        self.actor(number).client.publish(now, request).ok();
        self.drain(number);
    }

    fn is_v5(&mut self, number: ActorNo) -> bool {
        self.actor(number).client.version().is_v5()
    }
}

fn name(topic: &str) -> TopicName {
    TopicName::try_from(topic).expect("invariant: a plain topic")
}
