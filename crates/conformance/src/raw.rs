//! Bytes as a case writes them when no packet could: hexadecimal digits, `"text"` with its length
//! before it, `'text'` bare, `( … )` with its length before it as a variable byte integer, `[ … ]`
//! with its length before it in two bytes, and `1000*ff` for repetition.
//!
//! `10 ( "MQTT" 05 02 003c 00 "{p}c" )` is a CONNECT.

use crate::{
    ScriptError,
    encode::{counted, variable},
    field::{escape, hex_bytes},
};

/// Writes the bytes; text is passed through `expand` first.
pub(crate) fn raw_bytes(
    script: &str,
    expand: &dyn Fn(&str) -> Result<String, ScriptError>,
) -> Result<Vec<u8>, ScriptError> {
    let bad = || ScriptError::BadStep(script.to_owned());
    let mut open: Vec<Vec<u8>> = vec![Vec::new()];
    for token in tokens(script).ok_or_else(bad)? {
        let mut bytes = Vec::new();
        match token {
            Token::Digits(word) => digits(&word, &mut bytes)?,
            Token::Counted(text) => {
                counted(&crate::field::value_bytes(&expand(&text)?)?, &mut bytes)?;
            }
            Token::Bare(text) => bytes = expand(&text)?.into_bytes(),
            Token::Open => {
                open.push(Vec::new());
                continue;
            }
            Token::Close => {
                let inner = open.pop().ok_or_else(bad)?;
                variable(inner.len() as u64, &mut bytes);
                bytes.extend(inner);
            }
            Token::CloseCounted => counted(&open.pop().ok_or_else(bad)?, &mut bytes)?,
        }
        open.last_mut().ok_or_else(bad)?.extend(bytes);
    }
    match (open.pop(), open.is_empty()) {
        (Some(bytes), true) => Ok(bytes),
        _ => Err(bad()),
    }
}

enum Token {
    Digits(String),
    Counted(String),
    Bare(String),
    Open,
    Close,
    CloseCounted,
}

fn tokens(script: &str) -> Option<Vec<Token>> {
    let mut found = Vec::new();
    let mut chars = script.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '(' | '[' => found.push(Token::Open),
            ')' => found.push(Token::Close),
            ']' => found.push(Token::CloseCounted),
            '"' | '\'' => {
                let mut text = String::new();
                loop {
                    match chars.next()? {
                        end if end == c => break,
                        '\\' => {
                            let rest: String = chars.clone().collect();
                            let mut tail = rest.chars();
                            text.push(escape(&mut tail)?);
                            let used = rest.chars().count() - tail.count();
                            chars.by_ref().take(used).for_each(drop);
                        }
                        other => text.push(other),
                    }
                }
                found.push(if c == '"' { Token::Counted(text) } else { Token::Bare(text) });
            }
            c if c.is_whitespace() => {}
            c => {
                let mut word = String::from(c);
                while let Some(next) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '*') {
                    word.push(next);
                }
                found.push(Token::Digits(word));
            }
        }
    }
    Some(found)
}

fn digits(word: &str, bytes: &mut Vec<u8>) -> Result<(), ScriptError> {
    let (count, digits) = match word.split_once('*') {
        Some((count, digits)) => (crate::field::parse_number(count)? as usize, digits),
        None => (1, word),
    };
    bytes.extend(hex_bytes(digits)?.repeat(count));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_become_bytes() {
        let expand = |text: &str| Ok(text.replace("{p}", "P"));
        let table: [(&str, &[u8]); 5] = [
            ("[ 'ab' ff ]", &[0, 3, b'a', b'b', 0xff]),
            ("10 0203", &[0x10, 2, 3]),
            ("30 ( \"{p}/t\" 'hi' )", b"\x30\x07\x00\x03P/thi"),
            ("3*ff ( ( 00 ) )", &[0xff, 0xff, 0xff, 2, 1, 0]),
            ("\"a\\u{0}\"", b"\x00\x02a\x00"),
        ];
        for (script, expected) in table {
            assert_eq!(raw_bytes(script, &expand).unwrap(), expected, "{script}");
        }
        for script in ["( 00", "00 )", "0", "\"open"] {
            assert!(raw_bytes(script, &expand).is_err(), "{script}");
        }
    }
}
