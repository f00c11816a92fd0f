//! Whether a node would start with a configuration: everything that is wrong is told in one run.

use std::path::Path;

use plexus_config::{
    Config, ConfigError, Diagnostic, Examined, NodePlan, Office, Origin, settings::ListenerSettings,
};
use plexus_net::{BindError, ListenerOptions, TlsConfigError, TlsOptions, read_regular_file};
use plexus_pubsub::client::trouble::{of_files, plain};
use plexus_runtime::{Handle, Runtime};
use plexus_terminal::{Failure, chain};

use crate::{back_ends::Built, machine};

/// As much of a file as is read to see that it can be.
const FILE_SIZE_MAX: u64 = 64 * 1024 * 1024;

/// The configuration and what a node takes from it, with the threads on which it asks about clients.
/// Users and certificates are read in any case.
pub(super) fn planned(examined: Examined) -> Result<(Config, NodePlan, Runtime), Failure> {
    let runtime = machine::runtime()?;
    let (config, plan) = checked(examined, &runtime.handle())?;
    Ok((config, plan, runtime))
}

/// The same on threads that are there already.
pub(super) fn checked(examined: Examined, runtime: &Handle) -> Result<(Config, NodePlan), Failure> {
    let Examined { config, mistakes: mut diagnostics } = examined;
    let office = Office { runtime: runtime.clone(), secret: machine::secret()?, back_ends: &Built };
    let plan = config.plan(machine::machine(), machine::seed()?, &office);
    let broken = listeners(&config, runtime);
    match plan {
        Ok(plan) if diagnostics.is_empty() && broken.is_empty() => return Ok((config, plan)),
        Ok(_) => {}
        Err(error) => diagnostics.extend(error.diagnostics),
    }
    diagnostics.extend(broken);
    Err(Failure::Config(ConfigError { diagnostics }))
}

/// Files and options of listeners that cannot be used.
fn listeners(config: &Config, runtime: &Handle) -> Vec<Diagnostic> {
    let listeners = config.settings.listener.iter().enumerate();
    let broken = listeners.flat_map(|(index, listener)| {
        let urls = listener.tls.iter().flat_map(|tls| &tls.crl_urls);
        let urls = urls.filter_map(|url| Built::revocation_list(url, runtime).err());
        let urls =
            urls.map(|error| Diagnostic::new(origin(config, index, &["tls", "crl_urls"]), error));
        of_listener(config, index, listener).into_iter().chain(urls.collect::<Vec<_>>())
    });
    broken.collect()
}

fn of_listener(config: &Config, index: usize, listener: &ListenerSettings) -> Vec<Diagnostic> {
    let options = listener.tls.as_ref();
    let unread = options.into_iter().flat_map(TlsOptions::files).filter_map(|(key, path)| {
        let error = read_regular_file(path, FILE_SIZE_MAX).err()?;
        let message = format!("cannot read {}: {}", path.display(), plain(&error));
        Some(Diagnostic::new(origin(config, index, &within_tls(&key)), message))
    });
    let unread = unread.collect::<Vec<_>>();
    if !unread.is_empty() {
        return unread;
    }
    let net = ListenerOptions {
        tls: listener.tls.clone(),
        websocket: listener.websocket.clone(),
        ..ListenerOptions::new(listener.url.clone())
    };
    net.layers().err().and_then(|error| of_bind(config, index, &error)).into_iter().collect()
}

/// The path of a key of `tls` below its listener.
fn within_tls(key: &str) -> Vec<&str> {
    std::iter::once("tls").chain(key.split('.')).collect()
}

/// What is wrong with the configuration when a listener cannot be opened for that reason; nothing
/// when it is the machine's to allow, or told already.
pub(super) fn of_bind(config: &Config, index: usize, error: &BindError) -> Option<Diagnostic> {
    let settings = config.settings.listener.get(index);
    match error {
        BindError::Tls { source, .. } => {
            if matches!(**source, TlsConfigError::NoClientAuthority) {
                return None;
            }
            let key = settings.and_then(|one| one.tls.as_ref()).map(|tls| key_of(tls, source));
            let key = key.flatten();
            let path = key.as_deref().map_or_else(|| vec!["tls"], within_tls);
            let message = match &**source {
                TlsConfigError::Authority { .. }
                | TlsConfigError::Pem { .. }
                | TlsConfigError::Pair { .. }
                | TlsConfigError::Crl { .. }
                | TlsConfigError::OcspFile { .. } => of_files(source),
                other => chain(other),
            };
            Some(Diagnostic::new(origin(config, index, &path), message))
        }
        BindError::Path { .. } | BindError::Range { .. } | BindError::Url(_) => {
            let key = match error {
                BindError::Range { option, .. } => option,
                // A path in the URL comes before the other one.
                BindError::Path { url, .. } if url.websocket_path().is_none() => "websocket.path",
                _ => "url",
            };
            let path = key.split('.').collect::<Vec<_>>();
            Some(Diagnostic::new(origin(config, index, &path), chain(error)))
        }
        // Keys that contradict each other are told with the settings; the rest is the machine's to say.
        BindError::NoCertificate { .. }
        | BindError::NoTls { .. }
        | BindError::Resolve { .. }
        | BindError::NoAddress { .. }
        | BindError::Address { .. }
        | BindError::Unix { .. }
        | BindError::NotASocket { .. } => None,
    }
}

/// The key that is at fault, or whose file is.
fn key_of(options: &TlsOptions, error: &TlsConfigError) -> Option<String> {
    let key_of_file = |path: &Path| {
        options.files().into_iter().find(|(_, file)| *file == path).map(|(key, _)| key)
    };
    match error {
        TlsConfigError::Pair { key: path, .. }
        | TlsConfigError::Pem { path, .. }
        | TlsConfigError::NoCertificate { path }
        | TlsConfigError::Authority { path, .. }
        | TlsConfigError::NoCrl { path }
        | TlsConfigError::Crl { path, .. }
        | TlsConfigError::CrlSignature { path }
        | TlsConfigError::OcspFile { path, .. }
        | TlsConfigError::Ocsp { path } => key_of_file(path),
        TlsConfigError::NoName { cert }
        | TlsConfigError::BadName { cert, .. }
        | TlsConfigError::SameName { cert, .. } => {
            let number = options.certificate.iter().position(|one| one.cert_file == *cert)?;
            Some(format!("certificate.{number}.names"))
        }
        TlsConfigError::Verifier(_) => Some("client_ca_file".to_owned()),
        TlsConfigError::UnusedCrls => Some("crl_files".to_owned()),
        TlsConfigError::NoSuite => Some("cipher_suites".to_owned()),
        TlsConfigError::NoClientAuthority | TlsConfigError::HalfPair | TlsConfigError::Setup(_) => {
            None
        }
    }
}

fn origin(config: &Config, index: usize, key: &[&str]) -> Origin {
    let number = config.number(index).to_string();
    config.origin(&[&["listener", number.as_str()], key].concat())
}

/// Hosts of listeners that have no address here and now.
pub(super) fn unknown_hosts(config: &Config) -> Vec<Diagnostic> {
    use std::net::ToSocketAddrs;
    let listeners = config.settings.listener.iter().enumerate();
    let unknown = listeners.filter_map(|(index, listener)| {
        let url = &listener.url;
        if url.unix_path().is_some() {
            return None;
        }
        let error = (url.host(), url.port()).to_socket_addrs().err()?;
        let message = format!("cannot find the host of {url}: {}", plain(&error));
        let help = "a node does not start without its address";
        Some(Diagnostic::new(origin(config, index, &["url"]), message).with_help(help))
    });
    unknown.collect()
}
