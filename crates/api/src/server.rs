//! From a request to an answer: who asks, whether the role suffices, what stands in path, query and body. All of it is
//! the same for every operation, and done before its handler hears of it.

use std::{
    any::{Any, TypeId},
    collections::BTreeSet,
    error::Error,
    future::Future,
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{FromRequestParts, Path, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{MethodFilter, on},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use plexus_api_model::{ApiError, ErrorCode, Method, Need, Operation, Outline, ROOT};
use plexus_audit::{Event, Kind, Who};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{sync::oneshot, time::timeout};

use crate::{
    Api, Caller,
    streams::{Feed, STREAMS_MAX, Streaming},
};

/// How long a body may take.
const BODY: Duration = Duration::from_secs(30);

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) Option<IpAddr>);

/// A request that may be carried out.
pub(crate) struct Call<P, Q, B> {
    pub(crate) api: Arc<Api>,
    /// Nobody where nobody has to be known.
    pub(crate) caller: Option<Caller>,
    pub(crate) peer: Option<IpAddr>,
    /// By whom the audit log is to say that it is, where nobody has to be known.
    pub(crate) claimed: Arc<OnceLock<String>>,
    /// The token of the log-in, where it was shown.
    pub(crate) token: Option<String>,
    pub(crate) path: P,
    pub(crate) query: Q,
    pub(crate) body: B,
}

impl<P, Q, B> Call<P, Q, B> {
    /// Who asks; whoever mounts an operation for nobody does not ask for it.
    pub(crate) fn caller(&self) -> Result<&Caller, ApiError> {
        self.caller.as_ref().ok_or_else(unknown)
    }
}

/// What is answered, with another status than is usual.
pub(crate) struct Reply<A> {
    status: Option<u16>,
    answer: A,
}

impl<A> From<A> for Reply<A> {
    fn from(answer: A) -> Self {
        Self { status: None, answer }
    }
}

impl<A> Reply<A> {
    pub(crate) fn with(status: u16, answer: A) -> Self {
        Self { status: Some(status), answer }
    }
}

/// Operations with what carries them out.
pub(crate) struct Mounted {
    router: Router<Arc<Api>>,
    names: BTreeSet<&'static str>,
}

impl Mounted {
    pub(crate) fn new() -> Self {
        Self { router: Router::new(), names: BTreeSet::new() }
    }

    /// Has that carry the operation out.
    pub(crate) fn on<P, Q, B, A, F, R>(
        mut self,
        operation: &'static Operation<P, Q, B, A>,
        handler: F,
    ) -> Self
    where
        P: DeserializeOwned + Send + 'static,
        Q: DeserializeOwned + Send + 'static,
        B: DeserializeOwned + Send + 'static,
        A: Serialize + Send + 'static,
        F: Fn(Call<P, Q, B>) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Result<Reply<A>, ApiError>> + Send,
    {
        let outline = operation.outline();
        let carry_out = move |state: axum::extract::State<Arc<Api>>, request: Request| {
            let handler = handler.clone();
            let api = state.0;
            async move {
                let Ok(turn) = Arc::clone(&api.turns).try_acquire_owned() else {
                    return failure(&busy());
                };
                let (tell, told) = oneshot::channel();
                // Whoever goes away has what he asked for done all the same, and recorded.
                api.runtime.clone().spawn(async move {
                    let record = Told::of(&api, outline, &request);
                    let answered = answer(api, outline, request, handler).await;
                    record.end(&answered);
                    drop(tell.send(answered.unwrap_or_else(|(_, error)| failure(&error))));
                    drop(turn);
                });
                told.await.unwrap_or_else(|_| failure(&stopping()))
            }
        };
        let filter = match outline.method {
            Method::Get => MethodFilter::GET,
            Method::Post => MethodFilter::POST,
            Method::Put => MethodFilter::PUT,
            Method::Delete => MethodFilter::DELETE,
        };
        self.router = self.router.route(&format!("{ROOT}{}", outline.path), on(filter, carry_out));
        self.names.insert(outline.id);
        self
    }

