//! `cargo xtask dashboard`: the pages of the program, built and tried in a browser; and for
//! `cargo xtask run` only built, where that is possible.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::process::Command;

use crate::command::{self, program};
use crate::failure::{Failure, Outcome};
use crate::install;
use crate::tree::Tree;
use crate::workspace::Workspace;

const FOLDER: &str = "dashboard";
const LOCK: &str = "dashboard/package-lock.json";
const PAGE: &str = "dashboard/dist/index.html";
const MODULES: &str = "dashboard/node_modules";

/// What the pages are made of: their sources, the description that the client comes from, and the keys there are.
const INPUTS: [&str; 3] = ["dashboard/", "docs/api/openapi.json", "docs/config/plexus.schema.json"];
/// Of these, what changes nothing of what is built.
const NO_INPUTS: [&str; 2] = ["dashboard/tests/", "dashboard/src/api/schema.d.ts"];

/// The oldest Node.js that builds them.
const NODE_MIN: u32 = 20;

/// Checks, builds and tries the pages, and says how that ended.
pub(crate) fn check() -> Outcome {
    install::all()?;
    install::gate()?;
    let words = step(&Workspace::read()?)?;
    println!("{words}");
    Ok(())
}

/// The same, for the gate, which has installed what it needs.
pub(crate) fn step(workspace: &Workspace) -> Outcome<String> {
    build(workspace)?;
    for script in ["check", "lint", "unit", "size"] {
        command::run(&mut npm(workspace, &["run", "--silent", script]))?;
    }
    command::run(&mut command::cargo(&["build", "--profile", "test", "--package", "plexus"]))?;
    let binary = workspace.target.join("debug").join("plexus");
    command::run(npm(workspace, &["run", "--silent", "e2e"]).env("PLEXUS_BIN", binary))?;
    Ok("every page was opened, used and checked in Chromium".to_owned())
}

/// Builds the pages with npm, if they have changed since the last time.
pub(crate) fn build(workspace: &Workspace) -> Outcome {
    let node = command::output(&mut program("node", &["--version"])).ok();
    let has_npm = command::succeeds(&mut program("npm", &["--version"]));
    if let Some(missing) = missing(node.as_deref(), has_npm) {
        return Err(Failure::new(missing));
    }
    let tree = Tree::read(&workspace.root)?;
    let marks = workspace.target.join("tools").join(FOLDER);
    let make = |name: &str, result: &str, digest: &str, words: &[&str]| {
        let mark = marks.join(name);
        if install::is_current(&mark, digest) && workspace.root.join(result).exists() {
            return Ok(());
        }
        println!("Building the dashboard: npm {}", words.join(" "));
        command::run(&mut npm(workspace, words))?;
        std::fs::create_dir_all(&mark).map_err(Failure::doing(mark.display()))?;
        install::mark_current(&mark, digest)
    };
    make(
        "packages",
        MODULES,
        &digest(&tree, |path| path == LOCK),
        &["ci", "--no-audit", "--no-fund"],
    )?;
    make("pages", PAGE, &digest(&tree, is_input), &["run", "--silent", "build"])
}

/// Builds them for who starts the program: having no pages is no reason not to start it.
pub(crate) fn build_if_possible(workspace: &Workspace) {
    if let Err(failure) = build(workspace) {
        let is_there = workspace.root.join(PAGE).exists();
        let state = if is_there { "is the one that was built last" } else { "is left out" };
        println!("The dashboard {state}: {failure}");
    }
}

/// Nothing is downloaded but packages: the browser is the system's own.
fn npm(workspace: &Workspace, words: &[&str]) -> Command {
    let mut command = program("npm", words);
    command.current_dir(workspace.root.join(FOLDER)).env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    command
}

/// What is not there of what builds the pages.
fn missing(node: Option<&str>, has_npm: bool) -> Option<String> {
    let found = match (node.map(str::trim), has_npm) {
        (None, _) => "there is no `node`".to_owned(),
        (Some(_), false) => "there is no `npm`".to_owned(),
        (Some(version), true) => {
            let major = version.trim_start_matches('v').split('.').next().unwrap_or_default();
            if major.parse().is_ok_and(|major: u32| major >= NODE_MIN) {
                return None;
            }
            format!("`node` is {version}")
        }
    };
    Some(format!(
        "the dashboard takes Node.js {NODE_MIN} or newer with npm, and {found}. Use the packages of \
         your system, or https://nodejs.org"
    ))
}

fn is_input(path: &str) -> bool {
    let starts = |with: &&str| path.starts_with(*with);
    INPUTS.iter().any(&starts) && !NO_INPUTS.iter().any(starts)
}

/// A digest of what stands in some files, which says whether they have changed.
fn digest(tree: &Tree, is_meant: impl Fn(&str) -> bool) -> String {
    let mut hasher = DefaultHasher::new();
    for file in tree.files.iter().filter(|file| is_meant(&file.path)) {
        (&file.path, file.bytes, &file.text).hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(missing(Some("v20.19.0\n"), true), None);
        assert_eq!(missing(Some("v24.1.0"), true), None);
        let old = missing(Some("v18.20.4"), true).unwrap();
        assert!(old.contains("Node.js 20 or newer") && old.contains("`node` is v18.20.4"), "{old}");
        assert!(missing(None, true).unwrap().contains("no `node`"));
        assert!(missing(Some("v20.0.0"), false).unwrap().contains("no `npm`"));
        assert!(missing(Some("nonsense"), true).is_some());
    }

    #[test]
    fn the_pages_are_built_anew_when_something_of_them_changes() {
        let of = |files: &[(&str, &str)]| digest(&Tree::of(files), is_input);
        let first = [("dashboard/src/a.ts", "1"), ("docs/api/openapi.json", "{}")];
        assert_eq!(of(&first), of(&[first[0], first[1], ("dashboard/tests/a.spec.ts", "2")]));
        assert_eq!(of(&first), of(&[first[0], first[1], ("crates/a/src/lib.rs", "2")]));
        assert_ne!(of(&first), of(&[("dashboard/src/a.ts", "2"), first[1]]));
        assert_ne!(of(&first), of(&[first[0], ("docs/api/openapi.json", "[]")]));
    }
}
