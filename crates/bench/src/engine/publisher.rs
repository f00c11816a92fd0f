//! What a publishing client has sent and what it waits for. Pure.

use std::collections::VecDeque;

use plexus_session::Ticket;
use plexus_types::{Instant, MessageProperties, Qos, TopicName};

use crate::plan::Pace;

/// Messages of a fixed rate that may wait for a full window.
const WAITING_MAX: usize = 100_000;

/// The sending side of one client.
#[derive(Debug)]
pub(super) struct Publisher {
    /// Among all publishers.
    pub(super) index: u32,
    /// The topic, if it is always the same.
    pub(super) topic: Option<TopicName>,
    /// The properties, if they are always the same and have been made.
    pub(super) properties: Option<MessageProperties>,
    pub(super) qos: Qos,
    pub(super) pace: Pace,
    /// Deliveries that each message waits for; zero for none.
    pub(super) awaited: u32,
    /// Messages that it may still send; of a fixed rate, that may still become due.
    pub(super) left: u64,
    /// Whether it is to publish.
    pub(super) is_on: bool,
    published: u64,
    acknowledged: u64,
    /// Window slots taken back without their message having settled.
    forgiven: u64,
    /// Due times of messages that a full window holds up.
    waiting: VecDeque<Instant>,
    /// Messages of QoS 1 and 2 under way, in order.
    unacknowledged: VecDeque<(Ticket, Instant)>,
}

impl Publisher {
    pub(super) const fn new(index: u32, qos: Qos, pace: Pace) -> Self {
        Self {
            index,
            topic: None,
            properties: None,
            qos,
            pace,
            awaited: 0,
            left: 0,
            is_on: false,
            published: 0,
            acknowledged: 0,
            forgiven: 0,
            waiting: VecDeque::new(),
            unacknowledged: VecDeque::new(),
        }
    }

    /// How many messages it has sent.
    pub(super) const fn published(&self) -> u64 {
        self.published
    }

    /// Takes up to so many messages of a fixed rate out of what it may send; tells how many there were.
    pub(super) fn take(&mut self, number: u64) -> u64 {
        let taken = number.min(self.left);
        self.left -= taken;
        taken
    }

    /// A message left; above QoS 0 with the ticket that tells its fate.
    pub(super) fn sent(&mut self, ticket: Ticket, due: Instant) {
        self.published += 1;
        match self.pace {
            Pace::Window(_) => self.left = self.left.saturating_sub(1),
            // It was taken when it was due.
            Pace::Rate(_) => {}
        }
        if self.qos != Qos::AtMostOnce {
            self.unacknowledged.push_back((ticket, due));
        }
    }

    /// The fate of a message is known; tells when it was due.
    pub(super) fn settled(&mut self, ticket: Ticket) -> Option<Instant> {
        // Brokers acknowledge in order, so this is nearly always the first.
        let place = self.unacknowledged.iter().position(|(open, _)| *open == ticket)?;
        let (_, due) = self.unacknowledged.remove(place)?;
        self.acknowledged += 1;
        Some(due)
    }

    /// Messages that may be sent now so that no more than a window is open; `delivered` counts
    /// deliveries of all its messages.
    pub(super) fn room(&mut self, delivered: u64) -> u64 {
        let Pace::Window(window) = self.pace else { return 0 };
        let window = u64::from(window);
        let acknowledged = (self.qos != Qos::AtMostOnce).then_some(self.acknowledged);
        let arrived = (self.awaited > 0).then(|| delivered / u64::from(self.awaited.max(1)));
        // Without either there is nothing to wait for but the socket.
        let settled = match (acknowledged, arrived) {
            (Some(acknowledged), Some(arrived)) => acknowledged.min(arrived),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return window.min(self.left),
        };
        // What was written off and came after all is forgiven no longer.
        self.forgiven = self.forgiven.min(self.published.saturating_sub(settled));
        let open = self.published - (settled.min(self.published) + self.forgiven);
        window.saturating_sub(open).min(self.left)
    }

    /// Whether nothing but the socket holds it up.
    pub(super) fn is_unbounded(&self) -> bool {
        self.qos == Qos::AtMostOnce && self.awaited == 0 && matches!(self.pace, Pace::Window(_))
    }