    /// Has that carry an operation out whose answer does not end. What it makes of the call tells events as long as
    /// somebody reads, and may.
    pub(crate) fn stream<P, Q, A, F, T, R>(
        mut self,
        operation: &'static Operation<P, Q, (), A>,
        handler: F,
    ) -> Self
    where
        P: DeserializeOwned + Send + 'static,
        Q: DeserializeOwned + Send + 'static,
        A: 'static,
        F: Fn(Call<P, Q, ()>) -> Result<T, ApiError> + Clone + Send + Sync + 'static,
        T: FnOnce(Feed) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let outline = operation.outline();
        let carry_out = move |state: axum::extract::State<Arc<Api>>, request: Request| {
            let handler = handler.clone();
            async move {
                begin(state.0, outline, request, handler)
                    .await
                    .unwrap_or_else(|error| failure(&error))
            }
        };
        let path = format!("{ROOT}{}", outline.path);
        self.router = self.router.route(&path, on(MethodFilter::GET, carry_out));
        self.names.insert(outline.id);
        self
    }

    /// All of it, and the names of those that are mounted.
    pub(crate) fn done(self) -> (Router<Arc<Api>>, BTreeSet<&'static str>) {
        let router = self.router.method_not_allowed_fallback(async || {
            failure(&ApiError::new(ErrorCode::MethodNotAllowed, "the path knows no such method"))
        });
        (router, self.names)
    }
}

/// Begins a stream.
async fn begin<P, Q, F, T, R>(
    api: Arc<Api>,
    outline: &'static Outline,
    request: Request,
    handler: F,
) -> Result<Response, ApiError>
where
    P: DeserializeOwned + Send + 'static,
    Q: DeserializeOwned + 'static,
    F: Fn(Call<P, Q, ()>) -> Result<T, ApiError>,
    T: FnOnce(Feed) -> R,
    R: Future<Output = ()> + Send + 'static,
{
    let (mut parts, _) = request.into_parts();
    let shown = Shown::of(&parts.headers);
    let caller = allowed(&api, outline.need, &shown).map_err(|(_, error)| error)?;
    let peer = parts.extensions.get::<Peer>().and_then(|peer| peer.0);
    let streaming = parts.extensions.get::<Streaming>().cloned().unwrap_or_default();
    let path = path_of(&mut parts).await?;
    let query = query_of(parts.uri.query().unwrap_or(""))?;
    let place = Arc::clone(&api.streams).try_acquire_owned().map_err(|_| {
        let message = format!("there are {STREAMS_MAX} live views already; close one");
        ApiError::new(ErrorCode::TooManyRequests, message)
    })?;
    let again = Arc::clone(&api);
    let may = move || allowed(&again, outline.need, &shown).is_ok();
    let (feed, events) = Feed::new(&streaming, place, may);
    let runtime = api.runtime.clone();
    let claimed = Arc::default();
    let call = Call { api, caller, peer, claimed, token: None, path, query, body: () };
    runtime.spawn(handler(call)?(feed));
    let kind = [(header::CONTENT_TYPE, outline.gives)];
    Ok((StatusCode::OK, kind, Body::from_stream(events)).into_response())
}

/// What the audit log is told of a request that may change something.
struct Told {
    api: Option<Arc<Api>>,
    outline: &'static Outline,
    path: String,
    peer: Option<IpAddr>,
    /// Whether what was done is told, too: of messages there may be as many as of a client.
    all: bool,
}

impl Told {
    fn of(api: &Arc<Api>, outline: &'static Outline, request: &Request) -> Self {
        // Who may only see asks questions, however long they are.
        let changes = outline.method != Method::Get && outline.need != Need::View;
        Self {
            api: changes.then(|| Arc::clone(api)),
            outline,
            path: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
            peer: peer_of(request),
            all: outline.need != Need::Publish,
        }
    }

