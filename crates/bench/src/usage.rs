//! What a process has used, as Linux tells it under `/proc`.

use std::{fs, io};

/// Processor time of a process with all its threads, in clock ticks of user space (a hundredth of
/// a second: `USER_HZ` is 100 on every architecture that Linux offers today).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Cpu {
    user: u64,
    system: u64,
}

impl Cpu {
    const TICK_MICROS: u64 = 10_000;

    /// Reads the counters of the process.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        Self::parse(&stat).ok_or_else(|| io::Error::other("unreadable /proc/<pid>/stat"))
    }

    /// Fields 14 and 15 of proc_pid_stat(5), counted behind the program's name, which may itself
    /// hold spaces and brackets.
    fn parse(stat: &str) -> Option<Self> {
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let user = fields.next()?.parse().ok()?;
        let system = fields.next()?.parse().ok()?;
        Some(Self { user, system })
    }

    /// User and system time since `earlier`, in microseconds.
    pub(crate) const fn micros_since(self, earlier: Self) -> u64 {
        let ticks = (self.user + self.system).saturating_sub(earlier.user + earlier.system);
        ticks * Self::TICK_MICROS
    }

    /// User time since `earlier`, in microseconds.
    pub(crate) const fn user_micros_since(self, earlier: Self) -> u64 {
        self.user.saturating_sub(earlier.user) * Self::TICK_MICROS
    }
}

/// Private memory of the process in bytes (`RssAnon`): what it allocated and touched, without the
/// program text and without the kernel's socket buffers.
pub(crate) fn anonymous_bytes(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.map(|size| size * 1024).ok_or_else(|| io::Error::other("no RssAnon in status"))
}

/// How many descriptors this process may open.
pub(crate) fn open_files_max() -> u32 {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    soft.unwrap_or(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_behind_an_awkward_name() {
        let stat = "42 (a) b) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 0";
        let cpu = Cpu::parse(stat).expect("the fields are there");
        assert_eq!(cpu, Cpu { user: 250, system: 50 });
        assert_eq!(cpu.micros_since(Cpu { user: 200, system: 50 }), 500_000);
        assert_eq!(cpu.user_micros_since(Cpu::default()), 2_500_000);
        assert_eq!(Cpu::parse("42 (short) S 1"), None);
    }

    #[test]
    fn the_own_process_can_be_read() {
        let pid = std::process::id();
        assert!(Cpu::of(pid).is_ok());
        assert!(anonymous_bytes(pid).expect("status is readable") > 0);
        assert!(open_files_max() > 0);
    }
}
