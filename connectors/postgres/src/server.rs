use std::fmt;

use plexus_admission::{Fields, Inquiry, Server, Trouble};
use plexus_runtime::{Handle, Line};

use crate::Session;

/// How a PostgreSQL is asked.
pub struct PostgresOptions {
    /// Where it is.
    pub line: Line,
    /// The database.
    pub database: String,
    /// The role of the node there.
    pub user: String,
    /// Its password.
    pub password: Option<String>,
}

/// Shows no password.
impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresOptions").field("line", &self.line).finish_non_exhaustive()
    }
}

/// A PostgreSQL.
#[derive(Debug)]
pub struct Postgres {
    options: PostgresOptions,
    runtime: Handle,
}

impl Postgres {
    /// One that is asked so.
    pub fn new(options: PostgresOptions, runtime: &Handle) -> Self {
        Self { options, runtime: runtime.clone() }
    }
}

impl Server for Postgres {
    type Session = Session;
    type Question = Inquiry;
    type Found = Vec<Fields>;

    async fn open(&self) -> Result<Session, Trouble> {
        Session::open(&self.options, &self.runtime).await
    }

    fn is_over(session: &Session) -> bool {
        session.is_over()
    }

    async fn ask(&self, session: &mut Session, question: &Inquiry) -> Result<Vec<Fields>, Trouble> {
        session.records(question).await
    }
}
