//! A service behind TLS that wants to see a certificate.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::PathBuf,
    sync::Arc,
    thread,
};

use plexus_connector_http::HttpOptions;
use plexus_net::TlsClientOptions;
use plexus_types::ReasonCode;
use rcgen::{CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned, pki_types::PrivateKeyDer,
    server::WebPkiClientVerifier,
};

use super::{Door, bob, options};

/// Certificates of a test, gone with it.
struct Files(PathBuf);

impl Files {
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).expect("a file of the test");
        path
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Answers 204 to whoever shows a certificate of that authority; gives its port.
fn service(authority: &CertifiedIssuer<'static, KeyPair>) -> u16 {
    let pair = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let certificate = params.signed_by(&pair, authority).expect("signed");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).expect("an authority");
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
    let folder = std::env::temp_dir().join(format!("plexus-http-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder of the test");
    let files = Files(folder);
    let mut params = CertificateParams::new(Vec::new()).expect("an authority");
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let pair = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec!["node".to_owned()]).expect("a name");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let own = params.signed_by(&pair, &authority).expect("signed");
    let port = service(&authority);

    let tls = TlsClientOptions {
        ca_file: Some(files.write("ca.pem", &authority.pem())),
        cert_file: Some(files.write("own.pem", &own.pem())),
        key_file: Some(files.write("own.key", &pair.serialize_pem())),
        ..TlsClientOptions::default()
    };
    let url = format!("https://localhost:{port}/");
    let asks = |tls| Door::new(HttpOptions { tls, ..options(&url) }).asks(bob("p"));
    assert!(asks(tls.clone()).is_ok(), "both are known to each other");
    let unknown = TlsClientOptions { cert_file: None, key_file: None, ..tls.clone() };
    assert_eq!(asks(unknown), Err(ReasonCode::ServerUnavailable), "it shows nothing");
    let strange = TlsClientOptions { ca_file: None, ..tls.clone() };
    assert_eq!(asks(strange), Err(ReasonCode::ServerUnavailable), "nobody vouches for it");
    let other = format!("https://127.0.0.1:{port}/");
    let misnamed = Door::new(HttpOptions { tls, ..options(&other) }).asks(bob("p"));
    assert_eq!(misnamed, Err(ReasonCode::ServerUnavailable), "it is somebody else's certificate");
}
