use std::time::Duration;

use proptest::prelude::*;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion,
    pki_types::{PrivateKeyDer, ServerName, UnixTime},
    server::WebPkiClientVerifier,
    sign::CertifiedKey,
};

use super::{
    super::{Certificates, resolver::Shown},
    *,
};
use crate::UnknownName;

/// Both roles in memory, before the handshake.
struct Pair {
    client: TlsSession,
    server: TlsSession,
    to_client: WriteQueue,
    to_server: WriteQueue,
    at_client: Vec<u8>,
    at_server: Vec<u8>,
}

struct Configs {
    client: Arc<ClientConfig>,
    server: ServerConfig,
    certificates: Arc<Certificates>,
}

fn configs() -> Configs {
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let chain = vec![certificate.der().clone()];
    let key = CertifiedKey::from_der(chain, der, &provider).unwrap();
    let certificates = Certificates::new(Shown::new(key, None), UnknownName::Default);
    let mut roots = RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(rustls::server::ResolvesServerCertUsingSni::new()));
    Configs { client: Arc::new(client), server, certificates: Arc::new(certificates) }
}

impl Pair {
    fn new(configs: &Configs) -> Self {
        let mut server = configs.server.clone();
        let clock = Arc::clone(&server.time_provider);
        let certificates = Arc::clone(&configs.certificates);
        let certificate = Arc::new(NamedCertificate::new(certificates, clock));
        server.cert_resolver = Arc::<NamedCertificate>::clone(&certificate);
        let server = UnbufferedServerConnection::new(Arc::new(server)).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let client = UnbufferedClientConnection::new(Arc::clone(&configs.client), name).unwrap();
        let mut pair = Self {
            client: TlsSession::client(client),
            server: TlsSession::server(server, certificate, None),
            to_client: WriteQueue::new(),
            to_server: WriteQueue::new(),
            at_client: Vec::new(),
            at_server: Vec::new(),
        };
        pair.client.feed(&mut [], &mut |_| Ok(()), &mut pair.to_server).unwrap();
        pair
    }

    /// Passes what waits to the server, and then what waits to the client.
    fn exchange(&mut self) -> Result<(), StreamError> {
        let mut bytes = BytesMut::new();
        self.to_server.gather(usize::MAX, &mut bytes);
        let inbox = &mut self.at_server;
        let mut sink = |plain: &[u8]| {
            inbox.extend_from_slice(plain);
            Ok(())
        };
        self.server.feed(&mut bytes, &mut sink, &mut self.to_client)?;
        let mut bytes = BytesMut::new();
        self.to_client.gather(usize::MAX, &mut bytes);
        self.client.feed(&mut bytes, &mut |_| Ok(()), &mut self.to_server)
    }

    /// Passes what waits in pieces; `tamper` sees every piece with its direction before it arrives.
    /// Ends when nothing moves or something fails.
    fn pump(
        &mut self,
        piece: usize,
        tamper: &mut dyn FnMut(bool, &mut [u8]),
    ) -> Result<(), StreamError> {
        while !self.to_server.is_empty() || !self.to_client.is_empty() {
            let mut bytes = BytesMut::new();
            self.to_server.gather(piece, &mut bytes);
            tamper(true, &mut bytes);
            let inbox = &mut self.at_server;
            let mut sink = |plain: &[u8]| {
                inbox.extend_from_slice(plain);
                Ok(())
            };
            self.server.feed(&mut bytes, &mut sink, &mut self.to_client)?;

            let mut bytes = BytesMut::new();
            self.to_client.gather(piece, &mut bytes);
            tamper(false, &mut bytes);
            let inbox = &mut self.at_client;
            let mut sink = |plain: &[u8]| {
                inbox.extend_from_slice(plain);
                Ok(())
            };
            self.client.feed(&mut bytes, &mut sink, &mut self.to_server)?;
        }
        Ok(())
    }

    fn say(&mut self, from_client: &[u8], from_server: &[u8]) -> Result<(), StreamError> {
        let mut plain = WriteQueue::new();
        plain.buffer().extend_from_slice(from_client);
        self.client.encrypt(&mut plain, &mut self.to_server, usize::MAX)?;
        plain.clear();
        plain.buffer().extend_from_slice(from_server);
        self.server.encrypt(&mut plain, &mut self.to_client, usize::MAX)
    }
}

