//! QoS 1 and 2 from the peer: which identifiers are in process, and acknowledgements in order.

use std::collections::VecDeque;

use plexus_types::{PacketId, Qos, ReasonCode};
use plexus_wire::{Ack, Packet};

use crate::LogPosition;

/// The receiving half of the QoS flows (sections 4.3.2 and 4.3.3) of either role.
///
/// ```text
///  PUBLISH ──arrive──▶ Waiting ──settle──▶ Ready ──log kept──▶ PUBACK / PUBREC leaves
///                                                     QoS 2: taken until PUBREL ──▶ PUBCOMP
/// ```
/// Every acknowledgement that this side writes passes one queue, so that they leave in the order
/// of what they answer ([MQTT-4.6.0-2], [MQTT-4.6.0-3], [MQTT-4.6.0-4], [MQTT3-4.6.0-2],
/// [MQTT3-4.6.0-3], [MQTT3-4.6.0-4]) and none before what it promises is kept ([MQTT-4.3.2-4],
/// [MQTT-4.3.3-8]).
/// Without memory until the first QoS 1 or 2 message.
#[derive(Debug, Default)]
pub(crate) struct Inbound(Option<Box<Register>>);

#[derive(Debug, Default)]
struct Register {
    /// QoS 2 identifiers that the peer has not released, sorted.
    taken: Vec<Taken>,
    acks: VecDeque<Pending>,
    /// So many of them, from the front, are known to have their verdict: verdicts come in order,
    /// and what waits for the log is not to be looked through for each.
    settled: usize,
    /// What was not yet routed when its connection was lost: settled silently.
    orphans: Vec<(PacketId, AckKind)>,
    /// PUBLISHes of this connection that are not acknowledged to their end.
    in_process: usize,
}

#[derive(Debug, Clone, Copy)]
struct Taken {
    id: PacketId,
    /// Whether it counts against the Receive Maximum of this connection.
    counted: bool,
    /// Whether it is in the log.
    recorded: bool,
    /// Its PUBREC leaves when the log is kept up to here.
    after: LogPosition,
}

#[derive(Debug, Clone)]
struct Pending {
    id: PacketId,
    kind: AckKind,
    /// Answers a repeated PUBLISH, so nobody will settle it but the first one's fate.
    duplicate: bool,
    /// Counts against Receive Maximum until it leaves: PUBACK of this connection.
    counted: bool,
    verdict: Option<Verdict>,
}

/// Which acknowledgement.
#[expect(clippy::enum_variant_names, reason = "the packets are named so")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AckKind {
    PubAck,
    PubRec,
    PubRel,
    PubComp,
}

/// What an acknowledgement says, and when it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) reason: ReasonCode,
    pub(crate) after: LogPosition,
    pub(crate) words: Option<&'static str>,
}

impl Verdict {
    pub(crate) const fn new(reason: ReasonCode, after: LogPosition) -> Self {
        Self { reason, after, words: None }
    }

    pub(crate) const SUCCESS: Self = Self::new(ReasonCode::Success, LogPosition::ZERO);
}

/// An acknowledgement that may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) kind: AckKind,
    pub(crate) id: PacketId,
    pub(crate) reason: ReasonCode,
    pub(crate) words: Option<&'static str>,
}

impl Answer {
    /// The packet, without words.
    pub(crate) const fn into_packet(self) -> Packet {
        self.kind.packet(Ack::new(self.id, self.reason))
    }
}

impl AckKind {
    pub(crate) const fn packet(self, ack: Ack) -> Packet {
        match self {
            Self::PubAck => Packet::PubAck(ack),
            Self::PubRec => Packet::PubRec(ack),
            Self::PubRel => Packet::PubRel(ack),
            Self::PubComp => Packet::PubComp(ack),
        }
    }
}

/// What a PUBLISH with an identifier is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// To be handled, then settled.
    New,
    /// QoS 2, taken before and not released: answered again, not handled again
    /// ([MQTT-4.3.3-10]).
    Duplicate,
    /// The identifier is in process with another quality of service.
    InUse,
    /// More than Receive Maximum ([MQTT-3.3.4-7]).
    TooMany,
}

impl Inbound {
    /// How many QoS 2 identifiers the peer has not released.
    pub(crate) fn taken(&self) -> usize {
        self.0.as_ref().map_or(0, |register| register.taken.len())
    }

    /// A PUBLISH of quality of service 1 or 2 comes.
    pub(crate) fn arrive(&mut self, id: PacketId, qos: Qos, receive_maximum: u16) -> Arrival {
        self.0.get_or_insert_default().arrive(id, qos, usize::from(receive_maximum))
    }

