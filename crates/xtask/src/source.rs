//! A Rust file seen twice: once with everything but code blanked, once with everything but comments.
//! Lines keep their numbers, so a check can look for words without being fooled by a string.

/// The two views of one file. Both have the lines of the original.
#[derive(Debug, Default)]
pub(crate) struct Views {
    /// Comments and the contents of literals are spaces.
    pub(crate) code: String,
    /// Everything but comments is spaces.
    pub(crate) comments: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

impl Views {
    /// Splits a file into its two views.
    pub(crate) fn of(text: &str) -> Self {
        let mut views = Self::default();
        let mut rest = text;
        let mut before = ' ';
        while !rest.is_empty() {
            let (length, kind) = token(rest, before);
            let (taken, after) = rest.split_at(length);
            views.push(taken, kind);
            before = taken.chars().next_back().unwrap_or(before);
            rest = after;
        }
        views
    }

    fn push(&mut self, taken: &str, kind: Kind) {
        for character in taken.chars() {
            let blank = if character == '\n' { '\n' } else { ' ' };
            self.code.push(if kind == Kind::Code { character } else { blank });
            self.comments.push(if kind == Kind::Comment { character } else { blank });
        }
    }
}

/// Length in bytes and kind of what `rest` begins with; `before` is the character in front of it.
fn token(rest: &str, before: char) -> (usize, Kind) {
    let in_word = before.is_alphanumeric() || before == '_';
    if rest.starts_with("//") {
        (rest.find('\n').unwrap_or(rest.len()), Kind::Comment)
    } else if rest.starts_with("/*") {
        (block_comment(rest), Kind::Comment)
    } else if let Some(length) = raw_string(rest).filter(|_| !in_word) {
        (length, Kind::Literal)
    } else if rest.starts_with('"') {
        (quoted(rest, '"'), Kind::Literal)
    } else if is_char_literal(rest) {
        (quoted(rest, '\''), Kind::Literal)
    } else {
        (rest.chars().next().map_or(1, char::len_utf8), Kind::Code)
    }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
        if tail.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if tail.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += tail.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn raw_string(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix(['b', 'c']).unwrap_or(rest).strip_prefix('r')?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let opened = body.get(hashes..)?.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let inner = opened.find(&end).map_or(opened.len(), |at| at + end.len());
    Some(rest.len() - opened.len() + inner)
}

/// `'a'` and `'\n'` are literals, `'a` is a lifetime.
fn is_char_literal(rest: &str) -> bool {
    let mut characters = rest.chars();
    if characters.next() != Some('\'') {
        return false;
    }
    match characters.next() {
        Some('\\') => true,
        Some(_) => characters.next() == Some('\''),
        None => false,
    }
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + character.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// Whether a line holds the words and not merely longer ones that begin or end with them.
pub(crate) fn holds_word(line: &str, words: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let free = |inner: Option<char>, outer: Option<char>| {
        !(inner.is_some_and(is_word) && outer.is_some_and(is_word))
    };
    line.match_indices(words).any(|(at, _)| {
        let before = line.get(..at).and_then(|head| head.chars().next_back());
        let after = line.get(at + words.len()..).and_then(|tail| tail.chars().next());
        free(words.chars().next(), before) && free(words.chars().next_back(), after)
    })
}

/// Whether the whole file is test code, by its place.
pub(crate) fn is_test_path(path: &str) -> bool {
    path.contains("/tests/") || path.ends_with("/tests.rs") || path.contains("/benches/")
}

/// The line (from 1) at which an inline test module begins, or one past the last line.
pub(crate) fn first_test_line(code: &str) -> usize {
    let mut marked = false;
    for (number, line) in (1..).zip(code.lines()) {
        let line = line.trim();
        if line == "#[cfg(test)]" {
            marked = true;
        } else if marked && line.starts_with("mod ") && line.ends_with('{') {
            return number - 1;
        } else if !line.is_empty() && !line.starts_with("#[") {
            marked = false;
        }
    }
    code.lines().count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_comments_are_no_code() {
        let views =
            Views::of("let a = \"todo!()\"; // FIXME: \"x\"\nlet b = 'x'; let c: &'a str;\n");
        assert_eq!(
            views.code,
            format!(
                "let a = {};{}\nlet b = {}; let c: &'a str;\n",
                " ".repeat(9),
                " ".repeat(14),
                " ".repeat(3)
            )
        );
        assert_eq!(views.comments.trim(), "// FIXME: \"x\"");
    }

    #[test]
    fn raw_strings_and_nested_comments_end_where_they_end() {
        let views = Views::of("r#\"a\"b\"# + br\"\\\" /* a /* b */ c */ d '\\'' e \"\\\"\" f");
        assert_eq!(views.code.split_whitespace().collect::<Vec<_>>(), ["+", "d", "e", "f"]);
    }

    #[test]
    fn what_never_ends_reaches_to_the_end() {
        for text in ["\"abc", "/* abc", "r##\"abc\"#", "'\\", "'"] {
            assert_eq!(Views::of(text).code.len(), text.len());
        }
    }

    #[test]
    fn words_stand_alone() {
        assert!(holds_word("a.await?", ".await") && holds_word("  todo!()", "todo!("));
        assert!(!holds_word("self.awaits", ".await") && !holds_word("my_dbg!(a)", "dbg!("));
    }

    #[test]
    fn inline_tests_begin_at_their_attribute() {
        assert_eq!(first_test_line("fn a() {}\n\n#[cfg(test)]\nmod tests {\n}\n"), 3);
        assert_eq!(first_test_line("fn a() {}\n#[cfg(test)]\nmod tests;\n"), 4);
        assert_eq!(first_test_line("#[cfg(test)]\nuse a;\nmod b {\n}\n"), 5);
    }
}
