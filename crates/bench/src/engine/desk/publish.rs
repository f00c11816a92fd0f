//! A client publishes, and hears what became of it.

use std::{fmt::Write as _, sync::atomic::Ordering};

use bytes::{Bytes, BytesMut};
use plexus_session::{PublishRequest, Ticket};
use plexus_types::{Instant, ReasonCode, TopicName};

use super::{Conn, Count, Desk, End, Metric, Part, Phase, blank, is_acknowledged, reserve};
use crate::{
    pattern::{Filling, RANDOM_MAX},
    plan::{Body, Pace, Publishing, Role, properties},
    stamp::Stamp,
};

/// Bytes on their way to the socket beyond which a client publishes no more.
const BACKLOG_MAX: usize = 256 * 1024;

impl Desk {
    /// Publishes what the window allows and what waits for it; why the connection is over, if it is.
    pub(in crate::engine) fn refill(&mut self, slot: u32, conn: &mut Conn) -> Option<End> {
        if !self.publishing || conn.phase != Phase::Ready {
            return None;
        }
        loop {
            let can = Self::can_publish(conn);
            let now = self.now;
            let delivered = match &conn.part {
                Part::Publish(publisher) => self.delivered(publisher.index),
                Part::Idle | Part::Subscribe(_) => return None,
            };
            let Part::Publish(publisher) = &mut conn.part else { return None };
            if !publisher.is_on || !can {
                return None;
            }
            let room = publisher.room(delivered);
            let due = if room > 0 { Some(now) } else { publisher.next_waiting() };
            let due = due?;
            // Without anything to wait for, a window is what is written at once.
            let turn = if publisher.is_unbounded() { room } else { 1 };
            for _ in 0..turn {
                if let Some(end) = self.publish(slot, conn, due) {
                    return Some(end);
                }
            }
            if turn > 1 {
                return None;
            }
        }
    }

    pub(super) fn delivered(&self, index: u32) -> u64 {
        let delivered = self.shared.delivered.get(index as usize);
        delivered.map_or(0, |delivered| delivered.load(Ordering::Relaxed))
    }

    /// Gives up on open windows, because nothing has come for a while.
    pub(in crate::engine) fn write_off(&mut self, slot: u32, conn: &mut Conn) {
        let Part::Publish(publisher) = &mut conn.part else { return };
        let index = publisher.index;
        if !publisher.is_on || conn.phase != Phase::Ready || publisher.awaited == 0 {
            return;
        }
        let delivered = self.delivered(index);
        self.counts.add(Count::WrittenOff, publisher.write_off(delivered));
        self.refill.push(slot);
    }

    fn is_counted(&self, conn: &Conn) -> bool {
        match self.group(conn).map(|group| &group.role) {
            Some(Role::Publish(publishing)) => publishing.counted,
            Some(Role::Connect | Role::Subscribe(_)) | None => true,
        }
    }

    fn can_publish(conn: &Conn) -> bool {
        let Part::Publish(publisher) = &conn.part else { return false };
        let window = !is_acknowledged(publisher.qos) || conn.client.window() > 0;
        window && !conn.parting && conn.backlog() < BACKLOG_MAX
    }

    /// A message of a fixed rate is due.
    pub(in crate::engine) fn publish_due(
        &mut self,
        slot: u32,
        conn: &mut Conn,
        due: Instant,
    ) -> Option<End> {
        let can = conn.phase == Phase::Ready && Self::can_publish(conn);
        let Part::Publish(publisher) = &mut conn.part else { return None };
        if publisher.take(1) == 0 {
            return None;
        }
        if can && !publisher.has_waiting() {
            return self.publish(slot, conn, due);
        }
        let unsent = match conn.phase {
            Phase::Ready => (!publisher.wait(due)).then_some(Count::Overrun),
            Phase::Away
            | Phase::Resting
            | Phase::Queued
            | Phase::Connecting
            | Phase::Asked
            | Phase::Standing
            | Phase::Closing => Some(Count::Unconnected),
        };
        if let Some(count) = unsent {
            self.counts.add(count, 1);
        }
        None
    }

    /// Nothing is published any more: counts what was due and waits, and what was due and nobody has
    /// looked at, because this thread was late.
    pub(in crate::engine) fn give_up_waiting(&mut self, conn: &mut Conn, left_behind: u64) {
        let Part::Publish(publisher) = &mut conn.part else { return };
        let unsent = publisher.take(left_behind) + publisher.give_up_waiting();
        // Who has left, or is about to, is not held up by the broker.
        let is_there = conn.phase == Phase::Ready && !conn.parting;
        self.counts.add(if is_there { Count::Waiting } else { Count::Unconnected }, unsent);
    }

