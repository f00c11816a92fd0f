//! Answers that do not end: server-sent events (WHATWG HTML, section 9.2), within bounds.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::Stream;
use serde::Serialize;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::timeout,
};

/// Streams at the same time.
pub(crate) const STREAMS_MAX: usize = 64;
/// Events that wait to be written, and their bytes.
const WAITING_MAX: usize = 64;
const WAITING_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How long a reader may take none.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often something is sent, and asked whether whoever reads still may.
pub(crate) const BEAT: Duration = Duration::from_secs(15);

/// How many streams a connection has: as long as it has any its age does not matter.
#[derive(Debug, Clone, Default)]
pub(crate) struct Streaming(Arc<AtomicUsize>);

impl Streaming {
    pub(crate) fn any(&self) -> bool {
        self.0.load(Relaxed) > 0
    }

    fn begin(&self) -> Open {
        self.0.fetch_add(1, Relaxed);
        Open(Arc::clone(&self.0))
    }
}

/// One of them.
struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Where the events of a stream go.
pub(crate) struct Feed {
    events: mpsc::Sender<(Bytes, OwnedSemaphorePermit)>,
    room: Arc<Semaphore>,
    may: Box<dyn Fn() -> bool + Send + Sync>,
    _stream: Open,
    _place: OwnedSemaphorePermit,
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").finish_non_exhaustive()
    }
}

/// Nobody reads any more, or may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Over;

impl Feed {
    /// A stream, and what is answered.
    pub(crate) fn new(
        streaming: &Streaming,
        place: OwnedSemaphorePermit,
        may: impl Fn() -> bool + Send + Sync + 'static,
    ) -> (Self, Events) {
        let (events, out) = mpsc::channel(WAITING_MAX);
        let (room, may) = (Arc::new(Semaphore::new(WAITING_BYTES_MAX)), Box::new(may));
        let feed = Self { events, room, may, _stream: streaming.begin(), _place: place };
        (feed, Events(out))
    }

    /// Sends an event.
    pub(crate) async fn send(&self, name: &str, what: &impl Serialize) -> Result<(), Over> {
        let data = serde_json::to_string(what).map_err(|_| Over)?;
        self.put(format!("event: {name}\ndata: {data}\n\n")).await
    }

    /// How many events were left out.
    pub(crate) async fn lost(&self, count: u64) -> Result<(), Over> {
        self.put(format!("event: lost\ndata: {{\"count\":{count}}}\n\n")).await
    }

    /// Whether whoever reads still may.
    pub(crate) fn may(&self) -> bool {
        (self.may)()
    }

    /// A comment, so that whatever stands between knows that the stream goes on.
    pub(crate) async fn beat(&self) -> Result<(), Over> {
        if !self.may() {
            return Err(Over);
        }
        self.put(":\n\n".to_owned()).await
    }

    /// Sends that as it is.
    pub(crate) async fn raw(&self, part: Vec<u8>) -> Result<(), Over> {
        // One that is larger than all the room waits until it is alone.
        let size = u32::try_from(part.len().min(WAITING_BYTES_MAX)).unwrap_or(u32::MAX);
        let sent = timeout(PATIENCE, async {
            let room = Arc::clone(&self.room).acquire_many_owned(size).await.map_err(|_| Over)?;
            self.events.send((part.into(), room)).await.map_err(|_| Over)
        });
        sent.await.map_err(|_| Over)?
    }

    async fn put(&self, text: String) -> Result<(), Over> {
        self.raw(text.into_bytes()).await
    }

    /// Whoever reads has gone.
    pub(crate) fn closed(&self) -> impl Future<Output = ()> + '_ {
        self.events.closed()
    }
}

/// The events, as the body of an answer.
#[derive(Debug)]
pub(crate) struct Events(mpsc::Receiver<(Bytes, OwnedSemaphorePermit)>);

impl Stream for Events {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        self.0.poll_recv(context).map(|event| event.map(|(event, _)| Ok(event)))
    }
}
