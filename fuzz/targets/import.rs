//! Users as other brokers hand them out: no text makes a reader panic, a mistake has a line of the file, and
//! what is understood is a user file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plexus_access::{PasswordScheme, SaltPlace, Users, edit, import};
use plexus_stdx::Seed;

fuzz_target!(|data: &[u8]| {
    let Some((form, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let scheme = match form >> 4 {
        0 => PasswordScheme::Phc,
        1 => PasswordScheme::Bcrypt,
        2 => PasswordScheme::Sha512(SaltPlace::After),
        3 => PasswordScheme::Plain,
        _ => PasswordScheme::Sha256(SaltPlace::Before),
    };
    let read = match form % 4 {
        0 => import::csv(text, scheme),
        1 => import::json(text, scheme),
        _ => import::mosquitto(text),
    };
    match read {
        Ok(found) => {
            let file = edit::set_all("", &found);
            let users = Users::parse(file.as_bytes(), Seed::new(1)).expect("it is a user file");
            assert_eq!(users.len(), found.len());
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert!(error.line <= text.split('\n').count());
        }
    }
});
