//! The words of the command line.

use std::path::PathBuf;
use std::str::FromStr;

use crate::failure::{Failure, Outcome};

/// How often and how long, what and whom.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Options {
    pub(super) rounds: u32,
    /// Measured of each run.
    pub(super) seconds: f64,
    /// Traffic of each run before that.
    pub(super) warm_up: f64,
    /// Names of shapes; none means the usual ones.
    pub(super) only: Vec<String>,
    /// Names of brokers; none means all that are installed.
    pub(super) brokers: Vec<String>,
    /// Of the files that are written.
    pub(super) name: String,
    /// A program that is built already.
    pub(super) plexus: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rounds: 3,
            seconds: 3.0,
            warm_up: 1.0,
            only: Vec::new(),
            brokers: Vec::new(),
            name: "peers".to_owned(),
            plexus: None,
        }
    }
}

impl Options {
    /// Reads pairs of an option and its value.
    pub(super) fn parse(words: &[&str]) -> Outcome<Self> {
        const HOUR: f64 = 3_600.0;
        let mut options = Self::default();
        for pair in words.chunks(2) {
            let [option, value] = *pair else {
                return Err(Failure::new(format!("{} needs a value", pair.concat())));
            };
            match option {
                "--rounds" => {
                    let fits = |it: &u32| (1..=1_000).contains(it);
                    options.rounds = number(option, value, "1 to 1,000", fits)?;
                }
                "--seconds" => {
                    let fits = |it: &f64| *it > 0.0 && *it <= HOUR;
                    options.seconds = number(option, value, "seconds, such as 0.5", fits)?;
                }
                "--warm-up" => {
                    let fits = |it: &f64| (0.0..=HOUR).contains(it);
                    options.warm_up = number(option, value, "seconds, such as 0.5", fits)?;
                }
                "--only" => options.only = names(value),
                "--brokers" => options.brokers = names(value),
                "--name" if is_file_name(value) => value.clone_into(&mut options.name),
                "--name" => {
                    let words = format!("--name {value}: use letters, digits, - and _");
                    return Err(Failure::new(words));
                }
                "--plexus" => options.plexus = Some(value.into()),
                _ => {
                    let words = "`cargo xtask help` tells them; a value stands behind a space";
                    return Err(Failure::new(format!("compare has no option {option}: {words}")));
                }
            }
        }
        Ok(options)
    }
}

fn number<T: FromStr>(
    option: &str,
    value: &str,
    wanted: &str,
    fits: impl Fn(&T) -> bool,
) -> Outcome<T> {
    let number = value.parse().ok().filter(fits);
    number.ok_or_else(|| Failure::new(format!("{option} {value}: write {wanted}")))
}

fn names(value: &str) -> Vec<String> {
    value.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn is_file_name(value: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    !value.is_empty() && value.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_read() {
        assert_eq!(Options::parse(&[]).unwrap(), Options::default());
        let words = "--rounds 5 --seconds 0.5 --warm-up 0 --only idle,churn --brokers plexus \
                     --name today --plexus /tmp/plexus";
        let words: Vec<&str> = words.split_whitespace().collect();
        let options = Options {
            rounds: 5,
            seconds: 0.5,
            warm_up: 0.0,
            only: vec!["idle".to_owned(), "churn".to_owned()],
            brokers: vec!["plexus".to_owned()],
            name: "today".to_owned(),
            plexus: Some("/tmp/plexus".into()),
        };
        assert_eq!(Options::parse(&words).unwrap(), options);
    }

    #[test]
    fn a_slip_is_named() {
        for (words, expected) in [
            (&["--rounds"][..], "--rounds needs a value"),
            (&["--rounds", "0"], "--rounds 0: write 1 to 1,000"),
            (&["--seconds", "inf"], "--seconds inf: write seconds, such as 0.5"),
            (&["--name", "../x"], "--name ../x: use letters, digits, - and _"),
            (
                &["--fast", "1"],
                "compare has no option --fast: `cargo xtask help` tells them; a value stands behind a space",
            ),
        ] {
            assert_eq!(Options::parse(words).unwrap_err().to_string(), expected);
        }
    }
}
