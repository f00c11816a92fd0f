//! The bookkeeping of one run, without I/O: which message is open, what arrived, how late.

use hdrhistogram::Histogram;
use plexus_types::{Instant, Qos};

use crate::{
    ledger::{Arrival, OpenWindow, Stream},
    payload::Stamp,
    scenario::{Scenario, Shape},
};

/// What went wrong with messages, over the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Faults {
    /// Published and never delivered.
    pub lost: u64,
    /// Delivered again.
    pub duplicates: u64,
    /// Delivered after a later message of the same publisher.
    pub out_of_order: u64,
    /// Delivered to somebody who did not subscribe, or unreadable.
    pub stray: u64,
    /// Open messages that were given up because nothing moved any more.
    pub written_off: u64,
}

/// All streams and windows of one run.
#[derive(Debug)]
pub(crate) struct Traffic {
    shape: Shape,
    qos: Qos,
    publishers: u32,
    events_to_settle: u32,
    windows: Vec<OpenWindow>,
    streams: Vec<Stream>,
    faults: Faults,
    delivered: u64,
    latency: Histogram<u64>,
}

impl Traffic {
    /// Longest latency told apart, in nanoseconds; what is above counts as this.
    const LATENCY_MAX: u64 = 60_000_000_000;
    const DIGITS: u8 = 3;

