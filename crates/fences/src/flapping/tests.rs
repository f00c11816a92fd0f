use std::{num::NonZeroU64, time::Duration};

use plexus_stdx::Seed;
use plexus_types::Instant;

use super::{Flapping, FlappingOptions};
use crate::{Place, Rate};

const BAN: Duration = Duration::from_mins(5);

fn flapping() -> Flapping {
    let connects = Rate::new(NonZeroU64::new(3).unwrap(), Duration::from_mins(1));
    Flapping::new(FlappingOptions { connects, ban: BAN, clients_max: 2 }, Seed::new(1))
}

#[test]
fn who_comes_too_often_stays_out_for_a_while() {
    let mut flapping = flapping();
    let here = Some(Place::V4(1));
    let start = Instant::from_secs(100);
    let times = [0, 1, 2].map(|seconds| start + Duration::from_secs(seconds));
    assert_eq!(times.map(|now| flapping.note_connect(now, "a", here)), [None; 3]);
    let now = start + Duration::from_secs(3);
    assert_eq!(flapping.banned_until(now, "a", here), None);
    assert_eq!(flapping.note_connect(now, "a", here), Some(now + BAN));
    assert_eq!(flapping.banned_until(now, "a", here), Some(now + BAN));
    assert_eq!(flapping.banned_until(now, "a", Some(Place::V4(2))), None, "it is another's there");
    assert_eq!(flapping.banned_until(now, "b", here), None, "others come from there too");
    assert_eq!(flapping.banned_until(now + BAN, "a", here), None);
    assert_eq!(flapping.note_connect(now + BAN, "a", here), None, "and it begins anew");
}

#[test]
fn who_comes_evenly_never_flaps() {
    let mut flapping = flapping();
    for minute in 0..100 {
        for part in 0..3 {
            let now = Instant::from_secs(minute * 60 + part * 20);
            assert_eq!(flapping.note_connect(now, "a", None), None);
        }
    }
}

#[test]
fn who_is_kept_out_is_not_forgotten_for_others() {
    let mut flapping = flapping();
    let now = Instant::from_secs(1);
    for _ in 0..4 {
        flapping.note_connect(now, "a", None);
    }
    for name in ["b", "c", "d", "e"] {
        assert_eq!(flapping.note_connect(now, name, None), None);
    }
    assert!(flapping.banned_until(now, "a", None).is_some());
}
