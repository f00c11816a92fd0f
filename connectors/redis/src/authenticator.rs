use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use plexus_access::{Credentials, PasswordScheme, Rules, TemplatePart};
use plexus_admission::{
    Answer, Asking, Authenticator, Fields, PasswordCheck, StoredUser, Trouble, rules_of,
};
use plexus_runtime::{Handle, Line, Task};
use redis::{
    AsyncConnectionConfig, Cmd, ProtocolVersion, RedisConnectionInfo, RedisError, Value,
    aio::MultiplexedConnection,
};
use serde_json::{Map, json};

use crate::Command;

/// How a Redis is asked.
pub struct RedisOptions {
    /// Where it is.
    pub line: Line,
    /// Its user, where it has users.
    pub user: Option<String>,
    /// The password that it wants.
    pub password: Option<String>,
    /// The number of the database.
    pub database: u32,
    /// What reads `password_hash`, `salt` and `is_superuser` of a user.
    pub command: Command,
    /// What reads the rules of a user: fields are topics, values what is allowed there.
    pub rules: Option<Command>,
    /// How passwords are stored.
    pub scheme: PasswordScheme,
}

/// Shows no password.
impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions").field("line", &self.line).finish_non_exhaustive()
    }
}

/// A Redis that is asked about each client, all on one connection.
pub struct RedisAuthenticator {
    options: RedisOptions,
    check: PasswordCheck,
    runtime: Handle,
    open: Mutex<Option<Arc<Open>>>,
}

/// A connection, with what moves its bytes.
struct Open {
    connection: MultiplexedConnection,
    _driver: Task,
}

/// A question that is under way. Where it is given up, so is the connection: what does not answer one does
/// not answer others.
struct UnderWay<'a> {
    asked: &'a RedisAuthenticator,
    open: Arc<Open>,
    is_answered: bool,
}

impl RedisAuthenticator {
    /// A Redis that is asked so. It is connected to when the first client comes.
    pub fn new(options: RedisOptions, runtime: &Handle) -> Self {
        let check = PasswordCheck::new(options.scheme, runtime.clone());
        Self { options, check, runtime: runtime.clone(), open: Mutex::new(None) }
    }

    fn parts(&self) -> impl Iterator<Item = &TemplatePart> {
        let rules = self.options.rules.iter().flat_map(Command::parts);
        self.options.command.parts().chain(rules)
    }

    async fn asked(
        &self,
        command: Cmd,
        credentials: &mut Credentials,
        password: bytes::Bytes,
    ) -> Result<Answer, Trouble> {
        let fields = self.fields_of(&command, self.options.command.fields()).await?;
        let rules = self.options.rules.as_ref();
        let rules = StoredUser::named(&fields, credentials, |named| rules?.fill(named));
        let rules = match rules {
            Some(command) if fields.contains_key("password_hash") => {
                Some(self.rules_of(&command).await?)
            }
            _ => None,
        };
        self.check.judge(StoredUser::of_fields(fields, rules), password).await
    }

    async fn rules_of(&self, command: &Cmd) -> Result<Rules, Trouble> {
        let names = self.options.rules.as_ref().and_then(Command::fields);
        read_rules(&self.fields_of(command, names).await?)
    }

    /// The fields of a hash. A connection that broke while nobody used it is replaced once.
    async fn fields_of(&self, command: &Cmd, names: Option<&[String]>) -> Result<Fields, Trouble> {
        let kept = lock(&self.open).clone();
        if let Some(open) = kept {
            match self.send(open, command).await {
                Err(error) if is_broken(&error) => {}
                answered => return read_fields(answered, names),
            }
        }
        let open = Arc::new(self.connect().await?);
        *lock(&self.open) = Some(Arc::clone(&open));
        read_fields(self.send(open, command).await, names)
    }

    async fn send(&self, open: Arc<Open>, command: &Cmd) -> Result<Value, RedisError> {
        let mut connection = open.connection.clone();
        let mut under_way = UnderWay { asked: self, open, is_answered: false };
        let answered = command.query_async::<Value>(&mut connection).await;
        under_way.is_answered = answered.as_ref().err().is_none_or(|error| !is_broken(error));
        answered
    }

    async fn connect(&self) -> Result<Open, Trouble> {
        let failed = |error: &dyn fmt::Display| Trouble::Failed(error.to_string());
        let options = &self.options;
        let stream = options.line.open().await.map_err(|error| failed(&error))?;
        let mut login = RedisConnectionInfo::default()
            .set_db(options.database.into())
            .set_protocol(ProtocolVersion::RESP2)
            .set_skip_set_lib_name();
        if let Some(user) = &options.user {
            login = login.set_username(user);
        }
        if let Some(password) = &options.password {
            login = login.set_password(password);
        }
        // Who asks has a time of its own.
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let made = MultiplexedConnection::new_with_config(&login, stream, config).await;
        let (connection, driver) = made.map_err(|error| failed(&error))?;
        Ok(Open { connection, _driver: self.runtime.own(driver) })
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut open = lock(&self.asked.open);
        if !self.is_answered && open.as_ref().is_some_and(|it| Arc::ptr_eq(it, &self.open)) {
            *open = None;
        }
    }
}

