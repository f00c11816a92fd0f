//! What was counted beside what is allowed, and what to do about it.

use std::fmt::Write as _;

use super::BUDGETS;
use super::budgets::{Budget, Budgets, Tools};
use super::count::Counted;
use crate::failure::{Failure, Outcome};

/// Per cent above its budget that a path may cost: what the same compiler makes of a change elsewhere.
const MARGIN: u64 = 1;
/// The same where compiler, C library or processor are not those of the budgets.
const MARGIN_ELSEWHERE: u64 = 5;
/// Per cent below its budget from which a person is told that it can be lowered.
const WORTH_LOWERING: u64 = 3;
/// No margin is smaller: a path of a hundred instructions may have one more.
const MARGIN_MIN: u64 = 2;

/// Everything a verdict comes from.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    pub(super) budgets: Budgets,
    /// What has counted now.
    pub(super) tools: Tools,
    pub(super) counted: Vec<Counted>,
}

impl Comparison {
    /// The figures, for a person.
    pub(super) fn table(&self) -> String {
        let mut text = format!("{:22}{:>12}{:>12}{:>10}\n", "path", "budget", "counted", "change");
        for Counted { name, instructions } in &self.counted {
            let allowed = self.budgets.of(name).map(Budget::allowed);
            let budget = allowed.map_or_else(|| "none".to_owned(), |allowed| allowed.to_string());
            let change = allowed.map_or_else(String::new, |allowed| change(allowed, *instructions));
            writeln!(text, "{name:22}{budget:>12}{instructions:>12}{change:>10}")
                .expect("invariant: a string takes everything");
        }
        text
    }

    /// A few words if all is well, with hints; else what is too dear and what to do.
    pub(super) fn verdict(&self) -> Outcome<String> {
        let paths = self.counted.len();
        if let Some(words) = self.foreign() {
            return Ok(format!("{paths} paths counted, none compared: {words}"));
        }
        let complaints: Vec<String> = self.complaints();
        if complaints.is_empty() {
            let mut words = vec![format!("{paths} paths within their budgets")];
            words.extend(self.elsewhere());
            words.extend(self.hints());
            return Ok(words.join("\n"));
        }
        let words: Vec<String> = complaints.into_iter().chain(self.elsewhere()).collect();
        Err(Failure::new(words.join("\n")))
    }

    /// The budgets after this count.
    pub(super) fn lowered(&self) -> Budgets {
        if self.foreign().is_some() {
            return self.budgets.clone();
        }
        let path = |counted: &Counted| {
            let Counted { name, instructions } = counted.clone();
            let known = self.budgets.of(&name).map(|budget| budget.lowered(instructions));
            known.unwrap_or(Budget { name, instructions, raised: Vec::new() })
        };
        // New tools take over when nothing needs their wider margin.
        let settled = self.counted.iter().all(|counted| {
            self.budgets.of(&counted.name).is_none_or(|budget| !is_dearer(budget, counted, MARGIN))
        });
        let known = self.budgets.tools.clone().filter(|_| !settled);
        Budgets {
            tools: Some(known.unwrap_or_else(|| self.tools.clone())),
            paths: self.counted.iter().map(path).collect(),
        }
    }

    /// The same against the budgets that were just written: what remains to be said is what is dear.
    pub(super) fn without_hints(&self) -> Self {
        Self { budgets: self.lowered(), ..self.clone() }
    }

    fn complaints(&self) -> Vec<String> {
        let margin = self.margin();
        let mut complaints = Vec::new();
        for counted in &self.counted {
            let Counted { name, instructions } = counted;
            match self.budgets.of(name) {
                None => complaints.push(format!(
                    "`{name}` has no budget in {BUDGETS}; use `cargo xtask instructions --write`"
                )),
                Some(budget) if is_dearer(budget, counted, margin) => {
                    let allowed = budget.allowed();
                    complaints.push(format!(
                        "`{name}` costs {instructions} instructions, its budget is {allowed} ({}). \
                         Find what made it dearer: `callgrind_annotate \
                         target/instructions/{name}-*.callgrind` shows what it is spent on. If it is \
                         worth that, raise the budget in {BUDGETS} by hand: raised = [{{ to = \
                         {instructions}, on = \"<today>\", reason = \"<why>\" }}]",
                        change(allowed, *instructions),
                    ));
                }
                Some(_) => {}
            }
        }
        let counted = |budget: &&Budget| !self.counted.iter().any(|it| it.name == budget.name);
        for budget in self.budgets.paths.iter().filter(counted) {
            complaints.push(format!(
                "`{}` has a budget in {BUDGETS}, but there is no such path; use `cargo xtask \
                 instructions --write`",
                budget.name
            ));
        }
        complaints
    }

    fn hints(&self) -> Vec<String> {
        let cheaper = |counted: &&Counted| {
            let allowed = self.budgets.of(&counted.name).map_or(0, Budget::allowed);
            counted.instructions * 100 < allowed * (100 - WORTH_LOWERING)
        };
        let names: Vec<&str> =
            self.counted.iter().filter(cheaper).map(|counted| counted.name.as_str()).collect();
        if names.is_empty() {
            return Vec::new();
        }
        vec![format!(
            "cheaper than their budgets, which `cargo xtask instructions --write` lowers: {}",
            names.join(", ")
        )]
    }

    fn margin(&self) -> u64 {
        if self.elsewhere().is_none() { MARGIN } else { MARGIN_ELSEWHERE }
    }

    /// Another kind of processor has other instructions, and nothing can be said.
    fn foreign(&self) -> Option<String> {
        let tools = self.budgets.tools.as_ref().filter(|tools| tools.host != self.tools.host)?;
        Some(format!("the budgets are those of {}, this is {}", tools.host, self.tools.host))
    }

    /// Says what is not as it was when the budgets were counted.
    fn elsewhere(&self) -> Option<String> {
        let tools = self.budgets.tools.as_ref().filter(|tools| **tools != self.tools)?;
        let pairs = [
            (&tools.rustc, &self.tools.rustc),
            (&tools.valgrind, &self.tools.valgrind),
            (&tools.libc, &self.tools.libc),
            (&tools.vectors, &self.tools.vectors),
        ];
        let differs = |(then, now): &(&String, &String)| then != now;
        let words = pairs.into_iter().filter(differs);
        let words: Vec<_> = words.map(|(then, now)| format!("{now} for {then}")).collect();
        Some(format!("compared with a margin of {MARGIN_ELSEWHERE} %: {}", words.join(", ")))
    }
}

fn is_dearer(budget: &Budget, counted: &Counted, margin: u64) -> bool {
    let allowed = budget.allowed();
    counted.instructions > allowed + (allowed * margin / 100).max(MARGIN_MIN)
}

/// In per cent, with one decimal and its sign.
fn change(allowed: u64, counted: u64) -> String {
    let (sign, difference) =
        if counted < allowed { ("-", allowed - counted) } else { ("+", counted - allowed) };
    let tenths = (difference * 1_000 + allowed / 2) / allowed.max(1);
    let sign = if tenths == 0 { "" } else { sign };
    format!("{sign}{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests;
