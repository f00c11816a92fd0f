//! The lists of statements under `docs/spec/`.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::failure::{Failure, Outcome};
use crate::tree::Tree;

/// The lists, with the name a reader knows the document by.
const LISTS: [(&str, &str); 2] =
    [("docs/spec/mqtt5.toml", "MQTT 5.0"), ("docs/spec/mqtt311.toml", "MQTT 3.1.1")];

/// One document of the specification.
#[derive(Debug)]
pub(crate) struct Document {
    /// What a reader calls it.
    pub(crate) title: &'static str,
    /// Where its list stands.
    pub(crate) path: &'static str,
    /// Its statements in their order.
    pub(crate) clauses: Vec<Clause>,
}

/// One normative statement.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Clause {
    /// The mark without its brackets.
    pub(crate) id: String,
    /// The statement in our own words.
    pub(crate) text: String,
    /// Whom it binds.
    pub(crate) actor: Actor,
    /// Whether a running broker can show that it holds.
    pub(crate) testable: bool,
    /// Why there is no test, or no line of code.
    pub(crate) why: Option<String>,
    /// The statement of the other document that demands the same: its code counts here too.
    pub(crate) like: Option<String>,
    /// The line of its `id`.
    #[serde(skip)]
    pub(crate) line: usize,
}

/// Whom a statement binds.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Actor {
    /// The broker.
    Server,
    /// Its peer.
    Client,
    /// Whoever sends.
    Both,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default)]
    clause: Vec<Clause>,
}

/// Reads the lists that exist.
pub(crate) fn documents(tree: &Tree) -> Outcome<Vec<Document>> {
    let mut documents = Vec::new();
    for (path, title) in LISTS {
        let Some(file) = tree.file(path) else { continue };
        let list: List = toml::from_str(&file.text).map_err(Failure::doing(path))?;
        let mut clauses = list.clause;
        let mut seen = BTreeSet::new();
        for clause in &mut clauses {
            let line = format!("id = \"{}\"", clause.id);
            clause.line = file.text.lines().position(|l| l == line).map_or(1, |index| index + 1);
            if !seen.insert(clause.id.clone()) {
                return Err(Failure::new(format!("{path}: `{}` stands twice", clause.id)));
            }
        }
        check_likeness(path, &clauses, &documents)?;
        documents.push(Document { title, path, clauses });
    }
    Ok(documents)
}

/// A likeness names a statement of a document read before.
fn check_likeness(path: &str, clauses: &[Clause], earlier: &[Document]) -> Outcome {
    let known = |id: &String| earlier.iter().flat_map(|d| &d.clauses).any(|c| c.id == *id);
    let stray = clauses.iter().find(|clause| clause.like.as_ref().is_some_and(|id| !known(id)));
    stray.map_or(Ok(()), |clause| {
        let like = clause.like.as_deref().unwrap_or_default();
        Err(Failure::new(format!("{path}: `{}` is like no statement `{like}`", clause.id)))
    })
}

/// The ids of all statements.
pub(crate) fn index(tree: &Tree) -> Outcome<BTreeSet<String>> {
    let clauses = documents(tree)?.into_iter().flat_map(|document| document.clauses);
    Ok(clauses.map(|clause| clause.id).collect())
}
