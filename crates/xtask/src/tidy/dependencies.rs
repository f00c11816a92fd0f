//! What other people's code may come in: the rules of `deny.toml`, checked with cargo's own knowledge,
//! so that they hold where cargo-deny is not installed.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Findings;
use crate::tree::Tree;
use crate::workspace::{Outside, Workspace};

const RULES: &str = "deny.toml";

/// Parentheses in a licence expression beyond this are refused rather than followed.
const DEPTH_MAX: u8 = 8;

#[derive(Deserialize)]
struct Rules {
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    #[serde(default)]
    skip: Vec<Named>,
    #[serde(default)]
    deny: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "crate")]
    name: String,
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Sources {
    #[serde(rename = "allow-registry")]
    allow_registry: Vec<String>,
}

pub(super) fn check(tree: &Tree, workspace: &Workspace, findings: &mut Findings) {
    let Some(file) = tree.file(RULES) else { return };
    let rules: Rules = match toml::from_str(&file.text) {
        Ok(rules) => rules,
        Err(error) => return findings.add(RULES, 1, error.to_string()),
    };
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in &workspace.outside {
        for message in complaints(package, &rules) {
            findings.add("Cargo.lock", 1, message);
        }
        versions.entry(&package.name).or_default().push(&package.version);
    }
    versions.retain(|name, versions| {
        versions.len() > 1 && !rules.bans.skip.iter().any(|skip| named(skip, name))
    });
    for (name, versions) in versions {
        let message = format!(
            "`{name}` comes in versions {}; use one, or name it with its reason in {RULES}",
            versions.join(" and ")
        );
        findings.add("Cargo.lock", 1, message);
    }
}

fn named(rule: &Named, name: &str) -> bool {
    rule.name.split('@').next() == Some(name)
}

fn complaints(package: &Outside, rules: &Rules) -> Vec<String> {
    let name = &package.name;
    let mut complaints = Vec::new();
    if !is_allowed(&package.license, &rules.licenses.allow, DEPTH_MAX) {
        let license = &package.license;
        complaints.push(format!("`{name}` is under `{license}`; use one that {RULES} allows"));
    }
    if let Some(ban) = rules.bans.deny.iter().find(|ban| named(ban, name)) {
        let reason = ban.reason.as_deref().unwrap_or("see there");
        complaints.push(format!("`{name}` is banned in {RULES}; use what it says: {reason}"));
    }
    let known = |registry: &String| package.source.ends_with(registry.as_str());
    if !rules.sources.allow_registry.iter().any(known) {
        let source = &package.source;
        complaints.push(format!("`{name}` comes from `{source}`; use a registry of {RULES}"));
    }
    complaints
}

/// Whether a licence expression can be met by the allowed licences alone.
fn is_allowed(expression: &str, allowed: &[String], depth: u8) -> bool {
    if depth == 0 {
        return false;
    }
    let expression = expression.replace('/', " OR ");
    let choices = split(&expression, " OR ");
    choices.iter().any(|choice| {
        split(choice, " AND ").iter().all(|part| {
            let part = part.trim();
            let inner = part.strip_prefix('(').and_then(|part| part.strip_suffix(')'));
            match inner {
                Some(inner) => is_allowed(inner, allowed, depth - 1),
                None => allowed.iter().any(|license| license == part),
            }
        })
    })
}

/// Splits at a word that stands outside all parentheses.
fn split(expression: &str, word: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut depth = 0_i32;
    for piece in expression.split(word) {
        match parts.last_mut().filter(|_| depth > 0) {
            Some(part) => {
                part.push_str(word);
                part.push_str(piece);
            }
            None => parts.push(piece.to_owned()),
        }
        for character in piece.chars() {
            depth += i32::from(character == '(') - i32::from(character == ')');
        }
    }
    parts
}

#[cfg(test)]
mod tests;
