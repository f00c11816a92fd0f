//! What the machine has to offer for a run, asked before it begins.

use std::{fs, io, net::IpAddr};

use crate::{plan::Workload, usage};

/// Files that the program has open besides its connections.
const SPARE_FILES: u64 = 64;

/// Why a run would stop in the middle, with the mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// More connections than open files.
    #[error(
        "{connections} connections need {needed} open files, and this process may have {allowed}; \
         raise the limit with `ulimit -n {needed}`, or use fewer clients"
    )]
    Files {
        /// Connections at a time.
        connections: u64,
        /// Files with those besides.
        needed: u64,
        /// The limit of this process.
        allowed: u64,
    },
    /// More connections than ports.
    #[error(
        "{connections} connections need {connections} ports, and {sources} source addresses have \
         {available} ({each} each, net.ipv4.ip_local_port_range); add addresses with --source, for \
         example --source {example}"
    )]
    Ports {
        /// Connections at a time.
        connections: u64,
        /// Addresses they can begin at.
        sources: u64,
        /// Ports of all addresses.
        available: u64,
        /// Ports of one.
        each: u64,
        /// Addresses that would do on this machine.
        example: String,
    },
}

/// What the machine allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Open files of this process.
    pub files: u64,
    /// Ports that one address has for outgoing connections.
    pub ports: u64,
}

impl Limits {
    /// Of this machine and process.
    pub fn of_machine() -> Self {
        let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
        let ports = range.ok().and_then(|text| ports(&text)).unwrap_or(28_232);
        Self { files: u64::from(usage::open_files_max()), ports }
    }

    /// Whether the workload fits. A Unix socket needs no ports: `sources` is `None`.
    pub fn check(&self, workload: &Workload, sources: Option<&[IpAddr]>) -> Result<(), LimitError> {
        let connections = workload.connections_max();
        let needed = connections + SPARE_FILES;
        if needed > self.files {
            return Err(LimitError::Files { connections, needed, allowed: self.files });
        }
        let Some(sources) = sources else { return Ok(()) };
        let count = (sources.len() as u64).max(1);
        let available = count * self.ports;
        if connections > available {
            let wanted = connections.div_ceil(self.ports.max(1));
            let last = (1 + wanted).min(254);
            let example = format!("127.0.0.2-127.0.0.{last}");
            let each = self.ports;
            return Err(LimitError::Ports {
                connections,
                sources: count,
                available,
                each,
                example,
            });
        }
        Ok(())
    }
}

/// Whether the processor time and the memory of a process can be read.
pub fn check_process(pid: u32) -> io::Result<()> {
    usage::Cpu::of(pid)?;
    usage::anonymous_bytes(pid).map(drop)
}

/// Reads two numbers, the first and the last port.
fn ports(text: &str) -> Option<u64> {
    let mut numbers = text.split_whitespace().map(str::parse::<u64>);
    let (first, last) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    last.checked_sub(first).map(|between| between + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        pattern::Pattern,
        plan::{Group, Role, Sessions, Step},
    };

    fn workload(count: u32) -> Workload {
        let group = Group {
            name: "clients".to_owned(),
            count,
            first: 0,
            id_first: 0,
            client_id: Pattern::plain("c"),
            sessions: Sessions::Asked,
            churn: None,
            will: None,
            role: Role::Connect,
        };
        let steps = vec![Step::Connect { group: 0, anew: false, measured: None }];
        Workload { name: "conn".to_owned(), groups: vec![group], steps }
    }

    #[test]
    fn a_limit_is_named_with_its_mend() {
        let limits = Limits { files: 100_000, ports: 28_232 };
        let one = ["127.0.0.2".parse::<IpAddr>().unwrap()];
        assert_eq!(limits.check(&workload(28_232), Some(&one)), Ok(()));
        assert_eq!(limits.check(&workload(90_000), None), Ok(()));
        let files = limits.check(&workload(100_000), None).unwrap_err().to_string();
        assert!(files.contains("`ulimit -n 100064`") && files.contains("100000 conn"), "{files}");
        let ports = limits.check(&workload(90_000), Some(&one)).unwrap_err().to_string();
        assert!(ports.contains("--source 127.0.0.2-127.0.0.5"), "{ports}");
    }

    #[test]
    fn a_process_that_is_not_there_cannot_be_read() {
        assert!(check_process(std::process::id()).is_ok());
        // Above the highest number that Linux gives.
        assert_eq!(check_process(u32::MAX).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn the_range_of_ports_is_read() {
        assert_eq!(ports("32768\t60999\n"), Some(28_232));
        assert_eq!(ports("none"), None);
    }
}
