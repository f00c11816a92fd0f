use std::{fmt, net::IpAddr, sync::Arc};

use bytes::Bytes;
use plexus_types::{ClientId, Qos, ReasonCode, Text, TopicFilter, TopicName};

/// What a client says about itself before it is let in.
#[derive(Clone, PartialEq, Eq)]
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
            .finish()
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
    /// Whether nobody knows where it came from: its session was there before the node started.
    pub is_unplaced: bool,
}

/// What a policy answers at once, or that a slow check is due elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Let in.
    Allow,
    /// Refused for this reason.
    Deny(ReasonCode),
    /// Call [`Policy::verify`] where taking long hurts nobody.
    Later,
}

/// Who may connect, publish and subscribe. Asked on the shard for every message, so everything but
/// [`Policy::verify`] answers from memory without waiting.
pub trait Policy: Send + Sync {
    /// Whether the client is who it says, as far as that is known at once.
    fn authenticate(&self, credentials: &Credentials) -> Verdict;

    /// The slow part of [`Policy::authenticate`], for credentials that got [`Verdict::Later`].
    fn verify(&self, credentials: &Credentials) -> Result<(), ReasonCode>;

    /// Whether the principal may publish there; also asked for a Will when it takes effect.
    fn publish(
        &self,
        principal: &Principal,
        topic: &TopicName,
        qos: Qos,
        retain: bool,
    ) -> Result<(), ReasonCode>;

    /// Whether the principal may subscribe to that filter, `$share/…/` included.
    fn subscribe(
        &self,
        principal: &Principal,
        filter: &TopicFilter,
        qos: Qos,
    ) -> Result<(), ReasonCode>;
}

/// The rule that no policy relaxes: what the node says of itself under `$SYS` is not forged by a
/// client ([MQTT-4.7.2-1] leaves `$` topics to the server).
pub(crate) fn publish_to_system_topics(topic: &TopicName) -> Result<(), ReasonCode> {
    match topic.as_bytes().strip_prefix(b"$SYS") {
        Some([] | [b'/', ..]) => Err(ReasonCode::NotAuthorized),
        Some(_) | None => Ok(()),
    }
}
