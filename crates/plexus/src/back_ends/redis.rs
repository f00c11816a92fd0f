use std::sync::Arc;

use plexus_admission::Authenticator;
use plexus_config::{Secrets, Unfit, settings::RedisSettings};
use plexus_connector_redis::{Command, RedisAuthenticator, RedisOptions};
use plexus_runtime::Handle;

use super::{line, scheme};

/// Where a Redis is that names no port.
const PORT: u16 = 6379;

pub(super) fn authenticator(
    settings: &RedisSettings,
    secrets: &Secrets,
    runtime: &Handle,
) -> Result<Arc<dyn Authenticator>, Unfit> {
    let command = |key, text: &str| {
        Command::parse(text).map_err(|error| Unfit { key, problem: error.to_string() })
    };
    let server = (settings.server.as_str(), PORT);
    let rules = settings.rules_command.as_ref();
    let options = RedisOptions {
        line: line(server, settings.cleartext, &settings.terms(), runtime)?,
        user: settings.user_name.clone(),
        password: secrets.get("password").map(str::to_owned),
        database: settings.database,
        command: command("command", &settings.command)?,
        rules: rules.map(|text| command("rules_command", text)).transpose()?,
        scheme: scheme(&settings.passwords)?,
    };
    Ok(Arc::new(RedisAuthenticator::new(options, runtime)))
}
