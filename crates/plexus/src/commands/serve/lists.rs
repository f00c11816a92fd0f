//! Revocation lists that are published at some address: fetched at the start, again and again, and kept for
//! the next start.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::mpsc::sync_channel,
    time::Duration,
};

use plexus_admission::Fetch;
use plexus_audit::{AuditPort, Event, Kind};
use plexus_config::{Config, ConfigError, Diagnostic, NodePlan, settings::CrlFailure};
use plexus_net::{CRL_SIZE_MAX, Crl, TlsOptions, read_regular_file};
use plexus_pubsub::client::trouble::of_files;
use plexus_runtime::{Handle, files};
use plexus_terminal::Failure;

use crate::{
    back_ends::Built,
    commands::validity::{now, shown},
};

/// A list that could not be fetched, or is over, is asked for again that soon.
const SOON: Duration = Duration::from_mins(1);
/// Seconds by which clocks may differ.
const CLOCKS: u64 = 24 * 60 * 60;
/// Names of files are as long as that; lists of longer addresses are not kept.
const NAME_LENGTH_MAX: usize = 200;

/// The lists of all listeners.
pub(super) struct Lists {
    sources: Vec<Source>,
    runtime: Handle,
    every: Duration,
    /// Where they are kept for the next start.
    folder: Option<PathBuf>,
    /// What was fetched, and what could not be, is reported there.
    audit: AuditPort,
}

/// An address of a listener.
struct Source {
    listener: usize,
    options: TlsOptions,
    url: String,
    fetch: Fetch,
    kept: Vec<Crl>,
    /// When it is fetched again, in seconds since 1970.
    due: u64,
    /// Why that failed the last time: it is recorded once.
    failure: Option<String>,
}

/// Which lists are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    All,
    Due,
}

impl fmt::Debug for Lists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let urls = self.sources.iter().map(|source| &source.url);
        f.debug_list().entries(urls).finish()
    }
}

impl Lists {
    /// Fetches all of them, and puts them where the listeners find them. Where one cannot be had, and none was
    /// kept, the configuration says whether the node starts.
    pub(super) fn start(
        config: &Config,
        plan: &NodePlan,
        runtime: &Handle,
    ) -> Result<Self, Failure> {
        let mut sources = Vec::new();
        for (listener, one) in plan.listeners.iter().enumerate() {
            let Some(options) = &one.net.tls else { continue };
            for url in &options.crl_urls {
                let fetch = Built::revocation_list(url, runtime);
                let fetch = fetch.map_err(|error| {
                    Failure::Config(ConfigError { diagnostics: vec![at(config, listener, error)] })
                })?;
                let (options, url) = (options.clone(), url.clone());
                sources.push(Source {
                    listener,
                    options,
                    url,
                    fetch,
                    kept: Vec::new(),
                    due: 0,
                    failure: None,
                });
            }
        }
        let settings = &config.settings.tls;
        let folder = plan.data_dir.as_ref().map(|dir| dir.join("crl"));
        let (runtime, every) = (runtime.clone(), settings.crl_refresh.get());
        let audit = plan.audit.clone();
        let mut lists = Self { sources, runtime, every, folder, audit };
        lists.read_kept();
        lists.refresh(Which::All);
        let missing = lists.sources.iter().filter(|source| source.kept.is_empty());
        let missing = missing.map(|source| {
            let message = format!("{} gives no revocation list now, and none is kept", source.url);
            let help = "see that it can be reached, or set tls.crl_on_failure = \"ignore\"";
            at(config, source.listener, message).with_help(help)
        });
        let diagnostics = missing.collect::<Vec<_>>();
        if diagnostics.is_empty() || settings.crl_on_failure == CrlFailure::Ignore {
            Ok(lists)
        } else {
            Err(Failure::Config(ConfigError { diagnostics }))
        }
    }

    /// How often to look whether one is due, if there are any.
    pub(super) fn every(&self) -> Option<Duration> {
        (!self.sources.is_empty()).then(|| self.every.min(SOON))
    }

