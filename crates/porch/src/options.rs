use std::{collections::BTreeMap, sync::Arc, time::Duration};

use plexus_access::Policy;
use plexus_fences::Rate;
use plexus_types::{Durability, TenantName};

use crate::{FenceOptions, MeterOptions, Pace};

/// What the porch is told at the start of its node.
#[derive(Debug, Clone)]
pub struct PorchOptions {
    /// Connections of the whole node.
    pub connections_max: usize,
    /// Connections of the whole node that have not yet sent CONNECT.
    pub handshakes_max: usize,
    /// What else keeps somebody out.
    pub fences: FenceOptions,
}

/// One listener.
#[derive(Clone)]
pub struct ListenerOptions {
    /// Its name; unique in the node.
    pub name: String,
    /// Where it listens and what it speaks.
    pub net: plexus_net::ListenerOptions,
    /// Connections of this listener.
    pub connections_max: usize,
    /// How many may come to it in a time; `None` for no limit.
    pub connection_rate: Option<Rate>,
    /// How much its clients may publish in a time; `None` for no limit.
    pub meter: Option<Arc<MeterOptions>>,
    /// How long a connection may take to its CONNECT.
    pub connect_timeout: Duration,
    /// What its sessions are allowed.
    pub session: Arc<plexus_session::Options>,
    /// Who may do what.
    pub policy: Arc<dyn Policy>,
    /// What is promised of its clients' messages and sessions.
    pub durability: Durability,
    /// The tenant whose clients come in here, if it is one's alone.
    pub tenant: Option<TenantName>,
    /// The tenants that TLS clients ask for by a server name, in lower case.
    pub server_names: Arc<BTreeMap<String, TenantName>>,
}

/// What is put in the place of other limits while the node runs: for whoever comes from then on.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections of the whole node.
    pub connections_max: usize,
    /// How many may come to the node in a time; `None` for no limit.
    pub connection_rate: Option<Rate>,
    /// Those of listeners; one that is not among them keeps its own.
    pub listeners: Vec<ListenerLimits>,
}

/// The limits of one listener.
#[derive(Debug, Clone)]
pub struct ListenerLimits {
    /// Its name.
    pub name: String,
    /// Connections of this listener.
    pub connections_max: usize,
    /// How many may come to it in a time; `None` for no limit.
    pub connection_rate: Option<Rate>,
    /// What each of its clients may publish in a time.
    pub pace: Pace,
    /// How long a connection may take to its CONNECT.
    pub connect_timeout: Duration,
    /// What its sessions are allowed. Whether they outlive the process stays as it was.
    pub session: plexus_session::Options,
}

impl std::fmt::Debug for ListenerOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ListenerOptions")
            .field("name", &self.name)
            .field("url", &self.net.url)
            .finish_non_exhaustive()
    }
}
