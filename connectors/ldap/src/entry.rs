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

    /// Their names, and those of the user's name.
    pub(crate) fn names(&self, user_names: &[String]) -> Vec<String> {
        let Self { password, superuser, publish, subscribe, all } = self;
        let names = [password, superuser, publish, subscribe, all].into_iter();
        let names = names.flatten().chain(user_names);
        let names: Vec<_> = names.cloned().collect();
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

/// That name of a user as those attributes of the entry have it: a directory takes names for the same that differ in
/// case and blanks (RFC 4518), and rules do not. None where they cannot be read. A name that none of them is was found
/// by something else, and is nobody's.
pub(crate) fn spelled(
    entry: &SearchResultEntry,
    attributes: &[String],
    name: &str,
) -> Result<Option<Text>, Trouble> {
    let mut spelled = Vec::new();
    for attribute in attributes {
        spelled.extend(texts(entry, attribute)?);
    }
    if spelled.is_empty() {
        return Ok(None);
    }
    let wanted = prepared(name);
    let same = |other: &&String| prepared(other) == wanted;
    let found = spelled.iter().find(|other| *other == name).or_else(|| spelled.iter().find(same));
    let found = found.and_then(|found| Text::try_from(found.as_str()).ok());
    let other = || Trouble::Nonsense("the entry has another name than the client".to_owned());
    found.map(Some).ok_or_else(other)
}

/// A name without what a directory does not look at: case, and blanks but for one between words.
fn prepared(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn texts(entry: &SearchResultEntry, attribute: &str) -> Result<Vec<String>, Trouble> {
    let values = entry.attr(attribute).map(|attribute| attribute.values.as_slice());
    let texts = values.unwrap_or_default().iter().map(|value| {
        let text = std::str::from_utf8(value).map(str::to_owned);
        text.map_err(|_| Trouble::Nonsense(format!("`{attribute}` is no text")))
    });
    texts.collect()
}
