use std::sync::Arc;

use plexus_admission::Authenticator;
use plexus_config::{
    Secrets, Unfit,
    settings::{LdapProof, LdapSettings},
};
use plexus_connector_ldap::{
    Attributes, LdapAuthenticator, LdapOptions, LdapServer, Login, Place, PlaceError, Proof,
};
use plexus_runtime::Handle;

use super::{line, scheme};

/// Where a directory is that names no port: with TLS from the start, and without.
const SECURE_PORT: u16 = 636;
const PORT: u16 = 389;

pub(super) fn authenticator(
    settings: &LdapSettings,
    secrets: &Secrets,
    runtime: &Handle,
) -> Result<Arc<dyn Authenticator>, Unfit> {
    let wrong = |key, problem: &str| Unfit { key, problem: problem.to_owned() };
    let LdapSettings { start_tls, cleartext, .. } = *settings;
    if start_tls && cleartext {
        return Err(wrong("start_tls", "and `cleartext` exclude each other"));
    }
    let login = match (settings.user_name.clone(), secrets.get("password")) {
        (None, None) => None,
        (Some(name), Some(password)) if !name.is_empty() && !password.is_empty() => {
            Some(Login { name, password: password.to_owned() })
        }
        // Either alone proves nothing, and gets in as nobody.
        _ => return Err(wrong("user_name", "needs a `password`, and the other way round")),
    };
    let port = if start_tls || cleartext { PORT } else { SECURE_PORT };
    let server = (settings.server.as_str(), port);
    let line = line(server, cleartext, &settings.terms(), runtime)?;
    let proof = match settings.proof {
        LdapProof::Bind => Proof::Bind,
        LdapProof::Stored => Proof::Stored(scheme(&settings.passwords)?),
    };
    let options = LdapOptions {
        server: LdapServer { line, start_tls },
        login,
        place: place(settings)?,
        attributes: Attributes {
            password: (proof != Proof::Bind).then(|| settings.password_attribute.clone()),
            superuser: settings.superuser_attribute.clone(),
            publish: settings.publish_attribute.clone(),
            subscribe: settings.subscribe_attribute.clone(),
            all: settings.all_attribute.clone(),
        },
        proof,
    };
    Ok(Arc::new(LdapAuthenticator::new(options, runtime)))
}

/// Where the entry of a client is.
fn place(settings: &LdapSettings) -> Result<Place, Unfit> {
    let unfit = |key| move |error: PlaceError| Unfit { key, problem: error.to_string() };
    match (&settings.entry, &settings.base) {
        (Some(entry), None) => Place::named(entry.get()).map_err(unfit("entry")),
        (None, Some(base)) => Place::found(base, settings.filter.get()).map_err(|error| {
            let key = if matches!(error, PlaceError::Name(_)) { "base" } else { "filter" };
            unfit(key)(error)
        }),
        _ => {
            let problem = "finds no client: either `entry` or `base` is needed".to_owned();
            Err(Unfit { key: "name", problem })
        }
    }
}