    /// The record of a QoS 2 identifier has that position: PUBREC waits for it.
    pub(crate) fn record(&mut self, id: PacketId, after: LogPosition) {
        let Some(register) = self.0.as_deref_mut() else { return };
        let Ok(at) = register.find(id) else { return };
        if let Some(taken) = register.taken.get_mut(at) {
            taken.recorded = true;
            taken.after = taken.after.max(after);
        }
    }

    /// The fate of a PUBLISH is known. After PUBACK, or PUBREC with an error, its identifier is a
    /// new message's ([MQTT-4.3.2-5], [MQTT-4.3.3-9], [MQTT3-4.3.2-2]).
    pub(crate) fn settle(&mut self, id: PacketId, verdict: Verdict) {
        if let Some(register) = self.0.as_deref_mut() {
            register.settle(id, verdict);
        }
    }

    /// PUBREL came; says whether the identifier was taken. It is free from now on
    /// ([MQTT-4.3.3-12]).
    pub(crate) fn release(&mut self, id: PacketId) -> bool {
        let Some(register) = self.0.as_deref_mut() else { return false };
        let Ok(at) = register.find(id) else { return false };
        let taken = register.taken.remove(at);
        register.in_process = register.in_process.saturating_sub(usize::from(taken.counted));
        true
    }

    /// Whether the log knows that QoS 2 identifier as taken.
    pub(crate) fn is_recorded(&self, id: PacketId) -> bool {
        self.0.as_deref().is_some_and(|register| {
            let taken = register.find(id).ok().and_then(|at| register.taken.get(at));
            taken.is_some_and(|taken| taken.recorded)
        })
    }

    /// A PUBLISH is not taken after all, and nobody is told.
    pub(crate) fn forget(&mut self, id: PacketId) {
        self.release(id);
        if let Some(register) = self.0.as_deref_mut() {
            register.acks.retain(|ack| ack.id != id);
            register.settled = 0;
            register.orphans.retain(|orphan| orphan.0 != id);
        }
    }

    /// A message came for a QoS 2 identifier that was taken on a former connection and is still
    /// to be released: whoever gives it to a new message has begun another session, and the answer
    /// that said so was lost. Forgets it, if it is such a one.
    pub(crate) fn give_up(&mut self, id: PacketId) -> bool {
        let stale = self.0.as_deref().is_some_and(|register| {
            let taken = register.find(id).ok().and_then(|at| register.taken.get(at));
            taken.is_some_and(|taken| !taken.counted)
        });
        if stale {
            self.forget(id);
        }
        stale
    }

    /// Whether a PUBLISH of that identifier is in process ([MQTT-2.2.1-3]).
    pub(crate) fn is_taken(&self, id: PacketId) -> bool {
        self.0.as_deref().is_some_and(|register| {
            register.find(id).is_ok() || register.awaits(id, AckKind::PubAck)
        })
    }

    /// Puts an acknowledgement at the end of the queue.
    pub(crate) fn answer(&mut self, kind: AckKind, id: PacketId, verdict: Verdict) {
        let verdict = Some(verdict);
        let pending = Pending { id, kind, duplicate: false, counted: false, verdict };
        self.0.get_or_insert_default().acks.push_back(pending);
    }

    /// The next acknowledgement that may leave when the log is kept up to `kept`.
    pub(crate) fn next(&mut self, kept: LogPosition) -> Option<Answer> {
        let register = self.0.as_deref_mut()?;
        let Verdict { reason, after, words } = register.acks.front()?.verdict?;
        if after > kept {
            return None;
        }
        let Pending { id, kind, counted, .. } = register.acks.pop_front()?;
        register.settled = register.settled.saturating_sub(1);
        register.in_process = register.in_process.saturating_sub(usize::from(counted));
        Some(Answer { kind, id, reason, words })
    }

    /// Acknowledgements that wait; a bound for it keeps a peer from growing it by repetition.
    pub(crate) fn waiting(&self) -> usize {
        self.0.as_deref().map_or(0, |register| register.acks.len())
    }

    /// The connection is gone: what it waited for is not answered to the next one. Receive
    /// Maximum counts anew (section 4.9).
    pub(crate) fn lose_connection(&mut self) {
        let Some(register) = self.0.as_deref_mut() else { return };
        let unsettled = |pending: &Pending| pending.verdict.is_none() && !pending.duplicate;
        let acks = register.acks.drain(..).filter(unsettled).map(|ack| (ack.id, ack.kind));
        register.orphans.extend(acks);
        register.settled = 0;
        register.in_process = 0;
        for taken in &mut register.taken {
            taken.counted = false;
        }
    }

    /// QoS 2 identifiers in the log that the peer has not released.
    pub(crate) fn accepted(&self) -> impl Iterator<Item = PacketId> {
        self.0.as_deref().into_iter().flat_map(|register| {
            register.taken.iter().filter(|taken| taken.recorded).map(|taken| taken.id)
        })
    }

