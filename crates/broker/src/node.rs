//! A running node: its threads, and the handles by which others speak to them.

mod store;

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, PoisonError,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use mio::{Poll, Token};
use plexus_fences::Ban;
use plexus_links::{Bell, Links};
use plexus_net::ListenUrl;
use plexus_porch::{
    Alarm, BansFrom, Clock, Command, EndedAlarm, Gauge, Limits, ListenerOptions, OpenError, Porch,
    PorchOptions, Timings, Watcher, watch_memory,
};
use plexus_stdx::Seed;
use plexus_types::{ClientId, Instant, TenantName, TopicName};

use self::store::{Dealt, Desk, Store};
use crate::{
    counters::Counters,
    drivers::Driver,
    error::StartError,
    homes::Shards,
    options::NodeOptions,
    reactor::{self, Control, Reactor, WAKER},
    shard::{Context, Question},
};

/// Messages of control that wait for a shard.
const CONTROLS: usize = 4_096;
/// Commands that wait for the porch.
const COMMANDS: usize = 16;
/// Shards at most: a set of shards is one word.
const SHARDS_MAX: u16 = 64;

/// A running node. Dropping it without [`Node::shut_down`] leaves the threads to the process.
#[derive(Debug)]
pub struct Node {
    handle: NodeHandle,
    listeners: Vec<ListenUrl>,
    threads: Vec<JoinHandle<()>>,
    stop_watch: SyncSender<()>,
}

/// Speaks to a running node; cheap to clone.
#[derive(Debug, Clone)]
pub struct NodeHandle {
    commands: SyncSender<Command>,
    porch_bell: Bell,
    shards: Vec<(SyncSender<Control>, Bell)>,
    context: Arc<Context>,
    clock: Clock,
}

impl Node {
    /// Starts the threads and opens the listeners; on an error nothing is left running.
    pub fn start(
        options: NodeOptions,
        listeners: Vec<ListenerOptions>,
    ) -> Result<Self, StartError> {
        if options.shards == 0 || options.shards > SHARDS_MAX {
            return Err(StartError::Shards(options.shards));
        }
        let store = options.log.clone();
        let store = store.map(|place| store::open_apart(place, options.shards)).transpose()?;
        let seed = match &store {
            Some(store) => store.seed(),
            None => Seed::new(random()?),
        };
        let context = Context::new(options, seed);
        let newest = store.as_ref().map_or(Instant::ZERO, Store::newest);
        let clock = Clock::start(newest);
        let store = match store {
            Some(store) => Some(store.deal(&context, &listeners)?),
            None => None,
        };
        let mut node = Self::start_threads(context, clock, store)?;
        for listener in listeners {
            let name = listener.name.clone();
            match node.handle.open_listener(listener) {
                Ok(urls) => node.listeners.extend(urls),
                Err(source) => {
                    node.shut_down(Duration::ZERO);
                    return Err(StartError::Listener { name, source });
                }
            }
        }
        Ok(node)
    }