    fn end(self, answered: &Result<Response, (Option<String>, ApiError)>) {
        let Some(api) = self.api else { return };
        let (user, error) = match answered {
            Ok(_) if !self.all => return,
            Ok(response) => (response.extensions().get::<By>().map(|by| by.0.clone()), None),
            Err((user, error)) => (user.clone(), Some(error)),
        };
        api.audit.record(|| {
            let who =
                Who { user, peer: self.peer, listener: Some("api".to_owned()), ..Who::default() };
            let act = self.outline.id;
            let event = match error {
                None => Event::done(Kind::Admin, act).by(who),
                Some(error) => Event::refused(Kind::Admin, act, who, error.to_string()),
            };
            event.on(self.path)
        });
    }
}

/// Who has asked for what is answered.
#[derive(Clone)]
struct By(String);

fn peer_of(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<Peer>().and_then(|peer| peer.0)
}

async fn answer<P, Q, B, A, F, R>(
    api: Arc<Api>,
    outline: &'static Outline,
    request: Request,
    handler: F,
) -> Result<Response, (Option<String>, ApiError)>
where
    P: DeserializeOwned + Send + 'static,
    Q: DeserializeOwned + 'static,
    B: DeserializeOwned + 'static,
    A: Serialize,
    F: Fn(Call<P, Q, B>) -> R,
    R: Future<Output = Result<Reply<A>, ApiError>> + Send,
{
    let peer = peer_of(&request);
    let (mut parts, body) = request.into_parts();
    let shown = Shown::of(&parts.headers);
    let caller = allowed(&api, outline.need, &shown)?;
    let name = caller.as_ref().map(Caller::told);
    let claimed = Arc::<OnceLock<String>>::default();
    let failed = |error: ApiError| (name.clone().or_else(|| claimed.get().cloned()), error);
    let path = path_of(&mut parts).await.map_err(failed)?;
    let query = query_of(parts.uri.query().unwrap_or("")).map_err(failed)?;
    let body = body_of(body, outline.body_max).await.map_err(failed)?;
    let token = shown.token();
    let call = Call { api, caller, peer, claimed: Arc::clone(&claimed), token, path, query, body };
    let Reply { status, answer } = handler(call).await.map_err(failed)?;
    let mut response = written(outline, status, &answer).map_err(failed)?;
    if let Some(name) = name.or_else(|| claimed.get().cloned()) {
        response.extensions_mut().insert(By(name));
    }
    Ok(response)
}

/// What a request shows of who asks.
enum Shown {
    Nothing,
    Token(String),
    Key(String, String),
    Nonsense,
}

impl Shown {
    fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(header::AUTHORIZATION) else { return Self::Nothing };
        let Some((scheme, rest)) = value.to_str().ok().and_then(|text| text.split_once(' ')) else {
            return Self::Nonsense;
        };
        if scheme.eq_ignore_ascii_case("bearer") {
            return Self::Token(rest.trim().to_owned());
        }
        let pair = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(rest.trim()).ok());
        let pair = pair.flatten().and_then(|bytes| String::from_utf8(bytes).ok());
        match pair.as_ref().and_then(|pair| pair.split_once(':')) {
            Some((key, secret)) => Self::Key(key.to_owned(), secret.to_owned()),
            None => Self::Nonsense,
        }
    }

    fn token(self) -> Option<String> {
        match self {
            Self::Token(token) => Some(token),
            Self::Nothing | Self::Key(..) | Self::Nonsense => None,
        }
    }
}

/// Who asks, if that is somebody who may.
fn allowed(
    api: &Api,
    need: Need,
    shown: &Shown,
) -> Result<Option<Caller>, (Option<String>, ApiError)> {
    if need == Need::Nobody {
        return Ok(None);
    }
    let caller = match shown {
        Shown::Token(token) => api.people.by_token(token),
        Shown::Key(key, secret) => api.people.by_key(key, secret),
        Shown::Nothing => Err(unknown()),
        Shown::Nonsense => {
            let message = "Authorization is neither `Bearer <token>` nor `Basic <key:secret>`";
            Err(ApiError::new(ErrorCode::BadToken, message))
        }
    };
    let caller = caller.map_err(|error| (None, error))?;
    if caller.role.may(need) {
        return Ok(Some(caller));
    }
    let message = format!("the role {} does not allow it", caller.role.word());
    Err((Some(caller.told()), ApiError::new(ErrorCode::UnauthorizedRole, message)))
}

