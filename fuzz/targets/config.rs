//! Configuration files: no text makes the reader panic, every mistake is told with its place, and
//! what has been read reads the same a second time.

#![no_main]

use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use plexus_config::{File, Sources, load};

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let sources = || {
        let file = File { path: PathBuf::from("plexus.toml"), text: text.to_owned() };
        Sources { file: Some(file), ..Sources::default() }
    };
    match load(sources()) {
        Ok(config) => assert_eq!(load(sources()).as_ref(), Ok(&config)),
        Err(error) => assert!(error.to_string().contains("plexus.toml")),
    }
});
