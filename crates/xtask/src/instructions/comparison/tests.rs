use super::super::budgets::Raise;
use super::*;

fn tools() -> Tools {
    let words = |text: &str| text.to_owned();
    Tools {
        rustc: words("rustc 1.95.0"),
        host: words("x86_64-unknown-linux-gnu"),
        valgrind: words("valgrind-3.19.0"),
        libc: words("glibc 2.36"),
        vectors: words("avx2"),
    }
}

fn comparison(budgets: &[(&str, u64)], counted: &[(&str, u64)]) -> Comparison {
    let budget = |(name, instructions): &(&str, u64)| Budget {
        name: (*name).to_owned(),
        instructions: *instructions,
        raised: Vec::new(),
    };
    let counted = counted.iter().map(|(name, instructions)| Counted {
        name: (*name).to_owned(),
        instructions: *instructions,
    });
    Comparison {
        budgets: Budgets { tools: Some(tools()), paths: budgets.iter().map(budget).collect() },
        tools: tools(),
        counted: counted.collect(),
    }
}

fn newer_compiler(budgets: &[(&str, u64)], counted: &[(&str, u64)]) -> Comparison {
    let mut comparison = comparison(budgets, counted);
    comparison.tools.rustc = "rustc 1.96.0".to_owned();
    comparison
}

#[test]
fn the_table_shows_every_path() {
    let comparison = comparison(
        &[("encode", 389), ("fan-out", 800_000)],
        &[("encode", 370), ("fan-out", 808_400), ("match", 12)],
    );
    assert_eq!(
        comparison.table(),
        "path                        budget     counted    change\n\
         encode                         389         370    -4.9 %\n\
         fan-out                     800000      808400    +1.1 %\n\
         match                         none          12          \n"
    );
}

#[test]
fn what_is_within_its_margin_passes() {
    let verdict = comparison(&[("a", 1_000), ("b", 10)], &[("a", 1_010), ("b", 12)]).verdict();
    assert_eq!(verdict.unwrap(), "2 paths within their budgets");
}

#[test]
fn what_is_dearer_fails_and_says_how_to_mend_it() {
    let verdict = comparison(&[("a", 1_000), ("b", 10)], &[("a", 1_011), ("b", 12)]).verdict();
    assert_eq!(
        verdict.unwrap_err().to_string(),
        "`a` costs 1011 instructions, its budget is 1000 (+1.1 %). Find what made it dearer: \
         `callgrind_annotate target/instructions/a-*.callgrind` shows what it is spent on. If it is \
         worth that, raise the budget in docs/bench/instructions.toml by hand: raised = [{ to = \
         1011, on = \"<today>\", reason = \"<why>\" }]"
    );
}

#[test]
fn what_is_cheaper_passes_with_a_hint() {
    let verdict = comparison(&[("a", 1_000), ("b", 1_000)], &[("a", 969), ("b", 970)]).verdict();
    assert_eq!(
        verdict.unwrap(),
        "2 paths within their budgets\ncheaper than their budgets, which `cargo xtask \
         instructions --write` lowers: a"
    );
}

#[test]
fn paths_and_budgets_are_the_same() {
    let verdict = comparison(&[("gone", 1)], &[("new", 1)]).verdict();
    assert_eq!(
        verdict.unwrap_err().to_string(),
        "`new` has no budget in docs/bench/instructions.toml; use `cargo xtask instructions \
         --write`\n`gone` has a budget in docs/bench/instructions.toml, but there is no such path; \
         use `cargo xtask instructions --write`"
    );
}

#[test]
fn another_compiler_has_a_wider_margin() {
    let said = "compared with a margin of 5 %: rustc 1.96.0 for rustc 1.95.0";
    let verdict = newer_compiler(&[("a", 1_000)], &[("a", 1_050)]).verdict();
    assert_eq!(verdict.unwrap(), format!("1 paths within their budgets\n{said}"));
    let verdict = newer_compiler(&[("a", 1_000)], &[("a", 1_051)]).verdict();
    assert!(verdict.unwrap_err().to_string().ends_with(said));
}

#[test]
fn another_processor_is_not_compared() {
    let mut comparison = comparison(&[("a", 1_000)], &[("a", 2_000)]);
    comparison.tools.host = "aarch64-unknown-linux-gnu".to_owned();
    assert_eq!(
        comparison.verdict().unwrap(),
        "1 paths counted, none compared: the budgets are those of x86_64-unknown-linux-gnu, this \
         is aarch64-unknown-linux-gnu"
    );
    assert_eq!(comparison.lowered(), comparison.budgets);
}

#[test]
fn writing_lowers_adds_and_removes() {
    let comparison = comparison(
        &[("a", 1_000), ("gone", 5), ("b", 1_000)],
        &[("a", 900), ("b", 1_100), ("c", 7)],
    );
    let lowered = comparison.lowered();
    let figures: Vec<_> =
        lowered.paths.iter().map(|path| (path.name.as_str(), path.instructions)).collect();
    assert_eq!(figures, [("a", 900), ("b", 1_000), ("c", 7)]);
    let left = comparison.without_hints().verdict().unwrap_err().to_string();
    assert!(left.starts_with("`b` costs 1100") && !left.contains('\n'), "{left}");
}

#[test]
fn a_raise_by_hand_opens_the_gate() {
    let mut comparison = comparison(&[("a", 1_000)], &[("a", 1_100)]);
    let reason = "checks the clause that was forgotten".to_owned();
    let raise = Raise { to: 1_100, on: "2026-12-24".to_owned(), reason };
    comparison.budgets.paths[0].raised.push(raise);
    assert_eq!(comparison.verdict().unwrap(), "1 paths within their budgets");
}

#[test]
fn new_tools_are_written_down_when_nothing_needs_their_margin() {
    let tools = |counted| newer_compiler(&[("a", 1_000)], &[("a", counted)]).lowered().tools;
    assert_eq!(tools(1_010).unwrap().rustc, "rustc 1.96.0");
    assert_eq!(tools(1_011).unwrap().rustc, "rustc 1.95.0");
}
