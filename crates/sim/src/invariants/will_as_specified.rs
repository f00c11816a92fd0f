//! Section 3.1.2.5: a Will is published once for each connection that ends without a good-bye, after
//! its delay or with the end of the session ([MQTT-3.1.2-8]), not when the client is back before
//! ([MQTT-3.1.3-9]), not after DISCONNECT with reason 0 ([MQTT-3.14.4-3]). The witness counts. When the
//! node crashes, Wills of durable sessions are published after its return; those of others may be
//! lost, and what was not acknowledged may come again unless it is QoS 2.

use std::{collections::BTreeMap, time::Duration};

use plexus_types::{Instant, Qos, ReasonCode};
use plexus_wire::Packet;

use super::Invariant;
use crate::{
    agenda::{ActorNo, LinkNo},
    history::{History, MessageNo},
    seen::Seen,
};

#[derive(Debug, Default)]
struct Count {
    surely: usize,
    perhaps: usize,
    seen: usize,
    /// Whether the session that left it outlives its connection.
    durable: bool,
}

#[derive(Debug)]
pub(super) struct WillAsSpecified {
    witness: ActorNo,
    /// The Will of the connection that stands.
    armed: BTreeMap<ActorNo, (MessageNo, u32)>,
    /// Wills that a DISCONNECT took back, until CONNACK says that the log knows.
    withdrawn: BTreeMap<ActorNo, MessageNo>,
    /// Wills of sessions that have ended, until CONNACK says that the log knows.
    ended: BTreeMap<ActorNo, MessageNo>,
    /// Wills that wait for their delay.
    delayed: BTreeMap<ActorNo, (MessageNo, Instant, Duration)>,
    counts: BTreeMap<MessageNo, Count>,
    /// Wills of connections whose CONNACK waits for the log: whether the node took them is its own
    /// affair.
    asked: BTreeMap<LinkNo, MessageNo>,
}

impl WillAsSpecified {
    pub(super) fn new(witness: ActorNo) -> Self {
        let (armed, withdrawn, ended, delayed, counts, asked) = Default::default();
        Self { witness, armed, withdrawn, ended, delayed, counts, asked }
    }

    fn count(&mut self, number: MessageNo) -> &mut Count {
        self.counts.entry(number).or_default()
    }

    fn detach(&mut self, history: &History, actor: ActorNo) {
        let Some((number, delay)) = self.armed.remove(&actor) else { return };
        let expiry = history.client(actor).expiry;
        let delay = delay.min(expiry);
        self.count(number).durable = expiry > 0;
        if history.crashing && expiry == 0 {
            self.count(number).perhaps += 1;
        } else if history.crashing {
            let delay = Duration::from_secs(u64::from(delay));
            self.delayed.insert(actor, (number, history.now + delay, delay));
        } else if delay == 0 {
            self.count(number).surely += 1;
        } else {
            let delay = Duration::from_secs(u64::from(delay));
            self.delayed.insert(actor, (number, history.now + delay, delay));
        }
    }

    /// The session is there after a crash.
    fn survive(&mut self, history: &History, actor: ActorNo) {
        if let Some(number) = self.ended.remove(&actor) {
            let count = self.count(number);
            count.surely = count.surely.saturating_sub(1);
            count.perhaps += 1;
        }
        // The clock may have been set back.
        if let Some((_, due, delay)) = self.delayed.get_mut(&actor) {
            *due = (*due).min(history.now + *delay);
        }
    }

    /// CONNACK was said.
    fn accept(&mut self, history: &History, actor: ActorNo, link: LinkNo) {
        self.asked.remove(&link);
        self.withdrawn.remove(&actor);
        self.ended.remove(&actor);
        if let Some((number, due, _)) = self.delayed.remove(&actor) {
            // Back at the very moment in which it was due: either may come first.
            self.count(number).perhaps += usize::from(history.now >= due);
        }
        let terms = history.client(actor).terms.as_ref();
        if let Some(will) = terms.and_then(|terms| terms.will) {
            self.armed.insert(actor, will);
        }
    }

