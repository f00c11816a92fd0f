//! *What it is.* LDAP directories, asked for the users and rules that their entries hold, or whether a user gets in
//! there by its password.
//!
//! *What it never does.* What a client says becomes one value of a name or of a filter. An empty password gets in
//! nowhere, and no referral is followed.
//!
//! *Entry points.* [`LdapAuthenticator`].
//!
//! *Reading order.* `place`, `authenticator`, `entry`, `directory`, `session`.
//!
//! *Tests.* `tests/it`, with a real OpenLDAP that is right, slow, dead and back again, and with one that lies.

mod authenticator;
mod directory;
mod entry;
mod place;
mod session;

pub use authenticator::{LdapAuthenticator, LdapOptions, Proof};
pub use directory::{LdapServer, Login};
pub use entry::Attributes;
pub use place::{Place, PlaceError};
