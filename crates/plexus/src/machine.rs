//! What the machine offers: cores, memory, randomness.

use plexus_config::Machine;
use plexus_runtime::Runtime;
use plexus_stdx::Seed;
use plexus_terminal::Failure;

/// Bytes that nobody can guess.
pub(crate) fn secret() -> Result<[u8; 32], Failure> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(no_random_numbers)?;
    Ok(secret)
}

/// The threads of the control plane.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    Runtime::start(machine().cores)
        .map_err(|error| Failure::because("cannot start the threads of the control plane", &error))
}

/// Where control groups tell their limit of memory: version 2, then version 1.
const GROUP_LIMITS: &[&str] =
    &["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

pub(crate) fn machine() -> Machine {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Machine { cores, memory: memory() }
}

pub(crate) fn seed() -> Result<Seed, Failure> {
    getrandom::u64().map(Seed::new).map_err(no_random_numbers)
}

fn no_random_numbers(error: getrandom::Error) -> Failure {
    Failure::Failed(format!("the system gives no random numbers: {error}"))
}

/// The memory of the machine, or of the control group where that is less; zero when unknown.
fn memory() -> u64 {
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    let groups = GROUP_LIMITS.iter().filter_map(|path| std::fs::read_to_string(path).ok());
    // A group without limit says "max", or a number that no machine has.
    let limits = groups.filter_map(|text| text.trim().parse::<u64>().ok());
    limits.chain(machine).min().unwrap_or_default()
}

/// Reads `MemTotal:  16384 kB`.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib = line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?;
    kib.checked_mul(1_024)
}

#[cfg(test)]
mod tests {
    use super::total;

    #[test]
    fn the_memory_of_the_machine_is_read_in_bytes() {
        assert_eq!(total("MemFree: 1 kB\nMemTotal:       2048 kB\n"), Some(2_097_152));
        assert_eq!(total("MemTotal: much\n"), None);
        assert_eq!(total(""), None);
    }
}
