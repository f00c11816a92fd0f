use std::{
    io::{Read, Write},
    net::TcpStream,
};

use super::{NODE_PASSWORD, Papers};
use crate::{Authority, Folder, Foreign, free_port, program};

/// A Redis.
#[derive(Debug)]
pub struct Redis {
    server: Option<Foreign>,
    folder: Folder,
    papers: Option<Papers>,
    port: u16,
    secure_port: u16,
}

impl Redis {
    /// One that speaks clear text only.
    pub fn start() -> Self {
        Self::new(|_| None)
    }

    /// One that speaks TLS, too.
    pub fn start_secure() -> Self {
        Self::new(|folder| Some(Papers::new(folder)))
    }

    fn new(papers: impl FnOnce(&Folder) -> Option<Papers>) -> Self {
        let folder = Folder::new();
        let papers = papers(&folder);
        let [port, secure_port] = [free_port(), free_port()];
        let mut redis = Self { server: None, folder, papers, port, secure_port };
        redis.again();
        redis
    }

    /// Starts it where it was, with what it had.
    pub fn again(&mut self) {
        let folder = self.folder.path().display().to_string();
        let [port, secure_port] = [self.port, self.secure_port].map(|port| port.to_string());
        let mut words = vec!["--bind", "127.0.0.1", "--port", &port, "--dir", &folder];
        words.extend(["--appendonly", "yes", "--requirepass", NODE_PASSWORD, "--daemonize", "no"]);
        let mut words: Vec<_> = words.into_iter().map(str::to_owned).collect();
        if let Some(papers) = &self.papers {
            let more = ["--tls-port", &secure_port, "--tls-auth-clients", "no"];
            words.extend(more.map(str::to_owned));
            for (word, path) in [
                ("--tls-cert-file", papers.certificate.as_path()),
                ("--tls-key-file", &papers.key),
                ("--tls-ca-cert-file", papers.authority.file()),
            ] {
                words.extend([word.to_owned(), path.display().to_string()]);
            }
        }
        let redis = program("redis-server", &[]);
        self.server = Some(Foreign::start(&redis, &words, "Ready to accept connections"));
    }

    /// Ends it.
    pub fn kill(&mut self) {
        drop(self.server.take());
    }

    /// The port for clear text.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The port for TLS.
    pub fn secure_port(&self) -> u16 {
        self.secure_port
    }

    /// Who vouches for it.
    pub fn authority(&self) -> &Authority {
        &self.papers.as_ref().expect("it speaks TLS").authority
    }

    /// Has commands done in their simple form.
    pub fn does(&self, commands: &[&str]) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it is there");
        for command in [&["AUTH hunter2"], commands].concat() {
            stream.write_all(format!("{command}\r\n").as_bytes()).expect("sent");
            let mut answer = [0; 64];
            let length = stream.read(&mut answer).expect("an answer");
            assert_ne!(answer.first().filter(|_| length > 0), Some(&b'-'), "{command}");
        }
    }
}
