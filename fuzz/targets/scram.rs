//! Messages of SCRAM: none makes the server panic, and none that a fuzzer finds is a proof.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plexus_access::{ClientFirst, PasswordDigest, StoredPassword};

const KEYS: &str = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$\
     WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

fuzz_target!(|data: &[u8]| {
    let (first, last) = match data.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &[][..]),
    };
    let Ok(first) = ClientFirst::parse(first) else { return };
    assert!(!first.name().is_empty() && first.name().is_ascii());
    let stored = StoredPassword::parse(KEYS).expect("well-formed");
    let keys = stored.scram_keys().expect("keys of SCRAM").clone();
    assert_eq!(keys.digest(), PasswordDigest::Sha256);
    let (message, challenge) = first.challenge(keys, true, "nonce");
    assert!(message.contains("nonce,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"));
    // The seed is the example of RFC 7677 with another nonce, so that no proof fits.
    assert!(challenge.answer(last).is_err());
});
