use proptest::prelude::*;

use super::*;

fn sealed(records: &[u8], seal: Seal) -> Vec<u8> {
    let mut frame = Vec::new();
    begin(&mut frame);
    frame.extend_from_slice(records);
    close(&mut frame, seal, 512, 1_700_000_000_000);
    frame
}

#[test]
fn a_frame_holds_in_its_own_segment_only() {
    let one = Seal::new(9, SegmentNumber::new(1));
    let frame = sealed(b"records", one);
    let (head, records) = verify(&frame, one).unwrap();
    assert_eq!(records, b"records");
    assert_eq!(head, Head { length: 7, kept: 512, millis: 1_700_000_000_000 });
    for other in [Seal::new(9, SegmentNumber::new(2)), Seal::new(8, SegmentNumber::new(1))] {
        assert_eq!(verify(&frame, other), None);
        // Not even with the other segment's mark on it.
        let mut marked = frame.clone();
        marked[..4].copy_from_slice(&other.tag());
        assert_eq!(verify(&marked, other), None);
    }
}

#[test]
fn zeros_are_no_frame() {
    for number in 0..1_000 {
        let seal = Seal::new(3, SegmentNumber::new(number));
        assert_eq!(Head::decode(&[0; 64], seal), None);
    }
}

proptest! {
    #[test]
    fn a_frame_comes_back_and_a_bent_or_cut_one_does_not(
        records in proptest::collection::vec(any::<u8>(), 0..300),
        number: u64,
        bend: prop::sample::Index,
        bit in 0..8_u8,
    ) {
        let seal = Seal::new(77, SegmentNumber::new(number));
        let frame = sealed(&records, seal);
        prop_assert_eq!(verify(&frame, seal).unwrap().1, &records[..]);
        let mut bent = frame.clone();
        bent[bend.index(frame.len())] ^= 1 << bit;
        prop_assert_eq!(verify(&bent, seal), None);
        prop_assert_eq!(verify(&frame[..bend.index(frame.len())], seal), None);
    }
}
