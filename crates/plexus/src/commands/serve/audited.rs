//! The audit log of a node, from before its start to behind its end.

use plexus_audit::{AuditLog, AuditPort, Event, Kind};
use plexus_config::NodePlan;
use plexus_net::ListenUrl;
use plexus_terminal::Failure;

/// The log, where there is one, and the port that others report to.
pub(super) struct Audited {
    log: Option<AuditLog>,
    port: AuditPort,
    node: String,
}

impl Audited {
    /// Opens the log. A node that has to write one and cannot does not start.
    pub(super) fn start(plan: &NodePlan) -> Result<Self, Failure> {
        let log = match &plan.audit_place {
            Some((folder, options)) => {
                let log = AuditLog::start(folder, *options, &plan.audit).map_err(|error| {
                    let folder = folder.display();
                    Failure::Failed(format!(
                        "cannot write the audit log in {folder}: {error}; let the user that runs \
                         plexus write there, choose another directory as audit.dir, or set \
                         audit.enabled = false"
                    ))
                })?;
                Some(log)
            }
            None => None,
        };
        Ok(Self { log, port: plan.audit.clone(), node: plan.node.name.clone() })
    }

    /// The node serves.
    pub(super) fn started(&self, listeners: &[ListenUrl]) {
        let urls = listeners.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let version = env!("CARGO_PKG_VERSION");
        let because = format!("version {version}, process {}, {urls}", std::process::id());
        self.port.record(|| Event::done(Kind::Node, "start").on(&*self.node).because(because));
    }

    /// It did not come to that.
    pub(super) fn not_started(self, failure: Failure) -> Failure {
        let because = failure.to_string();
        self.port.record(|| Event::failed(Kind::Node, "start", because).on(&*self.node));
        self.close();
        failure
    }

    /// It was told to stop.
    pub(super) fn stops(&self) {
        self.port.record(|| Event::done(Kind::Node, "stop").on(&*self.node));
    }

    /// Nothing happens any more.
    pub(super) fn close(self) {
        if let Some(log) = self.log {
            log.close();
        }
    }
}
