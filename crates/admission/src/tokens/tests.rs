use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc::{Receiver, sync_channel},
    },
    time::Duration,
};

use bytes::Bytes;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use plexus_access::{Credentials, Rights, Template};
use plexus_runtime::{Runtime, unix_now};
use plexus_stdx::Seed;
use plexus_types::{ClientId, Instant, ReasonCode, Text};
use rcgen::{KeyPair, PublicKeyData};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{Fetch, KeyError, Keys, TokenOptions, TokenSource, Tokens};
use crate::{Answer, Authenticator, Step, StepOptions, step::Subject};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

fn options() -> TokenOptions {
    TokenOptions {
        source: TokenSource::Password,
        algorithms: Vec::new(),
        required: Vec::new(),
        leeway: Duration::from_secs(10),
        endless: false,
        user_name_claim: None,
        tenant_claim: None,
        rules_claim: "acl".into(),
        attributes_claim: "client_attrs".into(),
    }
}

fn shared() -> Tokens {
    Tokens::new(Keys::secret(SECRET).unwrap(), options())
}

fn shows(password: &str) -> Credentials {
    Credentials {
        client_id: ClientId::try_from("r7").unwrap(),
        user_name: Some(Text::from_static("ann")),
        password: Some(Bytes::copy_from_slice(password.as_bytes())),
        peer: None,
        listener: Arc::from("tcp"),
        tenant: None,
        certificate: None,
        enhanced: None,
        wanted: None,
        gate: plexus_access::Gate::default(),
    }
}

/// Seconds since 1970, from now.
fn from_now(seconds: i64) -> i64 {
    i64::try_from(unix_now().saturating_since(Instant::ZERO).as_secs()).unwrap() + seconds
}

fn signed(claims: &Value) -> String {
    encode(&Header::default(), claims, &EncodingKey::from_secret(SECRET)).unwrap()
}

