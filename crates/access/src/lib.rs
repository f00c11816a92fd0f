//! *What it is.* Who may connect, publish and subscribe: the [`Policy`] port that stands in the
//! publish path, and the policies that need nothing but memory.
//!
//! *What it never does.* It reads no file, clock or random source and holds no lock: the user file
//! comes in as text, the salt of a new hash from outside.
//!
//! *Entry points.* [`Policy`], [`AllowAll`], [`Users`], [`StoredPassword`], [`ClientFirst`],
//! [`Rules`], [`Remembered`].
//!
//! *Reading order.* `policy`, `outcome`, `notice`, `allow_all`, `users`, `password`, `users::edit`,
//! `users::import`, `scram`, `pattern`,
//! `rules`, `remembered`.
//!
//! *Tests.* `*/tests.rs` beside each file.

mod allow_all;
mod named;
mod notice;
mod outcome;
mod password;
mod pattern;
mod policy;
mod remembered;
mod rules;
mod scram;
mod template;
mod users;

pub use allow_all::AllowAll;
pub use named::{NamedRules, Subject};
pub use notice::{Notice, Visitor};
pub use outcome::{
    ATTRIBUTE_LENGTH_MAX, ATTRIBUTES_MAX, Attributes, Exchange, Outcome, Reply, Rights,
};
pub use password::{
    HashError, PasswordDigest, PasswordScheme, SALT_LENGTH, SaltPlace, SchemeError, StoredPassword,
};
pub use pattern::{Pattern, PatternError, Person, Place};
pub use policy::{
    Advice, Certificate, Credentials, Enhanced, Explanation, Gate, Policy, Principal, Verdict,
    Wanted, is_of_node,
};
pub use remembered::{Edition, Remembered};
pub use rules::{
    Act, Acts, Decision, Effect, Network, NetworkError, Rule, Rules, Who, Whose, Wildcard,
};
pub use scram::{Challenge, ClientFirst, SCRAM_ITERATIONS, ScramError, ScramKeys};
pub use template::{Shown, Template, TemplateError, TemplatePart};
pub use users::{
    Login, NameError, User, Users, UsersError, UsersProblem, check_name, edit, import,
};
