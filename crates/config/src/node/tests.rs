use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, mpsc::sync_channel},
};

use bytes::Bytes;
use plexus_access::{Credentials, Outcome, Reply, StoredPassword, Verdict};
use plexus_admission::{Authenticator, Fetch};
use plexus_broker::ListenerOptions;
use plexus_otlp::{Answer, Collector, Posting, Signal};
use plexus_runtime::{Handle, Runtime};
use plexus_stdx::Seed;
use plexus_types::{ClientId, Durability, ReasonCode, Text};

use super::{Machine, NodePlan};
use crate::{
    BackEnds, Config, ConfigError, File, Office, Secrets, Sources, Unfit, load,
    settings::{BackEnd, TelemetrySettings},
};

const MACHINE: Machine = Machine { cores: 3, memory: 1_000 };

/// Reaches nobody.
struct Nobody;

impl BackEnds for Nobody {
    fn document(&self, url: &str, _: Option<&Path>, _: &Handle) -> Result<Fetch, String> {
        Err(format!("{url} is out of reach"))
    }

    fn authenticator(
        &self,
        _: BackEnd<'_>,
        secrets: &Secrets,
        _: &Handle,
    ) -> Result<Arc<dyn Authenticator>, Unfit> {
        Err(Unfit { key: "url", problem: format!("is out of reach with {secrets:?}") })
    }

    fn collector(
        &self,
        settings: &TelemetrySettings,
        headers: &Secrets,
        _: &Handle,
    ) -> Result<Arc<dyn Collector>, Unfit> {
        match settings.endpoint.as_deref() {
            Some("http://localhost:4318") => Ok(Arc::new(Ignores)),
            _ => {
                Err(Unfit { key: "endpoint", problem: format!("is out of reach with {headers:?}") })
            }
        }
    }
}

/// Takes everything.
struct Ignores;

impl Collector for Ignores {
    fn post(&self, _: Signal, _: Bytes) -> Posting<'_> {
        Box::pin(async { Answer::Taken(Bytes::new()) })
    }
}

/// A plan, and the threads of its doors.
#[derive(Debug)]
pub(crate) struct Planned {
    plan: NodePlan,
    _runtime: Runtime,
}

impl std::ops::Deref for Planned {
    type Target = NodePlan;
    fn deref(&self) -> &NodePlan {
        &self.plan
    }
}

pub(crate) fn plan(text: &str) -> Result<Planned, String> {
    let file = Some(File { path: PathBuf::from("plexus.toml"), text: text.to_owned() });
    let config = load(Sources { file, ..Sources::default() });
    config.and_then(|config| planned(&config, MACHINE)).map_err(|error| error.to_string())
}

/// What such a machine makes of it.
pub(crate) fn planned(config: &Config, machine: Machine) -> Result<Planned, ConfigError> {
    let runtime = Runtime::start(1).expect("threads");
    let office = Office { runtime: runtime.handle(), secret: [7; 32], back_ends: &Nobody };
    let plan = config.plan(machine, Seed::new(1), &office)?;
    Ok(Planned { plan, _runtime: runtime })
}

fn urls(plan: &NodePlan) -> Vec<String> {
    plan.listeners.iter().map(|listener| listener.net.url.to_string()).collect()
}

fn asks(listener: &ListenerOptions, user: Option<&str>, password: Option<&'static str>) -> Verdict {
    let credentials = Credentials {
        client_id: ClientId::try_from("c").unwrap(),
        user_name: user.map(|name| Text::try_from(name).unwrap()),
        password: password.map(|text| text.as_bytes().into()),
        peer: None,
        listener: Arc::from("tcp"),
        tenant: None,
        certificate: None,
        enhanced: None,
        wanted: None,
        gate: plexus_access::Gate::default(),
    };
    match listener.policy.authenticate(&credentials) {
        Verdict::Later => {
            let (sender, outcome) = sync_channel(1);
            let reply = Reply::new(move |outcome| sender.send(outcome).unwrap());
            listener.policy.verify(credentials, reply);
            match outcome.recv().unwrap() {
                Outcome::Allow(..) => Verdict::Allow,
                Outcome::Deny(reason) => Verdict::Deny(reason),
                Outcome::Continue(..) => panic!("nothing goes on"),
            }
        }
        verdict => verdict,
    }
}

/// A file that is gone when the test ends.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        let name = format!("plexus-config-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

