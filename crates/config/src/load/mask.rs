//! Which parts of a configuration file no message may show: what stands under `access.users`.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::suggest::nearest;

const TABLE: &str = "access";
const SECRETS: &str = "users";
/// The keys beside them.
const OPEN: &[&str] = &["allow_anonymous", "users_file", "ban", "lockout", "flapping"];
/// Behind it stands a path, which may be shown.
const REFERENCE: &str = "file:";

/// Whether what stands at that path is a secret, or may hold one.
pub(crate) fn is_secret(path: &[String]) -> bool {
    let mut parts = path.iter().map(String::as_str);
    parts.next() == Some(TABLE) && parts.next().is_none_or(|part| part == SECRETS)
}

/// The bytes of the text that are secrets. Where the text is no TOML, every line that may hold one
/// counts.
pub(super) fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (document, mistakes) = DeTable::parse_recoverable(text);
    for (name, value) in document.get_ref() {
        match (meant(name.get_ref()), value.get_ref()) {
            (false, _) => {}
            // What is misspelled here may be the users.
            (true, DeValue::Table(table)) if name.get_ref() == TABLE => {
                let secret =
                    table.iter().filter(|(key, _)| !OPEN.contains(&key.get_ref().as_ref()));
                secret.for_each(|(_, value)| values(value, &mut found));
            }
            (true, _) => values(value, &mut found),
        }
    }
    if !mistakes.is_empty() {
        found.extend(lines(text));
    }
    found
}

/// Whether somebody may have meant the users by a key of the file itself.
fn meant(name: &str) -> bool {
    nearest(name, [TABLE, SECRETS]).is_some()
}

fn values(users: &Spanned<DeValue<'_>>, found: &mut Vec<Range<usize>>) {
    match users.get_ref() {
        DeValue::Table(table) => table.iter().for_each(|(_, value)| values(value, found)),
        DeValue::String(text) if text.starts_with(REFERENCE) => {}
        _ => found.push(users.span()),
    }
}

/// What a person would take for the entries of the table, line by line.
fn lines(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut header = String::new();
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        let end = begin + line.len();
        if line.trim_start().starts_with('[') {
            header = named(line.split(']').next().unwrap_or_default());
        } else if let Some(at) = secret_from(&header, line) {
            found.push(begin + at..end);
        }
        begin = end;
    }
    found
}

/// From which byte on a line is secret, if it may be.
fn secret_from(header: &str, line: &str) -> Option<usize> {
    let (key, value) = line.split_once('=').unwrap_or((line, ""));
    let path = if header.is_empty() { named(key) } else { format!("{header}.{}", named(key)) };
    let mut parts = path.split('.');
    if !parts.next().is_some_and(meant) || parts.next().is_some_and(|key| OPEN.contains(&key)) {
        return None;
    }
    let value = value.trim();
    let reference = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    if reference.is_some_and(|path| path.starts_with(REFERENCE) && !path.contains('"')) {
        return None;
    }
    // What looks like no key may hold the secret as well.
    let plain = line.contains('=') && !key.trim().contains(char::is_whitespace);
    Some(if plain && !key.contains(':') { key.len() + 1 } else { 0 })
}

/// The path without its brackets, quotes and blanks.
fn named(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '[' | '"' | '\'')).collect()
}

#[cfg(test)]
mod tests {
    use super::secrets;

    /// The text with every secret byte as a star.
    fn hidden(text: &str) -> String {
        let secrets = secrets(text);
        let shown = |(at, c)| if secrets.iter().any(|one| one.contains(&at)) { '*' } else { c };
        text.char_indices().map(shown).collect()
    }

    #[test]
    fn what_stands_under_the_users_is_secret_wherever_it_stands() {
        for text in [
            "[access.users]\nbob = \"hunter2\"\n",
            "[access]\nusers = \"bob:hunter2\"\n",
            "[access]\nusers.bob = 'hunter2'\n",
            "[access]\nusers = { bob = \"hunter2\" }\n",
            "access.users.bob = \"\"\"\nhunter2\"\"\"\n",
            "access = \"bob:hunter2\"\n",
            "[ access . \"users\" ]\nbob = \"hunter2\" oops\n",
            "[access.users]\nbob = hunter2\n",
            "[access.users]\nbob: hunter2\n",
            "[access.users]\nbob hunter2 = 1\n",
            "[access.users]\nbob = \"file:x\" eve = \"hunter2\"\n",
            "[access.users]\nbob = \"hunter2\n[log]\n",
            "access = { users = { bob = \"hunter2\" }\n",
            "[access]\nuser = { bob = \"hunter2\" }\n",
            "[access.user]\nbob = \"hunter2\"\n",
            "[acess.users]\nbob = \"hunter2\"\n",
            "[users]\nbob = \"hunter2\"\n",
            "user = { bob = \"hunter2\" }\n",
            "[access.user]\nbob = \"hunter2\" oops\n",
        ] {
            assert!(!hidden(text).contains("hunter2"), "{}", hidden(text));
        }
    }

    #[test]
    fn nothing_else_is_hidden() {
        for text in [
            "[access]\nusers_file = \"users\"\nallow_anonymous = true\n[log]\nlevel = \"info\"\n",
            "[access]\nusers_file = \"users\nallow_anonymous = true\n",
            "[access.users]\nbob = \"file:secret\"\n[log]\nlevel = oops\n",
            "[shared.groups]\nusers = \"sticky\"\n",
        ] {
            assert_eq!(hidden(text), text);
        }
    }
}