    /// What the witness has not acknowledged comes again on its next connection.
    fn may_repeat(&mut self, history: &History) {
        for (number, count) in &mut self.counts {
            let qos = history.message(*number).map_or(Qos::AtMostOnce, |sent| sent.qos);
            if qos == Qos::AtLeastOnce {
                count.perhaps += count.seen.max(1);
            }
        }
    }

    /// What the node has not written is lost, or comes again.
    fn crash(&mut self, history: &History) {
        // What was due may have been published, and lost if it is QoS 0.
        let is_lossy = |number: MessageNo| {
            history.message(number).is_none_or(|sent| sent.qos == Qos::AtMostOnce)
        };
        for (_, number) in std::mem::take(&mut self.withdrawn) {
            self.count(number).perhaps += 1;
        }
        let now = history.now;
        let lost =
            self.delayed.extract_if(.., |_, (number, due, _)| *due <= now && is_lossy(*number));
        for (_, (number, ..)) in lost.collect::<Vec<_>>() {
            self.count(number).perhaps += 1;
        }
        for (number, count) in &mut self.counts {
            let qos = history.message(*number).map_or(Qos::AtMostOnce, |sent| sent.qos);
            if qos == Qos::AtMostOnce || !count.durable {
                count.perhaps += std::mem::take(&mut count.surely);
            }
            if qos < Qos::ExactlyOnce {
                count.perhaps += count.seen.max(1);
            }
        }
    }

    fn settle(&mut self, history: &History, actors: &[ActorNo]) {
        for actor in actors {
            let Some((number, due, delay)) = self.delayed.remove(actor) else { continue };
            if history.now >= due {
                self.count(number).surely += 1;
            } else {
                self.delayed.insert(*actor, (number, due, delay));
            }
        }
    }
}

impl Invariant for WillAsSpecified {
    fn name(&self) -> &'static str {
        "will_as_specified"
    }

    fn check(&mut self, history: &History, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Asked { link, terms, .. } if history.has_log => {
                if let Some((number, _)) = terms.will {
                    self.asked.insert(*link, number);
                    self.count(number);
                }
            }
            Seen::Accepted { actor, link, .. } => self.accept(history, *actor, *link),
            Seen::Heard { actor, packet: Packet::Disconnect(disconnect) }
                if disconnect.reason == ReasonCode::Success =>
            {
                if let Some((number, _)) = self.armed.remove(actor)
                    && history.has_log
                {
                    self.withdrawn.insert(*actor, number);
                }
            }
            Seen::Detached { actor, .. } => {
                if *actor == self.witness {
                    self.may_repeat(history);
                }
                self.detach(history, *actor);
            }
            Seen::Ended { actor, .. } => {
                if let Some((number, ..)) = self.delayed.remove(actor) {
                    self.count(number).surely += 1;
                    self.ended.insert(*actor, number);
                }
            }
            Seen::Survived { actor, .. } => self.survive(history, *actor),
            Seen::Vanished { actor, .. } => {
                if let Some((number, ..)) = self.delayed.remove(actor) {
                    self.count(number).perhaps += 1;
                }
            }
            Seen::Crashed => self.crash(history),
            Seen::Received { actor, number: Some(number), .. }
                if *actor == self.witness
                    && history.message(*number).is_some_and(|sent| sent.is_will) =>
            {
                self.count(*number).seen += 1;
            }
            Seen::Settled => {
                let waiting: Vec<_> = self.delayed.keys().copied().collect();
                self.settle(history, &waiting);
                for number in std::mem::take(&mut self.asked).into_values() {
                    self.count(number).perhaps += 1;
                }
                for (number, Count { surely, perhaps, seen, .. }) in &self.counts {
                    let lost = history.is_lossless && seen < surely;
                    if lost || *seen > surely + perhaps {
                        return Err(format!("Will {number}: {seen} came, {surely} were due"));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}