    fn start_threads(
        context: Arc<Context>,
        clock: Clock,
        store: Option<Dealt>,
    ) -> Result<Self, StartError> {
        let gauge = Arc::new(Gauge::default());
        let mut polls = Vec::new();
        let mut bells = Vec::new();
        for _ in 0..context.options.shards {
            let (poll, bell) = new_poll(WAKER)?;
            polls.push(poll);
            bells.push(bell);
        }
        let (mut shards, mut reactors, mut threads) = (Vec::new(), Vec::new(), Vec::new());
        let mut desk = store.map(Desk::new);
        let meshed = Links::mesh(&bells).into_iter().zip(polls).zip(bells);
        for (id, ((links, poll), bell)) in (0_u16..).zip(meshed) {
            let (sender, control) = sync_channel(CONTROLS);
            shards.push((sender, bell.clone()));
            let (context, gauge) = (Arc::clone(&context), Arc::clone(&gauge));
            let log = desk.as_mut().and_then(Desk::seat);
            reactors.push(reactor::Parts {
                id,
                poll,
                bell,
                links,
                control,
                context,
                gauge,
                clock,
                log,
            });
        }
        let restless = context.options.restless;
        let reactors = reactors.into_iter().map(Reactor::new).collect::<io::Result<Vec<_>>>();
        let drivers = reactors.and_then(|reactors| Driver::team(reactors, clock, restless));
        let drivers = drivers.map_err(|source| system("a poll", source))?;
        for (number, driver) in drivers.into_iter().enumerate() {
            threads.push(spawn(format!("shard-{number}"), move || driver.run())?);
        }
        if let Some(desk) = desk {
            threads.push(desk.open(&shards, &context, clock)?);
        }
        let (poll, porch_bell) = new_poll(plexus_porch::WAKER)?;
        let (commands, commands_in) = sync_channel(COMMANDS);
        let porch = Porch::new(plexus_porch::Parts {
            poll,
            bell: porch_bell.clone(),
            commands: commands_in,
            homes: Box::new(Shards::new(shards.clone(), Arc::clone(&context))),
            options: PorchOptions {
                connections_max: context.options.connections_max,
                handshakes_max: context.options.handshakes_max,
                fences: context.options.fences.clone(),
            },
            fences: Arc::clone(&context.fences),
            seed: context.seed,
            gauge: Arc::clone(&gauge),
            timings: Arc::clone(&context.timings),
            clock,
        });
        threads.push(spawn("porch".into(), move || porch.run())?);
        let (stop_watch, stop) = sync_channel(1);
        let watched = Arc::clone(&context);
        threads.push(spawn("memory".into(), move || {
            watch_memory(watched.options.memory, &watched.memory, &gauge, &stop);
        })?);
        let handle = NodeHandle { commands, porch_bell, shards, context, clock };
        Ok(Self { handle, listeners: Vec::new(), threads, stop_watch })
    }

    /// Where the node listens, with the real ports.
    pub fn listeners(&self) -> &[ListenUrl] {
        &self.listeners
    }

    /// A handle to the node.
    pub fn handle(&self) -> NodeHandle {
        self.handle.clone()
    }

    /// Stops accepting, tells every client that the server shuts down (0x8B), flushes what can be
    /// flushed within `grace`, and waits for the threads.
    pub fn shut_down(self, grace: Duration) {
        let Self { handle, threads, stop_watch, .. } = self;
        let (answer, stopped) = sync_channel(1);
        handle.command(Command::Stop(answer));
        // Without an answer the porch is gone, and its sockets with it.
        let stopped = stopped.recv();
        tracing::debug!(?stopped, "nobody is accepted any more");
        let deadline = handle.clock.now() + grace;
        for (sender, bell) in &handle.shards {
            // A shard that is gone already needs no order to stop.
            drop(sender.send(Control::ShutDown(deadline)));
            bell.ring();
        }
        drop(stop_watch);
        drop(handle);
        for thread in threads {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            if thread.join().is_err() {
                tracing::error!(thread = name, "a thread ended in a panic");
            }
        }
    }
}

impl NodeHandle {
    /// Opens one more listener; the answer names its real addresses.
    pub fn open_listener(&self, options: ListenerOptions) -> Result<Vec<ListenUrl>, OpenError> {
        let (answer, answered) = sync_channel(1);
        self.command(Command::Open(Box::new(options), answer));
        answered.recv().unwrap_or(Err(OpenError::Stopped))
    }

    /// Closes a listener; its connections stay. False if there is none of that name.
    pub fn close_listener(&self, name: &str) -> bool {
        let (answer, answered) = sync_channel(1);
        self.command(Command::Close(name.to_owned(), answer));
        answered.recv().unwrap_or(false)
    }

    /// Reads all certificates anew. Where that fails the old ones stay; says where and why.
    pub fn reload_tls(&self) -> Vec<(String, String)> {
        let (answer, answered) = sync_channel(1);
        self.command(Command::ReloadTls(answer));
        answered.recv().unwrap_or_default()
    }

    /// Has these limits hold for whoever comes from then on. Who is connected keeps what he came in with.
    /// Names the listeners that are not open.
    pub fn renew_limits(&self, limits: Limits) -> Vec<String> {
        let (answer, answered) = sync_channel(1);
        self.command(Command::Renew(Box::new(limits), answer));
        answered.recv().unwrap_or_default()
    }

    /// Has `$SYS` tell these values too, by their levels behind the node's name, in the place of the last.
    pub fn show(&self, values: BTreeMap<String, String>) {
        *self.context.told.lock().unwrap_or_else(PoisonError::into_inner) = values;
    }

