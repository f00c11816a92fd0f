use std::net::{IpAddr, Ipv4Addr};

use plexus_access::Network;
use plexus_stdx::Seed;
use plexus_types::Instant;
use proptest::prelude::*;

use super::{Ban, Bans, Subject};

const NOW: Instant = Instant::from_secs(1_000);

fn ban(subject: Subject, reason: &str, until: Option<u64>) -> Ban {
    Ban { subject, reason: reason.into(), until: until.map(Instant::from_secs) }
}

fn network(text: &str) -> Subject {
    Subject::Network(text.parse().unwrap())
}

fn bans(all: Vec<Ban>) -> Bans {
    Bans::new(all, Seed::new(3))
}

fn reason(ban: Option<&Ban>) -> &str {
    ban.map_or("", |ban| &ban.reason)
}

#[test]
fn each_kind_meets_whom_it_names() {
    let bans = bans(vec![
        ban(Subject::Client("stolen".into()), "client", None),
        ban(Subject::Client("test-*".into()), "clients", None),
        ban(Subject::User("ann".into()), "user", None),
        ban(Subject::User("*@old".into()), "users", None),
        ban(network("192.0.2.7"), "address", None),
        ban(network("10.0.0.0/8"), "network", None),
        ban(network("2001:db8::/32"), "network of IPv6", None),
    ]);
    for (client, said) in [("stolen", "client"), ("test-7", "clients"), ("ann", ""), ("Stolen", "")]
    {
        assert_eq!(reason(bans.of_client(NOW, client)), said, "{client}");
    }
    for (user, said) in [("ann", "user"), ("bob@old", "users"), ("stolen", "")] {
        assert_eq!(reason(bans.of_user(NOW, user)), said, "{user}");
    }
    for (address, said) in [
        ("192.0.2.7", "address"),
        ("192.0.2.8", ""),
        ("10.255.0.1", "network"),
        ("::ffff:10.1.1.1", "network"),
        ("11.0.0.0", ""),
        ("2001:db8:9::1", "network of IPv6"),
        ("2001:db9::1", ""),
    ] {
        assert_eq!(reason(bans.of_address(NOW, address.parse().unwrap())), said, "{address}");
    }
}

#[test]
fn a_ban_ends_at_its_time_and_the_longest_of_the_same_holds() {
    let name = || Subject::Client("c".into());
    for all in [
        vec![ban(name(), "short", Some(1_001)), ban(name(), "long", Some(2_000))],
        vec![ban(name(), "long", Some(2_000)), ban(name(), "short", Some(1_001))],
    ] {
        let bans = bans(all);
        assert_eq!(reason(bans.of_client(NOW, "c")), "long");
        assert_eq!(reason(bans.of_client(Instant::from_secs(1_999), "c")), "long");
        assert_eq!(reason(bans.of_client(Instant::from_secs(2_000), "c")), "");
    }
    let bans = bans(vec![
        ban(network("10.0.0.0/8"), "wide", Some(5_000)),
        ban(network("10.1.0.0/16"), "narrow", Some(1_500)),
        ban(network("0.0.0.0/0"), "ended", Some(1_000)),
    ]);
    let address = "10.1.2.3".parse().unwrap();
    assert_eq!(reason(bans.of_address(NOW, address)), "wide");
    assert_eq!(reason(bans.of_address(Instant::from_secs(6_000), address)), "");
}

#[test]
fn one_of_a_hundred_thousand_is_found() {
    let of = |number: u32| {
        Subject::Network(Ipv4Addr::from_bits(number << 4).to_string().parse().unwrap())
    };
    let clients = (0..50_000).map(|it| ban(Subject::Client(format!("c{it}").into()), "c", None));
    let addresses = (0..50_000).map(|it| ban(of(it), "a", None));
    let bans = bans(clients.chain(addresses).collect());
    assert_eq!(bans.len(), 100_000);
    assert_eq!(reason(bans.of_client(NOW, "c49999")), "c");
    assert_eq!(reason(bans.of_client(NOW, "c50000")), "");
    assert_eq!(reason(bans.of_address(NOW, IpAddr::V4(Ipv4Addr::from_bits(49_999 << 4)))), "a");
    assert_eq!(reason(bans.of_address(NOW, IpAddr::V4(Ipv4Addr::from_bits(49_999 << 4 | 1)))), "");
}

proptest! {
    /// A network is banned exactly for the addresses in it.
    #[test]
    fn networks_are_found_as_they_contain(
        networks in prop::collection::vec((0_u32..64, 26_u8..=32), 0..8),
        address in 0_u32..64,
    ) {
        let networks: Vec<Network> = networks.into_iter().map(|(address, bits)| {
            let mask = u32::MAX << (32 - u32::from(bits));
            format!("{}/{bits}", Ipv4Addr::from_bits(address & mask)).parse().unwrap()
        }).collect();
        let all = networks.iter().map(|it| ban(Subject::Network(*it), "n", None)).collect();
        let address = IpAddr::V4(Ipv4Addr::from_bits(address));
        let expected = networks.iter().any(|network| network.contains(address));
        prop_assert_eq!(bans(all).of_address(NOW, address).is_some(), expected);
    }
}
