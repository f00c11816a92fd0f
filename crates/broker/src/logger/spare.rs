//! The thread that makes the log's next file, so that no commit waits for it.

use std::{
    fs::File,
    path::Path,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::JoinHandle,
};

use plexus_store::{Disk, FileDisk, Log, SpareOrder};

use crate::{
    error::StartError,
    node::{spawn, system},
};

/// The log orders one file at a time.
const ORDERS: usize = 1;

/// The other end of that thread.
pub(crate) struct SpareMaker {
    orders: Option<SyncSender<SpareOrder>>,
    made: Receiver<(SpareOrder, Option<File>)>,
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
                let file = file
                    .inspect_err(|error| {
                        tracing::warn!(%error, file = order.name, "cannot make the log's next file");
                    })
                    .ok();
                if deliver.send((order, file)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { orders: Some(orders), made, thread: Some(thread) })
    }

    /// Brings what has been made and takes an order.
    pub(super) fn tend(&mut self, log: &mut Log<FileDisk>) {
        while let Ok((order, file)) = self.made.try_recv() {
            log.deliver_spare(order, file);
        }
        if let (Some(orders), Some(order)) = (&self.orders, log.order_spare())
            && let Err(refused) = orders.try_send(order)
        {
            let (std::sync::mpsc::TrySendError::Full(order)
            | std::sync::mpsc::TrySendError::Disconnected(order)) = refused;
            log.deliver_spare(order, None);
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
