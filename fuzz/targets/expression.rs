//! Expressions of the configuration: whatever somebody writes is refused or evaluated, within bounds and without a panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plexus_admission::Expression;

fuzz_target!(|input: &str| {
    let Ok(expression) = input.parse::<Expression>() else { return };
    let (condition, text) = (expression.check_condition(), expression.check_text());
    assert!(condition.is_err() || !input.trim().is_empty(), "nothing is neither true nor false");
    drop(text);
});
