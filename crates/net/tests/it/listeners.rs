//! Listening sockets and their configuration.

use std::{
    fs,
    net::TcpListener,
    os::unix::{fs::PermissionsExt, net::UnixListener},
};

use plexus_net::{BindError, BindOptions, Listener, ListenerOptions, ProxyProtocol, Socket};

use crate::world::{accept, address, bind, directory, url};

#[test]
fn a_listener_knows_where_it_really_listens() {
    for text in ["tcp://127.0.0.1:0", "ws://[::1]:0/mqtt"] {
        let mut listener = bind(text);
        let local = listener.local_url().clone();
        assert_ne!(local.port(), 0);
        assert_eq!(local.to_string(), text.replace(":0", &format!(":{}", local.port())));
        Socket::connect(address(&listener)).unwrap();
        accept(&mut listener);
    }
}

#[test]
fn every_address_of_a_host_gets_its_socket() {
    let found = url("tcp://localhost:0").resolve().unwrap();
    let listeners = Listener::bind(&url("tcp://localhost:0"), &BindOptions::default()).unwrap();
    let bound: Vec<_> = listeners.iter().map(|listener| address(listener).ip()).collect();
    assert_eq!(bound, found.iter().map(std::net::SocketAddr::ip).collect::<Vec<_>>());
}

#[test]
fn an_address_in_use_is_refused_with_the_mend() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = url(&format!("tcp://{}", taken.local_addr().unwrap()));
    let error = Listener::bind(&url, &BindOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "cannot listen at {url}: another program or listener has it; stop that one or choose \
             another"
        )
    );
}

#[test]
fn sockets_share_a_port_when_they_are_told_to() {
    let options = BindOptions { reuse_port: true, ..BindOptions::default() };
    let first = Listener::bind(&url("tcp://127.0.0.1:0"), &options).unwrap().remove(0);
    let again = first.local_url().clone();
    let second = Listener::bind(&again, &options).unwrap();
    assert_eq!(second[0].local_url(), &again);
    assert!(Listener::bind(&again, &BindOptions::default()).is_err());
}

#[test]
fn a_port_is_free_again_at_once() {
    let mut listener = bind("tcp://127.0.0.1:0");
    let again = listener.local_url().clone();
    let client = Socket::connect(address(&listener)).unwrap();
    // The server closes first: its side of the connection stays in TIME_WAIT.
    drop(accept(&mut listener));
    drop(listener);
    drop(client);
    assert!(Listener::bind(&again, &BindOptions::default()).is_ok());
}

#[test]
fn a_stale_socket_file_is_replaced_and_a_live_one_is_not() {
    let path = directory("listeners_stale").join("s");
    let url = url(&format!("unix://{}", path.display()));
    // A listener of the standard library leaves its file behind.
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let listener = Listener::bind(&url, &BindOptions::default()).unwrap();
    let second = Listener::bind(&url, &BindOptions::default()).unwrap_err();
    assert!(matches!(second, BindError::Unix { .. }), "{second}");
    assert!(Socket::connect_unix(&path).is_ok(), "the first still listens");
    drop(listener);
    assert!(!path.exists());
}

#[test]
fn a_file_that_is_no_socket_is_never_touched() {
    let path = directory("listeners_file").join("s");
    fs::write(&path, "precious").unwrap();
    let url = url(&format!("unix://{}", path.display()));
    let error = Listener::bind(&url, &BindOptions::default()).unwrap_err();
    assert!(matches!(error, BindError::NotASocket { .. }), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn the_file_of_a_successor_stays() {
    let path = directory("listeners_successor").join("s");
    let url = url(&format!("unix://{}", path.display()));
    let first = Listener::bind(&url, &BindOptions::default()).unwrap();
    fs::remove_file(&path).unwrap();
    let second = Listener::bind(&url, &BindOptions::default()).unwrap();
    drop(first);
    assert!(Socket::connect_unix(&path).is_ok());
    drop(second);
    assert!(!path.exists());
}

#[test]
fn the_mode_of_a_socket_file_says_who_may_connect() {
    let path = directory("listeners_mode").join("s");
    let url = url(&format!("unix://{}", path.display()));
    for mode in [0o600, 0o666] {
        let options = BindOptions { unix_mode: mode, ..BindOptions::default() };
        let _listener = Listener::bind(&url, &options).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
    }
}

#[test]
fn options_are_read_with_their_defaults_and_unknown_ones_refused() {
    let options: ListenerOptions = toml::from_str("url = 'tcp://127.0.0.1'").unwrap();
    assert_eq!(options, ListenerOptions::new(url("tcp://127.0.0.1:1883")));
    let options: ListenerOptions = toml::from_str(
        "url = 'ws://0.0.0.0'\nproxy_protocol = 'required'\n\
         bind.reuse_port = true\nwebsocket.subprotocol_required = false",
    )
    .unwrap();
    assert!(options.bind.reuse_port && !options.websocket.subprotocol_required);
    assert_eq!(options.proxy_protocol, ProxyProtocol::Required);
    for wrong in [
        "url = 'tcp://a'\nnodelay = true",
        "url = 'tcp://a'\nbind.backlock = 1",
        "url = 'tcp://a'\ntls.cert_file = 'a'",
        "url = 'mqtt://a'",
    ] {
        assert!(toml::from_str::<ListenerOptions>(wrong).is_err(), "{wrong}");
    }
    let schema = serde_json::to_value(schemars::schema_for!(ListenerOptions)).unwrap();
    assert_eq!(schema["additionalProperties"], false);
    let described = schema["properties"]["url"]["description"].as_str().unwrap();
    assert!(described.starts_with("Where to listen"), "{described}");
}

#[test]
fn options_that_contradict_each_other_are_refused_with_the_mend() {
    let tls = "tls.cert_file = 'a'\ntls.key_file = 'b'";
    let table = [
        (
            "url = 'tls://a'".to_owned(),
            "tls://a:8883: TLS needs a certificate; set tls.cert_file and tls.key_file",
        ),
        (
            format!("url = 'tcp://a'\n{tls}"),
            "tcp://a:1883: this transport has no TLS; use tls:// or wss://, or remove the tls \
             options",
        ),
        (format!("url = 'tls://a'\n{tls}"), "tls://a:8883: cannot set up TLS"),
        (
            "url = 'ws://a'\nwebsocket.path = 'mqtt'".to_owned(),
            "ws://a:8083: `mqtt` is no WebSocket path; begin with `/`, without `?`, `#` and blanks",
        ),
        (
            "url = 'ws://a'\nwebsocket.frame_size_max = 1".to_owned(),
            "ws://a:8083: websocket.frame_size_max is out of range; use 125 or more",
        ),
        (
            "url = 'ws://a'\nwebsocket.header_size_max = 1".to_owned(),
            "ws://a:8083: websocket.header_size_max is out of range; use 256 to 65536",
        ),
    ];
    for (text, message) in table {
        let options: ListenerOptions = toml::from_str(&text).unwrap();
        assert_eq!(options.layers().unwrap_err().to_string(), message);
    }
    let options: ListenerOptions =
        toml::from_str("url = 'ws://a/other'\nwebsocket.path = '/mqtt'").unwrap();
    assert_eq!(options.layers().unwrap().websocket.unwrap().path, "/other");
    let options = BindOptions { backlog: 0, ..BindOptions::default() };
    let error = Listener::bind(&url("tcp://127.0.0.1:0"), &options).unwrap_err();
    assert_eq!(
        error.to_string(),
        "tcp://127.0.0.1:0: bind.backlog is out of range; use 1 to 65535"
    );
}
