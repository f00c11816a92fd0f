//! Files that no `mod` reaches: they look like code and are compiled by nobody.

use std::collections::BTreeSet;

use super::Findings;
use crate::tree::{File, Tree, resolve};
use crate::workspace::{Package, Workspace};

pub(super) fn check(tree: &Tree, workspace: &Workspace, findings: &mut Findings) {
    for package in &workspace.packages {
        let reached = reached(tree, package);
        let folder = format!("{}/", package.folder);
        for file in tree.below(&folder, ".rs").filter(|file| !reached.contains(&file.path)) {
            findings.add(&file.path, 1, "no `mod` reaches this file; use it or remove it");
        }
    }
}

fn reached(tree: &Tree, package: &Package) -> BTreeSet<String> {
    let roots: BTreeSet<&str> = package.targets.iter().map(|(_, path)| path.as_str()).collect();
    let mut reached = BTreeSet::new();
    let mut open: Vec<String> = roots.iter().map(|path| (*path).to_owned()).collect();
    while let Some(path) = open.pop() {
        if let Some(file) = tree.file(&path).filter(|_| reached.insert(path.clone())) {
            let home = home_of(&path, roots.contains(path.as_str()));
            open.extend(children(tree, file, &home));
        }
    }
    reached
}

/// The folder in which the modules of a file lie.
fn home_of(path: &str, is_root: bool) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if is_root || name == "mod.rs" {
        return folder.to_owned();
    }
    format!("{folder}/{}", name.trim_end_matches(".rs"))
}

fn children(tree: &Tree, file: &File, home: &str) -> Vec<String> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut children = Vec::new();
    let mut given = None;
    for (text, code) in file.text.lines().zip(file.views.code.lines()) {
        if let Some(path) = text.trim().strip_prefix("#[path = \"") {
            given = path.split('"').next().map(|path| resolve(folder, path));
        } else if let Some(name) = declared(code) {
            let beside = format!("{home}/{name}.rs");
            let inside = format!("{home}/{name}/mod.rs");
            let found = if tree.file(&beside).is_some() { beside } else { inside };
            children.push(given.take().unwrap_or(found));
        }
    }
    children
}

/// The name in `mod name;`, whatever its visibility.
fn declared(line: &str) -> Option<&str> {
    let (visibility, name) = line.trim().strip_suffix(';')?.rsplit_once("mod ")?;
    let visibility = visibility.trim();
    let is_visibility = visibility.is_empty() || visibility.starts_with("pub");
    is_visibility.then_some(name.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::said;

    #[test]
    fn only_reached_files_live() {
        let root = "crates/a/src/lib.rs";
        let package = Package {
            folder: "crates/a".to_owned(),
            targets: vec![("lib".to_owned(), root.to_owned())],
            ..Package::default()
        };
        let workspace = Workspace { packages: vec![package], ..Workspace::default() };
        let tree = Tree::of(&[
            (root, "mod a;\npub(crate) mod b;\n// mod dead;\n"),
            ("crates/a/src/a.rs", "#[cfg(test)]\nmod tests;\n"),
            ("crates/a/src/a/tests.rs", "#[path = \"../other.rs\"]\nmod c;\n"),
            ("crates/a/src/other.rs", ""),
            ("crates/a/src/b/mod.rs", ""),
            ("crates/a/src/dead.rs", "mod deader;\n"),
            ("crates/a/src/dead/deader.rs", ""),
        ]);
        assert_eq!(
            said(check, &tree, &workspace),
            [
                "crates/a/src/dead.rs:1: no `mod` reaches this file; use it or remove it",
                "crates/a/src/dead/deader.rs:1: no `mod` reaches this file; use it or remove it",
            ]
        );
    }
}
