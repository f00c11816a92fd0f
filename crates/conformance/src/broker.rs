//! The broker under test as a process of our own.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use crate::{Address, StartError, Transport};

/// How much of what the broker says is kept for a report.
const KEPT_OUTPUT: u64 = 64 * 1024;

/// A running broker; it ends with this value.
#[derive(Debug)]
pub struct Broker {
    child: Child,
    addresses: Vec<Address>,
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
        let mut command = Command::new(program);
        command
            .args(["serve", "--listen", "tcp://127.0.0.1:0", "--listen", "ws://127.0.0.1:0"])
            .arg("--print-listeners")
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
        let mut broker = Self { child, addresses: Vec::new() };
        // The log is read to its end, so that the broker never waits for a reader.
        let log = thread::spawn(move || errors.map(read_log).unwrap_or_default());
        let mut output =
            BufReader::new(output.ok_or_else(|| {
                StartError::EndedEarly("its standard output is not ours".to_owned())
            })?);
        if broker.read_listeners(&mut output).is_none() {
            drop(broker.child.kill());
            return Err(StartError::EndedEarly(log.join().unwrap_or_default()));
        }
        thread::spawn(move || drop(std::io::copy(&mut output, &mut std::io::sink())));
        Ok(broker)
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Whether it still runs; a case that ends the process is no pass.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The memory it holds, in KiB, where the system tells.
    pub fn resident_kib(&self) -> Option<u64> {
        self.status_kib("VmRSS:")
    }

    /// The most memory it has ever held, in KiB, where the system tells.
    pub fn peak_kib(&self) -> Option<u64> {
        self.status_kib("VmHWM:")
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

    fn read_listeners(&mut self, output: &mut impl BufRead) -> Option<()> {
        loop {
            let mut line = String::new();
            if output.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim();
            if line == "ready" {
                return Some(());
            }
            self.addresses.extend(listener(line));
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// `listening tcp://127.0.0.1:41234`
fn listener(line: &str) -> Option<Address> {
    let (scheme, rest) = line.strip_prefix("listening ")?.split_once("://")?;
    let transport = match scheme {
        "tcp" => Transport::Tcp,
        "ws" => Transport::WebSocket,
        _ => return None,
    };
    let host_port = rest.split('/').next()?.to_owned();
    Some(Address { transport, host_port })
}

fn read_log(mut errors: impl Read) -> String {
    let mut kept = Vec::new();
    drop(errors.by_ref().take(KEPT_OUTPUT).read_to_end(&mut kept));
    drop(std::io::copy(&mut errors, &mut std::io::sink()));
    String::from_utf8_lossy(&kept).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listener_lines_name_transport_and_port() {
        let address = listener("listening ws://127.0.0.1:41235/mqtt").unwrap();
        assert_eq!(address.transport, Transport::WebSocket);
        assert_eq!(address.host_port, "127.0.0.1:41235");
        assert_eq!(listener("listening quic://127.0.0.1:1"), None);
        assert_eq!(listener("ready"), None);
    }
}
