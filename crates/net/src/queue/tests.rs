use super::*;

fn contents(queue: &WriteQueue) -> Vec<u8> {
    let mut slices = [IoSlice::new(&[]); 16];
    let used = queue.slices(&mut slices);
    slices[..used].iter().flat_map(|slice| slice.iter().copied()).collect()
}

fn filled() -> WriteQueue {
    let mut queue = WriteQueue::new();
    queue.buffer().extend_from_slice(b"head");
    queue.push(Bytes::from(vec![b'p'; 5_000]));
    queue.buffer().extend_from_slice(b"next");
    queue.push(Bytes::from_static(b"tiny"));
    queue.buffer().extend_from_slice(b"tail");
    queue
}

#[test]
fn order_is_kept_between_frames_and_payloads() {
    let queue = filled();
    let expected = [b"head", &[b'p'; 5_000][..], b"next", b"tiny", b"tail"].concat();
    assert_eq!(contents(&queue), expected);
    assert_eq!(queue.len(), expected.len());
}

#[test]
fn what_lies_in_one_piece_is_written_as_one() {
    let mut queue = WriteQueue::new();
    assert_eq!(queue.whole(), None);
    queue.buffer().extend_from_slice(b"head");
    queue.buffer().extend_from_slice(b"next");
    queue.advance(1);
    assert_eq!(queue.whole(), Some(&b"eadnext"[..]));
    queue.push(Bytes::from_static(b"payload"));
    assert_eq!(queue.whole(), None);
}

#[test]
fn every_partial_write_leaves_the_rest() {
    let expected = contents(&filled());
    for step in [1, 3, 4, 7, 2_500, 5_016] {
        let mut queue = filled();
        for at in (0..expected.len()).step_by(step) {
            assert_eq!(contents(&queue), &expected[at..]);
            queue.advance(step.min(expected.len() - at));
        }
        assert!(queue.is_empty());
    }
}

#[test]
fn an_empty_queue_is_one_pointer_and_owns_nothing() {
    assert_eq!(size_of::<WriteQueue>(), size_of::<usize>());
    let mut queue = filled();
    queue.advance(queue.len());
    assert!(queue.0.is_none(), "a drained queue keeps memory");
    queue.push(Bytes::new());
    assert!(queue.0.is_none(), "an empty payload costs memory");
    let mut queue = filled();
    queue.clear();
    assert!(queue.is_empty() && queue.0.is_none());
}

#[test]
fn lent_buffers_come_back() {
    let mut spares = SpareBuffers::new();
    let mut queue = WriteQueue::new();
    queue.lend(&mut spares);
    queue.buffer().extend_from_slice(&[1; 300]);
    queue.give_back(&mut spares);
    assert_eq!((queue.len(), spares.0.len()), (300, 0), "bytes that wait are not given back");
    queue.advance(300);
    queue.give_back(&mut spares);
    assert!(queue.0.is_none());
    assert_eq!(spares.0.len(), 1);

    queue.lend(&mut spares);
    assert!(spares.0.is_empty());
    queue.buffer().extend_from_slice(&vec![1; SpareBuffers::CAPACITY_MAX + 1]);
    queue.advance(queue.len());
    queue.give_back(&mut spares);
    assert!(spares.0.is_empty(), "a giant buffer is kept");
}

#[test]
fn a_queue_moves_into_another_in_any_portions() {
    let expected = contents(&filled());
    for portion in [1, 5, 3_000, 10_000] {
        let (mut from, mut to) = (filled(), WriteQueue::new());
        let mut moved = 0;
        while !from.is_empty() {
            moved += from.move_front(portion, &mut to);
            assert_eq!((from.len(), to.len()), (expected.len() - moved, moved));
        }
        let mut gathered = BytesMut::new();
        to.gather(usize::MAX, &mut gathered);
        assert_eq!(gathered, expected);
        assert!(from.0.is_none() && to.0.is_none());
    }
}

#[test]
fn a_large_payload_moves_without_a_copy() {
    let payload = Bytes::from(vec![9; 100_000]);
    let place = payload.as_ptr();
    let (mut from, mut to) = (WriteQueue::new(), WriteQueue::new());
    from.push(payload);
    from.move_front(60_000, &mut to);
    assert_eq!(to.front().as_ptr(), place);
    assert_eq!(to.front().len(), 60_000);
}