fn entry() -> String {
    StoredPassword::new(b"secret", [1; 16]).to_string()
}

#[test]
fn without_any_configuration_only_this_machine_is_listened_to() {
    let plan = plan("").unwrap();
    assert_eq!(urls(&plan), ["tcp://127.0.0.1:1883", "ws://127.0.0.1:8083/mqtt"]);
    assert!(plan.anonymous);
    assert_eq!(plan.node.shards, 3);
    assert_eq!((plan.node.memory.high, plan.node.memory.critical), (750, 900));
    assert_eq!(asks(&plan.listeners[0], None, None), Verdict::Allow);
    assert_eq!(*plan.listeners[0].session, plexus_session::Options::default());
}

#[test]
fn the_defaults_of_the_file_are_the_defaults_of_the_node() {
    let node = plan(
        "[node]\nshards = 1\n[memory]\nhigh_watermark = \"off\"\ncritical_watermark = \"off\"\n",
    );
    let node = node.unwrap().plan.node;
    assert_eq!(format!("{node:?}"), format!("{:?}", plexus_broker::NodeOptions::default()));
}

#[test]
fn anonymous_access_that_is_asked_for_opens_every_address() {
    let plan = plan("[access]\nallow_anonymous = true\n").unwrap();
    assert_eq!(urls(&plan), ["tcp://0.0.0.0:1883", "ws://0.0.0.0:8083/mqtt"]);
}

#[test]
fn users_open_every_address_to_those_who_are_known() {
    let hash = Scratch::new("hash", &format!("{}\n", entry()));
    let file = Scratch::new("users", &format!("alice:{}\n", entry()));
    let text = format!(
        "[access]\nusers_file = {:?}\n[access.users]\nbob = \"file:{}\"\ncarol = {:?}\n\
         [[listener]]\nurl = \"tcp://0.0.0.0:0\"\n\
         [[listener]]\nurl = \"tcp://127.0.0.1:0\"\nallow_anonymous = true\n",
        file.0,
        hash.0.display(),
        entry()
    );
    let plan = plan(&text).unwrap();
    let [strict, open] = &plan.listeners[..] else { panic!("two listeners") };
    for name in ["alice", "bob", "carol"] {
        assert_eq!(asks(strict, Some(name), Some("secret")), Verdict::Allow, "{name}");
    }
    let wrong = Verdict::Deny(ReasonCode::BadUserNameOrPassword);
    assert_eq!(asks(strict, Some("alice"), Some("other")), wrong);
    assert_eq!(asks(strict, None, None), Verdict::Deny(ReasonCode::NotAuthorized));
    assert_eq!(asks(open, None, None), Verdict::Allow);
    assert_eq!(asks(open, Some("alice"), Some("other")), wrong);
}

#[test]
fn users_may_be_known_by_their_client_identifier() {
    let text = |by: &str| {
        format!("[access]\nusers_by = \"{by}\"\n[access.users]\nc = {:?}\n", entry() + " superuser")
    };
    let of_clients = plan(&text("client_id")).unwrap();
    let door = &of_clients.listeners[0];
    assert_eq!(asks(door, None, Some("secret")), Verdict::Allow, "it is called `c`");
    assert_eq!(asks(door, Some("anybody"), Some("secret")), Verdict::Allow);
    let wrong = Verdict::Deny(ReasonCode::BadUserNameOrPassword);
    assert_eq!(asks(door, Some("c"), Some("other")), wrong);
    assert_eq!(asks(door, Some("c"), None), wrong);
    assert_eq!(asks(door, None, None), Verdict::Deny(ReasonCode::NotAuthorized));
    let of_names = plan(&text("user_name")).unwrap();
    assert_eq!(asks(&of_names.listeners[0], Some("d"), Some("secret")), wrong);
    assert_eq!(asks(&of_names.listeners[0], Some("c"), Some("secret")), Verdict::Allow);
}

