//! The tree holds what people write and read, not what machines made.

use super::Findings;
use crate::tree::Tree;
use crate::workspace::Workspace;

const BYTES: u64 = 512 * 1024;

pub(super) fn check(tree: &Tree, _: &Workspace, findings: &mut Findings) {
    for file in tree.files.iter().filter(|file| file.bytes > BYTES) {
        let message = format!("{} bytes of at most {BYTES}; use a summary, or make it", file.bytes);
        findings.add(&file.path, 1, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::said;

    #[test]
    fn large_files_are_refused() {
        let large = "a".repeat(524_289);
        let tree = Tree::of(&[("docs/a.bin", &large), ("docs/b.bin", "a")]);
        assert_eq!(
            said(check, &tree, &Workspace::default()),
            ["docs/a.bin:1: 524289 bytes of at most 524288; use a summary, or make it"]
        );
    }
}
