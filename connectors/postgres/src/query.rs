//! Queries with places, which become parameters.

use std::fmt::Write;

use plexus_access::{Credentials, Shown, Template, TemplatePart};

/// A query in which what a client shows is `$1`, `$2` and so on.
#[derive(Debug, Clone)]
pub struct Query {
    text: String,
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
    pub fn new(template: &Template) -> Result<Self, QueryError> {
        let (mut text, mut places) = (String::new(), Vec::new());
        for part in template.parts() {
            match part {
                TemplatePart::Text(part) => text.push_str(part),
                TemplatePart::Shown(_) if text.matches('\'').count() % 2 == 1 => {
                    return Err(QueryError::Quoted);
                }
                TemplatePart::Shown(shown) => {
                    places.push(*shown);
                    write!(text, "${}", places.len()).expect("invariant: writing to a string");
                }
            }
        }
        let first = text.split_whitespace().next().unwrap_or_default();
        if !first.eq_ignore_ascii_case("select") {
            return Err(QueryError::NoSelect);
        }
        Ok(Self { text, places })
    }

    /// As the server prepares it.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn places(&self) -> &[Shown] {
        &self.places
    }

    /// Its parameters; none where the credentials do not show one of them.
    pub(crate) fn fill(&self, credentials: &Credentials) -> Option<Vec<String>> {
        let values = self.places.iter().map(|shown| shown.of(credentials).map(Into::into));
        values.collect()
    }
}

#[cfg(test)]
mod tests {
    use plexus_access::Template;

    use super::{Query, QueryError};

    #[test]
    fn places_become_parameters() {
        let read = |text: &str| Query::new(&Template::parse(text).unwrap());
        let query = read("select a from b where c = ${username} and d = ${clientid}").unwrap();
        assert_eq!(query.text(), "select a from b where c = $1 and d = $2");
        assert_eq!(query.places().len(), 2);
        let quoted = read("SELECT a FROM b WHERE c = '${username}'");
        assert_eq!(quoted.unwrap_err(), QueryError::Quoted);
        assert!(read("SELECT 'x' FROM b WHERE c = ${username} AND d = 'it''s'").is_ok());
        for text in ["", "DELETE FROM b", "selected"] {
            assert_eq!(read(text).unwrap_err(), QueryError::NoSelect, "{text}");
        }
    }
}
