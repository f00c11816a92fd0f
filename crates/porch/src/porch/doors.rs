//! Listeners: opened, closed and renewed while the node runs.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicUsize, mpsc::TryRecvError},
    time::Duration,
};

use mio::{Interest, Token, event::Source};
use plexus_fences::{Bucket, Rate};
use plexus_net::{Layers, ListenUrl, Listener, TlsOptions, TlsServer};
use plexus_types::TenantName;

use super::{Command, LISTENERS, Porch};
use crate::{Door, ListenerOptions, OpenError};

/// A listener's options as its connections need them.
pub(super) struct OpenDoor {
    pub(super) door: Arc<Door>,
    pub(super) layers: Layers,
    pub(super) tls: Option<(TlsServer, TlsOptions)>,
    pub(super) connections: Arc<AtomicUsize>,
    pub(super) connections_max: usize,
    pub(super) connect_timeout: Duration,
    pub(super) connection_rate: Option<Rate>,
    /// Tenants by the server names that are asked for.
    pub(super) server_names: Arc<BTreeMap<String, TenantName>>,
    /// Who came here; a lock that only the porch's thread takes.
    comings: Mutex<Bucket>,
}

impl OpenDoor {
    pub(super) fn name(&self) -> &str {
        &self.door.name
    }

    pub(super) fn comings(&self) -> MutexGuard<'_, Bucket> {
        self.comings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One listening socket of a door.
pub(super) struct OpenListener {
    pub(super) listener: Listener,
    pub(super) door: Arc<OpenDoor>,
}

impl Porch {
    /// Carries out what other threads asked for.
    pub(super) fn obey(&mut self) {
        loop {
            match self.commands.try_recv() {
                Ok(Command::Open(options, answer)) => {
                    // Nobody waits any more if the receiver is gone.
                    drop(answer.try_send(self.open(&options)));
                }
                Ok(Command::Close(name, answer)) => drop(answer.try_send(self.close(&name))),
                Ok(Command::ReloadTls(answer)) => drop(answer.try_send(self.reload_tls())),
                Ok(Command::Stop(answer)) => {
                    // The sockets are closed before anybody is told that the node goes down.
                    self.listeners.clear();
                    let heard = answer.try_send(()).is_ok();
                    tracing::debug!(heard, "the porch is closed");
                    self.stopped = true;
                    return;
                }
                Err(TryRecvError::Disconnected) => {
                    self.stopped = true;
                    return;
                }
                Err(TryRecvError::Empty) => return,
            }
        }
    }

    fn open(&mut self, options: &ListenerOptions) -> Result<Vec<ListenUrl>, OpenError> {
        if self.doors.iter().any(|door| door.name() == options.name) {
            return Err(OpenError::Name(options.name.clone()));
        }
        let net = &options.net;
        let layers = net.layers()?;
        let tls = layers.tls.clone().zip(net.tls.clone());
        let listeners = Listener::bind(&net.url, &net.bind)?;
        let door = Arc::new(OpenDoor {
            door: Arc::new(Door::of(options)),
            layers,
            tls,
            connections: Arc::default(),
            connections_max: options.connections_max,
            connect_timeout: options.connect_timeout,
            connection_rate: options.connection_rate,
            server_names: Arc::clone(&options.server_names),
            comings: Mutex::default(),
        });
        let mut urls = Vec::new();
        for mut listener in listeners {
            urls.push(listener.local_url().clone());
            let entry = self.listeners.vacant_entry();
            let token = Token(LISTENERS + entry.key());
            listener
                .register(self.poll.registry(), token, Interest::READABLE)
                .map_err(OpenError::Watch)?;
            entry.insert(OpenListener { listener, door: Arc::clone(&door) });
        }
        self.doors.push(door);
        Ok(urls)
    }

    fn close(&mut self, name: &str) -> bool {
        let keys: Vec<_> = self
            .listeners
            .iter()
            .filter(|(_, listener)| listener.door.name() == name)
            .map(|(key, _)| key)
            .collect();
        for key in &keys {
            let mut open = self.listeners.remove(*key);
            drop(open.listener.deregister(self.poll.registry()));
        }
        self.doors.retain(|door| door.name() != name);
        !keys.is_empty()
    }

    fn reload_tls(&self) -> Vec<(String, String)> {
        self.doors
            .iter()
            .filter_map(|door| {
                let (server, options) = door.tls.as_ref()?;
                let error = server.reload(options).err()?;
                Some((door.name().to_owned(), error.to_string()))
            })
            .collect()
    }
}
