//! The management API of a node that asks for one.

use std::{path::PathBuf, sync::Arc};

use plexus_accounts::Accounts;
use plexus_api::{
    About, Api, BanBook, Door, FIRST_USER, Kept, People, Place, Served, StrangerOptions, described,
};
use plexus_broker::Node;
use plexus_config::{Config, NodePlan};
use plexus_net::{TlsOptions, TlsServer};
use plexus_otlp::MetricSource;
use plexus_runtime::{Handle, unix_now};
use plexus_terminal::{Failure, chain};

use super::steward::Steward;
use crate::machine;

/// What the API needs to know of a plan that is going to be carried out.
pub(super) struct Planned {
    place: Place,
    people: People,
    bans: BanBook,
    accounts: Option<Arc<Accounts>>,
    /// The folder of traces; none without a data directory.
    traces: Option<PathBuf>,
    doors: Vec<Door>,
    audit_folder: Option<PathBuf>,
    /// Name, limit of connections and tenant of each listener.
    listeners: Vec<(String, u64, Option<String>)>,
    name: String,
    allowed: Arc<plexus_session::Options>,
    audit: plexus_audit::AuditPort,
    runtime: Handle,
}

impl Planned {
    /// Opens the book of users, before the node starts: where it cannot be read nothing does.
    pub(super) fn open(
        config: &Config,
        plan: &NodePlan,
        accounts: Option<&Arc<Accounts>>,
        runtime: &Handle,
    ) -> Result<Option<Self>, Failure> {
        let settings = &config.settings.api;
        let Some(address) = settings.address else { return Ok(None) };
        let tls = match (&settings.cert_file, &settings.key_file) {
            (Some(cert), Some(key)) => {
                let options = TlsOptions::new(cert.clone(), key.clone());
                let failed = |error| Failure::because("the certificate of the API", &error);
                Some(TlsServer::new(&options).map_err(failed)?)
            }
            _ => None,
        };
        let file = plan.data_dir.as_ref().map(|dir| dir.join("api.json"));
        let is_kept = file.is_some();
        let (people, drawn) = People::open(file, runtime.clone(), machine::seed()?)
            .map_err(|error| Failure::Failed(format!("the API: {}", chain(&error))))?;
        if let Some(password) = drawn {
            tell_first_password(&password, is_kept);
        }
        let bans = BanBook::open(plan.data_dir.as_ref().map(|dir| dir.join("bans.json")))
            .map_err(|error| Failure::Failed(format!("the API: {}", chain(&error))))?;
        let doors = plan.listeners.iter().map(|listener| Door {
            name: listener.name.clone(),
            policy: Arc::clone(&listener.policy),
        });
        let listeners = plan.listeners.iter().map(|listener| {
            let tenant = listener.tenant.as_ref().map(|tenant| tenant.as_str().to_owned());
            (listener.name.clone(), listener.connections_max as u64, tenant)
        });
        Ok(Some(Self {
            place: Place {
                address,
                tls,
                strangers: StrangerOptions {
                    origins: settings.allowed_origins.clone(),
                    rate: settings.max_request_rate_per_address.get(),
                },
                seed: machine::seed()?,
            },
            people,
            bans,
            accounts: accounts.cloned(),
            traces: plan.data_dir.as_ref().map(|dir| dir.join("trace")),
            doors: doors.collect(),
            audit_folder: config.audit_place().map(|(folder, _)| folder),
            listeners: listeners.collect(),
            name: plan.node.name.clone(),
            allowed: plan.listeners.first().map(|one| Arc::clone(&one.session)).unwrap_or_default(),
            audit: plan.audit.clone(),
            runtime: runtime.clone(),
        }))
    }

    /// Serves it for that node.
    pub(super) fn serve(
        self,
        node: &Node,
        steward: Steward,
        metrics: MetricSource,
    ) -> Result<Served, Failure> {
        let scheme = if self.place.tls.is_some() { "https" } else { "http" };
        let about = About {
            name: self.name,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started: unix_now(),
            cores: u16::try_from(machine::machine().cores).unwrap_or(u16::MAX),
            listeners: described(self.listeners, node.listeners()),
            allowed: self.allowed,
            doors: self.doors,
            audit: self.audit_folder,
            metrics,
        };
        let runtime = self.runtime.clone();
        let kept = Kept {
            people: self.people,
            bans: self.bans,
            accounts: self.accounts,
            traces: self.traces,
            configuration: Arc::new(steward),
        };
        let api = Api::new(node.handle(), kept, about, self.audit, runtime);
        let served = api.serve(self.place, &self.runtime).map_err(|error| {
            Failure::Failed(format!("{}; choose another address as api.address", chain(&error)))
        })?;
        tracing::info!(url = %format_args!("{scheme}://{}", served.address()), "management API");
        Ok(served)
    }
}

/// It is told once, and not to the log: that may be sent elsewhere.
#[expect(clippy::print_stderr, reason = "for whoever starts the node, and for nobody else")]
fn tell_first_password(password: &str, is_kept: bool) {
    let until = if is_kept { "change it" } else { "it ends with this process" };
    eprintln!(
        "The management API has a new administrator: user {FIRST_USER}, password {password} ({until})."
    );
}
