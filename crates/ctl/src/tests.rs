//! Commands against a server that answers from a script.

mod answers;
mod commands;
mod lists;
mod live;
mod logins;
mod sample;
pub(crate) mod server;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use clap::Parser;
use plexus_terminal::Failure;

use crate::{CtlArgs, commands as carried_out, connection::Surroundings, logins::Logins, out::Out};

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    args: CtlArgs,
}

/// What became of a command.
#[derive(Debug)]
struct Ran {
    result: Result<(), Failure>,
    text: String,
    notes: String,
}

impl Ran {
    /// What it wrote; it has succeeded.
    fn fine(self) -> String {
        assert!(self.result.is_ok(), "{self:?}");
        self.text
    }

    /// What it failed with.
    fn failure(self) -> String {
        match self.result {
            Ok(()) => panic!("it succeeded: {self:?}"),
            Err(failure) => failure.to_string(),
        }
    }
}

/// Runs `plexus ctl` with these words, as an API key.
fn run(url: &str, words: &[&str]) -> Ran {
    let around = Surroundings { logins: None, secret: Some("secret".to_owned()) };
    let words = [&["--key", "key"], words].concat();
    run_in(&around, url, &words)
}

fn run_in(around: &Surroundings, url: &str, words: &[&str]) -> Ran {
    let (result, text, notes) = carry_out(around, url, words);
    let words = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { result, text: words(text), notes: words(notes) }
}

/// What a command writes that need be no text; it has succeeded.
fn bytes(url: &str, words: &[&str]) -> Vec<u8> {
    let around = Surroundings { logins: None, secret: Some("secret".to_owned()) };
    let (result, bytes, _) = carry_out(&around, url, &[&["--key", "key"], words].concat());
    result.unwrap();
    bytes
}

fn carry_out(
    around: &Surroundings,
    url: &str,
    words: &[&str],
) -> (Result<(), Failure>, Vec<u8>, Vec<u8>) {
    let all = ["ctl", "--url", url].into_iter().chain(words.iter().copied());
    let CtlArgs { connection, output, command } = match Cli::try_parse_from(all) {
        Ok(cli) => cli.args,
        Err(error) => panic!("{error}"),
    };
    let (mut text, mut notes) = (Vec::new(), Vec::new());
    let out = Out::to(&mut text, &mut notes, output.json, None);
    let result = carried_out::run(command, &connection, around, out);
    (result, text, notes)
}

/// A directory of its own, which goes with this.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("plexus-ctl-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A file in it, and its path.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// What stands around a command that logs in.
    fn around(&self) -> Surroundings {
        Surroundings { logins: Some(Logins::within(self.0.join("state/logins"))), secret: None }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
