mod banner;
mod data_dir;
mod notices;
mod refused;
mod reload;
mod stop;

use std::{
    io::{self, IsTerminal},
    path::PathBuf,
};

use clap::Args;
use plexus_broker::Node;
use plexus_config::{Config, NodePlan, Origin, Override};
use plexus_net::ListenUrl;
use toml::{Table, Value};

use self::reload::Reload;
use super::{ConfigArgs, validity};
use crate::{
    failure::{self, Failure, print},
    log, machine,
};

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

    /// The directory for what is to outlive the process; only a lock is kept there yet
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

fn serve(args: &ServeArgs) -> Result<(), Failure> {
    let config = args.load()?;
    let log = log::start(&config.settings.log)?;
    let plan = config.plan(machine::machine(), machine::seed()?)?;
    // The lock is held until the node has stopped.
    let _locked = plan.data_dir.as_deref().map(data_dir::lock).transpose()?;
    let signals = stop::signals()?;
    let mut reload = Reload::new(args, &config, &plan, &log);
    let names = plan.listeners.iter().map(|listener| listener.name.clone()).collect::<Vec<_>>();
    let NodePlan { node, listeners, shutdown_grace, anonymous, .. } = plan;
    args.warn(&config);
    validity::warn(&listeners);
    let node =
        Node::start(node, listeners).map_err(|error| refused::failure(&error, &config, &names))?;
    notices::readable_passwords(&config, node.listeners());
    args.announce(&config, node.listeners(), anonymous)?;
    stop::wait(signals, || reload.run(&node.handle()))?;
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

    /// Tells what was given and has no effect.
    fn warn(&self, config: &Config) {
        for warning in &config.warnings {
            tracing::warn!("{}", warning.line());
        }
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
        banner::show(config.file(), listeners, anonymous);
        if self.print_listeners {
            let lines = listeners.iter().map(|url| format!("listening {url}\n"));
            print(&(lines.collect::<String>() + "ready\n"))?;
        }
        Ok(())
    }
}
