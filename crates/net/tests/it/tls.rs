//! Certificates, versions, application protocols, against our own client and against another one.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
};

use plexus_net::{
    ClientAuth, ClientLayers, Layers, Stream, StreamError, TlsCertificate, TlsClient,
    TlsClientOptions, TlsConfigError, TlsOptions, TlsServer, TlsVersion, UnknownName,
    WebSocketOptions,
};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};

use crate::world::{Authority, World, accept, address, bind, connected, directory};

struct Scene {
    authority: Authority,
    options: TlsOptions,
    trusting: TlsClientOptions,
}

fn scene(test: &str) -> Scene {
    let authority = Authority::new(&directory(test));
    authority.issue("server", &["localhost"]);
    let options = TlsOptions::new(authority.cert_file("server"), authority.key_file("server"));
    let trusting =
        TlsClientOptions { ca_file: Some(authority.ca_file()), ..TlsClientOptions::default() };
    Scene { authority, options, trusting }
}

fn server_layers(options: &TlsOptions) -> Layers {
    Layers { tls: Some(TlsServer::new(options).unwrap()), ..Layers::default() }
}

fn client_layers(options: &TlsClientOptions, name: &str) -> ClientLayers {
    let tls = Some((TlsClient::new(options).unwrap(), name.to_owned()));
    ClientLayers { tls, websocket: None }
}

/// Client and server try a handshake, and one byte each way.
fn attempt(server: &Layers, client: &TlsClientOptions, name: &str) -> World {
    let mut world = connected("tls://127.0.0.1:0", &client_layers(client, name), server);
    for end in &mut world.ends {
        end.send(b"x");
    }
    world.until("a handshake or its failure", |world| {
        world.ends.iter().all(|end| end.is_over() || !end.inbox.is_empty())
    });
    world
}

fn is_refused(world: &World) -> bool {
    world.ends.iter().all(|end| end.inbox.is_empty() && end.is_over())
}

#[test]
fn facts_tell_what_was_agreed() {
    let scene = scene("tls_facts");
    let certificate = scene.authority.issue("device", &["device"]);
    let options = TlsOptions {
        client_auth: ClientAuth::Required,
        client_ca_file: Some(scene.authority.ca_file()),
        ..scene.options
    };
    let client = TlsClientOptions {
        cert_file: Some(scene.authority.cert_file("device")),
        key_file: Some(scene.authority.key_file("device")),
        ..scene.trusting
    };
    let world = attempt(&server_layers(&options), &client, "localhost");
    let facts = world.ends[1].stream.facts().tls.unwrap();
    assert_eq!(facts.version, "TLSv1.3");
    assert!(facts.cipher.starts_with("TLS13_"), "{}", facts.cipher);
    assert_eq!(facts.sni.as_deref(), Some("localhost"));
    assert_eq!(facts.alpn.as_deref(), Some("mqtt"));
    assert_eq!(facts.peer_cert_der, Some(certificate));
    let facts = world.ends[0].stream.facts().tls.unwrap();
    assert_eq!((facts.sni, facts.alpn.as_deref()), (None, Some("mqtt")));
}

#[test]
fn client_certificates_are_demanded_checked_or_ignored() {
    let scene = scene("tls_client_auth");
    scene.authority.issue("known", &["known"]);
    let stranger = Authority::new(&directory("tls_client_auth_stranger"));
    stranger.issue("unknown", &["unknown"]);
    let certificate = |authority: &Authority, name: &str| TlsClientOptions {
        cert_file: Some(authority.cert_file(name)),
        key_file: Some(authority.key_file(name)),
        ..scene.trusting.clone()
    };
    let none = scene.trusting.clone();
    let known = certificate(&scene.authority, "known");
    let unknown = certificate(&stranger, "unknown");
    let table = [
        (ClientAuth::None, [true, true, true]),
        (ClientAuth::Optional, [true, true, false]),
        (ClientAuth::Required, [false, true, false]),
    ];
    for (client_auth, admitted) in table {
        let client_ca_file = Some(scene.authority.ca_file());
        let options = TlsOptions { client_auth, client_ca_file, ..scene.options.clone() };
        let server = server_layers(&options);
        for (client, admitted) in [&none, &known, &unknown].into_iter().zip(admitted) {
            let world = attempt(&server, client, "localhost");
            assert_eq!(world.ends[1].error.is_none(), admitted, "{client_auth:?} {client:?}");
            assert_eq!(world.ends[1].inbox.is_empty(), !admitted, "a stranger's bytes are read");
            if client_auth == ClientAuth::None {
                assert_eq!(world.ends[1].stream.facts().tls.unwrap().peer_cert_der, None);
            }
        }
    }
}

