//! Users and rules that are added while the node runs.

use std::sync::{Arc, OnceLock};

use plexus_accounts::Accounts;
use plexus_broker::NodeHandle;
use plexus_config::{Config, NodePlan};
use plexus_terminal::{Failure, chain};

use crate::machine;

/// What is kept, and the node that has to hear of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    accounts: Option<Arc<Accounts>>,
    node: Arc<OnceLock<NodeHandle>>,
}

impl Kept {
    /// Opens them before the node starts, where they are asked for or could be: what cannot be read stops the start.
    pub(super) fn open(config: &Config, plan: &NodePlan) -> Result<Self, Failure> {
        let settings = &config.settings;
        let is_wanted = settings.access.accounts || settings.api.address.is_some();
        // They may be asked for later: SIGHUP opens nothing.
        let file = plan.data_dir.as_deref().map(Accounts::file);
        let Some(file) = file.filter(|file| is_wanted || file.exists()) else {
            return Ok(Self::default());
        };
        let node = Arc::<OnceLock<NodeHandle>>::default();
        let (roster, rules) = (plan.authenticators.roster().clone(), plan.rules.clone());
        let (asked, told) = (roster.clone(), Arc::clone(&node));
        let opened = Accounts::open(&file, roster, machine::seed()?, move |named| {
            rules.replace_named(asked.is_asked().then_some(named));
            if let Some(node) = told.get() {
                node.review_access();
            }
        });
        let accounts = opened
            .map_err(|error| Failure::Failed(format!("users and rules: {}", chain(&error))))?;
        Ok(Self { accounts: Some(Arc::new(accounts)), node })
    }

    /// They, where there is a place for them.
    pub(super) fn accounts(&self) -> Option<&Arc<Accounts>> {
        self.accounts.as_ref()
    }

    /// From now on that node hears of rules that change.
    pub(super) fn begin(&self, node: NodeHandle) {
        self.node.get_or_init(|| node);
    }

    /// The configuration may have begun to ask for them, or not to do so any more.
    pub(super) fn renew(&self) {
        if let Some(accounts) = &self.accounts {
            accounts.tell();
        }
    }
}
