use std::sync::Arc;

use plexus_admission::Authenticator;
use plexus_config::{Secrets, Unfit, settings::PostgresSettings, value::Placed};
use plexus_connector_postgres::{PostgresAuthenticator, PostgresOptions, Query};
use plexus_net::TlsClientOptions;
use plexus_runtime::Handle;

use super::{line, scheme};

/// Where a PostgreSQL is that names no port.
const PORT: u16 = 5432;

pub(super) fn authenticator(
    settings: &PostgresSettings,
    secrets: &Secrets,
    runtime: &Handle,
) -> Result<Arc<dyn Authenticator>, Unfit> {
    let query = |key, placed: &Placed| {
        Query::new(placed.get()).map_err(|error| Unfit { key, problem: error.to_string() })
    };
    let tls = (!settings.cleartext).then(|| TlsClientOptions {
        ca_file: settings.ca_file.clone(),
        cert_file: settings.cert_file.clone(),
        key_file: settings.key_file.clone(),
        ..TlsClientOptions::default()
    });
    let rules = settings.rules_query.as_ref();
    let options = PostgresOptions {
        line: line(&settings.server, PORT, tls.as_ref(), runtime)?,
        database: settings.database.clone(),
        user: settings.user_name.clone(),
        password: secrets.get("password").map(str::to_owned),
        query: query("query", &settings.query)?,
        rules: rules.map(|placed| query("rules_query", placed)).transpose()?,
        scheme: scheme(&settings.passwords)?,
    };
    Ok(Arc::new(PostgresAuthenticator::new(options, runtime)))
}
