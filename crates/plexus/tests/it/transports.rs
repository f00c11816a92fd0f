//! The clients and the node over every transport.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};

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

/// A node that shows a certificate which is signed by itself, in `own.pem`; gives its URL.
fn self_signed(place: &Place, change: impl FnOnce(&mut CertificateParams)) -> (Node, String) {
    let key = KeyPair::generate().expect("a certificate");
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a certificate");
    change(&mut params);
    let certificate = params.self_signed(&key).expect("a certificate");
    place.write("own.pem", &certificate.pem());
    place.write("own.key", &key.serialize_pem());
    let files = ["--tls-cert", "own.pem", "--tls-key", "own.key"];
    let node = Node::start(place, &[&["--listen", "tls://127.0.0.1:0"], &files[..]].concat());
    let url = node.urls.first().expect("a listener").replace("127.0.0.1", "localhost");
    (node, url)
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
    for url in [tls, wss] {
        let args = ["bench", "p2p", "--quiet", "-n", "2", "-m", "20", "-q", "1"];
        let url = [&at_localhost(url), "--cafile", "ca.pem"];
        let summary = place.run(args.iter().chain(&url)).ok();
        assert!(summary.contains("20 received"), "{summary}");
    }
    let publish = ["pub", "-t", "a", "-n", "-L"];
    let stranger = place.run(publish.iter().chain(&[at_localhost(tls).as_str()])).failed(1);
    assert!(stranger.contains("nobody that is trusted signed the certificate"), "{stranger}");
    assert!(stranger.contains("write --cafile FILE"), "{stranger}");
    let other_name = place.run(publish.iter().chain(&[tls.as_str(), "--cafile", "ca.pem"]));
    let other_name = other_name.failed(1);
    let told = "is not for `127.0.0.1` but for localhost; write localhost in the URL, or";
    assert!(other_name.contains(told), "{other_name}");
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
    assert!(error.contains("it wants a certificate of the client; write --cert"), "{error}");
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
    assert!(stale.failed(1).contains("old.pem did not sign the certificate of"));
}

#[test]
fn a_certificate_that_is_signed_by_itself_is_its_own_authority() {
    let place = Place::new();
    let (_node, url) = self_signed(&place, |_| {});
    there_and_back(&place, &["-L", &url, "--cafile", "own.pem"]);
}

#[test]
fn the_certificate_of_an_authority_is_refused_with_a_recipe() {
    let place = Place::new();
    let authority = IsCa::Ca(BasicConstraints::Unconstrained);
    let (_node, url) = self_signed(&place, |params| params.is_ca = authority);
    let args = ["pub", "-t", "a", "-n", "-L", &url, "--cafile", "own.pem"];
    let error = place.run(args).failed(1);
    assert!(error.contains("is one of an authority (CA:TRUE)"), "{error}");
    assert!(error.contains("\n  openssl req -x509 -newkey ec "), "{error}");
    assert!(!error.contains("CaUsed"), "{error}");
}

#[test]
fn an_expired_certificate_is_told_with_its_last_day() {
    let place = Place::new();
    let (_node, url) = self_signed(&place, |params| {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 2, 29);
    });
    let args = ["pub", "-t", "a", "-n", "-L", &url, "--cafile", "own.pem"];
    let error = place.run(args).failed(1);
    assert!(error.contains("expired on 2020-02-29; the broker needs a new one"), "{error}");
}

#[test]
fn the_wrong_port_is_told_with_the_option_that_fits() {
    let place = Place::new();
    certificates(&place);
    let plain = ["--listen", "tcp://127.0.0.1:0", "--listen", "ws://127.0.0.1:0/mqtt"];
    let tls = ["--listen", "tls://127.0.0.1:0", "--tls-cert", "server.pem"];
    let more = ["--tls-key", "server.key", "--set", "limits.connect_timeout=1s"];
    let args = [&plain[..], &tls[..], &more[..]].concat();
    let node = Node::start(&place, &args);
    let [tcp, ws, tls] = &node.urls[..] else { panic!("{:?}", node.urls) };
    let (tcp, ws, tls) = (tcp.as_str(), ws.as_str(), tls.as_str());
    let other = |url: &str, scheme: &str| {
        let (_, place) = url.split_once("://").expect("a URL");
        format!("{scheme}://{place}")
    };
    for (url, what, mend) in [
        (other(tls, "mqtt"), "answers in TLS", "write mqtts:// in the URL, and --cafile FILE"),
        (other(tcp, "mqtts"), "without an answer to the first message of TLS", "write mqtt:// in"),
        (
            other(tcp, "ws") + "/mqtt",
            "without an answer to the request for",
            "write mqtt:// in the",
        ),
        (ws.replace("/mqtt", "/wrong"), "nothing is served at the path `/wrong`", "at /mqtt"),
        (
            other(ws, "mqtt").replace("/mqtt", ""),
            "without an answer to CONNECT",
            "write ws:// in the URL",
        ),
    ] {
        let args = ["pub", "-t", "a", "-n", "--reconnect", "never", "-L", &url];
        let error = place.run(args).failed(1);
        assert!(error.contains(what) && error.contains(mend), "{url}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn files_and_sockets_that_are_not_there_are_named() {
    let place = Place::new();
    place.write("empty", "");
    let error = |args: &[&str]| place.run(["pub", "-t", "a", "-n"].iter().chain(args)).failed(1);
    assert_eq!(
        error(&["--cafile", "none"]),
        "error: cannot read none: No such file or directory\n"
    );
    let empty = error(&["--cafile", "empty"]);
    assert!(empty.contains("empty holds no certificate; expected"), "{empty}");
    let unix = format!("unix://{}/none", place.path().display());
    assert!(error(&["-L", &unix]).contains("no such socket; is the broker running"));
}
