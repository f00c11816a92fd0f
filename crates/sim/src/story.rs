use plexus_stdx::Seed;
use plexus_types::Instant;

/// What happened, one event a line, and a hash of all of it.
#[derive(Debug, Default)]
pub struct Story {
    hash: u64,
    events: u64,
    lines: Option<Vec<String>>,
}

impl Story {
    /// Only the hash.
    pub fn silent() -> Self {
        Self::default()
    }

    /// The lines too.
    pub fn told() -> Self {
        Self { lines: Some(Vec::new()), ..Self::default() }
    }

    /// The hash of everything told so far.
    pub const fn hash(&self) -> u64 {
        self.hash
    }

    /// How many events there were.
    pub const fn events(&self) -> u64 {
        self.events
    }

    /// The lines told since the last call.
    pub fn take_lines(&mut self) -> Vec<String> {
        self.lines.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Adds an event; `mark` is what tells it from others, `line` is only made for a reader.
    pub(crate) fn tell<T: std::hash::Hash>(
        &mut self,
        now: Instant,
        mark: &T,
        line: impl FnOnce() -> String,
    ) {
        self.events += 1;
        self.hash = Seed::new(self.hash).hash(&(now, mark));
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{:>12} {}", format!("{now:?}"), line()));
        }
    }
}
