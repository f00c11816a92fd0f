use plexus_api_model::{BanAs, BanSource, Banned, ErrorCode, Infinity, Moment, Until};
use plexus_fences::Subject;
use plexus_types::Instant;

use super::{BanBook, BansError, is_same, made, shown};
use crate::kept::testing::Folder;

const NOW: Instant = Instant::from_secs(1_000);

fn ban(r#as: BanAs, who: &str) -> Banned {
    Banned {
        r#as,
        who: who.to_owned(),
        tenant: None,
        by: "ann".to_owned(),
        reason: "lost".to_owned(),
        at: None,
        until: Until::Never(Infinity::Infinity),
        source: BanSource::Api,
    }
}

#[test]
fn bans_outlive_the_process_and_end_in_time() {
    let folder = Folder::new("bans");
    let file = folder.file("bans.json");
    let book = BanBook::open(Some(file.clone())).unwrap();
    book.add(NOW, ban(BanAs::Clientid, "r1"), drop).unwrap();
    let soon = Until::At(Moment::from_millis(2_000_000));
    book.add(NOW, Banned { until: soon, ..ban(BanAs::Peerhost, "::1") }, drop).unwrap();
    let again = book.add(NOW, ban(BanAs::Clientid, "r1"), drop).unwrap_err();
    assert_eq!(again.code, ErrorCode::AlreadyExists);
    let book = BanBook::open(Some(file)).unwrap();
    let mut held = 0;
    book.hold(NOW, |bans| held = bans.len());
    assert_eq!((book.all(NOW).len(), held), (2, 2));
    let later = Instant::from_secs(2_000);
    assert_eq!(book.all(later).len(), 1);
    book.add(later, ban(BanAs::Peerhost, "0:0::1"), drop).unwrap();
    assert_eq!(book.remove(NOW, |ban| ban.who == "nobody", drop).unwrap(), 0);
    assert_eq!(
        book.remove(NOW, |ban| is_same(ban, &self::ban(BanAs::Clientid, "r1")), drop).unwrap(),
        1
    );
    assert_eq!(book.all(later).len(), 1);
}

#[test]
fn what_means_nobody_is_refused() {
    for (wrong, said) in [
        (ban(BanAs::Clientid, ""), "who: 1 to 1024"),
        (ban(BanAs::Username, "a\0b"), "who: 1 to 1024"),
        (ban(BanAs::Peerhost, "10.0.0.0/8"), "peerhost_net"),
        (ban(BanAs::Peerhost, "nowhere"), "who:"),
        (ban(BanAs::PeerhostNet, "10.0.0.0/33"), "who:"),
        (Banned { tenant: Some("a".to_owned()), ..ban(BanAs::Peerhost, "::1") }, "tenant:"),
        (Banned { tenant: Some("a b".to_owned()), ..ban(BanAs::Clientid, "c") }, "tenant:"),
        (Banned { reason: "x".repeat(2_000), ..ban(BanAs::Clientid, "c") }, "reason"),
    ] {
        let error = made(&wrong).unwrap_err();
        assert!(error.message.contains(said), "{wrong:?}: {error}");
    }
}

#[test]
fn a_ban_is_shown_as_it_was_made() {
    for banned in [
        ban(BanAs::Clientid, "r*"),
        ban(BanAs::Peerhost, "10.0.0.1"),
        ban(BanAs::PeerhostNet, "10.0.0.0/8"),
        Banned { tenant: Some("acme".to_owned()), ..ban(BanAs::Username, "ann") },
    ] {
        let node = made(&banned).unwrap();
        let told = shown(&node);
        assert_eq!(
            (told.r#as, &told.who, &told.tenant),
            (banned.r#as, &banned.who, &banned.tenant)
        );
    }
    let of_tenant = Banned { tenant: Some("acme".to_owned()), ..ban(BanAs::Clientid, "c") };
    assert_eq!(made(&of_tenant).unwrap().subject, Subject::Client("\0acme/c".into()));
}

#[test]
fn a_file_that_is_none_stops_the_start() {
    let folder = Folder::new("no-bans");
    let file = folder.file("bans.json");
    let open = |text: &str| {
        std::fs::write(&file, text).unwrap();
        BanBook::open(Some(file.clone())).unwrap_err()
    };
    assert!(matches!(open("{"), BansError::Form(..)));
    assert!(matches!(open(r#"{"version": 9, "bans": []}"#), BansError::Version { version: 9, .. }));
    let nobody = r#"{"version": 1, "bans": [{"as": "clientid", "who": "", "by": "", "reason": "",
        "until": "infinity"}]}"#;
    assert!(matches!(open(nobody), BansError::Ban { number: 1, .. }));
}

#[test]
fn what_is_held_to_is_what_is_kept_whoever_else_bans() {
    let book = BanBook::open(None).unwrap();
    let held = std::sync::Mutex::new(0);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (book, held) = (&book, &held);
            scope.spawn(move || {
                for number in 0..50 {
                    let one = ban(BanAs::Clientid, &format!("{thread}-{number}"));
                    book.add(NOW, one, |bans| *held.lock().unwrap() = bans.len()).unwrap();
                }
            });
        }
    });
    assert_eq!(*held.lock().unwrap(), 400);
}
