//! Servers of others, each in a folder of its own at a free port, with the password `hunter2` of the node.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Authority, Folder, program};

mod maria;
mod postgres;
mod redis;
mod slapd;

pub use maria::MariaDb;
pub use postgres::Postgres;
pub use redis::Redis;
pub use slapd::Slapd;

/// The password by which the node gets in everywhere.
pub const NODE_PASSWORD: &str = "hunter2";

/// SHA-256 of `saltright`: how the password `right` is stored with the salt `salt`.
pub const HASH: &str = "bf65d261f00daf518c5c0be09e9fe3da386d877c08fb9dcf6c585a4d0f1941b6";

/// By what a server proves who it is.
#[derive(Debug)]
pub(crate) struct Papers {
    authority: Authority,
    certificate: PathBuf,
    key: PathBuf,
}

impl Papers {
    /// A certificate for `localhost` in that folder.
    fn new(folder: &Folder) -> Self {
        let authority = Authority::new(folder.path());
        let (certificate, key) = authority.certificate("server", &["localhost"]);
        Self { authority, certificate, key }
    }
}

fn is_root() -> bool {
    let said = Command::new("id").arg("-u").output().expect("id runs");
    said.stdout == b"0\n"
}

/// Runs a program to its end, which has to be a good one.
fn run<S: AsRef<std::ffi::OsStr>>(program: &Path, words: &[S]) {
    let mut command = Command::new(program);
    let done = command.args(words).env("PGPASSWORD", NODE_PASSWORD).output().expect("it runs");
    let said = [done.stdout, done.stderr].concat();
    assert!(done.status.success(), "{}: {}", program.display(), String::from_utf8_lossy(&said));
}

/// A program, by words that have it run by that user where this test is run by root: as root some do nothing.
fn as_user(user: &str, program_path: PathBuf) -> (PathBuf, Vec<String>) {
    if !is_root() {
        return (program_path, Vec::new());
    }
    let ids = [format!("--reuid={user}"), format!("--regid={user}"), "--clear-groups".to_owned()];
    let mut words = ids.to_vec();
    words.push(program_path.display().to_string());
    (program("setpriv", &[]), words)
}

/// Gives the folder with all that is in it to that user.
fn give(folder: &Path, user: &str) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("set");
    if is_root() {
        run(&program("chown", &[]), &[Path::new("-R"), Path::new(user), folder]);
    }
}
