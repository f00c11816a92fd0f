//! One TLS session between ciphertext and plaintext, without a socket.

use std::{mem, sync::Arc};

use bytes::{Buf, BytesMut};
use rustls::{
    HandshakeKind, ProtocolVersion,
    client::{ClientConnectionData, UnbufferedClientConnection},
    pki_types::CertificateDer,
    server::{ServerConnectionData, UnbufferedServerConnection, danger::ClientCertVerifier},
    time_provider::TimeProvider,
    unbuffered::{
        ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedStatus, WriteTraffic,
    },
};

use super::resolver::NamedCertificate;
use crate::{StreamError, WriteQueue};

/// The plaintext of one record.
const RECORD_SIZE: usize = 16 * 1024;

/// Room for header, nonce, tag and content type of one record; a record that needs more says so.
const RECORD_OVERHEAD: usize = 64;

/// Ciphertext that may wait for the rest of its record or handshake message: the longest message that
/// rustls takes (64 KiB), the overhead of its records, and one more record.
const INCOMING_MAX: usize = 96 * 1024;

/// What a TLS handshake agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFacts {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite by its registered name.
    pub cipher: &'static str,
    /// The application protocol, if the peers agreed on one.
    pub alpn: Option<String>,
    /// The server name that the client asked for. Empty on the client's side.
    pub sni: Option<String>,
    /// The client's certificate in DER, checked; the peer's certificate on the client's side.
    pub peer_cert_der: Option<Vec<u8>>,
}

/// One session; what it owes the peer goes to the queue that each call is given.
pub(crate) struct TlsSession {
    connection: Connection,
    /// The beginning of a record whose rest has not arrived. Without memory when empty.
    incoming: BytesMut,
    /// Where the certificate resolver leaves the name that the client asked for.
    sni: Option<Arc<NamedCertificate>>,
    /// Until the client has been let in; from the beginning where no certificates are asked for.
    admission: Option<Admission>,
    peer_closed: bool,
    /// An error is final: rustls is not asked again.
    failed: bool,
}

/// Who looks at the certificates of clients, and by which clock.
#[derive(Debug, Clone)]
pub(super) struct Admission {
    pub(super) verifier: Arc<dyn ClientCertVerifier>,
    pub(super) clock: Arc<dyn TimeProvider>,
}

impl Admission {
    fn verdict(&self, chain: &[CertificateDer<'_>]) -> Result<(), rustls::Error> {
        let Some((own, above)) = chain.split_first() else {
            let needed = self.verifier.client_auth_mandatory();
            return if needed { Err(rustls::Error::NoCertificatesPresented) } else { Ok(()) };
        };
        let now = self.clock.current_time().ok_or(rustls::Error::FailedToGetCurrentTime)?;
        self.verifier.verify_client_cert(own, above, now).map(drop)
    }
}

enum Connection {
    Server(UnbufferedServerConnection),
    Client(UnbufferedClientConnection),
}

/// Both roles process records alike; only their types differ.
trait Records {
    type Side;

    fn process<'c, 'i>(&'c mut self, tls: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Side>;

    /// Whether messages wait to be encoded.
    fn owes_bytes(&self) -> bool;
}

impl Records for UnbufferedServerConnection {
    type Side = ServerConnectionData;

    fn process<'c, 'i>(&'c mut self, tls: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Side> {
        self.process_tls_records(tls)
    }

    fn owes_bytes(&self) -> bool {
        self.wants_write()
    }
}

impl Records for UnbufferedClientConnection {
    type Side = ClientConnectionData;

    fn process<'c, 'i>(&'c mut self, tls: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Side> {
        self.process_tls_records(tls)
    }