    /// Takes the whole window back; tells how many messages were open.
    pub(super) fn write_off(&mut self, delivered: u64) -> u64 {
        let Pace::Window(window) = self.pace else { return 0 };
        if self.left == 0 || self.is_unbounded() {
            return 0;
        }
        let open = u64::from(window).saturating_sub(self.room(delivered).min(u64::from(window)));
        self.forgiven += open;
        open
    }

    /// A message is due that cannot leave; false if too many wait already.
    pub(super) fn wait(&mut self, due: Instant) -> bool {
        let fits = self.waiting.len() < WAITING_MAX;
        if fits {
            self.waiting.push_back(due);
        }
        fits
    }

    /// Whether messages wait.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Gives up the messages that wait; tells how many there were.
    pub(super) fn give_up_waiting(&mut self) -> u64 {
        std::mem::take(&mut self.waiting).len() as u64
    }

    /// The message that has waited longest.
    pub(super) fn next_waiting(&mut self) -> Option<Instant> {
        self.waiting.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publisher(qos: Qos, awaited: u32) -> Publisher {
        let new = Publisher::new(0, qos, Pace::Window(3));
        Publisher { awaited, left: 10, is_on: true, ..new }
    }

    /// A session gives tickets, and nobody else: one message of a client is published for each.
    fn ticket() -> Ticket {
        use plexus_session::{Client, ClientOptions, PublishRequest};
        let mut client = Client::new(ClientOptions::default());
        let topic = TopicName::try_from("a").unwrap();
        let request = PublishRequest::new(topic, bytes::Bytes::new(), Qos::AtLeastOnce);
        client.publish(Instant::ZERO, request).unwrap()
    }

    #[test]
    fn a_window_is_of_messages_that_have_not_arrived_everywhere() {
        let mut publisher = publisher(Qos::AtMostOnce, 2);
        assert_eq!(publisher.room(0), 3);
        (0..3).for_each(|_| publisher.sent(ticket(), Instant::ZERO));
        assert_eq!((publisher.room(0), publisher.room(1), publisher.room(2)), (0, 0, 1));
        assert_eq!((publisher.room(6), publisher.room(9)), (3, 3));
    }

    #[test]
    fn above_qos_0_the_acknowledgement_is_awaited_too() {
        let mut publisher = publisher(Qos::AtLeastOnce, 1);
        publisher.sent(ticket(), Instant::from_secs(7));
        assert_eq!(publisher.room(1), 2);
        assert_eq!(publisher.settled(ticket()), Some(Instant::from_secs(7)));
        assert_eq!((publisher.room(0), publisher.room(1)), (2, 3));
        assert_eq!(publisher.settled(ticket()), None, "told once");
    }

    #[test]
    fn what_was_written_off_frees_the_window() {
        let mut publisher = publisher(Qos::AtMostOnce, 1);
        (0..3).for_each(|_| publisher.sent(ticket(), Instant::ZERO));
        assert_eq!(publisher.write_off(1), 2);
        assert_eq!(publisher.room(1), 3);
        assert_eq!(publisher.room(3), 3, "what comes late frees nothing more than the window");
    }

    #[test]
    fn what_waits_is_part_of_the_quota() {
        let new = Publisher::new(0, Qos::AtLeastOnce, Pace::Rate(9));
        let mut publisher = Publisher { left: 3, ..new };
        assert_eq!((publisher.take(1), publisher.take(1)), (1, 1));
        assert!(publisher.wait(Instant::ZERO) && publisher.wait(Instant::ZERO));
        assert_eq!(publisher.next_waiting(), Some(Instant::ZERO));
        publisher.sent(ticket(), Instant::ZERO);
        assert_eq!((publisher.left, publisher.take(5)), (1, 1));
        assert_eq!((publisher.give_up_waiting(), publisher.has_waiting()), (1, false));
    }

    #[test]
    fn a_quota_ends_it() {
        let mut publisher = Publisher { left: 1, ..publisher(Qos::AtMostOnce, 0) };
        assert!(publisher.is_unbounded());
        assert_eq!(publisher.room(0), 1);
        publisher.sent(ticket(), Instant::ZERO);
        assert_eq!((publisher.room(0), publisher.published()), (0, 1));
    }
}
