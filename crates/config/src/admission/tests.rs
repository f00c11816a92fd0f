use std::path::PathBuf;

use plexus_admission::{TokenOptions, TokenSource};

use crate::{File, Sources, load};

/// What a file without any other key says of tokens.
pub(crate) fn token_options() -> TokenOptions {
    TokenOptions {
        source: TokenSource::Password,
        algorithms: Vec::new(),
        required: Vec::new(),
        leeway: std::time::Duration::from_secs(10),
        endless: false,
        user_name_claim: None,
        tenant_claim: None,
        rules_claim: "acl".into(),
        attributes_claim: "client_attrs".into(),
    }
}

/// What is odd about such a file, and no mistake.
pub(crate) fn warnings(text: &str) -> Vec<String> {
    let file = Some(File { path: PathBuf::from("plexus.toml"), text: text.to_owned() });
    let config = load(Sources { file, ..Sources::default() }).unwrap();
    config.warnings.iter().map(|one| format!("{}: {}", one.origin, one.message)).collect()
}

/// What is said of such a file, without the excerpts.
pub(crate) fn problems(text: &str) -> Vec<String> {
    let file = Some(File { path: PathBuf::from("plexus.toml"), text: text.to_owned() });
    let error = load(Sources { file, ..Sources::default() }).map(drop).err();
    let diagnostics = error.map(|error| error.diagnostics).unwrap_or_default();
    diagnostics
        .iter()
        .map(|one| {
            format!("{}: {} ({})", one.origin, one.message, one.help.as_deref().unwrap_or(""))
        })
        .collect()
}

#[test]
fn a_chain_names_authenticators_that_there_are() {
    let proof = "user_name_claim = \"sub\"\n";
    let one = &format!("[[access.jwt]]\nname = \"a\"\nsecret = \"file:s\"\n{proof}");
    assert_eq!(problems(one), [""; 0]);
    let two = format!("{one}[[access.jwt]]\nname = \"b\"\nsecret = \"file:s\"\n{proof}");
    assert_eq!(
        problems(&two),
        ["plexus.toml:5: there are several authenticators (in which order? Write access.chain = \
          [\"a\", \"b\"])"]
    );
    assert_eq!(problems(&format!("access.chain = [\"b\", \"a\"]\n{two}")), [""; 0]);
    let listener = "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\nchain = [\"b\"]\n";
    assert_eq!(problems(&format!("{two}{listener}")), [""; 0], "each listener has its own");
    assert_eq!(
        problems(&format!("access.chain = [\"b\", \"c\", \"b\"]\n{two}")),
        [
            "plexus.toml:1: no authenticator is called `c` (there are a, b)",
            "plexus.toml:1: `b` is asked twice (there are a, b)"
        ]
    );
    assert_eq!(
        problems("access.chain = []\n"),
        ["plexus.toml:1: nobody could connect (leave it out, or name the authenticators that are \
          asked)"]
    );
}

/// Whoever has a token of his own could find somebody else's session.
#[test]
fn who_proves_no_names_stands_beside_nobody_who_does() {
    let jwt = "[[access.jwt]]\nname = \"a\"\nsecret = \"file:s\"\n";
    let chain = "[access]\nchain = [\"a\", \"b\"]\n";
    let certificate = "[[access.certificate]]\nname = \"b\"\n\
                       [[listener]]\nurl = \"tls://127.0.0.1:0\"\ntls = { cert_file = \"c\", \
                       key_file = \"k\", client_auth = \"optional\", client_ca_file = \"a\" }\n";
    let found = problems(&format!("{chain}{jwt}{certificate}"));
    assert!(found[0].contains("`a` does not prove user names, beside others"), "{found:?}");
    let proved = format!("{chain}{jwt}user_name_claim = \"sub\"\n{certificate}");
    assert_eq!(problems(&proved), [""; 0]);
    let found = problems(&format!("{jwt}token = \"user_name\"\n"));
    assert!(found[0].contains("the token itself would be the user name"), "{found:?}");
}

#[test]
fn names_of_authenticators_are_their_own() {
    let twice = "access.chain = [\"a\"]\n[[access.jwt]]\nname = \"a\"\nsecret = \"file:s\"\n\
                 user_name_claim = \"sub\"\n[[access.jwt]]\nname = \"a\"\nsecret = \"file:s\"\n\
                 user_name_claim = \"sub\"\n";
    let found = problems(twice);
    assert!(found[0].contains("a second authenticator `a`"), "{found:?}");
    let found = problems("[[access.jwt]]\nname = \"users\"\nsecret = \"file:s\"\n");
    assert!(found[0].contains("`users` are those of the node itself"), "{found:?}");
    let found = problems("[[access.jwt]]\nname = \"\"\nsecret = \"file:s\"\n");
    assert!(found[0].contains("no name"), "{found:?}");
}

