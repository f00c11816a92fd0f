//! A broker under test: a child process on a loopback port of its own, in a directory of its own. Both
//! are gone when it is dropped.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use super::brokers::Contestant;
use crate::command;
use crate::failure::{Failure, Outcome};

/// How long a broker may take until it accepts connections.
const START_MAX: Duration = Duration::from_secs(15);
/// Between two looks at a child.
pub(super) const LOOK: Duration = Duration::from_millis(20);
/// What a broker says; its last line often says why it ended.
const SAID: &str = "said.log";

/// A directory that goes with its owner.
#[derive(Debug)]
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Outcome<Self> {
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).map_err(Failure::doing(path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Nothing can be done about a directory that stays.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A child that goes with its owner.
#[derive(Debug)]
pub(super) struct Process(pub(super) Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing can be done about a process that is gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running broker. The process stands first: it goes before its directory.
#[derive(Debug)]
pub(super) struct Running {
    process: Process,
    directory: Directory,
    address: SocketAddr,
}

impl Running {
    /// Starts the program and waits until it accepts connections.
    pub(super) fn start(contestant: &Contestant, durable: bool) -> Outcome<Self> {
        let port = free_port().map_err(Failure::doing("no port is free"))?;
        let name = format!("plexus-compare-{}-{port}", std::process::id());
        let directory = Directory::new(&name)?;
        let start = contestant.broker.start(durable)?.placed(port, &directory.0);
        for file in start.files() {
            write(&directory.0.join(&file.name), &file.text)?;
        }
        let path = directory.0.join(SAID);
        let said = fs::File::create(&path).map_err(Failure::doing(path.display()))?;
        let said_too = said.try_clone().map_err(Failure::doing(path.display()))?;
        let mut broker = command::program(&contestant.program, &[]);
        broker.args(start.arguments()).current_dir(&directory.0);
        broker.stdin(Stdio::null()).stdout(said).stderr(said_too);
        // Ctrl-C is for us: a broker that ended by itself in the middle of a run would look like one
        // that had failed.
        broker.process_group(0);
        let child = broker.spawn().map_err(Failure::doing("it does not start"))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut running = Self { process: Process(child), directory, address };
        running.wait_until_ready()?;
        Ok(running)
    }

    fn wait_until_ready(&mut self) -> Outcome {
        for _ in 0..START_MAX.as_millis() / LOOK.as_millis() {
            self.check()?;
            if TcpStream::connect(self.address).is_ok() {
                return Ok(());
            }
            thread::park_timeout(LOOK);
        }
        let seconds = START_MAX.as_secs();
        Err(Failure::new(format!("it accepted no connection within {seconds} s")))
    }

    /// Fails when the process has ended, with the last thing it said.
    pub(super) fn check(&mut self) -> Outcome {
        let ended = self.process.0.try_wait().map_err(Failure::doing("it is lost"))?;
        let Some(status) = ended else { return Ok(()) };
        let said = fs::read_to_string(self.directory.0.join(SAID)).unwrap_or_default();
        let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
        let last = last.map(|line| format!(": {line}")).unwrap_or_default();
        Err(Failure::new(format!("the broker ended by itself ({status}){last}")))
    }

    /// Where clients find it.
    pub(super) fn url(&self) -> String {
        format!("mqtt://{}", self.address)
    }

    /// Its process.
    pub(super) fn pid(&self) -> u32 {
        self.process.0.id()
    }

    /// Where the run may put files.
    pub(super) fn folder(&self) -> &Path {
        &self.directory.0
    }
}

fn write(path: &Path, text: &str) -> Outcome {
    fs::write(path, text).map_err(Failure::doing(path.display()))
}

/// A port that was free a moment ago; the system does not hand it out again at once.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::super::brokers::Brokers;
    use super::*;

    /// A shell that plays a broker.
    fn shell(script: &str) -> Contestant {
        let page = format!(
            "[[broker]]\nname = \"plexus\"\nversion = [\"-c\", \"echo 1\"]\nget = \"x\"\n\
             [broker.usual]\narguments = [\"-c\", '{script}']\n\
             [[broker.usual.file]]\nname = \"conf\"\ntext = \"port {{port}}\"\n"
        );
        let brokers = Brokers::parse(&page).unwrap();
        brokers.present(Path::new("/bin/sh")).unwrap().0.remove(0)
    }

    #[test]
    fn a_broker_that_ends_at_once_is_quoted_and_leaves_nothing() {
        let script = "cat conf; pwd; exit 3";
        let words = Running::start(&shell(script), false).unwrap_err().to_string();
        let (head, folder) = words.rsplit_once(": ").unwrap();
        assert_eq!(head, "the broker ended by itself (exit status: 3)");
        assert!(folder.contains("plexus-compare-") && !Path::new(folder).exists(), "{folder}");
    }

    #[test]
    fn what_has_no_durable_start_is_not_started() {
        let words = Running::start(&shell("exit 3"), true).unwrap_err().to_string();
        assert_eq!(words, "docs/bench/brokers.toml has no `durable` for it");
    }
}
