//! The files of the project, read once.

use std::fs;
use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::source::Views;

/// Folders that hold nothing of ours.
const FOREIGN: [&str; 7] =
    [".git", "target", "node_modules", "corpus", "artifacts", "dist", "test-results"];

/// One file.
#[derive(Debug)]
pub(crate) struct File {
    /// Relative to the root, with `/` between the parts.
    pub(crate) path: String,
    /// Size on disk.
    pub(crate) bytes: u64,
    /// Empty where the file is not UTF-8.
    pub(crate) text: String,
    /// For `.rs` files only.
    pub(crate) views: Views,
}

impl File {
    fn new(path: String, bytes: u64, text: String) -> Self {
        let is_rust = Path::new(&path).extension().is_some_and(|extension| extension == "rs");
        let views = if is_rust { Views::of(&text) } else { Views::default() };
        Self { path, bytes, text, views }
    }

    /// The name without its folders.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

/// Every file of the project in the order of its path.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// All of them.
    pub(crate) files: Vec<File>,
}

impl Tree {
    /// Reads the tree below `root`.
    pub(crate) fn read(root: &Path) -> Outcome<Self> {
        let mut tree = Self::default();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            tree.read_folder(root, &folder, &mut folders)
                .map_err(Failure::doing(format!("{}/{folder}", root.display())))?;
        }
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(tree)
    }

    /// Files whose name ends with `suffix`, below the folder `under` (empty: everywhere).
    pub(crate) fn below(&self, under: &str, suffix: &str) -> impl Iterator<Item = &File> {
        self.files.iter().filter(move |f| f.path.starts_with(under) && f.path.ends_with(suffix))
    }

    /// The file at `path`.
    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    fn read_folder(
        &mut self,
        root: &Path,
        folder: &str,
        folders: &mut Vec<String>,
    ) -> std::io::Result<()> {
        for entry in fs::read_dir(root.join(folder))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let kind = entry.file_type()?;
            if kind.is_dir() && !FOREIGN.contains(&name.as_str()) {
                folders.push(path);
            } else if kind.is_file() && name != ".git" {
                let content = fs::read(entry.path())?;
                let bytes = content.len() as u64;
                self.files.push(File::new(
                    path,
                    bytes,
                    String::from_utf8(content).unwrap_or_default(),
                ));
            }
        }
        Ok(())
    }
}

/// Where a relative path leads, seen from a folder of the tree.
pub(crate) fn resolve(folder: &str, relative: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
impl Tree {
    /// A tree of a few lines for the test of a check.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| {
            File::new((*path).to_owned(), text.len() as u64, (*text).to_owned())
        };
        Self { files: files.iter().map(file).collect() }
    }
}
