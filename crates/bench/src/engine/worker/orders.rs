//! What a worker does when it is told to.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use plexus_session::{Client, ClientOptions};
use plexus_types::{Instant, MessageProperties, Qos, Text, TopicName};

use super::{Command, Conn, Desk, Part, Phase, Source, Worker, lock};
use crate::{
    engine::{
        desk::share,
        pace::{Alarm, Beat},
        publisher::Publisher,
    },
    pacer::Pacer,
    pattern::{Filling, RANDOM_MAX},
    plan::{Group, Pace, Publishing, Role, Sessions},
};

/// Messages of one client that may be under way at a fixed rate.
const INFLIGHT_MAX: u16 = 60_000;

impl Worker {
    pub(super) fn obey(&mut self, command: &Command) {
        match *command {
            Command::Connect { group, anew, begin } => {
                self.begin_connects(begin);
                self.set_leaving(group, None);
                self.connect(group, anew);
            }
            Command::Publish { group, begin, measured } => {
                self.desk.measured = measured;
                self.publish(group, begin, measured.1);
            }
            Command::Subscribe { group } => {
                for slot in self.slots(group) {
                    self.with(slot, |desk, conn| {
                        if let Part::Subscribe(subscriber) = &mut conn.part {
                            subscriber.is_on = true;
                        }
                        desk.act(slot, conn, |_, _| {})
                    });
                }
            }
            Command::Storm { group, begin } => {
                self.desk.storming = true;
                self.begin_connects(begin);
                self.connect(group, false);
            }
            Command::Roam { group, begin } => self.roam(group, begin),
            Command::Gather { group } => self.gather(group),
            Command::Measure(from, to) => self.desk.measured = (from, to),
            Command::Halt => self.halt(),
            Command::Leave { group, forget } => {
                self.set_leaving(group, Some(forget));
                for slot in self.slots(group) {
                    self.with(slot, |desk, conn| {
                        if !conn.is_accepted() {
                            return None;
                        }
                        desk.act(slot, conn, |conn, now| Desk::say_good_bye(conn, now, forget))
                    });
                }
            }
            Command::Flush => {
                lock(&self.shared.recent).absorb(&mut self.desk.meters);
                self.show();
                self.shared.flushed.fetch_add(1, Ordering::Release);
            }
            Command::Finish => self.finished = true,
        }
    }

    /// Connections are due by the rate from then on, and so are the pacer's looks at them.
    fn begin_connects(&mut self, begin: Instant) {
        self.desk.connects.begin(begin);
        if self.pacer.is_some() {
            self.set_pace();
        }
    }

    fn set_leaving(&mut self, group: usize, leaving: Option<bool>) {
        if let Some(place) = self.desk.leaving.get_mut(group) {
            *place = leaving;
        }
    }

    fn halt(&mut self) {
        // What has become due since the last turn is not late.
        self.publish_due();
        for source in std::mem::take(&mut self.sources) {
            for slot in self.slots(source.group) {
                self.with(slot, |desk, conn| {
                    let left_behind = source.left_behind(conn.number, desk.now);
                    desk.give_up_waiting(conn, left_behind);
                    None
                });
            }
        }
        self.desk.publishing = false;
        self.desk.storming = false;
        for slot in self.desk.connects.clear() {
            self.with(slot, |desk, conn| {
                conn.enter(Phase::Away, desk.now);
                None
            });
        }
        self.pacer = None;
    }

    /// The clients of a group come and go from then on.
    fn roam(&mut self, group: usize, begin: Instant) {
        self.set_roaming(group, true);
        let groups = &self.shared.plan.workload.groups;
        let count = groups.get(group).map_or(0, |found| found.count);
        for slot in self.slots(group) {
            self.with(slot, |desk, conn| {
                desk.begin_first_stay(slot, conn, (begin, count));
                None
            });
        }
    }

    /// The clients of a group stay, and who is away comes.
    fn gather(&mut self, group: usize) {
        self.set_roaming(group, false);
        for slot in self.slots(group) {
            self.with(slot, |desk, conn| {
                desk.end_stay(slot, conn);
                None
            });
            self.queue(slot, Some(self.desk.now));
        }
    }

    fn set_roaming(&mut self, group: usize, roaming: bool) {
        if let Some(place) = self.desk.roaming.get_mut(group) {
            *place = roaming;
        }
    }

    /// The slots of this worker's clients of a group.
    fn slots(&self, group: usize) -> std::ops::Range<u32> {
        let workload = &self.shared.plan.workload;
        let workers = self.shared.plan.workers;
        let Some(found) = workload.groups.get(group) else { return 0..0 };
        let (_, first) = self.shared.home(group, self.index as u32);
        first..first + share(found.count, self.index, workers)
    }

    fn connect(&mut self, group: usize, anew: bool) {
        let shared = std::sync::Arc::clone(&self.shared);
        let Some(found) = shared.plan.workload.groups.get(group) else { return };
        let slots = self.slots(group);
        if self.conns.len() < slots.end as usize {
            self.conns.resize_with(slots.end as usize, || None);
        }
        let first = slots.start;
        for slot in slots {
            let number = (slot - first) * shared.plan.workers as u32 + self.index as u32;
            let Some(place) = self.conns.get_mut(slot as usize) else { continue };
            match place {
                Some(conn) if !matches!(conn.phase, Phase::Away | Phase::Resting) => continue,
                Some(conn) if anew => {
                    conn.enter(Phase::Away, self.desk.now);
                    let options = ending(conn.client.options());
                    (conn.client, conn.ending) = (Client::new(options), true);
                }
                Some(_) => {}
                None => {
                    let random = self.desk.draw(RANDOM_MAX);
                    let part = part(&shared, group, number);
                    let options = options(&shared.plan.options, found, (number, random));
                    *place = options.map(|options| Box::new(conn(options, (group, number), part)));
                }
            }
            self.queue(slot, None);
        }
    }

