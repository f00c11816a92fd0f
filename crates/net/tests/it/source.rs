use std::net::{IpAddr, TcpListener};

use plexus_net::{ClientLayers, PeerAddr, Target};

#[test]
fn a_connection_begins_at_the_address_that_is_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let target = Target::Address(listener.local_addr().expect("bound"));
    let source = "127.0.0.2".parse::<IpAddr>().expect("an address");
    let stream = target.open(Some(source), &ClientLayers::default()).expect("it begins");
    let (_, peer) = listener.accept().expect("it comes");
    assert_eq!(peer.ip(), source);
    assert_eq!(stream.facts().local, PeerAddr::Ip(peer));
}

#[test]
fn an_address_of_another_machine_is_refused_at_once() {
    let target = Target::Address("127.0.0.1:9".parse().expect("an address"));
    let source = "192.0.2.1".parse().ok();
    assert!(target.open(source, &ClientLayers::default()).is_err());
}
