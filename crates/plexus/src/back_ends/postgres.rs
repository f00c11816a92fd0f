use std::sync::Arc;

use plexus_admission::{Authenticator, Marks, Tables};
use plexus_config::{Secrets, Unfit, settings::PostgresSettings};
use plexus_connector_postgres::{Postgres, PostgresOptions};
use plexus_runtime::Handle;

use super::{line, tables};

/// Where a PostgreSQL is that names no port.
const PORT: u16 = 5432;

pub(super) fn authenticator(
    settings: &PostgresSettings,
    secrets: &Secrets,
    runtime: &Handle,
) -> Result<Arc<dyn Authenticator>, Unfit> {
    let server = (settings.server.as_str(), PORT);
    let options = PostgresOptions {
        line: line(server, settings.cleartext, &settings.terms(), runtime)?,
        database: settings.database.clone(),
        user: settings.user_name.clone(),
        password: secrets.get("password").map(str::to_owned),
    };
    let queries = (&settings.query, settings.rules_query.as_ref());
    let asked = tables(queries, Marks::Numbers, &settings.passwords)?;
    Ok(Arc::new(Tables::new(Postgres::new(options, runtime), asked, runtime)))
}
