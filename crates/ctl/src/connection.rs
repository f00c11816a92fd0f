//! Where the API is and who asks, from the command line and around it.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use plexus_net::{TlsClientOptions, read_regular_file};
use plexus_terminal::Failure;

use crate::{
    address::Address,
    client::{Client, Credentials},
    logins::Logins,
    secrets,
};

const CONNECTION: &str = "Connection";

/// A secret has some dozen bytes.
const SECRET_MAX: u64 = 4 * 1024;

/// Where the API is and who asks.
#[derive(Debug, Clone, Args)]
pub struct ConnectionArgs {
    /// Where the management API is
    #[arg(long, global = true, env = "PLEXUS_API_URL", default_value = "http://127.0.0.1:18083")]
    #[arg(value_name = "URL", help_heading = CONNECTION)]
    url: Address,

    /// An API key, instead of a log-in; its secret stands in --secret-file or PLEXUS_API_SECRET
    #[arg(long, global = true, env = "PLEXUS_API_KEY", hide_env_values = true)]
    #[arg(value_name = "KEY", help_heading = CONNECTION)]
    key: Option<String>,

    /// The file whose first line is the secret of the API key
    #[arg(long, global = true, value_name = "FILE", requires = "key", help_heading = CONNECTION)]
    secret_file: Option<PathBuf>,

    /// PEM file with the authorities to trust over HTTPS [default: those of the public web]
    #[arg(long, global = true, value_name = "FILE", help_heading = CONNECTION)]
    ca_file: Option<PathBuf>,

    /// Ask another machine over http:// although whoever is in between reads passwords and tokens
    #[arg(long, global = true, help_heading = CONNECTION)]
    cleartext: bool,

    /// Seconds that an answer, or the next part of it, may take
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 60, help_heading = CONNECTION)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

/// What stands around a command beside its arguments.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    /// Where log-ins are kept.
    pub(crate) logins: Option<Logins>,
    /// The secret of the API key, from the environment.
    pub(crate) secret: Option<String>,
}

impl Surroundings {
    /// Those of this process.
    pub(crate) fn of_process() -> Self {
        let secret = std::env::var_os("PLEXUS_API_SECRET").filter(|secret| !secret.is_empty());
        let secret = secret.and_then(|secret| secret.into_string().ok());
        Self { logins: Logins::of_user(), secret }
    }

    pub(crate) fn logins(&self) -> Result<&Logins, Failure> {
        self.logins.as_ref().ok_or_else(|| {
            Failure::Failed(
                "there is no directory for log-ins: neither XDG_STATE_HOME nor HOME is an absolute \
                 path; set one of them, or give an API key with --key and --secret-file"
                    .to_owned(),
            )
        })
    }
}

impl ConnectionArgs {
    /// Where the API is.
    pub(crate) const fn address(&self) -> &Address {
        &self.url
    }

    /// How long an answer may take.
    pub(crate) const fn patience(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    /// Somebody who asks as an API key, or as whoever has logged in.
    pub(crate) fn client(
        &self,
        around: &Surroundings,
        patience: Duration,
    ) -> Result<Client, Failure> {
        let credentials = match &self.key {
            Some(key) => Some(Credentials::Key(key.clone(), self.secret(around)?)),
            // Where no log-in can be kept there is none.
            None => match &around.logins {
                Some(logins) => {
                    logins.read(&self.url)?.map(|login| Credentials::Token(login.token))
                }
                None => None,
            },
        };
        if credentials.is_some() {
            self.private()?;
        }
        self.client_as(credentials, patience)
    }

    /// Somebody who shows that.
    pub(crate) fn client_as(
        &self,
        credentials: Option<Credentials>,
        patience: Duration,
    ) -> Result<Client, Failure> {
        let tls = TlsClientOptions { ca_file: self.ca_file.clone(), ..TlsClientOptions::default() };
        Client::new(self.url.clone(), credentials, &tls, patience)
    }

    /// Whether a secret may go there.
    pub(crate) fn private(&self) -> Result<(), Failure> {
        if self.cleartext || !self.url.is_overheard() {
            return Ok(());
        }
        let url = &self.url;
        Err(Failure::Usage(format!(
            "--url {url}: whoever is in between could read passwords and tokens; give an address with \
             https:// (`api.cert_file` in the node's configuration), or --cleartext where something else \
             guards the way"
        )))
    }

    fn secret(&self, around: &Surroundings) -> Result<String, Failure> {
        let Some(file) = &self.secret_file else {
            return around.secret.clone().ok_or_else(|| {
                Failure::Usage(
                    "an API key without its secret: give --secret-file, or set PLEXUS_API_SECRET"
                        .to_owned(),
                )
            });
        };
        let bytes = read_regular_file(file, SECRET_MAX).map_err(|error| {
            Failure::because(format_args!("cannot read the secret in {}", file.display()), &error)
        })?;
        secrets::first_line(&bytes)
            .map_err(|why| Failure::Failed(format!("the secret in {}: {why}", file.display())))
    }
}
