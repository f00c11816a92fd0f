//! A `plexus serve` of its own for each test, on free ports, ended with the test.

use std::{
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

/// How long a step may take before the test gives up on it: a bound of failure, not a measurement.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running broker.
pub(crate) struct Broker {
    child: Child,
    /// The listeners as the broker printed them, in the order of the options.
    pub(crate) urls: Vec<String>,
    /// Files of this test; removed at its end.
    pub(crate) folder: Folder,
}

/// A folder that lives as long as its test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("plexus-outside-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder of the test");
        Self(path)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a file of the test");
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

impl Broker {
    /// One plain listener.
    pub(crate) fn plain() -> Self {
        Self::start(Folder::new(), &["--listen", "tcp://127.0.0.1:0"])
    }

    /// Every kind of listener: tcp, tls, ws, wss, unix, in that order.
    pub(crate) fn all() -> Self {
        let folder = Folder::new();
        let (cert, key) = certificate(&folder);
        let socket = folder.0.join("plexus.sock").display().to_string();
        let tls = format!("tls = {{ cert_file = {cert:?}, key_file = {key:?} }}");
        let mut text = String::new();
        for (name, url, tls) in [
            ("tcp", "tcp://127.0.0.1:0".to_owned(), ""),
            ("tls", "tls://127.0.0.1:0".to_owned(), tls.as_str()),
            ("ws", "ws://127.0.0.1:0/mqtt".to_owned(), ""),
            ("wss", "wss://127.0.0.1:0/mqtt".to_owned(), tls.as_str()),
            ("unix", format!("unix://{socket}"), ""),
        ] {
            text += &["[[listener]]\nname = \"", name, "\"\nurl = \"", &url, "\"\n", tls, "\n\n"]
                .concat();
        }
        let file = folder.write("plexus.toml", &text);
        Self::start(folder, &["--config", &file])
    }

    /// A broker with that configuration file.
    pub(crate) fn configured(text: &str) -> Self {
        let folder = Folder::new();
        let file = folder.write("plexus.toml", text);
        Self::start(folder, &["--config", &file])
    }

    pub(crate) fn start(folder: Folder, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_plexus"))
            .args(["serve", "--print-listeners", "--data-dir"])
            .arg(folder.0.join("data"))
            .args(arguments)
            // A test waits for what a program promises, not for the disk of its machine.
            .env("PLEXUS__STORE__COMMIT", "os")
            .env("PLEXUS__STORE__SEGMENT_SIZE", "1MiB")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the built binary starts");
        let mut urls = Vec::new();
        let output = child.stdout.take().expect("piped");
        for line in BufReader::new(output).lines() {
            let line = line.expect("text");
            if line == "ready" {
                drain(child.stderr.take().expect("piped"));
                return Self { child, urls, folder };
            }
            urls.extend(line.strip_prefix("listening ").map(str::to_owned));
        }
        // It has closed its output, so it is ending.
        drop(child.wait());
        let mut errors = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut errors).expect("text");
        panic!("the broker did not start: {errors}");
    }

    /// Host and port of the listener with that scheme.
    pub(crate) fn port(&self, scheme: &str) -> u16 {
        let start = format!("{scheme}://");
        let url = self.urls.iter().find(|url| url.starts_with(&start)).expect("such a listener");
        let rest = url.trim_start_matches(&start).split('/').next().expect("host and port");
        rest.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.pid().to_string()])
            .status()
            .expect("kill runs");
        assert!(status.success(), "kill -{name}");
    }

    /// Kills the process as a crash would; its folder stays for the next.
    pub(crate) fn kill(mut self) -> Folder {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
        std::mem::replace(&mut self.folder, Folder::new())
    }

    /// Waits for the end of the process.
    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait().expect("the process ends")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // Already ended is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Reads the log away so that the broker never waits for a full pipe.
fn drain(mut stream: impl Read + Send + 'static) {
    std::thread::spawn(move || {
        drop(std::io::copy(&mut stream, &mut std::io::sink()));
    });
}

fn certificate(folder: &Folder) -> (String, String) {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let cert = folder.write("cert.pem", &made.cert.pem());
    let key = folder.write("key.pem", &made.signing_key.serialize_pem());
    (cert, key)
}

/// The Python that has the clients.
pub(crate) fn python_program() -> String {
    std::env::var_os("PLEXUS_PYTHON")
        .map_or_else(|| "python3".to_owned(), |path| path.to_string_lossy().into_owned())
}

/// Starts a script of `clients/`, whose output is read.
pub(crate) fn python(script: &str, arguments: &[&str]) -> Child {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outside/clients");
    Command::new(python_program())
        .arg(format!("{folder}/{script}"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python runs; cargo xtask test installs it")
}

/// Runs a client program to its end and returns what it printed.
pub(crate) fn run(program: &str, arguments: &[String]) -> String {
    let output =
        Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap_or_else(
            |error| panic!("{program} does not run ({error}); cargo xtask test installs it"),
        );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {}\n{text}{errors}", output.status);
    text
}
