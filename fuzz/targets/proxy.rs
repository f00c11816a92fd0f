//! PROXY headers.
//!
//! ```text
//! byte 0   the length of the pieces in which the header arrives; 0 for all at once
//! byte 1…  the header and what follows
//! ```
//!
//! What has to hold: no panic; pieces say the same as the whole; a header ends within its limit.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plexus_net::proxy::{HEADER_SIZE_MAX, Header, HeaderReader, ProxyError, parse};

fuzz_target!(|input: &[u8]| {
    let [piece, stream @ ..] = input else { return };
    let whole = parse(stream);
    if let Ok(Some((_, length))) = whole {
        assert!(length <= HEADER_SIZE_MAX && length <= stream.len());
    }
    let piece = if *piece == 0 { stream.len().max(1) } else { usize::from(*piece) };
    assert_eq!(read_pieces(stream, piece), whole);
});

fn read_pieces(stream: &[u8], piece: usize) -> Result<Option<(Header, usize)>, ProxyError> {
    let mut reader = HeaderReader::default();
    let mut before = 0;
    for part in stream.chunks(piece) {
        if let Some((header, used)) = reader.feed(part)? {
            return Ok(Some((header, before + used)));
        }
        before += part.len();
    }
    // What was never fed has not been judged.
    if stream.is_empty() { parse(stream) } else { Ok(None) }
}
