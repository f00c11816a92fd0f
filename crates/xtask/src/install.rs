//! What the tests need from outside: an independent broker and two independent client libraries.
//!
//! Debian packages are installed for the machine; libraries go below `target/tools`.

use std::path::{Path, PathBuf};

use crate::command::{self, program};
use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;

/// Libraries of other people that the tests talk to Plexus with, in fixed versions.
const PYTHON_CLIENT: &str = "paho-mqtt==2.1.0";
const NODE_CLIENT: &str = "mqtt@5.14.1";

/// Programs the tests start, and the Debian package each comes with.
const PROGRAMS: [(&str, &str); 11] = [
    ("mosquitto", "mosquitto"),
    ("mosquitto_pub", "mosquitto-clients"),
    ("openssl", "openssl"),
    ("python3", "python3"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("psql", "postgresql"),
    ("redis-server", "redis-server"),
    ("mariadbd", "mariadb-server"),
    ("slapd", "slapd"),
    ("promtool", "prometheus"),
];

/// What only the gate needs: libFuzzer is C++, and the dashboard is tried in a browser.
const GATE_PROGRAMS: [(&str, &str); 2] = [("c++", "g++"), ("chromium", "chromium")];

/// What counts instructions.
const COUNTERS: [(&str, &str); 1] = [("valgrind", "valgrind")];

/// Parts of the toolchain that a minimal installation leaves out, with the command each brings.
const COMPONENTS: [(&str, &str); 2] = [("fmt", "rustfmt"), ("clippy", "clippy")];

/// Where Debian keeps programs that are not on everybody's `PATH`.
const SYSTEM_FOLDERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// Where the libraries are, for the tests.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    /// A Python with the client library.
    pub(crate) python: PathBuf,
    /// A folder for `NODE_PATH`.
    pub(crate) node_modules: PathBuf,
}

/// How Debian packages can be installed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rights {
    Root,
    Sudo,
    None,
}

/// Installs what is missing, saying each step.
pub(crate) fn all() -> Outcome<Tools> {
    let folder = Workspace::read()?.target.join("tools");
    install_programs(&PROGRAMS)?;
    let python = install_python_client(&folder)?;
    let node_modules = install_node_client(&folder)?;
    Ok(Tools { python, node_modules })
}

/// Installs what the gate needs beyond the tests.
pub(crate) fn gate() -> Outcome {
    for (command, component) in COMPONENTS {
        if !command::succeeds(&mut command::cargo(&[command, "--version"])) {
            println!("Adding {component} to the toolchain");
            command::run(&mut program("rustup", &["component", "add", component]))?;
        }
    }
    install_programs(&GATE_PROGRAMS)
}

/// Installs what counts instructions.
pub(crate) fn counter() -> Outcome {
    install_programs(&COUNTERS)
}

