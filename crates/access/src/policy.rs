use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use plexus_types::{ClientId, Qos, ReasonCode, TenantName, Text, TopicFilter, TopicName};

use crate::{Act, Edition, Exchange, Notice, Outcome, Reply, Rights, Visitor};

/// What a client says about itself before it is let in.
pub struct Credentials {
    /// The identifier of the client, assigned if it had none.
    pub client_id: ClientId,
    /// User Name.
    pub user_name: Option<Text>,
    /// Password; absent is not the same as empty.
    pub password: Option<Bytes>,
    /// The address of the client, behind a proxy its real one; none on a Unix socket.
    pub peer: Option<IpAddr>,
    /// The name of the listener that it came through.
    pub listener: Arc<str>,
    /// The tenant that it comes in as, where that is known before anything is shown.
    pub tenant: Option<TenantName>,
    /// The certificate that it proved to own.
    pub certificate: Option<Arc<Certificate>>,
    /// The step of an enhanced authentication that is due, where the client asked for one.
    pub enhanced: Option<Enhanced>,
    /// What it wants to do, where it is in already and somebody is asked about an act of it.
    pub wanted: Option<Wanted>,
    /// Asked before anything slow is done about it.
    pub gate: Gate,
}

/// An [`Act`] about which somebody elsewhere is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Whether it is to publish, not to subscribe.
    pub publish: bool,
    /// The topic, or the filter with `$share/…/`.
    pub topic: Text,
    /// The quality of service.
    pub qos: Qos,
    /// Whether the message is to be retained.
    pub retain: bool,
}

/// Whether it is still worth while to find out who somebody is: he may have failed too often meanwhile.
/// Who finds out says by which name, where that is another than the one that was given: failures are
/// counted by the name that was tried. Copies are one gate.
#[derive(Clone, Default)]
pub struct Gate(Option<Arc<Watch>>);

struct Watch {
    ask: Box<AskGate>,
    tried: OnceLock<Text>,
}

type AskGate = dyn Fn(Option<&str>) -> Result<(), ReasonCode> + Send + Sync;

impl Gate {
    /// A gate that asks, from any thread, about the name that is tried, if one was told.
    pub fn new(
        ask: impl Fn(Option<&str>) -> Result<(), ReasonCode> + Send + Sync + 'static,
    ) -> Self {
        Self(Some(Arc::new(Watch { ask: Box::new(ask), tried: OnceLock::new() })))
    }

    /// That name is tried; the first one counts: a second one would be a way around it.
    pub fn try_name(&self, name: &Text) {
        if let Some(watch) = &self.0 {
            watch.tried.get_or_init(|| name.clone());
        }
    }

    /// The name that was tried, if it was told.
    pub fn tried(&self) -> Option<&str> {
        self.0.as_ref()?.tried.get().map(|name| &**name)
    }

    /// Whether it is, or what the client is told.
    pub fn ask(&self) -> Result<(), ReasonCode> {
        self.0.as_ref().map_or(Ok(()), |watch| (watch.ask)(self.tried()))
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate(…)")
    }
}

/// A step of an enhanced authentication (MQTT 5.0, section 4.12).
pub struct Enhanced {
    /// Authentication Method.
    pub method: Text,
    /// Authentication Data of the client.
    pub data: Bytes,
    /// Where the exchange stands; none at its first step.
    pub exchange: Option<Exchange>,
}

/// Who a certificate is for, as far as anything asks: of the leaf that TLS has verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certificate {
    /// The last Common Name of the subject.
    pub common_name: Option<String>,
    /// The last organization of the subject.
    pub organization: Option<String>,
    /// The whole subject as text (RFC 4514).
    pub subject: String,
    /// Subject alternative names that are DNS names.
    pub dns_names: Vec<String>,
    /// Subject alternative names that are mail addresses.
    pub mail_addresses: Vec<String>,
    /// Subject alternative names that are URIs.
    pub uris: Vec<String>,
}

/// Shows the method only.
impl fmt::Debug for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enhanced").field("method", &self.method).finish_non_exhaustive()
    }
}

/// Shows everything but the password.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", &self.client_id)
            .field("user_name", &self.user_name)
            .field("password", &self.password.as_ref().map(|_| "…"))
            .field("peer", &self.peer)
            .field("listener", &self.listener)
            .field("tenant", &self.tenant)
            .field("certificate", &self.certificate)
            .field("enhanced", &self.enhanced)
            .finish_non_exhaustive()
    }
}

/// A client that was let in: who acts when something is published or subscribed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The identifier of the client.
    pub client_id: ClientId,
    /// The user name that it proved, or that it gave where nothing needs proof.
    pub user_name: Option<Text>,
    /// The address of the client, behind a proxy its real one; none on a Unix socket.
    pub peer: Option<IpAddr>,
    /// The name of the listener that it came through.
    pub listener: Arc<str>,
    /// The tenant whose client it is.
    pub tenant: Option<TenantName>,
    /// Whether nobody knows where it came from: its session was there before the node started.
    pub is_unplaced: bool,
    /// What was found out about it; none where only the configuration speaks.
    pub rights: Option<Arc<Rights>>,
}

