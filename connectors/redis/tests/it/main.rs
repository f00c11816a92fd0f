//! A real Redis that is right, slow, dead and back again, and one that lies.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, mpsc::sync_channel},
    thread,
    time::Duration,
};

use bytes::Bytes;
use plexus_access::{Credentials, Outcome, PasswordScheme, Reply, Rights};
use plexus_admission::{Chain, Step, StepOptions, Strangers};
use plexus_connector_redis::{Command, RedisAuthenticator, RedisOptions};
use plexus_runtime::{Line, Runtime, unix_now};
use plexus_stdx::Seed;
use plexus_testkit::{Folder, Foreign, free_port, program};
use plexus_types::{ClientId, ReasonCode, Text};

/// How long a step may take before the test gives up on it: a bound of failure, not a measurement.
const PATIENCE: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(300);

/// A Redis at a free port, with a password.
struct Redis {
    server: Option<Foreign>,
    folder: Folder,
    port: u16,
}

impl Redis {
    fn start() -> Self {
        let mut redis = Self { server: None, folder: Folder::new(), port: free_port() };
        redis.again();
        redis
    }

    /// Starts it where it was, with what it had.
    fn again(&mut self) {
        let folder = self.folder.path().display().to_string();
        let port = self.port.to_string();
        let arguments = ["--bind", "127.0.0.1", "--port", &port, "--dir", &folder, "--appendonly"];
        let more = ["yes", "--requirepass", "hunter2", "--daemonize", "no"];
        let arguments: Vec<_> = arguments.into_iter().chain(more).map(str::to_owned).collect();
        let redis = program("redis-server", &[]);
        self.server = Some(Foreign::start(&redis, &arguments, "Ready to accept connections"));
    }

    fn kill(&mut self) {
        drop(self.server.take());
    }

    fn signal(&self, name: &str) {
        self.server.as_ref().expect("it runs").signal(name);
    }

    /// Has commands done in their simple form.
    fn does(&self, commands: &[&str]) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it is there");
        for command in [&["AUTH hunter2"], commands].concat() {
            stream.write_all(format!("{command}\r\n").as_bytes()).expect("sent");
            let mut answer = [0; 64];
            let length = stream.read(&mut answer).expect("an answer");
            assert_ne!(answer.first().filter(|_| length > 0), Some(&b'-'), "{command}");
        }
    }
}

/// A node's door with one Redis.
struct Door {
    _runtime: Runtime,
    chain: Chain,
}

