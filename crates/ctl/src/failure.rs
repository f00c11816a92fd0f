//! Temporary until plexus-terminal is in main.
use std::{error::Error, fmt};

#[derive(Debug)]
pub enum Failure {
    Failed(String),
    Usage(String),
    No,
}

impl Failure {
    pub fn because(what: impl fmt::Display, error: &dyn Error) -> Self {
        Self::Failed(format!("{what}: {}", chain(error)))
    }
}
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(m) | Self::Usage(m) => write!(f, "error: {m}"),
            Self::No => f.write_str("no"),
        }
    }
}
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let told = cause.to_string();
        if !text.ends_with(&told) {
            text.push_str(": ");
            text.push_str(&told);
        }
        next = cause.source();
    }
    text
}
