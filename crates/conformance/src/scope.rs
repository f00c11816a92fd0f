//! What values mean inside one run of one case: the prefix that keeps runs apart, and captured
//! names.
//!
//! `topic`, `filter`, `client_id`, `will_topic`, `response` and `will_response` get the prefix; a
//! leading `^` takes a value as it stands. `{p}` is the prefix anywhere. `times:3:ab` is `ababab`.
//! `$name` is what an expectation captured under that name, `$name+1` the number after it.

use std::collections::BTreeMap;

use crate::{Field, Fields, ScriptError, field::parse_number};

/// The names of one run.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    prefix: String,
    captured: BTreeMap<String, String>,
}

impl Scope {
    pub(crate) fn new(prefix: String) -> Self {
        Self { prefix, captured: BTreeMap::new() }
    }

    pub(crate) fn capture(&mut self, name: &str, value: &str) {
        self.captured.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn captured(&self, name: &str) -> Option<&str> {
        self.captured.get(name).map(String::as_str)
    }

    /// The fields of a packet to send, every value in full.
    pub(crate) fn resolve(&self, fields: &Fields) -> Result<Fields, ScriptError> {
        fields
            .iter()
            .map(|field| {
                let value = self.value(&field.key, &field.value)?;
                Ok(Field { key: field.key.clone(), value })
            })
            .collect()
    }

    /// One value in full.
    pub(crate) fn value(&self, key: &str, written: &str) -> Result<String, ScriptError> {
        if let Some(name) = written.strip_prefix('$').filter(|_| !is_name(key)) {
            return self.reference(name);
        }
        if let Some(absolute) = written.strip_prefix('^') {
            return self.expand(absolute);
        }
        let text = self.expand(written)?;
        Ok(match key {
            _ if text.is_empty() || text.starts_with("hex:") => text,
            "client_id" => format!("{}{text}", self.prefix),
            "topic" | "will_topic" | "response" | "will_response" => {
                format!("{}/{text}", self.prefix)
            }
            "filter" => self.filter(&text),
            _ => text,
        })
    }

    /// Replaces `{p}` and `times:`.
    pub(crate) fn expand(&self, text: &str) -> Result<String, ScriptError> {
        let bad = || ScriptError::BadValue(text.to_owned());
        let text = text.replace("{p}", &self.prefix);
        let Some(repeated) = text.strip_prefix("times:") else { return Ok(text) };
        let (count, unit) = repeated.split_once(':').ok_or_else(bad)?;
        Ok(unit.repeat(parse_number(count)? as usize))
    }

    fn filter(&self, text: &str) -> String {
        match text.strip_prefix("$share/").and_then(|shared| shared.split_once('/')) {
            Some((group, filter)) => format!("$share/{0}{group}/{0}/{filter}", self.prefix),
            None => format!("{}/{text}", self.prefix),
        }
    }

    fn reference(&self, name: &str) -> Result<String, ScriptError> {
        let (name, added) = name.split_once('+').unwrap_or((name, "0"));
        let value = self.captured(name).ok_or_else(|| ScriptError::NotCaptured(name.to_owned()))?;
        match parse_number(added)? {
            0 => Ok(value.to_owned()),
            added => Ok((parse_number(value)? + added).to_string()),
        }
    }
}

/// Keys whose values may begin with a dollar sign of their own.
fn is_name(key: &str) -> bool {
    matches!(key, "topic" | "filter" | "will_topic" | "response" | "will_response" | "payload")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_apart_by_their_prefix() {
        let mut scope = Scope::new("P".to_owned());
        scope.capture("max", "10");
        let table = [
            ("topic", "t", "P/t"),
            ("topic", "^$x/{p}", "$x/P"),
            ("filter", "$share/g/+/t", "$share/Pg/P/+/t"),
            ("client_id", "c", "Pc"),
            ("client_id", "", ""),
            ("payload", "t", "t"),
            ("payload", "times:3:ab", "ababab"),
            ("alias", "$max+1", "11"),
            ("alias", "$max", "10"),
        ];
        for (key, written, expected) in table {
            assert_eq!(scope.value(key, written).unwrap(), expected);
        }
        assert_eq!(scope.value("id", "$no"), Err(ScriptError::NotCaptured("no".to_owned())));
    }
}
