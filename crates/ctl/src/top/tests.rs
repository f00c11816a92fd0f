//! What is shown, without a terminal.

use plexus_api_model::{Alarm, Client, NodeState, NodeStatus, Rates};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::{
    board::{Board, Next},
    keys::Key,
    view::{Style, lines},
    watch::{Snapshot, Watch},
};
use crate::{
    client,
    tests::server::{Seen, Server, json as answer},
};

fn client(name: &str, queued: u64, inflight: u64) -> Client {
    let client = json!({
        "clientid": name, "username": "u", "node": "n", "ip_address": "192.0.2.1", "listener": "plant", "connected": true,
        "connected_at": null, "proto_name": "MQTT", "proto_ver": 5, "keepalive": 60, "clean_start": true,
        "expiry_interval": 0, "durable": false, "client_attrs": {}, "subscriptions_cnt": 3, "subscriptions_max": 10,
        "inflight_cnt": inflight, "inflight_max": 32, "mqueue_len": queued, "mqueue_max": 1000, "mqueue_bytes": 0,
        "awaiting_rel_cnt": 0, "is_congested": false
    });
    serde_json::from_value(client).unwrap()
}

fn snapshot(clients: Vec<Client>) -> Snapshot {
    let node = NodeState {
        node: "plexus@host".to_owned(),
        node_status: NodeStatus::Running,
        version: "0.1.0".to_owned(),
        uptime: 90_000,
        live_connections: 1_234,
        connections: 2_000,
        shards: 2,
        memory_used: 50 << 20,
        memory_heap: 40 << 20,
        cores: 2,
    };
    let rates = Rates {
        live_connections: 1_234,
        connections: 2_000,
        queued: 77,
        received_msg_rate: 12_345,
        sent_bytes_rate: 3 << 20,
        ..Rates::default()
    };
    Snapshot { nodes: vec![node], rates, clients, ..Snapshot::default() }
}

fn board(clients: Vec<Client>) -> Board {
    let mut board = Board::new("http://h".to_owned(), String::new());
    board.handle_snapshot(Ok(snapshot(clients)));
    board
}

fn names(board: &Board) -> Vec<&str> {
    board.snapshot.clients.iter().map(|client| client.clientid.as_str()).collect()
}