#[test]
fn a_handshake_and_bytes_pass_in_pieces_of_any_size() {
    let configs = configs();
    for piece in [1, 2, 5, 100, 10_000, 100_000] {
        let mut pair = Pair::new(&configs);
        pair.pump(piece, &mut |_, _| ()).unwrap();
        assert!(pair.client.is_ready() && pair.server.is_ready());
        let (up, down) = (vec![1; 40_000], vec![2; 50_000]);
        pair.say(&up, &down).unwrap();
        pair.pump(piece, &mut |_, _| ()).unwrap();
        assert!(pair.at_server == up && pair.at_client == down, "in pieces of {piece}");
        assert_eq!(pair.server.facts().unwrap().sni.as_deref(), Some("localhost"));
        assert_eq!(pair.server.incoming.capacity(), 0, "a waiting session holds a buffer");
        assert_eq!(pair.client.incoming.capacity(), 0, "a waiting session holds a buffer");
    }
}

#[test]
fn a_large_buffer_is_not_kept_for_the_beginning_of_a_record() {
    let configs = configs();
    let mut pair = Pair::new(&configs);
    pair.pump(usize::MAX, &mut |_, _| ()).unwrap();
    pair.say(&vec![0; 40_000], b"").unwrap();
    let mut bytes = BytesMut::new();
    pair.to_server.gather(usize::MAX, &mut bytes);
    let last = bytes.len() - 1;
    for part in [0..10_000, 10_000..last] {
        pair.server.feed(&mut bytes[part], &mut |_| Ok(()), &mut pair.to_client).unwrap();
    }
    assert!(!pair.server.incoming.is_empty());
    let capacity = pair.server.incoming.capacity();
    assert!(capacity < 17_000, "{capacity} bytes are kept");
}

#[test]
fn closing_is_heard_and_ends_the_session() {
    let mut pair = Pair::new(&configs());
    pair.pump(usize::MAX, &mut |_, _| ()).unwrap();
    pair.say(b"last words", b"").unwrap();
    pair.client.close(&mut pair.to_server);
    pair.pump(usize::MAX, &mut |_, _| ()).unwrap();
    assert!(pair.server.peer_closed() && !pair.client.peer_closed());
    assert_eq!(pair.at_server, b"last words");
    let mut stray = *b"bytes behind the end";
    pair.server.feed(&mut stray, &mut |_| Ok(()), &mut pair.to_client).unwrap();
}

