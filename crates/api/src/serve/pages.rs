//! The dashboard: what is asked for at no path of the API.

use axum::{
    extract::Request,
    http::{HeaderValue, Method, header},
    response::{IntoResponse, Response},
};
use plexus_api_model::{ApiError, ErrorCode};
use plexus_dashboard::asset;

use crate::server;

/// Nothing but the API has paths below this one.
const API: &str = "/api";

/// What the pages may do. They take nothing from elsewhere, run no script but their own files, and
/// speak to this node: its MQTT listeners have ports of their own, and may have another name. The
/// components write their measures into style attributes. What clients have sent is shown as an image
/// from a blob only.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' blob:; connect-src 'self' ws: wss:; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// A file of the dashboard, or that there is no such thing.
pub(super) async fn page(request: Request) -> Response {
    let path = request.uri().path();
    let is_of_api =
        path.strip_prefix(API).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let found = if is_of_api || !is_read { None } else { asset(path) };
    let Some(asset) = found else {
        let error = ApiError::new(ErrorCode::NotFound, "there is nothing at that path");
        return server::failure(&error);
    };
    let kept = if asset.is_immutable { FOR_EVER } else { ASK_AGAIN };
    let mut response = asset.bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    if asset.is_gzip {
        // It is there in no other form; whatever shows pages has unpacked it for decades.
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

#[cfg(test)]
mod tests;
