//! Which parts of a configuration file no message may show: what stands under `access` and `telemetry`, but for
//! keys that are known to hold no secret.

use std::{collections::BTreeSet, ops::Range, sync::LazyLock};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{schema::keys, suggest::nearest};

const TABLES: [&str; 2] = ["access", "telemetry"];
/// What of them may stand elsewhere by mistake.
const SECRETS: [&str; 2] = ["users", "headers"];
/// Behind it stands a path, which may be shown.
const REFERENCE: &str = "file:";

/// The paths of all keys under these tables whose values may be shown.
static OPEN: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let under = |path: &str| path.split_once('.').is_some_and(|(first, _)| TABLES.contains(&first));
    let open = keys()
        .into_iter()
        .filter(|key| under(&key.path) && !key.is_table && !key.kind.contains("secret"));
    open.map(|key| key.path).collect()
});

/// Whether what stands at that path is a secret, or may hold one.
pub fn is_secret(path: &[String]) -> bool {
    let path: Vec<_> = path.iter().filter(|part| !is_number(part)).map(String::as_str).collect();
    match path.split_first() {
        Some((first, rest)) if TABLES.contains(first) => {
            rest.is_empty() || !(1..=rest.len()).any(|length| is_open(&path, length + 1))
        }
        _ => false,
    }
}

/// Whether the beginning of a path is a key that may be shown.
fn is_open(path: &[&str], length: usize) -> bool {
    path.get(..length).is_some_and(|path| OPEN.contains(&path.join(".")))
}

fn is_number(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_digit())
}

/// The bytes of the text that are secrets. Where the text is no TOML, every line that may hold one
/// counts.
pub(super) fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (document, mistakes) = DeTable::parse_recoverable(text);
    for (name, value) in document.get_ref() {
        if meant(name.get_ref()) {
            let name: &str = name.get_ref();
            values(&mut vec![name], value, &mut found);
        }
    }
    if !mistakes.is_empty() {
        found.extend(lines(text));
    }
    found
}

/// Whether somebody may have meant one of them by a key of the file itself.
fn meant(name: &str) -> bool {
    nearest(name, TABLES.into_iter().chain(SECRETS)).is_some()
}

/// What is misspelled here may be the users, so only what is known is left out.
fn values<'a>(
    path: &mut Vec<&'a str>,
    value: &'a Spanned<DeValue<'_>>,
    found: &mut Vec<Range<usize>>,
) {
    match value.get_ref() {
        _ if is_open(path, path.len()) => {}
        DeValue::Table(table) => {
            for (name, value) in table {
                path.push(name.get_ref());
                values(path, value, found);
                path.pop();
            }
        }
        DeValue::Array(list)
            if list.iter().all(|one| matches!(one.get_ref(), DeValue::Table(_))) =>
        {
            for one in list {
                values(path, one, found);
            }
        }
        DeValue::String(text) if text.starts_with(REFERENCE) => {}
        _ => found.push(value.span()),
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
    let parts: Vec<_> = path.split('.').collect();
    let open = (1..=parts.len()).any(|length| is_open(&parts, length));
    if !parts.first().is_some_and(|first| meant(first)) || open {
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
            "[[access.jwt]]\nsecret = \"hunter2\"\n",
            "[[access.jwt]]\nsecret = \"hunter2\" oops\n",
            "[[access.jwt]]\nsecrt = \"hunter2\"\n",
            "[access]\njwt = [{ name = \"a\", secret = \"hunter2\" }]\n",
            "[access]\njwt = \"hunter2\"\n",
            "[telemetry.headers]\nauthorization = \"hunter2\"\n",
            "[telemetry]\nheaders = { authorization = \"hunter2\" }\n",
            "[telemetri.headers]\nx = \"hunter2\" oops\n",
            "[headers]\nx = \"hunter2\"\n",
            "telemetry = \"hunter2\"\n",
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
            "[[access.rule]]\nusers = [\"bob\"]\ntopics = [\"a\"]\nallow = oops\n",
            "[[access.rule]]\nusers = [\"bob\"]\n[[access.jwt]]\nname = \"hunter2\"\nsecret = \"file:s\"\n",
            "[[access.jwt]]\nclaims = { sub = \"x\" }\n",
            "[telemetry]\nendpoint = \"x\" oops\n[telemetry.traces]\nratio = oops\n",
            "[telemetry.headers]\nx = \"file:secret\"\n",
        ] {
            assert_eq!(hidden(text), text);
        }
    }
}
