//! What shards say to each other.

use std::sync::Arc;

use plexus_links::{Confirmed, Word};
pub use plexus_porch::ClientRef;
use plexus_topics::{InterestDelta, Member, MemberOptions, SubscriberId};
use plexus_types::{ClientId, Message, MessageId, Qos, TopicFilter};
use smallvec::SmallVec;

/// A message from shard to shard.
#[derive(Debug, Clone)]
pub enum Envelope {
    /// Match and deliver it among your clients and groups. If it is set, tell me when you have kept
    /// it.
    Publish(Arc<Message>, bool),
    /// Keep it as the retained message of its topic, or delete that if its payload is empty.
    Retain(Arc<Message>),
    /// Your client is the one of a shared group that gets this message.
    Assign(Box<Assignment>),
    /// My client did not complete this message of your group: find another.
    Return(Box<GivenBack>),
    /// My client joins your group; answer with `Joined`.
    Join(Box<Join>),
    /// The membership stands and every shard knows of it.
    Joined(Joined),
    /// My client leaves your group.
    Leave(TopicFilter, SubscriberId),
    /// What my client can take has changed.
    MemberState(SubscriberId, Availability),
    /// I have subscribers for such topics, or no longer; answer with `InterestSeen`.
    Interest(InterestDelta, u64),
    /// The same of many, after a start.
    Interests(Arc<[InterestDelta]>, u64),
    /// I know your interests up to this number, and have named messages up to this one.
    InterestSeen(u64, MessageId),
    /// Your client publishes more than mine has taken: take nothing more from it above QoS 0; or, if it is
    /// set, go on.
    Credit(ClientId, bool),
    /// My client subscribed: what retained messages have you for it?
    Replay(Box<ReplayRequest>),
    /// What have you named so far? Answer with `Named`.
    AskNamed,
    /// I have named messages up to this one.
    Named(MessageId),
    /// Go on with that replay.
    ReplayMore(ReplayMore),
    /// Stop that replay.
    ReplayStop(u32),
    /// Retained messages for your client.
    Replayed(Box<Replayed>),
    /// These of the envelopes that you want to hear of are kept.
    Kept(Box<[Confirmed]>),
}

impl Envelope {
    /// Whether taking it in can make the receiver forward something large: such envelopes wait when
    /// the receiver's own links are full, the others never do, so two full shards cannot block
    /// each other. Others are in their row because of their order, or who subscribes would be led back in
    /// time: `InterestSeen` and `Named` come behind what was published and retained before, and `Replay`
    /// behind what its sender has had retained.
    pub const fn is_request(&self) -> bool {
        match self {
            Self::Publish(..)
            | Self::Retain(_)
            | Self::Return(_)
            | Self::Join(_)
            | Self::Leave(..)
            | Self::MemberState(..)
            | Self::InterestSeen(..)
            | Self::Named(_)
            | Self::Replay(_)
            | Self::ReplayMore(_)
            | Self::ReplayStop(_) => true,
            Self::Assign(_)
            | Self::Joined(_)
            | Self::Interest(..)
            | Self::Interests(..)
            | Self::AskNamed
            | Self::Kept(..)
            | Self::Credit(..)
            | Self::Replayed(_) => false,
        }
    }

    /// Whether the sender wants to hear when it is kept. What is retained is kept where there is a
    /// log, unless its publisher was promised nothing.
    pub fn is_tracked(&self, has_log: bool) -> bool {
        match self {
            Self::Publish(_, tracked) => *tracked,
            Self::Retain(message) => has_log && message.durability.is_kept(),
            Self::Assign(assignment) => assignment.tracked,
            Self::Return(given_back) => given_back.tracked,
            _ => false,
        }
    }
}

impl Word for Envelope {
    fn is_request(&self) -> bool {
        self.is_request()
    }

    fn is_acknowledged(&self) -> bool {
        matches!(self, Self::Publish(message, _) if message.qos != Qos::AtMostOnce)
    }
}

/// A shared message for one member.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The group's whole filter: whoever is in the member's slot by now may be of other groups.
    pub filter: Arc<str>,
    /// The member in the receiving shard.
    pub subscriber: SubscriberId,
    /// The member's options in the group.
    pub options: MemberOptions,
    /// The message.
    pub message: Arc<Message>,
    /// Members that refused it before.
    pub tried: SmallVec<[Member; 2]>,
    /// Whether the sender waits until it is kept.
    pub tracked: bool,
}

/// A shared message that comes back to the owner of its group.
#[derive(Debug, Clone)]
pub struct GivenBack {
    /// The group's whole filter.
    pub filter: Arc<str>,
    /// The message.
    pub message: Arc<Message>,
    /// Members that refused it.
    pub tried: SmallVec<[Member; 2]>,
    /// Whether the sender waits until it is kept.
    pub tracked: bool,
}

/// A membership on its way to the owner of the group.
#[derive(Debug, Clone)]
pub struct Join {
    /// The whole filter, `$share/…` included.
    pub filter: TopicFilter,
    /// The member.
    pub member: Member,
    /// Its options.
    pub options: MemberOptions,
    /// What it can take now.
    pub availability: Availability,
    /// Repeated in the answer.
    pub ticket: u32,
}

/// A membership that stands.
#[derive(Debug, Clone, Copy)]
pub struct Joined {
    /// The ticket of [`Join`].
    pub ticket: u32,
}

/// What a member of shared groups can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Availability {
    /// Whether it is connected.
    pub online: bool,
    /// Whether its window and queue are full.
    pub full: bool,
    /// Its unacknowledged messages.
    pub inflight: u32,
}

/// A question for retained messages.
#[derive(Debug, Clone)]
pub struct ReplayRequest {
    /// The shard that asks.
    pub shard: u16,
    /// The client that subscribed.
    pub client: ClientRef,
    /// Which of the client's replays, with their filters, in the order in which they are answered.
    pub asked: Vec<(u64, TopicFilter)>,
    /// How many messages the client has room for.
    pub want: u32,
    /// The newest message of each shard that the shard that asks had heard of: what of them is retained
    /// has to be there before the answer.
    pub heard: Arc<[MessageId]>,
}

/// The next step of a replay.
#[derive(Debug, Clone, Copy)]
pub struct ReplayMore {
    /// The walk.
    pub cursor: u32,
    /// How many messages the client has room for.
    pub want: u32,
}

/// A part of the answer.
#[derive(Debug, Clone)]
pub struct Replayed {
    /// The shard that answers.
    pub shard: u16,
    /// The client that subscribed.
    pub client: ClientRef,
    /// The first of the replays that were asked for, with retained messages of each; the others have to
    /// be asked for again.
    pub answers: Vec<(u64, Vec<Arc<Message>>)>,
    /// Where to go on with the last of them, if there are more; the others are complete.
    pub more: Option<u32>,
}
