//! Looking after what a node has stored.

mod archive;
mod text;

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use plexus_archive::Living;
use plexus_store::{FileDisk, OpenError, Record, tools};
use plexus_terminal::{Failure, print};
use serde_json::{Value, json};

pub(crate) use self::text::because;
use self::{
    archive::{ExportArgs, ImportArgs},
    text::{count, damage, day, mend, size},
};
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Say what the files take, what of that lives, and who uses them
    ///
    /// Also while a node runs on them: then it leaves alone what lives, which the node knows
    /// ($SYS/brokers/<node.name>/store/living_bytes), and otherwise reads everything to find out.
    Stat(StoreArgs),
    /// Read everything and name each place that cannot be read
    Check(StoreArgs),
    /// Print every record that can be read, old ones first
    ///
    /// The columns: segment, offset of the record's first byte in the segment's file, when it was
    /// committed, kind (entry, message or log), whom it is about (slot/index of an entry, the number of
    /// a message), and what it says.
    #[command(mut_arg("json", |arg| arg.help("As JSON: one object a line for each record")))]
    Dump(StoreArgs),
    /// Take out of use what cannot be read, so that a node starts, and say what may be lost
    ///
    /// Everything that can be read stays. Make a copy of the directory first if what is lost
    /// matters.
    Repair(StoreArgs),
    /// Write everything that is stored as lines of JSON, for a backup or another program
    ///
    /// The node must be stopped. docs/export.md explains the lines.
    #[command(mut_arg("json", |arg| arg.help(
        "The summary as JSON: one object. The export is lines of JSON in any case; one to standard \
         output has no summary"
    )))]
    Export(ExportArgs),
    /// Make a new store of an export
    ///
    /// A store that is there already is never overwritten. When the import fails nothing is stored.
    #[command(mut_arg("json", |arg| arg.help("The summary as JSON: one object")))]
    Import(ImportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// The data directory, as the node has it
    #[arg(long, value_name = "DIR")]
    data_dir: PathBuf,

    /// As JSON: one object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &StoreCommand) -> Result<(), Failure> {
    match command {
        StoreCommand::Stat(args) => stat(args),
        StoreCommand::Check(args) => check(args),
        StoreCommand::Dump(args) => dump(args),
        StoreCommand::Repair(args) => repair(args),
        StoreCommand::Export(args) => archive::export(args),
        StoreCommand::Import(args) => archive::import(args),
    }
}

impl StoreArgs {
    fn folder(&self) -> Result<PathBuf, Failure> {
        let (folder, dir) = (self.data_dir.join("log"), self.data_dir.display());
        match folder.metadata() {
            Ok(found) if found.is_dir() => Ok(folder),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(Failure::Failed(
                format!("cannot look into {dir}; be the user that its node runs as"),
            )),
            Err(_) if !self.data_dir.exists() => {
                Err(Failure::Failed(format!("{dir} is not there; name a node's data directory")))
            }
            Ok(_) | Err(_) => Err(Failure::Failed(format!(
                "{dir} is not the data directory of a node: it has no folder `log`"
            ))),
        }
    }

    /// For this process alone, to be read: no node may write meanwhile.
    fn disk(&self) -> Result<FileDisk, Failure> {
        FileDisk::open_to_read(&self.folder()?).map_err(|error| self.unusable(&error))
    }

    /// The same, to be changed.
    fn disk_to_write(&self) -> Result<FileDisk, Failure> {
        FileDisk::open(&self.folder()?).map_err(|error| self.unusable(&error))
    }

    fn unusable(&self, error: &std::io::Error) -> Failure {
        let mend = match error.kind() {
            ErrorKind::PermissionDenied => "; be the user that its node runs as",
            ErrorKind::ResourceBusy => "; stop the node that does",
            _ => "",
        };
        Failure::because(format_args!("cannot use {}{mend}", self.data_dir.display()), error)
    }

    fn shared(&self) -> Result<FileDisk, Failure> {
        let folder = self.folder()?;
        FileDisk::open_shared(&folder).map_err(|error| Failure::because(folder.display(), &error))
    }

    /// The process that uses the store, if one does.
    fn owner(&self) -> Result<Option<String>, Failure> {
        let folder = self.folder()?;
        FileDisk::owner(&folder).map_err(|error| Failure::because(folder.display(), &error))
    }

    /// What lives in a store that nobody uses; a node may start meanwhile, so that an error says nothing.
    fn living(&self) -> Result<Option<Living>, Failure> {
        Ok(plexus_archive::living(self.shared()?).ok())
    }

    fn tell(&self, text: &str, value: &Value) -> Result<(), Failure> {
        if self.json { print(&format!("{value}\n")) } else { print(text) }
    }
}

fn unreadable(dir: &Path, error: &OpenError) -> Failure {
    because(&dir.display().to_string(), dir, error)
}

