use std::{fs, path::PathBuf};

use super::{NODE_PASSWORD, Papers, as_user, give, run};
use crate::{Authority, Folder, Foreign, free_port, program};

/// A PostgreSQL whose only role is `plexus`, in the database `postgres`. It speaks TLS to whoever wants it.
#[derive(Debug)]
pub struct Postgres {
    server: Option<Foreign>,
    folder: Folder,
    papers: Papers,
    port: u16,
}

/// A program of it, run by somebody who is not root.
fn own(name: &str) -> (PathBuf, Vec<String>) {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.reverse();
    as_user("postgres", program(name, &folders))
}

impl Postgres {
    /// A new one.
    pub fn start() -> Self {
        let folder = Folder::new();
        let papers = Papers::new(&folder);
        let mut postgres = Self { server: None, folder, papers, port: free_port() };
        let folder = postgres.folder.path();
        fs::write(folder.join("password"), NODE_PASSWORD).expect("a file of the test");
        give(folder, "postgres");
        let (initdb, mut words) = own("initdb");
        let more = ["-U", "plexus", "-A", "scram-sha-256", "--no-sync", "--locale=C", "-E", "UTF8"];
        words.extend(more.map(str::to_owned));
        words.push(format!("--pwfile={}", folder.join("password").display()));
        words.push(format!("--pgdata={}", folder.join("data").display()));
        run(&initdb, &words);
        postgres.again();
        postgres
    }

    /// Starts it where it was, with what it had.
    pub fn again(&mut self) {
        let (server, mut words) = own("postgres");
        let folder = self.folder.path();
        let port = self.port.to_string();
        let (data, sockets) = (folder.join("data"), folder.display().to_string());
        let data = data.display().to_string();
        let more = ["-D", &data, "-p", &port, "-k", &sockets, "-h", "127.0.0.1"];
        words.extend(more.map(str::to_owned));
        let (certificate, key) = (self.papers.certificate.display(), self.papers.key.display());
        for option in [
            "fsync=off".to_owned(),
            "ssl=on".to_owned(),
            format!("ssl_cert_file={certificate}"),
            format!("ssl_key_file={key}"),
        ] {
            words.extend(["-c".to_owned(), option]);
        }
        self.server =
            Some(Foreign::start(&server, &words, "database system is ready to accept connections"));
    }

    /// In order, so that what it shares with its children is freed.
    pub fn kill(&mut self) {
        self.server.take().expect("it runs").stop("INT");
    }

    /// Where it is.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Who vouches for it.
    pub fn authority(&self) -> &Authority {
        &self.papers.authority
    }

    /// Has statements done.
    pub fn does(&self, text: &str) {
        let port = self.port.to_string();
        let words = ["-h", "127.0.0.1", "-p", &port, "-U", "plexus", "-d", "postgres", "-v"];
        run(&program("psql", &[]), &[&words[..], &["ON_ERROR_STOP=1", "-c", text]].concat());
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop("INT");
        }
    }
}
