use super::{Papers, give, is_root, run};
use crate::{Authority, Folder, Foreign, free_port, program};

/// A MariaDB with the user `plexus` and the database `mqtt`. It speaks TLS to whoever wants it.
#[derive(Debug)]
pub struct MariaDb {
    server: Option<Foreign>,
    folder: Folder,
    papers: Papers,
    port: u16,
}

impl MariaDb {
    /// A new one.
    pub fn start() -> Self {
        let folder = Folder::new();
        let papers = Papers::new(&folder);
        let mut maria = Self { server: None, folder, papers, port: free_port() };
        if is_root() {
            give(maria.folder.path(), "mysql");
        }
        let mut words = maria.words();
        words.extend(
            ["--auth-root-authentication-method=normal", "--skip-test-db"].map(str::to_owned),
        );
        run(&program("mariadb-install-db", &[]), &words);
        maria.again();
        maria.does(
            "CREATE DATABASE mqtt; CREATE USER plexus@'%' IDENTIFIED BY 'hunter2'; \
             GRANT ALL ON mqtt.* TO plexus@'%'",
        );
        maria
    }

    fn words(&self) -> Vec<String> {
        let data = self.folder.path().join("data");
        let mut words = vec!["--no-defaults".to_owned(), format!("--datadir={}", data.display())];
        words.extend(is_root().then(|| "--user=mysql".to_owned()));
        words
    }

    fn socket(&self) -> String {
        format!("--socket={}", self.folder.path().join("socket").display())
    }

    /// Starts it where it was, with what it had.
    pub fn again(&mut self) {
        let mut words = self.words();
        let papers = &self.papers;
        words.extend([
            self.socket(),
            format!("--port={}", self.port),
            "--bind-address=127.0.0.1".to_owned(),
            "--innodb-flush-log-at-trx-commit=0".to_owned(),
            format!("--ssl-cert={}", papers.certificate.display()),
            format!("--ssl-key={}", papers.key.display()),
        ]);
        let server = program("mariadbd", &[]);
        self.server = Some(Foreign::start(&server, &words, "ready for connections"));
    }

    /// Ends it in order.
    pub fn kill(&mut self) {
        self.server.take().expect("it runs").stop("TERM");
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
        let socket = self.socket();
        run(&program("mariadb", &[]), &["--no-defaults", &socket, "--user=root", "-e", text]);
    }
}