fn stat(args: &StoreArgs) -> Result<(), Failure> {
    let stat = tools::stat(&args.shared()?).map_err(|error| unreadable(&args.data_dir, &error))?;
    let bytes: u64 = stat.segments.iter().map(|segment| segment.bytes).sum();
    let created = stat.identity.map(|identity| identity.created_millis);
    let oldest = stat.segments.first().and_then(|segment| segment.created_millis);
    let owner = args.owner()?;
    // A node knows it without reading anything.
    let living = if owner.is_none() { args.living()? } else { None };
    let text = format!(
        "segments  {} ({})\nspares    {} ({})\nliving    {}\ncreated   {}\noldest    {}\nin use    {}\n",
        stat.segments.len(),
        size(bytes),
        stat.spares,
        size(stat.spare_bytes),
        text::living(living, owner.is_some()),
        day(created),
        day(oldest),
        owner.as_ref().map_or_else(|| "no".to_owned(), |owner| format!("by process {owner}")),
    );
    let value = json!({
        "segments": stat.segments.len(), "segment_bytes": bytes,
        "spares": stat.spares, "spare_bytes": stat.spare_bytes,
        "living_bytes": living.map(|living| living.bytes),
        "living_messages": living.map(|living| living.messages),
        "store": stat.identity.map(|identity| format!("{:032x}", identity.store)),
        "created_millis": created, "oldest_segment_millis": oldest,
        "process": owner.and_then(|owner| owner.parse::<u32>().ok()),
    });
    args.tell(&text, &value)
}

fn check(args: &StoreArgs) -> Result<(), Failure> {
    let report = tools::check(&args.disk()?).map_err(|error| unreadable(&args.data_dir, &error))?;
    let mut lines = vec![format!(
        "{} with {} and {} in {} ({}), the newest of {}\n",
        count(report.frames, "commit"),
        count(report.entries, "record"),
        count(report.bodies, "message"),
        count(report.segments, "segment"),
        size(report.bytes),
        day(Some(report.newest_millis)),
    )];
    if let Some(cut) = &report.cut {
        lines.push(format!(
            "{}: {} bytes behind byte {} are not whole, and nothing says that they were kept: they \
             were being written when the node stopped, and the next start cuts them off\n",
            cut.file, cut.bytes, cut.offset
        ));
    }
    lines.extend(report.damages.iter().map(|place| format!("{}\n", damage(place))));
    if report.damages.is_empty() {
        lines.push("nothing is damaged\n".to_owned());
    }
    let value = json!({
        "segments": report.segments, "commits": report.frames, "records": report.entries,
        "messages": report.bodies, "bytes": report.bytes, "newest_millis": report.newest_millis,
        "unfinished_bytes": report.cut.as_ref().map_or(0, |cut| cut.bytes),
        "damages": report.damages.iter().map(text::damage_json).collect::<Vec<_>>(),
    });
    args.tell(&lines.concat(), &value)?;
    match report.damages.len() as u64 {
        0 => Ok(()),
        places => {
            let (places, mend) = (count(places, "place"), mend(&args.data_dir));
            Err(Failure::Failed(format!("{places} cannot be read; {mend}")))
        }
    }
}

fn dump(args: &StoreArgs) -> Result<(), Failure> {
    let mut outcome = Ok(());
    let mut sink = |dumped: &tools::Dumped<'_>| {
        if outcome.is_ok() {
            outcome = args.tell_record(dumped);
        }
    };
    let report = tools::dump(&args.disk()?, &mut sink)
        .map_err(|error| unreadable(&args.data_dir, &error))?;
    outcome?;
    match report.damages.first() {
        None => Ok(()),
        Some(place) => Err(Failure::Failed(damage(place))),
    }
}

impl StoreArgs {
    fn tell_record(&self, dumped: &tools::Dumped<'_>) -> Result<(), Failure> {
        let (segment, offset, millis) = (dumped.segment.get(), dumped.offset, dumped.millis);
        let (kind, about, said) = tell(&dumped.record);
        let text = format!(
            "{segment:>6} {offset:>10}  {}  {kind:<8} {about}  {said}\n",
            day(Some(millis))
        );
        let value = json!({
            "segment": segment, "offset": offset, "millis": millis,
            "kind": kind, "about": about, "record": said,
        });
        self.tell(&text, &value)
    }
}

/// The kind of a record, whom it is about, and what it says.
fn tell(record: &Record<'_>) -> (&'static str, String, String) {
    match record {
        Record::Entry { group, index, payload } => {
            let said = plexus_records::Record::decode(payload)
                .map_or_else(|error| format!("unreadable: {error}"), |said| format!("{said:?}"));
            ("entry", format!("{}/{index}", group.0), said)
        }
        Record::Body { id, content } => {
            ("message", id.get().to_string(), format!("{} bytes", content.len()))
        }
        other => ("log", String::new(), format!("{other:?}")),
    }
}

fn repair(args: &StoreArgs) -> Result<(), Failure> {
    let dir = args.data_dir.display();
    let repaired =
        tools::repair(&args.disk_to_write()?).map_err(|error| Failure::because(dir, &error))?;
    let gone = repaired.damages.iter();
    let mut lines: Vec<_> =
        gone.map(|place| format!("taken out of use: {}\n", damage(place))).collect();
    for lost in &repaired.lost {
        let until = lost.before.map_or_else(|| "its end".to_owned(), |index| index.to_string());
        let (slot, after) = (lost.group.0, lost.after);
        lines.push(format!("slot {slot}: records between {after} and {until} may be lost\n"));
    }
    if repaired.damages.is_empty() {
        lines.push("nothing is damaged\n".to_owned());
    }
    let lost = repaired
        .lost
        .iter()
        .map(|lost| json!({ "slot": lost.group.0, "after": lost.after, "before": lost.before }));
    let value = json!({
        "damages": repaired.damages.iter().map(text::damage_json).collect::<Vec<_>>(),
        "lost": lost.collect::<Vec<_>>(),
    });
    args.tell(&lines.concat(), &value)
}
