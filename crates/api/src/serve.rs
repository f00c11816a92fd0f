//! Connections of the API: taken, shaken hands with and served on the control plane, within bounds.

mod pages;

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use plexus_api_model::{ROOT, openapi};
use plexus_net::TlsServer;
use plexus_runtime::{Handle, Task};
use plexus_stdx::Seed;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

use crate::{
    Api, handlers, history,
    server::{self, Peer},
    strangers::{self, StrangerOptions, Strangers},
    streams::Streaming,
};

/// Connections at the same time; further ones wait in the system's backlog.
const CONNECTIONS_MAX: usize = 512;
/// How long a handshake, the head of a request, and an answer may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
const HEAD: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_mins(1);
const AGE: Duration = Duration::from_mins(5);
/// Bytes of the head of a request.
const HEAD_MAX: usize = 64 * 1024;
/// After a connection could not be taken, for want of files most likely.
const REST: Duration = Duration::from_millis(100);

/// Where the API is to be.
#[derive(Debug, Clone)]
pub struct Place {
    /// The address.
    pub address: SocketAddr,
    /// The certificates; none for clear text.
    pub tls: Option<TlsServer>,
    /// What whoever asks from elsewhere may.
    pub strangers: StrangerOptions,
    /// Makes hashes that nobody can guess.
    pub seed: Seed,
}

/// Why it is not there.
#[derive(Debug, thiserror::Error)]
#[error("the API cannot listen at {address}")]
pub struct ServeError {
    /// Where it was to be.
    pub address: SocketAddr,
    /// Why that is not to be had.
    pub source: io::Error,
}

/// The API, while it is served. Nothing more is taken when this is dropped.
#[derive(Debug)]
pub struct Served {
    address: SocketAddr,
    _tasks: [Task; 2],
}

impl Served {
    /// Where it is, with the real port.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Api {
    /// Serves it there.
    pub fn serve(self: &Arc<Self>, place: Place, runtime: &Handle) -> Result<Served, ServeError> {
        let Place { address, tls, strangers, seed } = place;
        let strangers = Arc::new(Strangers::new(&strangers, seed));
        let failed = |source| ServeError { address, source };
        let listener = runtime.wait_for(TcpListener::bind(address)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let router = router(Arc::clone(self));
        let task = runtime.own(accept(listener, tls, (router, strangers), runtime.clone()));
        let sampling = runtime.own(sample(Arc::clone(self)));
        Ok(Served { address, _tasks: [task, sampling] })
    }
}

/// Remembers how it is, again and again.
async fn sample(api: Arc<Api>) {
    let mut due = tokio::time::interval(history::EVERY);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        api.history.add(&api.sample());
    }
}

/// All that there is.
fn router(api: Arc<Api>) -> Router {
    let (operations, mounted) = handlers::all();
    tracing::debug!(operations = mounted.len(), "the API");
    let described = openapi(&api.about.version).to_string();
    let describe = move || {
        let described = described.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], described) }
    };
    operations
        .route(&format!("{ROOT}/openapi.json"), get(describe))
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .fallback(pages::page)
        .with_state(api)
}

async fn readyz(State(api): State<Arc<Api>>) -> Response {
    if handlers::is_ready(&api).await {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "busy, or stopping\n").into_response()
    }
}

async fn metrics(State(api): State<Arc<Api>>, request: Request) -> Response {
    if let Err(refused) = server::may_view(&api, request.headers()) {
        return server::failure(&refused);
    }
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], handlers::own(&api)).into_response()
}

type Shared = (Router, Arc<Strangers>);

async fn accept(listener: TcpListener, tls: Option<TlsServer>, shared: Shared, runtime: Handle) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "the API cannot take a connection");
                tokio::time::sleep(REST).await;
                continue;
            }
        };
        let (shared, tls) = (shared.clone(), tls.clone());
        runtime.spawn(async move {
            // Small answers are not to wait for more.
            drop(stream.set_nodelay(true));
            let Some(tls) = tls else { return serve(stream, peer, shared, place).await };
            let acceptor = TlsAcceptor::from(tls.http_config());
            match timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => serve(stream, peer, shared, place).await,
                Ok(Err(error)) => tracing::debug!(%error, %peer, "a handshake with the API"),
                Err(_) => tracing::debug!(%peer, "a handshake with the API took too long"),
            }
        });
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    (router, strangers): Shared,
    _place: OwnedSemaphorePermit,
) {
    let streaming = Streaming::default();
    let of_connection = streaming.clone();
    let service =
        hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let (mut router, strangers) = (router.clone(), Arc::clone(&strangers));
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(Some(peer.ip().to_canonical())));
            request.extensions_mut().insert(of_connection.clone());
            async move {
                let origin = strangers.origin(request.headers());
                let asked = || strangers.preflight(request.method(), request.headers());
                let told = strangers.refusal(peer.ip()).or_else(asked);
                let mut response = match told {
                    Some(told) => told,
                    None => match timeout(ANSWER, router.call(request)).await {
                        Ok(Ok(response)) => response,
                        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
                    },
                };
                strangers::allow(&mut response, origin);
                guard(&mut response);
                Ok::<_, Infallible>(response)
            }
        });
    let mut server = hyper::server::conn::http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_MAX);
    // Whoever takes no answers holds its place for so long at most.
    let mut served = std::pin::pin!(server.serve_connection(TokioIo::new(stream), service));
    loop {
        match timeout(AGE, &mut served).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, %peer, "a connection of the API"),
            Err(_) if streaming.any() => continue,
            Err(_) => tracing::debug!(%peer, "a connection of the API has lasted long enough"),
        }
        return;
    }
}

/// What browsers are told of every answer.
fn guard(response: &mut Response) {
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
}
