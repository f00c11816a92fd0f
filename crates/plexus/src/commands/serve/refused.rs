//! Why a node did not start, and where the operator mends it.

use std::{io::ErrorKind, path::Path};

use plexus_broker::{OpenError, StartError};
use plexus_config::{Config, ConfigError, Origin};
use plexus_net::BindError;
use plexus_terminal::{Failure, chain};

use crate::commands::{store, verify};

/// `names` are those of the listeners, in their order.
pub(super) fn failure(error: &StartError, config: &Config, names: &[String]) -> Failure {
    let StartError::Listener { name, source: OpenError::Bind(bind) } = error else {
        let dir = config.settings.node.data_dir.as_deref().unwrap_or_else(|| Path::new("DIR"));
        return store::because("no start", dir, error);
    };
    let index = names.iter().position(|one| one == name).unwrap_or_default();
    // The same exit code as that of `plexus config check`.
    if let Some(diagnostic) = verify::of_bind(config, index, bind) {
        return Failure::Config(ConfigError::one(diagnostic));
    }
    let origin = config.origin(&["listener", &index.to_string(), "url"]);
    let own = !config.settings.listener.is_empty();
    Failure::Failed(match bind {
        // What the system says of it is told already.
        BindError::Address { source, .. } | BindError::Unix { source, .. }
            if source.kind() == ErrorKind::AddrInUse =>
        {
            format!("{bind} {}", other_place(&origin, own))
        }
        other if own => format!("{} ({origin})", chain(other)),
        other => chain(other),
    })
}

/// What chooses another address; the sentence begins with "choose another".
fn other_place(origin: &Origin, own: bool) -> String {
    match origin {
        Origin::Option(_) => "with --listen".to_owned(),
        Origin::File(_) | Origin::Variable(_) if own => format!("as its url ({origin})"),
        _ => "with --listen <url> or a [[listener]] in plexus.toml".to_owned(),
    }
}