#[test]
fn application_protocols_are_matched() {
    let scene = scene("tls_alpn");
    let server = server_layers(&scene.options);
    let table: [(&[&str], bool, Option<&str>); 4] = [
        (&["mqtt"], true, Some("mqtt")),
        (&["other", "mqtt"], true, Some("mqtt")),
        (&[], true, None),
        (&["other"], false, None),
    ];
    for (offer, admitted, agreed) in table {
        let alpn = offer.iter().map(|name| (*name).to_owned()).collect();
        let client = TlsClientOptions { alpn, ..scene.trusting.clone() };
        let world = attempt(&server, &client, "localhost");
        assert_eq!(is_refused(&world), !admitted, "{offer:?}");
        let facts = world.ends[1].stream.facts().tls;
        assert_eq!(facts.and_then(|facts| facts.alpn).as_deref(), agreed);
    }
}

#[test]
fn a_browser_names_http_to_a_secure_websocket_listener() {
    let scene = scene("tls_browser");
    let mut server = server_layers(&scene.options);
    server.websocket = Some(Arc::new(WebSocketOptions::default()));
    let mut config = foreign_config(&scene.authority, &[&rustls::version::TLS13]);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let mut listener = bind("wss://127.0.0.1:0");
    let client = TcpStream::connect(address(&listener)).unwrap();
    let stream = Stream::server(accept(&mut listener).socket, &server).unwrap();
    let browser = thread::spawn(move || {
        let mut stream = foreign_stream(config, client);
        let request = "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
                       Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                       Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        status
    });
    let mut world = World::new(vec![stream]);
    world.until("the upgrade", |world| world.ends[0].stream.is_established());
    world.until("the browser to go", |world| world.ends[0].is_over());
    assert_eq!(&browser.join().unwrap(), b"HTTP/1.1 101");
    let facts = world.ends[0].stream.facts().tls.unwrap();
    assert_eq!(facts.alpn.as_deref(), Some("http/1.1"));
}

#[test]
fn a_client_believes_only_the_right_certificate_unless_told_otherwise() {
    let scene = scene("tls_server_name");
    let server = server_layers(&scene.options);
    let world = attempt(&server, &scene.trusting, "elsewhere");
    assert!(is_refused(&world));
    assert!(matches!(world.ends[0].error, Some(StreamError::Tls(_))));

    let public = TlsClientOptions::default();
    assert!(is_refused(&attempt(&server, &public, "localhost")));

    let insecure = TlsClientOptions { insecure: true, ..TlsClientOptions::default() };
    assert!(!is_refused(&attempt(&server, &insecure, "elsewhere")));
}

fn foreign_config(
    authority: &Authority,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority.ca_file()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn foreign_stream(
    config: ClientConfig,
    socket: TcpStream,
) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from("localhost").unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), socket)
}

/// A blocking client of the TLS library's own making says something and takes the answer.
fn foreign_client(config: ClientConfig, socket: TcpStream) -> JoinHandle<Option<HandshakeKind>> {
    thread::spawn(move || {
        let mut stream = foreign_stream(config, socket);
        stream.write_all(&vec![1; 100_000]).ok()?;
        let mut answer = vec![0; 100_000];
        stream.read_exact(&mut answer).ok()?;
        assert!(answer.iter().all(|byte| *byte == 2));
        let kind = stream.conn.handshake_kind();
        stream.conn.send_close_notify();
        stream.flush().ok()?;
        kind
    })
}

