//! Dependencies point down: a crate uses lower layers only, and within a layer what is listed here.

use super::Findings;
use crate::tree::Tree;
use crate::workspace::{Layer, Package, Workspace};

/// Who may use whom within one layer. A new line here is a decision about the architecture.
const BESIDE: [(&str, &str); 23] = [
    ("plexus-types", "plexus-stdx"),
    ("plexus-session", "plexus-wire"),
    ("plexus-fences", "plexus-access"),
    ("plexus-records", "plexus-store"),
    ("plexus-porch", "plexus-net"),
    ("plexus-porch", "plexus-links"),
    ("plexus-otlp", "plexus-porch"), // what a node shows and measures
    ("plexus-otlp", "plexus-runtime"),
    ("plexus-admission", "plexus-runtime"), // who runs what may take long
    ("plexus-broker", "plexus-net"),
    ("plexus-broker", "plexus-links"),
    ("plexus-broker", "plexus-porch"),
    ("plexus-broker", "plexus-recovery"),
    ("plexus-recovery", "plexus-porch"),
    ("plexus-accounts", "plexus-api-model"), // rules are kept as they are given
    ("plexus-api", "plexus-accounts"),
    ("plexus-api", "plexus-api-model"), // the interface apart from what carries it out
    ("plexus-config", "plexus-events"), // the names of events
    ("plexus-changes", "plexus-config"), // a layer over its file, made of its keys
    ("plexus-terminal", "plexus-config"), // a wrong configuration is told as the others are
    ("plexus", "plexus-bench"),
    ("plexus", "plexus-ctl"),
    ("plexus", "plexus-pubsub"),
];

/// The highest layer that a leaf may use, and what it may not even so: what it is asked by is a port.
const PORTS: u8 = 3;
const NEVER_BY_LEAVES: &str = "plexus-broker";

/// The crate that names leaves.
const PROGRAM: &str = "plexus";

/// The lowest layer that may wait for, poll or own a socket.
const SHELLS: Layer = Layer::Program(3);

/// Crates that bring an event loop or a socket with them.
const SHELL_CRATES: [&str; 8] =
    ["tokio", "mio", "socket2", "polling", "async-io", "smol", "futures-executor", "signal-hook"];

pub(super) fn check(_: &Tree, workspace: &Workspace, findings: &mut Findings) {
    for package in &workspace.packages {
        let manifest = format!("{}/Cargo.toml", package.folder);
        let Some(layer) = package.layer else {
            let wanted = "the crate states no layer; use `[package.metadata.plexus] layer = …`";
            findings.add(&manifest, 1, wanted);
            continue;
        };
        for used in package.uses.iter().filter_map(|name| workspace.package(name)) {
            if !may_use(package, layer, used) {
                let message = format!(
                    "`{}` ({}) depends on `{}` ({}); use a lower layer, or list the pair in \
                     tidy/layers.rs with its reason",
                    package.name,
                    label(Some(layer)),
                    used.name,
                    label(used.layer),
                );
                findings.add(&manifest, 1, message);
            }
        }
        if layer < SHELLS {
            for name in SHELL_CRATES.iter().filter(|name| package.closure.contains(**name)) {
                let message = format!(
                    "`{name}` is compiled into `{}` ({}); use it from layer 3 up only",
                    package.name,
                    label(Some(layer)),
                );
                findings.add(&manifest, 1, message);
            }
        }
    }
}

fn may_use(package: &Package, layer: Layer, used: &Package) -> bool {
    let listed = BESIDE.contains(&(package.name.as_str(), used.name.as_str()));
    match (layer, used.layer) {
        (Layer::Tests, _) => true,
        (Layer::Program(_), Some(Layer::Leaf)) => package.name == PROGRAM,
        (Layer::Program(_) | Layer::Leaf, Some(Layer::Tests) | None)
        | (Layer::Leaf, Some(Layer::Leaf)) => false,
        (Layer::Leaf, Some(Layer::Program(below))) => {
            below <= PORTS && used.name != NEVER_BY_LEAVES
        }
        (Layer::Program(above), Some(Layer::Program(below))) => {
            below < above || (below == above && listed)
        }
    }
}

