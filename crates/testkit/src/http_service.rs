use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

/// What an [`HttpService`] does with the next requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// It sends these bytes and closes.
    Says(Vec<u8>),
    /// It reads the request and never answers.
    Silent,
}

impl Manner {
    /// An answer with that status, such as `200 OK`, and that body.
    pub fn answer(status: &str, body: &str) -> Self {
        let length = body.len();
        let head = "Content-Type: application/json\r\nConnection: close";
        let text = format!("HTTP/1.1 {status}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}");
        Self::Says(text.into_bytes())
    }

    /// A redirection to there.
    pub fn redirect(location: &str) -> Self {
        let text = format!(
            "HTTP/1.1 302 Found\r\nLocation: {location}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        );
        Self::Says(text.into_bytes())
    }
}

/// A request as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The request line and the header fields, in lines.
    pub head: String,
    /// The body as text.
    pub body: String,
    /// The body.
    pub bytes: Vec<u8>,
}

/// A service of HTTP/1.1 on loopback that does what a test says. It can be killed, and come back at
/// the same address.
#[derive(Debug)]
pub struct HttpService {
    address: SocketAddr,
    shared: Arc<Shared>,
    door: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    manner: Manner,
    heard: Vec<Heard>,
    is_open: bool,
    /// Connections that get no answer; dropped with the service.
    silent: Vec<TcpStream>,
}

impl HttpService {
    /// A service at a free port.
    pub fn start(manner: Manner) -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0)), manner)
    }

    fn at(address: SocketAddr, manner: Manner) -> Self {
        let listener = TcpListener::bind(address).expect("a port of loopback");
        let address = listener.local_addr().expect("bound");
        let state = State { manner, heard: Vec::new(), is_open: true, silent: Vec::new() };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let inner = Arc::clone(&shared);
        let door = thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if !inner.lock().is_open {
                    break;
                }
                let inner = Arc::clone(&inner);
                // Each by itself, so that a silent one holds up nobody.
                drop(thread::spawn(move || drop(serve(stream, &inner))));
            }
        });
        Self { address, shared, door: Some(door) }
    }

    /// Where it is, such as `http://127.0.0.1:4711`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Does that from now on.
    pub fn set(&self, manner: Manner) {
        self.shared.lock().manner = manner;
    }

    /// Waits for that many requests, and gives all of them.
    pub fn heard(&self, count: usize) -> Vec<Heard> {
        let mut state = self.shared.lock();
        while state.heard.len() < count {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.heard.clone()
    }

    /// How many requests have come.
    pub fn count(&self) -> usize {
        self.shared.lock().heard.len()
    }

    /// Ends it: nobody is there any more. [`Dead::again`] brings it back.
    pub fn kill(mut self) -> Dead {
        self.end();
        Dead(self.address)
    }

    fn end(&mut self) {
        let mut state = self.shared.lock();
        state.is_open = false;
        state.silent.clear();
        drop(state);
        // Wakes the door, which sees that it is closed.
        drop(TcpStream::connect(self.address));
        if let Some(door) = self.door.take() {
            drop(door.join());
        }
    }
}

impl Drop for HttpService {
    fn drop(&mut self) {
        if self.door.is_some() {
            self.end();
        }
    }
}

/// A service that was killed.
#[derive(Debug)]
pub struct Dead(SocketAddr);

impl Dead {
    /// The service again, where it was.
    pub fn again(self, manner: Manner) -> HttpService {
        HttpService::at(self.0, manner)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn serve(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let lower = head.to_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut state = shared.lock();
    state.heard.push(Heard {
        head,
        body: String::from_utf8_lossy(&body).into_owned(),
        bytes: body,
    });
    let manner = state.manner.clone();
    let mut stream = reader.into_inner();
    match manner {
        Manner::Silent => state.silent.push(stream),
        Manner::Says(bytes) => {
            drop(state);
            stream.write_all(&bytes)?;
        }
    }
    shared.changed.notify_all();
    Ok(())
}