/// Serves one foreign client; returns the server's end and how the handshake went.
fn serve_foreign(server: &Layers, config: ClientConfig) -> (World, Option<HandshakeKind>) {
    let mut listener = bind("tls://127.0.0.1:0");
    let client = TcpStream::connect(address(&listener)).unwrap();
    let stream = Stream::server(accept(&mut listener).socket, server).unwrap();
    let client = foreign_client(config, client);
    let mut world = World::new(vec![stream]);
    world.until("the client's bytes or its end", |world| {
        world.ends[0].inbox.len() == 100_000 || world.ends[0].is_over()
    });
    world.ends[0].send(&vec![2; 100_000]);
    world.until("the client's end", |world| world.ends[0].is_over());
    (world, client.join().unwrap())
}

#[test]
fn tls_1_2_is_spoken_unless_1_3_is_demanded() {
    let scene = scene("tls_versions");
    let old = foreign_config(&scene.authority, &[&rustls::version::TLS12]);
    let (world, kind) = serve_foreign(&server_layers(&scene.options), old.clone());
    assert_eq!(kind, Some(HandshakeKind::Full));
    let facts = world.ends[0].stream.facts().tls.unwrap();
    assert_eq!((facts.version, facts.sni.as_deref()), ("TLSv1.2", Some("localhost")));

    let strict = TlsOptions { min_version: TlsVersion::V1_3, ..scene.options };
    let (world, kind) = serve_foreign(&server_layers(&strict), old);
    assert_eq!(kind, None);
    assert!(matches!(world.ends[0].error, Some(StreamError::Tls(_))));
    assert!(world.ends[0].inbox.is_empty());
}

#[test]
fn sessions_are_resumed_until_the_certificates_are_read_again() {
    let scene = scene("tls_resumption");
    let tls = TlsServer::new(&scene.options).unwrap();
    let server = Layers { tls: Some(tls.clone()), ..Layers::default() };
    for versions in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = foreign_config(&scene.authority, &[versions]);
        let kinds: Vec<_> =
            (0..2).map(|_| serve_foreign(&server, config.clone()).1.unwrap()).collect();
        assert_eq!(kinds[0], HandshakeKind::Full);
        assert_eq!(kinds[1], HandshakeKind::Resumed, "{versions:?}");
        tls.reload(&scene.options).unwrap();
        assert_ne!(serve_foreign(&server, config).1.unwrap(), HandshakeKind::Resumed);
    }
}

#[test]
fn the_name_that_is_asked_for_decides_which_certificate_is_shown() {
    let scene = scene("tls_names");
    let certificate = |name: &str, names: &[&str]| TlsCertificate {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        cert_file: scene.authority.cert_file(name),
        key_file: scene.authority.key_file(name),
        ocsp_file: None,
    };
    let default = fs::read_to_string(&scene.options.cert_file).unwrap();
    let default = CertificateDer::from_pem_slice(default.as_bytes()).unwrap().to_vec();
    let own = scene.authority.issue("own", &["a.example", "*.b.example"]);
    let given = scene.authority.issue("given", &["c.example"]);
    let mut options = TlsOptions {
        certificate: vec![certificate("own", &[]), certificate("given", &["c.example"])],
        ..scene.options.clone()
    };
    let shown = |options: &TlsOptions, name: &str| {
        let insecure = TlsClientOptions { insecure: true, ..TlsClientOptions::default() };
        let world = attempt(&server_layers(options), &insecure, name);
        let sni = world.ends[1].stream.facts().tls.and_then(|facts| facts.sni);
        assert!(sni.is_none_or(|sni| sni == name));
        world.ends[0].stream.facts().tls.and_then(|facts| facts.peer_cert_der)
    };
    for (name, expected) in [
        ("localhost", &default),
        ("a.example", &own),
        ("x.b.example", &own),
        ("c.example", &given),
        ("d.example", &default),
    ] {
        assert!(shown(&options, name).as_ref() == Some(expected), "{name}");
    }
    options.unknown_name = UnknownName::Refuse;
    assert!(shown(&options, "localhost") == Some(default));
    assert!(shown(&options, "a.example") == Some(own));
    assert_eq!(shown(&options, "d.example"), None);
    options.certificate.push(certificate("given", &["C.example"]));
    let error = TlsServer::new(&options).unwrap_err();
    assert!(matches!(error, TlsConfigError::SameName { .. }), "{error}");
}