/// What a policy answers at once, or that somebody elsewhere finds out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Let in.
    Allow,
    /// Refused for this reason.
    Deny(ReasonCode),
    /// [`Policy::verify`] finds out; of an act [`Policy::ask`].
    Later,
}

impl Verdict {
    /// Why it is refused, if it is.
    pub const fn refused(self) -> Option<ReasonCode> {
        match self {
            Self::Deny(reason) => Some(reason),
            Self::Allow | Self::Later => None,
        }
    }
}

impl From<Result<(), ReasonCode>> for Verdict {
    fn from(result: Result<(), ReasonCode>) -> Self {
        result.map_or_else(Self::Deny, |()| Self::Allow)
    }
}

/// What a policy says to an act, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What it says.
    pub verdict: Verdict,
    /// The rule that says so, or what holds where none does.
    pub because: String,
}

/// How answers of [`Policy::ask`] are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// They are for this edition of the rules.
    pub edition: Edition,
    /// So long at most.
    pub holds: Duration,
}

/// Who may connect, publish and subscribe. Asked on the shard for every message, so everything
/// answers from memory without waiting; [`Policy::verify`] answers later.
pub trait Policy: Send + Sync {
    /// Whether the client is who it says, as far as that is known at once.
    fn authenticate(&self, credentials: &Credentials) -> Verdict;

    /// Has the slow part of [`Policy::authenticate`] done elsewhere, for credentials that got
    /// [`Verdict::Later`]. Returns at once; the reply may come from any thread.
    fn verify(&self, credentials: Credentials, reply: Reply);

    /// Whether the principal may publish there; also asked for a Will when it takes effect.
    fn publish(&self, principal: &Principal, topic: &TopicName, qos: Qos, retain: bool) -> Verdict;

    /// How answers about acts are remembered; none where nobody is asked about any.
    fn advice(&self) -> Option<Advice> {
        None
    }

    /// Has somebody elsewhere asked about an act that got [`Verdict::Later`]: it stands in the credentials.
    /// Returns at once; the reply may come from any thread.
    fn ask(&self, _: Credentials, reply: Reply) {
        reply.send(Outcome::Deny(ReasonCode::NotAuthorized));
    }

    /// Under which edition decisions about the principal may be remembered ([`Remembered`]); none where
    /// asking costs no more than remembering.
    ///
    /// [`Remembered`]: crate::Remembered
    fn edition(&self, _: &Principal) -> Option<Edition> {
        None
    }

    /// Whether the principal may subscribe to that filter, `$share/…/` included.
    fn subscribe(&self, principal: &Principal, filter: &TopicFilter, qos: Qos) -> Verdict;

    /// Whether each delivery to the principal is asked about. Then a subscription is admitted if anything of
    /// it may be allowed.
    fn filters_deliveries(&self, _: &Principal) -> bool {
        false
    }

    /// Whether the principal may have a message of that topic, where deliveries are asked about.
    fn receive(&self, _: &Principal, _: &TopicName, _: Qos) -> bool {
        true
    }

    /// What it says to an act, and why. Of the question nothing is recorded.
    fn explain(&self, principal: &Principal, act: &Act<'_>) -> Explanation {
        let verdict = match *act {
            Act::Publish { topic, qos, retain } => self.publish(principal, topic, qos, retain),
            Act::Subscribe { filter, qos } => self.subscribe(principal, filter, qos),
            Act::Receive { topic, qos } if self.receive(principal, topic, qos) => Verdict::Allow,
            Act::Receive { .. } => Verdict::Deny(ReasonCode::NotAuthorized),
        };
        Explanation { verdict, because: "there are no rules".to_owned() }
    }

    /// Keeps a record of what became of somebody. It must not wait; here nobody keeps any.
    fn note(&self, who: Visitor<'_>, notice: Notice<'_>) {
        let _ = (who, notice);
    }
}

/// The rule that no policy relaxes: what the node says of itself under `$SYS`, and of others under `$events`, is not forged by
/// a client ([MQTT-4.7.2-1] leaves `$` topics to the server).
pub(crate) fn publish_to_system_topics(topic: &TopicName) -> Result<(), ReasonCode> {
    if is_of_node(topic.as_bytes()) { Err(ReasonCode::NotAuthorized) } else { Ok(()) }
}

/// Whether only the node itself publishes to a topic, as its clients know it.
pub fn is_of_node(topic: &[u8]) -> bool {
    let below = topic.strip_prefix(b"$SYS").or_else(|| topic.strip_prefix(b"$events"));
    matches!(below, Some([] | [b'/', ..]))
}