#[test]
fn a_user_file_that_cannot_be_understood_stops_the_start() {
    let file = Scratch::new("broken", &format!("alice:{}\nbob:hunter2\n", entry()));
    let error = plan(&format!("[access]\nusers_file = {:?}\n", file.0)).unwrap_err();
    let path = file.0.display();
    assert_eq!(
        error,
        format!(
            "error: the password of user `bob` is of no form that is known: $argon2id$…, $2b$…, \
             $pbkdf2-sha256$…, $pbkdf2-sha512$…, $sha256$…, $sha512$…, SCRAM-SHA-256$… and SCRAM-SHA-512$…; make it anew with `plexus passwd <file> bob`\n \
             --> {path}:2:1\n  |\n2 | bob:***\n  | ^^^^^^^"
        )
    );
    let empty = Scratch::new("empty", "");
    let error = plan(&format!("[access]\nusers_file = {:?}\n", empty.0)).unwrap_err();
    assert!(error.starts_with("error: no user in it; add one with `plexus passwd"), "{error}");
    let error = plan("[access]\nusers_file = \"no/such/file\"\n").unwrap_err();
    assert!(error.starts_with("error: users_file no/such/file: cannot read the file"), "{error}");
    assert!(error.contains(" --> plexus.toml:2:14"), "{error}");
    let error = plan("[access.users]\nbob = \"hunter2\"\n").unwrap_err();
    assert!(
        error.starts_with("error: the password of user `bob` is of no form that is known"),
        "{error}"
    );
    assert!(error.contains("2 | bob = \"*******\"\n"), "{error}");
    let error = plan("[access]\nusers_file = \"/dev/zero\"\n").unwrap_err();
    assert!(error.contains("no regular file"), "{error}");
    let error = plan("[access.users]\nbob = \"file:no/such/file\"\n").unwrap_err();
    assert!(error.starts_with("error: secret file no/such/file: cannot read"), "{error}");
}

#[test]
fn a_listener_gets_its_own_limits_and_a_name() {
    let text = "[limits]\nconnect_timeout = \"7s\"\n\
                [[listener]]\nurl = \"tcp://127.0.0.1:0\"\nmax_connections = 5\n\
                [listener.mqtt]\nmax_session_expiry = \"1h\"\nserver_keep_alive = \"2000ms\"\n\
                [[listener]]\nurl = \"tcp://127.0.0.1:0\"\n";
    let plan = plan(text).unwrap();
    let [own, other] = &plan.listeners[..] else { panic!("two listeners") };
    assert_eq!((own.connections_max, other.connections_max), (5, 1_000_000));
    assert_eq!(
        (own.session.session_expiry_max, other.session.session_expiry_max),
        (3_600, u32::MAX)
    );
    assert_eq!(own.session.server_keep_alive, Some(2));
    assert_eq!(own.connect_timeout.as_secs(), 7);
    assert_eq!(other.name, "tcp://127.0.0.1:0#1");
}

#[test]
fn a_listener_and_a_topic_have_their_own_moment_of_being_kept() {
    let text = "[node]\ndata_dir = \"data\"\n[store]\ncommit = \"memory\"\n\
                [[store.topic]]\nfilter = \"a/+\"\ncommit = \"os\"\n\
                [[store.topic]]\nfilter = \"#\"\ncommit = \"memory\"\n\
                [[listener]]\nurl = \"tcp://127.0.0.1:0\"\ncommit = \"fsync\"\n\
                [[listener]]\nurl = \"tcp://127.0.0.1:0\"\n";
    let plan = plan(text).unwrap();
    let [own, other] = &plan.listeners[..] else { panic!("two listeners") };
    assert_eq!((own.durability, other.durability), (Durability::Synced, Durability::Memory));
    assert!(own.session.durable && !other.session.durable);
    let topics = plan.node.topics.iter().map(|(filter, durability)| (filter.as_str(), *durability));
    let topics: Vec<_> = topics.collect();
    assert_eq!(topics, [("a/+", Durability::Written), ("#", Durability::Memory)]);
    assert!(plan.node.log.is_some());
}

/// One who asks is enough.
#[test]
fn there_is_a_log_when_anybody_asks_for_it() {
    for (text, has_log) in [
        ("commit = \"memory\"", false),
        ("commit = \"os\"", true),
        ("commit = \"memory\"\ntopic = [{ filter = \"a\", commit = \"os\" }]", true),
        ("commit = \"memory\"\ntopic = [{ filter = \"a\", commit = \"memory\" }]", false),
        ("commit = \"memory\"\n[[listener]]\nurl = \"tcp://127.0.0.1\"\ncommit = \"os\"", true),
    ] {
        let plan = plan(&format!("node.data_dir = \"data\"\n[store]\n{text}\n")).unwrap();
        assert_eq!(plan.node.log.is_some(), has_log, "{text}");
    }
}
