//! Users with a stored password, as databases and directories have them.

use std::{collections::BTreeMap, fmt, sync::Arc};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use plexus_access::{Credentials, PasswordScheme, Rights, Rules, StoredPassword};
use plexus_runtime::Handle;
use plexus_types::{ReasonCode, Text};
use serde_json::{Map, Value, json};

use crate::{
    Answer, Trouble,
    rights::{RulesError, rules_of},
};

/// What a back end has stored of a user.
#[derive(Clone, Default)]
pub struct StoredUser {
    /// The hash of the password, as its scheme has it.
    pub hash: String,
    /// The salt, where it stands apart.
    pub salt: Option<String>,
    /// Its name as it is stored: a back end may take names for the same that differ in case, and rules do not.
    pub user_name: Option<Text>,
    /// Whether no rule holds for it.
    pub is_superuser: bool,
    /// Rules of its own.
    pub rules: Option<Rules>,
}

/// The fields of a record by their names; those that are empty in the sense of a database are not there.
pub type Fields = BTreeMap<String, String>;

impl StoredUser {
    /// Reads `password_hash`, `salt`, `is_superuser` and `user_name`; without a hash there is no such user.
    pub fn of_fields(mut fields: Fields, rules: Option<Rules>) -> Option<Self> {
        Some(Self {
            hash: fields.remove("password_hash")?,
            salt: fields.remove("salt"),
            is_superuser: Self::is_superuser(&fields),
            user_name: Self::user_name(&fields),
            rules,
        })
    }

    /// Its name, where it is one that a client can have.
    pub fn user_name(fields: &Fields) -> Option<Text> {
        fields.get("user_name").and_then(|name| Text::try_from(name.as_str()).ok())
    }

    /// Looks at the credentials by the name that is stored: rules are found by that one.
    pub fn named<T>(
        fields: &Fields,
        credentials: &mut Credentials,
        look: impl FnOnce(&Credentials) -> T,
    ) -> T {
        let given = credentials.user_name.clone();
        credentials.user_name = Self::user_name(fields).or_else(|| given.clone());
        let seen = look(credentials);
        credentials.user_name = given;
        seen
    }

    /// Whether `is_superuser` says yes.
    pub fn is_superuser(fields: &Fields) -> bool {
        fields.get("is_superuser").is_some_and(|text| says_yes(text))
    }
}

/// Rules that are records with `permission`, `action`, `topic` and, if they like, `qos` and `retain`.
pub fn rules_of_records(records: impl IntoIterator<Item = Fields>) -> Result<Rules, RulesError> {
    let rules = records.into_iter().map(|record| {
        let mut rule = Map::new();
        for (name, text) in record {
            let value = match name.as_str() {
                "permission" | "action" => json!(text.trim().to_lowercase()),
                "qos" => json!(text.split(',').map(str::trim).collect::<Vec<_>>()),
                "retain" if text.trim().eq_ignore_ascii_case("all") => Value::Null,
                "retain" => json!(says_yes(&text)),
                _ => json!(text),
            };
            rule.insert(name, value);
        }
        Value::Object(rule)
    });
    rules_of(&rules.collect())
}

/// Shows no hash.
impl fmt::Debug for StoredUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredUser")
            .field("is_superuser", &self.is_superuser)
            .finish_non_exhaustive()
    }
}

/// Compares passwords with stored ones of one scheme, where hashes are computed.
pub struct PasswordCheck {
    scheme: PasswordScheme,
    runtime: Handle,
    /// The last one that was read: an unknown name costs as much as that.
    last: ArcSwapOption<StoredPassword>,
}

impl PasswordCheck {
    /// Passwords that are stored so.
    pub fn new(scheme: PasswordScheme, runtime: Handle) -> Self {
        Self { scheme, runtime, last: ArcSwapOption::empty() }
    }

    /// What is said of a client that shows that password, and is such a user or none.
    pub async fn judge(
        &self,
        user: Option<StoredUser>,
        password: Bytes,
    ) -> Result<Answer, Trouble> {
        let Some(user) = user else {
            if let Some(other) = self.last.load_full() {
                self.verify(other, password).await?;
            }
            return Ok(Answer::Ignore);
        };
        let stored = self.scheme.read(&user.hash, user.salt.as_deref());
        let stored = stored.map_err(|error| Trouble::Nonsense(format!("the password {error}")))?;
        let stored = Arc::new(stored);
        self.last.store(Some(Arc::clone(&stored)));
        if !self.verify(stored, password).await? {
            return Ok(Answer::Deny(ReasonCode::BadUserNameOrPassword));
        }
        let StoredUser { user_name, rules, is_superuser, .. } = user;
        let rights = Rights { user_name, rules, is_superuser, ..Rights::default() };
        Ok(Answer::Allow(Box::new(rights), None))
    }

