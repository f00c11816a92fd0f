use proptest::prelude::*;

use super::*;

fn ip(text: &str) -> PeerAddr {
    text.parse::<SocketAddr>().unwrap().into()
}

fn v2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = SIGNATURE_V2.to_vec();
    bytes.extend([command, family]);
    bytes.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    bytes.extend(body);
    bytes
}

fn proxied(client: &str, server: &str) -> Header {
    Header::Proxied { client: ip(client), server: ip(server) }
}

fn good() -> Vec<(Vec<u8>, Header)> {
    let v4 = [192, 0, 2, 1, 198, 51, 100, 7, 0xDC, 0x04, 0x07, 0x5B];
    let mut v6 = [0; 36];
    v6[15] = 1;
    v6[31] = 2;
    v6[33] = 3;
    v6[35] = 4;
    let mut extras = v4.to_vec();
    extras.extend([0x04, 0x00, 0x02, 0xAA, 0xBB]);
    vec![
        (
            b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 1883\r\n".to_vec(),
            proxied("192.0.2.1:56324", "198.51.100.7:1883"),
        ),
        (b"PROXY TCP6 ::1 ::2 3 4\r\n".to_vec(), proxied("[::1]:3", "[::2]:4")),
        (b"PROXY TCP6 ::ffff:192.0.2.1 ::2 3 4\r\n".to_vec(), proxied("192.0.2.1:3", "[::2]:4")),
        (b"PROXY UNKNOWN\r\n".to_vec(), Header::Direct),
        (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n".to_vec(), Header::Direct),
        (v2(0x21, 0x11, &v4), proxied("192.0.2.1:56324", "198.51.100.7:1883")),
        (v2(0x21, 0x11, &extras), proxied("192.0.2.1:56324", "198.51.100.7:1883")),
        (v2(0x21, 0x21, &v6), proxied("[::1]:3", "[::2]:4")),
        (
            v2(0x21, 0x31, &[0; 216]),
            Header::Proxied { client: PeerAddr::Unix, server: PeerAddr::Unix },
        ),
        (v2(0x20, 0x00, b""), Header::Direct),
        (v2(0x20, 0x11, &v4), Header::Direct),
        (v2(0x21, 0x00, b"whatever"), Header::Direct),
    ]
}

#[test]
fn headers_are_read_whole() {
    for (bytes, header) in good() {
        assert_eq!(parse(&bytes), Ok(Some((header, bytes.len()))), "{bytes:?}");
        let mut more = bytes.clone();
        more.extend(b"\x10\x0cMQTT");
        assert_eq!(HeaderReader::default().feed(&more), Ok(Some((header, bytes.len()))));
    }
}

#[test]
fn headers_are_read_from_any_two_pieces_and_from_single_bytes() {
    for (bytes, header) in good() {
        for cut in 1..bytes.len() {
            let (first, second) = bytes.split_at(cut);
            let mut second = second.to_vec();
            let length = second.len();
            second.extend(b"rest");
            let mut reader = HeaderReader::default();
            assert_eq!(reader.feed(first), Ok(None), "{bytes:?} cut at {cut}");
            assert_eq!(reader.feed(&second), Ok(Some((header, length))));
        }
        let mut reader = HeaderReader::default();
        let (last, all) = bytes.split_last().unwrap();
        for byte in all {
            assert_eq!(reader.feed(&[*byte]), Ok(None));
        }
        assert_eq!(reader.feed(&[*last]), Ok(Some((header, 1))));
    }
}

#[test]
fn anything_else_is_refused() {
    let long = format!("PROXY UNKNOWN {}", "x".repeat(200));
    let table: Vec<(Vec<u8>, ProxyError)> = vec![
        (b"\x10\x0c\x00\x04MQTT".to_vec(), ProxyError::Missing),
        (b"GET / HTTP/1.1".to_vec(), ProxyError::Missing),
        (b"PROXX".to_vec(), ProxyError::Missing),
        (b"\r\n\r\n\0\r\nQUIX".to_vec(), ProxyError::Missing),
        (b"PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n".to_vec(), ProxyError::Family),
        (b"PROXY tcp4 1.1.1.1 2.2.2.2 1 2\r\n".to_vec(), ProxyError::Family),
        (b"PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n".to_vec(), ProxyError::Line),
        (b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n".to_vec(), ProxyError::Line),
        (b"PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n".to_vec(), ProxyError::Line),
        (b"PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n".to_vec(), ProxyError::Line),
        (b"PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n".to_vec(), ProxyError::Line),
        (b"PROXY TCP4 1.1.1 2.2.2.2 1 2\r\n".to_vec(), ProxyError::Line),
        (b"PROXY TCP4 ::1 ::1 1 2\r\n".to_vec(), ProxyError::Line),
        (b"PROXY TCP6 1.1.1.1 ::1 1 2\r\n".to_vec(), ProxyError::Line),
        (b"PROXY TCP4 \xFF 2.2.2.2 1 2\r\n".to_vec(), ProxyError::Line),
        (b"PROXY \r\n".to_vec(), ProxyError::Line),
        (long.into_bytes(), ProxyError::TooLong),
        (v2(0x11, 0x11, &[0; 12]), ProxyError::Command),
        (v2(0x22, 0x11, &[0; 12]), ProxyError::Command),
        (v2(0x21, 0x12, &[0; 12]), ProxyError::Family),
        (v2(0x21, 0x41, &[0; 12]), ProxyError::Family),
        (v2(0x21, 0x11, &[0; 11]), ProxyError::Truncated),
        (v2(0x21, 0x21, &[0; 35]), ProxyError::Truncated),
        (v2(0x21, 0x31, &[0; 215]), ProxyError::Truncated),
        (v2(0x21, 0x00, &[0; HEADER_SIZE_MAX]), ProxyError::TooLong),
    ];
    for (bytes, error) in table {
        assert_eq!(parse(&bytes), Err(error), "{:?}", String::from_utf8_lossy(&bytes));
        assert_eq!(HeaderReader::default().feed(&bytes), Err(error));
    }
}

#[test]
fn a_header_is_refused_before_its_announced_length_arrives() {
    let mut bytes = SIGNATURE_V2.to_vec();
    bytes.extend([0x21, 0x11, 0xFF, 0xFF]);
    assert_eq!(parse(&bytes), Err(ProxyError::TooLong));
}

proptest! {
    #[test]
    fn any_bytes_are_read_the_same_in_pieces(
        start in prop_oneof![Just(&b""[..]), Just(SIGNATURE_V1), Just(SIGNATURE_V2)],
        tail in proptest::collection::vec(any::<u8>(), 0..300),
        cuts in proptest::collection::vec(1..40usize, 0..40),
    ) {
        let bytes = [start, &tail].concat();
        let whole = parse(&bytes);
        let mut reader = HeaderReader::default();
        let (mut rest, mut taken) = (&bytes[..], 0);
        let mut result = Ok(None);
        for cut in cuts.into_iter().chain([bytes.len()]) {
            let (piece, later) = rest.split_at(cut.min(rest.len()));
            if piece.is_empty() {
                continue;
            }
            result = reader.feed(piece);
            match result {
                Ok(None) => taken += piece.len(),
                Ok(Some((_, used))) => { taken += used; break }
                Err(_) => break,
            }
            rest = later;
        }
        match whole {
            Ok(Some((header, length))) => {
                prop_assert_eq!(result.unwrap().unwrap().0, header);
                prop_assert_eq!(taken, length);
            }
            Ok(None) => prop_assert_eq!(result, Ok(None)),
            Err(error) => prop_assert_eq!(result, Err(error)),
        }
    }
}
