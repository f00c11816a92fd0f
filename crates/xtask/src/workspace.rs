//! What `cargo metadata` says about the crates of the project.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::command;
use crate::failure::{Failure, Outcome};

/// The platform whose dependencies count: one answer, wherever it is asked.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// Where a crate stands. Layers of the program come first, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Layer {
    /// A layer of the program, 0 at the bottom.
    Program(u8),
    /// A leaf: it reaches one foreign system, and the program alone names it.
    Leaf,
    /// Crates that exist for tests and tools: they may use everything, nothing may use them.
    Tests,
}

/// One crate of the project.
#[derive(Clone, Debug, Default)]
pub(crate) struct Package {
    /// The name of the package.
    pub(crate) name: String,
    /// Its folder relative to the root.
    pub(crate) folder: String,
    /// What the manifest states, when it states a layer.
    pub(crate) layer: Option<Layer>,
    /// Names of what it uses outside of tests, ours and others'.
    pub(crate) uses: BTreeSet<String>,
    /// Names of all that is compiled with it outside of tests.
    pub(crate) closure: BTreeSet<String>,
    /// Root files of its targets, relative to the root, with their kind (`lib`, `bin`, `test` …).
    pub(crate) targets: Vec<(String, String)>,
}

/// One crate of other people.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outside {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// Its licence expression; empty where it states none.
    pub(crate) license: String,
    /// Where it comes from, as cargo writes it.
    pub(crate) source: String,
}

impl Outside {
    /// As cargo names it in a tree.
    fn label(&self) -> String {
        format!("{} v{}", self.name, self.version)
    }
}

/// The crates of the project and where cargo builds them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workspace {
    /// Where the root manifest stands.
    pub(crate) root: PathBuf,
    /// Where cargo builds.
    pub(crate) target: PathBuf,
    /// The crates in the order of their names.
    pub(crate) packages: Vec<Package>,
    /// What comes from elsewhere on the platform the program is made for.
    pub(crate) outside: Vec<Outside>,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn read() -> Outcome<Self> {
        let words = ["metadata", "--format-version", "1", "--filter-platform", PLATFORM];
        let json = command::output(&mut command::cargo(&words))?;
        let mut workspace = Self::parse(&json)?;
        let compiled = Self::compiled()?;
        workspace.outside.retain(|package| compiled.contains(&package.label()));
        Ok(workspace)
    }

    /// The crates that are really compiled, as `name vVersion`: the metadata also lists optional ones
    /// that nobody asked for.
    fn compiled() -> Outcome<BTreeSet<String>> {
        let words = ["tree", "--workspace", "--edges", "normal,build,dev", "--prefix", "none"];
        let more = ["--target", PLATFORM, "--format", "{p}"];
        let lines = command::output(command::cargo(&words).args(more))?;
        let label = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
        Ok(lines.lines().map(label).collect())
    }

    /// The package of that name.
    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// The package in whose folder the file lies.
    pub(crate) fn owner(&self, path: &str) -> Option<&Package> {
        let owns = |package: &&Package| {
            path.strip_prefix(package.folder.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        self.packages.iter().find(owns)
    }

    fn parse(json: &str) -> Outcome<Self> {
        let metadata: Metadata =
            serde_json::from_str(json).map_err(Failure::doing("cargo metadata"))?;
        let names: BTreeMap<&str, &str> =
            metadata.packages.iter().map(|p| (p.id.as_str(), p.name.as_str())).collect();
        let edges: BTreeMap<&str, &Node> =
            metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
        let mut packages: Vec<Package> = metadata
            .packages
            .iter()
            .filter(|package| metadata.workspace_members.contains(&package.id))
            .map(|package| Package {
                name: package.name.clone(),
                folder: relative(package.manifest_path.parent(), &metadata.workspace_root),
                layer: package.metadata.as_ref().and_then(layer_of),
                uses: package
                    .dependencies
                    .iter()
                    .filter(|d| d.kind.is_none())
                    .map(name_of)
                    .collect(),
                closure: closure(&package.id, &edges, &names),
                targets: package
                    .targets
                    .iter()
                    .map(|t| {
                        (t.kind.join(","), relative(Some(&t.src_path), &metadata.workspace_root))
                    })
                    .collect(),
            })
            .collect();
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        let outside = metadata.packages.iter().filter_map(outside_of).collect();
        let (root, target) = (metadata.workspace_root, metadata.target_directory);
        Ok(Self { root, target, packages, outside })
    }
}

/// What has no source is ours.
fn outside_of(package: &MetadataPackage) -> Option<Outside> {
    Some(Outside {
        name: package.name.clone(),
        version: package.version.clone(),
        license: package.license.clone().unwrap_or_default(),
        source: package.source.clone()?,
    })
}

fn name_of(dependency: &Dependency) -> String {
    dependency.name.clone()
}

fn layer_of(metadata: &serde_json::Value) -> Option<Layer> {
    let layer = metadata.get("plexus")?.get("layer")?;
    match layer.as_str() {
        Some("T") => return Some(Layer::Tests),
        Some("leaf") => return Some(Layer::Leaf),
        _ => {}
    }
    layer.as_u64().and_then(|number| u8::try_from(number).ok()).map(Layer::Program)
}

fn relative(path: Option<&Path>, root: &Path) -> String {
    let path = path.unwrap_or(root);
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}

fn closure(
    id: &str,
    edges: &BTreeMap<&str, &Node>,
    names: &BTreeMap<&str, &str>,
) -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    let mut open = vec![id];
    while let Some(at) = open.pop() {
        let Some(node) = edges.get(at) else { continue };
        for edge in node.deps.iter().filter(|edge| edge.is_normal()) {
            if seen.insert(edge.pkg.as_str()) {
                open.push(&edge.pkg);
            }
        }
    }
    seen.iter().filter_map(|id| names.get(id)).map(|name| (*name).to_owned()).collect()
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<MetadataPackage>,
    workspace_members: Vec<String>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct MetadataPackage {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
    manifest_path: PathBuf,
    metadata: Option<serde_json::Value>,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: PathBuf,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

impl Edge {
    fn is_normal(&self) -> bool {
        self.dep_kinds.iter().any(|kind| kind.kind.is_none())
    }
}

#[derive(Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

#[cfg(test)]
mod tests;
