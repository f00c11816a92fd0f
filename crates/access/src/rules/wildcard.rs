use std::fmt;

/// A text in which `*` stands for any run of characters, none included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wildcard(Box<str>);

impl Wildcard {
    /// Reads one; every text is one.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Whether a text is one of those that it stands for. Its time is the product of both lengths at the
    /// most, whatever they are.
    pub fn matches(&self, text: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(first) = parts.next() else { return false };
        let Some(mut rest) = text.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            // The first place leaves most for the parts that follow.
            let Some(at) = rest.find(part) else { return false };
            rest = rest.get(at + part.len()..).unwrap_or_default();
        }
        rest.ends_with(last)
    }
}

impl fmt::Display for Wildcard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
