use std::{num::NonZeroU64, time::Duration};

use plexus_access::{Outcome, Rights};
use plexus_fences::{Ban, FlappingOptions, LockoutOptions, Rate, Subject};
use plexus_stdx::Seed;
use plexus_types::{Instant, ReasonCode, TenantName, Text};

use super::{BansFrom, Fence, FenceOptions, Fences, Who};

const NOW: Instant = Instant::from_secs(1_000);
const ANN: Who<'_> = Who { client: "robot", user: Some("ann"), peer: None, tenant: None };
const WRONG: Result<(), ReasonCode> = Err(ReasonCode::BadUserNameOrPassword);

fn fences(options: &FenceOptions) -> Fences {
    Fences::new(options, Seed::new(6))
}

fn rate(amount: u64) -> Rate {
    Rate::new(NonZeroU64::new(amount).unwrap(), Duration::from_mins(1))
}

fn count(fences: &Fences, name: &str) -> u64 {
    fences.counts().find(|(one, _)| *one == name).unwrap().1
}

#[test]
fn a_wrong_password_counts_and_a_busy_server_does_not() {
    let lockout = LockoutOptions {
        free: rate(1),
        free_of_place: rate(100),
        free_of_user: rate(100),
        first: Duration::from_secs(1),
        longest: Duration::from_secs(8),
        entries_max: 10,
    };
    let fences = fences(&FenceOptions { lockout: Some(lockout), ..FenceOptions::default() });
    for reason in [ReasonCode::ServerBusy, ReasonCode::QuotaExceeded, ReasonCode::Banned] {
        fences.note_verdict(NOW, ANN, Err(reason));
    }
    fences.note_verdict(NOW, ANN, WRONG);
    assert_eq!(fences.ask(NOW, ANN), Ok(()));
    fences.note_verdict(NOW, ANN, WRONG);
    assert_eq!(fences.ask(NOW, ANN), Err(Fence::Lockout));
    assert_eq!(fences.ask_lockout(NOW, ANN), Err(Fence::Lockout));
    assert_eq!(fences.ask(NOW + Duration::from_secs(1), ANN), Ok(()));
    assert_eq!(count(&fences, "locked_out"), 2);
}

#[test]
fn who_was_banned_while_his_password_was_checked_stays_out() {
    let fences = fences(&FenceOptions::default());
    assert_eq!(fences.ask(NOW, ANN), Ok(()));
    let subject = Subject::User("ann".into());
    let ban = Ban { subject, reason: "left".into(), until: None };
    fences.replace_bans(BansFrom::File, vec![ban]);
    assert_eq!(fences.judge(NOW, ANN, Ok(())), Err(ReasonCode::Banned));
    assert_eq!(fences.ask(NOW, ANN), Err(Fence::Ban));
    assert_eq!(count(&fences, "banned"), 2);
}

#[test]
fn only_who_was_let_in_flaps() {
    let connects = rate(2);
    let flapping = FlappingOptions { connects, ban: Duration::from_mins(5), clients_max: 10 };
    let fences = fences(&FenceOptions { flapping: Some(flapping), ..FenceOptions::default() });
    for _ in 0..10 {
        assert_eq!(fences.judge(NOW, ANN, WRONG), WRONG, "a stranger bans nobody by it");
    }
    assert_eq!(fences.judge(NOW, ANN, Ok(())), Ok(()));
    assert_eq!(fences.judge(NOW, ANN, Ok(())), Ok(()));
    assert_eq!(fences.ask(NOW, ANN), Ok(()));
    assert_eq!(fences.judge(NOW, ANN, Ok(())), Err(ReasonCode::Banned));
    assert_eq!(fences.ask(NOW, ANN), Err(Fence::Flapping));
}

#[test]
fn who_is_of_a_tenant_that_its_token_says_stays_out_for_as_long_as_others() {
    let flapping =
        FlappingOptions { connects: rate(2), ban: Duration::from_mins(5), clients_max: 10 };
    let fences = fences(&FenceOptions { flapping: Some(flapping), ..FenceOptions::default() });
    let acme = TenantName::try_from("acme").unwrap();
    let of_acme = Who { tenant: Some(&acme), ..ANN };
    let judged: Vec<_> = (0..5).map(|_| fences.judge(NOW, of_acme, Ok(())).is_ok()).collect();
    assert_eq!(judged, [true, true, false, false, false], "before, nobody knew its tenant");
}

#[test]
fn who_is_let_in_by_a_tenant_frees_no_namesake() {
    let lockout = LockoutOptions { free: rate(1), ..LockoutOptions::default() };
    let fences = fences(&FenceOptions { lockout: Some(lockout), ..FenceOptions::default() });
    let tenant = TenantName::try_from("acme").ok();
    let rights = Rights { user_name: Some(Text::from_static("ann")), tenant, ..Rights::default() };
    for _ in 0..2 {
        fences.note_verdict(NOW, ANN, WRONG);
    }
    fences.note_outcome(NOW, ANN, &Outcome::Allow(Box::new(rights), None));
    assert_eq!(fences.ask(NOW, ANN), Err(Fence::Lockout));
}

#[test]
fn a_user_has_so_many_connections_until_one_ends() {
    let options = FenceOptions { connections_of_user_max: 2, ..FenceOptions::default() };
    let fences = fences(&options);
    let first = fences.seat(None, Some("ann")).unwrap();
    let _second = fences.seat(None, Some("ann")).unwrap();
    assert_eq!(fences.seat(None, Some("ann")).unwrap_err(), Fence::User);
    assert!(fences.seat(None, Some("bob")).unwrap().is_some());
    assert!(fences.seat(None, None).unwrap().is_none(), "who has no name has no limit");
    drop(first);
    assert!(fences.seat(None, Some("ann")).unwrap().is_some());
}

#[test]
fn what_befalls_a_user_of_one_tenant_befalls_no_other() {
    let lockout = LockoutOptions {
        free: rate(1),
        free_of_place: rate(100),
        free_of_user: rate(100),
        first: Duration::from_secs(1),
        longest: Duration::from_secs(8),
        entries_max: 10,
    };
    let options = FenceOptions {
        lockout: Some(lockout),
        connections_of_user_max: 1,
        ..FenceOptions::default()
    };
    let fences = fences(&options);
    let [acme, globex] = ["acme", "globex"].map(|name| TenantName::try_from(name).unwrap());
    let of = |tenant| Who { tenant: Some(tenant), ..ANN };
    for _ in 0..3 {
        fences.note_verdict(NOW, of(&acme), WRONG);
    }
    assert_eq!(fences.ask(NOW, of(&acme)), Err(Fence::Lockout));
    assert_eq!((fences.ask(NOW, of(&globex)), fences.ask(NOW, ANN)), (Ok(()), Ok(())));
    let _seat = fences.seat(Some(&acme), Some("ann")).unwrap();
    assert_eq!(fences.seat(Some(&acme), Some("ann")).unwrap_err(), Fence::User);
    assert!(fences.seat(Some(&globex), Some("ann")).unwrap().is_some());
    // A star stands for everybody of its tenant, or of none.
    for (subject, banned) in [("*".to_owned(), None), (globex.place("a*"), Some(&globex))] {
        let subject = Subject::User(subject.into());
        let ban = Ban { subject, reason: "left".into(), until: None };
        fences.replace_bans(BansFrom::File, vec![ban]);
        for tenant in [None, Some(&globex)] {
            let wanted = if tenant == banned { Err(Fence::Ban) } else { Ok(()) };
            assert_eq!(fences.ask(NOW, Who { tenant, ..ANN }), wanted, "{banned:?} {tenant:?}");
        }
    }
}
