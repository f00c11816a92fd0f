//! Traces: what clients do and get, written down for a while.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
};

use plexus_api_model::{ApiError, ErrorCode, Trace, TraceStatus};
use plexus_runtime::files;
use tokio::sync::Notify;

use crate::lists::locked;

/// Traces that there may be, running or not.
const TRACES_MAX: usize = 30;
/// Bytes of a trace.
pub(crate) const FILE_MAX: u64 = 128 * 1024 * 1024;
/// Bytes of its first line, which says what it is.
const HEAD_MAX: u64 = 256 * 1024;
const NAME_MAX: usize = 64;
const EXTENSION: &str = "jsonl";

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Traces {
    /// Where they are; nowhere without a data directory.
    folder: Option<PathBuf>,
    traces: Mutex<BTreeMap<String, Arc<TraceFile>>>,
}

/// A trace with its file.
#[derive(Debug)]
pub(crate) struct TraceFile {
    about: Trace,
    file: PathBuf,
    size: AtomicU64,
    /// Nothing more is written.
    closed: AtomicBool,
    /// It is to end: what has been seen by then is still written.
    ending: AtomicBool,
    stop: Notify,
}

impl TraceFile {
    /// As it is now.
    pub(crate) fn told(&self, node: &str) -> Trace {
        let ends = self.ending.load(Relaxed) || self.is_closed();
        let status = if ends { TraceStatus::Stopped } else { TraceStatus::Running };
        let log_size = BTreeMap::from([(node.to_owned(), self.size.load(Relaxed))]);
        Trace { status, log_size, ..self.about.clone() }
    }

    pub(crate) fn about(&self) -> &Trace {
        &self.about
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Relaxed)
    }

    /// It sees nothing more.
    pub(crate) fn end(&self) {
        self.ending.store(true, Relaxed);
        self.stop.notify_one();
    }

    /// Nothing more is written.
    pub(crate) fn close(&self) {
        self.closed.store(true, Relaxed);
        self.end();
    }

    /// Waits until it is to end.
    pub(crate) async fn ended(&self) {
        self.stop.notified().await;
    }

    /// Appends whole lines; an error, or a file that is full, ends it.
    pub(crate) fn append(&self, lines: &[u8]) {
        if self.is_closed() {
            return;
        }
        let written = OpenOptions::new().append(true).open(&self.file);
        let written = written.and_then(|mut file| file.write_all(lines));
        if let Err(error) = written {
            let trace = &self.about.name;
            tracing::error!(%error, trace, "a trace cannot be written, and ends");
            return self.close();
        }
        let size = self.size.fetch_add(lines.len() as u64, Relaxed) + lines.len() as u64;
        if size >= FILE_MAX {
            self.close();
        }
    }

    /// Whole lines from that place on, so many bytes at most unless the first line is longer.
    pub(crate) fn part(&self, position: u64, bytes: u64) -> io::Result<Vec<u8>> {
        let mut file = File::open(&self.file)?;
        if position >= file.metadata()?.len() {
            return Ok(Vec::new());
        }
        file.seek(SeekFrom::Start(position))?;
        let mut part = Vec::new();
        (&mut file).take(bytes).read_to_end(&mut part)?;
        if let Some(end) = part.iter().rposition(|byte| *byte == b'\n') {
            part.truncate(end + 1);
            return Ok(part);
        }
        BufReader::new(file).read_until(b'\n', &mut part)?;
        if part.last() != Some(&b'\n') {
            part.clear(); // It is being written.
        }
        Ok(part)
    }
}

impl Traces {
    /// Those that are in the folder: none of them records any more.
    pub(crate) fn open(folder: Option<PathBuf>) -> Self {
        let mut traces = BTreeMap::new();
        let entries = folder.as_ref().and_then(|folder| fs::read_dir(folder).ok());
        for entry in entries.into_iter().flatten().flatten() {
            let file = entry.path();
            if file.extension().is_none_or(|extension| extension != EXTENSION) {
                continue;
            }
            match read_head(&file) {
                Ok((about, size)) => {
                    let (size, closed) = (AtomicU64::new(size), AtomicBool::new(true));
                    let ending = AtomicBool::new(true);
                    let name = about.name.clone();
                    let kept = TraceFile { about, file, size, closed, ending, stop: Notify::new() };
                    traces.insert(name, Arc::new(kept));
                }
                Err(error) => {
                    tracing::warn!(%error, file = %file.display(), "that is no trace");
                }
            }
        }
        Self { folder, traces: Mutex::new(traces) }
    }

    /// Begins one.
    pub(crate) fn begin(&self, about: Trace) -> Result<Arc<TraceFile>, ApiError> {
        let Some(folder) = &self.folder else {
            let message = "traces are kept in the data directory: set node.data_dir";
            return Err(ApiError::bad(message));
        };
        let known = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
        let name = &about.name;
        if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(known) {
            return Err(ApiError::bad("name: 1 to 64 letters, digits, `_` and `-`"));
        }
        let mut traces = locked(&self.traces);
        if traces.contains_key(name) {
            let message = format!("there is a trace `{name}`; delete it, or take another name");
            return Err(ApiError::new(ErrorCode::AlreadyExists, message));
        }
        if traces.len() >= TRACES_MAX {
            let message = format!("there are {TRACES_MAX} traces already; delete one");
            return Err(ApiError::bad(message));
        }
        let file = folder.join(name).with_extension(EXTENSION);
        let size = write_head(&file, &about).map_err(|error| {
            tracing::error!(%error, file = %file.display(), "a trace cannot be begun");
            let message = "the trace cannot be begun: the log of the node says why";
            ApiError::new(ErrorCode::ServiceUnavailable, message)
        })?;
        let (size, closed, ending) =
            (AtomicU64::new(size), AtomicBool::new(false), AtomicBool::new(false));
        let kept = Arc::new(TraceFile { about, file, size, closed, ending, stop: Notify::new() });
        traces.insert(kept.about.name.clone(), Arc::clone(&kept));
        Ok(kept)
    }

