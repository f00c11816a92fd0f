use std::fmt::Write;

use clap::{Args, Subcommand};
use plexus_config::{Config, Origin, markdown, schema::json_schema};
use plexus_net::TlsServer;

use super::ConfigArgs;
use crate::{
    failure::{self, Failure, chain, print},
    machine,
};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say whether a node would start with it
    Check(CheckArgs),
    /// Print what holds in the end: file, environment and options merged, without secrets
    Show(ShowArgs),
    /// Print the JSON Schema of the file, for editors
    Schema(SchemaArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
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
        ConfigCommand::Check(args) => check(&args),
        ConfigCommand::Show(args) => show(&args),
        ConfigCommand::Schema(args) => {
            print(&if args.markdown { markdown() } else { json_schema() })
        }
    }
}

fn check(args: &CheckArgs) -> Result<(), Failure> {
    let config = args.config.load(Vec::new())?;
    let plan = config.plan(machine::machine(), machine::seed()?)?;
    certificates(&config)?;
    let from =
        config.file().map_or_else(|| "defaults".to_owned(), |path| path.display().to_string());
    let mut answer = format!("{from}: ok\n");
    for listener in &plan.listeners {
        let written = writeln!(answer, "  listens at {}", listener.net.url);
        written.expect("invariant: writing to a string");
    }
    print(&answer)
}

/// Certificates and keys of every listener can be used.
pub(crate) fn certificates(config: &Config) -> Result<(), Failure> {
    for (index, listener) in config.settings.listener.iter().enumerate() {
        let Some(options) = &listener.tls else { continue };
        if let Err(error) = TlsServer::new(options) {
            let origin = config.origin(&["listener", &index.to_string(), "tls"]);
            return Err(failure::of_config(origin, chain(&error)));
        }
    }
    Ok(())
}

fn show(args: &ShowArgs) -> Result<(), Failure> {
    let config = args.config.load(Vec::new())?;
    let origin = || Origin::Whole("the merged configuration".to_owned());
    let mut text = if args.json {
        serde_json::to_string_pretty(&config.settings)
            .map_err(|error| failure::of_config(origin(), error.to_string()))?
    } else {
        toml::to_string_pretty(&config.settings)
            .map_err(|error| failure::of_config(origin(), error.to_string()))?
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    print(&text)
}