    /// Has connections begun at their time while some wait for it.
    pub(super) fn pace_connects(&mut self) {
        let queued = self.desk.connects.are_paced();
        let changed = self.queued.swap(queued, Ordering::AcqRel) != queued;
        match &self.pacer {
            None if queued => self.set_pace(),
            Some(pacer) if queued && changed => pacer.ask_again(),
            Some(_) | None => {}
        }
    }

    /// Wakes this worker whenever a message of its clients or a connection is due.
    fn set_pace(&mut self) {
        let alarm = Alarm::new(&self.sources, self.desk.connects.schedule());
        self.pacer = None;
        if let Some(waker) = self.shared.wakers.get(self.index) {
            let (waker, queued) =
                (std::sync::Arc::clone(waker), std::sync::Arc::clone(&self.queued));
            let after = move |now| alarm.after(now, queued.load(Ordering::Acquire));
            self.pacer = Some(Pacer::start(waker, self.shared.clock, after));
        }
    }

    fn publish(&mut self, group: usize, begin: Instant, end: Instant) {
        let shared = std::sync::Arc::clone(&self.shared);
        let Some(found) = shared.plan.workload.groups.get(group) else { return };
        let Role::Publish(publishing) = &found.role else { return };
        self.desk.publishing = true;
        self.restarted = self.desk.now;
        for slot in self.slots(group) {
            self.with(slot, |desk, conn| {
                if let Part::Publish(publisher) = &mut conn.part {
                    publisher.is_on = true;
                    publisher.left = publishing.quota(conn.number, found.count);
                    desk.refill.push(slot);
                }
                None
            });
        }
        if let Pace::Rate(rate) = publishing.pace {
            let turn = (self.index, shared.plan.workers);
            self.sources.push(Source::new(group, Beat { begin, end, rate }, found.count, turn));
            self.set_pace();
        }
    }
}

fn conn(options: ClientOptions, (group, number): (usize, u32), part: Part) -> Conn {
    Conn {
        client: Client::new(options),
        link: None,
        group: group as u16,
        number,
        phase: Phase::Away,
        touched: false,
        since: Instant::ZERO,
        due: Instant::ZERO,
        timer: Instant::FAR_FUTURE,
        turn: Instant::FAR_FUTURE,
        parting: false,
        ending: false,
        part,
    }
}

fn part(shared: &crate::engine::Shared, group: usize, number: u32) -> Part {
    let workload = &shared.plan.workload;
    match workload.groups.get(group).map(|found| (found, &found.role)) {
        Some((_, Role::Connect)) | None => Part::Idle,
        Some((_, Role::Subscribe(_))) => Part::Subscribe(Box::default()),
        Some((found, Role::Publish(publishing))) => {
            let index = workload.publisher_base(group) + number;
            let mut publisher = Publisher::new(index, publishing.qos, publishing.pace);
            publisher.topic = fixed_topic(found, publishing, number);
            publisher.awaited = shared.awaited.get(index as usize).copied().unwrap_or_default();
            Part::Publish(Box::new(publisher))
        }
    }
}

fn fixed_topic(group: &Group, publishing: &Publishing, number: u32) -> Option<TopicName> {
    if publishing.has_topics(group.count) || publishing.topic.has(crate::pattern::Place::Id) {
        return None;
    }
    let client = group.first + publishing.topic_number(number, group.count, 0);
    let text = publishing.topic.text(&Filling { client, ..Filling::default() });
    TopicName::try_from(text.as_str()).ok()
}

/// How a client introduces itself; nothing for an identifier that is no text, which was looked at
/// before the run.
fn options(
    all: &ClientOptions,
    group: &Group,
    (number, random): (u32, u64),
) -> Option<ClientOptions> {
    let mut options = all.clone();
    let id = group.id(number, random);
    options.client_id = Text::try_from(id.as_str()).ok()?;
    if let Some(will) = &group.will {
        let client = group.first + u64::from(number);
        let filling = Filling { client, id: &id, random, ..Filling::default() };
        options.will = Some(plexus_wire::Will {
            topic: TopicName::try_from(will.topic.text(&filling).as_str()).ok()?,
            payload: Bytes::from(will.payload.text(&filling)),
            qos: will.qos,
            retain: will.retain,
            delay_interval: 0,
            message_expiry_interval: None,
            properties: MessageProperties::default(),
        });
    }
    // What does not leave at once is not taken: the engine knows what waits.
    options.queue_messages_max = 0;
    if let Role::Publish(publishing) = &group.role {
        options.inflight_max = match publishing.pace {
            Pace::Window(window) => u16::try_from(window).unwrap_or(u16::MAX),
            Pace::Rate(_) if publishing.qos == Qos::AtMostOnce => options.inflight_max,
            Pace::Rate(_) => INFLIGHT_MAX,
        };
    }
    let session_expiry = &mut options.properties.session_expiry_interval;
    let kept = group.sessions.expiry(*session_expiry);
    match group.sessions {
        Sessions::Asked => {}
        Sessions::Clean => (options.clean_start, *session_expiry) = (true, 0),
        Sessions::Kept { clean_start, .. } => options.clean_start = clean_start,
    }
    *session_expiry = kept.unwrap_or(*session_expiry);
    Some(options)
}

/// The same client, which comes only so that the broker forgets its session.
fn ending(options: &ClientOptions) -> ClientOptions {
    let mut options = ClientOptions { clean_start: true, will: None, ..options.clone() };
    options.properties.session_expiry_interval = 0;
    options
}
