//! *What it is.* The control plane's threads and its clock: what may take long or wait for others
//! (password hashes, back ends, later the management API) runs here, away from the shards.
//!
//! *What it never does.* It knows nothing of what runs on it, and no message of a client passes
//! through it.
//!
//! *Entry points.* [`Runtime`], [`Handle`], [`Line`], [`files`], [`unix_now`].
//!
//! *Tests.* Here what is computed for nobody; else those of the crates that use it.

mod dial;
pub mod files;
mod line;

use std::{
    future::Future,
    io,
    net::SocketAddr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use plexus_types::Instant;
use tokio::{
    net::TcpStream,
    runtime::Builder,
    task::{AbortHandle, JoinHandle},
};

use self::dial::Lookups;
pub use self::line::{Duplex, Line, NoServer};

/// Threads that wait for others; what computes has threads of its own.
const WORKERS: usize = 2;
/// Threads that compute at most: each may hold the memory of a password hash.
const COMPUTING_MAX: usize = 4;
/// How long a computing thread without work stays.
const IDLE: Duration = Duration::from_secs(10);

/// The threads of the control plane. Dropping it ends what runs there, without waiting for it.
#[derive(Debug)]
pub struct Runtime(Option<tokio::runtime::Runtime>, Lookups);

impl Runtime {
    /// Starts the threads, for a machine of so many cores.
    pub fn start(cores: usize) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(WORKERS.min(cores.max(1)))
            .max_blocking_threads(COMPUTING_MAX.min(cores.max(1)))
            .thread_keep_alive(IDLE)
            .thread_name("control")
            .enable_all()
            .build()?;
        Ok(Self(Some(runtime), Lookups::default()))
    }

    /// A handle to it.
    pub fn handle(&self) -> Handle {
        let runtime = self.0.as_ref().expect("invariant: there until it is dropped");
        Handle(runtime.handle().clone(), self.1.clone())
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Has something run on the control plane; cheap to clone.
#[derive(Debug, Clone)]
pub struct Handle(tokio::runtime::Handle, Lookups);

impl Handle {
    /// Runs it to its end. Whoever spawns bounds how many there are.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(self.0.spawn(task));
    }

    /// Runs it until the answer is dropped.
    pub fn own(&self, task: impl Future<Output = ()> + Send + 'static) -> Task {
        Task(self.0.spawn(task).abort_handle())
    }

    /// Runs what computes for long on a thread of its own kind. None when it panicked or the control
    /// plane ends. What nobody waits for any more when its turn comes is not computed.
    pub async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let task: JoinHandle<T> = self.0.spawn_blocking(work);
        // That ends one that has not begun, and no other.
        let _unless_dropped = Task(task.abort_handle());
        task.await.ok()
    }

    /// The addresses of a host, with that port. A name is looked for by the system, on a thread of its
    /// own.
    pub async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.1.find(host, port).await
    }

    /// A connection to that host: to the first of its addresses that takes one.
    pub async fn dial(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        self.1.dial(host, port).await
    }

    /// Runs it on the thread that calls, for what has to be known before a node starts.
    pub fn wait_for<T>(&self, task: impl Future<Output = T>) -> T {
        self.0.block_on(task)
    }
}

/// Something that runs as long as this is held.
#[derive(Debug)]
pub struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The time of the system's clock, since 1970.
#[expect(clippy::disallowed_methods, reason = "this is the clock of the control plane")]
pub fn unix_now() -> Instant {
    Instant::ZERO + SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::{
        future::{Future, poll_fn},
        sync::{Arc, atomic::AtomicBool, atomic::Ordering::SeqCst, mpsc::sync_channel},
        task::Poll,
    };

    use super::Runtime;

    #[test]
    fn what_nobody_waits_for_any_more_is_not_computed() {
        let runtime = Runtime::start(1).unwrap();
        let handle = runtime.handle();
        let ((begins, begun), (ends, end)) = (sync_channel(1), sync_channel::<()>(1));
        let computing = handle.clone();
        handle.spawn(async move {
            let work = move || begins.send(()).is_ok() && end.recv().is_ok();
            let _done = computing.compute(work).await;
        });
        begun.recv().unwrap();
        let (computed, note) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let noted = Arc::clone(&computed);
        let mut impatient = Box::pin(handle.compute(move || noted.store(true, SeqCst)));
        // It stands in the queue, behind the first.
        handle.wait_for(poll_fn(|context| {
            assert!(impatient.as_mut().poll(context).is_pending());
            Poll::Ready(())
        }));
        drop(impatient);
        let noted = Arc::clone(&note);
        ends.send(()).unwrap();
        handle.wait_for(handle.compute(move || noted.store(true, SeqCst))).unwrap();
        assert!(note.load(SeqCst) && !computed.load(SeqCst));
    }
}
