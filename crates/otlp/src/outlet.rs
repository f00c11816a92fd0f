//! Sends what one kind of request holds, batch by batch. Nobody waits for it: what finds no room is counted.

use std::{future::pending, sync::Arc, time::Duration};

use bytes::Bytes;
use plexus_runtime::unix_now;
use plexus_stdx::Seed;
use prost::Message;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::{
    backoff::Backoff,
    collector::{Answer, Collector, Signal},
    proto::ExportResponse,
    tally::Tally,
    trouble::Trouble,
};

/// How long a batch waits for more.
const LINGER: Duration = Duration::from_secs(1);

/// The order to come to an end. Copies are one order.
#[derive(Debug, Clone)]
pub(crate) struct Stop(pub(crate) watch::Receiver<bool>);

impl Stop {
    fn is_ordered(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when it is ordered, or when there is nobody left who could.
    pub(crate) async fn ordered(&mut self) {
        drop(self.0.wait_for(|is_ordered| *is_ordered).await);
    }
}

/// A way to the collector.
pub(crate) struct Outlet {
    pub(crate) signal: Signal,
    pub(crate) collector: Arc<dyn Collector>,
    /// How long a request may take, and how long one that is not taken waits to be sent again.
    pub(crate) timeout: Duration,
    pub(crate) patience: Duration,
    pub(crate) tally: Arc<Tally>,
    pub(crate) trouble: Arc<Trouble>,
    pub(crate) draw: Seed,
    pub(crate) stop: Stop,
}

impl Outlet {
    /// Sends a request with so many things in it until it is taken or given up. When everything is to end it is tried
    /// once more.
    pub(crate) async fn send(&mut self, body: Bytes, count: u64) {
        let mut backoff = Backoff::new(self.patience);
        loop {
            let posting = self.collector.post(self.signal, body.clone());
            let answer = timeout(self.timeout, posting).await;
            let (why, asked) = match answer {
                Ok(Answer::Taken(said)) => return self.taken(&said, count),
                Ok(Answer::Later(why, asked)) => (why, asked),
                Ok(Answer::Refused(why)) => {
                    self.tally.refuse(count);
                    return self.fails(&why);
                }
                Err(_) => ("no answer in time".to_owned(), None),
            };
            self.fails(&why);
            let wait = backoff.next(asked, &mut self.draw);
            let Some(wait) = wait.filter(|_| !self.stop.is_ordered()) else {
                return self.tally.lose(count);
            };
            tokio::select! {
                () = sleep(wait) => {}
                () = self.stop.ordered() => {}
            }
        }
    }

    /// The collector may have taken only a part. What it says that makes no sense says nothing.
    fn taken(&self, said: &[u8], count: u64) {
        let said = ExportResponse::decode(said).unwrap_or_default().partial_success;
        let refused = said.as_ref().map_or(0, |said| u64::try_from(said.rejected).unwrap_or(0));
        self.tally.send(count, refused);
        match said.filter(|_| refused > 0) {
            Some(said) => self.fails(&format!("some are refused: {}", said.error_message)),
            None if self.trouble.ends(self.signal) => {
                tracing::info!("the collector takes what it is sent again");
            }
            None => {}
        }
    }

    fn fails(&self, why: &str) {
        if self.trouble.begins(unix_now(), self.signal, why) {
            let what = self.signal.items();
            // It may be the collector's text.
            let why = why.escape_debug();
            tracing::warn!(what, "the collector of telemetry.endpoint does not take them: {why}");
        }
    }
}

/// Sends what comes, as the requests that `request` makes of it, until everything is to end and nothing waits.
pub(crate) async fn run<T: Send>(
    mut outlet: Outlet,
    mut next: mpsc::Receiver<T>,
    batch_max: usize,
    mut request: impl FnMut(Vec<T>) -> (Bytes, u64) + Send,
) {
    let mut stop = outlet.stop.clone();
    while let Some(batch) = gather(&mut next, batch_max, &mut stop).await {
        let (body, count) = request(batch);
        if count > 0 {
            outlet.send(body, count).await;
        }
    }
}

/// What has come, as soon as it is so much, or a while after the first. None when nothing comes any more.
async fn gather<T>(
    next: &mut mpsc::Receiver<T>,
    batch_max: usize,
    stop: &mut Stop,
) -> Option<Vec<T>> {
    let (mut batch, mut due) = (Vec::new(), None);
    while batch.len() < batch_max {
        let (room, until) = (batch_max - batch.len(), due);
        let is_due = async {
            match until {
                Some(until) => sleep_until(until).await,
                // There is nothing yet that could wait too long.
                None => pending().await,
            }
        };
        tokio::select! {
            came = next.recv_many(&mut batch, room) => {
                if came == 0 {
                    break;
                }
                due.get_or_insert_with(|| Instant::now() + LINGER);
            }
            () = is_due => break,
            // What comes from now on is turned away; what waits is still sent.
            () = stop.ordered(), if !next.is_closed() => next.close(),
        }
    }
    (!batch.is_empty()).then_some(batch)
}

/// Sends a request as often as that, and a last one when everything is to end.
pub(crate) async fn run_each(
    mut outlet: Outlet,
    interval: Duration,
    mut request: impl FnMut() -> (Bytes, u64) + Send,
) {
    let mut stop = outlet.stop.clone();
    loop {
        let is_last = stop.is_ordered();
        let (body, count) = request();
        outlet.send(body, count).await;
        if is_last {
            return;
        }
        tokio::select! {
            () = sleep(interval) => {}
            () = stop.ordered() => {}
        }
    }
}

#[cfg(test)]
mod tests;
