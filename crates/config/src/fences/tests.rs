use std::{path::PathBuf, time::Duration};

use plexus_stdx::Seed;
use plexus_types::Instant;

use crate::{
    Config, File, Machine, Sources, load,
    node::tests::{Planned, planned},
};

const NOW: Instant = Instant::from_secs(1_790_000_000);

fn config(text: &str) -> Result<Config, String> {
    let file = File { path: PathBuf::from("plexus.toml"), text: text.to_owned() };
    let sources = Sources { file: Some(file), ..Sources::default() };
    load(sources).map_err(|error| error.to_string())
}

fn plan(text: &str) -> Planned {
    planned(&config(text).unwrap(), Machine { cores: 1, memory: 0 }).unwrap()
}

#[test]
fn bans_say_what_the_file_says() {
    let text = "[[access.ban]]\nclient = \"old-*\"\nreason = \"recalled\"\n\
                [[access.ban]]\nuser = \"ann\"\nuntil = \"2026-12-31T18:00:00Z\"\n\
                [[access.ban]]\nnetwork = \"192.0.2.0/24\"\nuntil = \"2026-01-01\"\n";
    let bans = config(text).unwrap().bans(Seed::new(1));
    assert_eq!(&*bans.of_client(NOW, "old-7").unwrap().reason, "recalled");
    assert_eq!(bans.of_user(NOW, "ann").unwrap().until, Some(Instant::from_secs(1_798_740_000)));
    assert!(bans.of_user(NOW, "bob").is_none());
    assert!(bans.of_address(NOW, "192.0.2.9".parse().unwrap()).is_none(), "it has ended");
}

#[test]
fn a_ban_is_of_one() {
    for (keys, said) in [
        ("reason = \"x\"\n", "the ban is of nobody"),
        ("client = \"c\"\nuser = \"u\"\n", "the ban is of more than one"),
        ("network = \"10.0.0.1/8\"\n", "the network is 10.0.0.0/8"),
        ("client = \"c\"\nuntil = \"tomorrow\"\n", "is no moment of UTC"),
    ] {
        let error = config(&format!("[[access.ban]]\n{keys}")).unwrap_err();
        assert!(error.contains(said) && error.contains("plexus.toml:"), "{error}");
    }
}

#[test]
fn fences_are_there_without_a_word_of_them() {
    let plan = plan("");
    let fences = &plan.node.fences;
    let lockout = fences.lockout.unwrap();
    assert_eq!((lockout.free.amount(), lockout.free.per()), (5, Duration::from_mins(10)));
    assert_eq!(lockout.longest, Duration::from_mins(15));
    assert_eq!(fences.flapping, None);
    assert!(fences.bans.is_empty());
    assert!(plan.listeners.iter().all(|listener| listener.meter.is_none()));
}

#[test]
fn a_lockout_can_be_turned_off_and_its_waits_ascend() {
    assert_eq!(plan("[access.lockout]\nfailures = \"off\"\n").node.fences.lockout, None);
    let error = config("[access.lockout]\nfirst = \"1h\"\n").unwrap_err();
    assert!(error.contains("the first wait is longer than the longest"), "{error}");
}

#[test]
fn a_listener_may_have_rates_of_its_own() {
    let plan = plan(
        "[limits]\nmax_message_rate = \"10/s\"\nmax_total_byte_rate = \"1MiB/s\"\n\
         [[listener]]\nurl = \"tcp://127.0.0.1:1\"\nmax_message_rate = \"off\"\n\
         [[listener]]\nurl = \"tcp://127.0.0.1:2\"\nmax_byte_rate = \"1KiB/s\"\n\
         max_connection_rate = \"5/s\"\nmax_total_message_rate = \"100/s\"\n",
    );
    let [first, second] = &plan.listeners[..] else { panic!("two listeners") };
    let (own, other) = (first.meter.as_deref().unwrap(), second.meter.as_deref().unwrap());
    assert_eq!((own.client.messages, own.client.bytes), (None, None));
    assert_eq!(own.pools.len(), 1, "the node's");
    assert_eq!(other.client.messages.map(plexus_fences::Rate::amount), Some(10));
    assert_eq!(other.client.bytes.map(plexus_fences::Rate::amount), Some(1_024));
    assert_eq!(other.pools.len(), 2, "its own and the node's");
    assert_eq!(first.connection_rate, None);
    assert_eq!(second.connection_rate.map(plexus_fences::Rate::amount), Some(5));
}
