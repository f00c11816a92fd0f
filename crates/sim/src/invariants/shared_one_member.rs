//! Section 4.8.2: each message goes to one member of a shared group. To another one only when the
//! session of the first has ended ([MQTT-4.8.2-5], [MQTT-4.8.2-6]); and to somebody, as long as a
//! member stays.

use std::collections::{BTreeMap, BTreeSet};

use plexus_types::Qos;
use plexus_wire::Packet;

use super::Invariant;
use crate::{
    agenda::ActorNo,
    history::{History, MessageNo, Sent, Standing},
    seen::Seen,
};

#[derive(Debug, Default)]
struct Fate {
    /// Groups that matched, by filter, with the members that have stayed since.
    groups: BTreeMap<String, BTreeSet<ActorNo>>,
    receipts: usize,
    receivers: BTreeSet<ActorNo>,
    /// Clients whose session ended since: what they had got others may get as well.
    ended: BTreeSet<ActorNo>,
    /// The newest entry, and whether it was acknowledged.
    entry: u64,
    promised: bool,
    /// The groups of an entry that a crash may have taken.
    suspended: BTreeMap<String, BTreeSet<ActorNo>>,
    /// A crash came between: of QoS 1, members may get again what others got before.
    crashed: bool,
}

#[derive(Debug, Default)]
pub(super) struct SharedOneMember {
    fates: BTreeMap<MessageNo, Fate>,
}

impl Fate {
    fn enter(&mut self, history: &History, sent: &Sent) {
        for (actor, client) in history.clients.iter().enumerate() {
            let member = |held: &&crate::history::Held| {
                held.standing == Standing::Active && held.is_shared() && held.matches(&sent.topic)
            };
            for held in client.held.iter().filter(member) {
                self.groups.entry(held.filter.to_string()).or_default().insert(actor);
            }
        }
    }

    /// The entry is owed to members who were there before the crash and after it.
    fn confine(&mut self) {
        let suspended = &self.suspended;
        self.groups.retain(|filter, members| {
            let before = suspended.get(filter);
            members.retain(|member| before.is_some_and(|before| before.contains(member)));
            !members.is_empty()
        });
    }

    /// What was not acknowledged may not have been taken.
    fn doubt(&mut self) {
        if !self.promised {
            self.suspended.append(&mut self.groups);
        }
    }

    fn part(&mut self, actor: ActorNo) {
        for members in self.groups.values_mut().chain(self.suspended.values_mut()) {
            members.remove(&actor);
        }
    }
}

impl Invariant for SharedOneMember {
    fn name(&self) -> &'static str {
        "shared_one_member"
    }

    fn check(&mut self, history: &History, seen: &Seen<'_>) -> Result<(), String> {
        match seen {
            Seen::Entered(entry) if entry.topic.starts_with("s/") => {
                let Some(number) = entry.number else { return Ok(()) };
                let Some(sent) = history.message(number) else { return Ok(()) };
                let fate = self.fates.entry(number).or_default();
                (fate.entry, fate.promised) = (entry.order, false);
                fate.enter(history, sent);
                if entry.again {
                    fate.confine();
                }
            }
            Seen::Received { actor, number: Some(number), .. } => {
                let Some(fate) = self.fates.get_mut(number) else { return Ok(()) };
                if !history.client(*actor).is_member() {
                    return Ok(());
                }
                fate.receipts += 1;
                fate.receivers.insert(*actor);
            }
            Seen::Heard { actor, packet: Packet::Unsubscribe(_) } => {
                self.fates.values_mut().for_each(|fate| fate.part(*actor));
            }
            Seen::Promised(order) if history.has_log => {
                let fate = self.fates.values_mut().find(|fate| fate.entry == *order);
                if let Some(fate) = fate {
                    fate.promised = true;
                }
            }
            Seen::Detached { actor, .. } if history.disk_fails => {
                for (number, fate) in &mut self.fates {
                    if history.message(*number).is_some_and(|sent| sent.publisher == *actor) {
                        fate.doubt();
                    }
                }
            }
            Seen::Crashed => {
                for fate in self.fates.values_mut() {
                    fate.crashed = true;
                    fate.doubt();
                }
            }
            Seen::Vanished { actor, .. } => {
                let held = &history.client(*actor).held;
                let was_in = |group: &str| held.iter().any(|held| held.filter.as_str() == group);
                for fate in self.fates.values_mut() {
                    // Whoever had it may be the one that is gone, even if it had left the group.
                    fate.groups.retain(|group, _| !was_in(group));
                    fate.part(*actor);
                    fate.ended.insert(*actor);
                }
            }
            Seen::Ended { actor, .. } => {
                for fate in self.fates.values_mut() {
                    fate.part(*actor);
                    fate.ended.insert(*actor);
                }
            }
            Seen::Settled => return self.settle(history),
            _ => {}
        }
        Ok(())
    }
}

impl SharedOneMember {
    fn settle(&self, history: &History) -> Result<(), String> {
        for (number, fate) in &self.fates {
            let Some(sent) = history.message(*number) else { continue };
            let groups = history.groups_on(&sent.topic) * sent.entries.len();
            let exactly_once = sent.qos == Qos::ExactlyOnce && sent.entries.len() == 1;
            let once = !fate.crashed || exactly_once;
            if once && fate.receivers.difference(&fate.ended).count() > groups {
                let (receivers, topic) = (&fate.receivers, &sent.topic);
                return Err(format!("{number} on {topic} went to {receivers:?}"));
            }
            let sure = history.is_lossless
                && (fate.promised || !history.has_log)
                && !history.has_strangers
                && sent.qos > Qos::AtMostOnce
                && !sent.may_expire;
            // A QoS 2 delivery that had begun ends with its session ([MQTT-4.8.2-5]).
            let sure = sure && (sent.qos == Qos::AtLeastOnce || fate.ended.is_empty());
            let owed = fate.groups.values().filter(|members| !members.is_empty()).count();
            if sure && fate.receipts < owed {
                let (receipts, topic) = (fate.receipts, &sent.topic);
                let groups = &fate.groups;
                return Err(format!(
                    "{number} on {topic} reached {receipts} of {owed} groups: {groups:?}"
                ));
            }
        }
        Ok(())
    }
}
