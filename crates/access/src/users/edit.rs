//! Changes to the text of a user file that leave comments and order alone.

use std::collections::BTreeMap;

use crate::PasswordDigest;

use super::{NOBODY, NameError, User, UsersError, UsersProblem, check_name, is_comment};

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
    let read = hash.parse::<User>();
    read.map(drop).map_err(|error| UsersProblem::Hash(found.to_owned(), error))
}

/// The text with the user's line replaced, or added at its end.
pub fn set(text: &str, name: &str, user: &User) -> Result<String, NameError> {
    check_name(name)?;
    let entry = format!("{name}:{user}");
    let mut found = false;
    let mut lines = Vec::new();
    for line in kept(text) {
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

/// The text with the lines of these users replaced, or added at its end in the order of their names.
/// Their names have been checked by whoever read them.
pub fn set_all(text: &str, users: &BTreeMap<String, User>) -> String {
    let mut missing: BTreeMap<&str, &User> =
        users.iter().map(|(name, user)| (name.as_str(), user)).collect();
    let mut lines = Vec::new();
    for line in kept(text) {
        match name_of(line).filter(|name| users.contains_key(*name)) {
            None => lines.push(line.to_owned()),
            Some(name) => {
                // A second line of the same name would stop the next start: the first one stands.
                lines.extend(missing.remove(name).map(|user| format!("{name}:{user}")));
            }
        }
    }
    lines.extend(missing.into_iter().map(|(name, user)| format!("{name}:{user}")));
    joined(&lines)
}

/// Whether the user of that name is one for whom no rule holds.
pub fn is_superuser(text: &str, name: &str) -> bool {
    let mut lines = text.lines().filter(|line| is_line_of(line, name));
    lines.any(|line| line.trim_end().ends_with(" superuser"))
}

/// The hash function of the user's keys of SCRAM, if it has such keys.
pub fn scram_of(text: &str, name: &str) -> Option<PasswordDigest> {
    let line = text.lines().find(|line| is_line_of(line, name))?;
    let user = line.split_once(':')?.1.parse::<User>().ok()?;
    Some(user.password.scram_keys()?.digest())
}

/// The lines, counted from 1, and the names of users whose stored password is weak.
pub fn weak(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter(|(_, line)| !is_comment(line)).filter_map(|(number, line)| {
        let (name, user) = line.split_once(':')?;
        user.parse::<User>().ok().filter(|user| user.password.is_weak()).map(|_| (number, name))
    })
}

/// The text without the user's line, or `None` when there is no such user. Without the last one it says so.
pub fn remove(text: &str, name: &str) -> Option<String> {
    let mut lines = text.lines().filter(|line| !is_line_of(line, name)).collect::<Vec<_>>();
    if lines.len() == text.lines().count() {
        return None;
    }
    if lines.iter().all(|line| is_comment(line)) {
        lines.push(NOBODY);
    }
    Some(joined(&lines))
}

/// The names in the text, in order.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(name_of)
}

fn is_line_of(line: &str, name: &str) -> bool {
    name_of(line) == Some(name)
}

fn name_of(line: &str) -> Option<&str> {
    if is_comment(line) {
        return None;
    }
    line.split_once(':').map(|(name, _)| name)
}

/// The lines that stay when a user is added.
fn kept(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| *line != NOBODY)
}

fn joined<T: AsRef<str>>(lines: &[T]) -> String {
    let mut text = lines.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}