    fn owes_bytes(&self) -> bool {
        self.wants_write()
    }
}

/// Takes plaintext as it is decrypted, and may refuse it.
pub(crate) type Sink<'a> = dyn FnMut(&[u8]) -> Result<(), StreamError> + 'a;

impl TlsSession {
    pub(super) fn server(
        connection: UnbufferedServerConnection,
        certificate: Arc<NamedCertificate>,
        admission: Option<Admission>,
    ) -> Self {
        Self { sni: Some(certificate), admission, ..Self::new(Connection::Server(connection)) }
    }

    pub(super) fn client(connection: UnbufferedClientConnection) -> Self {
        Self::new(Connection::Client(connection))
    }

    fn new(connection: Connection) -> Self {
        Self {
            connection,
            incoming: BytesMut::new(),
            sni: None,
            admission: None,
            peer_closed: false,
            failed: false,
        }
    }

    /// Takes ciphertext: plaintext goes to `sink`, handshake messages and alerts go to `out`. On the
    /// client's side, the first call, with no input, produces the first message.
    pub(crate) fn feed(
        &mut self,
        input: &mut [u8],
        sink: &mut Sink<'_>,
        out: &mut WriteQueue,
    ) -> Result<(), StreamError> {
        if self.peer_closed || self.failed {
            return Ok(());
        }
        // What is refused above does not leave this session half-way through its input: the layer
        // above may still have something to say.
        let mut result = Ok(());
        // What comes right behind the handshake waits until the client has been let in.
        let waits = self.admission.is_some();
        let mut early = Vec::new();
        let mut deliver = |plain: &[u8]| {
            if waits {
                early.extend_from_slice(plain);
            } else if result.is_ok() {
                result = sink(plain);
            }
        };
        if self.incoming.is_empty() {
            let used = self.process(input, &mut deliver, out)?;
            self.incoming = input.get(used..).unwrap_or_default().into();
        } else {
            self.incoming.extend_from_slice(input);
            let mut incoming = mem::take(&mut self.incoming);
            let used = self.process(&mut incoming, &mut deliver, out)?;
            incoming.advance(used);
            // A long buffer is not kept for a short rest, nor any buffer for none.
            self.incoming = match used {
                0 => incoming,
                _ => BytesMut::from(&incoming[..]),
            };
        }
        if self.incoming.len() > INCOMING_MAX {
            self.failed = true;
            return Err(rustls::Error::General("handshake message too long".to_owned()).into());
        }
        if waits {
            self.admit(out)?;
            if !early.is_empty() {
                sink(&early)?;
            }
        }
        result
    }

    /// Looks once more at the certificate of a client that resumes a session, which TLS itself does not:
    /// it may have ended, or have been revoked, since it was admitted.
    fn admit(&mut self, out: &mut WriteQueue) -> Result<(), StreamError> {
        if !self.is_ready() {
            return Ok(());
        }
        let Some(admission) = self.admission.take() else { return Ok(()) };
        let state = self.state();
        if state.handshake_kind() != Some(HandshakeKind::Resumed) {
            return Ok(());
        }
        let verdict = admission.verdict(state.peer_certificates().unwrap_or_default());
        if verdict.is_err() {
            self.close(out);
            self.failed = true;
        }
        Ok(verdict?)
    }

    /// Encrypts what waits in `plain`, until `out` holds about `limit` bytes.
    pub(crate) fn encrypt(
        &mut self,
        plain: &mut WriteQueue,
        out: &mut WriteQueue,
        limit: usize,
    ) -> Result<(), StreamError> {
        if self.failed {
            return Ok(());
        }
        let incoming = &mut self.incoming;
        let result = match &mut self.connection {
            Connection::Server(server) => encrypt(server, incoming, (plain, out), limit),
            Connection::Client(client) => encrypt(client, incoming, (plain, out), limit),
        };
        self.failed = result.is_err();
        result
    }

    /// Says that nothing follows, if the handshake got far enough to say anything.
    pub(crate) fn close(&mut self, out: &mut WriteQueue) {
        if self.failed {
            return;
        }
        let result = match &mut self.connection {
            Connection::Server(server) => close(server, &mut self.incoming, out),
            Connection::Client(client) => close(client, &mut self.incoming, out),
        };
        self.failed = result.is_err();
    }

