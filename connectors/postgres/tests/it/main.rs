//! A real PostgreSQL that is right, slow, dead and back again, and one that lies.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, mpsc::sync_channel},
    thread,
    time::Duration,
};

use bytes::Bytes;
use plexus_access::{Credentials, Outcome, PasswordScheme, Reply, Rights, Template};
use plexus_admission::{Chain, Step, StepOptions, Strangers};
use plexus_connector_postgres::{PostgresAuthenticator, PostgresOptions, Query};
use plexus_runtime::{Line, Runtime, unix_now};
use plexus_stdx::Seed;
use plexus_testkit::{Folder, Foreign, free_port, program};
use plexus_types::{ClientId, ReasonCode, Text};

/// How long a step may take before the test gives up on it: a bound of failure, not a measurement.
const PATIENCE: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(300);

/// SHA-256 of `saltright`.
const HASH: &str = "bf65d261f00daf518c5c0be09e9fe3da386d877c08fb9dcf6c585a4d0f1941b6";

/// A PostgreSQL at a free port, whose only role has a password.
struct Postgres {
    server: Option<Foreign>,
    folder: Folder,
    port: u16,
}

/// A program of it, run by somebody who is not root: as root it does nothing.
fn own(name: &str) -> (PathBuf, Vec<String>) {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    let program_path = program(name, &folders);
    if !is_root() {
        return (program_path, Vec::new());
    }
    let words = ["--reuid=postgres", "--regid=postgres", "--clear-groups"];
    let mut words: Vec<_> = words.map(str::to_owned).to_vec();
    words.push(program_path.display().to_string());
    (program("setpriv", &[]), words)
}

fn is_root() -> bool {
    let said = Command::new("id").arg("-u").output().expect("id runs");
    said.stdout == b"0\n"
}

fn run(program: &Path, words: &[String]) {
    let mut command = Command::new(program);
    let done = command.args(words).env("PGPASSWORD", "hunter2").output().expect("it runs");
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
}

impl Postgres {
    fn start() -> Self {
        let mut postgres = Self { server: None, folder: Folder::new(), port: free_port() };
        let folder = postgres.folder.path();
        fs::write(folder.join("password"), "hunter2\n").expect("a file of the test");
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("set");
        if is_root() {
            run(&program("chown", &[]), &["postgres".to_owned(), folder.display().to_string()]);
        }
        let (initdb, mut words) = own("initdb");
        let more = ["-U", "plexus", "-A", "scram-sha-256", "--no-sync", "--locale=C", "-E", "UTF8"];
        words.extend(more.map(str::to_owned));
        words.push(format!("--pwfile={}", folder.join("password").display()));
        words.push(format!("--pgdata={}", folder.join("data").display()));
        run(&initdb, &words);
        postgres.again();
        postgres
    }

    /// Starts it where it was, with what it had.
    fn again(&mut self) {
        let (server, mut words) = own("postgres");
        let folder = self.folder.path();
        let port = self.port.to_string();
        let (data, sockets) = (folder.join("data"), folder.display().to_string());
        let data = data.display().to_string();
        let more = ["-D", &data, "-p", &port, "-k", &sockets, "-h", "127.0.0.1", "-c", "fsync=off"];
        words.extend(more.map(str::to_owned));
        self.server =
            Some(Foreign::start(&server, &words, "database system is ready to accept connections"));
    }

    /// In order, so that what it shares with its children is freed.
    fn kill(&mut self) {
        self.server.take().expect("it runs").stop("INT");
    }

    fn does(&self, text: &str) {
        let port = self.port.to_string();
        let words = ["-h", "127.0.0.1", "-p", &port, "-U", "plexus", "-d", "postgres", "-v"];
        let words = [&words[..], &["ON_ERROR_STOP=1", "-c", text]].concat();
        let words: Vec<_> = words.into_iter().map(str::to_owned).collect();
        run(&program("psql", &[]), &words);
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop("INT");
        }
    }
}

const USERS: &str = "SELECT password_hash, salt, is_superuser FROM mqtt_user \
                     WHERE username = ${username} LIMIT 1";
const RULES: &str =
    "SELECT permission, action, topic, qos FROM mqtt_acl WHERE username = ${username}";

/// A node's door with one PostgreSQL.
struct Door {
    _runtime: Runtime,
    chain: Chain,
}

fn door(port: u16, users: &str, timeout: Duration) -> Door {
    let runtime = Runtime::start(2).expect("threads");
    let query =
        |text: &str| Query::new(&Template::parse(text).expect("a template")).expect("a query");
    let options = PostgresOptions {
        line: Line::new("127.0.0.1", port, None, runtime.handle()).expect("a server"),
        database: "postgres".to_owned(),
        user: "plexus".to_owned(),
        password: Some("hunter2".to_owned()),
        query: query(users),
        rules: Some(query(RULES)),
        scheme: "sha256".parse::<PasswordScheme>().expect("a scheme"),
    };
    let asked = Arc::new(PostgresAuthenticator::new(options, &runtime.handle()));
    let bounds = StepOptions { timeout: Some(timeout), ..StepOptions::BACK_END };
    let step = Arc::new(Step::new("postgres", asked, bounds, &[7; 32], Seed::new(1)));
    let chain = Chain::new(vec![step], Strangers::Refuse, runtime.handle());
    Door { _runtime: runtime, chain }
}

