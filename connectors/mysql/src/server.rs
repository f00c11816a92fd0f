use std::fmt;

use plexus_admission::{Fields, Inquiry, Server, Trouble};
use plexus_runtime::Line;

use crate::Session;

/// How a MySQL is asked.
pub struct MysqlOptions {
    /// Where it is.
    pub line: Line,
    /// The database.
    pub database: String,
    /// The user of the node there.
    pub user: String,
    /// Its password.
    pub password: Option<String>,
}

/// Shows no password.
impl fmt::Debug for MysqlOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MysqlOptions").field("line", &self.line).finish_non_exhaustive()
    }
}

/// A MySQL or MariaDB.
#[derive(Debug)]
pub struct Mysql(MysqlOptions);

impl Mysql {
    /// One that is asked so.
    pub fn new(options: MysqlOptions) -> Self {
        Self(options)
    }
}

impl Server for Mysql {
    type Session = Session;
    type Question = Inquiry;
    type Found = Vec<Fields>;

    async fn open(&self) -> Result<Session, Trouble> {
        Session::open(&self.0).await
    }

    fn is_over(session: &Session) -> bool {
        session.is_over()
    }

    async fn ask(&self, session: &mut Session, question: &Inquiry) -> Result<Vec<Fields>, Trouble> {
        session.records(question).await
    }
}