/// `None` where nothing is said.
fn asks(tokens: &Tokens, mut credentials: Credentials) -> Option<Result<Rights, ReasonCode>> {
    if !tokens.concerns(&credentials) {
        return None;
    }
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().build().unwrap();
    runtime.block_on(tokens.prepare(&credentials));
    match runtime.block_on(tokens.ask(&mut credentials)).unwrap() {
        Answer::Allow(rights, None) => Some(Ok(*rights)),
        Answer::Deny(reason) => Some(Err(reason)),
        Answer::Ignore => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_that_is_signed_and_valid_lets_in() {
    let exp = from_now(60);
    let token = signed(&json!({ "exp": exp, "client_attrs": { "site": "north" },
        "acl": { "pub": ["out/#"] } }));
    let rights = asks(&shared(), shows(&token)).unwrap().unwrap();
    let leeway = Duration::from_secs(10);
    let until = Instant::from_secs(u64::try_from(exp).unwrap()) + leeway;
    assert_eq!(rights.expires, Some(until), "the connection ends with the token");
    assert_eq!(rights.attributes.get("site"), Some("north"));
    assert!(rights.rules.is_some() && rights.user_name.is_none() && !rights.is_superuser);
}

#[test]
fn what_is_no_token_of_these_keys_says_nothing() {
    let good = signed(&json!({ "exp": from_now(60) }));
    let (head, rest) = good.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let other = encode(&Header::default(), &json!({}), &EncodingKey::from_secret(b"other"));
    let more = signed(&json!({ "exp": from_now(9_999) }));
    let claims = more.split('.').nth(1).unwrap();
    let none = "eyJhbGciOiJub25lIn0.eyJleHAiOjk5OTk5OTk5OTl9.";
    let long = format!("{head}.{}.{signature}", "A".repeat(17_000));
    for token in [
        "secret".to_owned(),
        String::new(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        other.unwrap(),
        format!("{head}.{claims}.{signature}"),
        format!("{head}.{rest}x"),
        format!("{head}.{claims}."),
        none.to_owned(),
        long,
    ] {
        assert_eq!(asks(&shared(), shows(&token)), None, "{token}");
    }
    assert_eq!(asks(&shared(), Credentials { password: None, ..shows("") }), None);
}

#[test]
fn a_signed_token_that_does_not_hold_refuses() {
    let required = |name: &str, wanted: &str| (name.to_owned(), Template::parse(wanted).unwrap());
    let required = vec![required("sub", "${username}"), required("aud", "plexus")];
    let strict = Tokens::new(Keys::secret(SECRET).unwrap(), TokenOptions { required, ..options() });
    let exp = from_now(60);
    let (sub, aud) = ("ann", "plexus");
    for claims in [
        json!({ "exp": from_now(-11), "sub": sub, "aud": aud }),
        json!({ "exp": exp, "nbf": from_now(60), "sub": sub, "aud": aud }),
        json!({ "sub": sub, "aud": aud }),
        json!({ "exp": "soon", "sub": sub, "aud": aud }),
        json!({ "exp": -1, "sub": sub, "aud": aud }),
        json!({ "exp": exp, "sub": "bob", "aud": aud }),
        json!({ "exp": exp, "aud": aud }),
        json!({ "exp": exp, "sub": sub, "aud": ["x", "y"] }),
        json!({ "exp": exp, "sub": sub, "aud": [["plexus"]] }),
        json!({ "exp": exp, "sub": sub, "aud": { "plexus": 1 } }),
        json!({ "exp": exp, "sub": sub, "aud": aud, "acl": "everything" }),
    ] {
        let got = asks(&strict, shows(&signed(&claims)));
        assert_eq!(got, Some(Err(ReasonCode::NotAuthorized)), "{claims}");
    }
    for claims in [
        json!({ "exp": from_now(-9), "nbf": from_now(9), "sub": sub, "aud": aud }),
        json!({ "exp": exp, "sub": sub, "aud": ["x", aud] }),
        json!({ "exp": 1e12, "sub": sub, "aud": aud }),
    ] {
        assert!(asks(&strict, shows(&signed(&claims))).unwrap().is_ok(), "{claims}");
    }
    let nameless = Credentials { user_name: None, ..shows(&signed(&json!({ "exp": exp }))) };
    assert_eq!(asks(&strict, nameless), Some(Err(ReasonCode::NotAuthorized)));
}

#[test]
fn a_token_without_end_is_believed_only_when_that_is_said() {
    let token = signed(&json!({}));
    assert_eq!(asks(&shared(), shows(&token)), Some(Err(ReasonCode::NotAuthorized)));
    let endless = TokenOptions { endless: true, ..options() };
    let endless = Tokens::new(Keys::secret(SECRET).unwrap(), endless);
    assert_eq!(asks(&endless, shows(&token)), Some(Ok(Rights::default())));
}

#[test]
fn a_claim_may_be_the_user_name() {
    let named = TokenOptions { user_name_claim: Some("sub".into()), ..options() };
    let named = Tokens::new(Keys::secret(SECRET).unwrap(), named);
    let asked = |sub: Value| {
        asks(&named, shows(&signed(&json!({ "exp": from_now(60), "sub": sub })))).unwrap()
    };
    assert_eq!(asked(json!("bob")).unwrap().user_name.as_deref(), Some("bob"));
    for wrong in [json!(""), json!(7), json!("a\0b"), json!(null)] {
        assert_eq!(asked(wrong), Err(ReasonCode::NotAuthorized));
    }
}

#[test]
fn a_claim_may_say_whose_client_it_is_and_then_has_to() {
    let claimed = TokenOptions { tenant_claim: Some("t".into()), ..options() };
    let claimed = Tokens::new(Keys::secret(SECRET).unwrap(), claimed);
    let asked = |tenant: Value| {
        asks(&claimed, shows(&signed(&json!({ "exp": from_now(60), "t": tenant })))).unwrap()
    };
    assert_eq!(asked(json!("acme")).unwrap().tenant.unwrap().as_str(), "acme");
    for wrong in [json!(""), json!(7), json!("a/b"), json!(["acme"]), json!(null)] {
        assert_eq!(asked(wrong), Err(ReasonCode::NotAuthorized));
    }
}

#[test]
fn a_token_may_be_shown_as_user_name() {
    let source = TokenSource::UserName;
    let tokens = Tokens::new(Keys::secret(SECRET).unwrap(), TokenOptions { source, ..options() });
    let token = signed(&json!({ "exp": from_now(60) }));
    let shown = Credentials { user_name: Text::try_from(&*token).ok(), ..shows("x") };
    assert!(asks(&tokens, shown).unwrap().is_ok());
    assert_eq!(asks(&tokens, shows(&token)), None);
}

/// Each kind of key, and algorithms for which it is not.
#[test]
fn every_kind_of_public_key_verifies_its_own_algorithms() {
    let exp = json!({ "exp": from_now(60) });
    let pair = |kind| KeyPair::generate_for(kind).unwrap();
    let rsa = pair(&rcgen::PKCS_RSA_SHA256);
    let (p256, p384) = (pair(&rcgen::PKCS_ECDSA_P256_SHA256), pair(&rcgen::PKCS_ECDSA_P384_SHA384));
    let ed = pair(&rcgen::PKCS_ED25519);
    let of_rsa = EncodingKey::from_rsa_pem(rsa.serialize_pem().as_bytes()).unwrap();
    let of_ec = |key: &KeyPair| EncodingKey::from_ec_pem(key.serialize_pem().as_bytes()).unwrap();
    let of_ed = EncodingKey::from_ed_pem(ed.serialize_pem().as_bytes()).unwrap();
    let cases = [
        (Algorithm::RS256, &rsa, of_rsa.clone()),
        (Algorithm::RS512, &rsa, of_rsa.clone()),
        (Algorithm::PS256, &rsa, of_rsa),
        (Algorithm::ES256, &p256, of_ec(&p256)),
        (Algorithm::ES384, &p384, of_ec(&p384)),
        (Algorithm::EdDSA, &ed, of_ed),
    ];
    for (algorithm, own, key) in &cases {
        let token = encode(&Header::new(*algorithm), &exp, key).unwrap();
        for pair in [&rsa, &p256, &p384, &ed] {
            let keys = Keys::pem(pair.public_key_pem().as_bytes()).unwrap();
            let got = asks(&Tokens::new(keys, options()), shows(&token));
            let is_own = pair.der_bytes() == own.der_bytes();
            assert_eq!(got.is_some_and(|it| it.is_ok()), is_own, "{algorithm:?}");
        }
        let keys = Keys::pem(own.public_key_pem().as_bytes()).unwrap();
        let algorithms = vec![Algorithm::RS384];
        let restricted = Tokens::new(keys, TokenOptions { algorithms, ..options() });
        assert_eq!(asks(&restricted, shows(&token)), None, "{algorithm:?} is not accepted");
    }
}

/// The oldest trick: the public key, which everybody has, as the secret of an HMAC.
#[test]
fn a_public_key_is_no_secret() {
    let pair = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let pem = pair.public_key_pem();
    let tokens = Tokens::new(Keys::pem(pem.as_bytes()).unwrap(), options());
    let claims = json!({ "exp": from_now(60) });
    for secret in [pem.as_bytes(), pair.der_bytes()] {
        let token = encode(&Header::default(), &claims, &EncodingKey::from_secret(secret));
        assert_eq!(asks(&tokens, shows(&token.unwrap())), None);
    }
}

#[test]
fn what_is_critical_and_not_understood_is_not_believed() {
    let header = Header { crit: Some(vec!["b64".into()]), ..Header::default() };
    let claims = json!({ "exp": from_now(60) });
    let token = encode(&header, &claims, &EncodingKey::from_secret(SECRET)).unwrap();
    assert_eq!(asks(&shared(), shows(&token)), None);
}

/// A set of Ed25519 keys by their names.
fn set_of(pairs: &[(&str, &KeyPair)]) -> Bytes {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let keys = pairs.iter().map(|(id, pair)| {
        let x = URL_SAFE_NO_PAD.encode(pair.der_bytes());
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": x })
    });
    json!({ "keys": keys.collect::<Vec<_>>() }).to_string().into()
}

fn signed_by(pair: &KeyPair, id: &str) -> String {
    let header = Header { kid: Some(id.into()), ..Header::new(Algorithm::EdDSA) };
    let key = EncodingKey::from_ed_pem(pair.serialize_pem().as_bytes()).unwrap();
    encode(&header, &json!({ "exp": from_now(60) }), &key).unwrap()
}

#[test]
fn keys_that_are_published_may_change() {
    let (old, new) = (pair(), pair());
    let shown = Arc::new(Mutex::new(Ok(set_of(&[("old", &old)]))));
    let (fetched, published) = (Arc::new(AtomicUsize::new(0)), Arc::clone(&shown));
    let counter = Arc::clone(&fetched);
    let fetch: Fetch = Arc::new(move || {
        counter.fetch_add(1, SeqCst);
        let answer = published.lock().unwrap().clone();
        Box::pin(async move { answer })
    });
    let runtime = Runtime::start(1).unwrap();
    let keys = Keys::published(fetch, Duration::from_hours(1), None, &runtime.handle());
    let tokens = Tokens::new(keys, options());
    let asked = |pair, id| asks(&tokens, shows(&signed_by(pair, id)));
    assert!(
        asked(&old, "old").unwrap().is_ok(),
        "asked for when the first token comes, at the latest"
    );
    *shown.lock().unwrap() = Ok(set_of(&[("new", &new)]));
    assert!(asked(&old, "old").unwrap().is_ok(), "nobody asks while the key is known");
    let before = fetched.load(SeqCst);
    let first = asked(&new, "new");
    // Whether the first token has asked for the set decides whether it may be asked for so soon.
    assert!(fetched.load(SeqCst) <= before + 1);
    assert_eq!(first.is_some(), fetched.load(SeqCst) == before + 1);
    for _ in 0..20 {
        assert_eq!(asked(&old, "nobody's"), None);
    }
    assert!(fetched.load(SeqCst) <= before + 1, "strangers cannot make it ask again and again");
}

#[test]
fn keys_of_before_hold_while_the_set_cannot_be_read() {
    let pair = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let (asked, times) = sync_channel(100);
    let first = Mutex::new(Some(set_of(&[("a", &pair)])));
    let fetch: Fetch = Arc::new(move || {
        let answer = first.lock().unwrap().take().ok_or_else(|| "it is away".to_owned());
        // Nobody counts any more when the test is over.
        let _counted = asked.try_send(());
        Box::pin(async move { answer })
    });
    let runtime = Runtime::start(1).unwrap();
    let keys = Keys::published(fetch, Duration::from_millis(1), None, &runtime.handle());
    (0..4).for_each(|_| times.recv().unwrap());
    let tokens = Tokens::new(keys, options());
    assert!(asks(&tokens, shows(&signed_by(&pair, "a"))).unwrap().is_ok());
}

/// Whoever publishes keys: a set at first, and after that only what a test sends.
struct Publisher {
    later: Arc<watch::Sender<Option<Bytes>>>,
    /// Hears that it is asked again.
    asked: Receiver<()>,
}

impl Publisher {
    fn of(first: Bytes) -> (Self, Fetch) {
        let (asks, asked) = sync_channel(100);
        let (first, later) = (Mutex::new(Some(first)), Arc::new(watch::Sender::new(None)));
        let sent = Arc::clone(&later);
        let fetch: Fetch = Arc::new(move || {
            let first = first.lock().unwrap().take();
            if first.is_none() {
                // Nobody counts any more when the test is over.
                let _counted = asks.try_send(());
            }
            let mut sent = sent.subscribe();
            Box::pin(async move {
                match first {
                    Some(set) => Ok(set),
                    None => Ok(sent.wait_for(Option::is_some).await.unwrap().clone().unwrap()),
                }
            })
        });
        (Self { later, asked }, fetch)
    }
}

/// Asked for keys of a set that is published so, by fewer turns than there are strangers.
fn step_of(fetch: Fetch, runtime: &Runtime) -> Arc<Step> {
    let keys = Keys::published(fetch, Duration::from_hours(1), None, &runtime.handle());
    let options = StepOptions { at_once_max: 2, waiting_max: 100, ..StepOptions::BACK_END };
    let tokens = Arc::new(Tokens::new(keys, self::options()));
    Arc::new(Step::new("tokens", tokens, options, &[1; 32], Seed::new(1)))
}

/// What each of so many that show such a token is told.
fn all_show(count: usize, token: &str, step: &Arc<Step>, runtime: &Runtime) -> Receiver<bool> {
    let (tells, told) = sync_channel(count);
    for _ in 0..count {
        let (tells, step, mut shown) = (tells.clone(), Arc::clone(step), shows(token));
        runtime.handle().spawn(async move {
            let is_in =
                matches!(step.ask(Subject::Client, &mut shown).await, Ok(Answer::Allow(..)));
            let _heard = tells.send(is_in);
        });
    }
    told
}

fn pair() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap()
}

#[test]
fn a_set_that_never_comes_holds_up_nobody_whose_key_is_known() {
    let (known, runtime) = (pair(), Runtime::start(2).unwrap());
    let (publisher, fetch) = Publisher::of(set_of(&[("known", &known)]));
    let step = step_of(fetch, &runtime);
    let first = all_show(1, &signed_by(&known, "known"), &step, &runtime);
    assert!(first.recv().unwrap());
    let _strangers = all_show(50, &signed_by(&known, "unknown"), &step, &runtime);
    publisher.asked.recv().unwrap();
    let others = all_show(20, &signed_by(&known, "known"), &step, &runtime);
    assert!((0..20).all(|_| others.recv().unwrap()));
    assert!(publisher.asked.try_recv().is_err(), "one question at a time");
}

#[test]
fn all_who_show_a_new_key_wait_for_one_set() {
    let (old, new, runtime) = (pair(), pair(), Runtime::start(2).unwrap());
    let (publisher, fetch) = Publisher::of(set_of(&[("old", &old)]));
    let step = step_of(fetch, &runtime);
    assert!(all_show(1, &signed_by(&old, "old"), &step, &runtime).recv().unwrap());
    let all = all_show(50, &signed_by(&new, "new"), &step, &runtime);
    publisher.asked.recv().unwrap();
    publisher.later.send_replace(Some(set_of(&[("new", &new)])));
    assert!((0..50).all(|_| all.recv().unwrap()));
    assert!(publisher.asked.try_recv().is_err(), "it is asked once for all");
}

#[test]
fn what_is_no_key_says_why() {
    let pair = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    assert!(Keys::set(&set_of(&[("a", &pair)])).is_ok());
    let problem = |text: &str| Keys::set(text.as_bytes()).unwrap_err().to_string();
    assert!(problem("<html>").starts_with("is no JSON Web Key Set"));
    assert_eq!(problem("{\"keys\":[]}"), "has no key that can be used for signatures");
    let secret = "{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}";
    assert_eq!(Keys::set(secret.as_bytes()).unwrap_err(), KeyError::NoKey, "published: no secret");
    assert_eq!(Keys::pem(b"x").unwrap_err(), KeyError::Pem);
    assert_eq!(Keys::secret(b"").unwrap_err(), KeyError::Empty);
}