impl Door {
    fn asks(&self, user: &str, password: &str) -> Result<Box<Rights>, ReasonCode> {
        let credentials = Credentials {
            client_id: ClientId::try_from("r7").expect("an identifier"),
            user_name: Some(Text::try_from(user).expect("text")),
            password: Some(Bytes::copy_from_slice(password.as_bytes())),
            peer: None,
            listener: "tcp".into(),
            certificate: None,
            enhanced: None,
            wanted: None,
            gate: plexus_access::Gate::default(),
        };
        let (reply, answer) = sync_channel(1);
        self.chain.ask(credentials, Reply::new(move |outcome| drop(reply.send(outcome))));
        match answer.recv_timeout(PATIENCE * 2).expect("each client gets an answer") {
            Outcome::Allow(rights, None) => Ok(rights),
            Outcome::Deny(reason) => Err(reason),
            other => panic!("{other:?}"),
        }
    }

    /// Asks until somebody is let in: a back end that failed is asked again after a rest.
    fn asks_until_it_answers(&self, user: &str, password: &str) {
        let deadline = unix_now() + PATIENCE;
        while self.asks(user, password).is_err() {
            assert!(unix_now() < deadline, "it is never asked again");
            thread::yield_now();
        }
    }
}

fn with_bob() -> Postgres {
    let postgres = Postgres::start();
    postgres.does(&format!(
        "CREATE TYPE act AS ENUM ('publish', 'subscribe', 'all');
         CREATE TABLE mqtt_user (username text, password_hash varchar(100), salt char(8), \
             is_superuser boolean);
         CREATE TABLE mqtt_acl (username text, permission varchar(5), action act, topic text, qos int);
         INSERT INTO mqtt_user VALUES ('bob', '{HASH}', 'salt', false), ('root', '{HASH}', 'salt', true),
             ('odd', 'no hash', null, null), ('none', null, null, null);
         INSERT INTO mqtt_acl VALUES ('bob', 'allow', 'publish', 'own/${{username}}', 1),
             ('bob', 'deny', 'all', '#', null);"
    ));
    postgres
}

#[test]
fn users_come_in_with_their_rules_and_values_are_values() {
    let postgres = with_bob();
    let right = door(postgres.port, USERS, PATIENCE);
    let rights = right.asks("bob", "right").expect("let in");
    assert!(!rights.is_superuser);
    let text = format!("{:?}", rights.rules.expect("it has rules"));
    assert!(text.contains("own/${username}") && text.contains("Deny"), "{text}");
    assert!(right.asks("root", "right").expect("let in").is_superuser);
    for (user, password) in [
        ("bob", "wrong"),
        ("eve", "right"),
        ("' OR username = 'bob' --", "right"),
        ("$1", "right"),
        ("bob'; DROP TABLE mqtt_user; --", "right"),
    ] {
        assert_eq!(right.asks(user, password), Err(ReasonCode::BadUserNameOrPassword), "{user}");
    }
    for _ in 0..6 {
        for odd in ["odd", "none"] {
            assert_eq!(right.asks(odd, "right"), Err(ReasonCode::ServerUnavailable), "{odd}");
        }
    }
    assert!(right.asks("bob", "right").is_ok(), "odd users close the door to nobody");
    let lost = door(postgres.port, "SELECT password_hash FROM nowhere", PATIENCE);
    assert_eq!(lost.asks("bob", "right"), Err(ReasonCode::ServerUnavailable));
    // A value that is none of its texts is the client's fault alone.
    let null = door(postgres.port, &format!("{USERS} OFFSET length(${{password}}) * 0"), PATIENCE);
    for _ in 0..6 {
        assert_eq!(null.asks("bob", "a\0b"), Err(ReasonCode::ServerUnavailable));
    }
    assert!(null.asks("bob", "right").is_ok());
}

#[test]
fn a_server_that_dies_and_returns_or_is_slow_is_asked_again() {
    let mut postgres = with_bob();
    let right = door(postgres.port, USERS, PATIENCE);
    assert!(right.asks("bob", "right").is_ok());
    postgres.kill();
    postgres.again();
    assert!(right.asks("bob", "right").is_ok(), "a connection that broke meanwhile is replaced");
    postgres.kill();
    for _ in 0..6 {
        assert_eq!(right.asks("bob", "right"), Err(ReasonCode::ServerUnavailable));
    }
    postgres.again();
    right.asks_until_it_answers("bob", "right");
    let slow = format!("{USERS} OFFSET (SELECT count(*) FROM pg_sleep(600)) * 0");
    let slow = door(postgres.port, &slow, SHORT);
    assert_eq!(slow.asks("bob", "right"), Err(ReasonCode::ServerUnavailable));
    assert!(right.asks("bob", "right").is_ok(), "nobody else waits for it");
}

#[test]
fn a_server_that_lies_lets_nobody_in() {
    for lie in
        ["", "E", "R\0\0\0\x08\0\0\0\0", "HTTP/1.1 200 OK\r\n\r\n", "S\u{7f}\u{7f}\u{7f}\u{7f}"]
    {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of loopback");
        let port = listener.local_addr().expect("bound").port();
        let liar = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("it is asked");
            let mut some = [0; 4_096];
            drop(stream.read(&mut some));
            drop(stream.write_all(lie.as_bytes()));
        });
        let said = door(port, USERS, PATIENCE).asks("bob", "right");
        assert_eq!(said, Err(ReasonCode::ServerUnavailable), "{lie:?}");
        liar.join().expect("it ends");
    }
}