    /// Identifiers that were taken before the node started.
    pub(crate) fn restore(&mut self, ids: Vec<PacketId>) {
        if ids.is_empty() {
            return;
        }
        let taken = |id| Taken { id, counted: false, recorded: true, after: LogPosition::ZERO };
        let register = self.0.get_or_insert_default();
        register.taken = ids.into_iter().map(taken).collect();
        register.taken.sort_by_key(|taken| taken.id);
    }

    /// Forgets everything: the session is another.
    pub(crate) fn clear(&mut self) {
        self.0 = None;
    }
}

impl Register {
    fn arrive(&mut self, id: PacketId, qos: Qos, maximum: usize) -> Arrival {
        let taken = self.find(id);
        let kind = match (qos, taken) {
            (Qos::ExactlyOnce, Ok(at)) => return self.arrive_again(id, at, maximum),
            (Qos::ExactlyOnce, Err(_)) if self.awaits(id, AckKind::PubAck) => {
                return Arrival::InUse;
            }
            (Qos::ExactlyOnce, Err(_)) => AckKind::PubRec,
            (_, Ok(_)) => return Arrival::InUse,
            (_, Err(_)) => AckKind::PubAck,
        };
        if self.in_process >= maximum {
            return Arrival::TooMany;
        }
        self.in_process += 1;
        if let (AckKind::PubRec, Err(at)) = (kind, taken) {
            self.taken
                .insert(at, Taken { id, counted: true, recorded: false, after: LogPosition::ZERO });
        }
        let counted = kind == AckKind::PubAck;
        self.acks.push_back(Pending { id, kind, duplicate: false, counted, verdict: None });
        Arrival::New
    }

    fn arrive_again(&mut self, id: PacketId, at: usize, maximum: usize) -> Arrival {
        let unsettled =
            self.awaits(id, AckKind::PubRec) || self.orphans.contains(&(id, AckKind::PubRec));
        let full = self.in_process >= maximum;
        let Some(taken) = self.taken.get_mut(at) else { return Arrival::InUse };
        if !taken.counted {
            if full {
                return Arrival::TooMany;
            }
            taken.counted = true;
            self.in_process += 1;
        }
        let verdict = Verdict::new(ReasonCode::Success, taken.after);
        let verdict = (!unsettled).then_some(verdict);
        let kind = AckKind::PubRec;
        self.acks.push_back(Pending { id, kind, duplicate: true, counted: false, verdict });
        Arrival::Duplicate
    }

    fn settle(&mut self, id: PacketId, verdict: Verdict) {
        let orphan = self.orphans.iter().position(|orphan| orphan.0 == id);
        let kind = if let Some(at) = orphan {
            self.orphans.remove(at).1
        } else {
            let mut unsettled = self.unsettled();
            let Some(ack) = unsettled.find(|ack| ack.id == id && ack.verdict.is_none()) else {
                return;
            };
            if ack.kind == AckKind::PubAck {
                ack.verdict = Some(verdict);
            }
            ack.kind
        };
        if kind == AckKind::PubAck {
            return;
        }
        let verdict = self.settle_taken(id, verdict);
        for ack in self.unsettled() {
            if ack.id == id && ack.kind == AckKind::PubRec && ack.verdict.is_none() {
                ack.verdict = Some(verdict);
            }
        }
    }

    /// PUBREC with an error frees the identifier; otherwise it waits for both records.
    fn settle_taken(&mut self, id: PacketId, mut verdict: Verdict) -> Verdict {
        let Ok(at) = self.find(id) else { return verdict };
        if verdict.reason.is_error() {
            let taken = self.taken.remove(at);
            self.in_process = self.in_process.saturating_sub(usize::from(taken.counted));
        } else if let Some(taken) = self.taken.get_mut(at) {
            verdict.after = verdict.after.max(taken.after);
            taken.after = verdict.after;
        }
        verdict
    }

    fn find(&self, id: PacketId) -> Result<usize, usize> {
        self.taken.binary_search_by_key(&id, |taken| taken.id)
    }

    /// From the first on that has no verdict.
    fn unsettled(&mut self) -> impl Iterator<Item = &mut Pending> {
        while self.acks.get(self.settled).is_some_and(|ack| ack.verdict.is_some()) {
            self.settled += 1;
        }
        self.acks.range_mut(self.settled..)
    }

    fn awaits(&self, id: PacketId, kind: AckKind) -> bool {
        self.acks
            .range(self.settled..)
            .any(|ack| ack.id == id && ack.kind == kind && ack.verdict.is_none())
    }
}

#[cfg(test)]
mod tests;