#[test]
fn what_is_refused_above_leaves_the_session_able_to_speak() {
    let mut pair = Pair::new(&configs());
    pair.pump(usize::MAX, &mut |_, _| ()).unwrap();
    pair.say(&vec![7; 40_000], b"").unwrap();
    let mut bytes = BytesMut::new();
    pair.to_server.gather(usize::MAX, &mut bytes);
    let mut calls = 0;
    let mut refuse = |_: &[u8]| {
        calls += 1;
        Err(StreamError::ServerName("refused".to_owned()))
    };
    let result = pair.server.feed(&mut bytes, &mut refuse, &mut pair.to_client);
    assert_eq!(result.unwrap_err().to_string(), "`refused` is no server name");
    assert_eq!(calls, 1, "nothing more is delivered");
    pair.say(b"", b"because").unwrap();
    pair.server.close(&mut pair.to_client);
    pair.pump(usize::MAX, &mut |_, _| ()).unwrap();
    assert_eq!(pair.at_client, b"because");
    assert!(pair.client.peer_closed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The peer sees any byte of ours changed, at any time, in any pieces: the session fails or does
    /// not, and stays harmless either way.
    #[test]
    fn no_tampering_breaks_a_session(
        place in 0..4000_usize,
        change in 1..=255_u8,
        upwards in any::<bool>(),
        piece in prop_oneof![1..40_usize, Just(100_000)],
    ) {
        thread_local! { static CONFIGS: Configs = configs(); }
        let mut pair = CONFIGS.with(Pair::new);
        let mut seen = 0;
        let mut tamper = |direction: bool, bytes: &mut [u8]| {
            if direction != upwards {
                return;
            }
            if let Some(byte) = place.checked_sub(seen).and_then(|at| bytes.get_mut(at)) {
                *byte ^= change;
            }
            seen += bytes.len();
        };
        let mut result = pair.pump(piece, &mut tamper);
        if result.is_ok() && pair.client.is_ready() && pair.server.is_ready() {
            result = pair.say(&[1; 1000], &[2; 1000]).and_then(|()| pair.pump(piece, &mut tamper));
        }
        // A failed session is closed and spoken to as any other.
        let _either = pair.say(b"x", b"y");
        pair.server.close(&mut pair.to_client);
        pair.client.close(&mut pair.to_server);
        let _either = pair.pump(piece, &mut |_, _| ());
        if result.is_ok() && seen > place {
            let whole = |inbox: &[u8], byte: u8| inbox.iter().all(|b| *b == byte);
            prop_assert!(whole(&pair.at_server[..pair.at_server.len().min(1000)], 1));
            prop_assert!(whole(&pair.at_client[..pair.at_client.len().min(1000)], 2));
        }
    }

    #[test]
    fn no_bytes_break_a_server(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        record in any::<bool>(),
        cut in 0..400_usize,
    ) {
        thread_local! { static CONFIGS: Configs = configs(); }
        let mut pair = CONFIGS.with(Pair::new);
        let mut stream = bytes;
        if record {
            let length = u16::try_from(stream.len()).unwrap().to_be_bytes();
            stream.splice(0..0, [0x16, 3, 1, length[0], length[1]]);
        }
        let cut = cut.min(stream.len());
        let (first, second) = stream.split_at_mut(cut);
        for part in [first, second] {
            let _either = pair.server.feed(part, &mut |_| Ok(()), &mut pair.to_client);
        }
        pair.server.close(&mut pair.to_client);
        prop_assert!(!pair.server.is_ready());
    }
}

/// A clock that stands where it is put.
#[derive(Debug)]
struct Hands(std::sync::atomic::AtomicU64);

impl TimeProvider for Hands {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = self.0.load(std::sync::atomic::Ordering::SeqCst);
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// A server that asks for certificates, a client whose certificate ends with 2039, and the server's clock.
fn asking(version: &'static SupportedProtocolVersion) -> (Configs, Admission, Arc<Hands>) {
    let Configs { client, server, certificates } = configs();
    let provider = Arc::clone(client.crypto_provider());
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).unwrap();
    let mut trusted = RootCertStore::empty();
    trusted.add(authority.der().clone()).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.not_after = date_time_ymd(2040, 1, 1);
    let own = params.signed_by(&key, &issuer).unwrap().der().clone();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificates.all().next().unwrap().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![own], key)
        .unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), Arc::clone(&provider));
    let verifier = verifier.build().unwrap();
    let hands = Arc::new(Hands(0.into()));
    let clock: Arc<dyn TimeProvider> = Arc::<Hands>::clone(&hands);
    let mut asking = ServerConfig::builder_with_details(provider, Arc::clone(&clock))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(Arc::clone(&verifier))
        .with_cert_resolver(Arc::clone(&server.cert_resolver));
    asking.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new().unwrap();
    let configs = Configs { client: Arc::new(client), server: asking, certificates };
    (configs, Admission { verifier, clock }, hands)
}

#[test]
fn who_resumes_a_session_is_looked_at_once_more() {
    let (in_2030, in_2050) = (1_893_456_000, 2_524_608_000);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let (configs, admission, hands) = asking(version);
        for (now, kind, admitted) in [
            (in_2030, HandshakeKind::Full, true),
            (in_2030, HandshakeKind::Resumed, true),
            (in_2050, HandshakeKind::Resumed, false),
        ] {
            hands.0.store(now, std::sync::atomic::Ordering::SeqCst);
            let mut pair = Pair::new(&configs);
            pair.server.admission = Some(admission.clone());
            let mut result = Ok(());
            // The client says something together with the end of the handshake.
            while result.is_ok() && !pair.client.is_ready() {
                result = pair.exchange();
            }
            pair.say(b"first words", b"").unwrap();
            result = result.and_then(|()| pair.pump(usize::MAX, &mut |_, _| ()));
            assert_eq!(pair.server.state().handshake_kind(), Some(kind), "{version:?}");
            assert_eq!(result.is_ok(), admitted, "{version:?} {result:?}");
            let heard = if admitted { &b"first words"[..] } else { b"" };
            assert_eq!(pair.at_server, heard, "{version:?}");
        }
    }
}
