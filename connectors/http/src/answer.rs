//! What a service says of a client.

use std::time::Duration;

use plexus_access::Rights;
use plexus_admission::{Answer, Trouble, attributes_of, rules_of};
use plexus_types::{Instant, ReasonCode, TenantName};
use serde_json::{Map, Value};

/// The attribute that says which tenant's client it is.
const TENANT: &str = "tns";

/// Reads the body of an answer 200:
///
/// ```json
/// { "result": "allow", "is_superuser": false, "client_attrs": {}, "acl": [], "expire_at": 1798761600 }
/// ```
pub(crate) fn read(body: &[u8]) -> Result<Answer, Trouble> {
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| Trouble::Nonsense(format!("no JSON: {error}")))?;
    let Some(said) = value.as_object() else {
        return Err(Trouble::Nonsense("no object".to_owned()));
    };
    match said.get("result").and_then(Value::as_str) {
        Some("allow") => match rights(said) {
            Ok(rights) => Ok(Answer::Allow(Box::new(rights), None)),
            Err(problem) => Err(Trouble::Nonsense(problem)),
        },
        Some("deny") => Ok(Answer::Deny(ReasonCode::NotAuthorized)),
        Some("ignore") => Ok(Answer::Ignore),
        _ => Err(Trouble::Nonsense("`result` is none of allow, deny, ignore".to_owned())),
    }
}

fn rights(said: &Map<String, Value>) -> Result<Rights, String> {
    let given = |name| said.get(name).filter(|value: &&Value| !value.is_null());
    let is_superuser = match given("is_superuser") {
        None => false,
        Some(value) => value.as_bool().ok_or("`is_superuser` is neither true nor false")?,
    };
    let attributes = match given("client_attrs") {
        None => <_>::default(),
        Some(value) if value.is_object() => attributes_of(value),
        Some(_) => return Err("`client_attrs` is no object".to_owned()),
    };
    // Of what was said, not of what is kept of it: whose client it is must not get lost.
    let tenant = given("client_attrs").and_then(|attributes| attributes.get(TENANT));
    let tenant = tenant.map(|name| {
        let name = TenantName::try_from(name.as_str().unwrap_or_default());
        name.map_err(|error| format!("`client_attrs.{TENANT}`: {error}"))
    });
    let tenant = tenant.transpose()?;
    let rules = given("acl").map(rules_of).transpose();
    let rules = rules.map_err(|error| format!("`acl`: {error}"))?;
    let expires = match given("expire_at") {
        None => None,
        Some(value) => {
            let seconds = value.as_u64().ok_or("`expire_at` is no number of seconds since 1970")?;
            // What is beyond the reach of our clock never comes.
            Some(Instant::ZERO + Duration::from_secs(seconds.min(1 << 33)))
        }
    };
    Ok(Rights { tenant, attributes, rules, expires, is_superuser, ..Rights::default() })
}

#[cfg(test)]
mod tests {
    use plexus_admission::{Answer, Trouble};
    use plexus_types::{Instant, ReasonCode, TenantName};

    use super::read;

    #[test]
    fn an_answer_brings_all_that_a_client_may_have() {
        let body = r#"{"result":"allow","is_superuser":true,"client_attrs":{"site":"north","n":1,"tns":"acme"},
            "acl":[{"permission":"deny","topic":"a"}],"expire_at":100,"more":[]}"#;
        let Ok(Answer::Allow(rights, None)) = read(body.as_bytes()) else { panic!("allowed") };
        assert!(rights.is_superuser && rights.rules.is_some());
        assert_eq!(rights.attributes.get("site"), Some("north"));
        assert_eq!(rights.tenant.as_ref().map(TenantName::as_str), Some("acme"));
        assert_eq!(rights.expires, Some(Instant::from_secs(100)));
        let Ok(Answer::Allow(rights, None)) = read(br#"{"result":"allow","acl":null}"#) else {
            panic!("allowed")
        };
        assert_eq!(*rights, plexus_access::Rights::default());
    }

    #[test]
    fn it_denies_and_it_ignores() {
        let denied = read(br#"{"result":"deny","is_superuser":true}"#);
        assert!(matches!(denied, Ok(Answer::Deny(ReasonCode::NotAuthorized))), "{denied:?}");
        assert!(matches!(read(br#"{"result":"ignore"}"#), Ok(Answer::Ignore)));
    }

    #[test]
    fn what_makes_no_sense_lets_nobody_in() {
        for body in [
            "",
            "null",
            "[]",
            "allow",
            "\"allow\"",
            "{}",
            r#"{"result":true}"#,
            r#"{"result":"Allow"}"#,
            r#"{"result":"allow""#,
            r#"{"result":"allow","is_superuser":1}"#,
            r#"{"result":"allow","client_attrs":[]}"#,
            r#"{"result":"allow","client_attrs":{"tns":7}}"#,
            r#"{"result":"allow","client_attrs":{"tns":"a/b"}}"#,
            r#"{"result":"allow","acl":"all"}"#,
            r#"{"result":"allow","acl":[{"permission":"maybe","topic":"a"}]}"#,
            r#"{"result":"allow","expire_at":-1}"#,
            r#"{"result":"allow","expire_at":"soon"}"#,
        ] {
            let said = read(body.as_bytes());
            assert!(matches!(said, Err(Trouble::Nonsense(_))), "{body}: {said:?}");
        }
    }
}
