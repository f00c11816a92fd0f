//! Counting: the program `hotpaths` walks a path so many times, and twice as many times. The
//! difference is what that many walks cost; the start of the program and the set-up of the path are
//! in both.

use std::path::Path;

use super::budgets::Tools;
use crate::command::{self, cargo, program};
use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;

/// What one walk along a path costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) name: String,
    pub(super) instructions: u64,
}

/// Builds the program as it is shipped and counts all its paths.
pub(super) fn all(workspace: &Workspace) -> Outcome<Vec<Counted>> {
    // Alone, so that no other package turns on features that the shipped program has not.
    let words = ["build", "--release", "--package", "plexus-hotpaths", "--bin", "hotpaths"];
    command::run(&mut cargo(&words))?;
    let binary = workspace.target.join("release").join("hotpaths");
    let folder = workspace.target.join("instructions");
    std::fs::create_dir_all(&folder).map_err(Failure::doing(folder.display()))?;
    let paths = listed(&command::output(&mut program(&binary, &[]))?)?;
    paths.into_iter().map(|(name, walks)| one(&binary, &folder, name, walks)).collect()
}

fn one(binary: &Path, folder: &Path, name: String, walks: u64) -> Outcome<Counted> {
    let once = run(binary, folder, &name, walks)?;
    let twice = run(binary, folder, &name, 2 * walks)?;
    let instructions = quotient(once, twice, walks);
    Ok(Counted { name, instructions })
}

/// All instructions of one run. Its profile stays for `callgrind_annotate`.
fn run(binary: &Path, folder: &Path, name: &str, walks: u64) -> Outcome<u64> {
    let profile = folder.join(format!("{name}-{walks}.callgrind"));
    let out = format!("--callgrind-out-file={}", profile.display());
    let mut valgrind = program("valgrind", &["--quiet", "--tool=callgrind", &out]);
    valgrind.arg(binary).args([name, &walks.to_string()]);
    // The allocator reads its settings from the environment.
    valgrind.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command::run(&mut valgrind)?;
    let text = std::fs::read_to_string(&profile).map_err(Failure::doing(profile.display()))?;
    total(&text).ok_or_else(|| Failure::new(format!("{}: no line `totals:`", profile.display())))
}

/// The sum at the end of a profile.
fn total(profile: &str) -> Option<u64> {
    let line = profile.lines().rev().find_map(|line| line.strip_prefix("totals:"))?;
    line.trim().parse().ok()
}

/// Rounded to the nearest.
fn quotient(once: u64, twice: u64, walks: u64) -> u64 {
    (twice.saturating_sub(once) + walks / 2) / walks
}

/// What the program lists: a name and a count a line.
fn listed(text: &str) -> Outcome<Vec<(String, u64)>> {
    let line = |line: &str| {
        let (name, walks) = line.split_once(' ')?;
        let walks = walks.parse().ok().filter(|walks| *walks > 0)?;
        Some((name.to_owned(), walks))
    };
    let bad = || Failure::new("`hotpaths` lists something else than names and counts");
    text.lines().map(|text| line(text).ok_or_else(bad)).collect()
}

/// What decides how many instructions a program has, beside its source.
pub(super) fn tools() -> Outcome<Tools> {
    let rustc = command::output(&mut program("rustc", &["-vV"]))?;
    let valgrind = command::output(&mut program("valgrind", &["--version"]))?;
    // Its first line names the C library and its version.
    let libc = command::output(&mut program("ldd", &["--version"])).unwrap_or_default();
    let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let first = |text: &str| text.lines().next().unwrap_or_default().trim().to_owned();
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    Ok(Tools {
        rustc: first(&rustc),
        host: host.to_owned(),
        valgrind: first(&valgrind),
        libc: first(&libc),
        vectors: vectors(&processor).to_owned(),
    })
}

/// The widest vectors that valgrind knows of: the C library and the searches for bytes choose their
/// code by it.
fn vectors(cpuinfo: &str) -> &'static str {
    let flags = cpuinfo.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    let has_avx2 = flags.split_whitespace().any(|flag| flag == "avx2");
    if has_avx2 { "avx2" } else { "none known" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_a_profile_is_its_last_line() {
        let profile = "version: 1\ncreator: callgrind-3.19.0\nevents: Ir\nsummary: 9\n\n\
                       fn=(1) main\n0 12\n\ntotals: 2814093\n";
        assert_eq!(total(profile), Some(2_814_093));
        assert_eq!(total("events: Ir\n0 12\n"), None);
    }

    #[test]
    fn the_set_up_is_in_both_counts_and_does_not_matter() {
        assert_eq!(quotient(1_000_000 + 100 * 7, 1_000_000 + 200 * 7, 100), 7);
        assert_eq!(quotient(10_000, 11_549, 1_000), 2, "1.549 is nearer to 2");
        assert_eq!(quotient(11, 10, 1), 0);
    }

    #[test]
    fn the_program_lists_its_paths() {
        let paths = listed("deliver-qos0 5000\nfan-out-1000 50\n").unwrap();
        assert_eq!(paths, [("deliver-qos0".to_owned(), 5_000), ("fan-out-1000".to_owned(), 50)]);
        for text in ["deliver-qos0\n", "deliver-qos0 many\n", "deliver-qos0 0\n"] {
            assert!(listed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_processor_is_asked_for_its_vectors() {
        assert_eq!(vectors("model name\t: x\nflags\t\t: fpu avx avx2 bmi1\n"), "avx2");
        assert_eq!(vectors("flags\t\t: fpu avx avx2x\n"), "none known");
        assert_eq!(vectors(""), "none known");
    }
}
