//! A client comes and goes.

use plexus_types::{Instant, Qos};

use super::{Census, Conn, Desk, End, Part, Phase};
use crate::{engine::conn::REST, plan::Churn};

impl Desk {
    /// How the group of a client comes and goes, while it does.
    fn roams(&self, conn: &Conn) -> Option<Churn> {
        let churn = self.group(conn)?.churn?;
        let is_on = self.roaming.get(usize::from(conn.group)).is_some_and(|on| *on);
        (is_on && !self.is_leaving(conn)).then_some(churn)
    }

    /// A client that is ready stays for a time.
    pub(super) fn begin_stay(&self, conn: &mut Conn) {
        let churn = self.roams(conn);
        conn.turn = churn.map_or(Instant::FAR_FUTURE, |churn| self.now + churn.stay);
    }

    /// The same for the first time: of so many clients one leaves after the other.
    pub(in crate::engine) fn begin_first_stay(
        &mut self,
        slot: u32,
        conn: &mut Conn,
        (begin, count): (Instant, u32),
    ) {
        if let (Phase::Ready, Some(churn)) = (conn.phase, self.roams(conn)) {
            let share = f64::from(conn.number + 1) / f64::from(count.max(1));
            conn.turn = begin + churn.stay.mul_f64(share);
            self.arm(slot, conn);
        }
    }

    /// It stays, and who rests comes at once.
    pub(in crate::engine) fn end_stay(&mut self, slot: u32, conn: &mut Conn) {
        conn.parting = false;
        conn.turn = if conn.phase == Phase::Resting { self.now } else { Instant::FAR_FUTURE };
        self.arm(slot, conn);
    }

    /// A publisher is back. What it sent with QoS 0 before it dropped its connection may never have left,
    /// and its window does not wait for it.
    pub(super) fn forgive(&self, conn: &mut Conn) {
        let churns = self.group(conn).is_some_and(|group| group.churn.is_some());
        if let (true, Part::Publish(publisher)) = (churns, &mut conn.part)
            && publisher.qos == Qos::AtMostOnce
        {
            publisher.write_off(self.delivered(publisher.index));
        }
    }

    /// Its time to leave has come; why the connection is over, if it is.
    pub(in crate::engine) fn leave_by_itself(&mut self, slot: u32, conn: &mut Conn) -> Option<End> {
        conn.turn = Instant::FAR_FUTURE;
        match self.roams(conn) {
            Some(churn) if churn.drops => {
                self.note(conn, Census::Parted);
                return Some(End::Dropped);
            }
            Some(_) => conn.parting = true,
            None => {}
        }
        self.act(slot, conn, |_, _| {})
    }

    /// Says good-bye for a client that leaves by itself, once everything that it has sent is
    /// acknowledged: what is not would be sent again as something new. Whether the client acted.
    pub(super) fn part(&mut self, conn: &mut Conn) -> bool {
        let may = conn.parting && conn.phase == Phase::Ready && conn.client.inflight() == 0;
        if may {
            self.note(conn, Census::Parted);
            Self::say_good_bye(conn, self.now, false);
        }
        may
    }

    /// Whether a client that rests is to connect when it has rested.
    pub(in crate::engine) fn may_come(&self, conn: &Conn) -> bool {
        self.comes_again(conn, true).is_some()
    }

    /// When a client whose connection is over comes again by itself, if it does; `by_itself` says
    /// whether it had left by itself.
    pub(in crate::engine) fn comes_again(&self, conn: &Conn, by_itself: bool) -> Option<Instant> {
        if self.is_leaving(conn) {
            return None;
        }
        let churns = self.group(conn).is_some_and(|group| group.churn.is_some());
        match (self.roams(conn), by_itself) {
            (Some(churn), true) => Some(self.now + churn.away),
            (Some(_), false) => Some(self.now + REST),
            // It had left before everybody was to stay.
            (None, true) if churns => Some(self.now),
            (None, _) => {
                let comes = self.storming || self.shared.plan.reconnect;
                comes.then(|| self.now + REST)
            }
        }
    }
}
