//! Commands with places.

use plexus_access::{Credentials, Template, TemplateError, TemplatePart};
use redis::Cmd;

/// A command that reads a hash. Each word of it is one argument, whatever stands in its places.
#[derive(Debug, Clone)]
pub struct Command {
    words: Vec<Template>,
    /// The fields that are asked for; none for all of them.
    fields: Option<Vec<String>>,
}

/// Why a text is no such command.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Another command.
    #[error("is neither `HMGET key field …` nor `HGETALL key`")]
    Shape,
    /// The name of a field with a place in it.
    #[error("has a place in the name of a field")]
    Field,
    /// A place that nobody can fill.
    #[error("{0}")]
    Template(#[from] TemplateError),
}

impl Command {
    /// Reads `HMGET key field …` or `HGETALL key`.
    pub fn parse(text: &str) -> Result<Self, CommandError> {
        let words: Vec<_> = text.split_whitespace().collect();
        let fields = match words.as_slice() {
            [command, _] if command.eq_ignore_ascii_case("HGETALL") => None,
            [command, _, fields @ ..]
                if command.eq_ignore_ascii_case("HMGET") && !fields.is_empty() =>
            {
                Some(fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>())
            }
            _ => return Err(CommandError::Shape),
        };
        if fields.iter().flatten().any(|field| field.contains("${")) {
            return Err(CommandError::Field);
        }
        let words = words.into_iter().map(Template::parse).collect::<Result<_, _>>()?;
        Ok(Self { words, fields })
    }

    /// The fields that are asked for; none for all of them.
    pub(crate) fn fields(&self) -> Option<&[String]> {
        self.fields.as_deref()
    }

    /// Its parts.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &TemplatePart> {
        self.words.iter().flat_map(Template::parts)
    }

    /// The command for these credentials; none where they do not show what has a place.
    pub(crate) fn fill(&self, credentials: &Credentials) -> Option<Cmd> {
        let mut command = Cmd::new();
        for word in &self.words {
            command.arg(word.fill(credentials, |text, to| to.push_str(text))?);
        }
        Some(command)
    }
}

#[cfg(test)]
mod tests {
    use plexus_access::Credentials;
    use plexus_types::{ClientId, Text};

    use super::{Command, CommandError};

    #[test]
    fn a_value_is_one_argument_whatever_it_is() {
        let command = Command::parse("HMGET  u:${username} password_hash salt").unwrap();
        let credentials = Credentials {
            client_id: ClientId::try_from("c").unwrap(),
            user_name: Some(Text::try_from("a b\r\nFLUSHALL ${clientid}").unwrap()),
            password: None,
            peer: None,
            listener: "l".into(),
            tenant: None,
            certificate: None,
            enhanced: None,
            wanted: None,
            gate: plexus_access::Gate::default(),
        };
        let packed = command.fill(&credentials).unwrap().get_packed_command();
        let key = "u:a b\r\nFLUSHALL ${clientid}";
        let wanted = format!(
            "*4\r\n$5\r\nHMGET\r\n${}\r\n{key}\r\n$13\r\npassword_hash\r\n$4\r\nsalt\r\n",
            key.len()
        );
        assert_eq!(String::from_utf8(packed).unwrap(), wanted);
        assert!(command.fill(&Credentials { user_name: None, ..credentials }).is_none());
    }

    #[test]
    fn only_what_reads_a_hash_is_a_command() {
        for text in ["", "GET a", "HMGET a", "HGETALL", "HGETALL a b", "FLUSHALL", "HSET a b c"] {
            assert_eq!(Command::parse(text).unwrap_err(), CommandError::Shape, "{text}");
        }
        assert_eq!(Command::parse("HMGET a ${username}").unwrap_err(), CommandError::Field);
        assert!(matches!(Command::parse("HGETALL ${user}"), Err(CommandError::Template(_))));
        assert!(Command::parse("hgetall a:${clientid}").unwrap().fields().is_none());
    }
}
