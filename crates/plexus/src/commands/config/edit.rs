//! `plexus config diff`, `apply`, `history` and `rollback`: what was changed while a node ran.

use std::path::PathBuf;

use clap::Args;
use plexus_changes::{Folder, Key, Layer, Patch, is_taken_at_once};
use plexus_config::{Config, Examined, File};
use plexus_terminal::{Failure, on_one_line, print};
use toml::Table;

use super::{
    changing::{Draft, Edit, NO_PLACE, Refused, Wanted},
    told::{concerns, lines, shown},
};
use crate::{commands::ConfigArgs, machine};

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    #[command(flatten)]
    config: DataArgs,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    config: DataArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// Keys with their values, such as mqtt.max_inflight=16, or a TOML file with keys as the configuration file has
    /// them
    #[arg(value_name = "KEY=VALUE|FILE", required_unless_present = "unset")]
    changes: Vec<String>,

    /// Take a change back: what the file says holds again. A table takes back all in it; may be given several times
    #[arg(long, value_name = "KEY")]
    unset: Vec<String>,

    #[command(flatten)]
    how: HowArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// The version that is to hold again; 0 is the file alone
    #[arg(value_name = "VERSION")]
    to: u64,

    #[command(flatten)]
    how: HowArgs,
}

#[derive(Debug, Args)]
struct HowArgs {
    /// Why, for the history
    #[arg(long, value_name = "TEXT", default_value = "")]
    why: String,

    /// Only if that version holds now: nobody has changed anything since
    #[arg(long, value_name = "VERSION")]
    version: Option<u64>,

    /// Check it and say what would change, and change nothing
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    config: DataArgs,
}

#[derive(Debug, Args)]
struct DataArgs {
    #[command(flatten)]
    config: ConfigArgs,

