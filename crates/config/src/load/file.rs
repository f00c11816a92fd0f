//! The file as a tree, and every mistake in it: what is wrong is shown and taken out, so that the
//! rest is still looked at.

use std::ops::Range;

use serde::Deserialize;
use toml::{
    Spanned, Table,
    de::{DeArray, DeTable, DeValue, Deserializer},
};

use super::{File, paths};
use crate::{
    explain::{Spot, explain},
    report::{Diagnostic, Origin, Place},
    settings::Settings,
};

/// Mistakes of one file that are shown.
const MISTAKES_MAX: usize = 50;

/// What was taken out of the tree.
struct Taken {
    /// Its tables and its key, without the numbers of list elements.
    path: Vec<String>,
    is_table: bool,
    /// Whether nothing of that name is known.
    unknown: bool,
    /// The table that held it.
    parent: Range<usize>,
}

/// What is good of the file, with its paths resolved, and what is wrong with the rest.
pub(super) fn read(file: &File) -> (Table, Vec<Diagnostic>) {
    let mistake = |message: &str, span: Range<usize>, spot: &Spot| {
        let explained = explain(message, spot);
        let origin = Origin::File(Place::new(&file.path, &file.text, span));
        Diagnostic { message: explained.message, origin, help: explained.help }
    };
    let mut document = match DeTable::parse(&file.text) {
        Ok(document) => document,
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            return (Table::new(), vec![mistake(error.message(), span, &Spot::default())]);
        }
    };
    let mut found = Vec::new();
    let mut taken: Vec<Taken> = Vec::new();
    while let Err(error) = Settings::deserialize(Deserializer::from(document.clone())) {
        let span = error.span().unwrap_or(0..0);
        let whole = document.span();
        let out = take(document.get_mut(), &whole, &span);
        let told = taken.iter().any(|earlier| earlier.explains(error.message(), &span));
        if !told {
            let spot = out.as_ref().map(Taken::spot).unwrap_or_default();
            found.push(mistake(error.message(), span, &spot));
        }
        match out {
            Some(out) if found.len() < MISTAKES_MAX => {
                let unknown = error.message().starts_with("unknown field ");
                taken.push(Taken { unknown, ..out });
            }
            Some(_) | None => return (Table::new(), found),
        }
    }
    match Table::deserialize(Deserializer::from(document)) {
        Ok(mut tree) => {
            paths::resolve(&mut tree, &file.path);
            (tree, found)
        }
        // A number that the type of the key takes and a table does not.
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            found.push(mistake(error.message(), span, &Spot::default()));
            (Table::new(), found)
        }
    }
}

impl Taken {
    /// Whether a key may be missing at that span only because this was taken out: it was that key,
    /// or it was meant to be.
    fn explains(&self, message: &str, span: &Range<usize>) -> bool {
        let Some(missing) = message.strip_prefix("missing field ") else { return false };
        let key = self.path.last().map(|key| format!("`{key}`"));
        self.parent == *span && (self.unknown || key.as_deref() == Some(missing.trim_end()))
    }

    fn spot(&self) -> Spot {
        Spot { path: self.path.clone(), is_table: Some(self.is_table) }
    }
}

/// Takes out the key or the list element that the span is about. The parser bounds the depth.
fn take(table: &mut DeTable<'_>, own: &Range<usize>, span: &Range<usize>) -> Option<Taken> {
    let mut meant = None;
    for (key, value) in table.iter_mut() {
        if key.span() != *span {
            // A list has the span of its first element, so what is inside comes first.
            if let Some(mut taken) = take_inside(value, span) {
                taken.path.insert(0, key.get_ref().to_string());
                return Some(taken);
            }
            let within = value.span();
            if within.start > span.start || within.end < span.end {
                continue;
            }
        }
        meant = Some(key.clone());
        break;
    }
    let (key, value) = table.remove_entry(&meant?)?;
    let path = vec![key.into_inner().into_owned()];
    Some(Taken { path, is_table: is_table(value.get_ref()), unknown: false, parent: own.clone() })
}

fn take_inside(value: &mut Spanned<DeValue<'_>>, span: &Range<usize>) -> Option<Taken> {
    let own = value.span();
    match value.get_mut() {
        DeValue::Table(table) => take(table, &own, span),
        DeValue::Array(list) => {
            if !list.iter().any(|element| element.span() == *span) {
                return list.iter_mut().find_map(|element| take_inside(element, span));
            }
            let mut kept = DeArray::new();
            list.iter().filter(|one| one.span() != *span).for_each(|one| kept.push(one.clone()));
            *list = kept;
            Some(Taken { path: Vec::new(), is_table: true, unknown: false, parent: own })
        }
        _ => None,
    }
}

/// A table, or a list of tables.
fn is_table(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Array(list) => list.iter().any(|element| element.get_ref().is_table()),
        other => other.is_table(),
    }
}
