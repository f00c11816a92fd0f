//! WebSocket frames and upgrade requests.
//!
//! ```text
//! byte 0   0 a request, 1 frames to a server, 2 frames to a client
//! byte 1   the length of the pieces in which frames arrive; 0 for all at once
//! byte 2…  the stream
//! ```
//!
//! What has to hold: no panic; pieces give the same bytes, the same control frames and the same error;
//! nothing comes out that did not go in; a request is answered by a status or by exactly one upgrade.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use plexus_net::{
    WebSocketOptions,
    websocket::{Control, Decoder, Role, WebSocketError, answer},
};

fuzz_target!(|input: &[u8]| {
    let [mode, piece, stream @ ..] = input else { return };
    let role = match mode % 3 {
        0 => return check_request(stream),
        1 => Role::Server,
        _ => Role::Client,
    };
    let whole = decode(role, stream, stream.len().max(1));
    assert!(whole.0.len() <= stream.len());
    if *piece > 0 {
        assert_eq!(decode(role, stream, usize::from(*piece)), whole, "in pieces");
    }
});

fn check_request(head: &[u8]) {
    match answer(head, &WebSocketOptions::default()) {
        Ok(response) => {
            assert!(response.starts_with("HTTP/1.1 101 ") && response.ends_with("\r\n\r\n"));
            // [MQTT-6.0.0-4]
            assert_eq!(response.matches("Sec-WebSocket-Protocol: ").count(), 1);
        }
        Err(refusal) => assert!((400..500).contains(&refusal.status())),
    }
}

type Decoded = (BytesMut, Vec<Control>, Option<WebSocketError>);

fn decode(role: Role, stream: &[u8], piece: usize) -> Decoded {
    let mut decoder = Decoder::new(role, 100_000);
    let (mut out, mut controls) = (BytesMut::new(), Vec::new());
    for mut part in stream.chunks(piece) {
        while !part.is_empty() {
            match decoder.feed(part, &mut out) {
                Ok(step) => {
                    assert!(step.used > 0, "no progress");
                    part = &part[step.used..];
                    controls.extend(step.control);
                }
                Err(error) => return (out, controls, Some(error)),
            }
        }
    }
    (out, controls, None)
}
