//! A thread for what may take long or not end, such as files on a network: signals are heard
//! meanwhile.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    thread,
    time::Duration,
};

use plexus_terminal::Failure;

/// Why work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// It was ordered.
    Ordered,
    /// Nothing was ordered for a while.
    Due,
}

/// The thread and its orders, each of which is the same.
#[derive(Debug)]
pub(super) struct Worker {
    orders: SyncSender<()>,
    /// Disconnected when the thread has ended.
    ended: Receiver<()>,
}

impl Worker {
    /// `work` is done whenever that is ordered, and when nothing was ordered for that long.
    pub(super) fn start(
        name: &str,
        every: Duration,
        mut work: impl FnMut(Cause) + Send + 'static,
    ) -> Result<Self, Failure> {
        let (orders, next) = sync_channel(1);
        let (alive, ended) = sync_channel(1);
        let run = move || {
            loop {
                match next.recv_timeout(every) {
                    Ok(()) => work(Cause::Ordered),
                    Err(RecvTimeoutError::Timeout) => work(Cause::Due),
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            drop::<SyncSender<()>>(alive);
        };
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(run)
            .map_err(|error| Failure::because("cannot start a thread", &error))?;
        Ok(Self { orders, ended })
    }

    /// Has the work done once more. An order that waits already stands for this one, too.
    pub(super) fn order(&self) {
        match self.orders.try_send(()) {
            Ok(()) | Err(TrySendError::Full(())) => {}
            Err(TrySendError::Disconnected(())) => tracing::error!("a thread ended in a panic"),
        }
    }

    /// Waits for what was ordered, but no longer than that; says whether it was done.
    pub(super) fn finish(self, patience: Duration) -> bool {
        drop(self.orders);
        matches!(self.ended.recv_timeout(patience), Err(RecvTimeoutError::Disconnected))
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc::sync_channel, time::Duration};

    use super::{Cause, Worker};

    const LONG: Duration = Duration::from_hours(1);

    #[test]
    fn work_that_hangs_holds_nobody_up() {
        let (begun, has_begun) = sync_channel(1);
        let (_never, hang) = sync_channel::<()>(1);
        let worker = Worker::start("test", LONG, move |_| {
            begun.send(()).unwrap();
            hang.recv().unwrap_err();
        });
        let worker = worker.unwrap();
        worker.order();
        has_begun.recv().unwrap();
        worker.order();
        worker.order();
        assert!(!worker.finish(Duration::ZERO));
    }

    #[test]
    fn what_was_ordered_is_done_before_the_end() {
        let (done, is_done) = sync_channel(1);
        let worker = Worker::start("test", LONG, move |cause| done.send(cause).unwrap()).unwrap();
        worker.order();
        assert!(worker.finish(Duration::from_mins(1)));
        assert_eq!(is_done.try_recv(), Ok(Cause::Ordered));
    }

    #[test]
    fn work_is_due_when_nothing_is_ordered() {
        let (done, is_done) = sync_channel(1);
        let moment = Duration::from_millis(1);
        let worker = Worker::start("test", moment, move |cause| {
            let _full = done.try_send(cause);
        });
        let worker = worker.unwrap();
        assert_eq!(is_done.recv(), Ok(Cause::Due));
        assert!(worker.finish(Duration::from_mins(1)));
    }
}
