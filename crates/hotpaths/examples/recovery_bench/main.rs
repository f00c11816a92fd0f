//! Measures how long a node takes to start on a full store, and what it takes of memory.
//!
//! ```text
//! recovery_bench make FOLDER [SESSIONS [MESSAGES [FAN-OUT]]]
//! recovery_bench start BINARY FOLDER [SESSIONS [MESSAGES [FAN-OUT [SAMPLES]]]]
//! ```
//! `make` writes a store: each session has five subscriptions and an equal share of MESSAGES, 1,000,000
//! and 10,000,000 if not said otherwise; a message of 256 bytes waits for FAN-OUT sessions. `start`
//! runs `BINARY serve` on it, says when a client of the store got its CONNACK, what processor time
//! and memory that took, and has SAMPLES clients, 1,000 if not said otherwise, fetch and compare all
//! that waits for them, after which the store no longer has it. A small store through the same code, with a node in this process, is a test.

#![expect(clippy::print_stdout, reason = "a program that prints its figures")]

mod client;
mod make;
mod node;
mod shape;

use std::{env, error::Error, fs, path::Path};

use shape::Shape;

type Outcome<T> = Result<T, Box<dyn Error>>;

const SEGMENT_BYTES: u64 = 64 << 20;
/// Messages that are fetched and compared at most.
const SAMPLED_MESSAGES: u64 = 200_000;
const USAGE: &str = "recovery_bench make FOLDER [SESSIONS [MESSAGES [FAN-OUT]]]
recovery_bench start BINARY FOLDER [SESSIONS [MESSAGES [FAN-OUT [SAMPLES]]]]";

fn main() -> Outcome<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["make", folder, numbers @ ..] => {
            let folder = Path::new(folder).join("log");
            fs::create_dir_all(&folder)?;
            let bytes = make::make(&folder, shape(numbers)?, SEGMENT_BYTES)?;
            println!("{bytes} bytes in {}", folder.display());
        }
        ["start", binary, folder, numbers @ ..] => {
            let samples = numbers.get(3).map_or(Ok(1_000), |samples| samples.parse())?;
            node::measure(Path::new(binary), Path::new(folder), shape(numbers)?, samples)?;
        }
        _ => return Err(USAGE.into()),
    }
    Ok(())
}

fn shape(numbers: &[&str]) -> Outcome<Shape> {
    let number = |at: usize, otherwise: u64| numbers.get(at).map_or(Ok(otherwise), |it| it.parse());
    Ok(Shape::new(number(0, 1_000_000)?, number(1, 10_000_000)?, number(2, 1)?)?)
}

/// Sessions from all over the store, that many if they do not have too much.
fn samples(shape: Shape, wanted: u64) -> impl Iterator<Item = u64> {
    let each = shape.messages.div_ceil(shape.sessions).max(1);
    let count = wanted.min(shape.sessions).min((SAMPLED_MESSAGES / each).max(1));
    (0..count).map(move |sample| sample * shape.sessions / count)
}

#[cfg(test)]
mod tests;
