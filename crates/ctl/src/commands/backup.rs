//! What was made by the API, kept in a file and brought back.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use clap::Args;
use plexus_api_model::{Backup, RestoreQuery, operations};
use plexus_terminal::Failure;

use crate::{
    caller::{Caller, confirm},
    files,
};

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The file, which must not be there yet, and is readable for you alone; stdout where it is left out
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The file; - for stdin
    file: PathBuf,

    /// It takes the place of what is there already
    #[arg(long)]
    replace: bool,

    /// It is meant
    #[arg(long, short)]
    yes: bool,
}

/// Bytes of a backup that the API takes.
const BACKUP_MAX: u64 = 64 * 1024 * 1024;

pub(crate) fn export(caller: &mut Caller<'_>, args: &ExportArgs) -> Result<(), Failure> {
    let answer = caller.client.call(&operations::EXPORT_DATA, &(), &(), &())?;
    let Some(file) = &args.file else { return caller.document(&answer.text) };
    write(file, answer.text.as_bytes()).map_err(|error| {
        Failure::because(format_args!("cannot write {}", file.display()), &error)
    })?;
    let Backup { configuration, accounts, rules, rules_of_all, bans, .. } = answer.value;
    caller.out.done(format_args!(
        "wrote to {}: {} changed keys of the configuration, {} users of clients, {} lists of rules, {} bans, and the \
         users and keys of the API; it holds hashes of passwords and secrets of second factors",
        file.display(),
        configuration.len(),
        accounts.len(),
        rules.len() + rules_of_all.len(),
        bans.len(),
    ))
}

fn write(file: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut to = options.open(file)?;
    to.write_all(text)?;
    to.sync_all()
}

pub(crate) fn import(caller: &mut Caller<'_>, args: &ImportArgs) -> Result<(), Failure> {
    let bytes = files::read(&args.file, BACKUP_MAX)?;
    let backup: Backup = serde_json::from_slice(&bytes).map_err(|error| {
        Failure::Failed(format!("{}: it is no backup of a node: {error}", args.file.display()))
    })?;
    confirm(args.yes, format_args!("Bring back what was made by the API of {}", backup.node))?;
    let query = RestoreQuery { replace: args.replace.then_some(true) };
    caller.record(&operations::IMPORT_DATA, &(), &query, &backup)
}