fn label(layer: Option<Layer>) -> String {
    match layer {
        Some(Layer::Program(number)) => format!("layer {number}"),
        Some(Layer::Leaf) => "a leaf".to_owned(),
        Some(Layer::Tests) => "layer T".to_owned(),
        None => "no layer".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::said;

    fn package(name: &str, layer: Option<Layer>, uses: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            folder: format!("crates/{}", name.trim_start_matches("plexus-")),
            layer,
            uses: uses.iter().map(|name| (*name).to_owned()).collect(),
            closure: uses.iter().map(|name| (*name).to_owned()).collect(),
            ..Package::default()
        }
    }

    fn said_about(packages: Vec<Package>) -> Vec<String> {
        let workspace = Workspace { packages, ..Workspace::default() };
        said(check, &Tree::default(), &workspace)
    }

    #[test]
    fn down_and_listed_pairs_are_fine() {
        let packages = vec![
            package("plexus-types", Some(Layer::Program(0)), &["bytes"]),
            package("plexus-wire", Some(Layer::Program(1)), &["plexus-types"]),
            package("plexus-session", Some(Layer::Program(1)), &["plexus-wire", "plexus-types"]),
            package("plexus-testkit", Some(Layer::Tests), &["plexus-session", "mio"]),
        ];
        assert_eq!(said_about(packages), Vec::<String>::new());
    }

    #[test]
    fn up_beside_and_tests_are_refused() {
        let packages = vec![
            package("plexus-types", Some(Layer::Program(0)), &["plexus-wire"]),
            package("plexus-wire", Some(Layer::Program(1)), &["plexus-topics", "plexus-testkit"]),
            package("plexus-topics", Some(Layer::Program(1)), &[]),
            package("plexus-testkit", Some(Layer::Tests), &[]),
        ];
        let hint = "use a lower layer, or list the pair in tidy/layers.rs with its reason";
        assert_eq!(
            said_about(packages),
            [
                format!(
                    "crates/types/Cargo.toml:1: `plexus-types` (layer 0) depends on `plexus-wire` \
                     (layer 1); {hint}"
                ),
                format!(
                    "crates/wire/Cargo.toml:1: `plexus-wire` (layer 1) depends on `plexus-testkit` \
                     (layer T); {hint}"
                ),
                format!(
                    "crates/wire/Cargo.toml:1: `plexus-wire` (layer 1) depends on `plexus-topics` \
                     (layer 1); {hint}"
                ),
            ]
        );
    }

    #[test]
    fn leaves_are_named_by_the_program_alone_and_never_see_the_broker() {
        let leaf = |name: &str, uses: &[&str]| Package {
            folder: format!("connectors/{name}"),
            ..package(&format!("plexus-connector-{name}"), Some(Layer::Leaf), uses)
        };
        let packages = vec![
            package("plexus-admission", Some(Layer::Program(3)), &[]),
            package("plexus-broker", Some(Layer::Program(3)), &[]),
            package("plexus-config", Some(Layer::Program(4)), &["plexus-connector-http"]),
            package("plexus", Some(Layer::Program(5)), &["plexus-connector-http"]),
            leaf("http", &["plexus-admission", "tokio"]),
            leaf("redis", &["plexus-broker", "plexus-config", "plexus-connector-http"]),
        ];
        let hint = "use a lower layer, or list the pair in tidy/layers.rs with its reason";
        let redis = "connectors/redis/Cargo.toml:1: `plexus-connector-redis` (a leaf) depends on";
        assert_eq!(
            said_about(packages),
            [
                format!(
                    "crates/config/Cargo.toml:1: `plexus-config` (layer 4) depends on \
                     `plexus-connector-http` (a leaf); {hint}"
                ),
                format!("{redis} `plexus-broker` (layer 3); {hint}"),
                format!("{redis} `plexus-config` (layer 4); {hint}"),
                format!("{redis} `plexus-connector-http` (a leaf); {hint}"),
            ]
        );
    }

    #[test]
    fn a_crate_states_its_layer_and_cores_hold_no_event_loop() {
        let packages = vec![
            package("plexus-net", None, &[]),
            package("plexus-topics", Some(Layer::Program(1)), &["tokio"]),
            package("plexus-broker", Some(Layer::Program(3)), &["mio"]),
        ];
        assert_eq!(
            said_about(packages),
            [
                "crates/net/Cargo.toml:1: the crate states no layer; use `[package.metadata.plexus] \
                 layer = …`",
                "crates/topics/Cargo.toml:1: `tokio` is compiled into `plexus-topics` (layer 1); use \
                 it from layer 3 up only",
            ]
        );
    }
}
