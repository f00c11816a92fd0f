//! What the tests stand on: the cases, the settings and a broker of one's own.

use std::{
    path::{Path, PathBuf},
    process,
};

use plexus_conformance::{
    Address, Broker, Case, Settings, Transport, Version, load_directory, play, read_cases,
};

/// Looks at a condition at most so often: each look takes a connection of its own.
const LOOKS_MAX: usize = 5_000;

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

    /// Where it listens for this transport.
    pub(crate) fn address(&self, transport: Transport) -> Address {
        self.broker.address(transport).expect("every transport has a listener").clone()
    }

    /// Waits until the process holds no more than that much memory; what it has freed goes back to
    /// the system a little later.
    #[track_caller]
    pub(crate) fn settles_below(&self, kib_max: u64, what: &str) {
        let address = self.address(Transport::Tcp);
        let look = case("look", "a connects\na disconnects\n");
        let mut held = 0;
        for number in 0..LOOKS_MAX {
            let Some(now) = self.broker.resident_kib() else { return };
            if now <= kib_max {
                return;
            }
            held = now;
            run(&look, &address, &format!("look{number}"));
        }
        panic!("{what}: {held} KiB are held, {kib_max} were to be enough");
    }

    /// It lives, and its log tells of no error and no panic.
    #[track_caller]
    pub(crate) fn assert_well(mut self) {
        assert!(self.broker.is_running(), "the broker has ended");
        let complaints = self.broker.complaints();
        assert!(complaints.is_empty(), "{complaints:#?}");
    }
}

/// A case that a test writes itself.
pub(crate) fn case(name: &str, steps: &str) -> Case {
    let text = format!(
        "[[case]]\nname = \"{name}\"\nclauses = [\"MQTT-4.13.1-1\"]\nsteps = '''\n{steps}'''\n"
    );
    let mut cases = read_cases(Path::new("storm"), &text).unwrap_or_else(|error| panic!("{error}"));
    cases.pop().expect("one case was written")
}

/// Plays a case in MQTT 5.0 under a name of its own.
#[track_caller]
pub(crate) fn run(case: &Case, address: &Address, name: &str) {
    play(case, address, Version::V5, &format!("{name}x{}", process::id()))
        .unwrap_or_else(|failure| panic!("{}: {failure}", case.name));
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        // What a failed run leaves behind is looked at by whoever repairs it.
        if !std::thread::panicking() {
            drop(std::fs::remove_dir_all(&self.directory));
        }
    }
}
