//! How a mistake in the configuration is shown: where it stands, what is wrong, what to write.

use std::{fmt, ops::Range, path::Path};

/// Everything that is wrong with a configuration, at least one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// What is wrong, in the order it was found.
    pub diagnostics: Vec<Diagnostic>,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong.
    pub message: String,
    /// Where it stands.
    pub origin: Origin,
    /// What to write instead.
    pub help: Option<String>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A place in a file.
    File(Place),
    /// An environment variable of that name.
    Variable(String),
    /// An option of the command line.
    Option(String),
    /// Nobody set it, or the file as a whole.
    Whole(String),
}

/// A place in a file, with the line that stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The character in the line, counted from 1.
    pub column: usize,
    /// The line, secrets masked.
    pub text: String,
    /// How many characters to point at, at least one.
    pub width: usize,
}

/// Where it is, in a few words.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(place) => write!(f, "{}:{}", place.path, place.line),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Option(option) => write!(f, "option {option}"),
            Self::Whole(place) => f.write_str(place),
        }
    }
}

impl ConfigError {
    /// A single mistake.
    pub fn one(diagnostic: Diagnostic) -> Self {
        Self { diagnostics: vec![diagnostic] }
    }
}

impl Diagnostic {
    /// A mistake at that place.
    pub fn new(origin: Origin, message: impl Into<String>) -> Self {
        Self { message: message.into(), origin, help: None }
    }

    /// All of it on one line, without the line of the file: as a record of a log shows it.
    pub fn line(&self) -> String {
        let Self { message, origin, help } = self;
        match help {
            Some(help) => format!("{origin}: {message}; {help}"),
            None => format!("{origin}: {message}"),
        }
    }

    /// With what to write instead.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Place {
    /// The place of a byte range of `text`, which is the content of `path`.
    pub fn new(path: &Path, text: &str, span: Range<usize>) -> Self {
        let start = floor(text, span.start);
        let begin = text.get(..start).and_then(|head| head.rfind('\n')).map_or(0, |at| at + 1);
        let rest = text.get(begin..).unwrap_or_default();
        let line_text = rest.split('\n').next().unwrap_or_default().trim_end_matches('\r');
        let end = floor(text, span.end.min(begin + line_text.len()));
        let chars = |range: Range<usize>| text.get(range).map_or(0, |part| part.chars().count());
        Self {
            path: path.display().to_string(),
            line: text.get(..begin).map_or(0, |head| head.matches('\n').count()) + 1,
            column: chars(begin..start) + 1,
            text: masked(line_text),
            width: chars(start..end).max(1),
        }
    }

    /// The place of a whole line, counted from 1.
    pub fn of_line(path: &Path, text: &str, line: usize) -> Self {
        let before = text.split_inclusive('\n').take(line.saturating_sub(1));
        let start = before.map(str::len).sum::<usize>();
        let length = text.get(start..).and_then(|rest| rest.lines().next()).map_or(0, str::len);
        Self::new(path, text, start..start + length)
    }
}

fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The line with password hashes replaced character by character, so that columns stay, and with
/// tabs as single spaces. A configuration holds no other secret.
fn masked(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("$argon2") {
        let (head, tail) = rest.split_at(at);
        let end = tail.find(|c: char| c == '"' || c == '\'' || c.is_whitespace());
        let (secret, tail) = tail.split_at(end.unwrap_or(tail.len()));
        shown.push_str(head);
        shown.extend(std::iter::repeat_n('*', secret.chars().count()));
        rest = tail;
    }
    shown.push_str(rest);
    shown.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// All mistakes, an empty line between them, without a line break at the end.
impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.diagnostics.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        let gutter = match &self.origin {
            Origin::File(place) => {
                let number = place.line.to_string();
                let gutter = " ".repeat(number.len());
                let pointer = format!("{:1$}", "", place.column - 1) + &"^".repeat(place.width);
                write!(f, "\n{gutter}--> {}:{}:{}", place.path, place.line, place.column)?;
                write!(f, "\n{gutter} |\n{number} | {}", place.text)?;
                write!(f, "\n{gutter} | {pointer}")?;
                gutter
            }
            origin => {
                write!(f, "\n --> {origin}")?;
                " ".to_owned()
            }
        };
        match &self.help {
            Some(help) => write!(f, "\n{gutter} = {help}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
