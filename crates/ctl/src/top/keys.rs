//! Keys, as terminals send them.

/// A key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// A letter or another sign.
    Sign(char),
    Enter,
    Backspace,
    Escape,
    /// Ctrl-C, or the end of the input.
    Interrupt,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
}

/// The keys in what was read at once.
pub(super) fn keys(mut bytes: &[u8]) -> Vec<Key> {
    let mut keys = Vec::new();
    while let Some((key, rest)) = next(bytes) {
        keys.extend(key);
        bytes = rest;
    }
    keys
}

/// The next key, if it is one that we know, and what is behind it.
fn next(bytes: &[u8]) -> Option<(Option<Key>, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    match first {
        0x1B => Some(sequence(rest)),
        b'\r' | b'\n' => Some((Some(Key::Enter), rest)),
        0x7F | 0x08 => Some((Some(Key::Backspace), rest)),
        0x03 | 0x04 => Some((Some(Key::Interrupt), rest)),
        0..0x20 => Some((None, rest)),
        _ => {
            let valid = bytes.utf8_chunks().next()?.valid();
            let Some(sign) = valid.chars().next() else { return Some((None, rest)) };
            Some((Some(Key::Sign(sign)), bytes.get(sign.len_utf8()..)?))
        }
    }
}

/// What follows ESC: a sequence (ECMA-48, section 5.4), or nothing where the key was Escape.
fn sequence(bytes: &[u8]) -> (Option<Key>, &[u8]) {
    let Some((b'[' | b'O', parameters)) = bytes.split_first() else {
        return (Some(Key::Escape), bytes);
    };
    let end = parameters.iter().position(|byte| (0x40..0x7F).contains(byte));
    let Some((sequence, rest)) = end.and_then(|end| parameters.split_at_checked(end + 1)) else {
        return (None, &[]);
    };
    let key = match sequence {
        b"A" => Some(Key::Up),
        b"B" => Some(Key::Down),
        b"H" | b"1~" | b"7~" => Some(Key::Home),
        b"F" | b"4~" | b"8~" => Some(Key::End),
        b"5~" => Some(Key::PageUp),
        b"6~" => Some(Key::PageDown),
        _ => None,
    };
    (key, rest)
}

#[cfg(test)]
mod tests {
    use super::{Key, keys};

    #[test]
    fn keys_are_known_by_what_terminals_send() {
        assert_eq!(keys(b"\x1b[A\x1bOB"), [Key::Up, Key::Down]);
        assert_eq!(
            keys(b"\x1b[5~\x1b[6~\x1b[H\x1b[4~"),
            [Key::PageUp, Key::PageDown, Key::Home, Key::End]
        );
        assert_eq!(keys(b"\x1b"), [Key::Escape]);
        assert_eq!(
            keys("aé\r\x7f\x03".as_bytes()),
            [Key::Sign('a'), Key::Sign('é'), Key::Enter, Key::Backspace, Key::Interrupt]
        );
    }

    #[test]
    fn what_is_no_key_is_passed_over() {
        assert_eq!(keys(b"\x1b[1;5Cq\x01\xFFz"), [Key::Sign('q'), Key::Sign('z')]);
        assert_eq!(keys(b"\x1b[12"), []);
        assert_eq!(keys(b""), []);
    }
}
