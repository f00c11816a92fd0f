use std::{path::PathBuf, sync::Arc, time::Duration};

use plexus_broker::{ListenerOptions, LogPlace, Node, NodeOptions};

use super::*;

const SEGMENT_BYTES: u64 = 256 * 1024;

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("plexus-recovery-{name}-{}", std::process::id());
        Self(env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn start(folder: &Path, shards: u16) -> Node {
    let log = LogPlace { folder: folder.to_owned(), segment_bytes: SEGMENT_BYTES, bytes_max: 0 };
    let options = NodeOptions { shards, log: Some(log), ..NodeOptions::default() };
    let session = plexus_session::Options { durable: true, ..plexus_session::Options::default() };
    let listener = ListenerOptions {
        connection_rate: None,
        meter: None,
        name: "tcp".into(),
        net: plexus_net::ListenerOptions::new("tcp://127.0.0.1:0".parse().unwrap()),
        connections_max: 10,
        connect_timeout: Duration::from_mins(1),
        session: Arc::new(session),
        policy: Arc::new(plexus_access::AllowAll),
        durability: plexus_types::Durability::Synced,
        tenant: None,
        server_names: Arc::default(),
    };
    Node::start(options, vec![listener]).unwrap()
}

fn address(node: &Node) -> std::net::SocketAddr {
    let url = node.listeners().first().unwrap().to_string();
    url.strip_prefix("tcp://").unwrap().parse().unwrap()
}

fn comes_back(name: &str, shape: Shape, shards: u16) {
    let folder = Folder::new(name);
    make::make(&folder.0, shape, SEGMENT_BYTES).unwrap();
    let node = start(&folder.0, shards);
    let mut messages = 0;
    for session in 0..shape.sessions {
        messages += client::check(address(&node), shape, session).unwrap();
    }
    assert_eq!(messages, shape.messages);
    node.shut_down(Duration::from_mins(1));
}

#[test]
fn a_store_of_many_sessions_comes_back() {
    comes_back("many", Shape::new(500, 5_000, 1).unwrap(), 2);
}

#[test]
fn a_store_of_shared_messages_comes_back() {
    comes_back("shared", Shape::new(301, 3_010, 10).unwrap(), 3);
}

#[test]
fn a_store_of_long_queues_comes_back() {
    comes_back("long", Shape::new(2, 5_000, 1).unwrap(), 1);
}

/// The comparison itself: what is not as it should be is found.
#[test]
fn a_message_too_many_and_one_out_of_place_are_found() {
    let folder = Folder::new("fault");
    make::make(&folder.0, Shape::new(4, 44, 1).unwrap(), SEGMENT_BYTES).unwrap();
    let node = start(&folder.0, 1);
    let wrong = |sessions, messages, session| {
        let shape = Shape::new(sessions, messages, 1).unwrap();
        client::check(address(&node), shape, session).unwrap_err().to_string()
    };
    assert!(wrong(4, 40, 0).contains("too much"));
    assert_eq!(wrong(3, 33, 1), "session 1: not message 4 in place 1");
    assert_eq!(wrong(8, 88, 7), "session 7 is not there");
    node.shut_down(Duration::from_mins(1));
}
