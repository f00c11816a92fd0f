//! A service behind TLS that wants to see a certificate.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
    thread,
};

use plexus_connector_http::HttpOptions;
use plexus_net::TlsClientOptions;
use plexus_testkit::{Authority, Folder};
use plexus_types::ReasonCode;
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, pki_types::PrivateKeyDer,
    server::WebPkiClientVerifier,
};

use super::{bob, open, options};

/// Answers 204 to whoever shows a certificate of that authority; gives its port.
fn service(authority: &Authority) -> u16 {
    let (certificate, pair) = authority.issue(&["localhost"]);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.issuer().der().clone()).expect("an authority");
    let verifier =
        WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider)).build();
    let key = PrivateKeyDer::try_from(pair.serialize_der()).expect("a key");
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_client_cert_verifier(verifier.expect("a verifier"))
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("they fit");
    // Who offers other protocols only is refused.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let session = ServerConnection::new(Arc::clone(&config)).expect("a session");
            let mut stream = StreamOwned::new(session, stream);
            let mut some = [0; 4_096];
            if stream.read(&mut some).is_ok_and(|length| length > 0) {
                drop(stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"));
                stream.conn.send_close_notify();
                drop(stream.flush());
            }
        }
    });
    port
}

#[test]
fn both_sides_show_certificates() {
    let folder = Folder::new();
    let authority = Authority::new(folder.path());
    let (certificate, key) = authority.certificate("own", &["node"]);
    let port = service(&authority);

    let tls = TlsClientOptions {
        ca_file: Some(authority.file().to_owned()),
        cert_file: Some(certificate),
        key_file: Some(key),
        ..TlsClientOptions::default()
    };
    let url = format!("https://localhost:{port}/");
    let asks = |tls| open(HttpOptions { tls, ..options(&url) }).asks_about(bob("p"));
    assert!(asks(tls.clone()).is_ok(), "both are known to each other");
    let unknown = TlsClientOptions { cert_file: None, key_file: None, ..tls.clone() };
    assert_eq!(asks(unknown), Err(ReasonCode::ServerUnavailable), "it shows nothing");
    let strange = TlsClientOptions { ca_file: None, ..tls.clone() };
    assert_eq!(asks(strange), Err(ReasonCode::ServerUnavailable), "nobody vouches for it");
    let other = format!("https://127.0.0.1:{port}/");
    let misnamed = open(HttpOptions { tls, ..options(&other) }).asks_about(bob("p"));
    assert_eq!(misnamed, Err(ReasonCode::ServerUnavailable), "it is somebody else's certificate");
}