#[test]
fn a_screen_is_full_and_nothing_is_wider() {
    let mut clients: Vec<_> = (0..100).map(|at| client(&format!("robot-{at:03}"), at, 0)).collect();
    clients.push(client(&"漢".repeat(200), 5, 5));
    clients.push(client("evil\u{1b}[2J\u{202e}\n", 6, 0));
    let mut board = board(clients);
    let alarm = Alarm {
        node: "n".into(),
        name: "memory\u{7}".into(),
        message: "m".into(),
        activate_at: None,
        deactivate_at: None,
    };
    board.snapshot.alarms = vec![alarm; 5];
    for (height, width) in [(24, 80), (50, 200), (10, 40), (3, 10), (1, 1), (0, 0)] {
        let lines = lines(&board, height, width);
        assert_eq!(lines.len(), height, "{height} {width}");
        for line in &lines {
            assert_eq!(line.text.width(), width, "{height} {width}: {line:?}");
            assert!(!line.text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
        }
    }
    let all = lines(&board, 24, 80);
    let text = all.iter().map(|line| line.text.trim_end()).collect::<Vec<_>>().join("\n");
    for told in [
        "plexus 0.1.0  plexus@host  http://h  up 1m 30s",
        "Connected       1,234   Sessions      2,000",
        "In             12,345/s",
        "3.0 MiB/s",
        "Memory 50.0 MiB (40.0 MiB own)",
        "and 2 further alarms",
        "robot-099",
        "q end  s order: queued  / search  (102 clients)",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert!(!text.contains("robot-050"), "there is no room for it");
}

#[test]
fn clients_stand_in_the_order_that_is_wanted() {
    let mut board = board(vec![client("b", 1, 9), client("a", 5, 0), client("c", 1, 3)]);
    assert_eq!(names(&board), ["a", "b", "c"]);
    assert_eq!(board.handle_key(Key::Sign('s')), Next::Stay);
    assert_eq!(names(&board), ["b", "c", "a"]);
    board.handle_snapshot(Ok(snapshot(vec![client("y", 0, 1), client("x", 9, 2)])));
    assert_eq!(names(&board), ["x", "y"], "the order stays");
    for wanted in [["x", "y"], ["x", "y"], ["x", "y"]] {
        board.handle_key(Key::Sign('s'));
        assert_eq!(names(&board), wanted);
    }
}

#[test]
fn what_is_selected_is_in_sight_and_there() {
    let mut board = board((0..40).map(|at| client(&format!("{at:02}"), 0, 0)).collect());
    let selected = |board: &Board| {
        let lines = lines(board, 24, 80);
        let line = lines.iter().skip(1).find(|line| line.style == Style::Reverse).unwrap();
        line.text[..2].to_owned()
    };
    assert_eq!(selected(&board), "00");
    for (key, wanted) in [
        (Key::Up, "00"),
        (Key::Down, "01"),
        (Key::PageDown, "11"),
        (Key::End, "39"),
        (Key::Down, "39"),
        (Key::PageUp, "29"),
        (Key::Home, "00"),
        (Key::End, "39"),
    ] {
        board.handle_key(key);
        assert_eq!(selected(&board), wanted, "{key:?}");
    }
    board.handle_snapshot(Ok(snapshot(vec![client("only", 0, 0)])));
    assert_eq!(selected(&board), "on", "fewer are there now");
}

#[test]
fn a_text_is_typed_and_taken_away() {
    let mut board = board(Vec::new());
    let search = |text: &str| Next::Search(text.to_owned());
    assert_eq!(board.handle_key(Key::Sign('/')), Next::Stay);
    assert_eq!(board.handle_key(Key::Sign('q')), search("q"), "no key ends it now");
    assert_eq!(board.handle_key(Key::Sign('é')), search("qé"));
    assert!(lines(&board, 24, 80)[23].text.starts_with("/qé_"));
    assert_eq!(board.handle_key(Key::Backspace), search("q"));
    assert_eq!(board.handle_key(Key::Enter), Next::Stay);
    assert!(lines(&board, 24, 80)[23].text.contains("/ search: q  (0 clients)"));
    assert_eq!(board.handle_key(Key::Sign('/')), Next::Stay);
    assert_eq!(board.handle_key(Key::Escape), search(""));
    for _ in 0..300 {
        board.handle_key(Key::Sign('/'));
    }
    assert!(board.search.len() <= 256);
    assert_eq!(board.handle_key(Key::Interrupt), Next::End, "Ctrl-C ends it always");
    assert_eq!(Board::default().handle_key(Key::Escape), Next::End);
    assert_eq!(Board::default().handle_key(Key::Sign('q')), Next::End);
}

#[test]
fn what_was_seen_stays_when_nobody_answers() {
    let mut board = board(vec![client("a", 0, 0)]);
    board.handle_snapshot(Err("nobody answers\u{1b} at http://h\nmend".to_owned()));
    let all = lines(&board, 24, 80);
    assert_eq!(all[23].text.trim_end(), "nobody answers\\u{1b} at http://h");
    assert_eq!(all[23].style, Style::Alarm);
    assert_eq!(names(&board), ["a"]);
    board.handle_snapshot(Ok(snapshot(Vec::new())));
    assert_eq!(board.error, None);
}

#[test]
fn the_last_minute_is_drawn() {
    let mut board = Board::default();
    for rate in 0..100 {
        let mut seen = snapshot(Vec::new());
        seen.rates.received_msg_rate = rate;
        board.handle_snapshot(Ok(seen));
    }
    assert_eq!(board.received.len(), 60);
    let all = lines(&board, 24, 200);
    let line = all.iter().find(|line| line.text.starts_with("In ")).unwrap();
    assert!(line.text.contains("  █▇"), "the newest is the highest: {line:?}");
}

/// A node with one client of each name that was searched for.
fn node(seen: &Seen) -> Vec<u8> {
    let path = seen.target.split('?').next().unwrap();
    let page = |data: Value| json!({ "data": data, "meta": { "limit": 1, "hasnext": true } });
    answer(
        200,
        &match path {
            "/api/v5/nodes" => json!(snapshot(Vec::new()).nodes),
            "/api/v5/monitor_current" => json!(Rates::default()),
            "/api/v5/alarms" => page(json!([])),
            _ => {
                let search = seen.target.split("search=").nth(1).unwrap_or("all");
                page(json!([client(search, 0, 0)]))
            }
        },
    )
}

#[test]
fn a_watch_looks_again_and_for_what_is_wanted() {
    let server = Server::start(node);
    let credentials = client::Credentials::Token("t".to_owned());
    let patience = std::time::Duration::from_secs(20);
    let client = client::Client::new(
        server.url().parse().unwrap(),
        Some(credentials),
        &plexus_net::TlsClientOptions::default(),
        patience,
    );
    let (mut woken, waker) = std::os::unix::net::UnixStream::pair().unwrap();
    woken.set_read_timeout(Some(patience)).unwrap();
    let interval = std::time::Duration::from_secs(1);
    let watch = Watch::start(client.unwrap(), "first".to_owned(), interval, waker).unwrap();
    let mut look = || {
        std::io::Read::read_exact(&mut woken, &mut [0]).unwrap();
        watch.poll().unwrap().unwrap()
    };
    let seen = look();
    assert_eq!((seen.clients[0].clientid.as_str(), seen.is_cut), ("first", true));
    watch.search("robot".to_owned());
    // A look that has begun before does not count.
    let found = (0..3).any(|_| look().clients[0].clientid == "robot");
    assert!(found);
}
