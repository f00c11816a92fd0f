//! Runs the program in a directory of its own.

use std::{
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// An empty directory that is gone when the test ends.
#[derive(Debug)]
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("plexus-it-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a new directory");
        Self(path)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).expect("a file");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).expect("a file")
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The program, to be started here and without the environment of the tests.
    pub(crate) fn plexus<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plexus"));
        command.args(args).current_dir(&self.0).env_clear();
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Ended {
        run(&mut self.plexus(args), b"")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stdout, "", "nothing but errors");
        self.stderr
    }
}

/// Runs a command to its end with that input.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Ended {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    // The program may end without reading.
    drop(child.stdin.take().expect("piped").write_all(input));
    let output = child.wait_with_output().expect("the program ends");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// A node that is stopped when the test ends.
#[derive(Debug)]
pub(crate) struct Node {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
    log: String,
    pub(crate) urls: Vec<String>,
}

impl Node {
    /// Starts a node and waits until it is ready.
    pub(crate) fn start(place: &Place, args: &[&str]) -> Self {
        let mut command = place.plexus(["serve", "--print-listeners", "--set", "node.shards=1"]);
        command.args(args);
        Self::start_command(&mut command)
    }

    /// Starts a node that prints its listeners, and waits until it is ready.
    pub(crate) fn start_command(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut urls = Vec::new();
        loop {
            let mut line = String::new();
            let read = stdout.read_line(&mut line).expect("stdout");
            match line.trim_end().split_once(' ') {
                Some(("listening", url)) => urls.push(url.to_owned()),
                None if line == "ready\n" => break,
                _ => {
                    let mut log = String::new();
                    drop(stderr.read_to_string(&mut log));
                    panic!("no ready line but {read} bytes {line:?}: {log}");
                }
            }
        }
        Self { child, stdout, stderr, log: String::new(), urls }
    }

    /// The port of the first listener.
    pub(crate) fn port(&self) -> &str {
        let url = self.urls.first().expect("a listener");
        url.trim_end_matches("/mqtt").rsplit(':').next().expect("a port")
    }

    /// Whether it has not ended yet.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it can be asked").is_none()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let kill = Command::new("kill").args(["-s", name, &pid]).status().expect("kill runs");
        assert!(kill.success(), "signal {name}");
    }

    /// Sends SIGHUP and waits for the record that says it was obeyed, which is given.
    pub(crate) fn reload(&mut self) -> String {
        self.signal("HUP");
        self.record("read anew")
    }

    /// Waits for a record of the log with these words in it, which is given.
    pub(crate) fn record(&mut self, words: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.stderr.read_line(&mut line).expect("UTF-8");
            assert_ne!(read, 0, "the node ended: {}", self.log);
            self.log.push_str(&line);
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Stops the node in order; gives its log.
    pub(crate) fn stop(mut self) -> Ended {
        self.signal("TERM");
        self.ended()
    }

    /// Waits for the end.
    pub(crate) fn ended(&mut self) -> Ended {
        let mut stderr = std::mem::take(&mut self.log);
        self.stderr.read_to_string(&mut stderr).expect("UTF-8");
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).expect("UTF-8");
        let code = self.child.wait().expect("the node ends").code();
        Ended { code, stdout, stderr }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
