//! The clients and the node over every transport.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::program::{Node, Place};

/// An authority and a certificate of it for `localhost`, as PEM files.
fn certificates(place: &Place) {
    let mut params = CertificateParams::new(Vec::new()).expect("a certificate");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority =
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a certificate"))
            .expect("a certificate");
    place.write("ca.pem", &authority.pem());
    for (name, host) in [("server", "localhost"), ("client", "client.example")] {
        let key = KeyPair::generate().expect("a certificate");
        let params = CertificateParams::new(vec![host.to_owned()]).expect("a certificate");
        let certificate = params.signed_by(&key, &authority).expect("a certificate");
        place.write(&format!("{name}.pem"), &certificate.pem());
        place.write(&format!("{name}.key"), &key.serialize_pem());
    }
}

/// Publishes a kept message and reads it again.
fn there_and_back(place: &Place, args: &[&str]) {
    let publish = ["pub", "-t", "a", "-m", "x", "-q", "1", "-r", "--quiet"];
    assert_eq!(place.run(publish.iter().chain(args)).ok(), "");
    let subscribe = ["sub", "-t", "a", "-C", "1", "-W", "20"];
    assert_eq!(place.run(subscribe.iter().chain(args)).ok(), "x\n");
}

#[test]
fn tcp_websocket_and_unix_sockets_carry_messages() {
    let place = Place::new();
    let unix = format!("unix://{}/mqtt.sock", place.path().display());
    let tcp = ["--listen", "tcp://127.0.0.1:0", "--listen", "tcp://[::1]:0"];
    let others = ["--listen", "ws://127.0.0.1:0/mqtt", "--listen", unix.as_str()];
    let node = Node::start(&place, &[&tcp[..], &others[..]].concat());
    for url in &node.urls {
        there_and_back(&place, &["-L", &url.replace("tcp://", "mqtt://")]);
    }
    there_and_back(&place, &["-h", "127.0.0.1", "-p", node.port(), "-V", "311"]);
}

#[test]
fn tls_proves_the_broker() {
    let place = Place::new();
    certificates(&place);
    let listen = ["--listen", "tls://127.0.0.1:0", "--listen", "wss://127.0.0.1:0/mqtt"];
    let files = ["--tls-cert", "server.pem", "--tls-key", "server.key"];
    let node = Node::start(&place, &[&listen[..], &files[..]].concat());
    let [tls, wss] = &node.urls[..] else { panic!("{:?}", node.urls) };
    let at_localhost = |url: &str| url.replace("127.0.0.1", "localhost");
    there_and_back(&place, &["-L", &at_localhost(tls), "--cafile", "ca.pem"]);
    there_and_back(&place, &["-L", &at_localhost(wss), "--cafile", "ca.pem"]);
    there_and_back(&place, &["-L", tls, "--insecure"]);
    let publish = ["pub", "-t", "a", "-n", "-L"];
    let stranger = place.run(publish.iter().chain(&[at_localhost(tls).as_str()])).failed(1);
    assert!(stranger.contains("invalid peer certificate: UnknownIssuer"), "{stranger}");
    let other_name = place.run(publish.iter().chain(&[tls.as_str(), "--cafile", "ca.pem"]));
    let other_name = other_name.failed(1);
    assert!(other_name.contains("certificate not valid for name"), "{other_name}");
}

#[test]
fn tls_may_ask_the_client_for_a_certificate() {
    let place = Place::new();
    certificates(&place);
    place.write(
        "plexus.toml",
        "[[listener]]\nurl = \"tls://127.0.0.1:0\"\n[listener.tls]\ncert_file = \"server.pem\"\n\
         key_file = \"server.key\"\nclient_ca_file = \"ca.pem\"\nclient_auth = \"required\"\n",
    );
    let node = Node::start(&place, &[]);
    let url = node.urls[0].replace("127.0.0.1", "localhost");
    let known = ["--cert", "client.pem", "--key", "client.key"];
    there_and_back(&place, &[&["-L", &url, "--cafile", "ca.pem"], &known[..]].concat());
    let args = ["pub", "-t", "a", "-n", "-q", "1", "--reconnect", "never", "--cafile", "ca.pem"];
    let error = place.run(args.iter().chain(&["-L", url.as_str()])).failed(1);
    assert!(error.contains("CertificateRequired"), "{error}");
}

#[test]
fn certificates_are_read_anew_at_a_hangup() {
    let place = Place::new();
    certificates(&place);
    let old = std::fs::read_to_string(place.path().join("ca.pem")).unwrap();
    let listen = ["--listen", "tls://127.0.0.1:0"];
    let files = ["--tls-cert", "server.pem", "--tls-key", "server.key"];
    let node = Node::start(&place, &[&listen[..], &files[..]].concat());
    let url = node.urls[0].replace("127.0.0.1", "localhost");
    certificates(&place);
    place.write("old.pem", &old);
    there_and_back(&place, &["-L", &url, "--cafile", "old.pem"]);
    node.signal("HUP");
    // The old certificate serves until the new one is read.
    let args = ["sub", "-t", "a", "-C", "1", "-L", &url, "--cafile", "ca.pem"];
    while place.run(args).code != Some(0) {}
    let stale = place.run(["sub", "-t", "a", "-C", "1", "-L", &url, "--cafile", "old.pem"]);
    assert!(stale.failed(1).contains("invalid peer certificate"));
}