/// Whether nothing more comes on that connection.
fn is_broken(error: &RedisError) -> bool {
    error.is_io_error() || error.is_unrecoverable_error() || error.is_connection_dropped()
}

fn read_fields(
    answered: Result<Value, RedisError>,
    names: Option<&[String]>,
) -> Result<Fields, Trouble> {
    let values = match answered {
        Ok(Value::Array(values)) => values,
        Ok(_) => return Err(Trouble::Nonsense("no list of fields".to_owned())),
        // A wrong key or a right that is missing: it is there, but says nothing.
        Err(error) if !is_broken(&error) => return Err(Trouble::Nonsense(error.to_string())),
        Err(error) => return Err(Trouble::Failed(error.to_string())),
    };
    let texts = values.into_iter().map(text_of).collect::<Result<Vec<_>, _>>()?;
    let mut fields = Fields::new();
    match names {
        Some(names) if names.len() != texts.len() => {
            return Err(Trouble::Nonsense("another number of fields".to_owned()));
        }
        Some(names) => {
            for (name, text) in names.iter().zip(texts) {
                fields.extend(text.map(|text| (name.clone(), text)));
            }
        }
        None => {
            let mut texts = texts.into_iter();
            while let Some(name) = texts.next() {
                let (Some(name), Some(Some(text))) = (name, texts.next()) else {
                    return Err(Trouble::Nonsense("a field without a value".to_owned()));
                };
                fields.insert(name, text);
            }
        }
    }
    Ok(fields)
}

fn text_of(value: Value) -> Result<Option<String>, Trouble> {
    match value {
        Value::Nil => Ok(None),
        Value::Int(number) => Ok(Some(number.to_string())),
        Value::SimpleString(text) => Ok(Some(text)),
        Value::BulkString(bytes) => String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| Trouble::Nonsense("a field that is no text".to_owned())),
        _ => Err(Trouble::Nonsense("a field that is no text".to_owned())),
    }
}

/// `publish`, `subscribe` or `all` for each topic, or an object with `action`, `qos` and `retain`.
fn read_rules(fields: &Fields) -> Result<Rules, Trouble> {
    let rules = fields.iter().map(|(topic, action)| {
        let own = serde_json::from_str::<Map<_, _>>(action);
        let mut rule = own.unwrap_or_else(|_| Map::from_iter([("action".into(), json!(action))]));
        rule.insert("permission".into(), json!("allow"));
        rule.insert("topic".into(), json!(topic));
        serde_json::Value::Object(rule)
    });
    rules_of(&rules.collect()).map_err(|error| Trouble::Nonsense(error.to_string()))
}

impl Authenticator for RedisAuthenticator {
    fn concerns(&self, credentials: &Credentials) -> bool {
        credentials.enhanced.is_none()
            && credentials.password.is_some()
            && self.parts().all(is_shown(credentials))
    }

    fn ask<'a>(&'a self, credentials: &'a mut Credentials) -> Asking<'a> {
        let command = self.options.command.fill(credentials);
        let password = credentials.password.clone();
        Box::pin(async move {
            let (Some(command), Some(password)) = (command, password) else {
                return Ok(Answer::Ignore);
            };
            self.asked(command, credentials, password).await
        })
    }

    fn may_have_rules(&self, credentials: &Credentials) -> bool {
        self.options.rules.as_ref().is_some_and(|rules| rules.parts().all(is_shown(credentials)))
    }

    fn rules<'a>(&'a self, credentials: &'a mut Credentials) -> Asking<'a> {
        let command = self.options.rules.as_ref().and_then(|rules| rules.fill(credentials));
        Box::pin(async move {
            let Some(command) = command else { return Ok(Answer::Ignore) };
            Ok(Answer::of_rules(self.rules_of(&command).await?))
        })
    }
}

/// Whether these credentials have something for a part.
fn is_shown(credentials: &Credentials) -> impl Fn(&TemplatePart) -> bool {
    |part| match part {
        TemplatePart::Text(_) => true,
        TemplatePart::Shown(shown) => shown.of(credentials).is_some(),
    }
}

impl fmt::Debug for RedisAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisAuthenticator")
            .field("line", &self.options.line)
            .finish_non_exhaustive()
    }
}

/// What is under it is whole at every moment, also when somebody panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
