//! The budgets in the tree. The command lowers them; only a person raises one, with a date and a
//! reason that stand beside it until the path is again as cheap as it was.

use std::fmt::Write as _;

use serde::Deserialize;

use super::BUDGETS;
use crate::failure::{Failure, Outcome};

const HEAD: &str = "\
# Instructions of one walk along each hot path (docs/bench/README.md), compared by
# `cargo xtask instructions`, which also writes this page: `--write` lowers a figure, never raises it.
#
# A path that has to become dearer is given a reason by hand; the last one is the budget:
#
#   raised = [
#     { to = 1234, on = \"2026-12-24\", reason = \"what was bought with it\" },
#   ]
";

/// The part of a figure by which two counts of the same program differ at most.
const NOISE: u64 = 1_000;

/// The whole page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Budgets {
    /// What the figures were counted with; `None` before the first time.
    pub(super) tools: Option<Tools>,
    #[serde(default, rename = "path")]
    pub(super) paths: Vec<Budget>,
}

/// What decides how many instructions a program has, beside its source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tools {
    pub(super) rustc: String,
    /// The machine's own target.
    pub(super) host: String,
    pub(super) valgrind: String,
    pub(super) libc: String,
    pub(super) vectors: String,
}

/// What one walk may cost.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Budget {
    pub(super) name: String,
    /// The cheapest that was counted.
    pub(super) instructions: u64,
    /// Why it may be dearer; the last counts.
    #[serde(default)]
    pub(super) raised: Vec<Raise>,
}

/// A person's decision.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raise {
    pub(super) to: u64,
    pub(super) on: String,
    pub(super) reason: String,
}

impl Budgets {
    /// Reads the page and refuses a raise that gives no account of itself.
    pub(super) fn parse(text: &str) -> Outcome<Self> {
        let budgets: Self = toml::from_str(text).map_err(Failure::doing(BUDGETS))?;
        for path in &budgets.paths {
            if let Some(raise) = path.raised.iter().find(|raise| !raise.is_accounted_for()) {
                return Err(Failure::new(format!(
                    "{BUDGETS}: `{}` is raised to {} without a date and a reason; use `on = \
                     \"2026-12-24\"` and say what was bought with it",
                    path.name, raise.to
                )));
            }
        }
        Ok(budgets)
    }

    /// The page as it stands in the tree.
    pub(super) fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        if let Some(tools) = &self.tools {
            let Tools { rustc, host, valgrind, libc, vectors } = tools;
            text += "\n[tools]\n";
            for (key, value) in [
                ("rustc", rustc),
                ("host", host),
                ("valgrind", valgrind),
                ("libc", libc),
                ("vectors", vectors),
            ] {
                line(&mut text, format_args!("{key} = {}", quoted(value)));
            }
        }
        for path in &self.paths {
            line(&mut text, format_args!("\n[[path]]\nname = {}", quoted(&path.name)));
            line(&mut text, format_args!("instructions = {}", path.instructions));
            if path.raised.is_empty() {
                continue;
            }
            text += "raised = [\n";
            for Raise { to, on, reason } in &path.raised {
                let (on, reason) = (quoted(on), quoted(reason));
                line(&mut text, format_args!("  {{ to = {to}, on = {on}, reason = {reason} }},"));
            }
            text += "]\n";
        }
        text
    }

    /// The budget of that path.
    pub(super) fn of(&self, name: &str) -> Option<&Budget> {
        self.paths.iter().find(|path| path.name == name)
    }
}

impl Budget {
    /// What a walk may cost.
    pub(super) fn allowed(&self) -> u64 {
        self.raised.last().map_or(self.instructions, |raise| raise.to)
    }

    /// The budget after a walk was counted: never above what it was, and as it was if the difference is
    /// one between two counts of the same program.
    pub(super) fn lowered(&self, counted: u64) -> Self {
        let mut lowered = self.clone();
        if counted + self.allowed() / NOISE >= self.allowed() {
            return lowered;
        }
        if counted <= self.instructions {
            lowered.instructions = counted;
            lowered.raised.clear();
        } else if let Some(last) = lowered.raised.last_mut() {
            last.to = counted;
        }
        lowered
    }
}

impl Raise {
    fn is_accounted_for(&self) -> bool {
        let digits = |c: char| if c.is_ascii_digit() { '0' } else { c };
        let is_date = self.on.chars().map(digits).eq("0000-00-00".chars());
        is_date && !self.reason.trim().is_empty()
    }
}

fn line(text: &mut String, words: std::fmt::Arguments<'_>) {
    writeln!(text, "{words}").expect("invariant: a string takes everything");
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(instructions: u64, raised: &[u64]) -> Budget {
        let raise = |to: &u64| Raise {
            to: *to,
            on: "2026-12-24".to_owned(),
            reason: "the \"new\" check".to_owned(),
        };
        let raised = raised.iter().map(raise).collect();
        Budget { name: "encode".to_owned(), instructions, raised }
    }

    #[test]
    fn the_page_reads_as_it_was_written() {
        let tools = Tools { rustc: "rustc 1.95.0".to_owned(), ..Tools::default() };
        let paths = vec![budget(389, &[400, 410]), Budget { raised: Vec::new(), ..budget(7, &[]) }];
        let budgets = Budgets { tools: Some(tools), paths };
        assert_eq!(Budgets::parse(&budgets.text()).unwrap(), budgets);
        assert!(budgets.text().ends_with(
            "\n[[path]]\nname = \"encode\"\ninstructions = 389\nraised = [\n  \
             { to = 400, on = \"2026-12-24\", reason = 'the \"new\" check' },\n  \
             { to = 410, on = \"2026-12-24\", reason = 'the \"new\" check' },\n]\n\n\
             [[path]]\nname = \"encode\"\ninstructions = 7\n"
        ));
        assert_eq!(Budgets::parse("").unwrap(), Budgets::default());
    }

    #[test]
    fn a_raise_needs_a_date_and_a_reason() {
        for (on, reason) in [("2026-12-24", " "), ("soon", "better"), ("2026-12-2", "better")] {
            let page = format!(
                "[[path]]\nname = \"encode\"\ninstructions = 389\n\
                 raised = [{{ to = 400, on = \"{on}\", reason = \"{reason}\" }}]\n"
            );
            assert_eq!(
                Budgets::parse(&page).unwrap_err().to_string(),
                "docs/bench/instructions.toml: `encode` is raised to 400 without a date and a \
                 reason; use `on = \"2026-12-24\"` and say what was bought with it"
            );
        }
    }

    #[test]
    fn the_last_raise_is_the_budget() {
        assert_eq!(budget(389, &[]).allowed(), 389);
        assert_eq!(budget(389, &[400, 410]).allowed(), 410);
    }

    #[test]
    fn a_budget_is_lowered_and_never_raised() {
        assert_eq!(budget(389, &[]).lowered(390), budget(389, &[]));
        assert_eq!(budget(389, &[]).lowered(380), budget(380, &[]));
        assert_eq!(budget(805_439, &[]).lowered(805_423), budget(805_439, &[]), "counted twice");
        assert_eq!(budget(389, &[400, 410]).lowered(500), budget(389, &[400, 410]));
        assert_eq!(budget(389, &[400, 410]).lowered(405), budget(389, &[400, 405]));
        assert_eq!(budget(389, &[400, 410]).lowered(385), budget(385, &[]), "as cheap as it was");
    }
}
