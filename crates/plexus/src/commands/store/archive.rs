use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use clap::Args;
use plexus_archive::{Counts, Imported, NewStore, import_into};
use plexus_config::value::ByteSize;
use plexus_pubsub::client::json::clock;
use plexus_store::Identity;
use plexus_terminal::Failure;
use serde_json::{Value, json};

use super::{StoreArgs, text::because};
use crate::commands::serve::data_dir;

/// Bytes that are read and written at a time.
const BLOCK_BYTES: usize = 256 * 1024;

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    store: StoreArgs,

    /// Where the export goes; a file that is there is replaced when the export is whole [default:
    /// -, stdout]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    store: StoreArgs,

    /// The export; - for stdin
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The size of the store's first files, from 1MiB to 1GiB: as the node's store.segment_size
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = segment_size)]
    segment_size: ByteSize,
}

fn segment_size(text: &str) -> Result<ByteSize, String> {
    let size: ByteSize = text.parse().map_err(|error| format!("{error}"))?;
    let allowed = (1 << 20)..=(1 << 30);
    let fits = allowed.contains(&size.get());
    fits.then_some(size).ok_or_else(|| "use a size from 1MiB to 1GiB".to_owned())
}

pub(super) fn export(args: &ExportArgs) -> Result<(), Failure> {
    let dir = args.store.data_dir.as_path();
    let disk = args.store.disk()?;
    let to = |out: &mut dyn Write| {
        plexus_archive::export(disk, now_millis(), out)
            .map_err(|error| because(&format!("{} is not exported", dir.display()), dir, &error))
    };
    let Some(file) = args.file.as_ref().filter(|file| file.as_os_str() != "-") else {
        let mut out = BufWriter::with_capacity(BLOCK_BYTES, io::stdout().lock());
        return to(&mut out).map(drop);
    };
    let (counts, bytes) = into_file(file, to)?;
    let written = format!("written   {} to {}", super::size(bytes), file.display());
    args.store.tell(&text(&counts, &[written]), &value(&counts, ("bytes", bytes)))
}

/// Beside the file first, so that an older export is there until the new one is whole.
fn into_file(
    file: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<Counts, Failure>,
) -> Result<(Counts, u64), Failure> {
    // What a link points to is replaced, not the link.
    let file = &fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    if fs::metadata(file).is_ok_and(|found| !found.is_file()) {
        let why = "it is no regular file; leave it out to write to standard output";
        return Err(Failure::Failed(format!("cannot write {}: {why}", file.display())));
    }
    let failed = |error: io::Error| {
        Failure::because(format_args!("cannot write {}", file.display()), &error)
    };
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = file.with_file_name(name);
    let opened = private(&part).map_err(failed)?;
    let mut out = BufWriter::with_capacity(BLOCK_BYTES, opened);
    let written = write(&mut out).and_then(|counts| {
        let opened = out.into_inner().map_err(|error| failed(error.into_error()))?;
        opened.sync_all().map_err(failed)?;
        let bytes = opened.metadata().map_err(failed)?.len();
        fs::rename(&part, file).map_err(failed)?;
        Ok((counts, bytes))
    });
    if written.is_err() {
        // The error of the export is the one that counts.
        drop(fs::remove_file(&part));
    }
    written
}

/// A new file that only its owner reads: it holds what clients sent each other.
fn private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    data_dir::for_its_owner(&mut options).open(path)
}

pub(super) fn import(args: &ImportArgs) -> Result<(), Failure> {
    let (dir, file) = (&args.store.data_dir, &args.file);
    let failed = |error: &dyn std::error::Error| {
        Failure::because(format_args!("{} is not imported", file.display()), error)
    };
    let input: Box<dyn Read> = if file.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(file).map_err(|error| failed(&error))?)
    };
    let _locked = data_dir::lock(dir)?;
    let new = NewStore {
        segment_bytes: args.segment_size.get(),
        ..NewStore::new(identity()?, now_millis())
    };
    let mut input = BufReader::with_capacity(BLOCK_BYTES, input);
    let imported = import_into(dir, new, &mut input).map_err(|error| failed(&error))?;
    let Imported { counts, unused } = imported;
    let mut more = Vec::new();
    if unused > 0 {
        more.push(format!("unused    {unused} of the messages: nothing refers to them"));
    }
    let start = format!("plexus serve --data-dir {}", dir.display());
    more.push(format!("ready     {start}"));
    args.store.tell(&text(&counts, &more), &value(&counts, ("unused", unused)))
}

/// What was moved, and what more there is to say.
fn text(counts: &Counts, more: &[String]) -> String {
    let Counts { messages, open, retained, sessions, queued } = counts;
    let mut lines = vec![
        format!("sessions  {sessions}"),
        format!("queued    {queued}"),
        format!("retained  {retained}"),
        format!("messages  {messages}"),
    ];
    if *open > 0 {
        lines.push(format!("open      {open}"));
    }
    lines.extend_from_slice(more);
    lines.join("\n") + "\n"
}

fn value(counts: &Counts, (name, number): (&str, u64)) -> Value {
    let mut value = json!(counts);
    if let Some(object) = value.as_object_mut() {
        object.insert(name.to_owned(), number.into());
    }
    value
}

fn now_millis() -> u64 {
    let since = clock().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// What a store is called that an export does not name.
fn identity() -> Result<Identity, Failure> {
    let draw =
        || getrandom::u64().map_err(|error| Failure::because("cannot draw random numbers", &error));
    Ok(Identity {
        store: u128::from(draw()?) << 64 | u128::from(draw()?),
        hash_seed: draw()?,
        created_millis: now_millis(),
    })
}
