//! The page of brokers: what each is called, how it is started, and where it comes from.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;

use super::{BROKERS, OURS, found};
use crate::command;
use crate::failure::{Failure, Outcome};

/// The whole page.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Brokers {
    #[serde(rename = "broker")]
    brokers: Vec<Broker>,
}

/// One broker.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Broker {
    pub(super) name: String,
    /// Where it is looked for; ours is given.
    #[serde(default)]
    programs: Vec<PathBuf>,
    /// The arguments that make it say its version.
    version: Vec<String>,
    /// The command that installs it.
    pub(super) get: String,
    /// With everything in memory.
    usual: Start,
    /// With what it acknowledges on disk, if it can.
    durable: Option<Start>,
}

/// One way to start a broker; `{port}` and `{dir}` stand for what differs from run to run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    arguments: Vec<String>,
    #[serde(default, rename = "file")]
    files: Vec<File>,
}

/// A file that is written into the directory of the run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) text: String,
}

/// A broker that is here.
#[derive(Clone, Debug)]
pub(super) struct Contestant {
    pub(super) broker: Broker,
    pub(super) program: PathBuf,
    /// Its own word on it.
    pub(super) version: String,
}

impl Brokers {
    /// Reads the page.
    pub(super) fn parse(text: &str) -> Outcome<Self> {
        toml::from_str(text).map_err(Failure::doing(BROKERS))
    }

    /// Only those names, or all if there are none.
    pub(super) fn chosen(mut self, names: &[String]) -> Outcome<Self> {
        let known: Vec<String> = self.brokers.iter().map(|broker| broker.name.clone()).collect();
        if let Some(name) = names.iter().find(|name| !known.contains(name)) {
            let known = known.join(", ");
            return Err(Failure::new(format!("{BROKERS} has no broker `{name}`, but {known}")));
        }
        self.brokers.retain(|broker| names.is_empty() || names.contains(&broker.name));
        Ok(self)
    }

    /// Those that are here, and those that are not.
    pub(super) fn present(self, plexus: &Path) -> Outcome<(Vec<Contestant>, Vec<Broker>)> {
        let mut present = Vec::new();
        let mut missing = Vec::new();
        for broker in self.brokers {
            let program = if broker.name == OURS {
                Some(plexus.to_owned())
            } else {
                broker.programs.iter().find_map(|program| found(program))
            };
            match program {
                Some(program) => {
                    let version = version(&program, &broker.version)?;
                    present.push(Contestant { broker, program, version });
                }
                None => missing.push(broker),
            }
        }
        Ok((present, missing))
    }
}

impl Broker {
    /// How it is started for a run.
    pub(super) fn start(&self, durable: bool) -> Outcome<&Start> {
        if !durable {
            return Ok(&self.usual);
        }
        let lacks = || Failure::new(format!("{BROKERS} has no `durable` for it"));
        self.durable.as_ref().ok_or_else(lacks)
    }
}

impl Start {
    /// For that port and directory.
    pub(super) fn placed(&self, port: u16, dir: &Path) -> Self {
        let dir = dir.display().to_string();
        let place =
            |text: &String| text.replace("{port}", &port.to_string()).replace("{dir}", &dir);
        let file = |file: &File| File { name: file.name.clone(), text: place(&file.text) };
        Self {
            arguments: self.arguments.iter().map(place).collect(),
            files: self.files.iter().map(file).collect(),
        }
    }

    pub(super) fn arguments(&self) -> &[String] {
        &self.arguments
    }

    pub(super) fn files(&self) -> &[File] {
        &self.files
    }
}

/// The first line that the program says when it is asked; some say it and end as if they had failed.
pub(super) fn version(program: &Path, arguments: &[String]) -> Outcome<String> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut asked = command::program(program, &arguments);
    let output = asked.stdin(Stdio::null()).output().map_err(Failure::doing(program.display()))?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let line = said.lines().map(str::trim).find(|line| !line.is_empty());
    Ok(line.unwrap_or("no version known").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../../docs/bench/brokers.toml");

    #[test]
    fn the_page_in_the_tree_is_read() {
        let brokers = Brokers::parse(PAGE).unwrap().brokers;
        let names: Vec<&str> = brokers.iter().map(|broker| broker.name.as_str()).collect();
        assert_eq!(names.get(..2), Some(&[OURS, super::super::MEASURE][..]));
        for broker in &brokers {
            let start = broker.start(false).unwrap().placed(1999, Path::new("/tmp/x"));
            let files: String = start.files().iter().map(|file| file.text.as_str()).collect();
            let all = start.arguments().join(" ") + &files;
            assert!(all.contains("1999"), "{} is told no port", broker.name);
            assert!(!all.contains("{port}") && !all.contains("{dir}"), "{all}");
            assert!(broker.name == OURS || !broker.programs.is_empty(), "{}", broker.name);
        }
        assert!(brokers.iter().take(2).all(|broker| broker.start(true).is_ok()));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_page() {
        let page = PAGE.replacen("get =", "fetch =", 1);
        let words = Brokers::parse(&page).unwrap_err().to_string();
        assert!(words.starts_with("docs/bench/brokers.toml: "), "{words}");
        assert!(words.contains("unknown field `fetch`"), "{words}");
    }

    #[test]
    fn an_unknown_broker_is_answered_with_the_known_ones() {
        let page =
            "[[broker]]\nname = \"a\"\nversion = []\nget = \"x\"\n[broker.usual]\narguments = []\n";
        let brokers = Brokers::parse(page).unwrap();
        let chosen = brokers.clone().chosen(&["b".to_owned()]);
        let words = chosen.unwrap_err().to_string();
        assert_eq!(words, "docs/bench/brokers.toml has no broker `b`, but a");
        assert_eq!(brokers.clone().chosen(&[]).unwrap(), brokers);
        let lacks = brokers.brokers[0].start(true).unwrap_err().to_string();
        assert_eq!(lacks, "docs/bench/brokers.toml has no `durable` for it");
    }

    #[test]
    fn what_is_not_installed_is_told_apart() {
        let page = "[[broker]]\nname = \"plexus\"\nversion = [\"-c\", \"echo; echo one; exit 3\"]\n\
                    get = \"x\"\n[broker.usual]\narguments = []\n\
                    [[broker]]\nname = \"b\"\nprograms = [\"no-such-broker\"]\nversion = []\n\
                    get = \"apt\"\n[broker.usual]\narguments = []\n";
        let brokers = Brokers::parse(page).unwrap();
        let (present, missing) = brokers.present(Path::new("/bin/sh")).unwrap();
        assert_eq!((present.len(), present[0].version.as_str()), (1, "one"));
        assert_eq!((missing.len(), missing[0].get.as_str()), (1, "apt"));
    }
}
