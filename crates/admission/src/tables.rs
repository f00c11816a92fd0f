//! Databases that are asked in SQL for the users and rules that tables hold.

use std::{fmt::Write, sync::Arc};

use bytes::Bytes;
use plexus_access::{Credentials, PasswordScheme, Rules, Shown, Template, TemplatePart};
use plexus_runtime::Handle;

use crate::{
    Answer, Asking, Authenticator, Fields, PasswordCheck, Pool, Server, StoredUser, Trouble,
    rules_of_records,
};

/// Rules of one client that are read; one more than it may have, so that those of whom there are too many are told.
const RULES_MAX: usize = 101;

/// How a database writes parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marks {
    /// `$1`, `$2` and so on.
    Numbers,
    /// `?` each.
    Questions,
}

/// A query in which what a client shows is a parameter: it is never a part of the text.
#[derive(Debug, Clone)]
pub struct Query {
    text: Arc<str>,
    places: Vec<Shown>,
}

/// Why a text is no query that can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Something else than a reading.
    #[error("does not begin with SELECT")]
    NoSelect,
    /// A place that would be a part of a text.
    #[error("has a place within quotes; without them it is a text by itself")]
    Quoted,
}

impl Query {
    /// A query such as `SELECT password_hash FROM mqtt_user WHERE username = ${username}`.
    pub fn new(template: &Template, marks: Marks) -> Result<Self, QueryError> {
        let (mut text, mut places) = (String::new(), Vec::new());
        for part in template.parts() {
            match (part, marks) {
                (TemplatePart::Text(part), _) => text.push_str(part),
                (TemplatePart::Shown(_), _) if text.matches('\'').count() % 2 == 1 => {
                    return Err(QueryError::Quoted);
                }
                (TemplatePart::Shown(shown), Marks::Numbers) => {
                    places.push(*shown);
                    write!(text, "${}", places.len()).expect("invariant: writing to a string");
                }
                (TemplatePart::Shown(shown), Marks::Questions) => {
                    places.push(*shown);
                    text.push('?');
                }
            }
        }
        let first = text.split_whitespace().next().unwrap_or_default();
        if !first.eq_ignore_ascii_case("select") {
            return Err(QueryError::NoSelect);
        }
        Ok(Self { text: text.into(), places })
    }

    /// Whether such credentials show all that it has a place for.
    fn concerns(&self, credentials: &Credentials) -> bool {
        self.places.iter().all(|shown| shown.of(credentials).is_some())
    }

    /// With its parameters; none where the credentials do not show one of them.
    fn fill(&self, credentials: &Credentials, count_max: usize) -> Option<Inquiry> {
        let values = self.places.iter().map(|shown| shown.of(credentials).map(Into::into));
        let values = values.collect::<Option<_>>()?;
        Some(Inquiry { text: Arc::clone(&self.text), values, count_max })
    }
}

/// A query with its parameters, which are texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry {
    /// As the database prepares it: there are as many texts as queries in the configuration.
    pub text: Arc<str>,
    /// The parameters in their order.
    pub values: Vec<String>,
    /// Records that are read at most.
    pub count_max: usize,
}

/// What a database is asked for.
#[derive(Debug, Clone)]
pub struct TableOptions {
    /// What reads `password_hash`, `salt` and `is_superuser` of a user.
    pub query: Query,
    /// What reads `permission`, `action`, `topic`, `qos` and `retain` of its rules.
    pub rules: Option<Query>,
    /// How passwords are stored.
    pub scheme: PasswordScheme,
}

/// A database that is asked about each client.
#[derive(Debug)]
pub struct Tables<S: Server> {
    pool: Pool<S>,
    query: Query,
    rules: Option<Query>,
    check: PasswordCheck,
}

impl<S: Server<Question = Inquiry, Found = Vec<Fields>>> Tables<S> {
    /// The tables of that database.
    pub fn new(server: S, options: TableOptions, runtime: &Handle) -> Self {
        let TableOptions { query, rules, scheme } = options;
        let check = PasswordCheck::new(scheme, runtime.clone());
        Self { pool: Pool::new(server), query, rules, check }
    }

    async fn read_rules(&self, inquiry: &Inquiry) -> Result<Rules, Trouble> {
        let rules = rules_of_records(self.pool.ask(inquiry).await?);
        rules.map_err(|error| Trouble::Nonsense(error.to_string()))
    }

    async fn asked(
        &self,
        user: Inquiry,
        credentials: &mut Credentials,
        password: Bytes,
    ) -> Result<Answer, Trouble> {
        let user = match self.pool.ask(&user).await?.into_iter().next() {
            None => None,
            Some(fields) => {
                // By the name that is stored: whoever spells it otherwise has the same rules.
                let rules = self.rules.as_ref();
                let fill = |named: &Credentials| rules?.fill(named, RULES_MAX);
                let rules = StoredUser::named(&fields, credentials, fill);
                let rules = match rules {
                    Some(rules) => Some(self.read_rules(&rules).await?),
                    None => None,
                };
                let user = StoredUser::of_fields(fields, rules);
                Some(user.ok_or_else(|| Trouble::Nonsense("no `password_hash`".to_owned()))?)
            }
        };
        self.check.judge(user, password).await
    }
}

impl<S: Server<Question = Inquiry, Found = Vec<Fields>>> Authenticator for Tables<S> {
    fn concerns(&self, credentials: &Credentials) -> bool {
        credentials.enhanced.is_none()
            && credentials.password.is_some()
            && self.query.concerns(credentials)
            && self.rules.iter().all(|rules| rules.concerns(credentials))
    }

    fn ask<'a>(&'a self, credentials: &'a mut Credentials) -> Asking<'a> {
        let user = self.query.fill(credentials, 1);
        let password = credentials.password.clone();
        Box::pin(async move {
            match user.zip(password) {
                Some((user, password)) => self.asked(user, credentials, password).await,
                None => Ok(Answer::Ignore),
            }
        })
    }

    fn may_have_rules(&self, credentials: &Credentials) -> bool {
        self.rules.as_ref().is_some_and(|rules| rules.concerns(credentials))
    }

    fn rules<'a>(&'a self, credentials: &'a mut Credentials) -> Asking<'a> {
        let rules = self.rules.as_ref().and_then(|rules| rules.fill(credentials, RULES_MAX));
        Box::pin(async move {
            let Some(rules) = rules else { return Ok(Answer::Ignore) };
            Ok(Answer::of_rules(self.read_rules(&rules).await?))
        })
    }
}

#[cfg(test)]
mod tests {
    use plexus_access::Template;

    use super::{Marks, Query, QueryError};

    #[test]
    fn places_become_parameters() {
        let read = |text: &str, marks| Query::new(&Template::parse(text).unwrap(), marks);
        let text = "select a from b where c = ${username} and d = ${clientid}";
        let query = read(text, Marks::Numbers).unwrap();
        assert_eq!(&*query.text, "select a from b where c = $1 and d = $2");
        assert_eq!(query.places.len(), 2);
        let query = read(text, Marks::Questions).unwrap();
        assert_eq!(&*query.text, "select a from b where c = ? and d = ?");
        let quoted = read("SELECT a FROM b WHERE c = '${username}'", Marks::Numbers);
        assert_eq!(quoted.unwrap_err(), QueryError::Quoted);
        let apart = "SELECT 'x' FROM b WHERE c = ${username} AND d = 'it''s'";
        assert!(read(apart, Marks::Questions).is_ok());
        for text in ["", "DELETE FROM b", "selected"] {
            assert_eq!(read(text, Marks::Numbers).unwrap_err(), QueryError::NoSelect, "{text}");
        }
    }
}
