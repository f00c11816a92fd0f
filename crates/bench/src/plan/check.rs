//! What a workload cannot be, told before it begins.

use plexus_types::{Instant, Qos, Text, TopicFilter, TopicName};

use super::{Audience, Filling, Group, Pace, Role, Senders, Step, Workload, audience};
use crate::pattern::RANDOM_MAX;

/// Why a workload would measure nothing, or not what it says, with the mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkloadError {
    /// A window of messages whose arrival nobody can tell.
    #[error(
        "without --rate a publisher waits until its messages of QoS 0 have arrived, and nothing tells \
         whose message came: the payload carries no stamp, and the topic is not its publisher's own; \
         use --rate, --qos 1, a payload of 16 bytes or more or with %s, or a topic with %i and \
         without %n and %r"
    )]
    Window,
    /// A window of messages of which nobody can tell how often they arrive.
    #[error(
        "without a rate a publisher waits until its messages of QoS 0 have arrived, and at how many \
         receivers is not known: that differs from message to message, or there are more than {} \
         filters; use a rate, or QoS 1",
        audience::FILTERS_MAX
    )]
    Audience,
    /// Members of one shared subscription with different filters.
    #[error(
        "the members of the shared subscription `{0}` have different filters; give them the same \
         filter, without %i, %c and %r, or another name"
    )]
    Share(String),
    /// A time of nothing.
    #[error("nothing can be measured in no time; use --duration of more than 0s")]
    Duration,
    /// What a client would say is nothing that MQTT takes.
    #[error("the {what} `{text}` of group `{group}` cannot be: {why}")]
    Text {
        /// The name of the group.
        group: String,
        /// What it is.
        what: &'static str,
        /// The beginning of it.
        text: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Workload {
    /// Whether it measures something, and can.
    pub fn check(&self) -> Result<(), WorkloadError> {
        self.groups.iter().try_for_each(Group::check_texts)?;
        if let Some(name) = self.divided_share() {
            return Err(WorkloadError::Share(name));
        }
        self.check_windows()?;
        if self.steps.iter().any(Step::measures_no_time) {
            return Err(WorkloadError::Duration);
        }
        Ok(())
    }

    /// Whether a publisher would wait for what it cannot know. Above QoS 0 the acknowledgement tells.
    fn check_windows(&self) -> Result<(), WorkloadError> {
        let waiting = |group: &Group| match &group.role {
            Role::Publish(publishing) => {
                let waits = publishing.awaits_delivery
                    && publishing.qos == Qos::AtMostOnce
                    && matches!(publishing.pace, Pace::Window(_));
                waits.then(|| publishing.clone())
            }
            Role::Connect | Role::Subscribe(_) => None,
        };
        // Of the others it is known without a look at each.
        let may_be_blind = self.groups.iter().filter_map(waiting).any(|publishing| {
            !publishing.body.is_stamped()
                || publishing.topic.varies()
                || Audience::is_too_much(self)
        });
        if !may_be_blind {
            return Ok(());
        }
        let audience = self.audience();
        let awaited = self.awaited(&Senders::of(self), &audience);
        for (index, group) in self.groups.iter().enumerate() {
            let Some(publishing) = waiting(group) else { continue };
            let first = self.publisher_base(index) as usize;
            let all = audience.publishers.iter().zip(&awaited);
            for (heard, awaited) in all.skip(first).take(group.count as usize) {
                match heard.receivers {
                    None => return Err(WorkloadError::Audience),
                    Some(1..) if *awaited == 0 && !publishing.body.is_stamped() => {
                        return Err(WorkloadError::Window);
                    }
                    Some(_) => {}
                }
            }
        }
        Ok(())
    }
}

impl Group {
    /// Whether what the first and the last client say is text that MQTT takes, with the largest numbers.
    fn check_texts(&self) -> Result<(), WorkloadError> {
        let last = self.count.saturating_sub(1);
        self.check_client(0, (0, 0))?;
        self.check_client(last, (u64::MAX, RANDOM_MAX as u64 - 1))
    }

    fn check_client(&self, number: u32, numbers: (u64, u64)) -> Result<(), WorkloadError> {
        let (message, random) = numbers;
        let id = self.id(number, random);
        self.wrong("client identifier", &id, Text::try_from(id.as_str()))?;
        let client = self.first + u64::from(number);
        let time = Instant::FAR_FUTURE;
        let filling = Filling { client, id: &id, message, random, time, stamp: None };
        match &self.role {
            Role::Connect => {}
            Role::Subscribe(subscribing) => {
                let message = u64::from(subscribing.each.saturating_sub(1));
                let filter = subscribing.filter(&Filling { message, ..filling });
                self.wrong("filter", &filter, TopicFilter::try_from(filter.as_str()))?;
            }
            Role::Publish(publishing) => {
                let topics = u64::from(publishing.topics.unwrap_or_default().saturating_sub(1));
                let client = client.max(self.first + topics);
                let topic = publishing.topic.text(&Filling { client, ..filling });
                self.wrong("topic", &topic, TopicName::try_from(topic.as_str()))?;
                for property in &publishing.user_properties {
                    let value = property.value().text(&filling);
                    self.wrong("user property", &value, Text::try_from(value.as_str()))?;
                }
            }
        }
        let Some(will) = &self.will else { return Ok(()) };
        let topic = will.topic.text(&filling);
        self.wrong("topic of the will", &topic, TopicName::try_from(topic.as_str()))?;
        let payload = will.payload.text(&filling);
        let most = Text::LENGTH_MAX;
        let fits = (payload.len() <= most).then_some(());
        let fits = fits.ok_or_else(|| format!("it has at most {most} bytes"));
        self.wrong("payload of the will", &payload, fits)
    }

    fn wrong<T>(
        &self,
        what: &'static str,
        text: &str,
        read: Result<T, impl ToString>,
    ) -> Result<(), WorkloadError> {
        const SHOWN: usize = 40;
        read.map(drop).map_err(|why| WorkloadError::Text {
            group: self.name.clone(),
            what,
            text: text.chars().take(SHOWN).collect(),
            why: why.to_string(),
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
