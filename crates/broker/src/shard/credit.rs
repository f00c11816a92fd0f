//! Publishers wait for receivers whom the node itself keeps waiting.
//!
//! A message that is acknowledged and then dropped because a queue is full is lost. Where a receiver is
//! slow, that is what its queue's policy is for. But a node that is given more than it can carry reads
//! from publishers while the acknowledgements of receivers lie unread, and fills the queues of those
//! who keep up. So a connected client for whom many messages wait holds its publishers: of them no
//! PUBLISH above QoS 0 is taken until few wait. It has little time for that, or one slow receiver would
//! hold up all others of its publishers; more only where its shard is short of time itself.
//!
//! A client that holds others is not held: its acknowledgements may stand behind its messages. A hold
//! ends by itself, so no circle of clients stands still.

use std::{collections::BTreeMap, time::Duration};

use plexus_types::{ClientId, Instant, Message, Qos};

use super::{Shard, clients::Client};
use crate::{counters::Counters, envelope::Envelope, ports::Turn};

/// How long publishers wait for any receiver.
const PATIENCE: Duration = Duration::from_millis(250);
/// How often it is looked at after that whether they should wait longer.
const LOOK: Duration = Duration::from_secs(1);
/// How long they wait for one who takes nothing, however short of time the shard is.
const STILL: Duration = Duration::from_secs(30);
/// A shard that is at work for half of the time is short of it,
const BUSY: u128 = 2;
/// and one that finds so many packets whenever it looks: it may have to wait for a processor, which nobody
/// tells it.
const PACKETS_A_TURN: u64 = 32;
/// Of the messages and bytes that a queue may have, a third is many and a sixth is few. The rest is for
/// what is under way when publishers are held.
const MANY: usize = 3;
const FEW: usize = 6;
/// Who takes such a part of what its queue may have takes something.
const STEP: usize = 16;

/// What a client holds, and who holds it. Most clients have none.
#[derive(Debug, Default)]
pub(super) struct Credit {
    /// How many receivers hold it.
    holders: u32,
    crowd: Option<Crowd>,
}

/// A queue in which many wait, or did, and have not become few.
#[derive(Debug)]
struct Crowd {
    begun: Instant,
    /// When to look at it again; never, if its publishers have waited for long enough.
    look_at: Instant,
    /// When it was last looked at, and what the shard had done by then.
    looked_at: Instant,
    work: Work,
    /// What waited when a step had been taken, and when that was.
    waited: usize,
    taken_at: Instant,
    /// Publishers that are held, and where they live.
    held: BTreeMap<ClientId, u16>,
}

/// What a shard has done since it began.
#[derive(Debug, Clone, Copy)]
struct Work {
    busy_micros: u64,
    turns: u64,
    packets: u64,
}

impl Work {
    fn of(counters: &Counters) -> Self {
        let (busy, turns) = (&counters.busy_micros, &counters.turns);
        let packets = counters.packets_received.read();
        Self { busy_micros: busy.read(), turns: turns.read(), packets }
    }

    /// Whether it has been short of time since it had done that, so long ago.
    fn is_too_much(self, before: Self, passed: Duration) -> bool {
        let busy = u128::from(self.busy_micros.wrapping_sub(before.busy_micros));
        let turns = self.turns.wrapping_sub(before.turns).max(1);
        let packets = self.packets.wrapping_sub(before.packets);
        busy * BUSY >= passed.as_micros() || packets / turns >= PACKETS_A_TURN
    }
}

impl Crowd {
    /// It has had its time: it holds nobody any more.
    fn is_spent(&self) -> bool {
        self.look_at == Instant::FAR_FUTURE
    }
}

impl Client {
    /// Whether such a part of what its queue may have waits there.
    fn fills(&self, part: usize) -> bool {
        let (messages, bytes) = self.session.queued();
        let options = &self.door.options;
        let is_part = messages.saturating_mul(part) >= options.queue_messages_max
            || bytes.saturating_mul(part) >= options.queue_bytes_max;
        messages > 0 && is_part
    }

    fn crowd(&mut self) -> Option<&mut Crowd> {
        self.credit.as_mut()?.crowd.as_mut()
    }

    /// Whether a receiver holds it.
    #[inline]
    pub(super) fn is_held(&self) -> bool {
        let credit = self.credit.as_deref();
        credit.is_some_and(|credit| credit.holders > 0 && credit.crowd.is_none())
    }

    /// When [`Shard::look_at_crowd`] is to be called.
    #[inline]
    pub(super) fn crowd_due(&self) -> Option<Instant> {
        let crowd = self.credit.as_deref()?.crowd.as_ref()?;
        (!crowd.is_spent()).then_some(crowd.look_at)
    }

