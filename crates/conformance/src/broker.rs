//! The broker under test as a process of our own.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    thread::{self, JoinHandle},
};

use rustls::ClientConfig;

use crate::{
    Address, StartError, Transport,
    socket::{SERVER_NAME, trusting},
};

/// How much of what the broker says is kept for a report.
const KEPT_OUTPUT: usize = 64 * 1024;
/// Complaints that are kept; the first one is the one to look at.
const COMPLAINTS_MAX: usize = 20;

/// The listeners in the order in which the broker names them.
const TRANSPORTS: [Transport; 4] =
    [Transport::Tcp, Transport::WebSocket, Transport::Tls, Transport::Proxy];

/// The same as the setting of the broker. The files are those of [`certificate`].
const LISTENERS: &str = r#"[
    { name = "tcp", url = "tcp://127.0.0.1:0" },
    { name = "websocket", url = "ws://127.0.0.1:0" },
    { name = "tls", url = "tls://127.0.0.1:0", tls = { cert_file = "cert.pem", key_file = "key.pem" } },
    { name = "proxy", url = "tcp://127.0.0.1:0", proxy_protocol = "required" },
]"#;

/// A running broker; it ends with this value.
#[derive(Debug)]
pub struct Broker {
    child: Child,
    addresses: Vec<Address>,
    log: Option<JoinHandle<Log>>,
}

/// What a broker has said.
#[derive(Debug, Default)]
struct Log {
    /// Its beginning.
    text: String,
    /// Lines that no peer may bring about: errors of the broker's own, panics.
    complaints: Vec<String>,
}

impl Broker {
    /// Starts the program in a directory of its own and waits until it says `ready`.
    pub fn start(
        program: &Path,
        directory: &Path,
        config: Option<&Path>,
    ) -> Result<Self, StartError> {
        let failed = |source| StartError::Run { program: program.to_owned(), source };
        std::fs::create_dir_all(directory).map_err(failed)?;
        let trust = certificate(directory)?;
        let mut command = Command::new(program);
        command
            .args(["serve", "--print-listeners"])
            .env("PLEXUS__LISTENER", LISTENERS.replace('\n', " "))
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(config) = config {
            command.arg("--config").arg(config);
        }
        let mut child = command.spawn().map_err(failed)?;
        let output = child.stdout.take();
        let errors = child.stderr.take();
        // The log is read to its end, so that the broker never waits for a reader.
        let log = thread::spawn(move || errors.map(read_log).unwrap_or_default());
        let mut broker = Self { child, addresses: Vec::new(), log: Some(log) };
        let mut output =
            BufReader::new(output.ok_or_else(|| {
                StartError::EndedEarly("its standard output is not ours".to_owned())
            })?);
        if broker.read_listeners(&mut output, &trust).is_none() {
            return Err(StartError::EndedEarly(broker.ended().text));
        }
        thread::spawn(move || drop(std::io::copy(&mut output, &mut std::io::sink())));
        Ok(broker)
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Where it listens for this transport.
    pub fn address(&self, transport: Transport) -> Option<&Address> {
        self.addresses.iter().find(|address| address.transport == transport)
    }

    /// Whether it still runs; a case that ends the process is no pass.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Ends the process; gives the errors and panics that are in its log, which no peer may bring about.
    pub fn complaints(&mut self) -> Vec<String> {
        self.ended().complaints
    }

    fn ended(&mut self) -> Log {
        drop(self.child.kill());
        drop(self.child.wait());
        self.log.take().and_then(|log| log.join().ok()).unwrap_or_default()
    }

    /// The memory it holds, in KiB, where the system tells.
    pub fn resident_kib(&self) -> Option<u64> {
        self.status_kib("VmRSS:")
    }

    /// The most memory it has ever held, in KiB, where the system tells.
    pub fn peak_kib(&self) -> Option<u64> {
        self.status_kib("VmHWM:")
    }

    /// The files and sockets that it has open, where the system tells.
    pub fn descriptors(&self) -> Option<usize> {
        Some(std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).ok()?.count())
    }

    fn status_kib(&self, key: &str) -> Option<u64> {
        let status = self.proc_file("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// The time it has kept a processor busy, in ticks of the system (commonly a hundredth of a
    /// second), where the system tells.
    pub fn processor_ticks(&self) -> Option<u64> {
        let stat = self.proc_file("stat")?;
        // The name in brackets may hold blanks; user and system time are the 12th and 13th field
        // behind it.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut times = fields.split_whitespace().skip(11).map(str::parse::<u64>);
        Some(times.next()?.ok()? + times.next()?.ok()?)
    }

    fn proc_file(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(format!("/proc/{}/{name}", self.child.id())).ok()
    }

    fn read_listeners(
        &mut self,
        output: &mut impl BufRead,
        trust: &Arc<ClientConfig>,
    ) -> Option<()> {
        let mut transports = TRANSPORTS.into_iter();
        loop {
            let mut line = String::new();
            if output.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim();
            if line == "ready" {
                return Some(());
            }
            if let Some(host_port) = listener(line) {
                let (transport, trust) = (transports.next()?, Some(Arc::clone(trust)));
                self.addresses.push(Address { transport, host_port, trust });
            }
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Writes a certificate and its key; gives what a client needs to trust it.
fn certificate(directory: &Path) -> Result<Arc<ClientConfig>, StartError> {
    let failed = |error: &dyn std::fmt::Display| StartError::Certificate(error.to_string());
    let made = rcgen::generate_simple_self_signed([SERVER_NAME.to_owned()]);
    let made = made.map_err(|error| failed(&error))?;
    let texts = [("cert.pem", made.cert.pem()), ("key.pem", made.signing_key.serialize_pem())];
    for (name, text) in texts {
        std::fs::write(directory.join(name), text).map_err(|error| failed(&error))?;
    }
    trusting(made.cert.der().to_vec()).map_err(|error| failed(&error))
}

/// `listening tcp://127.0.0.1:41234`
fn listener(line: &str) -> Option<String> {
    let (_, rest) = line.strip_prefix("listening ")?.split_once("://")?;
    Some(rest.split('/').next()?.to_owned())
}

fn read_log(errors: impl Read) -> Log {
    let mut log = Log::default();
    for line in BufReader::new(errors).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        if log.text.len() < KEPT_OUTPUT {
            log.text.push_str(&line);
            log.text.push('\n');
        }
        if is_complaint(&line) && log.complaints.len() < COMPLAINTS_MAX {
            log.complaints.push(line.into_owned());
        }
    }
    log
}

/// A record of level ERROR, or what the runtime says of a panic.
fn is_complaint(line: &str) -> bool {
    line.contains("\"level\":\"ERROR\"") || line.contains("panicked at")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listener_lines_name_host_and_port() {
        let listens = "listening ws://127.0.0.1:41235/mqtt";
        assert_eq!(listener(listens), Some("127.0.0.1:41235".to_owned()));
        assert_eq!(listener("ready"), None);
    }

    #[test]
    fn errors_and_panics_are_complaints() {
        let text = "{\"level\":\"INFO\",\"client\":\"a\"}\n{\"level\":\"ERROR\",\"error\":\"b\"}\n\
                    thread 'shard-0' panicked at src/a.rs:1:1:\n";
        let log = read_log(text.as_bytes());
        assert_eq!((log.text.as_str(), log.complaints.len()), (text, 2));
    }
}
