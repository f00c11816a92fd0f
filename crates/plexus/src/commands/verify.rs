//! Whether a node would start with a configuration: everything that is wrong is told in one run.

use std::path::Path;

use plexus_config::{
    Config, ConfigError, Diagnostic, Examined, NodePlan, Office, Origin, settings::ListenerSettings,
};
use plexus_net::{BindError, ListenerOptions, TlsConfigError, TlsOptions, read_regular_file};
use plexus_runtime::Runtime;

use crate::{
    back_ends::Built,
    client::trouble::{of_files, plain},
    failure::{Failure, chain},
    machine,
};

/// As much of a file as is read to see that it can be.
const PEM_SIZE_MAX: u64 = 16 * 1024 * 1024;

/// The configuration and what a node takes from it, with the threads on which it asks about clients.
/// Users and certificates are read in any case.
pub(super) fn planned(examined: Examined) -> Result<(Config, NodePlan, Runtime), Failure> {
    let Examined { config, mistakes: mut diagnostics } = examined;
    let runtime = machine::runtime()?;
    let office =
        Office { runtime: runtime.handle(), secret: machine::secret()?, back_ends: &Built };
    let plan = config.plan(machine::machine(), machine::seed()?, &office);
    let broken = listeners(&config);
    match plan {
        Ok(plan) if diagnostics.is_empty() && broken.is_empty() => {
            return Ok((config, plan, runtime));
        }
        Ok(_) => {}
        Err(error) => diagnostics.extend(error.diagnostics),
    }
    diagnostics.extend(broken);
    Err(Failure::Config(ConfigError { diagnostics }))
}

/// Files and options of listeners that cannot be used.
fn listeners(config: &Config) -> Vec<Diagnostic> {
    let listeners = config.settings.listener.iter().enumerate();
    listeners.flat_map(|(index, listener)| of_listener(config, index, listener)).collect()
}

fn of_listener(config: &Config, index: usize, listener: &ListenerSettings) -> Vec<Diagnostic> {
    let options = listener.tls.as_ref();
    let unread = options.into_iter().flat_map(files).filter_map(|(key, path)| {
        let error = read_regular_file(path, PEM_SIZE_MAX).err()?;
        let message = format!("cannot read {}: {}", path.display(), plain(&error));
        Some(Diagnostic::new(origin(config, index, &["tls", key]), message))
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

fn files(options: &TlsOptions) -> impl Iterator<Item = (&'static str, &Path)> {
    let authorities = options.client_ca_file.as_deref().map(|path| ("client_ca_file", path));
    let pair = [("cert_file", options.cert_file.as_path()), ("key_file", &options.key_file)];
    pair.into_iter().chain(authorities)
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
            let path = [Some("tls"), key.flatten()];
            let path = path.into_iter().flatten().collect::<Vec<_>>();
            let message = match &**source {
                TlsConfigError::Authority { .. }
                | TlsConfigError::Pem { .. }
                | TlsConfigError::Pair { .. } => of_files(source),
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

/// The key whose file is at fault.
fn key_of(options: &TlsOptions, error: &TlsConfigError) -> Option<&'static str> {
    let path = match error {
        TlsConfigError::Pair { .. } => return Some("key_file"),
        TlsConfigError::Verifier(_) => return Some("client_ca_file"),
        TlsConfigError::Pem { path, .. }
        | TlsConfigError::NoCertificate { path }
        | TlsConfigError::Authority { path, .. } => path,
        TlsConfigError::NoClientAuthority | TlsConfigError::HalfPair | TlsConfigError::Setup(_) => {
            return None;
        }
    };
    files(options).find(|(_, file)| file == path).map(|(key, _)| key)
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
