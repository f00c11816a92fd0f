//! A broker under test: a child process on a loopback port of its own, stopped when dropped.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use crate::usage::{self, Cpu};

/// Which program is started, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// Plexus, by `serve --listen`.
    Plexus(PathBuf),
    /// Eclipse Mosquitto, by a configuration file written for the run: no queue limits, no delay on
    /// small packets.
    Mosquitto(PathBuf),
}

impl Program {
    /// The name in reports.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Plexus(_) => "plexus",
            Self::Mosquitto(_) => "mosquitto",
        }
    }

    /// The program's own word on its version; empty when it says nothing.
    pub fn version(&self) -> String {
        let (path, argument) = match self {
            Self::Plexus(path) => (path, "--version"),
            Self::Mosquitto(path) => (path, "-h"),
        };
        let output = Command::new(path).arg(argument).stdin(Stdio::null()).output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        text.unwrap_or_default().lines().next().unwrap_or_default().trim().to_owned()
    }

    fn command(&self, port: u16, directory: &Path, keeps: bool) -> io::Result<Command> {
        let mut command;
        match self {
            Self::Plexus(path) => {
                command = Command::new(from_here(path));
                command.arg("serve").arg("--listen").arg(format!("tcp://127.0.0.1:{port}"));
                if keeps {
                    command.args(["--data-dir", "data"]);
                    command.args(PLEXUS_KEEPS.iter().flat_map(|set| ["--set", *set]));
                }
            }
            Self::Mosquitto(path) => {
                let file = directory.join("mosquitto.conf");
                fs::write(&file, mosquitto_configuration(port, keeps))?;
                command = Command::new(from_here(path));
                command.arg("-c").arg(file);
            }
        }
        command.current_dir(directory);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command)
    }
}

/// A path means a place from here, not from the broker's own directory; a bare name is searched.
fn from_here(program: &Path) -> PathBuf {
    if program.components().count() < 2 {
        return program.to_owned();
    }
    std::path::absolute(program).unwrap_or_else(|_| program.to_owned())
}

/// What a broker has to be told so that it keeps what it acknowledges, without a limit that the
/// scenarios reach and with as many messages under way to a client as the other.
const PLEXUS_KEEPS: [&str; 4] = [
    "store.commit=fsync",
    "mqtt.max_queue_messages=4294967295",
    "mqtt.max_queue_bytes=1024TiB",
    "mqtt.max_inflight=1000",
];

fn mosquitto_configuration(port: u16, keeps: bool) -> String {
    let (persistence, inflight) = if keeps {
        ("persistence true\npersistence_location ./", 1_000)
    } else {
        ("persistence false", 0)
    };
    format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\n{persistence}\n\
         max_queued_messages 0\nmax_inflight_messages {inflight}\nset_tcp_nodelay true\n\
         log_dest none\nlog_type none\n"
    )
}

/// A running broker.
#[derive(Debug)]
pub struct Broker {
    child: Child,
    address: SocketAddr,
    directory: PathBuf,
}

impl Broker {
    /// How long a broker may take until it accepts connections.
    const START_MAX: Duration = Duration::from_secs(10);
    const RETRY: Duration = Duration::from_millis(20);

    /// Starts the program and waits until it accepts connections. `keeps` is whether it is to keep
    /// what it acknowledges on disk, in its directory below the one for temporary files.
    pub fn start(program: &Program, keeps: bool) -> io::Result<Self> {
        let port = free_port()?;
        let name = format!("plexus-load-{}-{port}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory)?;
        let child = program.command(port, &directory, keeps)?.spawn()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut broker = Self { child, address, directory };
        broker.wait_until_ready()?;
        Ok(broker)
    }

    fn wait_until_ready(&mut self) -> io::Result<()> {
        for _ in 0..Self::START_MAX.as_millis() / Self::RETRY.as_millis() {
            if let Some(status) = self.child.try_wait()? {
                return Err(io::Error::other(format!("the broker ended at once: {status}")));
            }
            if TcpStream::connect(self.address).is_ok() {
                return Ok(());
            }
            thread::park_timeout(Self::RETRY);
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "the broker does not accept connections"))
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Processor time that it has used.
    pub fn cpu(&self) -> io::Result<Cpu> {
        Cpu::of(self.pid())
    }

    /// Private memory that it holds.
    pub fn anonymous_bytes(&self) -> io::Result<u64> {
        usage::anonymous_bytes(self.pid())
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // Nothing can be done about a process that is gone already or a directory that stays.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A port that was free a moment ago; the system does not hand it out again at once.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_lifts_every_limit() {
        let text = mosquitto_configuration(1999, false);
        assert!(text.contains("listener 1999 127.0.0.1\n"));
        for line in ["max_queued_messages 0", "max_inflight_messages 0", "set_tcp_nodelay true"] {
            assert!(text.lines().any(|has| has == line), "{line} is missing");
        }
    }

    #[test]
    fn a_program_that_ends_at_once_is_an_error() {
        let program = Program::Mosquitto("/bin/false".into());
        let error = Broker::start(&program, false).expect_err("it cannot listen");
        assert!(error.to_string().contains("ended at once"), "{error}");
    }
}
