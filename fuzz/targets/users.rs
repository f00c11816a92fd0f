//! Files of users: no text makes the reader panic, a mistake has a line of the file, and no line is
//! passed over in silence.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plexus_access::Users;
use plexus_stdx::Seed;

fuzz_target!(|text: &[u8]| {
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    match Users::parse(text, Seed::new(1)) {
        Ok(users) => {
            let meant = lines.iter().filter(|line| {
                let line = line.trim_ascii();
                !line.is_empty() && !line.starts_with(b"#")
            });
            assert_eq!(users.len(), meant.count());
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert!(error.line.is_none_or(|line| (1..=lines.len()).contains(&line)));
        }
    }
});
