//! *What it is.* Users whom clients log in as, and rules of single users and clients, that are changed while a node
//! runs: kept in one file of its data directory, a line for each change.
//!
//! *What it never does.* It decides about no client: users are looked up in the roster of `admission`, rules by the doors
//! of the listeners. It hears of no request: whoever changes something has been asked whether he may.
//!
//! *Entry points.* [`Accounts`].
//!
//! *Reading order.* `ledger`, then `journal`.
//!
//! *Tests.* Beside the code; the program from outside in `plexus`.

mod journal;
mod ledger;

pub use self::{
    journal::OpenError,
    ledger::{Accounts, AccountsError, Hashed, Whose},
};
