//! A well-behaved client beside an attack: what it publishes at QoS 1 comes back to it once and in
//! order, as long as the attack goes on. How long that takes is told and not judged.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use plexus_conformance::Address;

/// How long an answer may take before the client counts as not served: a bound of failure.
const PATIENCE: Duration = Duration::from_secs(20);
/// The next message is due so long after the last, or at once when the attack is over.
const PACE: Duration = Duration::from_millis(2);

const PUBLISH_QOS_1: u8 = 0x32;
const PUBACK: u8 = 0x40;
const TOPIC: &[u8] = b"witness/own";

/// The client on its thread.
pub(crate) struct Witness {
    /// Hung up when the attack is over.
    over: SyncSender<()>,
    thread: JoinHandle<Vec<Duration>>,
}

impl Witness {
    /// Connects, and publishes from then on.
    pub(crate) fn start(address: &Address) -> Self {
        let mut line = Line::connect(address);
        let (over, is_over) = sync_channel(1);
        let thread = thread::spawn(move || line.testify(&is_over));
        Self { over, thread }
    }

    /// The attack is over: everything has come once, and the time it took is told.
    #[track_caller]
    #[expect(clippy::print_stdout, reason = "what an attack costs others is told, not judged")]
    pub(crate) fn end(self, attack: &str) {
        drop(self.over);
        let mut took = self.thread.join().expect("the well-behaved client was served");
        took.sort_unstable();
        let at = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or_default();
        let (count, p50, p99) = (took.len(), at(50), at(99));
        println!("{attack}: {count} messages of another client, p50 {p50:?}, p99 {p99:?}");
    }
}

/// Its connection.
struct Line(TcpStream);

impl Line {
    fn connect(address: &Address) -> Self {
        let stream = TcpStream::connect(&address.host_port).expect("connected");
        stream.set_read_timeout(Some(PATIENCE)).expect("set");
        stream.set_nodelay(true).expect("set");
        let mut line = Self(stream);
        line.send(0x10, &[b"\x00\x04MQTT\x04\x02\x00\x00", &text(b"witness")[..]]);
        assert_eq!(line.hear(), (0x20, vec![0, 0]), "CONNACK");
        line.send(0x82, &[&[0, 1], &text(TOPIC)[..], &[1]]);
        assert_eq!(line.hear(), (0x90, vec![0, 1, 1]), "SUBACK");
        line
    }

    /// Until it is over, and once more.
    fn testify(&mut self, is_over: &Receiver<()>) -> Vec<Duration> {
        let mut took = Vec::new();
        for number in 0_u32.. {
            let over = is_over.recv_timeout(PACE) == Err(RecvTimeoutError::Disconnected);
            let sent = now();
            self.there_and_back(number);
            took.push(now().saturating_duration_since(sent));
            if over {
                break;
            }
        }
        self.send(0xC0, &[]);
        assert_eq!(self.hear(), (0xD0, vec![]), "PINGRESP, and nothing came twice");
        took
    }

    /// Publishes one message: its acknowledgement comes, and itself, and nothing else.
    fn there_and_back(&mut self, number: u32) {
        // Identifiers are not zero.
        let id = (u16::try_from(number % 60_000).expect("it fits") + 1).to_be_bytes();
        let payload = number.to_be_bytes();
        self.send(PUBLISH_QOS_1, &[&text(TOPIC)[..], &id, &payload]);
        let (mut acknowledged, mut came) = (false, false);
        while !(acknowledged && came) {
            let (kind, body) = self.hear();
            match kind {
                PUBACK => {
                    assert_eq!((&body[..], acknowledged), (&id[..], false), "PUBACK once");
                    acknowledged = true;
                }
                PUBLISH_QOS_1 => {
                    let (head, rest) = body.split_at(2 + TOPIC.len());
                    let (id, message) = rest.split_at(2);
                    assert_eq!((head, message), (&text(TOPIC)[..], &payload[..]), "in order");
                    assert!(!came, "message {number} came twice");
                    self.send(PUBACK, &[id]);
                    came = true;
                }
                other => panic!("{other:#x} came: {body:?}"),
            }
        }
    }

    fn send(&mut self, kind: u8, parts: &[&[u8]]) {
        let body = parts.concat();
        let length = u8::try_from(body.len()).ok().filter(|length| *length < 128);
        let head = [kind, length.expect("a short packet")];
        self.0.write_all(&[&head, body.as_slice()].concat()).expect("the connection holds");
    }

    fn hear(&mut self) -> (u8, Vec<u8>) {
        let mut head = [0; 2];
        self.0.read_exact(&mut head).expect("served");
        let mut body = vec![0; usize::from(head[1])];
        self.0.read_exact(&mut body).expect("served");
        (head[0], body)
    }
}

fn text(words: &[u8]) -> Vec<u8> {
    let length = u16::try_from(words.len()).expect("short");
    [&length.to_be_bytes(), words].concat()
}

#[expect(clippy::disallowed_methods, reason = "what an attack costs others is told, not judged")]
fn now() -> Instant {
    Instant::now()
}
