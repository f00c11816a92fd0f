//! *What it is.* `plexus.toml`, environment and command line merged into one checked tree, the
//! mistakes in it shown with their place, and the tree as the options of the parts of a node.
//!
//! *What it never does.* It opens no socket and starts nothing. No crate below the program imports
//! it: the parts get plain values.
//!
//! *Entry points.* [`load`](fn@load), [`Config`], [`Settings`], [`schema::json_schema`].
//!
//! *Reading order.* `settings`, `value`, `load`, `check`, `ranges`, `report`, `node`, `schema`,
//! `reference`, `show`.
//!
//! *Tests.* Beside each file: mistakes as they are shown, and the generated pages against the tree.

mod admission;
mod asking;
mod chains;
mod check;
mod door;
mod explain;
mod fences;
mod live;
mod load;
mod node;
mod ranges;
mod reference;
pub mod report;
mod rules;
pub mod schema;
mod session;
pub mod settings;
mod show;
mod suggest;
mod telemetry;
mod tenants;
mod users;
pub mod value;

pub use admission::{BackEnds, Office, Secrets, Unfit};
pub use check::is_local;
pub use live::{LiveAuthenticators, LiveRules};
pub use load::{
    Config, Examined, File, Override, OverrideValue, Sources, VARIABLE_PREFIX, examine, is_secret,
    load,
};
pub use node::{Machine, NodePlan};
pub use reference::markdown;
pub use report::{ConfigError, Diagnostic, Origin, on_one_line};
pub use settings::Settings;
pub use telemetry::TelemetryPlan;
