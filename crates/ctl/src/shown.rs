//! What others have written, as a terminal may see it: clients name themselves and their topics, and a name can hold
//! what steers a terminal or turns the order of a line around.

use std::fmt::Write as _;

use serde_json::Value;

/// The text on one line: what cannot be seen, or does something, as it is written in a program.
pub(crate) fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_plain(c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_default());
        }
    }
    shown
}

/// JSON over several lines with nothing in it that does something. What it stands for stays the same.
pub(crate) fn json(value: &Value) -> String {
    harmless(&serde_json::to_string_pretty(value).unwrap_or_default())
}

/// The same on one line.
pub(crate) fn json_line(value: &Value) -> String {
    harmless(&value.to_string())
}

/// JSON with nothing in it that does something. What it stands for stays the same.
pub(crate) fn harmless(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || is_plain(c) {
            shown.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _: std::fmt::Result = write!(shown, "\\u{unit:04x}");
        }
    }
    shown
}

/// Whether a terminal shows it as a sign in its place and does nothing else.
fn is_plain(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{180E}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::plain;

    const HOSTILE: &str = "a\u{1b}[2J\u{202e}b\u{9b}c\u{7f}\u{feff}\u{e0041}é漢";

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(plain(HOSTILE), "a\\u{1b}[2J\\u{202e}b\\u{9b}c\\u{7f}\\u{feff}\\u{e0041}é漢");
    }

    #[test]
    fn json_says_the_same_without_it() {
        let value = json!({ "clientid": HOSTILE });
        let shown = super::json(&value);
        assert!(shown.chars().all(|c| c == '\n' || super::is_plain(c)), "{shown:?}");
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
    }
}
