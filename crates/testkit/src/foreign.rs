use std::{
    env, fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

/// Where servers stand that are not on everybody's `PATH`.
const SYSTEM_FOLDERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// A server of others that a test has started. It ends with the test.
#[derive(Debug)]
pub struct Foreign(Child);

/// A folder that lives as long as its test.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Foreign {
    /// Starts a server and waits until it has said that it is ready.
    pub fn start(program: &Path, arguments: &[String], ready: &str) -> Self {
        // What it says is in one stream, and it is the process itself that gets the signals.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$@\" 2>&1", "sh"])
            .arg(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell runs");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut said = String::new();
        for line in lines.by_ref() {
            let line = line.unwrap_or_default();
            if line.contains(ready) {
                // It never waits for somebody who reads.
                drop(thread::spawn(move || lines.for_each(drop)));
                return Self(child);
            }
            said.extend([line.as_str(), "\n"]);
        }
        let status = child.wait();
        panic!("{} did not start ({status:?}): {said}", program.display());
    }

    /// Sends it a signal by its name: `STOP` makes it deaf, `CONT` wakes it.
    pub fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status().expect("kill runs");
        assert!(sent.success(), "signal {name}");
    }

    /// Sends it that signal and waits for its end.
    pub fn stop(mut self, signal: &str) {
        self.signal(signal);
        drop(self.0.wait());
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // Already ended is as good.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Folder {
    /// An empty folder.
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("plexus-foreign-{}-{number}", std::process::id()));
        fs::create_dir(&path).expect("a folder of the test");
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// The program of that name, in one of these folders or on the `PATH`.
pub fn program(name: &str, folders: &[PathBuf]) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let usual = env::split_paths(&path).chain(SYSTEM_FOLDERS.map(PathBuf::from));
    let mut places = folders.iter().cloned().chain(usual).map(|folder| folder.join(name));
    let found = places.find(|place| place.is_file());
    found.unwrap_or_else(|| panic!("{name} is not there; cargo xtask test installs it"))
}

/// A port of loopback that nobody has a moment ago, for servers that take none by themselves.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port of loopback");
    listener.local_addr().expect("bound").port()
}
