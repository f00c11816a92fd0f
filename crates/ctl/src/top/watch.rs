//! Looks at the node again and again, beside the screen: a node that takes its time holds up no key.

use std::{
    io::{self, Write},
    os::unix::net::UnixStream,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    time::Duration,
};

use plexus_api_model::{
    Alarm, AlarmQuery, Client as Known, ClientQuery, NodeState, Rates, operations,
};
use plexus_terminal::Failure;

use crate::client::{CallError, Client};

/// Clients in a look at most: the node asks its shards for so many at a time.
pub(super) const CLIENTS_MAX: u64 = 1_000;

/// Alarms in a look at most.
const ALARMS_MAX: u64 = 100;

/// What a look has seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Snapshot {
    pub(super) nodes: Vec<NodeState>,
    pub(super) rates: Rates,
    pub(super) alarms: Vec<Alarm>,
    pub(super) clients: Vec<Known>,
    /// Whether there are more clients than these.
    pub(super) is_cut: bool,
}

impl Snapshot {
    /// Looks. Of clients, those with `search` in them.
    pub(super) fn take(client: &Client, search: &str) -> Result<Self, CallError> {
        let nodes = client.call(&operations::LIST_NODES, &(), &(), &())?.value;
        let rates = client.call(&operations::MONITOR_CURRENT, &(), &(), &())?.value;
        let query = AlarmQuery { limit: Some(ALARMS_MAX), ..AlarmQuery::default() };
        let alarms = client.call(&operations::LIST_ALARMS, &(), &query, &())?.value.data;
        let query = ClientQuery {
            limit: Some(CLIENTS_MAX),
            cursor: Some("none".to_owned()),
            search: Some(search.to_owned()).filter(|search| !search.is_empty()),
            ..ClientQuery::default()
        };
        let page = client.call(&operations::LIST_CLIENTS, &(), &query, &())?.value;
        Ok(Self { nodes, rates, alarms, clients: page.data, is_cut: page.meta.hasnext })
    }
}

/// Who looks.
pub(super) struct Watch {
    seen: Receiver<Result<Snapshot, String>>,
    wanted: SyncSender<String>,
}

/// Changes of the text that nobody has looked for yet; then only the last counts.
const WANTED_MAX: usize = 64;

impl Watch {
    /// Looks every `interval`, and tells `waker`. It ends with the look after this is dropped.
    pub(super) fn start(
        client: Client,
        mut search: String,
        interval: Duration,
        mut waker: UnixStream,
    ) -> Result<Self, Failure> {
        let (tell, seen) = sync_channel(1);
        let (wanted, wish) = sync_channel::<String>(WANTED_MAX);
        let look = move || {
            loop {
                match wish.recv_timeout(interval) {
                    Ok(text) => search = wish.try_iter().last().unwrap_or(text),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
                let snapshot = Snapshot::take(&client, &search);
                let snapshot = snapshot.map_err(|error| error.to_string());
                if tell.send(snapshot).is_err() || waker.write_all(&[0]).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("watch".to_owned()).spawn(look);
        let started =
            thread.map_err(|error: io::Error| Failure::because("cannot start a thread", &error));
        started.map(|_| Self { seen, wanted })
    }

    /// What has been seen since.
    pub(super) fn poll(&self) -> Option<Result<Snapshot, String>> {
        self.seen.try_recv().ok()
    }

    /// Looks at once, for clients with that in them.
    pub(super) fn search(&self, text: String) {
        match self.wanted.try_send(text) {
            // So fast nobody types; the next key brings the text again.
            Ok(()) | Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {}
        }
    }
}
