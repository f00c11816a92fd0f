//! Manifests: names as the folders say, lints inherited, versions and reasons in the root only.

use toml::{Table, Value};

use super::Findings;
use crate::tree::{File, Tree};
use crate::workspace::Workspace;

/// Packages whose name is not `plexus-` and the folder: the program itself and its tool.
const PLAIN_NAMES: [&str; 2] = ["plexus", "xtask"];

/// Folders of leaves, and what stands before their own name.
const FAMILIES: [(&str, &str); 1] = [("connectors", "connector-")];

pub(super) fn check(tree: &Tree, workspace: &Workspace, findings: &mut Findings) {
    if let Some(root) = tree.file("Cargo.toml") {
        check_reasons(root, findings);
    }
    for package in &workspace.packages {
        let path = format!("{}/Cargo.toml", package.folder);
        let Some(file) = tree.file(&path) else { continue };
        let (family, folder) = package.folder.rsplit_once('/').unwrap_or_default();
        let prefix = FAMILIES.iter().find(|(of, _)| *of == family).map_or("", |(_, prefix)| prefix);
        let wanted = format!("plexus-{prefix}{folder}");
        if package.name != wanted && !PLAIN_NAMES.contains(&folder) {
            let message =
                format!("the package in `{folder}/` is called `{}`; use `{wanted}`", package.name);
            findings.add(&path, line_of(file, "name ="), message);
        }
        check_manifest(file, findings);
    }
}

fn check_manifest(file: &File, findings: &mut Findings) {
    // A manifest that does not parse has already stopped cargo.
    let Ok(manifest) = file.text.parse::<Table>() else { return };
    let inherits = manifest.get("lints").and_then(|lints| lints.get("workspace"));
    if inherits.and_then(Value::as_bool) != Some(true) {
        findings.add(&file.path, 1, "lints of its own; use `[lints] workspace = true`");
    }
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let Some(Value::Table(dependencies)) = manifest.get(section) else { continue };
        for (name, value) in dependencies {
            if value.get("workspace").and_then(Value::as_bool) != Some(true) {
                let message = format!(
                    "`{name}` has a version of its own; use `{name}.workspace = true` and the \
                     root manifest"
                );
                findings.add(&file.path, line_of(file, name), message);
            }
        }
    }
}

/// Every outside dependency has its reason behind it, in one line.
fn check_reasons(root: &File, findings: &mut Findings) {
    let lines = (1..).zip(root.text.lines());
    let section = lines
        .skip_while(|(_, line)| line.trim() != "[workspace.dependencies]")
        .skip(1)
        .take_while(|(_, line)| !line.starts_with('['));
    for (number, line) in section {
        let is_entry = line.contains('=') && !line.trim_start().starts_with('#');
        if is_entry && !line.contains("path = ") && !line.contains("# ") {
            let name = line.split(['=', ' ', '.']).next().unwrap_or_default();
            let message = format!("no reason for `{name}`; use `# why` at the end of the line");
            findings.add(&root.path, number, message);
        }
    }
}

fn line_of(file: &File, start: &str) -> usize {
    let found = file.text.lines().position(|line| line.trim_start().starts_with(start));
    found.map_or(1, |index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::said;
    use crate::workspace::Package;

    fn workspace(packages: &[(&str, &str)]) -> Workspace {
        let package = |(name, folder): &(&str, &str)| Package {
            name: (*name).to_owned(),
            folder: (*folder).to_owned(),
            ..Package::default()
        };
        Workspace { packages: packages.iter().map(package).collect(), ..Workspace::default() }
    }

    #[test]
    fn names_lints_and_versions_come_from_the_root() {
        let tree = Tree::of(&[(
            "crates/net/Cargo.toml",
            "[package]\nname = \"network\"\n[dependencies]\nmio = \"1\"\nbytes.workspace = true\n",
        )]);
        assert_eq!(
            said(check, &tree, &workspace(&[("network", "crates/net")])),
            [
                "crates/net/Cargo.toml:2: the package in `net/` is called `network`; use `plexus-net`",
                "crates/net/Cargo.toml:1: lints of its own; use `[lints] workspace = true`",
                "crates/net/Cargo.toml:4: `mio` has a version of its own; use `mio.workspace = true` \
                 and the root manifest",
            ]
        );
    }

    #[test]
    fn a_leaf_bears_the_name_of_its_family() {
        let text = "[package]\nname = \"plexus-http\"\n[lints]\nworkspace = true\n";
        let tree = Tree::of(&[("connectors/http/Cargo.toml", text)]);
        assert_eq!(
            said(check, &tree, &workspace(&[("plexus-http", "connectors/http")])),
            ["connectors/http/Cargo.toml:2: the package in `http/` is called `plexus-http`; use \
                 `plexus-connector-http`"]
        );
        let fine = workspace(&[("plexus-connector-http", "connectors/http")]);
        assert_eq!(said(check, &tree, &fine), [""; 0]);
    }

    #[test]
    fn an_outside_dependency_has_a_reason() {
        let tree = Tree::of(&[(
            "Cargo.toml",
            "[workspace.dependencies]\nplexus-a = { path = \"a\" }\n# All of them.\nmio = \"1\"\n\
             slab = \"1\" # small numbers\n\n[profile.dev]\ndebug = true\n",
        )]);
        assert_eq!(
            said(check, &tree, &Workspace::default()),
            ["Cargo.toml:4: no reason for `mio`; use `# why` at the end of the line"]
        );
    }
}
