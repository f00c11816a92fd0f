use std::sync::Arc;

use plexus_admission::{Authenticator, Marks, Tables};
use plexus_config::{Secrets, Unfit, settings::MysqlSettings};
use plexus_connector_mysql::{Mysql, MysqlOptions};
use plexus_runtime::Handle;

use super::{line, tables};

/// Where a MySQL is that names no port.
const PORT: u16 = 3306;

pub(super) fn authenticator(
    settings: &MysqlSettings,
    secrets: &Secrets,
    runtime: &Handle,
) -> Result<Arc<dyn Authenticator>, Unfit> {
    let server = (settings.server.as_str(), PORT);
    let options = MysqlOptions {
        line: line(server, settings.cleartext, &settings.terms(), runtime)?,
        database: settings.database.clone(),
        user: settings.user_name.clone(),
        password: secrets.get("password").map(str::to_owned),
    };
    let queries = (&settings.query, settings.rules_query.as_ref());
    let asked = tables(queries, Marks::Questions, &settings.passwords)?;
    Ok(Arc::new(Tables::new(Mysql::new(options), asked, runtime)))
}
