//! The border between the porch and the shards.

use std::{net::IpAddr, sync::Arc};

use bytes::BytesMut;
use plexus_access::{Certificate, Policy};
use plexus_net::Stream;
use plexus_types::{ClientId, Durability, TenantName};
use plexus_wire::{Connect, Decoder};

use crate::{Guard, ListenerOptions, MeterOptions};

/// The shards, as far as the porch needs to know of them.
pub trait Homes: Send {
    /// The home of a client.
    fn home(&self, client: &ClientId) -> u16;

    /// Hands a connection over to that home; it comes back when there is no room at the moment.
    fn hand_over(&self, home: u16, incoming: Box<Incoming>) -> Result<(), Box<Incoming>>;
}

/// A connection on its way from the porch to its home.
#[derive(Debug)]
pub struct Incoming {
    /// The connection.
    pub stream: Stream,
    /// What has read CONNECT from it.
    pub decoder: Decoder,
    /// Bytes that came after CONNECT.
    pub rest: BytesMut,
    /// What it says.
    pub arrival: Arrival,
    /// Counts the connection as long as it lives.
    pub guard: Guard,
}

/// A connection whose CONNECT has been read, at the door of its home shard.
#[derive(Debug)]
pub struct Arrival {
    /// The CONNECT.
    pub connect: Box<Connect>,
    /// The identifier that was drawn when CONNECT had none; the home is chosen by it.
    pub assigned: Option<ClientId>,
    /// Where it came in.
    pub door: Arc<Door>,
    /// The address of the client, behind a proxy its real one; none on a Unix socket.
    pub peer: Option<IpAddr>,
    /// The certificate that it has shown and that TLS has verified.
    pub certificate: Option<Arc<Certificate>>,
    /// The tenant whose server name it asked for.
    pub named: Option<TenantName>,
}

/// The listener that a client came through, as far as the shard cares.
#[derive(Clone)]
pub struct Door {
    /// The name of the listener, for log and policy.
    pub name: Arc<str>,
    /// What its sessions are allowed.
    pub options: Arc<plexus_session::Options>,
    /// Who may do what.
    pub policy: Arc<dyn Policy>,
    /// What is promised of its clients' messages, and of their sessions if they are durable.
    pub durability: Durability,
    /// The tenant whose clients come in here, if it is one's alone.
    pub tenant: Option<TenantName>,
    /// How much each client may publish in a time; `None` for no limit.
    pub meter: Option<Arc<MeterOptions>>,
}

impl Door {
    /// The door of a listener.
    pub fn of(options: &ListenerOptions) -> Self {
        Self {
            name: options.name.as_str().into(),
            options: Arc::clone(&options.session),
            policy: Arc::clone(&options.policy),
            durability: options.durability,
            tenant: options.tenant.clone(),
            meter: options.meter.clone(),
        }
    }
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("name", &self.name).finish_non_exhaustive()
    }
}
