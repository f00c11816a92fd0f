//! *What it is.* Listeners and byte streams: TCP, TLS, WebSocket, secure WebSocket and Unix sockets,
//! with the PROXY protocol in front where a listener asks for it. Above the socket everything is
//! sans-io and layered: socket bytes → PROXY header → TLS → WebSocket → application bytes.
//!
//! *What it never does.* It knows nothing of MQTT, starts no thread, reads no clock (TLS has one of its
//! own, for the dates of what it looks at), never blocks and belongs to no particular poll: a [`Stream`]
//! is registered, moved to another thread and registered there. Nothing is buffered without a limit, and
//! a stream that only waits holds no buffer.
//!
//! *Entry points.* [`ListenerOptions`], [`Listener`], [`Stream`], [`WriteQueue`], [`ReadBlock`].
//!
//! *Reading order.* `url`, `options`, `listener`, `socket`, `block`, `queue`, `stream`, `endpoint`, then
//! the layers `proxy`, `tls`, `websocket`.
//!
//! *Tests.* Tables and properties beside each layer; `tests/it` runs both roles over real sockets.

mod block;
mod endpoint;
mod error;
mod listener;
mod options;
pub mod proxy;
mod queue;
mod regular;
mod socket;
mod stream;
mod tls;
mod url;
pub mod websocket;

pub use block::ReadBlock;
pub use endpoint::{Endpoint, Target};
pub use error::{BindError, StreamError, TlsConfigError};
pub use listener::{Accepted, Listener};
pub use options::{
    BindOptions, CipherSuite, ClientAuth, CrlDoubt, CrlScope, ListenerOptions, ProxyProtocol,
    TlsCertificate, TlsClientOptions, TlsOptions, TlsVersion, UnknownName, WebSocketOptions,
};
pub use queue::{SpareBuffers, WriteQueue};
pub use regular::read_regular_file;
pub use socket::{PeerAddr, Socket};
pub use stream::{ClientLayers, ClientWebSocket, Facts, Flushed, Layers, Read, Stream};
pub use tls::{
    CRL_SIZE_MAX, Crl, FetchedCrls, StapleFault, TlsClient, TlsEnds, TlsFacts, TlsServer, Validity,
    certificate_is_authority, certificate_validity, crl_validity, staple_fault,
};
pub use url::{ListenUrl, Transport, UrlError};
