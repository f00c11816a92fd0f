//! Who set a key, and whether anybody did.

use std::ops::Range;

use toml::{
    Spanned, Table, Value,
    de::{DeTable, DeValue},
};

use super::{Config, File};
use crate::report::Origin;

/// The sources of a configuration, read once for many questions.
pub(crate) struct Origins<'a> {
    /// The strongest first.
    overrides: Vec<(&'a Origin, Table)>,
    file: Option<(&'a File, Spanned<DeTable<'a>>)>,
}

/// What a source says of a key.
enum Said {
    Sets,
    /// It sets a list or a value around it, without this key.
    Replaces,
    Nothing,
}

impl<'a> Origins<'a> {
    pub(crate) fn of(config: &'a Config) -> Self {
        let layer = config.sources.layer.iter().rev();
        let overrides = config.sources.overrides.iter().rev().chain(layer);
        let overrides = overrides.filter_map(|one| Some((&one.origin, one.tree().ok()?))).collect();
        let file = config.sources.file.as_ref();
        let file = file.and_then(|file| Some((file, DeTable::parse(&file.text).ok()?)));
        Self { overrides, file }
    }

    /// Who set the key of that path; nobody where a default holds. Numbers count the elements of a
    /// list.
    pub(crate) fn of_key(&self, path: &[&str]) -> Option<Origin> {
        for (origin, tree) in &self.overrides {
            match said(tree, path) {
                Said::Sets => return Some((*origin).clone()),
                Said::Replaces => return None,
                Said::Nothing => {}
            }
        }
        let (file, document) = self.file.as_ref()?;
        let found = locate(document.get_ref(), path).filter(|found| found.whole)?;
        Some(Origin::File(file.place(found.span)))
    }
}

fn said(tree: &Table, path: &[&str]) -> Said {
    let Some((first, rest)) = path.split_first() else { return Said::Sets };
    let Some(mut value) = tree.get(*first) else { return Said::Nothing };
    let mut in_list = false;
    for part in rest {
        let next = match value {
            Value::Table(table) => table.get(*part),
            Value::Array(list) => {
                in_list = true;
                part.parse::<usize>().ok().and_then(|index| list.get(index))
            }
            _ => return Said::Replaces,
        };
        value = match next {
            Some(next) => next,
            None if in_list => return Said::Replaces,
            None => return Said::Nothing,
        };
    }
    Said::Sets
}

/// What a path leads to in a document.
pub(super) struct Located {
    pub(super) span: Range<usize>,
    /// Whether all of the path is there; else it is the last part that is.
    pub(super) whole: bool,
}

/// Where the value of that path stands. Numbers count the elements of a list.
pub(super) fn locate(document: &DeTable<'_>, path: &[&str]) -> Option<Located> {
    let (first, rest) = path.split_first()?;
    let mut found = document.get(*first)?;
    for part in rest {
        let next = match found.get_ref() {
            DeValue::Table(table) => table.get(*part),
            DeValue::Array(list) => part.parse::<usize>().ok().and_then(|index| list.get(index)),
            _ => None,
        };
        match next {
            Some(next) => found = next,
            None => return Some(Located { span: found.span(), whole: false }),
        }
    }
    Some(Located { span: found.span(), whole: true })
}