    /// Nothing published yet.
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let streams = match scenario.shape {
            Shape::Pairs => scenario.subscribers,
            _ => scenario.subscribers * scenario.publishers,
        };
        Self {
            shape: scenario.shape,
            qos: scenario.qos,
            publishers: scenario.publishers,
            events_to_settle: scenario.events_to_settle(),
            windows: (0..scenario.publishers).map(|_| OpenWindow::default()).collect(),
            streams: (0..streams).map(|_| Stream::default()).collect(),
            faults: Faults::default(),
            delivered: 0,
            latency: Histogram::new_with_bounds(1, Self::LATENCY_MAX, Self::DIGITS)
                .expect("invariant: the bounds are constants that the histogram takes"),
        }
    }

    /// The next message of that publisher, now open.
    pub(crate) fn publish(&mut self, publisher: u32, due: Instant) -> Option<Stamp> {
        let window = self.windows.get_mut(publisher as usize)?;
        Some(Stamp { publisher, sequence: window.open(self.events_to_settle), due })
    }

    /// A subscriber received a payload. Tells the publisher whose message is settled by it.
    pub(crate) fn deliver(&mut self, subscriber: u32, payload: &[u8], now: Instant) -> Option<u32> {
        let stamp = Stamp::read(payload);
        let place = stamp.and_then(|stamp| self.stream(subscriber, stamp.publisher));
        let (Some(stamp), Some(stream)) = (stamp, place.and_then(|at| self.streams.get_mut(at)))
        else {
            self.faults.stray += 1;
            return None;
        };
        match stream.arrive(stamp.sequence) {
            Arrival::Duplicate => {
                self.faults.duplicates += 1;
                return None;
            }
            Arrival::Late => self.faults.out_of_order += 1,
            Arrival::Fresh => {}
        }
        self.delivered += 1;
        let nanos = now.saturating_since(stamp.due).as_nanos();
        self.latency.saturating_record(u64::try_from(nanos).unwrap_or(Self::LATENCY_MAX));
        self.settle(stamp.publisher, stamp.sequence)
    }

    /// A publication was acknowledged. Tells the publisher if its message is settled by it.
    pub(crate) fn acknowledge(&mut self, publisher: u32, sequence: u32) -> Option<u32> {
        if self.qos == Qos::AtMostOnce {
            return None;
        }
        self.settle(publisher, sequence)
    }

    fn settle(&mut self, publisher: u32, sequence: u32) -> Option<u32> {
        let window = self.windows.get_mut(publisher as usize)?;
        window.settle(sequence).then_some(publisher)
    }

    fn stream(&self, subscriber: u32, publisher: u32) -> Option<usize> {
        if publisher >= self.publishers {
            return None;
        }
        match self.shape {
            Shape::Pairs => (subscriber == publisher).then_some(subscriber as usize),
            _ => Some((subscriber * self.publishers + publisher) as usize),
        }
    }

    /// Gives up on all open messages, so that windows can fill again.
    pub(crate) fn write_off(&mut self) {
        let open: usize = self.windows.iter_mut().map(OpenWindow::write_off).sum();
        self.faults.written_off += open as u64;
    }

    /// Whether every message has had all its events.
    pub(crate) fn is_settled(&self) -> bool {
        self.windows.iter().all(OpenWindow::is_settled)
    }

    /// Deliveries so far, duplicates apart.
    pub(crate) const fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Messages published so far.
    pub(crate) fn published(&self) -> u64 {
        self.windows.iter().map(|window| u64::from(window.published())).sum()
    }

    /// Latencies in nanoseconds since the last [`Traffic::forget_latency`].
    pub(crate) const fn latency(&self) -> &Histogram<u64> {
        &self.latency
    }

    /// Begins the measured part.
    pub(crate) fn forget_latency(&mut self) {
        self.latency.reset();
    }

    /// The faults so far; what has not arrived counts as lost, so ask when the run has drained.
    pub(crate) fn faults(&self) -> Faults {
        let lost = self.streams.iter().enumerate().map(|(place, stream)| {
            let publisher = match self.shape {
                Shape::Pairs => place,
                _ => place % (self.publishers.max(1) as usize),
            };
            stream.lost(self.windows.get(publisher).map_or(0, OpenWindow::published))
        });
        Faults { lost: lost.sum(), ..self.faults }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Pace;

    fn traffic(shape: Shape, publishers: u32, subscribers: u32, qos: Qos) -> Traffic {
        let (name, payload, pace) = ("test".to_owned(), 16, Pace::Window(1));
        let messages = 0;
        Traffic::new(&Scenario {
            name,
            shape,
            publishers,
            subscribers,
            qos,
            payload,
            pace,
            messages,
        })
    }

    #[test]
    fn a_fan_out_message_settles_with_its_last_delivery() {
        let mut traffic = traffic(Shape::FanOut, 1, 2, Qos::AtMostOnce);
        let stamp = traffic.publish(0, Instant::ZERO).expect("publisher 0 exists");
        let payload = stamp.payload(64);
        assert_eq!(traffic.deliver(0, &payload, Instant::from_nanos(1_000)), None);
        assert!(!traffic.is_settled());
        assert_eq!(traffic.deliver(1, &payload, Instant::from_nanos(3_000)), Some(0));
        assert!(traffic.is_settled());
        assert_eq!((traffic.delivered(), traffic.faults()), (2, Faults::default()));
        assert_eq!(traffic.latency().max() / 100, 30, "3 µs, as finely as the histogram tells");
    }

    #[test]
    fn above_qos_0_the_acknowledgement_is_awaited_too() {
        let mut traffic = traffic(Shape::Pairs, 1, 1, Qos::AtLeastOnce);
        let stamp = traffic.publish(0, Instant::ZERO).expect("publisher 0 exists");
        assert_eq!(traffic.acknowledge(0, stamp.sequence), None);
        assert_eq!(traffic.deliver(0, &stamp.payload(16), Instant::ZERO), Some(0));
    }

    #[test]
    fn losses_duplicates_and_strays_are_told_apart() {
        let mut traffic = traffic(Shape::Pairs, 2, 2, Qos::AtMostOnce);
        let stamps: Vec<_> = (0..3).filter_map(|_| traffic.publish(1, Instant::ZERO)).collect();
        for (subscriber, message) in [(1, 0), (1, 2), (1, 2), (0, 1)] {
            traffic.deliver(subscriber, &stamps[message].payload(16), Instant::ZERO);
        }
        traffic.deliver(1, b"short", Instant::ZERO);
        let expected = Faults { lost: 1, duplicates: 1, stray: 2, ..Faults::default() };
        assert_eq!(traffic.faults(), expected);
        traffic.write_off();
        assert!(traffic.is_settled());
        assert_eq!(traffic.faults().written_off, 1);
    }
}
