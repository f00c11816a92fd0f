mod accounts;
mod api;
mod audited;
mod banner;
mod certificates;
pub(super) mod data_dir;
mod events;
mod lists;
mod notices;
mod refused;
mod reload;
mod steward;
mod stop;
mod telemetry;
mod way;
mod worker;

use std::{
    io::{self, IsTerminal},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use clap::Args;
use plexus_broker::Node;
use plexus_config::{Config, Diagnostic, Examined, NodePlan, Origin, Override};
use plexus_net::ListenUrl;
use plexus_terminal::{Failure, print};
use toml::{Table, Value};

use self::{
    audited::Audited,
    lists::Lists,
    reload::Reload,
    steward::{Steward, held},
    telemetry::Told,
    worker::{Cause, Worker},
};
use super::{
    ConfigArgs,
    config::{data_dir_option, told},
    validity, verify, whole, with_changes,
};
use crate::log;

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

    /// The directory for what is to outlive the process: sessions and retained messages
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
    let terminal = io::stderr().is_terminal();
    serve(args).map_err(|failure| if terminal { failure } else { failure.in_lines() })
}

/// How long the end waits for files that are being read anew.
const RELOAD_PATIENCE: Duration = Duration::from_secs(1);

fn serve(args: &ServeArgs) -> Result<(), Failure> {
    // What clients are asked on runs until the node has stopped.
    let (config, mut plan, runtime) = verify::planned(args.examine())?;
    let mut told = Told::start(plan.telemetry.take(), &runtime.handle());
    let log = log::start(&config.settings.log, told.log_layer())?;
    // The lock is held until the node has stopped.
    let _locked = plan.data_dir.as_deref().map(data_dir::lock).transpose()?;
    let audited = Audited::start(&plan)?;
    let lists = match Lists::start(&config, &plan, &runtime.handle()) {
        Ok(lists) => lists,
        Err(failure) => return Err(audited.not_started(failure)),
    };
    let accounts = match accounts::Kept::open(&config, &plan) {
        Ok(kept) => kept,
        Err(failure) => return Err(audited.not_started(failure)),
    };
    let planned_api =
        match api::Planned::open(&config, &plan, accounts.accounts(), &runtime.handle()) {
            Ok(planned) => planned,
            Err(failure) => return Err(audited.not_started(failure)),
        };
    let signals = stop::signals()?;
    let kept = accounts.clone();
    let reload = Reload::new(args, &config, &plan, (log, runtime.handle(), lists, kept));
    let names = plan.listeners.iter().map(|listener| listener.name.clone()).collect::<Vec<_>>();
    let audit = plan.audit.clone();
    let NodePlan { node, listeners, shutdown_grace, anonymous, .. } = plan;
    args.warn(&config);
    validity::warn(&listeners);
    let node = match Node::start(node, listeners) {
        Ok(node) => node,
        Err(error) => {
            return Err(audited.not_started(refused::failure(&error, &config, &names)));
        }
    };
    let _events = events::start(&config, &node, &audit, &runtime.handle());
    accounts.begin(node.handle());
    // Taken down when the node has stopped: whoever asks until then is told so.
    let reload = Arc::new(Mutex::new(reload));
    let steward = Steward::new(Arc::clone(&reload), node.handle(), runtime.handle());
    let metrics = told.observe(&node.handle());
    let served = planned_api.map(|planned| planned.serve(&node, steward, metrics)).transpose();
    let _api = match served {
        Ok(served) => served,
        Err(failure) => {
            node.shut_down(shutdown_grace);
            return Err(audited.not_started(failure));
        }
    };
    audited.started(node.listeners());
    notices::readable_passwords(&config, node.listeners());
    args.announce(&config, node.listeners(), anonymous)?;
    let handle = node.handle();
    let every = {
        let reload = held(&reload);
        reload.begin(&handle);
        reload.every()
    };
    let worker = Worker::start("reload", every, move |cause| match cause {
        Cause::Ordered => held(&reload).run(&handle),
        Cause::Due => held(&reload).look(&handle),
    })?;
    stop::wait(signals, || worker.order())?;
    tracing::info!("stopping");
    audited.stops();
    node.shut_down(shutdown_grace);
    if !worker.finish(RELOAD_PATIENCE) {
        tracing::warn!("what SIGHUP asked for was not done before the end");
    }
    audited.close();
    tracing::info!("stopped");
    told.close();
    Ok(())
}

impl ServeArgs {
    fn load(&self) -> Result<Config, Failure> {
        whole(self.examine())
    }

    fn examine(&self) -> Examined {
        with_changes(self.bare())
    }

    /// The configuration without what was changed while a node ran.
    fn bare(&self) -> Examined {
        let mut options = Vec::new();
        let mut mistakes = Vec::new();
        match self.listeners() {
            Ok(None) => {}
            Ok(Some(listeners)) => {
                let origin = format!("--listen {}", self.listen.join(" --listen "));
                options.push(Override::option(origin, &["listener"], listeners));
            }
            Err(mistake) => mistakes.push(mistake),
        }
        if let Some(dir) = &self.data_dir {
            options.push(data_dir_option(dir));
        }
        if self.allow_anonymous {
            let path = ["access", "allow_anonymous"];
            options.push(Override::option("--allow-anonymous", &path, true));
        }
        self.config.examine_bare(options, mistakes)
    }

    /// The listeners of the options, as the configuration would have them.
    fn listeners(&self) -> Result<Option<Value>, Diagnostic> {
        let mut listeners = Vec::new();
        for text in &self.listen {
            let url = text.parse::<ListenUrl>().map_err(|error| {
                Diagnostic::new(Origin::Option(format!("--listen {text}")), error.to_string())
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

    /// Tells what was given and has no effect.
    fn warn(&self, config: &Config) {
        for warning in &config.warnings {
            tracing::warn!("{}", warning.line());
        }
        // Where they cannot be read the node has not come as far as this.
        let changes = told::lines(config).map(|(_, lines)| lines).unwrap_or_default();
        changes.iter().flat_map(told::concerns).for_each(|one| tracing::warn!("{one}"));
        let urls = self.listen.iter().filter_map(|text| text.parse::<ListenUrl>().ok());
        if self.tls_cert.is_some() && !urls.into_iter().any(|url| url.transport().is_tls()) {
            tracing::warn!(
                "--tls-cert and --tls-key are unused: no --listen url begins with tls:// or wss://"
            );
        }
    }

    fn announce(
        &self,
        config: &Config,
        listeners: &[ListenUrl],
        anonymous: bool,
    ) -> Result<(), Failure> {
        banner::show(config, listeners, anonymous);
        if self.print_listeners {
            let lines = listeners.iter().map(|url| format!("listening {url}\n"));
            print(&(lines.collect::<String>() + "ready\n"))?;
        }
        Ok(())
    }
}
