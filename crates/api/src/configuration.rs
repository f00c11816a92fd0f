//! Who looks after the configuration of the node: it stands outside, and is asked through this.

use std::fmt;

use plexus_api_model::{
    ApiError, ConfigChanges, ConfigOutcome, ConfigPatch, ConfigRollback, ConfigVersion,
    EffectiveConfig,
};

/// The configuration of a running node. Whoever asks waits: files are read, and written.
pub trait Configuration: fmt::Debug + Send + Sync {
    /// What holds.
    fn effective(&self) -> Result<EffectiveConfig, ApiError>;

    /// What was changed while the node ran.
    fn changes(&self) -> Result<ConfigChanges, ApiError>;

    /// The versions that are kept, the newest first.
    fn history(&self) -> Result<Vec<ConfigVersion>, ApiError>;

    /// Changes keys, or says what would come of that.
    fn change(&self, patch: ConfigPatch, by: &str, dry: bool) -> Result<ConfigOutcome, ApiError>;

    /// Has an earlier version hold again, or says what would come of that.
    fn roll_back(
        &self,
        wanted: &ConfigRollback,
        by: &str,
        dry: bool,
    ) -> Result<ConfigOutcome, ApiError>;
}
