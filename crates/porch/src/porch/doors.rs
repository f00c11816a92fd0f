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
use crate::{Door, Limits, ListenerLimits, ListenerOptions, MeterOptions, OpenError};

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
    comings: Arc<Mutex<Bucket>>,
}

impl OpenDoor {
    pub(super) fn name(&self) -> &str {
        &self.door.name
    }

    /// The same door with other limits.
    fn with(&self, limits: ListenerLimits) -> Self {
        let old = &self.door;
        // What is shared is counted on: whoever is here takes from it too.
        let pools = old.meter.as_ref().map(|meter| meter.pools.clone()).unwrap_or_default();
        let is_limited = !limits.pace.is_free() || !pools.is_empty();
        let meter = is_limited.then(|| Arc::new(MeterOptions { client: limits.pace, pools }));
        let durable = old.options.durable;
        let options = Arc::new(plexus_session::Options { durable, ..limits.session });
        Self {
            door: Arc::new(Door { options, meter, ..Door::clone(old) }),
            layers: self.layers.clone(),
            tls: self.tls.clone(),
            connections: Arc::clone(&self.connections),
            connections_max: limits.connections_max,
            connect_timeout: limits.connect_timeout,
            connection_rate: limits.connection_rate,
            server_names: Arc::clone(&self.server_names),
            comings: Arc::clone(&self.comings),
        }
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
                Ok(Command::Renew(limits, answer)) => {
                    drop(answer.try_send(self.renew(*limits)));
                }
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
            comings: Arc::default(),
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

    /// Whoever is here keeps the door that he came in by.
    fn renew(&mut self, limits: Limits) -> Vec<String> {
        let mut missing = Vec::new();
        self.options.connections_max = limits.connections_max;
        self.options.fences.connection_rate = limits.connection_rate;
        for limits in limits.listeners {
            let Some(door) = self.doors.iter_mut().find(|door| door.name() == limits.name) else {
                missing.push(limits.name);
                continue;
            };
            let new = Arc::new(door.with(limits));
            for (_, open) in &mut self.listeners {
                if Arc::ptr_eq(&open.door, door) {
                    open.door = Arc::clone(&new);
                }
            }
            *door = new;
        }
        missing
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
