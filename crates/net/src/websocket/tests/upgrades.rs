use super::*;

/// Turns a good request into another one.
type Change = fn(String) -> String;

fn answered(request: &[u8]) -> Result<String, Refusal> {
    answer(request, &options())
}

#[test]
fn the_key_of_the_rfc_is_accepted_as_it_says() {
    // RFC 6455, 1.3
    assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

#[test]
fn an_upgrade_is_answered_with_exactly_one_subprotocol() {
    let table = [
        ("mqtt", "mqtt"),
        ("mqttv3.1", "mqttv3.1"),
        ("chat, mqttv3.1,mqtt", "mqttv3.1"),
        ("chat\r\nSec-WebSocket-Protocol: mqtt", "mqtt"),
    ];
    for (offer, chosen) in table {
        let request = request(|text| text.replace("Protocol: mqtt", &format!("Protocol: {offer}")));
        // [MQTT-6.0.0-4]
        let expected = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
             Sec-WebSocket-Protocol: {chosen}\r\n\r\n"
        );
        assert_eq!(answered(&request), Ok(expected));
    }
}

#[test]
fn the_habits_of_browsers_and_proxies_are_understood() {
    let changes: [Change; 5] = [
        |text| text.replace("Connection: Upgrade", "connection: keep-alive, upgrade"),
        |text| text.replace("websocket", "WebSocket"),
        |text| text.replace("/mqtt HTTP", "/mqtt?token=1 HTTP"),
        |text| text.replace("\r\nHost", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\nHost"),
        |text| text.replace("\r\nHost", "\r\nContent-Length: 0\r\nHost"),
    ];
    for change in changes {
        assert!(answered(&request(change)).is_ok(), "{:?}", request(change));
    }
}

#[test]
fn other_requests_are_refused_by_their_status() {
    let table: [(Change, Refusal, u16); 19] = [
        (|text| text.replace("/mqtt", "/other"), Refusal::Path, 404),
        (|text| text.replace("/mqtt", "/mqtt/"), Refusal::Path, 404),
        (|text| text.replace("GET", "POST"), Refusal::Method, 405),
        (|text| text.replace("Upgrade: websocket\r\n", ""), Refusal::NoUpgrade, 426),
        (|text| text.replace("Upgrade: websocket", "Upgrade: h2c"), Refusal::NoUpgrade, 426),
        (|text| text.replace("Connection: Upgrade", "Connection: close"), Refusal::NoUpgrade, 426),
        (|text| text.replace("Version: 13", "Version: 8"), Refusal::Version, 426),
        (|text| text.replace("Sec-WebSocket-Version: 13\r\n", ""), Refusal::Version, 426),
        // [MQTT-6.0.0-3]
        (|text| text.replace("Protocol: mqtt", "Protocol: chat"), Refusal::Subprotocol, 400),
        (|text| text.replace("Protocol: mqtt", "Protocol: MQTT"), Refusal::Subprotocol, 400),
        (|text| text.replace("Sec-WebSocket-Protocol: mqtt\r\n", ""), Refusal::Subprotocol, 400),
        (|text| text.replace("HTTP/1.1", "HTTP/1.0"), Refusal::Malformed, 400),
        (|text| text.replace("HTTP/1.1", "HTTP/2"), Refusal::Malformed, 400),
        (|text| text.replace("Host: broker:8083\r\n", ""), Refusal::Malformed, 400),
        (|text| text.replace("Host:", "Host: a\r\nHost:"), Refusal::Malformed, 400),
        (|text| text.replace("Key: ", "Key: AA"), Refusal::Malformed, 400),
        (|text| text.replace("Host:", "Content-Length: 5\r\nHost:"), Refusal::Malformed, 400),
        (|text| text.replace("Host:", "Bad Name: 1\r\nHost:"), Refusal::Malformed, 400),
        (|text| text.replace("Host:", &("X: 1\r\n".repeat(64) + "Host:")), Refusal::TooLong, 431),
    ];
    for (change, refusal, status) in table {
        let request = request(change);
        let text = String::from_utf8_lossy(&request);
        assert_eq!(answered(&request), Err(refusal), "{text}");
        assert_eq!(refusal.status(), status);
        let response = refusal.response();
        assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
        assert_eq!(response.contains("Sec-WebSocket-Version: 13\r\n"), refusal == Refusal::Version);
        assert!(!response.contains("101"), "{response}");
    }
}

#[test]
fn a_subprotocol_may_be_left_out_where_the_listener_allows_it() {
    let options = WebSocketOptions { subprotocol_required: false, ..options() };
    let without = request(|text| text.replace("Sec-WebSocket-Protocol: mqtt\r\n", ""));
    let response = answer(&without, &options).unwrap();
    assert!(response.starts_with("HTTP/1.1 101 ") && !response.contains("Protocol:"));
    assert!(answer(&request(|text| text), &options).unwrap().contains("Protocol: mqtt\r\n"));
}

#[test]
fn an_upgrade_is_read_at_any_cut_with_frames_behind_it() {
    let stream = [request(|text| text), client_frame(Opcode::Binary, true, b"early")].concat();
    for cut in 0..=stream.len() {
        let mut server = WebSocket::server(Arc::new(options()));
        let mut out = BytesMut::new();
        let (first, second) = stream.split_at(cut);
        server.receive(first, &mut out).unwrap();
        server.receive(second, &mut out).unwrap();
        assert_eq!(out, "early", "cut at {cut}");
        assert!(replies(&mut server).starts_with(b"HTTP/1.1 101 "));
    }
}

#[test]
fn a_head_without_end_is_refused_at_the_limit() {
    let options = Arc::new(WebSocketOptions { header_size_max: 300, ..options() });
    let mut server = WebSocket::server(options);
    let mut out = BytesMut::new();
    for _ in 0..299 {
        server.receive(b"x", &mut out).unwrap();
    }
    assert!(!server.has_replies());
    let error = server.receive(b"x", &mut out).unwrap_err();
    assert_eq!(error, WebSocketError::Refused(Refusal::TooLong));
    assert!(replies(&mut server).starts_with(b"HTTP/1.1 431 "));
    assert!(server.peer_closed() && !server.is_open());
}

#[test]
fn a_refused_client_is_told_and_nothing_of_it_is_read() {
    let mut server = WebSocket::server(Arc::new(options()));
    let mut stream = request(|text| text.replace("/mqtt", "/"));
    stream.extend(client_frame(Opcode::Binary, true, b"early"));
    let mut out = BytesMut::new();
    let error = server.receive(&stream, &mut out).unwrap_err();
    assert_eq!(error.to_string(), "upgrade refused: nothing is served at this path");
    assert!(replies(&mut server).starts_with(b"HTTP/1.1 404 Not Found\r\n"));
    assert!(out.is_empty());
}

#[test]
fn a_client_checks_what_the_server_answers() {
    let good = answered(&request(|text| text)).unwrap();
    let client = ClientRequest::new(NONCE);
    assert_eq!(client.check(good.as_bytes()), Ok(()));
    let table: [(String, ResponseFault); 7] = [
        (good.replace("s3pP", "s3pQ"), ResponseFault::NoUpgrade),
        (good.replace("Upgrade: websocket\r\n", ""), ResponseFault::NoUpgrade),
        (
            good.replace(
                "Upgrade: w",
                "Sec-WebSocket-Extensions: permessage-deflate\r\nUpgrade: w",
            ),
            ResponseFault::NoUpgrade,
        ),
        (good.replace("Protocol: mqtt", "Protocol: chat"), ResponseFault::Subprotocol),
        (good.replace("Sec-WebSocket-Protocol: mqtt\r\n", ""), ResponseFault::Subprotocol),
        (Refusal::Path.response(), ResponseFault::Malformed),
        ("HTTP/1.1 503 Busy\r\n\r\n".to_owned(), ResponseFault::Status(503)),
    ];
    for (response, fault) in table {
        assert_eq!(client.check(response.as_bytes()), Err(fault), "{response}");
    }
}

#[test]
fn a_client_asks_only_for_what_fits_on_a_line() {
    let client = ClientRequest::new(NONCE);
    for (host, path) in
        [("", "/mqtt"), ("a b", "/"), ("a", "mqtt"), ("a", "/\r\nX: y"), ("a\n", "/")]
    {
        assert_eq!(client.encode(host, path), None, "{host:?} {path:?}");
    }
}