    /// Fetches them; whether any has changed. One that cannot be had, or used, leaves the one of before.
    pub(super) fn refresh(&mut self, which: Which) -> bool {
        let now = now();
        let is_due = |source: &&mut Source| which == Which::All || source.due <= now;
        let mut asked = self.sources.iter_mut().filter(is_due).collect::<Vec<_>>();
        // All at once: one that is slow holds up no other.
        let (tells, told) = sync_channel(asked.len());
        for (number, source) in asked.iter().enumerate() {
            let (tells, fetching) = (tells.clone(), (source.fetch)());
            self.runtime.spawn(async move {
                // There is room for each, and nobody has gone.
                drop(tells.send((number, fetching.await)));
            });
        }
        drop(tells);
        let mut has_changed = false;
        for (number, fetched) in told {
            let Some(source) = asked.get_mut(number) else { continue };
            let read = fetched.and_then(|bytes| source.read(&bytes));
            let wait = match read {
                Ok(lists) => {
                    if lists != source.kept {
                        tracing::info!(url = source.url, "a revocation list has changed");
                        has_changed = true;
                        let done = Event::done(Kind::Change, "revocation_list");
                        self.audit.record(|| done.on(&*source.url));
                        source.kept = lists;
                        source.keep(self.folder.as_deref());
                    }
                    source.failure = None;
                    source.due_in(now).map_or(self.every, |next| next.max(SOON).min(self.every))
                }
                Err(error) => {
                    let (url, kept) = (&source.url, source.kept.len());
                    tracing::error!(
                        url,
                        error,
                        kept,
                        "a revocation list cannot be fetched or used"
                    );
                    if source.failure.as_ref() != Some(&error) {
                        let failed = Event::failed(Kind::Change, "revocation_list", &*error);
                        self.audit.record(|| failed.on(url));
                        source.failure = Some(error);
                    }
                    SOON.min(self.every)
                }
            };
            source.due = now + wait.as_secs();
        }
        if has_changed {
            self.give();
        }
        has_changed
    }

    /// Puts all lists where the listeners find them when they read their files anew.
    fn give(&self) {
        for source in &self.sources {
            let same = self.sources.iter().filter(|other| other.listener == source.listener);
            source.options.fetched_crls.set(same.flat_map(|one| one.kept.clone()).collect());
        }
    }

    /// The lists of the last run: they hold until others have been fetched.
    fn read_kept(&mut self) {
        let Some(folder) = &self.folder else { return };
        for source in &mut self.sources {
            let Some(file) = source.file(folder) else { continue };
            // As text it is longer than what was fetched.
            match read_regular_file(&file, 2 * CRL_SIZE_MAX) {
                Ok(bytes) => match source.read(&bytes) {
                    Ok(lists) => source.kept = lists,
                    Err(error) => tracing::warn!(error, file = %file.display(), "not used"),
                },
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => tracing::warn!(%error, file = %file.display(), "cannot be read"),
            }
        }
        self.give();
    }
}

impl Source {
    /// The lists in what was fetched, if they are no older than those of before.
    fn read(&self, bytes: &[u8]) -> Result<Vec<Crl>, String> {
        let lists = Crl::read(&self.options, &self.url, bytes).map_err(|error| of_files(&error))?;
        if let Some(list) = lists.iter().find(|list| list.made > now() + CLOCKS) {
            // Nothing that is true would be newer.
            return Err(format!("it is of {}, which is to come", shown(list.made)));
        }
        // Whoever stands between could bring back one that does not revoke yet, or leave it out.
        for old in &self.kept {
            let of_same = lists.iter().filter(|list| list.issuer == old.issuer);
            let Some(new) = of_same.map(|list| list.made).max() else {
                return Err("a list of one of the issuers of before is not in it".to_owned());
            };
            if new < old.made {
                let (old, new) = (shown(old.made), shown(new));
                return Err(format!("it is of {new}, and the one of before of {old}"));
            }
        }
        Ok(lists)
    }

    /// How long until the next list is due by this one.
    fn due_in(&self, now: u64) -> Option<Duration> {
        let due = self.kept.iter().filter_map(|list| list.due).min()?;
        Some(Duration::from_secs(due.saturating_sub(now)))
    }

    fn file(&self, folder: &Path) -> Option<PathBuf> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.';
        let name = self.url.bytes().map(|byte| match byte {
            byte if plain(byte) => char::from(byte).to_string(),
            byte => format!("-{byte:02x}"),
        });
        let name = name.collect::<String>();
        (name.len() <= NAME_LENGTH_MAX).then(|| folder.join(name))
    }

    /// Keeps the lists for the next start, one behind the other as PEM.
    fn keep(&self, folder: Option<&Path>) {
        let Some((folder, file)) = folder.and_then(|folder| Some((folder, self.file(folder)?)))
        else {
            return;
        };
        let text = self.kept.iter().map(|list| pem(list.der())).collect::<String>();
        let written =
            fs::create_dir_all(folder).and_then(|()| files::replace(&file, text.as_bytes()));
        if let Err(error) = written {
            tracing::warn!(%error, file = %file.display(), "a revocation list cannot be kept");
        }
    }
}

fn pem(der: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let text = STANDARD.encode(der);
    let lines = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line) + "\n");
    let lines = lines.collect::<String>();
    format!("-----BEGIN X509 CRL-----\n{lines}-----END X509 CRL-----\n")
}

/// A mistake in the addresses of a listener.
fn at(config: &Config, listener: usize, message: String) -> Diagnostic {
    let number = config.number(listener).to_string();
    Diagnostic::new(config.origin(&["listener", &number, "tls", "crl_urls"]), message)
}
