//! A table in Markdown.

/// Its head, and under it one row after the other.
#[derive(Clone, Debug)]
pub(super) struct Table {
    text: String,
    rows: usize,
}

impl Table {
    /// With the names of its columns.
    pub(super) fn new(head: &[String]) -> Self {
        Self { text: format!("{}{}\n", line(head), "|---".repeat(head.len()) + "|"), rows: 0 }
    }

    /// One row more.
    pub(super) fn row(&mut self, cells: &[String]) {
        self.text += &line(cells);
        self.rows += 1;
    }

    /// Below its title and a few words; a table without rows is none.
    pub(super) fn section(self, title: &str, words: &str) -> String {
        if self.rows == 0 {
            String::new()
        } else {
            format!("\n## {title}\n\n{words}\n\n{}", self.text)
        }
    }
}

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}
