//! The thread that makes the log's next file, so that no commit waits for it.

use std::{
    fs::File,
    io,
    path::Path,
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    thread::JoinHandle,
    time::Duration,
};

use plexus_store::{Disk, FileDisk, Log, SpareOrder};
use plexus_types::Instant;

use crate::{
    error::StartError,
    node::{spawn, system},
};

/// The log orders one file at a time.
const ORDERS: usize = 1;
/// How long a disk is left alone on which a file could not be made: it may fill it to the last byte.
const RETRY: Duration = Duration::from_secs(5);

/// The other end of that thread.
pub(crate) struct SpareMaker {
    orders: Option<SyncSender<SpareOrder>>,
    made: Receiver<(SpareOrder, io::Result<File>)>,
    /// When to try again after one could not be made.
    not_before: Instant,
    thread: Option<JoinHandle<()>>,
}

impl SpareMaker {
    /// Makes files in that folder, which this process has for itself.
    pub(crate) fn start(folder: &Path) -> Result<Self, StartError> {
        let disk = FileDisk::open_shared(folder)
            .map_err(|source| system("the folder of the log", source))?;
        let (orders, ordered) = sync_channel::<SpareOrder>(ORDERS);
        let (deliver, made) = sync_channel(ORDERS);
        let thread = spawn("log-files".into(), move || {
            for order in ordered {
                let file = disk.create(&order.name, order.length);
                let file = file.inspect_err(|error| {
                    tracing::warn!(%error, file = order.name, "cannot make the log's next file");
                });
                if deliver.send((order, file)).is_err() {
                    return;
                }
            }
        })?;
        let not_before = Instant::ZERO;
        Ok(Self { orders: Some(orders), made, not_before, thread: Some(thread) })
    }

    /// Brings what has been made and takes an order.
    pub(super) fn tend(&mut self, log: &mut Log<FileDisk>, now: Instant) {
        while let Ok((order, file)) = self.made.try_recv() {
            if file.is_err() {
                self.not_before = now + RETRY;
            }
            log.deliver_spare(order, file);
        }
        if now < self.not_before {
            return;
        }
        if let (Some(orders), Some(order)) = (&self.orders, log.order_spare())
            && let Err(refused) = orders.try_send(order)
        {
            let (TrySendError::Full(order) | TrySendError::Disconnected(order)) = refused;
            log.deliver_spare(order, Err(io::ErrorKind::Other.into()));
        }
    }
}

impl Drop for SpareMaker {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that makes the log's files ended in a panic");
        }
    }
}
