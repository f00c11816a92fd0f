//! What the environment says about a run.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{Address, StartError, Transport};

/// The settings of a run.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `PLEXUS_BIN`: the program to start.
    pub program: Option<PathBuf>,
    /// `PLEXUS_CONFORMANCE_ADDR` and `PLEXUS_CONFORMANCE_WS_ADDR`: a broker that runs already.
    pub running: Vec<Address>,
    /// `PLEXUS_CONFORMANCE_PROFILE`: the profile the running broker has.
    pub running_profile: Option<String>,
    /// `PLEXUS_CONFORMANCE_ONLY`: plays the cases whose `theme: name` contains this.
    pub only: Option<String>,
}

impl Settings {
    /// Reads the environment.
    pub fn from_environment() -> Result<Self, StartError> {
        let mut running = Vec::new();
        let variables = [
            ("PLEXUS_CONFORMANCE_ADDR", Transport::Tcp),
            ("PLEXUS_CONFORMANCE_WS_ADDR", Transport::WebSocket),
        ];
        for (variable, transport) in variables {
            if let Some(host_port) = read(variable) {
                if !host_port.contains(':') {
                    return Err(StartError::BadAddress(host_port));
                }
                running.push(Address { transport, host_port, trust: None });
            }
        }
        Ok(Self {
            program: read("PLEXUS_BIN").map(PathBuf::from),
            running,
            running_profile: read("PLEXUS_CONFORMANCE_PROFILE"),
            only: read("PLEXUS_CONFORMANCE_ONLY"),
        })
    }

    /// The program to start: the named one, or `plexus` one directory above the test binary.
    pub fn program(&self, test_binary: &Path) -> Result<PathBuf, StartError> {
        let sibling = || {
            let directory = test_binary.parent().and_then(Path::parent);
            directory
                .unwrap_or_else(|| Path::new("."))
                .join("plexus")
                .with_extension(env::consts::EXE_EXTENSION)
        };
        let program = self.program.clone().unwrap_or_else(sibling);
        if program.is_file() { Ok(program) } else { Err(StartError::NoProgram(program)) }
    }
}

#[expect(clippy::disallowed_methods, reason = "a test run is steered by its environment only")]
fn read(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.is_empty())
}
