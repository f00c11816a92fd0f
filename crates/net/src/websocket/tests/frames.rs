use super::*;

#[test]
fn headers_are_written_and_read_alike() {
    let lengths = [0, 1, 125, 126, 127, 255, 256, 65_535, 65_536, usize::MAX >> 1];
    let opcodes = [Opcode::Continuation, Opcode::Text, Opcode::Binary];
    for (length, opcode) in lengths.into_iter().flat_map(|l| opcodes.map(|opcode| (l, opcode))) {
        for mask in [None, Some([1, 2, 3, 4])] {
            let header = FrameHeader { fin: length % 2 == 0, opcode, mask, length };
            let mut bytes = BytesMut::new();
            encode_header(&header, &mut bytes);
            assert_eq!(decode_header(&bytes), Ok(Some((header, bytes.len()))));
            for cut in 0..bytes.len() {
                assert_eq!(decode_header(&bytes[..cut]), Ok(None), "{header:?} cut at {cut}");
            }
        }
    }
}

#[test]
fn the_examples_of_the_rfc_are_read() {
    // RFC 6455, 5.7
    let table: [(&[u8], FrameHeader, usize); 4] = [
        (
            &[0x89, 0x05, b'H'],
            FrameHeader { fin: true, opcode: Opcode::Ping, mask: None, length: 5 },
            2,
        ),
        (
            &[0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D],
            FrameHeader {
                fin: true,
                opcode: Opcode::Pong,
                mask: Some([0x37, 0xFA, 0x21, 0x3D]),
                length: 5,
            },
            6,
        ),
        (
            &[0x82, 0x7E, 0x01, 0x00],
            FrameHeader { fin: true, opcode: Opcode::Binary, mask: None, length: 256 },
            4,
        ),
        (
            &[0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0],
            FrameHeader { fin: true, opcode: Opcode::Binary, mask: None, length: 65_536 },
            10,
        ),
    ];
    for (bytes, header, size) in table {
        assert_eq!(decode_header(bytes), Ok(Some((header, size))));
    }
}

#[test]
fn malformed_headers_are_refused_at_the_byte_that_shows_it() {
    let table: [(&[u8], WebSocketError); 12] = [
        (&[0xC2], WebSocketError::Reserved),
        (&[0xA2], WebSocketError::Reserved),
        (&[0x92], WebSocketError::Reserved),
        (&[0x87], WebSocketError::Reserved),
        (&[0x8B], WebSocketError::Reserved),
        (&[0x09], WebSocketError::Control),
        (&[0x88, 0xFE, 0, 126], WebSocketError::Control),
        (&[0x82, 0xFE, 0, 125], WebSocketError::Length),
        (&[0x82, 0xFE, 0, 0], WebSocketError::Length),
        (&[0x82, 0x7F, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], WebSocketError::Length),
        (&[0x82, 0x7F, 0x80, 0, 0, 0, 0, 0, 0, 0], WebSocketError::Length),
        (&[0x82, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0], WebSocketError::Length),
    ];
    for (bytes, error) in table {
        assert_eq!(decode_header(bytes), Err(error), "{bytes:?}");
        assert_eq!(decode_header(&bytes[..bytes.len() - 1]), Ok(None), "{bytes:?} cut");
    }
}

#[test]
fn fragments_with_control_frames_between_are_read_at_any_cut() {
    let stream = [
        client_frame(Opcode::Binary, false, b"one "),
        client_frame(Opcode::Ping, true, b"ping"),
        client_frame(Opcode::Continuation, false, b""),
        client_frame(Opcode::Continuation, false, b"message "),
        client_frame(Opcode::Pong, true, b""),
        client_frame(Opcode::Continuation, true, b"in pieces"),
        client_frame(Opcode::Binary, true, &[b'x'; 300]),
        client_frame(Opcode::Close, true, b"\x03\xE8bye"),
    ]
    .concat();
    let expected = [b"one message in pieces", &[b'x'; 300][..]].concat();
    for cut in 0..=stream.len() {
        let (first, second) = stream.split_at(cut);
        let (out, controls) = decode(&[first, second]);
        assert_eq!(out, expected, "cut at {cut}");
        let ping = Control::Ping(b"ping".to_vec());
        assert_eq!(controls, [ping, Control::Pong, Control::Close(Some(1000))]);
    }
    let single: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(decode(&single).0, expected);
}

fn decode(pieces: &[&[u8]]) -> (BytesMut, Vec<Control>) {
    let mut decoder = Decoder::new(Role::Server, 1024);
    let (mut out, mut controls) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() {
            let step = decoder.feed(rest, &mut out).unwrap();
            assert!(step.used > 0, "no progress");
            rest = &rest[step.used..];
            controls.extend(step.control);
        }
    }
    (out, controls)
}

#[test]
fn a_frame_at_the_limit_passes_and_one_beyond_does_not() {
    let mut decoder = Decoder::new(Role::Server, 1000);
    let mut out = BytesMut::new();
    for (length, expected) in [(1000, Ok(())), (1001, Err(WebSocketError::TooLong))] {
        let header = FrameHeader { fin: true, opcode: Opcode::Binary, mask: Some([0; 4]), length };
        let mut bytes = BytesMut::new();
        encode_header(&header, &mut bytes);
        assert_eq!(decoder.feed(&bytes, &mut out).map(|_| ()), expected);
        if expected.is_ok() {
            let _ = decoder.feed(&vec![0; length], &mut out).unwrap();
        }
    }
}

proptest! {
    #[test]
    fn masks_are_applied_byte_by_byte(
        payload in proptest::collection::vec(any::<u8>(), 0..100),
        mask in any::<[u8; 4]>(),
        offset in 0..9usize,
    ) {
        let mut fast = payload.clone();
        apply_mask(&mut fast, mask, offset);
        let slow: Vec<u8> = payload
            .iter()
            .enumerate()
            .map(|(at, byte)| byte ^ mask[(offset + at) % 4])
            .collect();
        prop_assert_eq!(fast, slow);
    }

    #[test]
    fn no_bytes_break_the_decoder(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut decoder = Decoder::new(Role::Client, 1024);
        let (mut rest, mut out) = (&bytes[..], BytesMut::new());
        while !rest.is_empty() {
            let Ok(step) = decoder.feed(rest, &mut out) else { break };
            prop_assert!(step.used > 0 && step.used <= rest.len());
            rest = &rest[step.used..];
        }
        prop_assert!(out.len() <= bytes.len());
    }
}
