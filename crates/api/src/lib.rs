//! *What it is.* The management API: operations of `api-model`, carried out on a running node, and answered over
//! HTTP. Beside them `/livez`, `/readyz`, and `/metrics` for Prometheus.
//!
//! *What it never does.* It looks into no shard: it asks, and waits on the control plane. It publishes by the door that all
//! messages come in by.
//!
//! *Entry points.* [`Api`], [`People`].
//!
//! *Reading order.* `server`, `people`, `lists`, `handlers`, `streams`, `chronicle`, `history`, `traces`, `serve`.
//!
//! *Tests.* Beside `people`; operations from outside, in `plexus`.

mod bans;
mod chronicle;
mod configuration;
mod handlers;
mod history;
mod kept;
mod lists;
mod payload;
mod people;
mod serve;
mod server;
mod strangers;
mod streams;
mod traces;

use std::{fmt, path::PathBuf, sync::Arc};

use plexus_access::Policy;
use plexus_accounts::Accounts;
use plexus_api_model::{ApiError, ErrorCode, Listener, ListenerStatus};
use plexus_audit::AuditPort;
use plexus_broker::{Metric, NodeHandle, Question, Told};
use plexus_net::ListenUrl;
use plexus_runtime::Handle;
use plexus_session::Options;
use plexus_types::Instant;
use tokio::sync::{Semaphore, oneshot};

pub use self::{
    bans::{BanBook, BansError},
    configuration::Configuration,
    people::{BookError, Caller, FIRST_USER, People},
    serve::{Place, ServeError, Served},
    strangers::StrangerOptions,
};
use self::{chronicle::Chronicle, history::History, streams::STREAMS_MAX, traces::Traces};

/// What is said of the node that does not change while it runs.
#[derive(Clone)]
pub struct About {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// When it started.
    pub started: Instant,
    /// Processors of the machine.
    pub cores: u16,
    /// Where it listens.
    pub listeners: Vec<Listener>,
    /// What clients are allowed: what is published here is held to it, too.
    pub allowed: Arc<Options>,
    /// Who decides at each listener.
    pub doors: Vec<Door>,
    /// The folder of the audit log, if there is one.
    pub audit: Option<PathBuf>,
    /// All that is measured of it and shown as metrics.
    pub metrics: Arc<dyn Fn() -> Vec<Metric> + Send + Sync>,
}

impl fmt::Debug for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("About").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Who decides at a listener what its clients may.
#[derive(Clone)]
pub struct Door {
    /// The listener's name.
    pub name: String,
    /// Who decides.
    pub policy: Arc<dyn Policy>,
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Door").field(&self.name).finish()
    }
}

/// The listeners of these names, limits of connections and tenants, with their real addresses.
pub fn described(
    listeners: Vec<(String, u64, Option<String>)>,
    urls: &[ListenUrl],
) -> Vec<Listener> {
    let with_urls = listeners.into_iter().zip(urls);
    let described = with_urls.map(|((id, max_connections, tenant), url)| Listener {
        id,
        r#type: url.transport().scheme().to_owned(),
        bind: url.to_string(),
        status: ListenerStatus { running: true, max_connections },
        tenant,
    });
    described.collect()
}

/// What the API keeps itself.
#[derive(Debug)]
pub struct Kept {
    /// Who may ask.
    pub people: People,
    /// Who is not let in.
    pub bans: BanBook,
    /// Users and rules of clients; none without a data directory.
    pub accounts: Option<Arc<Accounts>>,
    /// Who looks after the configuration.
    pub configuration: Arc<dyn Configuration>,
    /// The folder of traces; none without a data directory.
    pub traces: Option<PathBuf>,
}

/// What operations are carried out on.
pub struct Api {
    node: NodeHandle,
    people: People,
    about: About,
    audit: AuditPort,
    bans: BanBook,
    accounts: Option<Arc<Accounts>>,
    configuration: Arc<dyn Configuration>,
    chronicle: Arc<Chronicle>,
    history: History,
    traces: Traces,
    topic_counts: handlers::TopicCounts,
    slow: handlers::SlowClients,
    rates: handlers::Meter,
    /// What is carried out at the same time at most, whoever waits for it.
    turns: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    runtime: Handle,
}

/// Operations that are carried out at the same time.
const OPERATIONS_MAX: usize = 512;

impl Api {
    /// The API of that node, with what it keeps.
    pub fn new(
        node: NodeHandle,
        kept: Kept,
        about: About,
        audit: AuditPort,
        runtime: Handle,
    ) -> Arc<Self> {
        let (rates, turns) = (handlers::Meter::default(), Arc::new(Semaphore::new(OPERATIONS_MAX)));
        let (streams, chronicle) =
            (Arc::new(Semaphore::new(STREAMS_MAX)), Arc::<Chronicle>::default());
        let told = Arc::clone(&chronicle);
        audit.listen(move |event| told.note(event));
        let Kept { people, bans, accounts, traces, configuration } = kept;
        let (traces, history) = (Traces::open(traces), History::default());
        let api = Self {
            node,
            people,
            about,
            audit,
            bans,
            accounts,
            configuration,
            chronicle,
            history,
            traces,
            topic_counts: handlers::TopicCounts::default(),
            slow: handlers::SlowClients::default(),
            rates,
            turns,
            streams,
            runtime,
        };
        api.hold_to_bans();
        Arc::new(api)
    }

    /// What the shard says to the question.
    async fn ask<T: Send + 'static>(
        &self,
        shard: u16,
        question: impl FnOnce(Told<T>) -> Question,
    ) -> Result<T, ApiError> {
        let (tell, told) = oneshot::channel();
        let question = question(Box::new(move |answer| drop(tell.send(answer))));
        if self.node.ask(shard, question).is_err() {
            let message = "the node has too much to do; ask again in a moment";
            return Err(ApiError::new(ErrorCode::ServiceUnavailable, message));
        }
        told.await.map_err(|_| server::stopping())
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("about", &self.about).finish_non_exhaustive()
    }
}
