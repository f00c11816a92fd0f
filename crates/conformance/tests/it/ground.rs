//! What the tests stand on: the cases, the settings and a broker of one's own.

use std::{
    path::{Path, PathBuf},
    process,
};

use plexus_conformance::{Broker, Case, Settings, load_directory};

/// The root of the tree.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every case there is.
pub(crate) fn cases() -> Vec<Case> {
    load_directory(&root().join("conformance")).unwrap_or_else(|error| panic!("{error}"))
}

/// What the environment says.
pub(crate) fn settings() -> Settings {
    Settings::from_environment().unwrap_or_else(|error| panic!("{error}"))
}

/// A broker with a directory of its own, which goes with it unless the test failed.
pub(crate) struct OwnBroker {
    pub(crate) broker: Broker,
    directory: PathBuf,
}

impl OwnBroker {
    /// Starts one of this profile for the test of this name.
    pub(crate) fn start(settings: &Settings, profile: &str, test: &str) -> Self {
        let test_binary = std::env::current_exe().expect("a test runs from a file");
        let program = settings.program(&test_binary).unwrap_or_else(|error| panic!("{error}"));
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("conformance-{test}-{profile}-{}", process::id()));
        let config = root().join(format!("conformance/profiles/{profile}.toml"));
        let config = (profile != "default").then_some(config.as_path());
        let broker = Broker::start(&program, &directory, config)
            .unwrap_or_else(|error| panic!("profile {profile}: {error}"));
        Self { broker, directory }
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        // What a failed run leaves behind is looked at by whoever repairs it.
        if !std::thread::panicking() {
            drop(std::fs::remove_dir_all(&self.directory));
        }
    }
}
