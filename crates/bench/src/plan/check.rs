//! What a workload cannot be, told before it begins.

use plexus_types::Qos;

use super::{Pace, Role, Senders, Step, Workload};

/// Why a workload would measure nothing, with the mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WorkloadError {
    /// A window of messages whose arrival nobody can tell.
    #[error(
        "without --rate a publisher waits until its messages of QoS 0 have arrived, and nothing tells \
         whose message came: the payload carries no stamp, and the topic is not its publisher's own; \
         use --rate, --qos 1, a payload of 16 bytes or more or with %s, or a topic with %i and \
         without %n and %r"
    )]
    Window,
    /// A time of nothing.
    #[error("nothing can be measured in no time; use --duration of more than 0s")]
    Duration,
}

impl Workload {
    /// Whether it measures something.
    pub fn check(&self) -> Result<(), WorkloadError> {
        if self.has_blind_window() {
            return Err(WorkloadError::Window);
        }
        if self.steps.iter().any(Step::measures_no_time) {
            return Err(WorkloadError::Duration);
        }
        Ok(())
    }

    /// Whether a publisher would wait for what it cannot know. Above QoS 0 the acknowledgement tells.
    fn has_blind_window(&self) -> bool {
        let may_be_blind = |role: &Role| match role {
            Role::Publish(publishing) => {
                publishing.awaits_delivery
                    && publishing.qos == Qos::AtMostOnce
                    && matches!(publishing.pace, Pace::Window(_))
                    && !publishing.body.is_stamped()
            }
            Role::Connect | Role::Subscribe(_) => false,
        };
        if !self.groups.iter().any(|group| may_be_blind(&group.role)) {
            return false;
        }
        let audience = self.audience();
        let awaited = self.awaited(&Senders::of(self), &audience);
        let groups = self.groups.iter().enumerate();
        groups.filter(|(_, group)| may_be_blind(&group.role)).any(|(index, group)| {
            let first = self.publisher_base(index) as usize;
            let all = audience.iter().zip(&awaited).skip(first).take(group.count as usize);
            let mut all = all.map(|(receivers, awaited)| (receivers.unwrap_or_default(), awaited));
            all.any(|(receivers, awaited)| receivers > 0 && *awaited == 0)
        })
    }
}

impl Step {
    /// Whether it would be over before anything happens. Clients that connect and leave at once are
    /// measured: their connections are.
    const fn measures_no_time(&self) -> bool {
        match self {
            Self::Publish { time: Some(time), .. }
            | Self::Churn { time, .. }
            | Self::Hold { time, measured: Some(_) } => time.is_zero(),
            Self::Publish { time: None, .. }
            | Self::Hold { measured: None, .. }
            | Self::Connect { .. }
            | Self::Settle
            | Self::Subscribe { .. }
            | Self::Collect { .. }
            | Self::Leave { .. } => false,
        }
    }
}
