//! Whether the peer still lives: one and a half times its Keep Alive without a packet is too long.

use std::time::Duration;

use plexus_types::Instant;

/// The Keep Alive of one connection.
///
/// A packet only notes the time; the deadline that is armed stays where it is and is moved when it
/// comes due, so that a busy connection costs no timer operation per packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeepAlive {
    heard: Instant,
    seconds: u16,
}

impl KeepAlive {
    pub(crate) const fn new(seconds: u16, now: Instant) -> Self {
        Self { heard: now, seconds }
    }

    /// Keep Alive in seconds, zero for none.
    pub(crate) const fn seconds(&self) -> u16 {
        self.seconds
    }

    /// A packet came.
    pub(crate) fn hear(&mut self, now: Instant) {
        self.heard = now;
    }

    /// When the connection is given up if nothing comes; never with a Keep Alive of zero
    /// ([MQTT-3.1.2-22]).
    pub(crate) fn deadline(&self) -> Instant {
        if self.seconds == 0 {
            return Instant::FAR_FUTURE;
        }
        self.heard + Duration::from_millis(u64::from(self.seconds) * 1_500)
    }
}

#[cfg(test)]
mod tests {
    use plexus_types::Instant;

    use super::KeepAlive;

    /// [MQTT-3.1.2-22]
    #[test]
    fn a_peer_has_one_and_a_half_keep_alive() {
        let mut keep_alive = KeepAlive::new(10, Instant::from_secs(100));
        assert_eq!(keep_alive.deadline(), Instant::from_secs(115));
        keep_alive.hear(Instant::from_secs(110));
        assert_eq!(keep_alive.deadline(), Instant::from_secs(125));
        assert_eq!(KeepAlive::new(0, Instant::ZERO).deadline(), Instant::FAR_FUTURE);
    }
}
