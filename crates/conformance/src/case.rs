//! A file of cases: its form and how a directory of them is read.

use std::{fs, path::Path};

use serde::Deserialize;

use crate::{LoadError, Step, parse_step};

/// A protocol version, as a case names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Version {
    /// MQTT 3.1, protocol name `MQIsdp`.
    #[serde(rename = "3.1")]
    V31,
    /// MQTT 3.1.1.
    #[serde(rename = "3.1.1")]
    V311,
    /// MQTT 5.0.
    #[serde(rename = "5.0")]
    V5,
}

impl Version {
    /// The name a reader knows.
    pub fn name(self) -> &'static str {
        match self {
            Self::V31 => "3.1",
            Self::V311 => "3.1.1",
            Self::V5 => "5.0",
        }
    }
}

/// How the bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Plain TCP.
    Tcp,
    /// TCP in TLS.
    Tls,
    /// Binary WebSocket frames.
    WebSocket,
    /// Plain TCP behind a balancer that sends the PROXY protocol.
    Proxy,
}

impl Transport {
    /// The name a reader knows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::WebSocket => "websocket",
            Self::Proxy => "proxy",
        }
    }
}

/// One case: what it proves and the steps that prove it.
#[derive(Debug, Clone)]
pub struct Case {
    /// The file it stands in, without its extension.
    pub theme: String,
    /// A sentence, written as a name.
    pub name: String,
    /// The statements it proves.
    pub clauses: Vec<String>,
    /// The versions it is played in.
    pub versions: Vec<Version>,
    /// The transports it is played over.
    pub transports: Vec<Transport>,
    /// The broker profile it needs.
    pub config: String,
    /// What is done and expected, in order.
    pub steps: Vec<Step>,
}

/// The form of a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// Of its cases that name none.
    #[serde(default = "usual_transports")]
    transports: Vec<Transport>,
    case: Vec<CaseText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseText {
    name: String,
    clauses: Vec<String>,
    #[serde(default = "both_versions")]
    versions: Vec<Version>,
    transports: Option<Vec<Transport>>,
    #[serde(default = "default_profile")]
    config: String,
    steps: String,
}

fn both_versions() -> Vec<Version> {
    vec![Version::V311, Version::V5]
}

fn usual_transports() -> Vec<Transport> {
    vec![Transport::Tcp, Transport::WebSocket]
}

fn default_profile() -> String {
    "default".to_owned()
}

/// Reads every `*.toml` of a directory, in the order of the file names.
pub fn load_directory(directory: &Path) -> Result<Vec<Case>, LoadError> {
    let read = |source| LoadError::Read { path: directory.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(read)? {
        let path = entry.map_err(read)?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        load_file(&path, &mut cases)?;
    }
    Ok(cases)
}

fn load_file(path: &Path, cases: &mut Vec<Case>) -> Result<(), LoadError> {
    let text = fs::read_to_string(path)
        .map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
    cases.extend(read_cases(path, &text)?);
    Ok(())
}

/// Reads the text of a file of cases; the path names it in errors and gives the theme.
pub fn read_cases(path: &Path, text: &str) -> Result<Vec<Case>, LoadError> {
    let CaseFile { transports, case: texts } = toml::from_str(text)
        .map_err(|source| LoadError::Parse { path: path.to_owned(), source: Box::new(source) })?;
    let theme = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let theme = theme.unwrap_or_default();
    let case = |text: CaseText| {
        let mut steps = Vec::new();
        for line in text.steps.lines() {
            steps.extend(parse_step(line).map_err(|source| LoadError::Step {
                path: path.to_owned(),
                case: text.name.clone(),
                source,
            })?);
        }
        Ok(Case {
            theme: theme.clone(),
            name: text.name,
            clauses: text.clauses,
            versions: text.versions,
            transports: text.transports.unwrap_or_else(|| transports.clone()),
            config: text.config,
            steps,
        })
    };
    texts.into_iter().map(case).collect()
}
