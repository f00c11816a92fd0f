//! Where the payloads of `plexus pub` come from.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel},
    },
    time::Duration,
};

use bytes::Bytes;
use mio::Waker;
use plexus_terminal::Failure;

use crate::client::trouble::plain;

/// Lines that are read ahead.
const LINES_AHEAD: usize = 256;
/// The largest payload: what a packet can carry, nearly.
const PAYLOAD_MAX: u64 = 268_000_000;
/// How long a line that is not sent any more is waited for.
const REST_TIMEOUT: Duration = Duration::from_millis(200);
/// Lines that are not sent any more and yet counted.
const REST_MAX: u64 = 100_000;

/// The payloads, one after the other.
#[derive(Debug)]
pub(super) enum Source {
    /// A single one, until it is taken.
    One(Option<Bytes>),
    /// Lines, read by a thread of their own because reading may wait.
    Lines(Receiver<io::Result<Bytes>>),
}

/// What a source has now.
#[derive(Debug)]
pub(super) enum Next {
    Payload(Bytes),
    /// Nothing yet; the waker rings.
    Later,
    End,
}

impl Source {
    pub(super) fn one(payload: Bytes) -> Self {
        Self::One(Some(payload))
    }

    /// The whole content of a file or of stdin.
    pub(super) fn whole(path: &str) -> Result<Self, Failure> {
        let mut payload = Vec::new();
        open(path)
            .and_then(|reader| reader.take(PAYLOAD_MAX + 1).read_to_end(&mut payload))
            .map_err(|error| unreadable(path, &error))?;
        if payload.len() as u64 > PAYLOAD_MAX {
            return Err(Failure::Failed(format!("{path}: larger than a packet can carry")));
        }
        Ok(Self::one(Bytes::from(payload)))
    }

    /// The lines of a file, or of stdin.
    pub(super) fn lines(file: Option<&str>, waker: Arc<Waker>) -> Result<Self, Failure> {
        let path = file.unwrap_or("-").to_owned();
        let reader = open(&path).map_err(|error| unreadable(&path, &error))?;
        let (sender, receiver) = sync_channel(LINES_AHEAD);
        let read = move || {
            for line in lines_of(reader) {
                // When nobody receives any more, the command is over.
                if sender.send(line).is_err() {
                    return;
                }
                drop(waker.wake());
            }
            drop(sender);
            drop(waker.wake());
        };
        let thread = std::thread::Builder::new().name("lines".to_owned()).spawn(read);
        thread.map_err(|error| Failure::because("cannot start a thread", &error))?;
        Ok(Self::Lines(receiver))
    }

    pub(super) fn next(&mut self) -> Result<Next, Failure> {
        match self {
            Self::One(payload) => Ok(payload.take().map_or(Next::End, Next::Payload)),
            Self::Lines(lines) => match lines.try_recv() {
                Ok(Ok(line)) => Ok(Next::Payload(line)),
                Ok(Err(error)) => {
                    Err(Failure::Failed(format!("cannot read a line: {}", plain(&error))))
                }
                Err(TryRecvError::Empty) => Ok(Next::Later),
                Err(TryRecvError::Disconnected) => Ok(Next::End),
            },
        }
    }

    /// Counts what is not taken any more, as far as it comes at once and there is time; whether that
    /// was all.
    pub(super) fn rest(&mut self, has_time: impl Fn() -> bool) -> (u64, bool) {
        let Self::Lines(lines) = self else { return (0, true) };
        let mut count = 0;
        while count < REST_MAX && has_time() {
            match lines.recv_timeout(REST_TIMEOUT) {
                Ok(Ok(_)) => count += 1,
                Ok(Err(_)) | Err(RecvTimeoutError::Timeout) => return (count, false),
                Err(RecvTimeoutError::Disconnected) => return (count, true),
            }
        }
        (count, false)
    }
}

fn unreadable(path: &str, error: &io::Error) -> Failure {
    Failure::Failed(format!("cannot read {path}: {}", plain(error)))
}

fn open(path: &str) -> io::Result<Box<dyn BufRead + Send>> {
    Ok(match path {
        "-" => Box::new(BufReader::new(io::stdin())),
        _ => Box::new(BufReader::new(File::open(path)?)),
    })
}

/// The lines without their ends, as bytes: a payload need not be text.
fn lines_of(mut reader: impl BufRead) -> impl Iterator<Item = io::Result<Bytes>> {
    std::iter::from_fn(move || {
        let mut line = Vec::new();
        match reader.by_ref().take(PAYLOAD_MAX).read_until(b'\n', &mut line) {
            Ok(0) => None,
            Ok(_) => {
                if line.last() == Some(&b'\n') {
                    line.pop();
                }
                Some(Ok(Bytes::from(line)))
            }
            Err(error) => Some(Err(error)),
        }
    })
}