/// Whether whoever sends these headers may see; else what it is told.
pub(crate) fn may_view(api: &Api, headers: &HeaderMap) -> Result<(), ApiError> {
    allowed(api, Need::View, &Shown::of(headers)).map(drop).map_err(|(_, error)| error)
}

fn busy() -> ApiError {
    let message = "too much is asked for at the same moment; ask again";
    ApiError::new(ErrorCode::ServiceUnavailable, message)
}

/// The node goes down.
pub(crate) fn stopping() -> ApiError {
    ApiError::new(ErrorCode::ServiceUnavailable, "the node stops")
}

fn unknown() -> ApiError {
    let message = "log in at /api/v5/login and show the token, or show an API key";
    ApiError::new(ErrorCode::BadToken, message)
}

async fn path_of<P: DeserializeOwned + Send + 'static>(parts: &mut Parts) -> Result<P, ApiError> {
    if let Some(nothing) = nothing() {
        return Ok(nothing);
    }
    let path = Path::<P>::from_request_parts(parts, &()).await;
    path.map(|Path(path)| path).map_err(|error| ApiError::bad(format!("the path: {error}")))
}

fn query_of<Q: DeserializeOwned + 'static>(query: &str) -> Result<Q, ApiError> {
    if let Some(nothing) = nothing() {
        return Ok(nothing);
    }
    serde_html_form::from_str(query).map_err(|error| ApiError::bad(format!("the query: {error}")))
}

async fn body_of<B: DeserializeOwned + 'static>(body: Body, most: usize) -> Result<B, ApiError> {
    if let Some(nothing) = nothing() {
        return Ok(nothing);
    }
    let late = |_| ApiError::bad("the body: it took too long");
    let bytes = timeout(BODY, to_bytes(body, most)).await.map_err(late)?.map_err(|error| {
        let is_long = error.source().is_some_and(|source| source.to_string().contains("limit"));
        if is_long {
            let message = format!("the body: this operation takes at most {most} bytes");
            return ApiError::new(ErrorCode::TooLarge, message);
        }
        ApiError::bad("the body: it broke off")
    })?;
    serde_json::from_slice(&bytes).map_err(|error| ApiError::bad(format!("the body: {error}")))
}

/// The value, where the type is `()`.
fn nothing<T: 'static>() -> Option<T> {
    if TypeId::of::<T>() != TypeId::of::<()>() {
        return None;
    }
    let boxed: Box<dyn Any> = Box::new(());
    boxed.downcast::<T>().ok().map(|value| *value)
}

fn written<A: Serialize>(
    outline: &Outline,
    status: Option<u16>,
    answer: &A,
) -> Result<Response, ApiError> {
    let status = StatusCode::from_u16(status.unwrap_or(outline.status)).unwrap_or(StatusCode::OK);
    if status == StatusCode::NO_CONTENT {
        return Ok(status.into_response());
    }
    let broken = |error: serde_json::Error| {
        tracing::error!(%error, operation = outline.id, "an answer cannot be written");
        ApiError::new(ErrorCode::InternalError, "the answer cannot be written; please report it")
    };
    let kind = [(header::CONTENT_TYPE, outline.gives)];
    if outline.gives == "application/json" {
        let text = serde_json::to_vec(answer).map_err(broken)?;
        return Ok((status, kind, text).into_response());
    }
    match serde_json::to_value(answer).map_err(broken)? {
        serde_json::Value::String(text) => Ok((status, kind, text).into_response()),
        other => Ok((status, kind, other.to_string()).into_response()),
    }
}

/// An error as it is answered.
pub(crate) fn failure(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.code.status());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let text = serde_json::to_vec(error).unwrap_or_default();
    let kind = [(header::CONTENT_TYPE, "application/json")];
    let mut response = (status, kind, text).into_response();
    if status == StatusCode::UNAUTHORIZED {
        let challenge = header::HeaderValue::from_static("Bearer");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
