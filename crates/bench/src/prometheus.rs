//! The numbers of a run for Prometheus: the text format, and the smallest server that serves it.

use std::{
    fmt::Write as _,
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{
    counts::{Census, Count},
    director::Progress,
};

/// Bytes of a request that are read.
const REQUEST_MAX: usize = 4 * 1024;
/// How long a reader may take.
const READ_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves the latest numbers until it is dropped.
#[derive(Debug)]
pub struct Exporter {
    address: SocketAddr,
    text: Arc<Mutex<String>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Exporter {
    /// Listens there; port 0 asks the system for a free one.
    pub fn listen(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let text = Arc::new(Mutex::new(String::new()));
        let over = Arc::new(AtomicBool::new(false));
        let (shown, ended) = (Arc::clone(&text), Arc::clone(&over));
        let serve = move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let text = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
                // A reader that goes away has read enough.
                let _ = stream.and_then(|stream| answer(stream, &text));
            }
        };
        let thread = thread::Builder::new().name("prometheus".to_owned()).spawn(serve)?;
        Ok(Self { address, text, over, thread: Some(thread) })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Shows these numbers from now on.
    pub fn show(&self, progress: &Progress) {
        let text = text(progress);
        *self.text.lock().unwrap_or_else(PoisonError::into_inner) = text;
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // The thread waits for a connection: this is the last one.
        let _ = TcpStream::connect_timeout(&self.address, READ_TIMEOUT);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(mut stream: TcpStream, text: &str) -> io::Result<()> {
    stream.set_read_timeout(Some(READ_TIMEOUT))?;
    stream.set_write_timeout(Some(READ_TIMEOUT))?;
    let mut request = Vec::new();
    let mut block = [0; 512];
    while request.len() < REQUEST_MAX && !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut block)? {
            0 => return Ok(()),
            count => request.extend_from_slice(block.get(..count).unwrap_or_default()),
        }
    }
    let known = request.starts_with(b"GET /metrics ") || request.starts_with(b"GET / ");
    let (status, body) = if known { ("200 OK", text) } else { ("404 Not Found", "see /metrics\n") };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// The text format.
pub fn text(progress: &Progress) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    for count in Count::ALL {
        let name = count.name();
        let number = progress.counts.get(*count);
        let _ = writeln!(out, "# TYPE plexus_bench_{name}_total counter");
        let _ = writeln!(out, "plexus_bench_{name}_total {number}");
    }
    for census in Census::ALL {
        let name = census.name();
        let _ = writeln!(out, "# TYPE plexus_bench_connections_{name}_total counter");
        for (index, (group, _)) in progress.groups.iter().enumerate() {
            let number = progress.counts.of(index, *census);
            let group = label(group);
            let _ = writeln!(
                out,
                "plexus_bench_connections_{name}_total{{group=\"{group}\"}} {number}"
            );
        }
    }
    let _ = writeln!(out, "# TYPE plexus_bench_connections gauge");
    for (index, (group, _)) in progress.groups.iter().enumerate() {
        let number = progress.counts.standing(index);
        let _ = writeln!(out, "plexus_bench_connections{{group=\"{}\"}} {number}", label(group));
    }
    let _ = writeln!(out, "# TYPE plexus_bench_seconds gauge");
    for (metric, times) in &progress.times {
        let name = metric.name();
        for (quantile, micros) in
            [("0.5", times.p50), ("0.9", times.p90), ("0.99", times.p99), ("0.999", times.p999)]
        {
            let seconds = micros / 1e6;
            let _ = writeln!(
                out,
                "plexus_bench_seconds{{metric=\"{name}\",quantile=\"{quantile}\"}} {seconds:.9}"
            );
        }
    }
    let _ = writeln!(out, "# TYPE plexus_bench_troubles_total counter");
    let _ = writeln!(out, "plexus_bench_troubles_total {}", progress.troubles);
    out
}

fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counts::Counts;

    fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn the_numbers_are_served_until_the_end() {
        let mut counts = Counts::new(1);
        counts.add(Count::Published, 7);
        let groups = vec![("a \"b\"".to_owned(), 1)];
        let progress = Progress { counts, groups, ..Progress::default() };
        let exporter = Exporter::listen("127.0.0.1:0".parse().unwrap()).unwrap();
        exporter.show(&progress);
        let answer = get(exporter.address(), "/metrics");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("\nplexus_bench_published_total 7\n"), "{answer}");
        assert!(answer.contains("{group=\"a \\\"b\\\"\"} 0"), "{answer}");
        assert!(get(exporter.address(), "/x").starts_with("HTTP/1.1 404"));
        let address = exporter.address();
        drop(exporter);
        assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
    }
}