#[test]
fn the_first_end_of_all_certificates_is_told() {
    let scene = scene("tls_ends");
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["short.example".to_owned()]).unwrap();
    params.not_after = date_time_ymd(2080, 12, 31);
    let short = params.self_signed(&key).unwrap();
    fs::write(scene.authority.cert_file("short"), short.pem()).unwrap();
    fs::write(scene.authority.key_file("short"), key.serialize_pem()).unwrap();
    let ends = TlsServer::new(&scene.options).unwrap().ends();
    assert_eq!((ends.certificate > Some(3_502_828_800), ends.crl), (true, None));
    let further = TlsCertificate {
        names: Vec::new(),
        cert_file: scene.authority.cert_file("short"),
        key_file: scene.authority.key_file("short"),
        ocsp_file: None,
    };
    let options = TlsOptions { certificate: vec![further], ..scene.options };
    assert_eq!(TlsServer::new(&options).unwrap().ends().certificate, Some(3_502_828_800));
}

#[test]
fn certificates_are_replaced_at_run_time() {
    let scene = scene("tls_reload");
    let tls = TlsServer::new(&scene.options).unwrap();
    let server = Layers { tls: Some(tls.clone()), ..Layers::default() };
    let mut before = attempt(&server, &scene.trusting, "localhost");
    let shown = |world: &World| world.ends[0].stream.facts().tls.unwrap().peer_cert_der.unwrap();
    let old = shown(&before);

    fs::write(&scene.options.key_file, "nonsense").unwrap();
    assert!(tls.reload(&scene.options).is_err());
    let kept = attempt(&server, &scene.trusting, "localhost");
    assert!(shown(&kept) == old, "an error leaves everything as it was");

    let fresh = scene.authority.issue("server", &["localhost"]);
    tls.reload(&scene.options).unwrap();
    let after = attempt(&server, &scene.trusting, "localhost");
    assert!(shown(&after) == fresh && fresh != old);

    before.ends[0].send(b"still here");
    before.until("bytes on the old connection", |world| world.ends[1].inbox == "xstill here");
}

#[test]
fn unusable_files_are_named_with_the_mend() {
    let scene = scene("tls_files");
    let message = |options: &TlsOptions| -> String {
        let error = TlsServer::new(options).unwrap_err();
        error.to_string().replace(&format!("{}/", scene.authority.directory.display()), "")
    };
    let with = |cert: &str, key: &str| {
        TlsOptions::new(scene.authority.directory.join(cert), scene.authority.directory.join(key))
    };
    fs::write(scene.authority.directory.join("empty.pem"), "").unwrap();
    scene.authority.issue("other", &["other"]);
    assert_eq!(message(&with("none.pem", "server.key")), "cannot read none.pem as PEM");
    assert_eq!(message(&with("server.pem", "empty.pem")), "cannot read empty.pem as PEM");
    assert_eq!(
        message(&with("empty.pem", "server.key")),
        "empty.pem holds no certificate; expected `-----BEGIN CERTIFICATE-----`"
    );
    assert_eq!(
        message(&with("server.pem", "other.key")),
        "certificate server.pem and key other.key cannot be used together"
    );
    let demanding = TlsOptions { client_auth: ClientAuth::Required, ..scene.options.clone() };
    assert_eq!(
        message(&demanding),
        "client certificates need authorities to check against; set client_ca_file"
    );
    let half = TlsClientOptions {
        cert_file: Some(scene.authority.cert_file("server")),
        ..TlsClientOptions::default()
    };
    assert!(matches!(TlsClient::new(&half), Err(TlsConfigError::HalfPair)));
    let lost = TlsClientOptions {
        ca_file: Some(Path::new("/nowhere/ca.pem").to_owned()),
        ..TlsClientOptions::default()
    };
    assert!(matches!(TlsClient::new(&lost), Err(TlsConfigError::Pem { .. })));
}

#[test]
fn a_name_that_is_none_is_refused_before_anything_is_sent() {
    let scene = scene("tls_bad_name");
    let mut listener = bind("tls://127.0.0.1:0");
    let socket = plexus_net::Socket::connect(address(&listener)).unwrap();
    let result = Stream::client(socket, &client_layers(&scene.trusting, "not a name"));
    assert_eq!(result.unwrap_err().to_string(), "`not a name` is no server name");
    accept(&mut listener);
}
