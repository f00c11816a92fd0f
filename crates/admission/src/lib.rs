//! *What it is.* Who comes in: the chain of authenticators that a listener asks, with what keeps one that
//! is slow or dead from harming the others, those authenticators that need no back end, and what the others have in
//! common.
//!
//! *What it never does.* It runs on no shard, and it knows no configuration file. What a client may do
//! once it is in is decided by `access`.
//!
//! *Entry points.* [`Chain`], [`Advisers`], [`Step`], [`Authenticator`], [`UserTable`], [`Tokens`],
//! [`Tables`].
//!
//! *Reading order.* `authenticator`, `chain`, `step`, `breaker`, `cache`, `advisers`, then `stored`, `users`, `tokens`,
//! `certificates`, `pool`, `tables`, `expression`.
//!
//! *Tests.* Beside the code, with authenticators that answer late, never and wrongly; the binary
//! from outside in `plexus`.

mod advisers;
mod authenticator;
mod breaker;
mod cache;
mod certificates;
mod chain;
mod expression;
mod pool;
mod rights;
mod roster;
mod step;
mod stored;
mod tables;
mod tokens;
mod users;

pub use advisers::Advisers;
pub use authenticator::{Answer, Asking, Authenticator, Preparing, Trouble};
pub use certificates::{CertificateName, CertificateOptions, Certificates};
pub use chain::{Chain, Strangers};
pub use expression::{Derived, Expression, ExpressionError};
pub use pool::{Pool, Server};
pub use rights::{RulesError, attributes_of, rules_of};
pub use roster::Roster;
pub use step::{OnTrouble, Step, StepOptions};
pub use stored::{Fields, PasswordCheck, StoredUser, rules_of_records};
pub use tables::{Inquiry, Marks, Query, QueryError, TableOptions, Tables};
pub use tokens::{Algorithm, Fetch, Fetching, KeyError, Keys, TokenOptions, TokenSource, Tokens};
pub use users::{UserBook, UserTable, UsersBy};
