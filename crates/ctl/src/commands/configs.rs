//! The configuration of a node that runs.

use clap::{Args, Subcommand};
use plexus_api_model::{
    ConfigChange, ConfigKey, ConfigOutcome, ConfigPatch, ConfigQuery, ConfigRollback,
    ConfigVersion, operations,
};
use plexus_terminal::Failure;
use serde_json::Value;

use crate::{
    caller::{Caller, confirm, flatten},
    table::{Column, Row, Table, numbers, pairs, words},
    units,
};

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// The configuration that holds; secrets are masked
    Show(ShowArgs),
    /// Change keys over the file; what the node can take without a restart it takes at once
    #[command(after_help = EXAMPLES)]
    Set(SetArgs),
    /// The keys that were changed over the file: by whom, and what hides them
    Changes,
    /// The versions of the changes, the newest first
    History,
    /// Have an earlier version hold again, as a new one
    Rollback(RollbackArgs),
}

const EXAMPLES: &str = "\
Examples:
  plexus ctl config set mqtt.max_inflight=64 --dry-run
  plexus ctl config set log.level=debug --why 'ticket 7'
  plexus ctl config set log.level=null                   the file holds again";

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Only keys with this in them
    #[arg(value_name = "KEY")]
    part: Option<String>,

    /// Show where each key comes from that is not a default, and not its value
    #[arg(long)]
    origins: bool,
}

/// What a change is made against, and why.
#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// The version of the changes that is to hold now [default: whatever holds]
    #[arg(long, value_name = "VERSION")]
    against: Option<u64>,

    /// Why, for the history
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    why: String,

    /// Say what would come of it, and change nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// Keys with their new values: JSON, or a word as it is; null has the file hold again
    #[arg(value_name = "KEY=VALUE", required = true, value_parser = assignment)]
    keys: Vec<(String, Value)>,

    #[command(flatten)]
    change: ChangeArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// The version that is to hold again; 0 is the file alone
    #[arg(value_name = "VERSION")]
    to: u64,

    #[command(flatten)]
    change: ChangeArgs,

    /// It is meant
    #[arg(long, short)]
    yes: bool,
}

impl Row for ConfigChange {
    const COLUMNS: &'static [Column<Self>] = &[
        words("KEY", |change| change.key.clone()),
        words("VALUE", |change| change.value.to_string()),
        words("FILE", |change| change.of_file.as_ref().map(Value::to_string).unwrap_or_default()),
        words("WHEN", |change| change.at.clone()),
        words("BY", |change| change.by.clone()),
        words("NOTES", |change| change.notes.join("; ")),
    ];
}

impl Row for ConfigVersion {
    const COLUMNS: &'static [Column<Self>] = &[
        numbers("VERSION", |version| units::number(version.version)),
        words("WHEN", |version| version.at.clone()),
        words("BY", |version| version.by.clone()),
        words("WHY", |version| version.why.clone()),
        words("KEYS", |version| version.keys.join(", ")),
    ];
}

fn assignment(text: &str) -> Result<(String, Value), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((key.to_owned(), value))
}

pub(crate) fn run(caller: &mut Caller<'_>, command: ConfigCommand) -> Result<(), Failure> {
    match command {
        ConfigCommand::Show(args) => show(caller, &args),
        ConfigCommand::Set(args) => {
            let keys = args.keys.into_iter().map(|(key, value)| ConfigKey { key, value }).collect();
            let (version, query, why) = prepared(caller, args.change)?;
            let patch = ConfigPatch { version, patch: None, keys, why };
            let answer = caller.client.call(&operations::CHANGE_CONFIGS, &(), &query, &patch)?;
            told(caller, &answer.text, &answer.value, query)
        }
        ConfigCommand::Changes => changes(caller),
        ConfigCommand::History => caller.list(&operations::CONFIG_HISTORY, &(), &()),
        ConfigCommand::Rollback(args) => {
            let to = args.to;
            let is_sure = args.yes || args.change.dry_run;
            confirm(is_sure, format_args!("Have version {to} of the configuration hold again"))?;
            let (version, query, why) = prepared(caller, args.change)?;
            let rollback = ConfigRollback { version, to, why };
            let answer =
                caller.client.call(&operations::ROLL_BACK_CONFIGS, &(), &query, &rollback)?;
            told(caller, &answer.text, &answer.value, query)
        }
    }
}

/// The version that a change is made against, and what is said of it.
fn prepared(caller: &Caller<'_>, args: ChangeArgs) -> Result<(u64, ConfigQuery, String), Failure> {
    let version = match args.against {
        Some(version) => version,
        None => caller.client.call(&operations::CONFIG_CHANGES, &(), &(), &())?.value.version,
    };
    Ok((version, ConfigQuery { dry_run: args.dry_run }, args.why))
}

fn show(caller: &mut Caller<'_>, args: &ShowArgs) -> Result<(), Failure> {
    let answer = caller.client.call(&operations::GET_CONFIGS, &(), &(), &())?;
    if caller.out.is_json() {
        return caller.document(&answer.text);
    }
    let mut lines = Vec::new();
    if args.origins {
        lines.extend(answer.value.origins);
    } else {
        flatten("", &answer.value.config, &mut lines);
    }
    lines.retain(|(key, _)| args.part.as_ref().is_none_or(|wanted| key.contains(wanted)));
    caller.out.write(&pairs(&lines))
}

fn changes(caller: &mut Caller<'_>) -> Result<(), Failure> {
    let answer = caller.client.call(&operations::CONFIG_CHANGES, &(), &(), &())?;
    if caller.out.is_json() {
        return caller.document(&answer.text);
    }
    Table::default().write(&answer.value.changes, &mut caller.out)?;
    if !answer.value.waits.is_empty() {
        let waits = answer.value.waits.join(", ");
        caller.out.note(format_args!("taken at the next start: {waits}"));
    }
    Ok(())
}

fn told(
    caller: &mut Caller<'_>,
    text: &str,
    outcome: &ConfigOutcome,
    query: ConfigQuery,
) -> Result<(), Failure> {
    if caller.out.is_json() {
        return caller.document(text);
    }
    let (keys, version) = (outcome.keys.join(", "), outcome.version);
    if query.dry_run {
        caller.out.done(format_args!("would change: {keys}"))?;
    } else {
        caller.out.done(format_args!("version {version}, changed: {keys}"))?;
    }
    for done in &outcome.done {
        caller.out.done(format_args!("at once: {done}"))?;
    }
    if !outcome.waits.is_empty() {
        caller.out.done(format_args!("at the next start: {}", outcome.waits.join(", ")))?;
    }
    Ok(())
}
