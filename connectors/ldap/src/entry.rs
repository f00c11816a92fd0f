//! What an entry says of a client.

use ldap_client_proto::SearchResultEntry;
use plexus_access::Rules;
use plexus_admission::{Fields, Trouble, rules_of};
use plexus_types::Text;
use serde_json::json;

/// The attributes that are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attributes {
    /// The stored password, where it is compared here.
    pub password: Option<String>,
    /// Whether no rule holds for the user.
    pub superuser: Option<String>,
    /// Topics that it may publish to.
    pub publish: Option<String>,
    /// Filters that it may subscribe to.
    pub subscribe: Option<String>,
    /// Topics for both.
    pub all: Option<String>,
}

impl Attributes {
    /// Whether any of them holds rules.
    pub(crate) fn have_rules(&self) -> bool {
        [&self.publish, &self.subscribe, &self.all].into_iter().any(Option::is_some)
    }

    /// Whether there is anything to read but the password.
    pub(crate) fn give_rights(&self) -> bool {
        self.superuser.is_some() || self.have_rules()
    }

    /// Their names, and the one of the user's name.
    pub(crate) fn names(&self, user_name: Option<&str>) -> Vec<String> {
        let Self { password, superuser, publish, subscribe, all } = self;
        let names = [password, superuser, publish, subscribe, all].into_iter();
        let names = names.map(Option::as_deref).chain([user_name]);
        let names: Vec<_> = names.flatten().map(str::to_owned).collect();
        // Without any, all of them would be sent (RFC 4511, section 4.5.1.8).
        if names.is_empty() { vec!["1.1".to_owned()] } else { names }
    }

    /// The password and whether it is a superuser, as the fields of other back ends.
    pub(crate) fn fields(&self, entry: &SearchResultEntry) -> Result<Fields, Trouble> {
        let mut fields = Fields::new();
        for (name, attribute) in
            [("password_hash", &self.password), ("is_superuser", &self.superuser)]
        {
            let Some(attribute) = attribute else { continue };
            match texts(entry, attribute)?.as_slice() {
                [] => {}
                [text] => drop(fields.insert(name.to_owned(), text.clone())),
                // They have no order: which one counts would be chance.
                _ => return Err(Trouble::Nonsense(format!("several values of `{attribute}`"))),
            }
        }
        Ok(fields)
    }

    /// The rules, where rules are asked for.
    pub(crate) fn rules(&self, entry: &SearchResultEntry) -> Result<Option<Rules>, Trouble> {
        if !self.have_rules() {
            return Ok(None);
        }
        let read = |attribute: &Option<String>| match attribute {
            Some(attribute) => texts(entry, attribute),
            None => Ok(Vec::new()),
        };
        let (publish, subscribe) = (read(&self.publish)?, read(&self.subscribe)?);
        let lists = json!({ "pub": publish, "sub": subscribe, "all": read(&self.all)? });
        rules_of(&lists).map(Some).map_err(|error| Trouble::Nonsense(error.to_string()))
    }
}

/// That name of a user as the attribute of the entry has it: a directory takes names for the same that differ in
/// case, and rules do not.
pub(crate) fn spelled(entry: &SearchResultEntry, attribute: &str, name: &str) -> Option<Text> {
    let spelled = texts(entry, attribute).ok()?;
    let same = |other: &&String| other.to_lowercase() == name.to_lowercase();
    let spelled = spelled.iter().find(|other| *other == name).or_else(|| spelled.iter().find(same));
    Text::try_from(spelled?.as_str()).ok()
}

fn texts(entry: &SearchResultEntry, attribute: &str) -> Result<Vec<String>, Trouble> {
    let values = entry.attr(attribute).map(|attribute| attribute.values.as_slice());
    let texts = values.unwrap_or_default().iter().map(|value| {
        let text = std::str::from_utf8(value).map(str::to_owned);
        text.map_err(|_| Trouble::Nonsense(format!("`{attribute}` is no text")))
    });
    texts.collect()
}
