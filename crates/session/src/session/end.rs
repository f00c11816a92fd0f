//! What a client leaves behind: its Will, then what others may still deliver, then nothing.

use plexus_types::{Instant, Qos};

use super::Session;
use crate::{
    Action, Change, DropReason, Outbox, Output, Publication,
    phase::Phase,
    timer::{Timer, Timers},
    will::StoredWill,
};

impl Session {
    /// [MQTT-3.1.2-7]
    pub(super) fn store_will(&mut self, will: Option<StoredWill>, out: &mut Outbox) {
        let had = self.will.take().is_some();
        self.will = will.map(Box::new);
        if self.is_durable() && (had || self.will.is_some()) {
            self.record_will(out);
        }
    }

    /// The Will goes the way of every message: access control first.
    pub(super) fn publish_will(&mut self, now: Instant, out: &mut Outbox) {
        self.timers.stop(Timer::WillDelay);
        let Some(will) = self.will.take() else { return };
        if self.is_durable() {
            self.record(Change::Will(None), out); // [MQTT-3.1.2-10], [MQTT3-3.1.2-10]
        }
        self.wills_asked += 1;
        let publication = will.into_publication(now);
        out.push(Output::Authorize(Action::Publish(publication)));
    }

    pub(super) fn decide_will(
        &mut self,
        publication: Publication,
        allowed: bool,
        out: &mut Outbox,
    ) {
        self.wills_asked = self.wills_asked.saturating_sub(1);
        if allowed {
            out.push(Output::Publish(publication));
        }
        if matches!(self.phase, Phase::Ending) && self.wills_asked == 0 {
            self.complete_end(out);
        }
    }

    /// The session is over; `Ended` waits for the decision about its Will.
    pub(super) fn finish(&mut self, now: Instant, out: &mut Outbox) {
        if self.is_over() {
            return;
        }
        self.publish_will(now, out);
        self.timers = Timers::new();
        self.phase = Phase::Ending;
        if self.wills_asked == 0 {
            self.complete_end(out);
        }
    }

    fn complete_end(&mut self, out: &mut Outbox) {
        let mut dropped = 0;
        let mut parcels: Vec<_> = self.outbound.drain().map(|parcel| (parcel, true)).collect();
        parcels.extend(std::iter::from_fn(|| {
            let begun = self.queue.front_begun().is_some();
            self.dequeue(out).map(|parcel| (parcel, begun))
        }));
        let held = super::log::held(parcels.iter().map(|(parcel, _)| parcel));
        for (parcel, begun) in parcels {
            if parcel.is_done() {
                continue; // It has been received.
            }
            match parcel.shared().cloned() {
                // [MQTT-4.8.2-5]: a QoS 2 delivery that has begun goes to nobody else.
                Some(shared) if !(begun && parcel.qos() == Qos::ExactlyOnce) => {
                    out.push(Output::Redispatch(shared, parcel.body()));
                }
                _ => dropped += 1,
            }
        }
        if dropped > 0 {
            out.push(Output::Dropped(DropReason::SessionEnded, dropped));
        }
        if self.recorded {
            self.record(Change::Ended(held), out);
        }
        self.phase = Phase::Over;
        out.push(Output::Ended);
    }
}
