use super::*;

fn read(block: &mut ReadBlock, byte: u8, length: usize, out: &mut BytesMut) -> *const u8 {
    let space = block.space();
    space[..length].fill(byte);
    let place = space.as_ptr();
    block.take(length, out);
    place
}

#[test]
fn a_large_read_is_handed_over_without_a_copy() {
    let mut block = ReadBlock::new(64 * 1024);
    let mut out = BytesMut::new();
    let place = read(&mut block, 7, 10_000, &mut out);
    assert_eq!(out.as_ptr(), place);
    assert!(out.iter().all(|byte| *byte == 7) && out.len() == 10_000);
}

#[test]
fn a_small_read_leaves_the_block_where_it_is() {
    let mut block = ReadBlock::new(64 * 1024);
    let mut out = BytesMut::new();
    let place = read(&mut block, 1, 100, &mut out);
    assert_ne!(out.as_ptr(), place);
    assert_eq!(block.space().as_ptr(), place);
    assert!(out.capacity() < 1024, "a small message keeps {} bytes", out.capacity());
}

#[test]
fn what_waits_in_out_stays_in_front() {
    let mut block = ReadBlock::new(64 * 1024);
    let mut out = BytesMut::from(&b"head"[..]);
    read(&mut block, b'x', 9_000, &mut out);
    assert_eq!(&out[..5], b"headx");
    assert_eq!(out.len(), 9_004);
}

#[test]
fn space_never_ends_and_stays_within_its_size() {
    let mut block = ReadBlock::new(16 * 1024);
    for round in 0..100 {
        let length = block.space().len();
        assert!((4 * 1024..=16 * 1024).contains(&length), "{length} in round {round}");
        let mut out = BytesMut::new();
        read(&mut block, 3, length, &mut out);
        assert_eq!(out.len(), length);
    }
}
