pub(crate) mod changing;
mod edit;
pub(crate) mod told;

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use plexus_config::{Diagnostic, Origin, Override, markdown, schema::json_schema};
use plexus_terminal::{Failure, of_config, print};

use self::edit::{ApplyArgs, DiffArgs, HistoryArgs, RollbackArgs};
use super::{ConfigArgs, validity, verify};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say whether a node would start with it
    Check(CheckArgs),
    /// Print every key with its value and where that comes from, without secrets
    Show(ShowArgs),
    /// Print the JSON Schema of the file, for editors
    Schema(SchemaArgs),
    /// Show what was changed while a node ran, and where file or environment say something else
    Diff(DiffArgs),
    /// Change keys without the file: the data directory keeps them, over the file
    ///
    /// The whole configuration is checked before, as a start would. A running node takes the change at SIGHUP; what
    /// waits for the next start is said.
    Apply(ApplyArgs),
    /// List the versions of what was changed: when, by whom, which keys
    History(HistoryArgs),
    /// Have an earlier version hold again, as a new one
    Rollback(RollbackArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The configuration file, as --config
    #[arg(value_name = "FILE", conflicts_with = "config")]
    file: Option<PathBuf>,

    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The configuration file, as --config
    #[arg(value_name = "FILE", conflicts_with = "config")]
    file: Option<PathBuf>,

    #[command(flatten)]
    config: ConfigArgs,

    /// As JSON instead of TOML
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArgs {
    /// The reference page instead: every key, its default and its meaning
    #[arg(long)]
    markdown: bool,
}

pub(crate) fn run(command: ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Check(args) => check(args),
        ConfigCommand::Show(args) => show(args),
        ConfigCommand::Diff(args) => edit::diff(&args),
        ConfigCommand::Apply(args) => edit::apply(&args),
        ConfigCommand::History(args) => edit::history(&args),
        ConfigCommand::Rollback(args) => edit::rollback(&args),
        ConfigCommand::Schema(args) => {
            print(&if args.markdown { markdown() } else { json_schema() })
        }
    }
}

/// `--data-dir` as a source of the configuration.
pub(crate) fn data_dir_option(dir: &Path) -> Override {
    Override::option("--data-dir", &["node", "data_dir"], dir.display().to_string())
}

/// Who is logged in to the machine, as far as the environment says.
fn who() -> String {
    let said = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(std::env::var_os);
    let name = said.and_then(|name| name.into_string().ok()).filter(|name| !name.is_empty());
    format!("{} at the command line", name.as_deref().unwrap_or("somebody"))
}

fn check(args: CheckArgs) -> Result<(), Failure> {
    let examined = args.config.with_file(args.file).examine(Vec::new(), Vec::new());
    let (config, plan, _runtime) = verify::planned(examined)?;
    let from =
        config.file().map_or_else(|| "defaults".to_owned(), |path| path.display().to_string());
    let mut answer = format!("{from}: ok\n");
    for listener in &plan.listeners {
        let written = writeln!(answer, "  listens at {}", listener.net.url);
        written.expect("invariant: writing to a string");
    }
    let odd = verify::unknown_hosts(&config);
    let odd = config.warnings.iter().chain(&odd).map(Diagnostic::line);
    for warning in odd.chain(validity::concerns(&plan.listeners)) {
        let written = writeln!(answer, "  warning: {warning}");
        written.expect("invariant: writing to a string");
    }
    print(&answer)
}

fn show(args: ShowArgs) -> Result<(), Failure> {
    let config = args.config.with_file(args.file).load(Vec::new())?;
    let mut text = if args.json {
        serde_json::to_string_pretty(&config.effective()).map_err(|error| {
            let origin = Origin::Whole("the merged configuration".to_owned());
            of_config(origin, error.to_string())
        })?
    } else {
        config.show()
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    print(&text)
}