    /// The data directory, as for serve
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl DataArgs {
    fn bare(&self) -> Examined {
        let options = self.data_dir.iter().map(|dir| super::data_dir_option(dir));
        self.config.examine_bare(options.collect(), Vec::new())
    }

    /// The whole configuration, and where its changes are.
    fn whole(&self) -> Result<(Config, Folder), Failure> {
        let config = crate::commands::whole(crate::commands::with_changes(self.bare()))?;
        let dir = config.settings.node.data_dir.clone();
        let dir = dir.ok_or_else(|| Failure::Failed(NO_PLACE.to_owned()))?;
        Ok((config, Folder::of(&dir)))
    }
}

pub(super) fn diff(args: &DiffArgs) -> Result<(), Failure> {
    let (config, _) = args.config.whole()?;
    let (layer, lines) = lines(&config)?;
    let version = layer.version;
    let mut text = vec![match lines.len() {
        0 => format!("version {version}: the file holds, nothing is changed"),
        1 => format!("version {version}: 1 key is changed"),
        count => format!("version {version}: {count} keys are changed"),
    }];
    for line in &lines {
        let of_file = shown(line.of_file.as_ref());
        let place = line.place.clone().unwrap_or_else(|| "default".to_owned());
        let when = if line.at_once { "taken at once" } else { "taken at the next start" };
        let (at, by) = (&line.at, &line.by);
        text.push(format!("  {} = {}", line.key, line.value));
        text.push(format!("      {place}: {of_file}; changed {at} by {by}; {when}"));
        text.extend(concerns(line).into_iter().map(|one| format!("      note: {one}")));
    }
    print(&told(&text))
}

pub(super) fn history(args: &HistoryArgs) -> Result<(), Failure> {
    let (_, folder) = args.config.whole()?;
    let now = folder.read()?.layer;
    let mut layers = folder.history()?;
    layers.retain(|layer| layer.version < now.version);
    layers.push(now);
    let mut text = Vec::new();
    let mut before = None::<&Layer>;
    for layer in &layers {
        let empty = Layer::default();
        let keys = layer.differing(before.unwrap_or(&empty)).into_iter().map(Key::to_string);
        let keys = keys.collect::<Vec<_>>().join(", ");
        let stamp = &layer.stamp;
        text.push(match layer.version {
            0 => "0  the file alone".to_owned(),
            version => {
                let why = if stamp.why.is_empty() { "" } else { &format!(" ({})", stamp.why) };
                format!("{version}  {} by {}: {keys}{why}", stamp.at, stamp.by)
            }
        });
        before = Some(layer);
    }
    print(&told(&text))
}

pub(super) fn apply(args: &ApplyArgs) -> Result<(), Failure> {
    let mut patch = Patch::default();
    for text in &args.changes {
        add(&mut patch, text)?;
    }
    for text in &args.unset {
        let key = key_of(text)?;
        patch.insert(key, None).map_err(|error| Failure::Usage(error.to_string()))?;
    }
    carry_out(&args.how, Edit::Patch(patch))
}

pub(super) fn rollback(args: &RollbackArgs) -> Result<(), Failure> {
    carry_out(&args.how, Edit::Rollback(args.to))
}

fn add(patch: &mut Patch, text: &str) -> Result<(), Failure> {
    if let Some((key, value)) = text.split_once('=') {
        return Ok(patch.insert_text(key_of(key)?, value.trim())?);
    }
    let path = PathBuf::from(text);
    if !path.exists() {
        let message = format!("`{text}` is neither <key>=<value> nor a file");
        return Err(Failure::Usage(message));
    }
    let file = File::read(&path)?;
    let failed = |error: &dyn std::fmt::Display| Failure::Failed(format!("{text}: {error}"));
    let table: Table = file.text.parse().map_err(|error: toml::de::Error| failed(&error))?;
    for (key, value) in Patch::of_table(&table).map_err(|error| failed(&error))?.iter() {
        patch.insert(key.clone(), value.clone()).map_err(|error| failed(&error))?;
    }
    Ok(())
}

fn key_of(text: &str) -> Result<Key, Failure> {
    text.parse().map_err(|error| Failure::Usage(format!("`{text}`: {error}")))
}

fn carry_out(how: &HowArgs, edit: Edit) -> Result<(), Failure> {
    let wanted = Wanted { edit, seen: how.version, by: super::who(), why: how.why.clone() };
    let runtime = machine::runtime()?;
    let draft = Draft::new(&how.config.bare(), wanted, &runtime.handle()).map_err(failure)?;
    let keys = draft.old.differing(&draft.new);
    let mut text = Vec::new();
    for key in &keys {
        let value = |layer: &Layer| {
            let change = layer.changes.get(*key);
            let value = change.map(|change| plexus_changes::masked(key, &change.value));
            value.map_or_else(|| "the file's".to_owned(), |value| value.to_string())
        };
        let when = if is_taken_at_once(&key.path()) { "" } else { " (taken at the next start)" };
        text.push(format!("{key}: {} -> {}{when}", value(&draft.old), value(&draft.new)));
    }
    if keys.is_empty() {
        return print("nothing would change\n");
    }
    if how.dry_run {
        text.push("checked; nothing is changed".to_owned());
    } else {
        draft.store().map_err(failure)?;
        let version = draft.new.version;
        text.push(format!(
            "version {version} is stored; a running node takes it at SIGHUP (`systemctl reload plexus`, or kill \
             -HUP <pid>)"
        ));
    }
    print(&told(&text))
}

fn failure(refused: Refused) -> Failure {
    match refused {
        Refused::NoPlace => Failure::Failed(NO_PLACE.to_owned()),
        Refused::Conflict(now) => Failure::Failed(format!(
            "the configuration was changed meanwhile: version {now} holds; look at `plexus config diff` and \
             try again with --version {now}"
        )),
        Refused::NoVersion(to) => Failure::Failed(format!(
            "version {to} is not kept; `plexus config history` shows those that are"
        )),
        Refused::Busy => Failure::Failed(
            "somebody else changes the configuration at this moment; try again".into(),
        ),
        Refused::Wrong(failure) | Refused::Failed(failure) => failure,
    }
}

/// Nothing that was stored steers a terminal.
fn told(lines: &[String]) -> String {
    lines.iter().map(|line| on_one_line(line) + "\n").collect()
}