    /// The rules of a policy have changed: ends every session with a subscription that is not allowed any more.
    pub fn review_access(&self) {
        for (shard, bell) in &self.shards {
            drop(shard.send(Control::Review));
            bell.ring();
        }
    }

    /// Has somebody watch all shards from now on, until it wants no more. Where too much waits for a shard it is
    /// given back, and those that had room show it until it says that it is over.
    pub fn watch(&self, watcher: &Arc<dyn Watcher>) -> Result<(), Question> {
        let mut shards = 0..self.shards();
        shards.try_for_each(|shard| self.ask(shard, Question::Watch(Arc::clone(watcher))))
    }

    /// The clock by which watchers are told when something was.
    pub const fn clock(&self) -> Clock {
        self.clock
    }

    /// The seed by which the node hashes; with a log, the same for the life of the log.
    pub fn seed(&self) -> Seed {
        self.context.seed
    }

    /// The shard that owns the retained message of a topic.
    pub fn home_of_topic(&self, topic: &TopicName) -> u16 {
        self.context.shard_of(topic)
    }

    /// Asks a shard. The answer comes on the shard's own thread, and must be taken at once. Gives the question back when
    /// too many wait, or the shard has stopped.
    pub fn ask(&self, shard: u16, question: Question) -> Result<(), Question> {
        let Some((control, bell)) = self.shards.get(usize::from(shard)) else {
            return Err(question);
        };
        let given_back = |control| match control {
            Control::Ask(question) => question,
            _ => unreachable!("invariant: what was sent comes back"),
        };
        control.try_send(Control::Ask(question)).map_err(|error| match error {
            TrySendError::Full(control) | TrySendError::Disconnected(control) => {
                given_back(control)
            }
        })?;
        bell.ring();
        Ok(())
    }

    /// How many shards there are.
    pub fn shards(&self) -> u16 {
        self.context.options.shards
    }

    /// The home shard of a client, by the name under which the node knows it.
    pub fn home(&self, client: &ClientId) -> u16 {
        self.context.home(client)
    }

    /// What an operator has to do something about, by name.
    pub fn alarms(&self) -> BTreeMap<&'static str, Alarm> {
        self.context.alarms.all()
    }

    /// What was, and is over, the newest first.
    pub fn ended_alarms(&self) -> Vec<EndedAlarm> {
        self.context.alarms.ended()
    }

    /// Memory of the process in bytes: what is resident, and what of it is private and behind no file.
    pub fn memory(&self) -> (u64, u64) {
        let memory = &self.context.memory;
        (memory.resident.read(), memory.heap.read())
    }

    /// Whether there is a tenant of that name.
    pub fn has_tenant(&self, name: &TenantName) -> bool {
        self.context.tenants.get(name.as_str()).is_some()
    }

    /// Has these bans stand there, and no others; who is met and connected is disconnected.
    pub fn replace_bans(&self, whence: BansFrom, bans: Vec<Ban>) {
        self.context.fences.replace_bans(whence, bans);
        // Whoever comes to a shard after this has been compared with them.
        self.review_access();
    }

    /// The bans that stand in the configuration.
    pub fn bans_of_file(&self) -> Vec<Ban> {
        self.context.fences.bans_of_file()
    }

    /// What the node measures.
    pub fn timings(&self) -> &Timings {
        &self.context.timings
    }

    /// The counters of each shard.
    pub fn counters(&self) -> &[Counters] {
        &self.context.counters
    }

    fn command(&self, command: Command) {
        // It fails only when the porch has stopped; the caller sees that its answer never comes.
        drop(self.commands.send(command));
        self.porch_bell.ring();
    }
}

pub(crate) fn random() -> Result<u64, StartError> {
    getrandom::u64().map_err(|error| system("random numbers", io::Error::other(error)))
}

pub(crate) fn system(what: &'static str, source: io::Error) -> StartError {
    StartError::System { what, source }
}

fn new_poll(token: Token) -> Result<(Poll, Bell), StartError> {
    let poll = Poll::new().map_err(|source| system("a poll", source))?;
    let waker = mio::Waker::new(poll.registry(), token);
    Ok((poll, Bell::new(waker.map_err(|source| system("a waker", source))?)))
}

pub(crate) fn spawn(
    name: String,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, StartError> {
    let builder = std::thread::Builder::new().name(name);
    builder.spawn(run).map_err(|source| system("a thread", source))
}