#[test]
fn tokens_need_keys_from_one_place_and_known_algorithms() {
    let found = problems("[[access.jwt]]\nname = \"a\"\n");
    assert!(found[0].contains("no keys: no token could be believed"), "{found:?}");
    let both = "[[access.jwt]]\nname = \"a\"\nsecret = \"file:s\"\nkey_set_file = \"k\"\n";
    assert!(problems(both)[0].contains("keys from two places"), "{:?}", problems(both));
    let odd = "[[access.jwt]]\nname = \"a\"\nsecret = \"file:s\"\nalgorithms = [\"none\"]\n";
    assert!(problems(odd)[0].contains("`none` is no algorithm of tokens"), "{:?}", problems(odd));
    let place =
        "[[access.jwt]]\nname = \"a\"\nsecret = \"file:s\"\nclaims = { sub = \"${user}\" }\n";
    assert!(problems(place)[0].contains("has `${user}`; known are"), "{:?}", problems(place));
}

/// A name that a token does not vouch for is the client's to choose.
#[test]
fn rules_for_user_names_need_somebody_who_proves_them() {
    let rule = "[[access.rule]]\nallow = [\"publish\"]\nusers = [\"root\"]\ntopics = [\"#\"]\n";
    let jwt = "[[access.jwt]]\nname = \"a\"\nsecret = \"file:s\"\n";
    let found = problems(&format!("{jwt}{rule}"));
    assert!(found[0].contains("`a` does not prove user names"), "{found:?}");
    for proof in ["user_name_claim = \"sub\"", "claims = { sub = \"${username}\" }"] {
        assert_eq!(problems(&format!("{jwt}{proof}\n{rule}")), [""; 0]);
    }
}

#[test]
fn users_known_by_their_client_identifier_prove_nothing_else() {
    let access = "[access]\nusers_file = \"users\"\nusers_by = \"client_id\"\n";
    let rule = "[[access.rule]]\nallow = [\"publish\"]\nusers = [\"root\"]\ntopics = [\"#\"]\n";
    let found = problems(&format!("{access}{rule}"));
    assert!(found[0].contains("known by their client identifier prove no user name"), "{found:?}");
    assert_eq!(problems(&format!("{access}{}", rule.replace("users =", "clients ="))), [""; 0]);
    let open = "a client could take the identifier of a user without its password";
    let found = problems(&format!("{access}allow_anonymous = true\n"));
    assert!(found.len() == 1 && found[0].contains(open), "{found:?}");
    let listener = "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\nallow_anonymous = true\n";
    let found = problems(&format!("{access}{listener}"));
    assert!(found.len() == 1 && found[0].contains(open), "{found:?}");
}

#[test]
fn rules_come_from_back_ends_that_have_some() {
    let head = "[access]\nusers_file = \"users\"\nchain = [\"users\"]\nrules_from = ";
    let redis = "[[access.redis]]\nname = \"r\"\nserver = \"a\"\n";
    let rules = "rules_command = \"HGETALL a:${username}\"\n";
    let found = |list: &str, rest: &str| problems(&format!("{head}{list}\n{redis}{rest}"));
    assert_eq!(found("[\"r\"]", rules), [""; 0]);
    assert_eq!(found("[]", ""), [""; 0]);
    assert_eq!(
        found("[\"r\", \"users\", \"r\"]", rules),
        [
            "plexus.toml:4: no back end is called `users` (there are r)",
            "plexus.toml:4: `r` is asked twice (name it once)"
        ]
    );
    assert_eq!(found("[\"r\"]", ""), ["plexus.toml:4: `r` has no rules (set its rules_command)"]);
    let told = found("[\"r\"]", "rules_command = \"HGETALL a:${password}\"\n");
    assert!(told[0].contains("`r` would be told passwords"), "{told:?}");
    let listener = "[[listener]]\nurl = \"tcp://127.0.0.1:0\"\nrules_from = [\"s\"]\n";
    let told = found("[\"r\"]", &format!("{rules}{listener}"));
    assert_eq!(told, ["plexus.toml:11: no back end is called `s` (there are r)"]);
}

/// Otherwise a client would choose whose rules it has.
#[test]
fn rules_are_found_by_names_that_somebody_has_proved() {
    let head = "[access]\nchain = [\"t\"]\nrules_from = [\"r\"]\n[[access.jwt]]\nname = \"t\"\n\
                secret = \"file:s\"\n";
    let redis = |by: &str| {
        format!(
            "[[access.redis]]\nname = \"r\"\nserver = \"a\"\nrules_command = \"HGETALL a:{by}\"\n"
        )
    };
    let found = problems(&format!("{head}{}", redis("${username}")));
    let wanted =
        "by name `r` finds rules, and `t` does not prove user names (set its user_name_claim";
    assert!(found.len() == 1 && found[0].contains(wanted), "{found:?}");
    for proved in [
        format!("{head}user_name_claim = \"sub\"\n{}", redis("${username}")),
        format!("{head}{}", redis("${clientid}")),
    ] {
        assert_eq!(problems(&proved), [""; 0], "{proved}");
    }
    // One that is asked for rules only has nobody's name to prove.
    let http = "[[access.http]]\nname = \"r\"\nurl = \"https://a/\"\nbody = '\"${clientid}\"'\n";
    assert_eq!(problems(&format!("{head}user_name_claim = \"sub\"\n{http}")), [""; 0]);
}
