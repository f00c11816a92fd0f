//! Roles on the command line.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use plexus_api_model::Role;

/// Reads the word of a role.
pub(crate) fn parser() -> impl TypedValueParser<Value = Role> {
    let words = Role::ALL.map(|role| {
        PossibleValue::new(role.word()).help(match role {
            Role::Administrator => "everything",
            Role::Viewer => "see everything but users and keys",
            Role::Publisher => "publish, and nothing else",
        })
    });
    PossibleValuesParser::new(words).map(|word| {
        let role = Role::ALL.into_iter().find(|role| role.word() == word);
        role.unwrap_or_default()
    })
}
