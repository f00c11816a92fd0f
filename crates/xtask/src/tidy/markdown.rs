//! Pages: one title each, short at the root, and no link into the void.

use super::Findings;
use crate::tree::{File, Tree, resolve};
use crate::workspace::Workspace;

const ROOT_PAGE_LINES: usize = 300;

pub(super) fn check(tree: &Tree, _: &Workspace, findings: &mut Findings) {
    for file in tree.below("", ".md") {
        let lines = file.text.lines().count();
        if !file.path.contains('/') && lines > ROOT_PAGE_LINES {
            let message =
                format!("{lines} lines of at most {ROOT_PAGE_LINES}; use a page in docs/");
            findings.add(&file.path, ROOT_PAGE_LINES, message);
        }
        check_page(tree, file, findings);
    }
}

fn check_page(tree: &Tree, file: &File, findings: &mut Findings) {
    let mut titles = 0;
    for (number, line) in prose(&file.text) {
        if line.starts_with("# ") {
            titles += 1;
            if titles == 2 {
                findings.add(&file.path, number, "a second title; use `##`");
            }
        }
        for target in links(line).filter(|target| !exists(tree, file, target)) {
            let message = format!("a link to `{target}`, which is not there; use a path that is");
            findings.add(&file.path, number, message);
        }
    }
    if titles == 0 {
        findings.add(&file.path, 1, "no title; use one line that starts with `# `");
    }
}

/// Lines outside fenced blocks, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// Targets of `[text](target)` that lie in the tree.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let paths = targets.filter(|target| !target.contains(':') && !target.starts_with('#'));
    paths.filter_map(|target| target.split('#').next())
}

fn exists(tree: &Tree, file: &File, target: &str) -> bool {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let path = resolve(folder, target);
    tree.file(&path).is_some() || tree.below(&format!("{path}/"), "").next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::said;

    #[test]
    fn pages_have_one_title_and_links_that_lead_somewhere() {
        let tree = Tree::of(&[
            (
                "README.md",
                "# A\n\n```sh\n# no title\n```\n[b](docs/b.md#x) [c](https://c) [d](#d)\n",
            ),
            ("docs/b.md", "# B\n# C\n[a](../README.md) [void](void.md) [folder](../docs/)\n"),
            ("docs/c.md", "text\n"),
            ("LONG.md", &format!("# L\n{}", "\n".repeat(300))),
        ]);
        assert_eq!(
            said(check, &tree, &Workspace::default()),
            [
                "docs/b.md:2: a second title; use `##`",
                "docs/b.md:3: a link to `void.md`, which is not there; use a path that is",
                "docs/c.md:1: no title; use one line that starts with `# `",
                "LONG.md:300: 301 lines of at most 300; use a page in docs/",
            ]
        );
    }
}