    pub(crate) fn all(&self) -> Vec<Arc<TraceFile>> {
        locked(&self.traces).values().cloned().collect()
    }

    pub(crate) fn get(&self, name: &str) -> Result<Arc<TraceFile>, ApiError> {
        let found = locked(&self.traces).get(name).cloned();
        found.ok_or_else(|| {
            ApiError::new(ErrorCode::NotFound, format!("there is no trace `{name}`"))
        })
    }

    /// Ends one, and deletes its file.
    pub(crate) fn delete(&self, name: &str) -> Result<(), ApiError> {
        let kept = self.get(name)?;
        kept.close();
        let mut traces = locked(&self.traces);
        match fs::remove_file(&kept.file) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::error!(%error, file = %kept.file.display(), "a trace cannot be deleted");
                let message = "the trace cannot be deleted: the log of the node says why";
                return Err(ApiError::new(ErrorCode::ServiceUnavailable, message));
            }
        }
        traces.remove(name);
        Ok(())
    }
}

fn write_head(file: &std::path::Path, about: &Trace) -> io::Result<u64> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut text = serde_json::to_vec(about).map_err(io::Error::other)?;
    text.push(b'\n');
    // After a crash there is none, or one that says what it is.
    files::replace(file, &text)?;
    Ok(text.len() as u64)
}

fn read_head(file: &std::path::Path) -> io::Result<(Trace, u64)> {
    let opened = File::open(file)?;
    let size = opened.metadata()?.len();
    let mut line = Vec::new();
    BufReader::new(opened.take(HEAD_MAX)).read_until(b'\n', &mut line)?;
    let about: Trace = serde_json::from_slice(&line)?;
    // The name is what it is called here.
    let is_named = file.file_stem().is_some_and(|stem| *stem == *about.name);
    if is_named { Ok((about, size)) } else { Err(io::Error::other("it has another name")) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use plexus_api_model::{ErrorCode, Moment, Trace, TraceBy, TraceStatus};

    use super::{FILE_MAX, Traces};
    use crate::kept::testing::Folder;

    fn about(name: &str) -> Trace {
        Trace {
            name: name.to_owned(),
            r#type: TraceBy::Clientid,
            clientid: Some("robot".to_owned()),
            topic: None,
            ip_address: None,
            tenant: None,
            start_at: Moment::from_millis(1_000),
            end_at: Moment::from_millis(2_000),
            status: TraceStatus::Running,
            log_size: BTreeMap::new(),
        }
    }

    #[test]
    fn a_trace_outlives_the_node_and_is_read_in_whole_lines() {
        let folder = Folder::new("traces");
        let traces = Traces::open(Some(folder.file("trace")));
        let kept = traces.begin(about("a-1")).unwrap();
        assert_eq!(traces.begin(about("a-1")).unwrap_err().code, ErrorCode::AlreadyExists);
        for wrong in ["", "../x", "a b", "ü", &"x".repeat(65)] {
            assert_eq!(
                traces.begin(about(wrong)).unwrap_err().code,
                ErrorCode::BadRequest,
                "{wrong}"
            );
        }
        assert_eq!(kept.told("n").status, TraceStatus::Running);
        kept.append(b"{\"one\":1}\n");
        // What was seen before it was to end is written.
        kept.end();
        assert_eq!(kept.told("n").status, TraceStatus::Stopped);
        kept.append(b"{\"two\":2}\n");
        kept.close();
        kept.append(b"{\"three\":3}\n");
        drop(traces);
        let traces = Traces::open(Some(folder.file("trace")));
        let kept = traces.get("a-1").unwrap();
        assert_eq!(kept.told("n").status, TraceStatus::Stopped);
        let head = kept.part(0, 1).unwrap();
        assert!(head.ends_with(b"}\n") && head.starts_with(b"{\"name\":\"a-1\""));
        let position = head.len() as u64;
        assert_eq!(kept.part(position, 12).unwrap(), b"{\"one\":1}\n");
        assert_eq!(kept.part(position, 1).unwrap(), b"{\"one\":1}\n", "the first line in any case");
        assert_eq!(kept.part(position, 1_000).unwrap(), b"{\"one\":1}\n{\"two\":2}\n");
        assert_eq!(kept.part(position + 20, 1_000).unwrap(), b"");
        assert_eq!(kept.part(u64::MAX, 1_000).unwrap(), b"");
        traces.delete("a-1").unwrap();
        assert_eq!(traces.get("a-1").unwrap_err().code, ErrorCode::NotFound);
        assert!(Traces::open(Some(folder.file("trace"))).all().is_empty());
    }

    #[test]
    fn a_trace_ends_when_it_is_full_and_takes_nothing_more() {
        let folder = Folder::new("full-trace");
        let traces = Traces::open(Some(folder.file("trace")));
        let kept = traces.begin(about("full")).unwrap();
        kept.size.store(FILE_MAX - 1, std::sync::atomic::Ordering::Relaxed);
        kept.append(b"{}\n");
        assert!(kept.is_closed());
        let before = kept.told("n").log_size;
        kept.append(b"{}\n");
        assert_eq!(kept.told("n").log_size, before);
        assert!(
            Traces::open(None).begin(about("x")).unwrap_err().message.contains("node.data_dir")
        );
    }
}