fn door(port: u16, password: &str, scheme: &str, timeout: Duration) -> Door {
    let runtime = Runtime::start(2).expect("threads");
    let command = "HMGET mqtt_user:${username} password_hash salt is_superuser";
    let options = RedisOptions {
        line: Line::new("127.0.0.1", port, None, runtime.handle()).expect("a server"),
        user: None,
        password: Some(password.to_owned()),
        database: 0,
        command: Command::parse(command).expect("a command"),
        rules: Some(Command::parse("HGETALL mqtt_acl:${username}").expect("a command")),
        scheme: scheme.parse::<PasswordScheme>().expect("a scheme"),
    };
    let asked = Arc::new(RedisAuthenticator::new(options, &runtime.handle()));
    let bounds = StepOptions { timeout: Some(timeout), ..StepOptions::BACK_END };
    let step = Arc::new(Step::new("redis", asked, bounds, &[7; 32], Seed::new(1)));
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

/// SHA-256 of `saltright`.
const HASH: &str = "bf65d261f00daf518c5c0be09e9fe3da386d877c08fb9dcf6c585a4d0f1941b6";

fn with_bob(redis: &Redis) {
    redis.does(&[
        &format!("HSET mqtt_user:bob password_hash {HASH} salt salt is_superuser 0"),
        &format!("HSET mqtt_user:root password_hash {HASH} salt salt is_superuser 1"),
        "HSET mqtt_acl:bob own/${username} publish news/# '{\"action\":\"subscribe\",\"qos\":[0]}'",
        "HSET mqtt_user:odd salt salt password_hash no-hash",
        "HSET mqtt_user:wild password_hash plain",
        "HSET mqtt_acl:odd a sing",
        "SET mqtt_user:text something",
    ]);
}

#[test]
fn users_come_in_with_the_rules_that_redis_has_of_them() {
    let redis = Redis::start();
    with_bob(&redis);
    let door = door(redis.port, "hunter2", "sha256", PATIENCE);
    let rights = door.asks("bob", "right").expect("let in");
    assert!(!rights.is_superuser);
    let rules = rights.rules.expect("it has rules");
    let text = format!("{rules:?}");
    assert!(text.contains("own/${username}") && text.contains("news/#"), "{text}");
    assert!(door.asks("root", "right").expect("let in").is_superuser);
    assert_eq!(door.asks("bob", "wrong"), Err(ReasonCode::BadUserNameOrPassword));
    assert_eq!(door.asks("eve", "right"), Err(ReasonCode::BadUserNameOrPassword), "unknown");
    assert_eq!(door.asks("bob\r\nX", "right"), Err(ReasonCode::BadUserNameOrPassword));
    for odd in ["odd", "text"] {
        assert_eq!(door.asks(odd, "right"), Err(ReasonCode::ServerUnavailable), "{odd}");
    }
    for _ in 0..6 {
        drop(door.asks("odd", "right"));
    }
    assert!(door.asks("bob", "right").is_ok(), "one odd user closes the door to nobody");
}

#[test]
fn a_redis_that_dies_and_returns_is_asked_again() {
    let mut redis = Redis::start();
    with_bob(&redis);
    let door = door(redis.port, "hunter2", "sha256", PATIENCE);
    assert!(door.asks("bob", "right").is_ok());
    redis.kill();
    redis.again();
    assert!(door.asks("bob", "right").is_ok(), "a connection that broke meanwhile is replaced");
    redis.kill();
    for _ in 0..6 {
        assert_eq!(door.asks("bob", "right"), Err(ReasonCode::ServerUnavailable));
    }
    redis.again();
    door.asks_until_it_answers("bob", "right");
}

#[test]
fn a_redis_that_is_deaf_costs_a_refusal_and_its_connection() {
    let redis = Redis::start();
    with_bob(&redis);
    let door = door(redis.port, "hunter2", "sha256", SHORT);
    door.asks_until_it_answers("bob", "right");
    redis.signal("STOP");
    assert_eq!(door.asks("bob", "right"), Err(ReasonCode::ServerUnavailable));
    redis.signal("CONT");
    door.asks_until_it_answers("bob", "right");
}

#[test]
fn a_wrong_password_of_the_node_lets_nobody_in() {
    let redis = Redis::start();
    with_bob(&redis);
    let door = door(redis.port, "wrong", "sha256", PATIENCE);
    assert_eq!(door.asks("bob", "right"), Err(ReasonCode::ServerUnavailable));
}

#[test]
fn a_redis_that_lies_lets_nobody_in() {
    for lie in ["*1\r\n$5\r\nright\r\n", "+OK\r\n", ":1\r\n", "nonsense\r\n", "*3\r\n$5\r\nri", ""]
    {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of loopback");
        let port = listener.local_addr().expect("bound").port();
        let liar = thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let mut heard = Vec::new();
                let mut some = [0; 4_096];
                while let Ok(length @ 1..) = stream.read(&mut some) {
                    heard.extend_from_slice(&some[..length]);
                    if heard.windows(4).any(|at| at == b"stop") {
                        return;
                    }
                    let is_question = heard.windows(5).any(|at| at == b"HMGET");
                    let answer = if is_question { lie } else { "+OK\r\n" };
                    if stream.write_all(answer.as_bytes()).is_err() || is_question {
                        break;
                    }
                }
            }
        });
        let said = door(port, "hunter2", "plain", PATIENCE).asks("bob", "right");
        assert_eq!(said, Err(ReasonCode::ServerUnavailable), "{lie:?}");
        let mut end = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
        end.write_all(b"stop").expect("sent");
        liar.join().expect("it ends");
    }
}
