//! A connection to the server, with the queries that are prepared there.

use std::{error::Error, fmt, io, sync::Arc};

use futures_util::TryStreamExt;
use plexus_admission::{Fields, Inquiry, Trouble};
use plexus_runtime::{Duplex, Handle, Task};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_postgres::{
    Client, Config, NoTls, Row, Statement,
    config::SslMode,
    types::{FromSql, Kind, Type},
};

use crate::PostgresOptions;

/// Asks whether TLS is spoken (section 54.2.11 of the protocol).
const TLS_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F];

/// A connection.
pub struct Session {
    client: Client,
    /// Each query that was asked on it, prepared.
    prepared: Vec<(Arc<str>, Statement)>,
    _driver: Task,
}

impl Session {
    pub(crate) async fn open(options: &PostgresOptions, runtime: &Handle) -> Result<Self, Trouble> {
        let stream = dial(options).await.map_err(|error| Trouble::Failed(error.to_string()))?;
        let mut login = Config::new();
        login
            .user(&options.user)
            .dbname(&options.database)
            .application_name("plexus")
            .ssl_mode(SslMode::Disable);
        if let Some(password) = &options.password {
            login.password(password);
        }
        let made = login.connect_raw(stream, NoTls).await;
        let (client, driver) = made.map_err(|error| failed(&error))?;
        let driver = runtime.own(async move {
            // What ends it is told to whoever asks on it.
            drop(driver.await);
        });
        Ok(Self { client, prepared: Vec::new(), _driver: driver })
    }

    pub(crate) fn is_over(&self) -> bool {
        self.client.is_closed()
    }

    pub(crate) async fn records(&mut self, inquiry: &Inquiry) -> Result<Vec<Fields>, Trouble> {
        let statement = self.prepare(inquiry).await?;
        let rows = self.client.query_raw(&statement, &inquiry.values).await;
        let mut rows = std::pin::pin!(rows.map_err(|error| failed(&error))?);
        let mut records = Vec::new();
        while records.len() < inquiry.count_max
            && let Some(row) = rows.try_next().await.map_err(|error| failed(&error))?
        {
            records.push(fields_of(&row)?);
        }
        Ok(records)
    }

    async fn prepare(&mut self, inquiry: &Inquiry) -> Result<Statement, Trouble> {
        if let Some((_, statement)) = self.prepared.iter().find(|(text, _)| *text == inquiry.text) {
            return Ok(statement.clone());
        }
        let types = vec![Type::TEXT; inquiry.values.len()];
        let statement = self.client.prepare_typed(&inquiry.text, &types).await;
        let statement = statement.map_err(|error| failed(&error))?;
        self.prepared.push((Arc::clone(&inquiry.text), statement.clone()));
        Ok(statement)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

async fn dial(options: &PostgresOptions) -> io::Result<Box<dyn Duplex>> {
    let mut stream = options.line.dial().await?;
    if options.line.is_secure() {
        stream.write_all(&TLS_REQUEST).await?;
        if stream.read_u8().await? != b'S' {
            return Err(io::Error::other("it does not speak TLS"));
        }
    }
    options.line.secure(stream).await
}

fn fields_of(row: &Row) -> Result<Fields, Trouble> {
    let mut fields = Fields::new();
    for (at, column) in row.columns().iter().enumerate() {
        let value = row.try_get::<_, Option<AsText>>(at);
        let value = value.map_err(|_| {
            let (name, kind) = (column.name(), column.type_());
            Trouble::Nonsense(format!("`{name}` is of the type {kind}; read it as text"))
        })?;
        fields.extend(value.map(|AsText(text)| (column.name().to_owned(), text)));
    }
    Ok(fields)
}

/// A value of a simple type as its text.
struct AsText(String);

impl<'a> FromSql<'a> for AsText {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(match *kind {
            Type::BOOL => bool::from_sql(kind, raw)?.to_string(),
            Type::INT2 => i16::from_sql(kind, raw)?.to_string(),
            Type::INT4 => i32::from_sql(kind, raw)?.to_string(),
            Type::INT8 => i64::from_sql(kind, raw)?.to_string(),
            // Blanks fill it up to its length.
            Type::BPCHAR => String::from_sql(kind, raw)?.trim_end().to_owned(),
            _ => std::str::from_utf8(raw)?.to_owned(),
        }))
    }

    fn accepts(kind: &Type) -> bool {
        let is_named = matches!(kind.kind(), Kind::Enum(_));
        let simple = [Type::BOOL, Type::INT2, Type::INT4, Type::INT8, Type::BPCHAR];
        let texts = [Type::TEXT, Type::VARCHAR, Type::NAME, Type::UNKNOWN];
        is_named || simple.contains(kind) || texts.contains(kind)
    }
}

/// What the server said of it is more than that there was an error.
fn failed(error: &tokio_postgres::Error) -> Trouble {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    let said = error.to_string();
    let said = if said.ends_with(&cause) { said } else { format!("{said}{cause}") };
    // A value that cannot be one of its texts (class 22) is the client's, and no failure of the server.
    match error.code() {
        Some(code) if code.code().starts_with("22") => Trouble::Nonsense(said),
        _ => Trouble::Failed(said),
    }
}
