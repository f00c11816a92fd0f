mod banner;
mod data_dir;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::Args;
use plexus_broker::{Node, NodeHandle};
use plexus_config::{Config, NodePlan, Origin, Override};
use plexus_net::ListenUrl;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};
use toml::{Table, Value};

use super::ConfigArgs;
use crate::{
    failure::{self, Failure, print},
    log::{self, LogHandle},
    machine,
};

/// Run a node until it is told to stop
///
/// Without any configuration it listens on loopback only and asks for no password. SIGTERM and
/// SIGINT stop it: connections are told and get a moment to take what is on its way; a second
/// signal stops it at once. SIGHUP reads certificates and the log level anew.
#[derive(Debug, Clone, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    config: ConfigArgs,

    /// Listen there, and nowhere else: tcp://host:port, tls://, ws://, wss:// or unix:///path
    #[arg(long = "listen", value_name = "URL")]
    listen: Vec<String>,

    /// PEM file with the certificate of tls:// and wss:// listeners given by --listen
    #[arg(long, value_name = "FILE", requires = "tls_key", requires = "listen")]
    tls_cert: Option<PathBuf>,

    /// PEM file with the key of that certificate
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// The directory for what outlives the process
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Let clients without user name in, from every address
    #[arg(long)]
    allow_anonymous: bool,

    /// Print `listening <url>` for each listener on stdout, with its real port, then `ready`
    #[arg(long)]
    print_listeners: bool,
}

pub(crate) fn run(args: &ServeArgs) -> Result<(), Failure> {
    let config = args.load()?;
    let log = log::start(&config.settings.log)?;
    let plan = config.plan(machine::machine(), machine::seed()?)?;
    // The lock is held until the node has stopped.
    let _locked = plan.data_dir.as_deref().map(data_dir::lock).transpose()?;
    let signals = Signals::new([SIGHUP, SIGINT, SIGTERM])
        .map_err(|error| Failure::because("cannot listen to signals", &error))?;
    let NodePlan { node, listeners, shutdown_grace, anonymous, .. } = plan;
    let node =
        Node::start(node, listeners).map_err(|error| Failure::because("no start", &error))?;
    args.announce(&config, node.listeners(), anonymous)?;
    wait(signals, &Reload { args, log: &log, node: node.handle() })?;
    tracing::info!("stopping");
    node.shut_down(shutdown_grace);
    tracing::info!("stopped");
    Ok(())
}

impl ServeArgs {
    fn load(&self) -> Result<Config, Failure> {
        let mut options = Vec::new();
        if let Some(listeners) = self.listeners()? {
            let origin = format!("--listen {}", self.listen.join(" --listen "));
            options.push(Override::option(origin, &["listener"], listeners));
        }
        if let Some(dir) = &self.data_dir {
            let dir = dir.display().to_string();
            options.push(Override::option("--data-dir", &["node", "data_dir"], dir));
        }
        if self.allow_anonymous {
            let path = ["access", "allow_anonymous"];
            options.push(Override::option("--allow-anonymous", &path, true));
        }
        self.config.load(options)
    }

    /// The listeners of the options, as the configuration would have them.
    fn listeners(&self) -> Result<Option<Value>, Failure> {
        let mut listeners = Vec::new();
        for text in &self.listen {
            let url = text.parse::<ListenUrl>().map_err(|error| {
                failure::of_config(Origin::Option(format!("--listen {text}")), error.to_string())
            })?;
            let mut listener = Table::new();
            listener.insert("url".into(), url.to_string().into());
            if let (Some(cert), Some(key), true) =
                (&self.tls_cert, &self.tls_key, url.transport().is_tls())
            {
                let file = |path: &PathBuf| Value::from(path.display().to_string());
                let tls =
                    [("cert_file".to_owned(), file(cert)), ("key_file".to_owned(), file(key))];
                listener.insert("tls".into(), Table::from_iter(tls).into());
            }
            listeners.push(Value::Table(listener));
        }
        Ok((!listeners.is_empty()).then(|| listeners.into()))
    }

    fn announce(
        &self,
        config: &Config,
        listeners: &[ListenUrl],
        anonymous: bool,
    ) -> Result<(), Failure> {
        if self.print_listeners {
            let lines = listeners.iter().map(|url| format!("listening {url}\n"));
            return print(&(lines.collect::<String>() + "ready\n"));
        }
        banner::show(config.file(), listeners, anonymous);
        Ok(())
    }
}

/// What SIGHUP reads anew.
struct Reload<'a> {
    args: &'a ServeArgs,
    log: &'a LogHandle,
    node: NodeHandle,
}

impl Reload<'_> {
    fn run(&self) {
        tracing::info!("reading certificates and log level anew");
        for (listener, error) in self.node.reload_tls() {
            tracing::error!(listener, error, "the old certificate stays");
        }
        match self.args.load() {
            Ok(config) => {
                if let Err(error) = self.log.change(&config.settings.log) {
                    tracing::error!(%error, "the old log level stays");
                }
            }
            Err(error) => tracing::error!(%error, "the old log level stays"),
        }
    }
}

/// A second signal within this time is the same order once more: some supervisors tell a process
/// and then its whole group.
const ONE_ORDER: Duration = Duration::from_secs(1);

/// Returns when the node is told to stop.
fn wait(mut signals: Signals, reload: &Reload<'_>) -> Result<(), Failure> {
    for signal in signals.forever() {
        if signal == SIGHUP {
            reload.run();
        } else {
            break;
        }
    }
    let told = clock();
    // Whoever does not want to wait ends the process by telling it again.
    let impatience = move || {
        for signal in signals.forever() {
            if signal != SIGHUP && clock().saturating_duration_since(told) >= ONE_ORDER {
                drop(signal_hook::low_level::emulate_default_handler(signal));
            }
        }
    };
    let thread = std::thread::Builder::new().name("signals".to_owned()).spawn(impatience);
    thread.map(drop).map_err(|error| Failure::because("cannot start a thread", &error))
}

#[expect(clippy::disallowed_methods, reason = "signals come in real time")]
fn clock() -> Instant {
    Instant::now()
}
