use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::ByteSize;

/// The record of who was refused what, and of what was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuditSettings {
    /// Whether there is an audit log where there is a place for it. It says who was refused what, and when
    /// users, rules and certificates were read anew; each record is chained to the one before it, so that
    /// `plexus audit verify` finds what was changed.
    pub enabled: bool,
    /// The directory of the audit log; `audit` in `node.data_dir` when it is left out, and no audit log
    /// without either. It is made when it is missing; where that or writing fails, the node does not
    /// start. One node at a time uses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
    /// Bytes beyond which a file is ended and the next one begun.
    pub max_file_size: ByteSize,
    /// Files that are kept; the oldest is deleted when there are more.
    #[schemars(range(min = 2))]
    pub max_files: u32,
}

impl Default for AuditSettings {
    fn default() -> Self {
        Self { enabled: true, dir: None, max_file_size: ByteSize::mib(16), max_files: 16 }
    }
}
