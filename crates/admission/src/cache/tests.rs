use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use plexus_access::{Certificate, Credentials, Enhanced};
use plexus_stdx::Seed;
use plexus_types::{ClientId, Instant, ReasonCode, Text};

use super::{Cache, ENTRIES_MAX};
use crate::Answer;

fn cache() -> Cache {
    Cache::new(Duration::from_secs(10), &[3; 32], Seed::new(1))
}

fn credentials() -> Credentials {
    Credentials {
        client_id: ClientId::try_from("c").unwrap(),
        user_name: Some(Text::from_static("ann")),
        password: Some(Bytes::from_static(b"s3")),
        peer: Some("10.0.0.7".parse().unwrap()),
        listener: Arc::from("tcp"),
        tenant: None,
        certificate: None,
        enhanced: None,
        wanted: None,
        gate: plexus_access::Gate::default(),
    }
}

#[test]
fn everything_that_is_shown_counts() {
    let cache = cache();
    let print = |credentials: &Credentials| cache.print(credentials).unwrap();
    let same = print(&credentials());
    assert_eq!(print(&credentials()), same);
    let text = Text::from_static;
    let certificate = Some(Arc::new(Certificate::default()));
    for other in [
        Credentials { client_id: ClientId::try_from("d").unwrap(), ..credentials() },
        Credentials { user_name: Some(text("anns3")), ..credentials() },
        Credentials { user_name: Some(text("anns")), password: Some("3".into()), ..credentials() },
        Credentials { user_name: None, ..credentials() },
        Credentials { password: None, ..credentials() },
        Credentials { password: Some(Bytes::new()), ..credentials() },
        Credentials { peer: None, ..credentials() },
        Credentials { listener: Arc::from("tls"), ..credentials() },
        Credentials { certificate, ..credentials() },
    ] {
        assert_ne!(print(&other), same, "{other:?}");
    }
    let enhanced = Enhanced { method: text("M"), data: Bytes::new(), exchange: None };
    assert_eq!(cache.print(&Credentials { enhanced: Some(enhanced), ..credentials() }), None);
    let elsewhere = Cache::new(Duration::from_secs(10), &[4; 32], Seed::new(1));
    assert_ne!(elsewhere.print(&credentials()).unwrap(), same, "the secret counts, too");
}

#[test]
fn an_answer_is_forgotten_in_time() {
    let mut cache = cache();
    let (print, now) = (cache.print(&credentials()).unwrap(), Instant::from_secs(100));
    cache.remember(print, &Answer::Deny(ReasonCode::Banned), now);
    let again = now + Duration::from_secs(9);
    assert!(matches!(cache.find(&print, again), Some(Answer::Deny(ReasonCode::Banned))));
    cache.remember(print, &Answer::allow(), again);
    let later = now + Duration::from_secs(10);
    assert!(matches!(cache.find(&print, later), Some(Answer::Allow(..))), "the newer one holds");
    assert!(cache.find(&print, again + Duration::from_secs(10)).is_none());
    assert!(cache.answers.is_empty() && cache.order.is_empty());
}

#[test]
fn it_has_a_limit() {
    let mut cache = cache();
    let now = Instant::from_secs(100);
    for number in 0..=ENTRIES_MAX as u64 {
        let mut print = [0; 32];
        print[..8].copy_from_slice(&number.to_be_bytes());
        cache.remember(print, &Answer::Ignore, now);
    }
    assert_eq!(cache.answers.len(), ENTRIES_MAX);
    assert!(cache.find(&[0; 32], now).is_none(), "the oldest has gone");
}
