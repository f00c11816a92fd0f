pub(crate) mod acl;
pub(crate) mod audit;
pub(crate) mod bench;
pub(crate) mod cert;
pub(crate) mod config;
pub(crate) mod passwd;
pub(crate) mod serve;
pub(crate) mod store;
mod validity;
mod verify;

use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use plexus_changes::Folder;
use plexus_config::{Config, ConfigError, Diagnostic, Examined, File, Override, Sources, examine};
use plexus_pubsub::{publish, subscribe};
use plexus_terminal::Failure;

use crate::{
    cli::{Cli, Command},
    machine,
};

/// Names the configuration file where no option does; an empty one counts as unset.
const FILE_VARIABLE: &str = "PLEXUS_CONFIG";

/// Where the configuration is looked for when nobody names it, in this order.
const USUAL_PLACES: &[&str] = &["plexus.toml", "/etc/plexus/plexus.toml"];

pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Serve(args) => serve::run(&args),
        Command::Pub(args) => publish::run(&args, machine::seed()?),
        Command::Sub(args) => subscribe::run(&args, machine::seed()?),
        Command::Bench(command) => bench::run(&command),
        Command::Acl(command) => acl::run(command),
        Command::Cert(command) => cert::run(&command),
        Command::Audit(command) => audit::run(command),
        Command::Config(command) => config::run(command),
        Command::Ctl(args) => plexus_ctl::ctl(*args),
        Command::Top(args) => plexus_ctl::top(&args),
        Command::Completions(args) => plexus_ctl::completions(args, Cli::command()),
        Command::Man(args) => plexus_ctl::man(&args, Cli::command()),
        Command::Passwd(args) => passwd::run(&args),
        Command::Store(command) => store::run(&command),
    }
}

/// Options of every command that reads the configuration.
#[derive(Debug, Clone, Args)]
pub(crate) struct ConfigArgs {
    /// The configuration file [default: the one of PLEXUS_CONFIG, then plexus.toml, then
    /// /etc/plexus/plexus.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Set a key of the configuration, such as mqtt.maximum_qos=1
    #[arg(long = "set", value_name = "KEY=VALUE")]
    assignments: Vec<String>,
}

impl ConfigArgs {
    /// File, environment and options merged; `options` are the strongest.
    pub(crate) fn load(&self, options: Vec<Override>) -> Result<Config, Failure> {
        whole(self.examine(options, Vec::new()))
    }

    /// The same with what is wrong beside what is good. `mistakes` are those of options that are not
    /// among the others.
    fn examine(&self, options: Vec<Override>, mistakes: Vec<Diagnostic>) -> Examined {
        with_changes(self.examine_bare(options, mistakes))
    }

    /// The same without what was changed while a node ran.
    pub(crate) fn examine_bare(
        &self,
        options: Vec<Override>,
        mut mistakes: Vec<Diagnostic>,
    ) -> Examined {
        let file = self.file().map(|path| File::read(&path)).transpose().unwrap_or_else(|error| {
            mistakes.extend(error.diagnostics);
            None
        });
        let mut overrides = Override::environment(variables());
        for text in &self.assignments {
            match Override::assignment(text) {
                Ok(assignment) => overrides.push(assignment),
                Err(error) => mistakes.extend(error.diagnostics),
            }
        }
        overrides.extend(options);
        let variables = variables().map(|(name, _)| name).collect();
        examine(Sources { file, overrides, variables, mistakes, ..Sources::default() })
    }

    /// The same with that file, if there is one.
    fn with_file(mut self, file: Option<PathBuf>) -> Self {
        self.config = file.or(self.config);
        self
    }

    fn file(&self) -> Option<PathBuf> {
        let usual = || USUAL_PLACES.iter().map(Path::new).find(|path| path.exists());
        let named = || std::env::var_os(FILE_VARIABLE).filter(|path| !path.is_empty());
        self.config
            .clone()
            .or_else(|| named().map(PathBuf::from))
            .or_else(|| usual().map(Path::to_path_buf))
    }
}

/// The configuration with what was changed while a node ran, where there is a data directory to keep that in.
pub(crate) fn with_changes(bare: Examined) -> Examined {
    let Some(dir) = &bare.config.settings.node.data_dir else { return bare };
    match Folder::of(dir).read() {
        Ok(stored) if stored.overrides.is_empty() => bare,
        Ok(stored) => bare.config.with_layer(stored.overrides, Vec::new()),
        Err(ConfigError { diagnostics }) => bare.config.with_layer(Vec::new(), diagnostics),
    }
}

/// The configuration, if nothing is wrong with it.
pub(crate) fn whole(examined: Examined) -> Result<Config, Failure> {
    let Examined { config, mistakes: diagnostics } = examined;
    if diagnostics.is_empty() { Ok(config) } else { Err(ConfigError { diagnostics }.into()) }
}

/// The environment as text. A variable that is not UTF-8 cannot be one of ours.
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}
