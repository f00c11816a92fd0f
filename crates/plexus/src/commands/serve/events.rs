//! What happens to clients, told as messages.

use plexus_audit::AuditPort;
use plexus_broker::Node;
use plexus_config::Config;
use plexus_events::{EventOptions, Events};
use plexus_runtime::Handle;

/// Begins to tell, where the configuration asks for it.
pub(super) fn start(
    config: &Config,
    node: &Node,
    audit: &AuditPort,
    runtime: &Handle,
) -> Option<Events> {
    let settings = &config.settings.events;
    if settings.publish.is_empty() {
        return None;
    }
    let options = EventOptions {
        kinds: settings.publish.iter().copied().collect(),
        topics: settings.topics.iter().map(|filter| filter.get().clone()).collect(),
        node: config.settings.node.name.clone(),
    };
    let started = Events::start(options, &node.handle(), audit, runtime);
    if started.is_none() {
        tracing::error!("events are not told: the node has too much to do to begin with it");
    }
    started
}