    fn tidy_credit(&mut self) {
        let credit = self.credit.as_deref();
        if credit.is_some_and(|credit| credit.holders == 0 && credit.crowd.is_none()) {
            self.credit = None;
        }
    }
}

impl Shard {
    /// A message has come to wait in the queue of that client, and many may wait there now.
    pub(super) fn crowd_in(&mut self, turn: &mut Turn<'_>, slot: u32, qos: Qos, message: &Message) {
        if qos == Qos::AtMostOnce {
            return;
        }
        let publisher_at = self.named_by(message.id);
        let work = Work::of(self.counters());
        let Some(client) = self.clients.get_mut(slot) else { return };
        let Some(conn) = client.conn.filter(|_| client.fills(MANY)) else { return };
        let (now, waited) = (turn.now, client.session.queued().0);
        let credit = client.credit.get_or_insert_with(Box::<Credit>::default);
        if credit.crowd.is_none() {
            credit.crowd = Some(Crowd {
                begun: now,
                look_at: now + PATIENCE,
                looked_at: now,
                work,
                waited,
                taken_at: now,
                held: BTreeMap::new(),
            });
            if credit.holders > 0 {
                turn.ports.resume(conn);
            }
        }
        let Some(crowd) = credit.crowd.as_mut().filter(|crowd| !crowd.is_spent()) else { return };
        let Some(shard) = publisher_at else { return };
        if !crowd.held.contains_key(&message.publisher) {
            crowd.held.insert(message.publisher.clone(), shard);
            self.forward(turn, shard, Envelope::Credit(message.publisher.clone(), false));
        }
    }

    /// Lets go whom the client holds, if few messages wait or its connection is gone.
    pub(super) fn relieve_crowd(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let Some(client) = self.clients.get_mut(slot) else { return };
        if client.credit.is_none() || (client.conn.is_some() && client.fills(FEW)) {
            return;
        }
        self.end_crowd(turn, slot);
    }

    /// The client holds nobody any more.
    pub(super) fn end_crowd(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let Some(client) = self.clients.get_mut(slot) else { return };
        let Some(credit) = &mut client.credit else { return };
        let Some(crowd) = credit.crowd.take() else { return };
        client.tidy_credit();
        self.let_go(turn, crowd.held);
    }

    fn let_go(&mut self, turn: &mut Turn<'_>, held: BTreeMap<ClientId, u16>) {
        for (publisher, shard) in held {
            self.forward(turn, shard, Envelope::Credit(publisher, true));
        }
    }

    /// Whether those who are held for the client should wait longer.
    pub(super) fn look_at_crowd(&mut self, turn: &mut Turn<'_>, slot: u32) {
        let now = turn.now;
        let work = Work::of(self.counters());
        let Some(client) = self.clients.get_mut(slot) else { return };
        let waits = client.session.queued().0;
        let step = client.door.options.queue_messages_max / STEP;
        let Some(crowd) = client.crowd().filter(|crowd| crowd.look_at <= now) else { return };
        let mut goes_on = false;
        if waits + step < crowd.waited {
            // Who is catching up has one more look.
            goes_on = crowd.begun == crowd.looked_at;
            (crowd.waited, crowd.taken_at) = (waits, now);
        }
        let passed = now.saturating_since(crowd.looked_at);
        goes_on |=
            work.is_too_much(crowd.work, passed) && now.saturating_since(crowd.taken_at) < STILL;
        if goes_on {
            (crowd.looked_at, crowd.work) = (now, work);
            crowd.look_at = now + LOOK;
            return;
        }
        crowd.look_at = Instant::FAR_FUTURE;
        let held = std::mem::take(&mut crowd.held);
        self.let_go(turn, held);
    }

    /// A receiver on some shard holds that publisher, or lets it go on. Whatever becomes of its connection:
    /// who comes again is held as before.
    pub(super) fn take_credit(&mut self, turn: &mut Turn<'_>, publisher: &ClientId, goes_on: bool) {
        let Some(slot) = self.clients.find(publisher) else { return };
        let Some(client) = self.clients.get_mut(slot) else { return };
        if !goes_on {
            client.credit.get_or_insert_with(Box::<Credit>::default).holders += 1;
            self.counters().held.add(1);
            return;
        }
        let Some(credit) = &mut client.credit else { return };
        credit.holders = credit.holders.saturating_sub(1);
        if credit.holders == 0 {
            client.tidy_credit();
            // Its silence was not its own.
            client.session.handle_activity(turn.now);
            if let Some(conn) = client.conn {
                turn.ports.resume(conn);
            }
        }
    }
}

/// Whether a packet that begins with this byte is a PUBLISH above QoS 0.
pub(crate) const fn is_acknowledged_publish(first: u8) -> bool {
    first >> 4 == 3 && first & 0b110 != 0
}
