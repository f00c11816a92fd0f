//! Changes to the text of a user file that leave comments and order alone.

use super::{NameError, UsersError, UsersProblem, check_name, is_comment};
use crate::StoredPassword;

/// Whether it is the text of a user file: whoever adds a user to something else would spoil it. A
/// line of `name` itself may be broken, since it is to be replaced.
pub fn check(text: &str, name: &str) -> Result<(), UsersError> {
    let numbered = (1..).zip(text.lines());
    for (number, line) in numbered.filter(|(_, line)| !is_comment(line) && !is_line_of(line, name))
    {
        check_line(line).map_err(|problem| UsersError { line: Some(number), problem })?;
    }
    Ok(())
}

fn check_line(line: &str) -> Result<(), UsersProblem> {
    let (found, hash) = line.split_once(':').ok_or(UsersProblem::NoColon)?;
    check_name(found)?;
    StoredPassword::parse(hash.trim_end())
        .map_err(|error| UsersProblem::Hash(found.to_owned(), error))?;
    Ok(())
}

/// The text with the user's line replaced, or added at its end.
pub fn set(text: &str, name: &str, hash: &StoredPassword) -> Result<String, NameError> {
    check_name(name)?;
    let entry = format!("{name}:{hash}");
    let mut found = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if is_line_of(line, name) {
            // A second line of the same name would stop the next start: the first one stands.
            if !found {
                lines.push(entry.as_str());
            }
            found = true;
        } else {
            lines.push(line);
        }
    }
    if !found {
        lines.push(&entry);
    }
    Ok(joined(&lines))
}

/// The text without the user's line, or `None` when there is no such user.
pub fn remove(text: &str, name: &str) -> Option<String> {
    let lines = text.lines().filter(|line| !is_line_of(line, name)).collect::<Vec<_>>();
    (lines.len() < text.lines().count()).then(|| joined(&lines))
}

/// The names in the text, in order.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !is_comment(line)).filter_map(|line| Some(line.split_once(':')?.0))
}

fn is_line_of(line: &str, name: &str) -> bool {
    !is_comment(line) && line.split_once(':').is_some_and(|(found, _)| found == name)
}

fn joined(lines: &[&str]) -> String {
    let mut text = lines.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}
