//! How it was: samples of the node's numbers, for charts.

use std::{collections::VecDeque, sync::Mutex, time::Duration};

use plexus_api_model::Sample;

use crate::lists::locked;

/// How often a sample is taken.
pub(crate) const EVERY: Duration = Duration::from_secs(10);
/// A day of them: some 800 KB.
const SAMPLES_MAX: usize = 8_640;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct History(Mutex<Samples>);

#[derive(Debug, Default)]
struct Samples {
    /// What has only grown, as it was at the last of them.
    before: Option<Sample>,
    kept: VecDeque<Sample>,
}

impl History {
    /// Takes one more, whose growing numbers are those since the start.
    pub(crate) fn add(&self, now: &Sample) {
        let mut samples = locked(&self.0);
        if let Some(before) = samples.before.replace(now.clone()) {
            let since = |now: u64, before: u64| now.saturating_sub(before);
            let sample = Sample {
                received: since(now.received, before.received),
                sent: since(now.sent, before.sent),
                dropped: since(now.dropped, before.dropped),
                received_bytes: since(now.received_bytes, before.received_bytes),
                sent_bytes: since(now.sent_bytes, before.sent_bytes),
                ..now.clone()
            };
            if samples.kept.len() >= SAMPLES_MAX {
                samples.kept.pop_front();
            }
            samples.kept.push_back(sample);
        }
    }

    /// Those from that moment on, the oldest first.
    pub(crate) fn since(&self, millis: u64) -> Vec<Sample> {
        let samples = locked(&self.0);
        samples.kept.iter().filter(|sample| sample.time_stamp >= millis).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use plexus_api_model::Sample;

    use super::{History, SAMPLES_MAX};

    fn sample(time_stamp: u64, received: u64) -> Sample {
        Sample {
            time_stamp,
            connections: 1,
            live_connections: 1,
            subscriptions: 0,
            retained_msg_count: 0,
            received,
            sent: 0,
            dropped: 0,
            received_bytes: 0,
            sent_bytes: 0,
            queued: 0,
            memory: 0,
        }
    }

    #[test]
    fn what_grows_is_told_by_how_much() {
        let history = History::default();
        for (at, received) in [(10, 100), (20, 130), (30, 130)] {
            history.add(&sample(at, received));
        }
        let told: Vec<_> =
            history.since(20).iter().map(|it| (it.time_stamp, it.received)).collect();
        assert_eq!(told, [(20, 30), (30, 0)]);
        for at in 0..SAMPLES_MAX as u64 {
            history.add(&sample(100 + at, 200));
        }
        assert_eq!(history.since(0).len(), SAMPLES_MAX);
    }
}