fn install_programs(programs: &[(&str, &'static str)]) -> Outcome {
    let missing = missing_packages(programs, is_installed);
    if missing.is_empty() {
        return Ok(());
    }
    install_packages(&missing)?;
    let still = missing_packages(programs, is_installed);
    if still.is_empty() { Ok(()) } else { Err(by_hand(&still)) }
}

fn missing_packages(
    programs: &[(&str, &'static str)],
    is_installed: impl Fn(&str) -> bool,
) -> Vec<&'static str> {
    let missing = programs.iter().filter(|(name, _)| !is_installed(name));
    missing.map(|(_, package)| *package).collect()
}

fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(SYSTEM_FOLDERS.map(PathBuf::from));
    folders.into_iter().any(|folder| folder.join(name).is_file())
}

fn install_packages(packages: &[&str]) -> Outcome {
    let rights = rights();
    let Some(mut update) = apt(rights, &["update", "--quiet"]) else {
        return Err(by_hand(packages));
    };
    println!("Installing Debian packages: {}", packages.join(" "));
    // A list of packages that cannot be refreshed may still be good enough to install from.
    if let Err(failure) = command::run(&mut update) {
        println!("{failure}");
    }
    let mut words = vec!["install", "--yes", "--quiet", "--no-install-recommends"];
    words.extend(packages);
    let install = apt(rights, &words);
    install.map_or(Ok(()), |mut install| command::run(&mut install)).map_err(|failure| {
        println!("{failure}");
        by_hand(packages)
    })
}

fn rights() -> Rights {
    let user = command::output(&mut program("id", &["-u"])).unwrap_or_default();
    if !command::succeeds(&mut program("apt-get", &["--version"])) {
        Rights::None
    } else if user.trim() == "0" {
        Rights::Root
    } else if command::succeeds(&mut program("sudo", &["-n", "true"])) {
        Rights::Sudo
    } else {
        Rights::None
    }
}

fn apt(rights: Rights, words: &[&str]) -> Option<std::process::Command> {
    let mut command = match rights {
        Rights::Root => program("apt-get", words),
        Rights::Sudo => {
            let mut sudo = program("sudo", &["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
            sudo.args(words);
            sudo
        }
        Rights::None => return None,
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    Some(command)
}

fn by_hand(packages: &[&str]) -> Failure {
    Failure::new(format!(
        "this needs programs that cannot be installed from here. Use\n\n  \
         sudo apt-get install {}\n\n(other systems: the packages of the same programs), then start \
         again; `cargo xtask test --fast` needs none of them",
        packages.join(" ")
    ))
}

fn install_python_client(folder: &Path) -> Outcome<PathBuf> {
    let environment = folder.join("python");
    let python = environment.join("bin").join("python");
    if is_current(&environment, PYTHON_CLIENT) && python.is_file() {
        return Ok(python);
    }
    println!("Installing {PYTHON_CLIENT} into {}", environment.display());
    let path = environment.display().to_string();
    let create = || command::run(&mut program("python3", &["-m", "venv", "--clear", &path]));
    if create().is_err() {
        install_packages(&["python3-venv"])?;
        create()?;
    }
    let words = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PYTHON_CLIENT];
    command::run(&mut program(&python, &words)).map_err(|failure| offline(&failure, "PyPI"))?;
    mark_current(&environment, PYTHON_CLIENT)?;
    Ok(python)
}

fn install_node_client(folder: &Path) -> Outcome<PathBuf> {
    let modules = folder.join("node").join("node_modules");
    let environment = folder.join("node");
    if is_current(&environment, NODE_CLIENT) {
        return Ok(modules);
    }
    println!("Installing {NODE_CLIENT} into {}", environment.display());
    std::fs::create_dir_all(&environment).map_err(Failure::doing(environment.display()))?;
    let path = environment.display().to_string();
    let words = ["install", "--prefix", &path, "--no-audit", "--no-fund", "--silent", NODE_CLIENT];
    command::run(&mut program("npm", &words)).map_err(|failure| offline(&failure, "npm"))?;
    mark_current(&environment, NODE_CLIENT)?;
    Ok(modules)
}

fn offline(failure: &Failure, registry: &str) -> Failure {
    Failure::new(format!(
        "{failure}. The {registry} registry has to be within reach once; `cargo xtask test --fast` \
         needs nothing from it"
    ))
}

/// An environment is whole when the last step of making it left its mark there.
pub(crate) fn is_current(environment: &Path, version: &str) -> bool {
    std::fs::read_to_string(environment.join("installed")).is_ok_and(|found| found == version)
}

/// Leaves that mark.
pub(crate) fn mark_current(environment: &Path, version: &str) -> Outcome {
    let path = environment.join("installed");
    std::fs::write(&path, version).map_err(Failure::doing(path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_is_asked_for() {
        assert_eq!(missing_packages(&PROGRAMS, |_| true), Vec::<&str>::new());
        assert_eq!(
            missing_packages(&PROGRAMS, |name| name.starts_with('n')),
            [
                "mosquitto",
                "mosquitto-clients",
                "openssl",
                "python3",
                "postgresql",
                "redis-server",
                "mariadb-server",
                "slapd",
                "prometheus"
            ]
        );
    }

    #[test]
    fn without_rights_a_person_is_told_what_to_do() {
        assert!(apt(Rights::None, &["update"]).is_none());
        assert_eq!(
            by_hand(&["mosquitto", "npm"]).to_string(),
            "this needs programs that cannot be installed from here. Use\n\n  sudo apt-get \
             install mosquitto npm\n\n(other systems: the packages of the same programs), then \
             start again; `cargo xtask test --fast` needs none of them"
        );
    }

    #[test]
    fn sudo_asks_nobody_for_a_password() {
        let command = apt(Rights::Sudo, &["update"]).unwrap();
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        assert_eq!(words, ["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get", "update"]);
    }
}