    fn publish(&mut self, slot: u32, conn: &mut Conn, due: Instant) -> Option<End> {
        let groups = std::sync::Arc::clone(&self.groups);
        let group = groups.get(usize::from(conn.group))?;
        let Role::Publish(publishing) = &group.role else { return None };
        let Part::Publish(publisher) = &mut conn.part else { return None };
        let number = publisher.published();
        let filling = Filling {
            client: group.first + u64::from(conn.number),
            id: &conn.client.options().client_id,
            message: number,
            random: self.seed.below(RANDOM_MAX) as u64,
            time: self.now,
            stamp: Some(Stamp {
                publisher: publisher.index.wrapping_add(self.shared.publisher_first()),
                sequence: number as u32,
                due,
            }),
        };
        let payload = body(publishing, &filling, &mut self.arena);
        let properties = match &publisher.properties {
            Some(properties) => properties.clone(),
            None => properties(&publishing.user_properties, &filling),
        };
        let topic = if let Some(topic) = &publisher.topic {
            topic.clone()
        } else {
            let topic = publishing.topic_number(conn.number, group.count, number);
            let filling = Filling { client: group.first + topic, ..filling };
            self.text.clear();
            publishing.topic.render(&filling, &mut self.text);
            match TopicName::try_from(self.text.as_str()) {
                Ok(topic) => topic,
                Err(error) => return Some(cannot_be(&error)),
            }
        };
        let index = publisher.index as usize;
        let length = payload.len() as u64;
        let mut request = PublishRequest::new(topic, payload, publishing.qos);
        request.retain = publishing.retain;
        let varies = publishing.user_properties.iter().any(|property| property.value().varies());
        if publisher.properties.is_none() && !varies {
            publisher.properties = Some(properties.clone());
        }
        request.properties = properties;
        let mut failed = None;
        let end = self.act(slot, conn, |conn, now| match conn.client.publish(now, request) {
            Ok(ticket) => {
                // Before what the client tells about it is read.
                if let Part::Publish(publisher) = &mut conn.part {
                    publisher.sent(ticket, due);
                }
            }
            Err(error) => failed = Some(cannot_be(&error)),
        });
        if failed.is_some() {
            return end.or(failed);
        }
        if publishing.counted {
            self.counts.add(Count::Published, 1);
            self.counts.add(Count::BytesOut, length);
            let (all, assured) = self.called_for(index);
            self.counts.add(Count::Expected, all);
            self.counts.add(Count::ExpectedAssured, assured);
            if matches!(publishing.pace, Pace::Rate(_)) {
                self.record(Metric::Lag, due, self.now.saturating_since(due));
            }
        }
        end
    }

    /// Deliveries that a message of a publisher calls for, and those of QoS 1 and 2 among them.
    fn called_for(&self, publisher: usize) -> (u64, u64) {
        let heard = self.shared.audience.get(publisher);
        heard.map_or((0, 0), |heard| {
            (u64::from(heard.receivers.unwrap_or_default()), u64::from(heard.assured))
        })
    }

    pub(super) fn settle(
        &mut self,
        slot: u32,
        conn: &mut Conn,
        ticket: Ticket,
        reason: ReasonCode,
    ) {
        let Part::Publish(publisher) = &mut conn.part else { return };
        let (index, qos) = (publisher.index as usize, publisher.qos);
        if reason.is_error() {
            self.counts.add(Count::Refused, 1);
            // What the broker refuses reaches nobody, and that is not a loss.
            let (all, assured) = self.called_for(index);
            self.counts.add(Count::Expected, all.wrapping_neg());
            self.counts.add(Count::ExpectedAssured, assured.wrapping_neg());
            let mut words = String::new();
            // Writing to a string does not fail.
            let _ = write!(words, "message refused: {reason}");
            self.shared.note_reason(words);
        }
        if !is_acknowledged(qos) {
            return;
        }
        let Some(due) = publisher.settled(ticket) else { return };
        self.moved = self.now;
        if !self.is_counted(conn) {
            self.counts.add(Count::Cleared, 1);
        } else if !reason.is_error() {
            self.counts.add(Count::Acknowledged, 1);
            self.record(Metric::Acknowledge, due, self.now.saturating_since(due));
        }
        if self.publishing {
            self.refill.push(slot);
        }
    }
}

/// Trying again would fail again: that is the end of the connection, and is told.
fn cannot_be(error: &impl std::fmt::Display) -> End {
    End::Because(format!("a message cannot be published: {error}"))
}

/// Makes a payload. The pieces of one block are freed together with it.
fn body(publishing: &Publishing, filling: &Filling<'_>, arena: &mut BytesMut) -> Bytes {
    match &publishing.body {
        Body::Stamped(size) => {
            reserve(arena, *size);
            filling.stamp.into_iter().for_each(|stamp| stamp.write(*size, arena));
        }
        Body::Blank(size) => {
            reserve(arena, *size);
            blank(arena, *size);
        }
        Body::Template(pattern) => return Bytes::from(pattern.text(filling)),
    }
    arena.split().freeze()
}