    async fn verify(&self, stored: Arc<StoredPassword>, password: Bytes) -> Result<bool, Trouble> {
        let right = self.runtime.compute(move || stored.verify(&password)).await;
        right.ok_or_else(|| Trouble::Failed("checking the password broke off".to_owned()))
    }
}

impl fmt::Debug for PasswordCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordCheck").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

/// Whether a field of a database says yes: `1`, `t`, `true`, `yes`, in any case.
fn says_yes(text: &str) -> bool {
    ["1", "t", "true", "y", "yes"].iter().any(|yes| text.trim().eq_ignore_ascii_case(yes))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use plexus_access::PasswordScheme;
    use plexus_runtime::Runtime;
    use plexus_types::ReasonCode;

    use serde_json::json;

    use super::{PasswordCheck, StoredUser, rules_of_records, says_yes};
    use crate::{Answer, Trouble, rights::rules_of};

    #[test]
    fn a_stored_password_decides_and_an_unknown_user_is_somebody_elses() {
        let runtime = Runtime::start(1).unwrap();
        let check = PasswordCheck::new(PasswordScheme::Plain, runtime.handle());
        let says = |user, password: &'static str| {
            runtime.handle().wait_for(check.judge(user, Bytes::from_static(password.as_bytes())))
        };
        let user = |is_superuser| {
            Some(StoredUser { hash: "right".to_owned(), is_superuser, ..StoredUser::default() })
        };
        assert!(matches!(says(None, "right"), Ok(Answer::Ignore)));
        let Ok(Answer::Allow(rights, None)) = says(user(true), "right") else { panic!("let in") };
        assert!(rights.is_superuser && rights.rules.is_none());
        let Ok(Answer::Allow(rights, None)) = says(user(false), "right") else { panic!("let in") };
        assert!(!rights.is_superuser);
        let wrong = says(user(true), "wrong");
        assert!(matches!(wrong, Ok(Answer::Deny(ReasonCode::BadUserNameOrPassword))), "{wrong:?}");
        assert!(matches!(says(None, "right"), Ok(Answer::Ignore)), "its cost is that of the last");
    }

    #[test]
    fn a_hash_that_cannot_be_read_lets_nobody_in() {
        let runtime = Runtime::start(1).unwrap();
        let check = PasswordCheck::new(PasswordScheme::Phc, runtime.handle());
        let user = StoredUser { hash: "right".to_owned(), ..StoredUser::default() };
        let said = runtime.handle().wait_for(check.judge(Some(user), Bytes::from_static(b"right")));
        assert!(matches!(said, Err(Trouble::Nonsense(_))), "{said:?}");
    }

    #[test]
    fn records_of_a_database_are_rules() {
        let record = |fields: &[(&str, &str)]| {
            fields.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
        };
        let own = [("permission", "Allow"), ("action", "publish"), ("topic", "a/${username}")];
        let more = [("permission", "deny"), ("action", "all"), ("topic", "#")];
        let more = [&more[..], &[("qos", "1, 2"), ("retain", "f")]].concat();
        let read = rules_of_records([record(&own), record(&more)]).unwrap();
        let same = rules_of(&json!([
            { "permission": "allow", "action": "publish", "topic": "a/${username}" },
            { "permission": "deny", "action": "all", "topic": "#", "qos": [1, 2], "retain": false },
        ]));
        assert_eq!(read, same.unwrap());
        assert!(rules_of_records([record(&own[..2])]).is_err());
        assert!(rules_of_records([record(&[("permission", "maybe"), ("topic", "a")])]).is_err());
    }

    #[test]
    fn yes_is_written_in_several_ways() {
        assert!(["1", "t", "TRUE", " yes ", "Y"].into_iter().all(says_yes));
        assert!(!["0", "", "f", "false", "no", "2", "null"].into_iter().any(says_yes));
    }
}