    /// Whether the handshake is over.
    pub(crate) fn is_ready(&self) -> bool {
        !self.state().is_handshaking()
    }

    /// Whether the peer has said that nothing follows.
    pub(crate) fn peer_closed(&self) -> bool {
        self.peer_closed
    }

    /// What the handshake agreed on, once it is over.
    pub(crate) fn facts(&self) -> Option<TlsFacts> {
        if !self.is_ready() {
            return None;
        }
        let state = self.state();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some(TlsFacts {
            version: match state.protocol_version()? {
                ProtocolVersion::TLSv1_2 => "TLSv1.2",
                ProtocolVersion::TLSv1_3 => "TLSv1.3",
                _ => "unknown",
            },
            cipher: state.negotiated_cipher_suite()?.suite().as_str().unwrap_or("unknown"),
            alpn: state.alpn_protocol().map(text),
            sni: self.sni.as_ref().and_then(|certificate| certificate.name()),
            peer_cert_der: state
                .peer_certificates()
                .and_then(|chain| chain.first())
                .map(|certificate| certificate.to_vec()),
        })
    }

    fn state(&self) -> &rustls::CommonState {
        match &self.connection {
            Connection::Server(server) => server,
            Connection::Client(client) => client,
        }
    }

    fn process(
        &mut self,
        tls: &mut [u8],
        deliver: &mut dyn FnMut(&[u8]),
        out: &mut WriteQueue,
    ) -> Result<usize, StreamError> {
        let closed = &mut self.peer_closed;
        let result = match &mut self.connection {
            Connection::Server(server) => process(server, tls, deliver, (out, closed)),
            Connection::Client(client) => process(client, tls, deliver, (out, closed)),
        };
        self.failed = result.is_err();
        Ok(result?)
    }
}

/// Processes every whole record in `tls`; returns how many bytes are done with.
fn process<C: Records>(
    connection: &mut C,
    tls: &mut [u8],
    deliver: &mut dyn FnMut(&[u8]),
    (out, peer_closed): (&mut WriteQueue, &mut bool),
) -> Result<usize, rustls::Error> {
    let mut used = 0;
    loop {
        let rest = tls.get_mut(used..).unwrap_or_default();
        let UnbufferedStatus { discard, state } = connection.process(rest);
        let mut extra = 0;
        let blocked = match state {
            Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                while let Some(record) = traffic.next_record() {
                    let record = record?;
                    extra += record.discard;
                    deliver(record.payload);
                }
                false
            }
            Ok(ConnectionState::EncodeTlsData(message)) => {
                encode(message, out);
                false
            }
            Ok(ConnectionState::TransmitTlsData(sent)) => {
                sent.done();
                false
            }
            Ok(ConnectionState::PeerClosed) => {
                *peer_closed = true;
                false
            }
            // Blocked, open, closed, or (never offered) early data: nothing more to do now.
            Ok(_) => true,
            Err(error) => {
                drain_alerts(connection, tls.get_mut(used + discard..).unwrap_or_default(), out);
                return Err(error);
            }
        };
        used += discard + extra;
        if blocked {
            return Ok(used);
        }
    }
}

/// After an error, rustls still holds the alert that tells the peer why. Only while it says so may it
/// be asked: it must not see the bytes that failed a second time.
fn drain_alerts<C: Records>(connection: &mut C, tls: &mut [u8], out: &mut WriteQueue) {
    let mut used = 0;
    while connection.owes_bytes() {
        let rest = tls.get_mut(used..).unwrap_or_default();
        let UnbufferedStatus { discard, state } = connection.process(rest);
        let Ok(ConnectionState::EncodeTlsData(alert)) = state else { return };
        encode(alert, out);
        used += discard;
    }
}

fn encode<Side>(mut message: EncodeTlsData<'_, Side>, out: &mut WriteQueue) {
    let mut size = RECORD_SIZE / 16;
    loop {
        let buffer = out.buffer();
        let start = buffer.len();
        buffer.resize(start + size, 0);
        let result = message.encode(buffer.get_mut(start..).unwrap_or_default());
        buffer.truncate(start + *result.as_ref().unwrap_or(&0));
        match result {
            Err(EncodeError::InsufficientSize(short)) => size = short.required_size,
            Ok(_) | Err(EncodeError::AlreadyEncoded) => return,
        }
    }
}

/// Calls `act` in the state in which application data may be sent; queued handshake messages (a key
/// update) go first.
fn in_traffic<C: Records>(
    connection: &mut C,
    incoming: &mut BytesMut,
    out: &mut WriteQueue,
    mut act: impl FnMut(WriteTraffic<'_, C::Side>, &mut WriteQueue) -> Result<(), StreamError>,
) -> Result<(), StreamError> {
    loop {
        let UnbufferedStatus { discard, state } = connection.process(incoming);
        let finished = match state? {
            ConnectionState::EncodeTlsData(message) => {
                encode(message, out);
                false
            }
            ConnectionState::TransmitTlsData(sent) => {
                sent.done();
                false
            }
            ConnectionState::PeerClosed => false,
            ConnectionState::WriteTraffic(traffic) => {
                act(traffic, out)?;
                true
            }
            _ => true,
        };
        incoming.advance(discard);
        if finished {
            return Ok(());
        }
    }
}

fn encrypt<C: Records>(
    connection: &mut C,
    incoming: &mut BytesMut,
    (plain, out): (&mut WriteQueue, &mut WriteQueue),
    limit: usize,
) -> Result<(), StreamError> {
    in_traffic(connection, incoming, out, |mut traffic, out| {
        let mut gathered = BytesMut::new();
        while !plain.is_empty() && out.len() < limit {
            let front = plain.front();
            if front.len() >= RECORD_SIZE || front.len() == plain.len() {
                let record = front.get(..RECORD_SIZE).unwrap_or(front);
                let count = record.len();
                seal(&mut traffic, record, out)?;
                plain.advance(count);
            } else {
                gathered.clear();
                plain.gather(RECORD_SIZE, &mut gathered);
                seal(&mut traffic, &gathered, out)?;
            }
        }
        Ok(())
    })
}

/// Appends one record to `out`.
fn seal<Side>(
    traffic: &mut WriteTraffic<'_, Side>,
    plain: &[u8],
    out: &mut WriteQueue,
) -> Result<(), StreamError> {
    let mut size = plain.len() + RECORD_OVERHEAD;
    loop {
        let buffer = out.buffer();
        let start = buffer.len();
        buffer.resize(start + size, 0);
        let result = traffic.encrypt(plain, buffer.get_mut(start..).unwrap_or_default());
        buffer.truncate(start + *result.as_ref().unwrap_or(&0));
        match result {
            Ok(_) => return Ok(()),
            Err(EncryptError::InsufficientSize(short)) => size = short.required_size,
            Err(EncryptError::EncryptExhausted) => return Err(rustls::Error::EncryptError.into()),
        }
    }
}

fn close<C: Records>(
    connection: &mut C,
    incoming: &mut BytesMut,
    out: &mut WriteQueue,
) -> Result<(), StreamError> {
    in_traffic(connection, incoming, out, |mut traffic, out| {
        let buffer = out.buffer();
        let start = buffer.len();
        buffer.resize(start + 2 * RECORD_OVERHEAD, 0);
        let written = traffic
            .queue_close_notify(buffer.get_mut(start..).unwrap_or_default())
            .unwrap_or_default();
        buffer.truncate(start + written);
        Ok(())
    })
}

impl std::fmt::Debug for TlsSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsSession")
            .field("ready", &self.is_ready())
            .field("peer_closed", &self.peer_closed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
