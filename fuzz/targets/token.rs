//! Tokens and what stands in them: nothing that a fuzzer writes is let in without the signature, and no claims that are
//! signed make the reader panic or let somebody in whose time is over.
//!
//! ```text
//! byte 0   bit 0 the rest is claims in JSON and is signed here; else it is what a client shows
//!          bit 1 it is shown as the user name
//! ```

#![no_main]

use std::{
    sync::{Arc, OnceLock},
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use jsonwebtoken::{EncodingKey, Header, encode};
use libfuzzer_sys::fuzz_target;
use plexus_access::{Credentials, Gate};
use plexus_admission::{Answer, Authenticator, Keys, TokenOptions, TokenSource, Tokens};
use plexus_types::{ClientId, Text};
use serde_json::Value;

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

fuzz_target!(|input: &[u8]| {
    let Some((mode, rest)) = input.split_first() else { return };
    let signs = mode & 1 != 0;
    let token = if signs {
        let Ok(claims) = serde_json::from_slice::<Value>(rest) else { return };
        encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET)).expect("it is JSON")
    } else {
        let Ok(token) = std::str::from_utf8(rest) else { return };
        token.to_owned()
    };
    let by_name = mode & 2 != 0;
    let mut credentials = Credentials {
        client_id: ClientId::try_from("one").expect("valid"),
        user_name: Text::try_from(token.as_str()).ok().filter(|_| by_name),
        password: (!by_name).then(|| Bytes::from(token)),
        peer: None,
        listener: Arc::from("tcp"),
        tenant: None,
        certificate: None,
        enhanced: None,
        wanted: None,
        gate: Gate::default(),
    };
    let tokens = tokens(by_name);
    if !tokens.concerns(&credentials) {
        return;
    }
    // Keys that are there need not be waited for.
    let mut asking = tokens.ask(&mut credentials);
    let Poll::Ready(answer) = asking.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it waits for something");
    };
    let Answer::Allow(rights, _) = answer.expect("there is always an answer") else { return };
    assert!(signs, "nobody has signed it");
    assert!(!rights.is_superuser);
    assert!(rights.expires.is_none_or(|at| at > plexus_runtime::unix_now()));
});

fn tokens(by_name: bool) -> &'static Tokens {
    static BOTH: OnceLock<[Tokens; 2]> = OnceLock::new();
    let made = |source| {
        let options = TokenOptions {
            source,
            algorithms: Vec::new(),
            required: Vec::new(),
            leeway: Duration::from_secs(10),
            endless: true,
            user_name_claim: Some("sub".into()),
            tenant_claim: Some("tenant".into()),
            rules_claim: "acl".into(),
            attributes_claim: "client_attrs".into(),
        };
        Tokens::new(Keys::secret(SECRET).expect("a secret"), options)
    };
    let both = BOTH.get_or_init(|| [made(TokenSource::Password), made(TokenSource::UserName)]);
    &both[usize::from(by_name)]
}
